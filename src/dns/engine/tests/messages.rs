//! Messages that are no plain question: rows of the table of sharp cases.

use proptest::prelude::*;

use super::asked::{Zones, describe, query};
use crate::dns::engine::Transport;

const ZONE: &str = "
example. 3600 SOA ns1.example. host.example. 1 7200 900 1209600 300
example. 3600 NS ns1.example.
ns1.example. 3600 A 192.0.2.1
cut.example. 3600 NS ns.cut.example.
ns.cut.example. 3600 A 192.0.2.2
";

/// Sends the query in `question` after `change`; expects the reply in words.
#[track_caller]
fn check(question: &str, change: impl FnOnce(&mut Vec<u8>), expected: &str) {
    let zones = Zones::compile(&[ZONE]);
    let (mut wire, transport) = query(question);
    change(&mut wire);
    for transport in [transport, Transport::Tcp, Transport::Tls] {
        let (_, reply) = zones.send(&wire, transport);
        let found = match reply.len() {
            12 => format!("header {} opcode {}", reply[3] & 15, reply[2] >> 3 & 15),
            _ => describe(&reply),
        };
        assert_eq!(found, expected, "{question} {transport:?}");
        assert!(reply.is_empty() || reply[..2] == wire[..2], "ID is echoed");
    }
}

const OK: &str = "NoError aa answer: ns1.example. A 192.0.2.1";
#[test]
fn row_1_short_messages_are_dropped() {
    check("ns1.example A", |wire| wire.truncate(11), "dropped");
    check("ns1.example A", Vec::clear, "dropped");
}

#[test]
fn row_2_responses_are_dropped() {
    check("ns1.example A", |wire| wire[2] |= 0x80, "dropped");
}

#[test]
fn row_3_other_opcodes_get_notimp_without_a_look_at_the_body() {
    for opcode in [1, 2, 3, 5, 6, 15] {
        let expected = format!("header 4 opcode {opcode}");
        check("ns1.example A", |wire| wire[2] = opcode << 3, &expected);
        check(
            "ns1.example A",
            |wire| {
                wire[2] = opcode << 3;
                wire.truncate(12)
            },
            &expected,
        );
    }
}

#[test]
fn row_4_notify_is_notauth() {
    check("example SOA", |wire| wire[2] = 4 << 3, "header 9 opcode 4");
}

#[test]
fn rows_5_and_6_question_counts() {
    check("ns1.example A", |wire| wire[5] = 2, "header 1 opcode 0");
    check(
        "ns1.example A",
        |wire| {
            wire[5] = 0;
            wire.truncate(12)
        },
        "header 1 opcode 0",
    );
}

#[test]
fn rows_8_and_9_bad_question_names() {
    check(
        "ns1.example A",
        |wire| wire.truncate(20),
        "header 1 opcode 0",
    );
    check(
        "ns1.example A",
        |wire| wire.truncate(27),
        "header 1 opcode 0",
    );
    for length in [0x40, 0x80, 0xc0] {
        check(
            "ns1.example A",
            |wire| wire[12] = length,
            "header 1 opcode 0",
        );
    }
    check(
        "ns1.example A",
        |wire| wire[16..18].copy_from_slice(&[0xc0, 12]),
        "header 1 opcode 0",
    );
}

#[test]
fn row_10_any_octet_may_stand_in_a_label() {
    check(
        "\\000\\032\\255.example A",
        |_| {},
        "NXDomain aa authority: example. SOA 1 ttl 300",
    );
}

#[test]
fn row_11_octets_after_the_message_are_ignored() {
    check(
        "ns1.example A",
        |wire| wire.extend_from_slice(b"garbage"),
        OK,
    );
}

#[test]
fn row_12_other_sections_must_be_empty() {
    check("ns1.example A", |wire| wire[7] = 1, "FormErr");
    check("ns1.example A", |wire| wire[9] = 1, "FormErr");
    // But for the SOA of an IXFR query (RFC 1995 section 3), which is refused as such.
    check(
        "example TYPE251",
        |wire| {
            wire[9] = 1;
            wire.extend([0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0]);
        },
        "Refused",
    );
}

#[test]
fn row_13_a_missing_additional_record_is_formerr() {
    check("ns1.example A", |wire| wire[11] = 1, "FormErr");
}

#[test]
fn row_14_other_header_bits_are_cleared() {
    check(
        "ns1.example A",
        |wire| wire[2..4].copy_from_slice(&[0x07, 0x7f]),
        OK,
    );
}

#[test]
fn rows_26_to_31_classes_and_types() {
    check("ns1.example A class=0", |_| {}, "Refused");
    check("ns1.example A class=3", |_| {}, "Refused");
    check("ns1.example A class=4", |_| {}, "Refused");
    check("ns1.example A class=254", |_| {}, "Refused");
    check(
        "ns1.example A class=255",
        |_| {},
        "NoError answer: ns1.example. A 192.0.2.1",
    );
    check("other. A", |_| {}, "Refused");
    check(". NS", |_| {}, "Refused");
    check(
        "ns1.example TYPE1000",
        |_| {},
        "NoError aa authority: example. SOA 1 ttl 300",
    );
    check(
        "ns1.example TYPE0",
        |_| {},
        "NoError aa authority: example. SOA 1 ttl 300",
    );
    check("ns1.example TYPE128", |_| {}, "FormErr");
    for meta in ["TYPE41", "TYPE249", "TYPE250", "TYPE253", "TYPE254"] {
        check(&format!("ns1.example {meta}"), |_| {}, "NotImp");
    }
    check("example TYPE252", |_| {}, "Refused");
    check("example TYPE251", |_| {}, "Refused");
}

#[test]
fn row_61_signatures_are_asked_for_with_or_without_do() {
    check(
        "ns1.example TYPE46",
        |_| {},
        "NoError aa authority: example. SOA 1 ttl 300",
    );
}

#[test]
fn row_62_the_question_is_echoed_octet_by_octet() {
    let zones = Zones::compile(&[ZONE]);
    let (wire, _) = query("nS1.eXaMpLe A");
    let (_, reply) = zones.send(&wire, Transport::Udp);
    assert_eq!(reply[12..wire.len()], wire[12..]);
    assert_eq!(describe(&reply), OK);
}

#[test]
fn row_68_port_zero_is_dropped() {
    use crate::dns::engine::{Action, DropReason, Engine, Request};
    let directory = tempfile::tempdir().unwrap();
    zone_image::writer::Installer::replace(directory.path(), None)
        .unwrap()
        .commit()
        .unwrap();
    let generation =
        zone_image::Generation::open(directory.path(), zone_image::Memory::Sealed).unwrap();
    let (wire, transport) = query("ns1.example A");
    let request = Request {
        peer: "192.0.2.1:0".parse().unwrap(),
        transport,
        wire: &wire,
        now: 0,
    };
    let action = Engine::default().answer(&generation, &request, &mut [0; 4096]);
    assert_eq!(action, Action::Drop(DropReason::PortZero));
}

proptest! {
    /// Any octets get one well-formed reply or none, never larger than allowed.
    #[test]
    fn any_message_gets_a_well_formed_reply_or_none(
        random in prop::collection::vec(any::<u8>(), 0..64),
        question in prop::sample::select(vec![
            "ns1.example A", "cut.example NS +do", "x.y.cut.example MX +edns=0", "example ANY +edns=65535",
            "nothing.example TXT +do +edns=512", "a.b.c.d.example AAAA",
        ]),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        thread_local!(static ZONES: Zones = Zones::compile(&[ZONE]));
        let (mut wire, _) = query(question);
        for (index, value) in &edits {
            let at = index.index(wire.len());
            wire[at] = *value;
        }
        for message in [wire, random] {
            for (transport, most) in [(Transport::Udp, 1232), (Transport::Tcp, 65_535)] {
                let (_, reply) = ZONES.with(|zones| zones.send(&message, transport));
                prop_assert!(reply.len() <= most);
                if !reply.is_empty() {
                    prop_assert_eq!(&reply[..2], &message[..2]);
                    prop_assert_eq!(reply[2] & 0x80, 0x80);
                    // hickory-proto refuses a few names in questions that we echo.
                    if reply.len() > 12 && edits.is_empty() {
                        prop_assert!(hickory_proto::op::Message::from_vec(&reply).is_ok());
                    }
                }
            }
        }
    }
}
