//! Removal of domains on both engines: what each policy answers and leaves, who is told,
//! and that nobody loses a name server.

// The guide's rules on deletion, and where each is shown (rules 1 to 56 are elsewhere):
//
// | 58, 60 | parents of hosts in use stay    | `refuse_says_how_many_and_which_of_ones_own`      |
// | 59, 69 | hosts of its own go with it     | `refuse_..`, `hosts_of_ones_own_forbid_a_removal..` |
// | 61     | chains of dependence            | `cycles_and_chains_end`, `random`                 |
// | 62     | one engine for all removals     | `remove_domain` alone deletes rows of `domains`   |
// | 63     | foreign hosts are found lame    | missing: no scanner yet                           |
// | 64, 65 | the label, its account, locks   | `the_domain_for_orphans_is_made_once_..`          |
// | 66     | its servers answer for it       | tests/it/publish/orphans.rs                       |
// | 67     | nobody creates below it         | `lame_keeps_object_addresses_and_delegations_..`  |
// | 68, 70 | same addresses, ns-N, same id   | the same                                          |
// | 71, 72 | one event, who is told          | the same, `each_affected_sponsor_has_one_message` |

mod random;

use serde_json::Value;

use super::super::tests::{operator, parse, play, run, stage};
use super::super::zone::{ZoneCommand, ZoneOrphans};
use super::super::{Actor, Command, Info, Outcome, PollCommand, Request};
use super::*;
use crate::registry::Engine;
use crate::registry::testing::{NOW, TestDatabase, engines};
use crate::registry::types::ZoneRecord;

fn policy(policy: HostOrphan) -> Request {
    operator(Command::Zone(ZoneCommand::Orphans(ZoneOrphans {
        apex: "tld".parse().unwrap(),
        policy: Some(policy),
        own_hosts: None,
        label: None,
        registrar: None,
    })))
}

/// `gone.tld` of `reg-a` with `ns1` and `ns2` below it, which `own.tld` of `reg-a` names and
/// `other.tld` of `reg-b`, each beside an external one; and a host that nobody names.
async fn staged(engine: Engine, orphan: HostOrphan) -> TestDatabase {
    let mut test = stage(engine).await;
    let record = ZoneRecord::parse("tld. 3600 NS ns2.nic.example.").unwrap();
    let mut update = super::super::zone::ZoneUpdate::new("tld".parse().unwrap());
    update.add = vec![record];
    let update = operator(Command::Zone(ZoneCommand::Update(Box::new(update))));
    run(&mut test, &update).await.unwrap();
    run(&mut test, &policy(orphan)).await.unwrap();
    let script = "
        reg-a domain create gone.tld ns=ns1.ext.example ns=ns2.ext.example = 1000
        reg-a host create ns1.gone.tld ip=192.0.2.1 ip=2001:db8::1 = 1000
        reg-a host create ns2.gone.tld ip=192.0.2.2 = 1000
        reg-a host create spare.gone.tld ip=192.0.2.3 = 1000
        reg-a domain create own.tld ns=ns1.gone.tld ns=ns1.ext.example = 1000
        reg-b domain create other.tld ns=ns1.gone.tld ns=ns2.gone.tld = 1000
        reg-b domain create more.tld ns=ns2.gone.tld ns=ns2.ext.example = 1000";
    play(&mut test, script).await;
    test
}

async fn info(test: &mut TestDatabase, line: &str) -> Value {
    let outcome = run(test, &parse(line)).await.unwrap();
    let Outcome::Read(info) = outcome else {
        panic!("{line}")
    };
    let shown = serde_json::to_value(*info).unwrap();
    shown.as_object().unwrap().values().next().unwrap().clone()
}

/// The one message of a registrar, acknowledged.
async fn told(test: &mut TestDatabase, registrar: &str) -> Option<Value> {
    let actor = || Actor::registrar(registrar.parse().unwrap());
    let request = |command| Request {
        actor: actor(),
        at: NOW,
        lab: true,
        command: Command::Poll(command),
    };
    let next = PollCommand::Next { registrar: None };
    let outcome = run(test, &request(next)).await.unwrap();
    let Outcome::Read(info) = &outcome else {
        panic!("{outcome:?}")
    };
    let Info::Poll(poll) = &**info else {
        panic!("{outcome:?}")
    };
    let message = poll.message.as_ref()?;
    assert_eq!(poll.count, 1, "{poll:?}");
    let registrar = None;
    let ack = PollCommand::Ack {
        id: message.id,
        registrar,
    };
    run(test, &request(ack)).await.unwrap();
    Some(serde_json::to_value(message).unwrap())
}

#[tokio::test]
async fn refuse_says_how_many_and_which_of_ones_own() {
    for engine in engines() {
        let mut test = staged(engine, HostOrphan::Refuse).await;
        let error = run(&mut test, &parse("reg-a domain delete gone.tld")).await;
        let error = error.unwrap_err();
        assert_eq!(error.code().number(), 2305);
        let text = error.to_string();
        assert!(
            text.contains("2 hosts below it") && text.contains("4 times"),
            "{text}"
        );
        assert!(text.contains("among them own.tld"), "{text}");
        assert!(
            !text.contains("other.tld") && !text.contains("more.tld"),
            "{text}"
        );
        let error = run(&mut test, &parse("op domain delete gone.tld")).await;
        let text = error.unwrap_err().to_string();
        assert!(text.contains("more.tld, other.tld, own.tld"), "{text}");
        play(
            &mut test,
            "reg-a domain delete gone.tld = 2305
             reg-a domain update own.tld ns=ns2.ext.example -ns=ns1.gone.tld = 1000
             reg-b domain delete other.tld = 1000
             reg-b domain delete more.tld = 1000
             reg-a domain delete gone.tld = 1000
             reg-a host info ns1.gone.tld = 2303
             reg-a host info spare.gone.tld = 2303",
        )
        .await;
    }
}

#[tokio::test]
async fn lame_keeps_object_addresses_and_delegations_under_a_name_of_the_registrys() {
    for engine in engines() {
        let mut test = staged(engine, HostOrphan::Lame).await;
        let before = info(&mut test, "op host info ns1.gone.tld").await;
        let events = crate::registry::last_event(&mut test.database)
            .await
            .unwrap();
        let delete = parse("reg-a domain delete gone.tld");
        let event = run(&mut test, &delete).await.unwrap().event();
        assert_eq!(event, Some(i64::try_from(events).unwrap() + 1), "one event");
        let other = info(&mut test, "op domain info other.tld").await;
        let hosts: Vec<_> = other["hosts"].as_array().unwrap().iter().collect();
        assert_eq!(hosts.len(), 2);
        let new = hosts[0].as_str().unwrap().to_owned();
        assert!(
            new.starts_with("ns-") && new.ends_with(".lame.tld"),
            "{new}"
        );
        let after = info(&mut test, &format!("op host info {new}")).await;
        assert_eq!(after["roid"], before["roid"]);
        assert_eq!(after["addresses"], before["addresses"]);
        assert_eq!(after["registrar"], "registry");
        assert_eq!(after["superordinate"], "lame.tld");
        let published = test.published();
        let published: Vec<Vec<_>> = published
            .iter()
            .map(|line| line.split_whitespace().collect())
            .collect();
        let count = |place: usize, name: &str, types: &[&str]| {
            let of = published.iter().filter(|words| words[place] == name);
            of.filter(|words| types.contains(&words[3])).count()
        };
        let absolute = format!("{new}.");
        assert_eq!(count(0, &absolute, &["A", "AAAA"]), 2, "both addresses");
        assert_eq!(count(4, &absolute, &["NS"]), 2, "own.tld and other.tld");
        let mut all = published.iter().flatten();
        assert!(!all.any(|word| word.ends_with("gone.tld.")));
        let script = format!(
            "reg-a host info spare.gone.tld = 2303
             reg-a host update {new} ip=192.0.2.9 = 2201
             reg-a host create ns1.lame.tld ip=192.0.2.9 = 2306
             op host create ns1.lame.tld by=reg-a ip=192.0.2.9 = 2306
             reg-a domain create lame.tld = 2302
             reg-a domain create x.lame.tld = 2306
             reg-a domain delete lame.tld = 2201
             op domain delete lame.tld = 2304
             op host delete {new} = 2305
             reg-a host create ns9.own.tld ip=192.0.2.9 = 1000
             reg-a host update ns9.own.tld to=ns9.lame.tld = 2306"
        );
        play(&mut test, &script).await;
    }
}

#[tokio::test]
async fn each_affected_sponsor_has_one_message() {
    for engine in engines() {
        let mut test = staged(engine, HostOrphan::Lame).await;
        let mut delete = parse("op domain delete gone.tld");
        delete.actor.cause = Some(super::super::Cause {
            reason: Some("court order".into()),
            case: Some("2026-17".into()),
        });
        run(&mut test, &delete).await.unwrap();
        let message = told(&mut test, "reg-b").await.unwrap();
        assert_eq!(message["kind"], "name-servers-renamed");
        assert_eq!(message["operation"], "custom");
        assert_eq!(message["object"], "gone.tld");
        assert_eq!(message["changes"], 2);
        assert_eq!(message["content"]["who"], "operator:test");
        assert_eq!(message["content"]["cause"]["case"], "2026-17");
        let renamed = message["content"]["renamed"].as_array().unwrap();
        assert_eq!(renamed[0]["old"], "ns1.gone.tld");
        assert_eq!(renamed[0]["domains"], serde_json::json!(["other.tld"]));
        assert_eq!(renamed[1]["old"], "ns2.gone.tld");
        assert_eq!(
            renamed[1]["domains"],
            serde_json::json!(["more.tld", "other.tld"])
        );
        assert_eq!(renamed[1]["count"], 2);
        assert_eq!(told(&mut test, "reg-b").await, None);
    }
}

/// Sponsors are told again after 90 days, once; who has changed his domains is not.
#[tokio::test]
async fn users_of_orphans_are_reminded_and_listed() {
    const DAY: i64 = 86_400_000_000;
    for engine in engines() {
        for orphan in [HostOrphan::Lame, HostOrphan::Invalid] {
            let mut test = staged(engine, orphan).await;
            play(&mut test, "reg-a domain delete gone.tld = 1000").await;
            for registrar in ["reg-a", "reg-b"] {
                let message = told(&mut test, registrar).await.unwrap();
                assert_eq!(message["kind"], "name-servers-renamed");
            }
            let remind = |days| Request {
                at: crate::registry::Timestamp(NOW.0 + days * DAY),
                ..operator(Command::Zone(ZoneCommand::Remind("tld".parse().unwrap())))
            };
            run(&mut test, &remind(89)).await.unwrap();
            assert_eq!(told(&mut test, "reg-b").await, None);
            play(&mut test, "reg-a domain delete own.tld = 1000").await;
            run(&mut test, &remind(90)).await.unwrap();
            assert_eq!(told(&mut test, "reg-a").await, None);
            let message = told(&mut test, "reg-b").await.unwrap();
            assert_eq!(message["kind"], "name-servers-lame");
            assert_eq!(message["changes"], 2);
            let renamed = &message["content"]["renamed"];
            assert_eq!(renamed[0]["old"], "ns1.gone.tld");
            assert_eq!(renamed[1]["count"], 2);
            run(&mut test, &remind(91)).await.unwrap();
            assert_eq!(told(&mut test, "reg-b").await, None);
            let report = operator(Command::Zone(ZoneCommand::Lame("tld".parse().unwrap())));
            let Outcome::Read(info) = run(&mut test, &report).await.unwrap() else {
                unreachable!()
            };
            let report = serde_json::to_value(*info).unwrap();
            assert_eq!(report["lame"]["count"], 2);
            let hosts = report["lame"]["hosts"].as_array().unwrap();
            let users: Vec<_> = hosts
                .iter()
                .map(|host| (&host["was"], &host["users"]))
                .collect();
            let (ns1, ns2) = ("ns1.gone.tld".into(), "ns2.gone.tld".into());
            assert_eq!(users, [(&ns1, &1.into()), (&ns2, &2.into())]);
        }
    }
}

#[tokio::test]
async fn invalid_and_restore_leave_a_name_that_cannot_resolve() {
    for engine in engines() {
        for orphan in [HostOrphan::Invalid, HostOrphan::Restore] {
            let mut test = staged(engine, orphan).await;
            play(&mut test, "reg-a domain delete gone.tld = 1000").await;
            let other = info(&mut test, "op domain info other.tld").await;
            let host = other["hosts"][0].as_str().unwrap().to_owned();
            assert!(host.ends_with(".sacrificial.invalid"), "{host}");
            let host = info(&mut test, &format!("op host info {host}")).await;
            assert_eq!(host["addresses"], serde_json::json!([]));
            assert_eq!(host["superordinate"], Value::Null);
            let published = test.published();
            let glue = published
                .iter()
                .filter(|line| line.contains(" A 192.0.2.1"));
            assert_eq!(glue.count(), 0);
            assert!(published.iter().any(|line| line.starts_with("other.tld.")));
        }
    }
}

#[tokio::test]
async fn the_domain_for_orphans_is_made_once_and_only_where_servers_answer_for_it() {
    for engine in engines() {
        let mut test = stage(engine).await;
        // One name server of the zone is too few.
        let error = run(&mut test, &policy(HostOrphan::Lame)).await.unwrap_err();
        assert_eq!(error.code().number(), 2308);
        let mut test = staged(engine, HostOrphan::Lame).await;
        run(&mut test, &policy(HostOrphan::Lame)).await.unwrap();
        let lame = info(&mut test, "op domain info lame.tld").await;
        assert_eq!(lame["registrar"], "registry");
        assert_eq!(lame["published"], false);
        assert_eq!(lame["expires-at"], Value::Null);
        let zone = info(&mut test, "op zone info tld").await;
        assert_eq!(zone["host-orphan"], "lame");
        assert_eq!(zone["lame-domain"], "lame.tld");
        // Another label is another domain; one of somebody else's is refused.
        let mut other = policy(HostOrphan::Lame);
        let Command::Zone(ZoneCommand::Orphans(orphans)) = &mut other.command else {
            unreachable!()
        };
        orphans.label = Some("own".to_owned());
        let error = run(&mut test, &other).await.unwrap_err();
        assert_eq!(error.code().number(), 2302);
        let registrar = Request {
            actor: Actor::registrar("reg-a".parse().unwrap()),
            ..policy(HostOrphan::Refuse)
        };
        let error = run(&mut test, &registrar).await.unwrap_err();
        assert_eq!(error.code().number(), 2201);
    }
}

#[tokio::test]
async fn cycles_and_chains_end() {
    for engine in engines() {
        let mut test = staged(engine, HostOrphan::Lame).await;
        let script = "
            reg-a domain create a.tld = 1000
            reg-b domain create b.tld = 1000
            reg-a domain create c.tld = 1000
            reg-a host create ns.a.tld ip=192.0.2.11 = 1000
            reg-b host create ns.b.tld ip=192.0.2.12 = 1000
            reg-a host create ns.c.tld ip=192.0.2.13 = 1000
            reg-a domain update a.tld ns=ns.b.tld ns=ns.c.tld = 1000
            reg-b domain update b.tld ns=ns.a.tld ns=ns.c.tld = 1000
            reg-a domain update c.tld ns=ns.a.tld ns=ns.b.tld ns=ns.c.tld = 1000
            reg-a domain delete a.tld = 1000
            reg-b domain delete b.tld = 1000
            reg-a domain delete c.tld = 1000
            reg-a domain info a.tld = 2303
            reg-b domain info b.tld = 2303
            reg-a domain info c.tld = 2303";
        play(&mut test, script).await;
        let published = test.published();
        assert!(
            !published
                .iter()
                .any(|line| line.contains("192.0.2.1\u{31}")),
            "{published:?}"
        );
    }
}

#[tokio::test]
async fn hosts_of_ones_own_forbid_a_removal_where_the_policy_says_so() {
    for engine in engines() {
        let mut test = staged(engine, HostOrphan::Lame).await;
        let mut change = policy(HostOrphan::Refuse);
        let Command::Zone(ZoneCommand::Orphans(orphans)) = &mut change.command else {
            unreachable!()
        };
        (orphans.policy, orphans.own_hosts) = (None, Some(OwnHosts::Refuse));
        run(&mut test, &change).await.unwrap();
        let error = run(&mut test, &parse("reg-a domain delete gone.tld")).await;
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("spare.gone.tld") && text.contains("2305"),
            "{text}"
        );
        play(
            &mut test,
            "reg-a host delete spare.gone.tld = 1000
             reg-a domain delete gone.tld = 1000",
        )
        .await;
    }
}
