//! Rate limits as the engine applies them: to whom, to which replies, and what
//! a client over the limit gets.

use std::sync::LazyLock;

use super::asked::{Zones, describe, query};
use crate::dns::cookie::CookieSecrets;
use crate::dns::engine::{Action, DropReason, Engine, EngineConfig, Outcome, Request, Transport};
use crate::dns::rate::RateLimits;
use crate::dns::secret::Secret;

static ZONES: LazyLock<Zones> = LazyLock::new(|| {
    let zone = "
one. 60 SOA ns.one. host.one. 1 7200 900 1209600 300
one. 60 NS ns.one.
ns.one. 60 A 192.0.2.1
cut.one. 60 NS ns.cut.one.
ns.cut.one. 60 A 192.0.2.2
";
    Zones::compile(&[zone, &zone.replace("one.", "two.")])
});

fn engine(slip: u32) -> Engine {
    Engine::new(EngineConfig {
        cookie_secrets: CookieSecrets::one(Secret::new([1; 16])),
        rate_limits: Some(RateLimits {
            responses_per_second: 2,
            slip,
            ..RateLimits::default()
        }),
        ..EngineConfig::default()
    })
}

fn ask(engine: &Engine, question: &str, peer: &str) -> (Action, Vec<u8>) {
    let (wire, transport) = query(question);
    send(engine, &wire, transport, peer)
}

fn send(engine: &Engine, wire: &[u8], transport: Transport, peer: &str) -> (Action, Vec<u8>) {
    let request = Request {
        peer: peer.parse().unwrap(),
        transport,
        wire,
        now: 1000,
    };
    ZONES.send_to(engine, &request)
}

const PEER: &str = "192.0.2.9:1000";

fn is_limited(action: Action) -> bool {
    action == Action::Drop(DropReason::RateLimited)
}

#[test]
fn over_the_limit_every_second_reply_is_a_truncated_one() {
    for (question, bare) in [
        ("ns.one A", "NoError aa tc"),
        ("ns.one A +do", "NoError aa tc edns"),
        ("x.one A", "NXDomain aa tc"),
        ("a.cut.one A", "NoError tc"),
        ("three A", "Refused tc"),
    ] {
        let engine = engine(2);
        let replies: Vec<_> = (0..6).map(|_| ask(&engine, question, PEER)).collect();
        assert!(!describe(&replies[1].1).contains(" tc"), "{question}");
        for over in [2, 4] {
            assert!(is_limited(replies[over].0), "{question} {over}");
        }
        for over in [3, 5] {
            let Action::Reply { outcome, .. } = replies[over].0 else {
                panic!("{question} {over}");
            };
            assert_eq!(outcome, Outcome::Slipped);
            assert_eq!(describe(&replies[over].1), bare, "{question} {over}");
        }
    }
}

/// How many of ten replies to each of these questions go out, by question.
fn sent(engine: &Engine, questions: &[&str]) -> Vec<usize> {
    let mut sent = vec![0; questions.len()];
    for _ in 0..10 {
        for (question, sent) in questions.iter().zip(&mut sent) {
            *sent += usize::from(!is_limited(ask(engine, question, PEER).0));
        }
    }
    sent
}

#[test]
fn kinds_and_zones_have_rates_of_their_own() {
    let questions = [
        "ns.one A",
        "x.one A",
        "a.cut.one A",
        "three A",
        "ns.two A",
        "x.two A",
    ];
    assert_eq!(sent(&engine(0), &questions), [2; 6]);
    // The names within a zone, and errors, share theirs: an attacker has many names.
    let shared = ["x.one A", "y.one A", "z.one A", "ns.one MX"];
    assert_eq!(sent(&engine(0), &shared).iter().sum::<usize>(), 2);
    let errors = [
        "three A",
        ". NS",
        "one TYPE250",
        "one A +version=1",
        "one A +option=10:00",
    ];
    assert_eq!(sent(&engine(0), &errors).iter().sum::<usize>(), 2);
}

#[test]
fn header_only_errors_are_limited_too() {
    let engine = engine(0);
    let (mut wire, _) = query("one SOA");
    wire[2] = 15 << 3;
    let limited: Vec<_> = (0..4)
        .map(|_| is_limited(send(&engine, &wire, Transport::Udp, PEER).0))
        .collect();
    assert_eq!(limited, [false, false, true, true]);
}

#[test]
fn streams_are_exempt() {
    let engine = engine(0);
    assert_eq!(sent(&engine, &["ns.one A +tcp", "x.one A +tls"]), [10, 10]);
    // And they use up nothing of what UDP has.
    assert_eq!(sent(&engine, &["ns.one A"]), [2]);
}

#[test]
fn a_valid_cookie_exempts_and_any_other_does_not() {
    let engine = engine(1);
    let (_, reply) = ask(&engine, "ns.one A +option=10:0102030405060708", PEER);
    let cookie: String = reply[reply.len() - 24..]
        .iter()
        .map(|o| format!("{o:02x}"))
        .collect();
    let outcomes = |engine: &Engine, question: &str, peer| -> Vec<_> {
        let replies = (0..6).map(|_| ask(engine, question, peer).0);
        replies
            .map(|action| {
                matches!(
                    action,
                    Action::Reply {
                        outcome: Outcome::Answer,
                        ..
                    }
                )
            })
            .collect()
    };
    let with_cookie = format!("ns.one A +option=10:{cookie}");
    assert_eq!(outcomes(&engine, &with_cookie, PEER), [true; 6]);
    // From another address it is not worth a thing.
    let stolen = outcomes(&engine, &with_cookie, "203.0.113.1:1000");
    assert_eq!(stolen, [true, true, false, false, false, false]);
    // Who slips learns a cookie and is exempt from then on.
    let other = "198.51.100.1:1000";
    let (mut action, mut reply) = (Action::Drop(DropReason::Short), Vec::new());
    for _ in 0..3 {
        (action, reply) = ask(&engine, "ns.one A +option=10:0102030405060708", other);
    }
    assert!(matches!(
        action,
        Action::Reply {
            outcome: Outcome::Slipped,
            ..
        }
    ));
    let cookie: String = reply[reply.len() - 24..]
        .iter()
        .map(|o| format!("{o:02x}"))
        .collect();
    let with_cookie = format!("ns.one A +option=10:{cookie}");
    assert_eq!(outcomes(&engine, &with_cookie, other), [true; 6]);
}

#[test]
fn clones_share_one_rate() {
    let engine = engine(0);
    let other = engine.clone();
    let limited: Vec<_> = [&engine, &other, &engine, &other]
        .map(|engine| is_limited(ask(engine, "ns.one A", PEER).0))
        .into();
    assert_eq!(limited, [false, false, true, true]);
}

#[test]
fn without_limits_nothing_is_limited() {
    let engine = Engine::default();
    assert_eq!(sent(&engine, &["ns.one A", "three A"]), [10, 10]);
}
