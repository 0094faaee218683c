//! Zones for tests and accounts for tests, on both engines.

use super::*;
use crate::registry::command::registrar::RegistrarAccess;
use crate::registry::policy::Stage;

pub(super) fn stage(name: &str, word: &str) -> RegistrarAccess {
    let mut access = RegistrarAccess::new(name.parse().unwrap());
    access.stage = Some(Stage::parse(word).unwrap());
    access
}

const SERVERS: &str = "ns=ns1.ext.example ns=ns2.ext.example";

#[tokio::test]
async fn each_account_has_its_own_side() {
    for engine in engines() {
        let mut test = stage_both(engine).await;
        play(
            &mut test,
            &format!(
                "reg-a domain create a.tld {SERVERS} = 1000
                 reg-a domain create a.test {SERVERS} = 2201
                 reg-b domain create b.test {SERVERS} auth=qK7!rT2#wZ9&mP4$xL8* = 1000
                 reg-b domain create b.tld {SERVERS} = 2201
                 reg-b domain create a.tld {SERVERS} = 2201
                 reg-a domain create b.test {SERVERS} = 2201
                 reg-b domain create b.test {SERVERS} = 2302
                 op domain create c.test by=reg-a = 1000
                 reg-a domain info b.test = 1000
                 reg-a domain transfer b.test op=request auth=qK7!rT2#wZ9&mP4$xL8* = 2201
                 reg-a registrar stage reg-a sandbox = 2201
                 op registrar stage reg-a sandbox = 2305
                 reg-b domain delete b.test = 1000
                 op registrar stage reg-b production = 1000
                 reg-b domain create b.tld {SERVERS} = 1000"
            ),
        )
        .await;
    }
}

#[tokio::test]
async fn a_check_says_whose_zone_it_is() {
    for engine in engines() {
        let mut test = stage_both(engine).await;
        let outcome = run(&mut test, &parse("reg-a domain check a.test")).await;
        let Outcome::Read(info) = outcome.unwrap() else {
            panic!();
        };
        let Info::Availability(found) = *info else {
            panic!();
        };
        assert!(!found.available);
        assert!(found.reason.unwrap().contains("sandbox"));
    }
}

#[tokio::test]
async fn only_test_accounts_have_addresses_that_nobody_can_reach() {
    for engine in engines() {
        let mut test = stage_both(engine).await;
        for (line, code) in [
            ("reg-b domain create b.test", 1000),
            ("reg-b host create ns1.b.test ip=192.0.2.1", 1000),
            ("reg-a domain create a.tld", 1000),
            ("reg-a host create ns1.a.tld ip=192.0.2.1", 2306),
        ] {
            let mut request = parse(line);
            request.lab = false;
            let found = match run(&mut test, &request).await {
                Ok(outcome) => outcome.code().number(),
                Err(error) => error.code().number(),
            };
            assert_eq!(found, code, "{line}");
        }
    }
}

/// With the zone `test`, of the sandbox, for which `reg-b` has its account.
async fn stage_both(engine: crate::registry::Engine) -> TestDatabase {
    let mut test = super::stage(engine).await;
    let zone = ZoneCommand::Create(zone::ZoneCreate {
        apex: "test".parse().unwrap(),
        mname: "ns1.nic.example".parse().unwrap(),
        rname: "hostmaster.nic.example".parse().unwrap(),
        records: vec![ZoneRecord::parse("test. 3600 NS ns1.nic.example.").unwrap()],
    });
    let zone = operator(Command::Zone(zone));
    run(&mut test, &zone).await.unwrap();
    play(
        &mut test,
        "op zone policy test stage=sandbox = 1000
         op registrar stage reg-b sandbox = 1000",
    )
    .await;
    test
}
