//! Contacts go to another registrar (RFC 5733 section 3.2.4), and with a domain as copies.

use std::time::Duration;

use super::life::shown;
use super::*;
use crate::registry::command::contact::{ContactInfo, ContactStep};
use crate::registry::command::poll::Message;
use crate::registry::timers::Timers;

const AUTH: &str = "auth=k9$Tq2-vX7mB!zR4pL0w";

async fn staged(engine: crate::registry::Engine) -> TestDatabase {
    let mut test = stage(engine).await;
    let script = "op zone policy tld data-model=maximum = 1000
        reg-a contact create c-1 voice=+49.1 AUTH = 1000
        reg-b contact create c-2 = 1000";
    said(&mut test, script).await;
    test
}

async fn said(test: &mut TestDatabase, script: &str) {
    play(test, &script.replace("AUTH", AUTH)).await;
}

async fn contact(test: &mut TestDatabase, handle: &str) -> ContactInfo {
    let line = format!("op contact info {handle}");
    match run(test, &parse(&line)).await.unwrap() {
        Outcome::Read(info) => match *info {
            Info::Contact(info) => *info,
            info => panic!("{info:?}"),
        },
        outcome => panic!("{outcome:?}"),
    }
}

async fn told(test: &mut TestDatabase, registrar: &str) -> Vec<Message> {
    let mut all = Vec::new();
    loop {
        let by = |command| Request {
            actor: Actor::registrar(registrar.parse().unwrap()),
            ..operator(Command::Poll(command))
        };
        let next = by(PollCommand::Next { registrar: None });
        let Outcome::Read(info) = run(test, &next).await.unwrap() else {
            panic!("no read");
        };
        let Info::Poll(poll) = *info else {
            panic!("no message");
        };
        let Some(message) = poll.message else {
            return all;
        };
        let (id, registrar) = (message.id, None);
        run(test, &by(PollCommand::Ack { id, registrar }))
            .await
            .unwrap();
        all.push(message);
    }
}

#[tokio::test]
async fn each_step_is_its_sides_own() {
    for engine in engines() {
        let mut test = staged(engine).await;
        said(
            &mut test,
            "reg-b contact transfer c-1 op=query = 2201
             reg-b contact transfer c-1 op=query AUTH = 2301
             reg-a contact transfer c-1 op=query = 2301
             reg-b contact transfer c-1 op=query auth=wrong = 2202
             reg-b contact transfer c-9 op=request AUTH = 2303
             reg-b contact transfer c-1 op=request = 2003
             reg-b contact transfer c-1 op=request auth=wrong = 2202
             reg-a contact transfer c-1 op=request AUTH = 2106
             reg-a contact transfer c-2 op=request AUTH = 2202
             op contact transfer c-1 op=request = 2003
             op contact transfer c-1 op=request by=reg-9 = 2303
             reg-b contact transfer c-1 op=request by=reg-a AUTH = 2201
             reg-a contact transfer c-1 op=approve = 2301
             reg-b contact transfer c-1 op=approve = 2201
             reg-b contact transfer c-1 op=cancel = 2301
             reg-a contact update c-1 status=clientTransferProhibited = 1000
             reg-b contact transfer c-1 op=request AUTH = 2304
             reg-a contact update c-1 -status=clientTransferProhibited = 1000
             reg-b contact transfer c-1 op=request AUTH at=1d = 1001
             reg-b contact transfer c-1 op=request AUTH = 2300
             reg-a contact update c-1 email=new@mail.example = 2300
             reg-a contact delete c-1 = 2300
             op contact erase c-1 case=7 = 2300
             op registrar delete reg-b = 2305
             reg-a contact transfer c-1 op=cancel = 2201
             reg-b contact transfer c-1 op=approve = 2201
             reg-b contact transfer c-1 op=reject = 2201
             reg-b contact transfer c-1 op=query = 1000
             reg-b contact transfer c-1 op=cancel = 1000
             reg-b contact transfer c-1 op=cancel = 2301
             reg-b contact transfer c-1 op=request AUTH = 1001
             reg-a contact transfer c-1 op=reject = 1000
             reg-b contact transfer c-1 op=request AUTH = 1001
             reg-a contact transfer c-1 op=approve at=2d = 1000
             reg-a contact transfer c-1 op=approve = 2201
             reg-b contact transfer c-1 op=approve = 2301
             reg-a contact transfer c-1 op=query = 1000
             reg-a contact info c-1 = 2201
             reg-a contact transfer c-1 op=request AUTH = 2202
             reg-b contact update c-1 email=new@mail.example = 1000",
        )
        .await;
        let after = contact(&mut test, "c-1").await;
        assert_eq!(
            (after.registrar.as_str(), &*after.statuses),
            ("reg-b", &["ok".to_owned()][..])
        );
        assert_eq!(after.transferred_at, Some(later("2d")));
        assert_eq!(after.voice.as_deref(), Some("+49.1"));
        let kinds = |told: &[Message]| told.iter().map(|told| told.kind.name()).collect::<Vec<_>>();
        let losing = told(&mut test, "reg-a").await;
        let request = "contact-transfer-requested";
        let expected = [request, "contact-transfer-cancelled", request, request];
        assert_eq!(kinds(&losing), expected, "{engine:?}");
        let gaining = told(&mut test, "reg-b").await;
        let expected = ["contact-transfer-rejected", "contact-transfer-approved"];
        assert_eq!(kinds(&gaining), expected, "{engine:?}");
        let state = gaining[1].content.after.as_ref().unwrap();
        assert_eq!(
            (&state["state"], &state["losing"]),
            (&"clientApproved".into(), &"reg-a".into())
        );
    }
}

#[tokio::test]
async fn silence_is_consent_after_a_time() {
    for engine in engines() {
        let mut test = staged(engine).await;
        said(
            &mut test,
            "reg-b contact transfer c-1 op=request AUTH = 1001",
        )
        .await;
        let step = |at: &str| Request {
            at: later(at),
            ..operator(Command::Contact(contact::ContactCommand::Step(
                ContactStep {
                    handle: "c-1".parse().unwrap(),
                    due_at: later("5d"),
                },
            )))
        };
        let refused = run(&mut test, &step("6d")).await.unwrap_err();
        assert_eq!(
            refused.code(),
            ResultCode::AuthorizationError,
            "an operator's"
        );
        let early = Request {
            actor: Actor::system("timers"),
            ..step("4d")
        };
        let refused = run(&mut test, &early).await.unwrap_err();
        assert_eq!(refused.code(), ResultCode::StatusProhibits, "not due");
        let mut timers = Timers::default();
        for (day, taken) in [(0_u64, 0), (4, 0), (5, 1), (6, 0)] {
            let (at, steady) = (later(&format!("{day}d")), Duration::from_secs(day * 86_400));
            let looked = Box::pin(timers.look(&mut test.database, at, steady))
                .await
                .unwrap();
            assert_eq!(
                (looked.taken, looked.refused),
                (taken, 0),
                "{engine:?}: day {day}"
            );
        }
        let after = contact(&mut test, "c-1").await;
        assert_eq!(after.registrar, "reg-b");
        let kind: String =
            sqlx::query_scalar("SELECT kind FROM events ORDER BY number DESC LIMIT 1")
                .fetch_one(test.database.connection())
                .await
                .unwrap();
        assert_eq!(kind, "contact-transfer-auto");
        for side in ["reg-a", "reg-b"] {
            let told = told(&mut test, side).await;
            let state = told.last().unwrap().content.after.as_ref().unwrap();
            assert_eq!(state["state"], "serverApproved", "{side}");
        }
    }
}

/// `a.tld` of `reg-a` with three contacts, one of them erased, has gone over to `reg-b`.
async fn gone_over(engine: crate::registry::Engine, policy: &str) -> TestDatabase {
    let mut test = staged(engine).await;
    let script = "op zone policy tld transfer-contacts=POLICY = 1000
        reg-a contact create c-3 street=First = 1000
        op contact create c-4 by=reg-a = 1000
        reg-a domain create a.tld registrant=c-1 contact=admin:c-1 contact=tech:c-3 AUTH = 1000
        reg-a domain update a.tld contact=billing:c-4 = 1000
        op contact erase c-4 case=7 = 1000
        reg-a domain create b.tld registrant=c-1 AUTH = 1000
        reg-b domain transfer a.tld op=request AUTH = 1001
        reg-a domain transfer a.tld op=approve = 1000";
    said(&mut test, &script.replace("POLICY", policy)).await;
    test
}

#[tokio::test]
async fn a_domain_that_goes_over_keeps_its_contacts() {
    for engine in engines() {
        let mut test = gone_over(engine, "keep").await;
        let domain = shown(&mut test, "op domain info a.tld").await;
        assert_eq!(domain.registrant.as_deref(), Some("c-1"));
        let contacts = ["admin:c-1", "tech:c-3", "billing:c-4"];
        assert_eq!(domain.contacts, contacts);
    }
}

#[tokio::test]
async fn a_domain_that_goes_over_gets_copies_where_policy_says_so() {
    for engine in engines() {
        let mut test = gone_over(engine, "copy").await;
        let domain = shown(&mut test, "op domain info a.tld").await;
        let registrant = domain.registrant.unwrap();
        assert_ne!(registrant, "c-1");
        assert_eq!(
            domain.contacts[0],
            format!("admin:{registrant}"),
            "one contact, one copy"
        );
        let tech = domain.contacts[1].strip_prefix("tech:").unwrap().to_owned();
        assert!(tech != "c-3" && tech != registrant, "{tech}");
        assert_eq!(
            domain.contacts[2], "billing:c-4",
            "who was erased is not copied"
        );
        let (copy, original) = (
            contact(&mut test, &tech).await,
            contact(&mut test, "c-3").await,
        );
        assert_eq!((copy.int, copy.email), (original.int, original.email));
        assert_eq!(
            (copy.registrar.as_str(), original.registrar.as_str()),
            ("reg-b", "reg-a")
        );
        assert_eq!(copy.copy_of.as_deref(), Some("c-3"));
        let other = shown(&mut test, "op domain info b.tld").await;
        assert_eq!(
            other.registrant.as_deref(),
            Some("c-1"),
            "another domain's are as they were"
        );
        let script = "reg-b contact update COPY email=new@mail.example = 1000
            reg-a contact delete c-3 = 1000
            reg-a contact delete c-1 = 2305
            reg-b domain update a.tld auth=n3w$Tq2-vX7mB!zR4pL0w = 1000
            reg-a domain transfer a.tld op=request auth=n3w$Tq2-vX7mB!zR4pL0w = 1001
            reg-b domain transfer a.tld op=approve = 1000";
        said(&mut test, &script.replace("COPY", &tech)).await;
        let back = shown(&mut test, "op domain info a.tld")
            .await
            .registrant
            .unwrap();
        let copy = contact(&mut test, &back).await;
        assert_eq!(
            copy.copy_of.as_deref(),
            Some("c-1"),
            "of a copy is of the original"
        );
        let erase = parse("op contact erase c-1 case=7");
        let notes = test.database.rehearse(&erase).await.unwrap().notes;
        let left = format!("copies of the same person are left: {registrant}, {back}");
        assert_eq!(notes[1], left);
    }
}
