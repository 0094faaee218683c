//! Parking: when a zone may park, which of its domains are parked, and what then is
//! published, after each event, on both engines.

use super::published::{expect, step};
use super::*;

const PARK: &str = "op zone parking tld server=p1.ext.example server=p2.ext.example";

async fn check(script: &str) {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(&mut test, script).await;
    }
}

#[tokio::test]
async fn a_zone_parks_at_servers_that_can_be_found() {
    check(
        "reg-a zone parking tld server=p1.ext.example server=p2.ext.example = 2201
         op zone parking other server=p1.ext.example server=p2.ext.example = 2303
         op zone parking tld server=p1.ext.example = 2308
         op zone parking tld server=p1.ext.example server=p1.ext.example = 2308
         op zone parking tld record=*._60_A_192.0.2.80 = 2306
         op zone parking tld server=p1.park.tld server=p2.ext.example = 2306
         op zone update tld record=p1.park.tld._60_A_192.0.2.7 = 1000
         op zone parking tld server=p1.park.tld server=p2.ext.example = 1000
         reg-a domain create park.tld = 2306
         reg-a domain create p1.park.tld = 2306
         op zone update tld -record=p1.park.tld._60_A_192.0.2.7 = 2305
         op zone parking tld = 1000
         reg-a domain create park.tld = 1000
         op zone parking tld server=p1.park.tld server=p2.ext.example = 2306
         op zone update tld -record=p1.park.tld._60_A_192.0.2.7 = 1000
         op zone delete tld = 2305
         reg-a domain delete park.tld = 1000
         op zone delete tld = 1000",
    )
    .await;
}

#[tokio::test]
async fn what_parked_domains_have_leads_nowhere_else() {
    check(&format!(
        "{PARK} record=www._60_A_192.0.2.80 = 2306
         {PARK} record=*._60_CNAME_www.tld. = 2306
         {PARK} record=*._60_DNAME_www.tld. = 2306
         {PARK} record=*._60_NS_www.tld. = 2306
         {PARK} record=._60_TXT_{1} = 2306
         {PARK} record=*._60_A_192.0.2.81 record=._60_A_192.0.2.80 record=._60_MX_0_. = 1000
         reg-a domain create a.tld ds=1_13_2_{0} = 2306
         reg-a domain create a.tld ns=ns1.ext.example ns=ns2.ext.example ds=1_13_2_{0} = 1000
         reg-a domain update a.tld -ns=ns1.ext.example -ns=ns2.ext.example = 2306
         reg-a domain update a.tld -ns=ns1.ext.example -ns=ns2.ext.example -ds=1_13_2_{0} = 1000
         reg-a domain update a.tld ds=1_13_2_{0} = 2306",
        "0".repeat(64),
        vec!["x".repeat(255); 70].join("_")
    ))
    .await;
}

async fn is_parked(test: &mut TestDatabase, name: &str) -> bool {
    let outcome = run(test, &parse(&format!("op domain info {name}"))).await;
    match outcome.unwrap() {
        Outcome::Read(info) => match *info {
            Info::Domain(domain) => domain.parked,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_domain_is_parked_while_nothing_else_is_known_of_it() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        let came = ["+a.tld. NS p1.ext.example.", "+a.tld. NS p2.ext.example."];
        let went = ["-a.tld. NS p1.ext.example.", "-a.tld. NS p2.ext.example."];
        run(test, &parse(PARK)).await.unwrap();
        expect(&step(test, "reg-a domain create a.tld").await, &came);
        assert!(is_parked(test, "a.tld").await);
        // A host below it would not be found.
        let host = "reg-a host create ns1.a.tld ip=192.0.2.1";
        expect(&step(test, host).await, &went);
        assert!(!is_parked(test, "a.tld").await);
        expect(&step(test, "reg-a host delete ns1.a.tld").await, &came);
        let hold = "reg-a domain update a.tld status=clientHold";
        expect(&step(test, hold).await, &went);
        let hold = "reg-a domain update a.tld -status=clientHold";
        expect(&step(test, hold).await, &came);
        let own = step(
            test,
            "reg-a domain update a.tld ns=ns1.ext.example ns=ns2.ext.example",
        );
        let real = ["+a.tld. NS ns1.ext.example.", "+a.tld. NS ns2.ext.example."];
        expect(&own.await, &[&went[..], &real].concat());
        assert!(!is_parked(test, "a.tld").await);
        let none = step(
            test,
            "reg-a domain update a.tld -ns=ns1.ext.example -ns=ns2.ext.example",
        );
        let real = ["-a.tld. NS ns1.ext.example.", "-a.tld. NS ns2.ext.example."];
        expect(&none.await, &[&came[..], &real].concat());
        run(test, &parse("op zone parking tld")).await.unwrap();
        assert!(!is_parked(test, "a.tld").await);
        assert!(
            !test
                .published()
                .iter()
                .any(|record| record.starts_with("a.tld."))
        );
        run(test, &parse(PARK)).await.unwrap();
        expect(&step(test, "reg-a domain delete a.tld").await, &went);
    }
}
