//! Zones that take keys and make DS of them (RFC 5910 section 4.2), on both engines.

use super::published::{expect, step};
use super::*;
use crate::registry::types::DsData;

/// The key of RFC 6605 section 6.1, of example.net, and the DS that stands there.
const KEY: &str = "257_3_13_GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP\
    +e+MAnLr+Wi9xMWyQLc8NAA==";
const DS: &str = "55648 13 2 \
    b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17";
/// Another one, of Ed25519.
const OTHER: &str = "257_3_15_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const HOSTS: &str = "ns=ns1.ext.example ns=ns2.ext.example";

/// With the zone `net`, which takes keys.
async fn stage_keys(engine: crate::registry::Engine) -> TestDatabase {
    let mut test = stage(engine).await;
    let zone = ZoneCommand::Create(zone::ZoneCreate {
        apex: "net".parse().unwrap(),
        mname: "ns1.nic.example".parse().unwrap(),
        rname: "hostmaster.nic.example".parse().unwrap(),
        records: vec![ZoneRecord::parse("net. 3600 NS ns1.nic.example.").unwrap()],
    });
    let zone = operator(Command::Zone(zone));
    run(&mut test, &zone).await.unwrap();
    play(&mut test, "op zone policy net ds-interface=keys = 1000").await;
    test
}

#[tokio::test]
async fn the_ds_of_a_key_is_that_of_the_rfc() {
    for engine in engines() {
        let mut test = stage_keys(engine).await;
        let test = &mut test;
        let create = format!("reg-a domain create example.net key={KEY} {HOSTS}");
        let ds = format!("+example.net. DS {DS}");
        let came = step(test, &create).await;
        assert!(
            came.iter().any(|record| record.eq_ignore_ascii_case(&ds)),
            "{came:?}"
        );
        let info = run(test, &parse("reg-a domain info example.net")).await;
        let Outcome::Read(info) = info.unwrap() else {
            panic!();
        };
        let Info::Domain(domain) = *info else {
            panic!();
        };
        assert_eq!(domain.keys.len(), 1);
        assert_eq!(domain.keys[0].to_string().replace(' ', "_"), KEY);
        assert_eq!(domain.ds, [DsData::parse(DS).unwrap()]);
        let went = step(test, &format!("reg-a domain update example.net -key={KEY}")).await;
        assert!(went[0].starts_with("-example.net. DS "), "{went:?}");
        expect(
            &step(test, "reg-a domain delete example.net").await,
            &[
                "-example.net. NS ns1.ext.example.",
                "-example.net. NS ns2.ext.example.",
            ],
        );
    }
}

#[tokio::test]
async fn a_zone_takes_one_interface_and_keys_that_a_ds_can_point_to() {
    for engine in engines() {
        let mut test = stage_keys(engine).await;
        let zeros = "0".repeat(64);
        let ds = format!("ds=1_13_2_{zeros}");
        play(
            &mut test,
            &format!(
                "reg-a domain create a.tld key={KEY} {HOSTS} = 2306
                 reg-a domain create a.net {ds} {HOSTS} = 2306
                 reg-a domain create a.net {ds} key={KEY} {HOSTS} = 2306
                 reg-a domain create a.net key=256_3_15_{flags} {HOSTS} = 2306
                 reg-a domain create a.net key=385_3_15_{flags} {HOSTS} = 2306
                 reg-a domain create a.net key=257_3_123_{flags} {HOSTS} = 2306
                 reg-a domain create a.net key=257_3_13_{flags} {HOSTS} = 2306
                 reg-a domain create a.net key={KEY} key={KEY} {HOSTS} = 2306
                 reg-a domain create a.net key={KEY} {HOSTS} = 1000
                 reg-a domain update a.net key={KEY} = 2306
                 reg-a domain update a.net -key={OTHER} = 2306
                 reg-a domain update a.net key={OTHER} = 1000
                 reg-a domain update a.net -key={KEY} -key={OTHER} = 1000
                 reg-a domain update a.net -key={KEY} = 2306
                 reg-a domain update a.net key={KEY} = 1000
                 reg-a domain create b.tld {ds} {HOSTS} = 1000
                 op zone policy tld ds-interface=keys = 2305
                 op zone policy net ds-interface=ds = 1000
                 reg-a domain update a.net {ds} = 1000
                 reg-a domain update a.net -key={KEY} = 2306
                 reg-a domain delete a.net = 1000",
                flags = OTHER.rsplit('_').next().unwrap(),
            ),
        )
        .await;
        let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM domain_keys")
            .fetch_one(test.database.connection())
            .await
            .unwrap();
        assert_eq!(left, 0);
    }
}
