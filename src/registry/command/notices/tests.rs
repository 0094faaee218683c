//! What the registry does is told, once, in order, and a flood of it is bounded.

use serde_json::json;

use super::super::poll::{Message, PollInfo};
use super::super::tests::{operator, parse, play, run, stage};
use super::super::{Actor, Command, CommandError, Info, Outcome, PollCommand, Request};
use super::*;
use crate::registry::testing::{NOW, TestDatabase, engines};

fn by(registrar: &str, command: PollCommand) -> Request {
    Request {
        actor: Actor::registrar(registrar.parse().unwrap()),
        at: NOW,
        lab: true,
        command: Command::Poll(command),
    }
}

async fn next(test: &mut TestDatabase, registrar: &str) -> PollInfo {
    let request = by(registrar, PollCommand::Next { registrar: None });
    let outcome = run(test, &request).await.unwrap();
    let code = outcome.code().number();
    let Outcome::Read(info) = outcome else {
        panic!("{outcome:?}")
    };
    let Info::Poll(poll) = *info else {
        panic!("{info:?}")
    };
    let expected = if poll.message.is_some() { 1301 } else { 1300 };
    assert_eq!(code, expected);
    *poll
}

async fn ack(test: &mut TestDatabase, registrar: &str, id: i64) -> Result<Outcome, CommandError> {
    let registrar_named = None;
    let ack = PollCommand::Ack {
        id,
        registrar: registrar_named,
    };
    run(test, &by(registrar, ack)).await
}

/// All that waits, acknowledged.
async fn drain(test: &mut TestDatabase, registrar: &str) -> Vec<Message> {
    let mut all = Vec::new();
    loop {
        let poll = next(test, registrar).await;
        let Some(message) = poll.message else {
            assert_eq!(poll.count, 0);
            return all;
        };
        ack(test, registrar, message.id).await.unwrap();
        all.push(message);
    }
}

#[tokio::test]
async fn a_change_by_the_registry_is_told_with_both_states() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(
            &mut test,
            "reg-a domain create a.tld ns=ns1.ext.example ns=ns2.ext.example = 1000
             reg-a domain update a.tld status=clientHold = 1000",
        )
        .await;
        assert_eq!(next(&mut test, "reg-a").await.count, 0, "its own changes");
        let mut hold = parse("op domain update a.tld status=serverHold");
        hold.actor.cause = Some(Cause {
            reason: Some("phishing".into()),
            case: Some("URS-1".into()),
        });
        let event = run(&mut test, &hold).await.unwrap().event().unwrap();
        play(
            &mut test,
            "op domain create b.tld by=reg-a = 1000
             op host create ns3.ext.example by=reg-a = 1000
             op host update ns3.ext.example to=ns4.ext.example = 1000
             op domain delete b.tld = 1000
             op host delete ns4.ext.example = 1000
             op domain delete none.tld = 2303",
        )
        .await;
        assert_eq!(next(&mut test, "reg-b").await.count, 0);
        assert_eq!(next(&mut test, "reg-a").await.count, 6);
        let told = drain(&mut test, "reg-a").await;
        let kinds = told
            .iter()
            .map(|message| (message.kind.name(), &*message.object));
        let kinds: Vec<_> = kinds.collect();
        let expected = [
            ("domain-updated", "a.tld"),
            ("domain-created", "b.tld"),
            ("host-created", "ns3.ext.example"),
            ("host-updated", "ns4.ext.example"),
            ("domain-deleted", "b.tld"),
            ("host-deleted", "ns4.ext.example"),
        ];
        assert_eq!(kinds, expected);
        let held = &told[0];
        assert_eq!(
            (held.event, held.operation, held.op),
            (event, "update", None)
        );
        assert_eq!(held.content.who, "operator:test");
        assert_eq!(held.content.cause, hold.actor.cause);
        let state = |state: &Option<Value>| state.as_ref().unwrap()["statuses"].clone();
        assert_eq!(state(&held.content.before), json!(["clientHold"]));
        assert_eq!(
            state(&held.content.after),
            json!(["clientHold", "serverHold"])
        );
        // RFC 8590 section 2.2: what is created has no state before, what is purged none after.
        assert_eq!(told[1].content.before, None);
        assert_eq!(told[4].content.after, None);
        assert_eq!(told[4].content.before.as_ref().unwrap()["name"], "b.tld");
        assert_eq!((told[4].operation, told[4].op), ("delete", Some("purge")));
    }
}

#[tokio::test]
async fn only_its_registrar_acknowledges_a_message() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(&mut test, "op domain create a.tld by=reg-a = 1000").await;
        let id = next(&mut test, "reg-a").await.message.unwrap().id;
        assert_eq!(
            next(&mut test, "reg-a").await.message.unwrap().id,
            id,
            "stays"
        );
        let refused = ack(&mut test, "reg-b", id).await.unwrap_err();
        assert_eq!(refused.code().number(), 2303);
        let refused = ack(&mut test, "reg-a", id + 1).await.unwrap_err();
        assert_eq!(refused.code().number(), 2303);
        let named = |registrar: Option<&str>| PollCommand::Ack {
            id,
            registrar: registrar.map(|handle| handle.parse().unwrap()),
        };
        let refused = run(&mut test, &by("reg-b", named(Some("reg-a")))).await;
        assert_eq!(refused.unwrap_err().code().number(), 2201);
        let refused = run(&mut test, &operator(Command::Poll(named(None)))).await;
        assert_eq!(refused.unwrap_err().code().number(), 2003);
        let by_operator = operator(Command::Poll(named(Some("reg-a"))));
        run(&mut test, &by_operator).await.unwrap();
        assert_eq!(next(&mut test, "reg-a").await.count, 0);
        let refused = ack(&mut test, "reg-a", id).await.unwrap_err();
        assert_eq!(refused.code().number(), 2303);
    }
}

#[tokio::test]
async fn a_refused_command_tells_nobody() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(
            &mut test,
            "reg-a domain create a.tld = 1000
             op domain update a.tld status=pendingDelete = 2306",
        )
        .await;
        let rehearsed = parse("op domain delete a.tld");
        test.database.rehearse(&rehearsed).await.unwrap();
        assert_eq!(next(&mut test, "reg-a").await.count, 0);
    }
}

/// Twenty-five hosts go with a domain: one message, that names some and counts all.
#[tokio::test]
async fn what_one_command_says_too_often_is_one_message() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let mut script = "reg-a domain create a.tld = 1000\n".to_owned();
        for host in 0..25 {
            script += &format!("reg-a host create h{host:02}.a.tld ip=192.0.2.1 = 1000\n");
        }
        script += "op domain delete a.tld = 1000";
        play(&mut test, &script).await;
        let told = drain(&mut test, "reg-a").await;
        assert_eq!(told.len(), 2, "{told:?}");
        let hosts = told
            .iter()
            .find(|told| told.kind == NoticeKind::HostDeleted);
        let hosts = hosts.unwrap();
        assert_eq!((hosts.changes, &*hosts.object), (25, "h00.a.tld"));
        assert_eq!(hosts.content.others.len(), NAMES_MAX);
        assert_eq!(hosts.content.others[0], "h01.a.tld");
    }
}

#[tokio::test]
async fn a_full_queue_grows_by_one_summary_alone() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(&mut test, "op domain create a.tld by=reg-a = 1000").await;
        let full = sqlx::query("UPDATE poll_queues SET waiting = $1").bind(QUEUE_MAX);
        full.execute(test.database.connection()).await.unwrap();
        play(
            &mut test,
            "op domain create b.tld by=reg-a = 1000
             op domain create c.tld by=reg-a = 1000
             op domain delete c.tld = 1000
             op domain create d.tld by=reg-b = 1000",
        )
        .await;
        let poll = next(&mut test, "reg-a").await;
        assert_eq!(poll.count, QUEUE_MAX + 1);
        ack(&mut test, "reg-a", poll.message.unwrap().id)
            .await
            .unwrap();
        let summary = next(&mut test, "reg-a").await.message.unwrap();
        assert_eq!((summary.kind, summary.changes), (NoticeKind::Summary, 3));
        assert_eq!(next(&mut test, "reg-b").await.count, 1);
    }
}

#[test]
fn every_kind_has_a_name_of_its_own_and_an_operation_of_rfc_8590() {
    const OPERATIONS: [&str; 10] = [
        "create",
        "delete",
        "renew",
        "transfer",
        "update",
        "restore",
        "autoRenew",
        "autoDelete",
        "autoPurge",
        "custom",
    ];
    for kind in NoticeKind::ALL {
        assert_eq!(NoticeKind::parse(kind.name()), Some(*kind));
        let stored = serde_json::to_value(kind).unwrap();
        assert_eq!(stored, kind.name());
        let (operation, op) = kind.operation();
        assert!(OPERATIONS.contains(&operation), "{operation}");
        assert!(
            operation != "custom" || op.is_some(),
            "section 2.1: custom has its name"
        );
    }
}

#[tokio::test]
async fn the_sides_of_a_transfer_are_told_what_the_other_did() {
    const AUTH: &str = "auth=k9$Tq2-vX7mB!zR4pL0w";
    for engine in engines() {
        let mut test = stage(engine).await;
        let script = "reg-a domain create a.tld AUTH = 1000
             reg-b domain transfer a.tld op=request AUTH = 1001
             reg-a domain transfer a.tld op=reject = 1000
             reg-b domain transfer a.tld op=request AUTH = 1001
             reg-b domain transfer a.tld op=cancel = 1000
             reg-b domain transfer a.tld op=request AUTH = 1001
             reg-a domain transfer a.tld op=approve = 1000";
        play(&mut test, &script.replace("AUTH", AUTH)).await;
        let kinds = |messages: &[Message]| -> Vec<_> {
            messages.iter().map(|message| message.kind.name()).collect()
        };
        let losing = drain(&mut test, "reg-a").await;
        let request = "transfer-requested";
        let expected = [request, request, "transfer-cancelled", request];
        assert_eq!(kinds(&losing), expected, "{engine:?}");
        let gaining = drain(&mut test, "reg-b").await;
        assert_eq!(kinds(&gaining), ["transfer-rejected", "transfer-approved"]);
        let after = gaining[1].content.after.as_ref().unwrap();
        assert_eq!(after["state"], "clientApproved");
        assert_eq!(
            (&after["losing"], &after["gaining"]),
            (&json!("reg-a"), &json!("reg-b"))
        );
        // The registry's own act is told to both, once.
        play(
            &mut test,
            "op domain transfer a.tld op=request by=reg-a = 1001
             op domain transfer a.tld op=approve = 1000",
        )
        .await;
        for side in ["reg-a", "reg-b"] {
            let told = drain(&mut test, side).await;
            assert_eq!(kinds(&told), [request, "transfer-approved"], "{side}");
        }
    }
}
