//! A registration from its first to its last day, by commands and by time.

use std::time::Duration;

use super::*;
use crate::registry::command::domain::DomainInfo;
use crate::registry::timers::{Looked, Timers};

async fn check(script: &str) {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(&mut test, script).await;
    }
}

/// Runs the timers as a node that has just begun would.
pub(super) async fn tick(test: &mut TestDatabase, at: &str) -> Looked {
    let mut timers = Timers::default();
    // Tests go from month to month: as if timers had run all the while.
    let now = later(at);
    sqlx::query("UPDATE timers SET ran_at = $1")
        .bind(now.0 - 1_000_000)
        .execute(test.database.connection())
        .await
        .unwrap();
    Box::pin(timers.look(&mut test.database, now, Duration::ZERO))
        .await
        .unwrap()
}

pub(super) async fn shown(test: &mut TestDatabase, line: &str) -> DomainInfo {
    match run(test, &parse(line)).await.unwrap() {
        Outcome::Read(info) => match *info {
            Info::Domain(info) => *info,
            info => panic!("{line}: {info:?}"),
        },
        outcome => panic!("{line}: {outcome:?}"),
    }
}

async fn rgp(test: &mut TestDatabase, name: &str, at: &str) -> String {
    let line = format!("op domain info {name} at={at}");
    shown(test, &line).await.rgp_statuses.join(" ")
}

/// Kinds and actors of the events after the stage's.
async fn events(test: &mut TestDatabase, object: &str) -> Vec<String> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT kind, actor FROM events WHERE object = $1 ORDER BY number")
            .bind(object)
            .fetch_all(test.database.connection())
            .await
            .unwrap();
    rows.into_iter()
        .map(|(kind, actor)| format!("{kind} {actor}"))
        .collect()
}

#[tokio::test]
async fn a_renewal_names_the_day_that_it_adds_to() {
    check(
        "reg-a domain create a.tld = 1000
         reg-a domain renew b.tld from=2019-03-12 = 2303
         reg-b domain renew a.tld from=2019-03-12 = 2201
         reg-a domain renew a.tld from=2019-03-11 = 2306
         reg-a domain renew a.tld from=2019-03-12 years=10 = 2306
         reg-a domain renew a.tld from=2019-03-12 years=9 = 1000
         reg-a domain renew a.tld from=2019-03-12 = 2306
         reg-a domain renew a.tld from=2028-03-12 = 2306
         reg-a domain renew a.tld from=2028-03-12 at=364d = 2306
         reg-a domain renew a.tld from=2028-03-12 at=365d = 1000
         reg-a domain update a.tld status=clientRenewProhibited at=800d = 1000
         reg-a domain renew a.tld from=2029-03-12 at=800d = 2304
         reg-a domain update a.tld -status=clientRenewProhibited at=800d = 1000
         reg-a domain delete a.tld at=800d = 1001
         reg-a domain renew a.tld from=2029-03-12 at=800d = 2304",
    )
    .await;
}

#[tokio::test]
async fn a_delete_in_the_add_period_is_final_and_one_after_it_waits() {
    check(
        "reg-a domain create a.tld = 1000
         reg-a domain delete a.tld at=431999s = 1000
         reg-a domain create a.tld = 1000
         reg-a domain delete a.tld at=432000s = 1001
         reg-a domain delete a.tld at=6d = 2304
         reg-a domain update a.tld status=clientHold at=6d = 2304
         reg-b domain create a.tld at=6d = 2302
         reg-b domain restore a.tld at=6d = 2201
         reg-a domain restore a.tld report=error at=6d = 2304
         reg-a domain restore a.tld at=6d = 1000
         reg-a domain restore a.tld at=6d = 2304
         reg-a domain restore a.tld report= at=6d = 2003
         reg-a domain restore a.tld report=error at=6d = 1000
         reg-a domain restore a.tld report=error at=6d = 2304
         reg-a domain restore none.tld at=6d = 2303
         op zone policy tld restore-report=unneeded = 1000
         reg-a domain delete a.tld at=7d = 1001
         op domain update a.tld status=serverUpdateProhibited at=7d = 2304
         reg-a domain restore a.tld at=8d = 1000
         reg-a domain restore a.tld at=8d = 2304
         reg-a domain purge a.tld at=8d = 2201
         op domain update a.tld status=serverDeleteProhibited at=8d = 1000
         op domain purge a.tld at=8d = 2304
         op domain update a.tld -status=serverDeleteProhibited at=8d = 1000
         op domain purge a.tld at=8d = 1000
         op domain purge a.tld at=8d = 2303",
    )
    .await;
}

#[tokio::test]
async fn time_takes_a_deleted_domain_to_its_purge_and_no_command_of_others_does() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        play(
            test,
            "reg-a domain create a.tld ns=ns1.ext.example ns=ns2.ext.example = 1000",
        )
        .await;
        assert_eq!(rgp(test, "a.tld", "1d").await, "addPeriod");
        assert_eq!(rgp(test, "a.tld", "5d").await, "");
        let published = test.published().len();
        play(test, "reg-a domain delete a.tld at=10d = 1001").await;
        assert_eq!(test.published().len(), published - 2, "out of DNS");
        let found = shown(test, "reg-a domain info a.tld at=10d").await;
        assert_eq!(found.statuses, ["pendingDelete"]);
        assert_eq!(found.rgp_statuses, ["redemptionPeriod"]);
        assert_eq!(found.updated_by.as_deref(), Some("reg-a"));
        assert_eq!(tick(test, "39d").await.taken, 0);
        assert_eq!(tick(test, "40d").await.taken, 1);
        assert_eq!(tick(test, "40d").await.taken, 0, "once");
        let found = shown(test, "reg-a domain info a.tld at=40d").await;
        assert_eq!(found.rgp_statuses, ["pendingDelete"]);
        assert_eq!(found.updated_by.as_deref(), Some("registry"));
        play(test, "reg-a domain restore a.tld at=41d = 2304").await;
        let purge = found.next_step_at.unwrap();
        let second = purge.0.rem_euclid(86_400_000_000) / 1_000_000;
        assert!((50_400..54_000).contains(&second), "{second}");
        assert!(purge >= later("45d") && purge < later("46d"));
        let before = format!("{}s", (purge.0 - NOW.0) / 1_000_000 - 1);
        assert_eq!(tick(test, &before).await.taken, 0);
        let exact = format!("{}s", (purge.0 - NOW.0) / 1_000_000);
        assert_eq!(tick(test, &exact).await.taken, 1);
        play(test, "reg-b domain create a.tld at=60d = 1000").await;
        assert_eq!(
            events(test, "a.tld").await,
            [
                "domain-create registrar:reg-a",
                "domain-delete registrar:reg-a",
                "domain-redemption-end system:timers",
                "domain-purge-due system:timers",
                "domain-create registrar:reg-b",
            ]
        );
    }
}

#[tokio::test]
async fn a_restored_domain_is_published_as_before_once_its_report_is_there() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        play(
            test,
            "reg-a domain create a.tld = 1000
             reg-a host create ns1.a.tld ip=192.0.2.1 = 1000
             reg-a host create ns2.a.tld ip=192.0.2.2 = 1000
             reg-a domain update a.tld ns=ns1.a.tld ns=ns2.a.tld = 1000",
        )
        .await;
        let before = test.published();
        play(test, "reg-a domain delete a.tld at=10d = 1001").await;
        play(
            test,
            "reg-b domain create b.tld ns=ns1.a.tld ns=ns2.a.tld at=10d = 2304
             reg-a host create ns3.a.tld ip=192.0.2.3 at=10d = 2304",
        )
        .await;
        assert_ne!(test.published(), before);
        play(test, "reg-a domain restore a.tld at=11d = 1000").await;
        assert_eq!(rgp(test, "a.tld", "11d").await, "pendingRestore");
        assert_eq!(tick(test, "18d").await.taken, 1, "no report in seven days");
        assert_eq!(rgp(test, "a.tld", "18d").await, "redemptionPeriod");
        play(
            test,
            "reg-a domain restore a.tld at=19d = 1000
             reg-a domain restore a.tld report=error at=20d = 1000",
        )
        .await;
        let is_data = |record: &String| !record.contains("\tSOA\t");
        let after: Vec<_> = test.published().into_iter().filter(is_data).collect();
        let before: Vec<_> = before.into_iter().filter(is_data).collect();
        assert_eq!(after, before);
        assert_eq!(tick(test, "60d").await.taken, 0);
        let found = shown(test, "reg-a domain info a.tld at=60d").await;
        assert_eq!(found.statuses, ["ok"]);
    }
}

#[tokio::test]
async fn registrations_end_as_their_zone_says() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        play(test, "reg-a domain create a.tld = 1000").await;
        assert_eq!(tick(test, "364d").await.taken, 0);
        assert_eq!(tick(test, "365d").await.taken, 1);
        let found = shown(test, "reg-a domain info a.tld at=366d").await;
        let expires_at = crate::registry::calendar::add_years(NOW, 2);
        assert_eq!(found.expires_at, Some(expires_at));
        assert_eq!(found.rgp_statuses, ["autoRenewPeriod"]);
        assert_eq!(rgp(test, "a.tld", "410d").await, "");
        play(test, "op zone policy tld expiry=keep at=400d = 1000").await;
        assert_eq!(tick(test, "2000d").await.taken, 0);
        play(test, "op zone policy tld expiry=delete at=400d = 1000").await;
        play(
            test,
            "op domain update a.tld status=serverDeleteProhibited at=400d = 1000",
        )
        .await;
        assert_eq!(tick(test, "731d").await.taken, 0, "kept by the registry");
        play(
            test,
            "op domain update a.tld -status=serverDeleteProhibited at=732d = 1000
             reg-a domain update a.tld status=clientDeleteProhibited at=732d = 1000",
        )
        .await;
        assert_eq!(tick(test, "733d").await.taken, 1);
        let found = shown(test, "reg-a domain info a.tld at=734d").await;
        assert_eq!(found.rgp_statuses, ["redemptionPeriod"]);
        assert_eq!(found.statuses, ["pendingDelete", "inactive"]);
    }
}

#[tokio::test]
async fn years_that_were_missed_are_renewed_one_by_one() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        play(test, "reg-a domain create a.tld = 1000").await;
        let mut taken = 0;
        for _ in 0..5 {
            taken += tick(test, "1100d").await.taken;
        }
        assert_eq!(taken, 3);
        let found = shown(test, "reg-a domain info a.tld at=1100d").await;
        let expires_at = crate::registry::calendar::add_years(NOW, 4);
        assert_eq!(found.expires_at, Some(expires_at));
    }
}

#[tokio::test]
async fn an_imported_domain_does_not_expire_and_cannot_be_renewed() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let zone = "$ORIGIN old.\n@ 60 SOA a. b. 7 1 1 1 1\n@ 60 NS ns.ext.example.\n\
                    a 60 NS ns.ext.example.\n";
        test.import(zone).await.unwrap();
        let test = &mut test;
        play(
            test,
            "op domain renew a.old from=2019-03-12 at=1d = 2105
             op domain delete a.old at=1d = 1001",
        )
        .await;
        assert_eq!(rgp(test, "a.old", "1d").await, "redemptionPeriod");
    }
}
