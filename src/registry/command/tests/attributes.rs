//! Name servers as attributes of domains (RFC 5731 section 1.1), on both engines.

use super::published::{expect, step};
use super::*;

const MODEL: &str = "op zone policy tld host-model=attributes = 1000";

async fn check(script: &str) {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(&mut test, script).await;
    }
}

async fn attributes(test: &mut TestDatabase, name: &str) -> Option<Vec<String>> {
    let outcome = run(test, &parse(&format!("op domain info {name}"))).await;
    let Outcome::Read(info) = outcome.unwrap() else {
        panic!("{name}");
    };
    let Info::Domain(domain) = *info else {
        panic!("{name}");
    };
    assert!(domain.subordinate_hosts.is_empty() || domain.attributes.is_none());
    let attributes = domain.attributes?.into_iter().map(|attribute| {
        let addresses = attribute.addresses.iter().map(ToString::to_string);
        format!(
            "{} {}",
            attribute.name,
            addresses.collect::<Vec<_>>().join(" ")
        )
    });
    Some(attributes.collect())
}

#[tokio::test]
async fn a_zone_has_one_model_of_hosts() {
    check(&format!(
        "reg-a domain create a.tld nsa=ns1.x.example nsa=ns2.x.example = 2306
         reg-a domain create a.tld ns=ns1.ext.example nsa=ns2.ext.example = 2306
         reg-a domain create a.tld = 1000
         reg-a domain update a.tld nsa=ns1.x.example nsa=ns2.x.example = 2306
         {MODEL}
         reg-a domain create b.tld ns=ns1.ext.example ns=ns2.ext.example = 2306
         reg-a domain update a.tld ns=ns1.ext.example ns=ns2.ext.example = 2306
         reg-a host create ns1.a.tld ip=192.0.2.1 = 2306
         reg-a host update ns1.ext.example to=ns9.a.tld = 2306
         reg-a domain update a.tld nsa=ns1.x.example nsa=ns2.x.example = 1000"
    ))
    .await;
}

#[tokio::test]
async fn attributes_have_addresses_where_they_are_glue() {
    check(&format!(
        "{MODEL}
         reg-a domain create a.tld nsa=ns1.a.tld nsa=ns2.a.tld = 2306
         reg-a domain create a.tld nsa=ns1.a.tld_192.0.2.1 nsa=ns1.x.example_192.0.2.2 = 2306
         reg-a domain create a.tld nsa=ns1.a.tld_127.0.0.1 nsa=ns2.x.example = 2306
         reg-a domain create a.tld nsa=ns1.a.tld_192.0.2.1 = 2308
         reg-a domain create a.tld nsa=ns1.a.tld_192.0.2.1 nsa=ns1.a.tld_192.0.2.1 = 2306
         reg-a domain create a.tld nsa=ns1.a.tld_192.0.2.1 nsa=ns1.b.tld_192.0.2.2 = 2303
         reg-a domain create a.tld nsa=ns1.a.tld_192.0.2.1 nsa=ns2.a.tld_2001:db8::1 = 1000
         reg-b domain create b.tld nsa=ns1.a.tld nsa=ns3.a.tld_192.0.2.3 = 2201
         reg-b domain create b.tld nsa=ns1.a.tld_192.0.2.9 nsa=ns1.x.example = 2306
         reg-b domain create b.tld nsa=ns1.a.tld_192.0.2.1 nsa=ns2.a.tld = 1000
         reg-a domain create c.tld nsa=ns1.a.tld nsa=ns3.a.tld_192.0.2.3 = 1000
         reg-a domain update c.tld nsa=ns1.a.tld = 2306
         reg-a domain update c.tld -nsa=ns1.a.tld_192.0.2.9 nsa=ns1.x.example = 2306
         reg-a domain update c.tld -nsa=ns1.a.tld nsa=ns1.x.example = 1000
         reg-a domain update c.tld -nsa=ns1.a.tld nsa=ns2.x.example = 2306
         reg-a domain update c.tld -nsa=ns1.x.example nsa=ns1.x.example = 2306
         reg-b domain update b.tld -nsa=ns1.a.tld nsa=ns1.a.tld_192.0.2.7 = 2201
         reg-a domain update a.tld -nsa=ns1.a.tld nsa=ns1.a.tld_192.0.2.7 = 1000
         reg-a domain update a.tld -nsa=ns1.x.example nsa=ns1.x.example_192.0.2.7 = 2306
         reg-a domain delete a.tld = 2305
         reg-b domain delete b.tld = 1000
         reg-a domain delete c.tld = 1000
         reg-a domain delete a.tld = 1000"
    ))
    .await;
}

#[tokio::test]
async fn a_check_of_a_host_says_that_there_are_only_attributes() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(
            &mut test,
            &format!(
                "{MODEL}
                 reg-a domain create a.tld nsa=ns1.a.tld_192.0.2.1 nsa=ns1.x.example = 1000"
            ),
        )
        .await;
        for (name, expected) in [
            ("ns1.a.tld", Some("name servers are attributes")),
            ("ns2.a.tld", Some("name servers are attributes")),
            ("ns1.nobody.tld", Some("name servers are attributes")),
            ("ns1.ext.example", Some("in use")),
            // Other zones may name it as an object.
            ("ns1.x.example", None),
            ("ns9.ext.example", None),
        ] {
            let outcome = run(&mut test, &parse(&format!("reg-a host check {name}"))).await;
            let Outcome::Read(info) = outcome.unwrap() else {
                panic!("a check reads");
            };
            let Info::Availability(found) = *info else {
                panic!("{info:?}");
            };
            assert_eq!(found.available, expected.is_none(), "{name}");
            let reason = found.reason.unwrap_or_default();
            assert!(reason.starts_with(expected.unwrap_or_default()), "{reason}");
        }
    }
}

#[tokio::test]
async fn commands_on_hosts_do_not_know_attributes() {
    check(&format!(
        "{MODEL}
         reg-a domain create a.tld nsa=ns1.a.tld_192.0.2.1 nsa=ns1.x.example = 1000
         reg-a host info ns1.a.tld = 2303
         reg-a host info ns1.x.example = 2303
         reg-a host delete ns1.x.example = 2303
         reg-a host update ns1.a.tld ip=192.0.2.2 = 2303
         reg-b host create ns1.x.example = 1000
         reg-b host info ns1.x.example = 1000
         reg-b host create ns1.x.example = 2302
         reg-b host delete ns1.x.example = 2305
         reg-b host update ns1.x.example to=ns2.x.example = 2305
         reg-a domain delete a.tld = 1000
         reg-b host delete ns1.x.example = 1000
         reg-a host info ns1.ext.example = 1000"
    ))
    .await;
}

#[tokio::test]
async fn attributes_come_and_go_with_the_domains_that_name_them() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        play(test, MODEL).await;
        let create = "reg-a domain create a.tld nsa=ns1.a.tld_192.0.2.1 nsa=ns1.x.example";
        expect(
            &step(test, create).await,
            &[
                "+a.tld. NS ns1.a.tld.",
                "+a.tld. NS ns1.x.example.",
                "+ns1.a.tld. A 192.0.2.1",
            ],
        );
        let shown = attributes(test, "a.tld").await.unwrap();
        assert_eq!(shown, ["ns1.a.tld 192.0.2.1", "ns1.x.example "]);
        let change = "reg-a domain update a.tld -nsa=ns1.a.tld \
                      nsa=ns1.a.tld_192.0.2.2_2001:db8::1";
        expect(
            &step(test, change).await,
            &[
                "-ns1.a.tld. A 192.0.2.1",
                "+ns1.a.tld. A 192.0.2.2",
                "+ns1.a.tld. AAAA 2001:db8::1",
            ],
        );
        let swap = "reg-a domain update a.tld -nsa=ns1.a.tld nsa=ns2.x.example";
        expect(
            &step(test, swap).await,
            &[
                "-a.tld. NS ns1.a.tld.",
                "+a.tld. NS ns2.x.example.",
                "-ns1.a.tld. A 192.0.2.2",
                "-ns1.a.tld. AAAA 2001:db8::1",
            ],
        );
        assert_eq!(hosts(test).await, ["ns1.x.example", "ns2.x.example"]);
        // Its registrar goes, a domain of another one that names it stays.
        play(
            test,
            "reg-b domain create b.tld nsa=ns1.x.example nsa=ns3.x.example = 1000
             op domain purge a.tld = 1000
             reg-a host delete ns1.ext.example = 1000
             reg-a host delete ns2.ext.example = 1000
             op registrar delete reg-a = 1000",
        )
        .await;
        assert_eq!(hosts(test).await, ["ns1.x.example", "ns3.x.example"]);
        play(test, "op zone policy tld host-model=objects = 1000").await;
        assert_eq!(attributes(test, "b.tld").await, None);
        play(
            test,
            "reg-b host info ns3.x.example = 1000
             reg-b domain update b.tld -ns=ns1.x.example -ns=ns3.x.example = 1000
             reg-b host delete ns3.x.example = 1000",
        )
        .await;
    }
}

#[tokio::test]
async fn objects_that_become_attributes_can_be_named_with_other_addresses() {
    check(&format!(
        "reg-a domain create a.tld = 1000
         reg-a host create ns1.a.tld ip=192.0.2.1 = 1000
         {MODEL}
         reg-a host info ns1.a.tld = 2303
         reg-a domain update a.tld nsa=ns1.a.tld_192.0.2.9 nsa=ns1.x.example = 1000
         op zone policy tld host-model=objects = 1000
         reg-a host info ns1.a.tld = 1000"
    ))
    .await;
}

/// Hosts outside that are named as attributes.
async fn hosts(test: &mut TestDatabase) -> Vec<String> {
    sqlx::query_scalar("SELECT name FROM hosts WHERE attribute = 1 ORDER BY name")
        .fetch_all(test.database.connection())
        .await
        .unwrap()
}
