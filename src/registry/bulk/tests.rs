//! Bulk changes on both engines: what they do, and that a second run finds nothing to do.

use super::super::command::tests::{parse, play, run, stage};
use super::super::testing::{NOW, TestDatabase, engines};
use super::*;
use crate::registry::command::{Actor, Request};

fn bulk(change: BulkChange) -> Bulk {
    Bulk {
        change,
        registrar: Some("reg-a".parse().unwrap()),
        zone: Some("tld".parse().unwrap()),
    }
}

/// Runs it; `most` bounds the domains, as a kill would.
async fn obey(test: &mut TestDatabase, bulk: &Bulk, most: usize) -> (u64, BulkReport) {
    let mut prepared = bulk.prepare(&mut test.database, NOW).await.unwrap();
    let left = prepared.left(&mut test.database).await.unwrap();
    let (mut report, mut begun) = (BulkReport::default(), 0);
    loop {
        let turns = prepared.next(&mut test.database).await.unwrap();
        if turns.is_empty() {
            return (left, report);
        }
        for Turn { domain, command } in turns {
            if begun == most {
                return (left, report);
            }
            begun += 1;
            let request = Request {
                actor: Actor::operator("test"),
                at: NOW,
                lab: true,
                command,
            };
            let outcome = Box::pin(test.database.execute(&request)).await;
            report.count(domain, outcome).unwrap();
        }
    }
}

async fn domains(test: &mut TestDatabase, count: usize) {
    for number in 0..count {
        let line =
            format!("reg-a domain create d{number}.tld ns=ns1.ext.example ns=ns2.ext.example");
        run(test, &parse(&line)).await.unwrap();
    }
    let others = "reg-b domain create other.tld ns=ns1.ext.example ns=ns2.ext.example = 1000
                  reg-a host create ns3.ext.example = 1000";
    play(test, others).await;
}

fn hosts(old: &str, new: &str) -> Bulk {
    let (old, new) = (old.parse().unwrap(), new.parse().unwrap());
    bulk(BulkChange::Hosts { old, new })
}

#[tokio::test]
async fn name_servers_are_replaced_and_a_run_that_was_killed_is_gone_on_with() {
    for engine in engines() {
        let mut test = stage(engine).await;
        domains(&mut test, 250).await;
        let script = "reg-a domain update d7.tld status=clientUpdateProhibited = 1000
                      reg-a domain update d8.tld ns=ns3.ext.example = 1000";
        play(&mut test, script).await;
        let replace = hosts("ns1.ext.example", "ns3.ext.example");
        let (left, report) = obey(&mut test, &replace, 100).await;
        assert_eq!((left, report.done, report.refused), (250, 99, 1));
        let (left, report) = obey(&mut test, &replace, usize::MAX).await;
        assert_eq!((left, report.done, report.refused), (151, 150, 1));
        assert_eq!(report.refusals[0].domain.as_str(), "d7.tld");
        let (left, report) = obey(&mut test, &replace, usize::MAX).await;
        assert_eq!((left, report.done, report.refused), (1, 0, 1));
        let of = |records: std::collections::BTreeSet<String>, host: &str| {
            let end = format!("\tNS\t{host}.");
            records
                .iter()
                .filter(|record| record.ends_with(&end))
                .count()
        };
        assert_eq!(of(test.published(), "ns1.ext.example"), 2, "d7 and other");
        assert_eq!(of(test.published(), "ns3.ext.example"), 249);
    }
}

#[tokio::test]
async fn renewals_and_deletions_happen_once() {
    for engine in engines() {
        let mut test = stage(engine).await;
        domains(&mut test, 5).await;
        play(&mut test, "reg-a domain create long.tld years=5 = 1000").await;
        let period = Years::new(2).unwrap();
        let renew = |day: &str| {
            let before = day.parse().unwrap();
            bulk(BulkChange::Renew { before, period })
        };
        // NOW is in 2018, and the domains end a year later.
        let (left, report) = obey(&mut test, &renew("2019-12-31"), usize::MAX).await;
        assert_eq!((left, report.done), (5, 5));
        let (left, report) = obey(&mut test, &renew("2019-12-31"), usize::MAX).await;
        assert_eq!((left, report.done), (0, 0));
        let far = renew("2021-01-01").prepare(&mut test.database, NOW).await;
        assert_eq!(far.unwrap_err().code(), ResultCode::ParameterRange);

        play(
            &mut test,
            "op domain update d1.tld status=serverDeleteProhibited = 1000",
        )
        .await;
        let delete = bulk(BulkChange::Delete);
        let (left, report) = obey(&mut test, &delete, usize::MAX).await;
        assert_eq!((left, report.done, report.refused), (6, 5, 1));
        let (left, _) = obey(&mut test, &delete, usize::MAX).await;
        assert_eq!(left, 1);
        play(&mut test, "reg-b domain info other.tld = 1000").await;
    }
}

#[tokio::test]
async fn what_is_not_there_is_named_before_anything_is_done() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let mut code = async |bulk: Bulk| {
            let refused = bulk.prepare(&mut test.database, NOW).await.unwrap_err();
            refused.code().number()
        };
        assert_eq!(
            code(hosts("ns1.ext.example", "ns9.ext.example")).await,
            2303
        );
        assert_eq!(
            code(hosts("ns1.ext.example", "ns1.ext.example")).await,
            2306
        );
        let all = Bulk {
            registrar: None,
            zone: None,
            change: BulkChange::Delete,
        };
        assert_eq!(code(all).await, 2003);
    }
}
