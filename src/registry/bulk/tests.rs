//! Bulk changes on both engines: what they do, and that a second run finds nothing to do.

use super::super::command::tests::{parse, play, run, stage};
use super::super::testing::{NOW, TestDatabase, engines};
use super::*;
use crate::registry::command::domain::TransferInfo;
use crate::registry::command::poll::Message;
use crate::registry::command::{Actor, Cause, Info, Outcome, PollCommand, Request};

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
            let mut actor = Actor::operator("test");
            actor.cause = Some(Cause {
                reason: None,
                case: Some("C-7".to_owned()),
            });
            let request = Request {
                actor,
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

fn give(from: Option<&str>, to: &str) -> Bulk {
    Bulk {
        registrar: from.map(|handle| handle.parse().unwrap()),
        zone: Some("tld".parse().unwrap()),
        change: BulkChange::Transfer {
            to: to.parse().unwrap(),
        },
    }
}

async fn read(test: &mut TestDatabase, request: &Request) -> Info {
    match run(test, request).await.unwrap() {
        Outcome::Read(info) => *info,
        outcome => panic!("{outcome:?}"),
    }
}

/// All that waits for a registrar, acknowledged.
async fn told(test: &mut TestDatabase, registrar: &str) -> Vec<Message> {
    let handle: Handle = registrar.parse().unwrap();
    let mut all = Vec::new();
    loop {
        let request = |command| Request {
            actor: Actor::registrar(handle.clone()),
            at: NOW,
            lab: true,
            command: Command::Poll(command),
        };
        let registrar = None;
        let Info::Poll(poll) = read(test, &request(PollCommand::Next { registrar })).await else {
            panic!("no queue")
        };
        let Some(message) = poll.message else {
            return all;
        };
        let (id, registrar) = (message.id, None);
        let ack = request(PollCommand::Ack { id, registrar });
        run(test, &ack).await.unwrap();
        all.push(message);
    }
}

async fn column(test: &mut TestDatabase, text: &'static str) -> Vec<String> {
    let rows: Vec<(String,)> = sqlx::query_as(text)
        .fetch_all(test.database.connection())
        .await
        .unwrap();
    rows.into_iter().map(|(value,)| value).collect()
}

#[tokio::test]
async fn domains_of_a_registrar_go_to_another_once_each_and_both_are_told_once() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        domains(test, 30).await;
        // Hosts below go along, what was deleted too; what the registry forbids does not.
        let script = "reg-a host create ns1.d1.tld ip=192.0.2.1 = 1000
             reg-a domain update d1.tld ns=ns1.d1.tld = 1000
             reg-a domain update d2.tld status=clientTransferProhibited = 1000
             reg-a domain delete d3.tld at=9d = 1001
             op domain update d4.tld status=serverTransferProhibited = 1000
             reg-a domain update d5.tld auth=k9$Tq2-vX7mB!zR4pL0w = 1000
             reg-b domain transfer d5.tld op=request auth=k9$Tq2-vX7mB!zR4pL0w = 1001";
        play(test, script).await;
        let published = test.published();
        let ends = "SELECT name || ' ' || expires_at FROM domains ORDER BY name";
        let before = column(test, ends).await;
        told(test, "reg-a").await;
        let all = give(Some("reg-a"), "reg-b");
        let (left, report) = obey(test, &all, 10).await;
        assert_eq!((left, report.done, report.refused), (30, 8, 2));
        let refused = report.refusals.iter();
        let refused: Vec<_> = refused
            .map(|refusal| (refusal.domain.as_str(), refusal.rejection.code.number()))
            .collect();
        assert_eq!(refused, [("d4.tld", 2304), ("d5.tld", 2300)]);
        // Gone on with after a kill: the message of each side is the same one still.
        let (left, report) = obey(test, &all, usize::MAX).await;
        assert_eq!((left, report.done, report.refused), (22, 20, 2));
        for side in ["reg-a", "reg-b"] {
            let told = told(test, side).await;
            let [.., message] = &told[..] else {
                panic!("{side}: nothing")
            };
            assert_eq!(message.kind.name(), "domains-moved", "{side}: {told:?}");
            assert_eq!((message.object.as_str(), message.changes), ("d0.tld", 28));
            assert_eq!(message.content.others.len(), 20);
            assert_eq!(message.content.after.as_ref().unwrap()["gaining"], "reg-b");
            let cause = message.content.cause.as_ref().unwrap();
            assert_eq!(cause.case.as_deref(), Some("C-7"));
            let moved = told.iter().filter(|told| told.kind == message.kind).count();
            assert_eq!(moved, 1, "{side}");
        }
        let events = "SELECT object FROM events WHERE kind = 'domain-move' ORDER BY number";
        let mut events = column(test, events).await;
        assert_eq!(events.len(), 28);
        events.sort();
        events.dedup();
        assert_eq!(events.len(), 28, "each once");
        assert_eq!(column(test, ends).await, before, "no year was added");
        assert_eq!(test.published(), published, "DNS is as it was");
        // What was acknowledged is not told again, what comes is a message of its own.
        let script = "op domain update d4.tld -status=serverTransferProhibited = 1000
             reg-b domain update d1.tld -ns=ns1.d1.tld = 1000
             reg-b host delete ns1.d1.tld = 1000
             reg-b domain restore d3.tld at=10d = 1000
             reg-a domain update d2.tld ns=ns3.ext.example = 2201";
        play(test, script).await;
        told(test, "reg-a").await;
        let (left, report) = obey(test, &all, usize::MAX).await;
        assert_eq!((left, report.done), (2, 1));
        let told = told(test, "reg-a").await;
        assert_eq!((told.len(), told[0].changes), (1, 1));
        assert_eq!(told[0].object, "d4.tld");
    }
}

#[tokio::test]
async fn a_move_is_the_registrys_has_a_case_and_is_shown_as_a_transfer() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        let script = "op registrar create reg-c = 1000
             op registrar update reg-c status=suspended = 1000
             reg-a domain create a.tld auth=k9$Tq2-vX7mB!zR4pL0w = 1000
             op domain move a.tld from=reg-a by=reg-b = 2003
             reg-b domain move a.tld from=reg-a by=reg-b case=1 = 2201
             op domain move b.tld from=reg-a by=reg-b case=1 = 2303
             op domain move a.tld from=reg-a by=reg-x case=1 = 2303
             op domain move a.tld from=reg-a by=reg-c case=1 = 2304
             op domain move a.tld from=reg-b by=reg-a case=1 = 2306
             op domain move a.tld from=reg-a by=reg-a case=1 = 2106
             op domain lock a.tld approvals=1 approver=ada case=2 = 1000
             op domain move a.tld from=reg-a by=reg-b case=1 = 1001
             op domain move a.tld from=reg-a by=reg-b case=1 = 2300
             reg-a domain info a.tld = 1000
             op:ada change approve a.tld = 1000
             reg-a domain update a.tld status=clientHold = 2201
             reg-b domain info a.tld = 1000
             reg-a domain transfer a.tld op=request auth=k9$Tq2-vX7mB!zR4pL0w = 2202";
        play(test, script).await;
        let Info::Transfer(TransferInfo {
            state,
            losing,
            gaining,
            ..
        }) = read(test, &parse("reg-a domain transfer a.tld op=query")).await
        else {
            panic!("no transfer")
        };
        assert_eq!(
            (state.as_str(), losing.as_str(), gaining.as_str()),
            ("serverApproved", "reg-a", "reg-b")
        );
        let Info::Domain(shown) = read(test, &parse("op domain info a.tld")).await else {
            panic!("no domain")
        };
        assert!(
            shown
                .statuses
                .contains(&"serverTransferProhibited".to_owned())
        );
        assert!(shown.rgp_statuses.is_empty(), "no grace period");
        let mut code = async |bulk: Bulk| {
            let refused = bulk.prepare(&mut test.database, NOW).await.unwrap_err();
            refused.code().number()
        };
        assert_eq!(code(give(None, "reg-b")).await, 2003);
        assert_eq!(code(give(Some("reg-a"), "reg-a")).await, 2306);
        assert_eq!(code(give(Some("reg-a"), "reg-c")).await, 2304);
    }
}

/// An account that did not pay is suspended and its domains are deleted in bulk: what others
/// have of it stays in the DNS (the guide's rule 62).
#[tokio::test]
async fn an_unpaid_account_takes_no_name_server_from_others() {
    use crate::registry::command::dependencies::HostOrphan;
    use crate::registry::command::zone::{ZoneCommand, ZoneOrphans};
    for engine in engines() {
        let mut test = stage(engine).await;
        let orphans = Request {
            command: Command::Zone(ZoneCommand::Orphans(ZoneOrphans {
                apex: "tld".parse().unwrap(),
                policy: Some(HostOrphan::Invalid),
                own_hosts: None,
                label: None,
                registrar: None,
            })),
            ..parse("op domain delete a.tld")
        };
        run(&mut test, &orphans).await.unwrap();
        play(
            &mut test,
            "reg-a domain create gone.tld = 1000
             reg-a domain create chain.tld = 1000
             reg-a host create ns1.gone.tld ip=192.0.2.1 = 1000
             reg-a host create ns1.chain.tld ip=192.0.2.2 = 1000
             reg-a domain update gone.tld ns=ns1.chain.tld ns=ns1.ext.example = 1000
             reg-a domain update chain.tld ns=ns1.gone.tld ns=ns1.ext.example = 1000
             reg-b domain create other.tld ns=ns1.gone.tld ns=ns2.ext.example = 1000
             op registrar update reg-a status=suspended = 1000
             reg-a domain renew gone.tld from=2019-03-12 = 2201
             reg-a domain update gone.tld status=clientHold = 2201
             reg-b domain transfer gone.tld op=request auth=k9$Tq2-vX7mB!zR4pL0w = 2202",
        )
        .await;
        let (left, report) = obey(&mut test, &bulk(BulkChange::Delete), usize::MAX).await;
        assert_eq!((left, report.done, report.refused), (2, 2, 0), "{engine:?}");
        let records = test.published();
        let of = |owner: &str| {
            let start = format!("{owner}.\t");
            let found = records.iter().filter(|record| record.starts_with(&start));
            found.cloned().collect::<Vec<_>>()
        };
        assert!(of("gone.tld").is_empty() && of("chain.tld").is_empty());
        let servers = of("other.tld");
        assert_eq!(servers.len(), 2, "{records:?}");
        assert!(
            servers
                .iter()
                .any(|ns| ns.ends_with(".sacrificial.invalid."))
        );
        play(&mut test, "op registrar update reg-a status=active = 1000").await;
        play(&mut test, "reg-a domain create gone.tld = 1000").await;
    }
}
