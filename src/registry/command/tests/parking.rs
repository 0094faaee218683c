//! Parking: when a zone may park, which of its domains are parked, and what then is
//! published, after each event, on both engines.

use super::published::{expect, step};
use super::*;
use crate::registry::command::keys::{KeysCommand, KeysPolicy};
use crate::registry::signing::PolicyChange;

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

/// Whether the compiler is told to sign what parked domains of `tld` answer.
fn is_signed(test: &TestDatabase) -> Option<bool> {
    parking(test).map(|parking| parking.is_signed)
}

fn parking(test: &TestDatabase) -> Option<zone_compiler::Parking> {
    let snapshot = zone_compiler::database::Snapshot::open(&test.location.as_source()).unwrap();
    let apex = zone_image::Name::parse_absolute("tld").unwrap();
    let mut source = snapshot.source(&apex).unwrap();
    zone_compiler::ZoneSource::parking(&mut source).unwrap()
}

#[tokio::test]
async fn parked_domains_stay_signed_until_caches_have_no_ds_of_them() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        play(
            test,
            &format!(
                "{PARK} = 1000
                 op zone policy tld parked-answers=signed = 1000"
            ),
        )
        .await;
        test.sign_tld().await;
        play(
            test,
            "op zone policy tld parked-answers=unsigned = 2304
             op zone policy tld parked-answers=withdrawn = 1000",
        )
        .await;
        let withdrawn = parking(test).unwrap();
        assert!(withdrawn.is_signed && withdrawn.is_withdrawn);
        play(
            test,
            "op zone policy tld parked-answers=unsigned at=599s = 2304
             op zone policy tld parked-answers=signed at=599s = 1000
             op zone policy tld parked-answers=unsigned at=600s = 2304
             op zone policy tld parked-answers=withdrawn at=600s = 1000
             op zone policy tld parked-answers=unsigned at=1199s = 2304
             op zone policy tld parked-answers=unsigned at=1200s = 1000",
        )
        .await;
        let ended = parking(test).unwrap();
        assert!(!ended.is_signed && !ended.is_withdrawn);
    }
}

#[tokio::test]
async fn parked_domains_are_signed_by_policy_within_what_keys_are_timed_by() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        play(test, "op zone policy tld parked-answers=signed = 1000").await;
        assert_eq!(is_signed(test), None, "nothing is parked");
        play(test, &format!("{PARK} = 1000")).await;
        assert_eq!(is_signed(test), Some(true));
        play(test, "op zone policy tld parked-answers=unsigned = 1000").await;
        assert_eq!(is_signed(test), Some(false));
        // A zone with keys, which are timed by TTLs of a day.
        let change = PolicyChange {
            zone_ttl_max: Some(86_400),
            ..PolicyChange::default()
        };
        let policy = KeysCommand::Policy(Box::new(KeysPolicy {
            apex: "tld".parse().unwrap(),
            change,
        }));
        run(test, &operator(Command::Keys(policy))).await.unwrap();
        play(
            test,
            &format!(
                "{PARK} record=._86401_A_192.0.2.1 = 1000
                 op zone policy tld parked-answers=signed = 2306
                 {PARK} record=._86400_A_192.0.2.1 = 1000
                 op zone policy tld parked-answers=signed = 1000
                 {PARK} record=._86401_A_192.0.2.1 = 2306
                 reg-a domain create a.tld ds=1_13_2_{} = 2306
                 reg-a domain create a.tld = 1000",
                "0".repeat(64)
            ),
        )
        .await;
        // The change of one's mind is a change of the whole zone.
        let whole = "SELECT COUNT(*) FROM dns_changed WHERE owner = ''";
        let before: i64 = sqlx::query_scalar(whole)
            .fetch_one(test.database.connection())
            .await
            .unwrap();
        play(test, "op zone policy tld parked-answers=unsigned = 1000").await;
        let after: i64 = sqlx::query_scalar(whole)
            .fetch_one(test.database.connection())
            .await
            .unwrap();
        assert_eq!(after, before + 1);
    }
}
