//! The probes of RFC 8906 section 8 by their numbers, each as one line: what is
//! asked, and what is expected.

use std::sync::LazyLock;

use hickory_proto::op::{Message, MessageType};

use super::asked::{Zones, query};
use crate::dns::cookie::CookieSecrets;
use crate::dns::engine::{Engine, EngineConfig, Request, Transport};
use crate::dns::secret::Secret;

static ZONES: LazyLock<Zones> = LazyLock::new(|| {
    let key = format!("3 8 {}", "A".repeat(344));
    Zones::compile(&[&format!(
        "zone. 3600 SOA ns.zone. host.zone. 1 7200 900 1209600 300
zone. 3600 NS ns.zone.
zone. 3600 DNSKEY 257 {key}
zone. 3600 DNSKEY 256 {key}
ns.zone. 3600 A 192.0.2.1
"
    )])
});

/// Sends `asked` with these header octets 2 and 3; gives RCODE, AA, RD and the
/// other flags that are set, whether there is a SOA, and the OPT with its options.
fn probe(asked: &str, header: [u8; 2]) -> String {
    let engine = Engine::new(EngineConfig {
        cookie_secrets: CookieSecrets::one(Secret::new([1; 16])),
        nsid: "n".to_owned(),
        ..EngineConfig::default()
    });
    let (mut wire, transport) = query(asked);
    wire[2..4].copy_from_slice(&header);
    if header[0] >> 3 == 15 {
        wire.truncate(12);
        wire[4..].fill(0);
    }
    let request = Request {
        peer: "192.0.2.7:53".parse().unwrap(),
        transport,
        wire: &wire,
        now: 1000,
    };
    let (_, reply) = ZONES.send_to(&engine, &request);
    if reply.len() == 12 {
        assert_eq!(reply[4..], [0; 8], "all sections are empty");
        return format!("opcode {} rcode {}", reply[2] >> 3 & 15, reply[3]);
    }
    assert_eq!(reply[3] & 0xf0, 0, "RA, Z, AD and CD are clear");
    let message = Message::from_vec(&reply).unwrap();
    let head = &message.metadata;
    assert_eq!(head.message_type, MessageType::Response);
    let mut text = u16::from(head.response_code).to_string();
    let records: Vec<_> = message
        .answers
        .iter()
        .map(|r| r.record_type().to_string())
        .collect();
    for (present, word) in [
        (head.authoritative, "aa"),
        (head.truncation, "tc"),
        (head.recursion_desired, "rd"),
        (records == ["SOA"], "soa"),
    ] {
        if present {
            text.push(' ');
            text.push_str(word);
        }
    }
    if let Some(edns) = &message.edns {
        assert_eq!((edns.version(), edns.flags().z), (0, 0));
        text.push_str(" opt");
        if edns.flags().dnssec_ok {
            text.push_str(" do");
        }
        for (code, _) in &edns.options().options {
            text.push_str(&format!(" {}", u16::from(*code)));
        }
    }
    text
}

#[track_caller]
fn check(asked: &str, header: [u8; 2], expected: &str) {
    assert_eq!(probe(asked, header), expected, "{asked} {header:x?}");
}

const PLAIN: [u8; 2] = [0, 0];

#[test]
fn basic_dns() {
    // 8.1.1 and 8.1.2
    check("zone SOA", PLAIN, "0 aa soa");
    check("zone TYPE1000", PLAIN, "0 aa");
    // 8.1.3.1 to 8.1.3.4: CD, AD, the last reserved bit, RD.
    check("zone SOA", [0, 0x10], "0 aa soa");
    check("zone SOA", [0, 0x20], "0 aa soa");
    check("zone SOA", [0, 0x40], "0 aa soa");
    check("zone SOA", [1, 0], "0 aa rd soa");
    // 8.1.4
    check("zone SOA", [15 << 3, 0], "opcode 15 rcode 4");
    // 8.1.5
    check("zone SOA +tcp", PLAIN, "0 aa soa");
}

#[test]
fn extended_dns() {
    // 8.2.1 to 8.2.6: plain, version, option, flag, and version with each.
    check("zone SOA +edns=1232", PLAIN, "0 aa soa opt");
    check("zone SOA +version=1", PLAIN, "16 opt");
    check("zone SOA +option=100:", PLAIN, "0 aa soa opt");
    check("zone SOA +flags=40", PLAIN, "0 aa soa opt");
    check("zone SOA +version=1 +flags=40", PLAIN, "16 opt");
    check("zone SOA +version=1 +option=100:", PLAIN, "16 opt");
    // 8.2.7: a DNSKEY RRset that 512 octets do not hold.
    check("zone DNSKEY +do +edns=512", PLAIN, "0 aa tc opt do");
    // 8.2.8 and 8.2.9
    check("zone SOA +do", PLAIN, "0 aa soa opt do");
    check("zone SOA +version=1 +do", PLAIN, "16 opt do");
    // 8.2.10: cookie, NSID, expire, subnet.
    check(
        "zone SOA +option=10:0102030405060708 +option=3: +option=9: +option=8:00010000",
        PLAIN,
        "0 aa soa opt 10 3",
    );
}

#[test]
fn every_probe_has_its_reply_over_every_transport() {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        for asked in [
            "zone SOA",
            "zone TYPE1000",
            "zone SOA +version=1",
            "zone SOA +option=100:",
        ] {
            let (_, reply) = ZONES.send(&query(asked).0, transport);
            assert!(!reply.is_empty(), "{asked} {transport:?}");
        }
    }
}
