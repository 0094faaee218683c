use std::sync::Arc;

use zone_compiler::wire::read_name;

use super::{
    Error, Fields, Judgement, RawRecord, append, judge, mac_of, reserved_bytes, timers, variables,
};
use crate::transfer::key::{Algorithm, Key, Keys};
use crate::transfer::message::{AXFR, Head, Message};
use crate::transfer::testing::{NOW, key, question};

/// Signs a message as a client does.
pub(in crate::transfer) fn sign(wire: &mut Vec<u8>, key: &Key, time: u64, mac_bytes: usize) {
    let fields = Fields {
        name: key.name().clone(),
        algorithm: zone_image::Name::root(),
        time,
        fudge: 300,
        mac: &[],
        original_id: [wire[0], wire[1]],
        error: 0,
        other: &[],
    };
    let mac = mac_of(key, None, &[wire, &variables(key, &fields)]);
    let fields = Fields {
        mac: &mac[..mac_bytes.min(mac.len())],
        ..fields
    };
    append(wire, key.name().as_wire(), key.algorithm().wire(), &fields);
}

/// Checks the signatures of the messages of a reply as a client does (RFC 8945 section
/// 5.3.1).
pub(in crate::transfer) fn verify(request: &[u8], replies: &[Vec<u8>], key: &Key) {
    let last = |wire| {
        let record = last_record(wire);
        (Fields::read(wire, &record).unwrap(), record.start)
    };
    let mut prior = last(request).0.mac.to_vec();
    for (at, reply) in replies.iter().enumerate() {
        let (fields, start) = last(reply);
        let mut plain = reply[..start].to_vec();
        let additionals = u16::from_be_bytes([plain[10], plain[11]]) - 1;
        plain[10..12].copy_from_slice(&additionals.to_be_bytes());
        let signed = match at {
            0 => variables(key, &fields),
            _ => timers(fields.time, fields.fudge).to_vec(),
        };
        prior = mac_of(key, Some(&prior), &[&plain, &signed]);
        assert_eq!(fields.mac, prior, "message {at}");
    }
}

/// The last record of a message of any length.
fn last_record(wire: &[u8]) -> RawRecord<'_> {
    let count = |at: usize| usize::from(u16::from_be_bytes([wire[at], wire[at + 1]]));
    let mut at = read_name(wire, 12).unwrap().1 + 4;
    let mut start = at;
    for _ in 0..count(6) + count(8) + count(10) {
        start = at;
        let fixed = read_name(wire, at).unwrap().1;
        at = fixed + 10 + count(fixed + 8);
    }
    assert_eq!(at, wire.len());
    let fixed = read_name(wire, start).unwrap().1;
    RawRecord {
        start,
        rtype: 250,
        class: 255,
        ttl: 0,
        rdata: &wire[fixed + 10..],
        is_additional: true,
        is_last: true,
    }
}

fn judged(wire: &[u8], keys: &Keys, now: u64) -> Judgement {
    judge(&Message::read(wire).unwrap(), keys, now)
}

#[track_caller]
fn check(wire: &[u8], keys: &Keys, now: u64, expected: Error) {
    match judged(wire, keys, now) {
        Judgement::Bad(refusal) => assert_eq!(refusal.error, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_algorithm_holds() {
    for algorithm in Algorithm::ALL {
        let key = key("k", algorithm);
        let keys = Keys::from_iter([Arc::clone(&key)]);
        let mut wire = question("tld.", AXFR, None);
        sign(&mut wire, &key, NOW, 64);
        assert!(matches!(judged(&wire, &keys, NOW), Judgement::Good(_)));
        // Each octet counts, but for the id that is on the wire: that of the TSIG does.
        for at in 2..wire.len() {
            let mut changed = wire.clone();
            changed[at] ^= 0x80;
            let Ok(message) = Message::read(&changed) else {
                continue;
            };
            let judgement = judge(&message, &keys, NOW);
            assert!(
                !matches!(judgement, Judgement::Good(_)),
                "octet {at}: {judgement:?}"
            );
        }
    }
}

#[test]
fn names_are_compared_without_case() {
    let key = key("Key.Example", Algorithm::Sha256);
    let keys = Keys::from_iter([Arc::clone(&key)]);
    let mut wire = question("tld.", AXFR, None);
    let start = wire.len();
    sign(&mut wire, &key, NOW, 64);
    wire[start + 1..start + 4].copy_from_slice(b"KEY");
    assert!(matches!(judged(&wire, &keys, NOW), Judgement::Good(_)));
}

#[test]
fn errors_come_in_the_order_of_rfc_8945_section_5_2() {
    let (good, other) = (key("k", Algorithm::Sha256), key("x", Algorithm::Sha256));
    let keys = Keys::from_iter([Arc::clone(&good)]);
    let signed = |key: &Key, time, mac_bytes| {
        let mut wire = question("tld.", AXFR, None);
        sign(&mut wire, key, time, mac_bytes);
        wire
    };
    check(&signed(&other, NOW, 64), &keys, NOW, Error::Key);
    // The same name with another algorithm is another key.
    check(
        &signed(&key("k", Algorithm::Sha512), NOW, 64),
        &keys,
        NOW,
        Error::Key,
    );
    let mut wrong = signed(&good, NOW - 1000, 64);
    let mac = wrong.len() - 7;
    wrong[mac] ^= 1;
    check(&wrong, &keys, NOW, Error::Mac);
    for (time, is_good) in [(300, true), (301, false)] {
        for now in [NOW - time, NOW + time] {
            let wire = signed(&good, NOW, 64);
            match is_good {
                true => assert!(matches!(judged(&wire, &keys, now), Judgement::Good(_))),
                false => check(&wire, &keys, now, Error::Time),
            }
        }
    }
    // Truncation is judged after time, and is an error of form below half the hash.
    check(&signed(&good, NOW - 1000, 16), &keys, NOW, Error::Time);
    for length in [16, 31] {
        check(&signed(&good, NOW, length), &keys, NOW, Error::Truncation);
    }
    for length in [0, 1, 9, 15] {
        let wire = signed(&good, NOW, length);
        assert!(
            matches!(judged(&wire, &keys, NOW), Judgement::Malformed),
            "{length}"
        );
    }
}

#[test]
fn a_tsig_is_the_last_record_and_the_only_one() {
    let key = key("k", Algorithm::Sha256);
    let keys = Keys::from_iter([Arc::clone(&key)]);
    let mut wire = question("tld.", AXFR, None);
    assert!(matches!(judged(&wire, &keys, NOW), Judgement::Unsigned));
    sign(&mut wire, &key, NOW, 64);
    let mut twice = wire.clone();
    sign(&mut twice, &key, NOW, 64);
    assert!(matches!(judged(&twice, &keys, NOW), Judgement::Malformed));
    let mut not_last = wire.clone();
    not_last[11] += 1;
    not_last.extend([0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0]);
    assert!(matches!(
        judged(&not_last, &keys, NOW),
        Judgement::Malformed
    ));
    // In the authority section.
    let mut elsewhere = wire.clone();
    elsewhere[9] = elsewhere[11];
    elsewhere[11] = 0;
    assert!(matches!(
        judged(&elsewhere, &keys, NOW),
        Judgement::Malformed
    ));
    // Class and TTL are said by RFC 8945 section 4.2.
    let start = question("tld.", AXFR, None).len() + 3;
    for at in [start + 3, start + 5] {
        let mut wire = wire.clone();
        wire[at] ^= 1;
        assert!(
            matches!(judged(&wire, &keys, NOW), Judgement::Malformed),
            "{at}"
        );
    }
}

/// A MAC longer than the hash (RFC 8945 section 5.2.2.1).
#[test]
fn a_mac_that_is_too_long_is_malformed() {
    let long = key("k", Algorithm::Sha512);
    let keys = Keys::from_iter([key("k", Algorithm::Sha256)]);
    let mut wire = question("tld.", AXFR, None);
    let fields = Fields {
        name: long.name().clone(),
        algorithm: zone_image::Name::root(),
        time: NOW,
        fudge: 300,
        mac: &[7; 33],
        original_id: [0, 0],
        error: 0,
        other: &[],
    };
    append(
        &mut wire,
        long.name().as_wire(),
        Algorithm::Sha256.wire(),
        &fields,
    );
    assert!(matches!(judged(&wire, &keys, NOW), Judgement::Malformed));
}

#[test]
fn replies_are_signed_one_after_the_other() {
    for algorithm in Algorithm::ALL {
        let key = key("k", algorithm);
        let keys = Keys::from_iter([Arc::clone(&key)]);
        let mut wire = question("tld.", AXFR, None);
        sign(&mut wire, &key, NOW, 64);
        let Judgement::Good(mut signed) = judged(&wire, &keys, NOW) else {
            panic!("it is good");
        };
        let head = Arc::new(Head::of(&Message::read(&wire).unwrap()));
        let replies: Vec<_> = (0..3)
            .map(|at| {
                let mut reply = head.error(at);
                let plain = reply.len();
                signed.sign(&mut reply, NOW + u64::from(at));
                assert_eq!(reply.len() - plain, reserved_bytes(&key));
                reply
            })
            .collect();
        verify(&wire, &replies, &key);
    }
}

#[test]
fn errors_of_time_and_truncation_are_signed_and_others_are_not() {
    let good = key("k", Algorithm::Sha256);
    let keys = Keys::from_iter([Arc::clone(&good)]);
    let refusal = |wire: &[u8], now| match judged(wire, &keys, now) {
        Judgement::Bad(refusal) => {
            let head = Arc::new(Head::of(&Message::read(wire).unwrap()));
            let mut reply = head.error(9);
            refusal.finish(&mut reply);
            reply
        }
        other => panic!("{other:?}"),
    };
    let fields = |reply: &[u8]| {
        let message = Message::read(reply).unwrap();
        let record = *message.signatures().next().unwrap();
        let fields = Fields::read(reply, &record).unwrap();
        (
            fields.error,
            fields.mac.len(),
            fields.time,
            fields.other.to_vec(),
        )
    };
    let mut late = question("tld.", AXFR, None);
    sign(&mut late, &good, NOW - 1000, 64);
    let server = NOW.to_be_bytes()[2..].to_vec();
    assert_eq!(fields(&refusal(&late, NOW)), (18, 32, NOW - 1000, server));
    let mut short = question("tld.", AXFR, None);
    sign(&mut short, &good, NOW - 1, 16);
    assert_eq!(fields(&refusal(&short, NOW)), (22, 32, NOW, vec![]));
    let mut unknown = question("tld.", AXFR, None);
    sign(&mut unknown, &key("u", Algorithm::Sha256), NOW, 64);
    assert_eq!(fields(&refusal(&unknown, NOW)), (17, 0, NOW, vec![]));
    let mut wrong = late.clone();
    let mac = wrong.len() - 7;
    wrong[mac] ^= 1;
    assert_eq!(fields(&refusal(&wrong, NOW)), (16, 0, NOW - 1000, vec![]));
}
