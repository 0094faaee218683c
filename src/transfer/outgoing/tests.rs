use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::mpsc;
use zone_compiler::wire::read_sections;
use zone_image::Generation;

use super::{Outgoing, Settings};
use crate::dns::engine::{Action, Engine, EngineConfig, Request, Transport, UDP_BUFFER_BYTES};
use crate::dns::generations::Generations;
use crate::dns::net::tcp::{Piece, Transfers};
use crate::transfer::access::{Access, Network, Rule};
use crate::transfer::counters::Event;
use crate::transfer::history::History;
use crate::transfer::key::{Algorithm, Keys, parse_name};
use crate::transfer::message::{AXFR, IXFR};
use crate::transfer::testing::{NOW, ZONE, key, question, records, serve};
use crate::transfer::tsig::tests::{sign, verify};

const PEER: &str = "192.0.2.7:1234";
const SOA: u16 = 6;

struct Server {
    outgoing: Arc<Outgoing>,
    generations: Arc<Generations>,
    engine: Engine,
    _directory: TempDir,
}

/// Serves `tld.`: one network may have it, and whoever has a key.
fn server(concurrent_max: usize) -> Server {
    let (generations, directory) = serve(&[ZONE]);
    let rule = |networks: &[&str], key: Option<&str>| Rule {
        zones: vec![parse_name("tld").unwrap(), parse_name("gone").unwrap()],
        networks: networks
            .iter()
            .map(|text| Network::parse(text).unwrap())
            .collect(),
        key: key.map(|key| parse_name(key).unwrap()),
        certificate: None,
    };
    let keys = ["k", "idle"].map(|name| key(name, Algorithm::Sha256));
    let settings = Settings {
        keys: Keys::from_iter(keys),
        access: Access(vec![rule(&["192.0.2.0/24"], None), rule(&[], Some("k"))]),
        concurrent_max,
        udp_payload_bytes_max: 1232,
    };
    let history = History::open(Arc::clone(&generations), None).unwrap();
    let outgoing = Arc::new(Outgoing::new(settings, Arc::new(history), || NOW));
    let engine = Engine::new(EngineConfig {
        aside: Some(Arc::clone(&outgoing) as _),
        ..EngineConfig::default()
    });
    Server {
        outgoing,
        generations,
        engine,
        _directory: directory,
    }
}

impl Server {
    fn open(&self, wire: &[u8], peer: &str) -> Option<mpsc::Receiver<Piece>> {
        let request = Request {
            peer: peer.parse().unwrap(),
            transport: Transport::Tcp,
            wire,
            now: NOW,
        };
        self.outgoing.open(&request, None)
    }

    /// The messages of a whole reply.
    fn transfer(&self, wire: &[u8], peer: &str) -> Vec<Vec<u8>> {
        let mut queue = self.open(wire, peer).unwrap();
        let mut messages = Vec::new();
        loop {
            match queue.blocking_recv() {
                Some(Piece::Message(message)) => messages.push(message),
                Some(Piece::End) => return messages,
                None => panic!("broken off"),
            }
        }
    }

    /// The reply of the engine over UDP.
    fn datagram(&self, wire: &[u8], peer: &str) -> Vec<u8> {
        let request = Request {
            peer: peer.parse().unwrap(),
            transport: Transport::Udp,
            wire,
            now: NOW,
        };
        let mut out = vec![0; UDP_BUFFER_BYTES];
        let image: Arc<Generation> = self.generations.current();
        match self.engine.answer(&image, &request, &mut out) {
            Action::Reply { length, .. } => out[..length].to_vec(),
            Action::Drop(reason) => panic!("{reason:?}"),
        }
    }
}

fn lines(messages: &[Vec<u8>]) -> Vec<String> {
    let records = messages.iter().flat_map(|message| {
        assert_eq!(message[2..4], [0x84, 0], "QR, AA, NOERROR");
        hickory_proto::op::Message::from_vec(message).unwrap();
        let [answers, ..] = read_sections(message).unwrap().records;
        answers
    });
    records.map(|record| record.to_string()).collect()
}

fn rcode(message: &[u8]) -> u8 {
    message[3] & 15
}

#[test]
fn a_zone_is_sent_between_two_soas() {
    let server = server(8);
    let wire = question("TLD.", AXFR, None);
    let mut sent = lines(&server.transfer(&wire, PEER));
    assert_eq!(sent.first(), sent.last());
    assert!(sent[0].contains("SOA"));
    sent.pop();
    let mut expected: Vec<_> = records(ZONE).iter().map(ToString::to_string).collect();
    sent.sort();
    expected.sort();
    assert_eq!(sent, expected);
    let counters = server.outgoing.counters();
    assert_eq!(counters.events(Event::Whole), 1);
    assert!(counters.octets() > 500);
}

#[test]
fn nobody_gets_what_no_rule_allows() {
    let server = server(8);
    for (name, peer, expected) in [
        ("tld.", "198.51.100.1:53", 5),
        ("other.", PEER, 5),
        ("sub.tld.", PEER, 5),
        // It may, and there is none.
        ("gone.", PEER, 9),
    ] {
        for qtype in [AXFR, IXFR] {
            let serial = (qtype == IXFR).then_some(1);
            let replies = server.transfer(&question(name, qtype, serial), peer);
            assert_eq!(replies.len(), 1);
            assert_eq!(rcode(&replies[0]), expected, "{name} {peer}");
            assert_eq!(replies[0][6..8], [0, 0], "records");
            let reply = server.datagram(&question(name, qtype, serial), peer);
            assert_eq!(rcode(&reply), 5, "{name} {peer} over UDP");
        }
    }
    assert_eq!(server.outgoing.counters().events(Event::Whole), 0);
}

#[test]
fn a_key_lets_in_from_anywhere_and_signs_every_message() {
    let server = server(8);
    let own = key("k", Algorithm::Sha256);
    let mut wire = question("tld.", AXFR, None);
    sign(&mut wire, &own, NOW, 64);
    let replies = server.transfer(&wire, "198.51.100.1:53");
    assert_eq!(lines(&replies).len(), records(ZONE).len() + 1);
    verify(&wire, &replies, &own);
    // A key that no rule names is good for a signed refusal.
    let other = key("idle", Algorithm::Sha256);
    let mut wire = question("tld.", AXFR, None);
    sign(&mut wire, &other, NOW, 64);
    let replies = server.transfer(&wire, "198.51.100.1:53");
    assert_eq!(rcode(&replies[0]), 5);
    verify(&wire, &replies, &other);
}

#[test]
fn what_is_signed_wrongly_gets_nothing() {
    let server = server(8);
    let good = key("k", Algorithm::Sha256);
    let signed = |key: &crate::transfer::key::Key, time, mac_bytes| {
        let mut wire = question("tld.", AXFR, None);
        sign(&mut wire, key, time, mac_bytes);
        wire
    };
    let mut wrong = signed(&good, NOW, 64);
    let mac = wrong.len() - 7;
    wrong[mac] ^= 1;
    let unknown = key("unknown", Algorithm::Sha256);
    let counters = server.outgoing.counters();
    for (wire, expected, event) in [
        (signed(&unknown, NOW, 64), 9, Event::BadKey),
        (wrong, 9, Event::BadSig),
        (signed(&good, NOW - 301, 64), 9, Event::BadTime),
        (signed(&good, NOW + 301, 64), 9, Event::BadTime),
        (signed(&good, NOW, 20), 9, Event::BadTrunc),
        (signed(&good, NOW, 8), 1, Event::Malformed),
    ] {
        let before = counters.events(event);
        // From an address that may have the zone without a key.
        let replies = server.transfer(&wire, PEER);
        assert_eq!(
            (replies.len(), rcode(&replies[0])),
            (1, expected),
            "{event:?}"
        );
        assert_eq!(replies[0][6..8], [0, 0], "{event:?}");
        assert_eq!(counters.events(event), before + 1);
        let reply = server.datagram(&wire, PEER);
        assert_eq!(
            (rcode(&reply), &reply[6..8]),
            (expected, &[0, 0][..]),
            "{event:?}"
        );
    }
}

#[test]
fn signed_questions_get_signed_answers() {
    let server = server(8);
    let own = key("idle", Algorithm::Sha256);
    for edns in [false, true] {
        let mut wire = question("tld.", SOA, None);
        if edns {
            wire[11] = 1;
            wire.extend([0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0]);
        }
        sign(&mut wire, &own, NOW, 64);
        let reply = server.datagram(&wire, "198.51.100.1:53");
        assert_eq!(lines(std::slice::from_ref(&reply)).len(), 1);
        verify(&wire, &[reply], &own);
    }
}

#[test]
fn ixfr_over_udp_has_the_soa_alone() {
    let server = server(8);
    let reply = server.datagram(&question("tld.", IXFR, Some(1)), PEER);
    let sent = lines(&[reply]);
    assert_eq!(sent.len(), 1);
    assert!(sent[0].contains("SOA"), "{sent:?}");
    // AXFR is never answered there (RFC 5936 section 4.2).
    let reply = server.datagram(&question("tld.", AXFR, None), PEER);
    assert_eq!(rcode(&reply), 5);
}

#[test]
fn ixfr_of_a_client_that_has_the_zone_has_the_soa_alone() {
    let server = server(8);
    for (serial, count) in [(7, 1), (8, 1), (6, records(ZONE).len() + 1)] {
        let replies = server.transfer(&question("tld.", IXFR, Some(serial)), PEER);
        assert_eq!(lines(&replies).len(), count, "{serial}");
    }
    // RFC 1995 section 3: without a SOA nobody knows what the client has.
    let replies = server.transfer(&question("tld.", IXFR, None), PEER);
    assert_eq!(rcode(&replies[0]), 1);
}

#[test]
fn one_transfer_more_than_may_be_is_put_off() {
    let server = server(1);
    let own = key("k", Algorithm::Sha256);
    // Nobody reads the first: with its SOA, its queue is not full, so it is held by hand.
    let counters = server.outgoing.counters();
    let permit = super::Permit::take(&counters, 1).unwrap();
    let mut wire = question("tld.", AXFR, None);
    sign(&mut wire, &own, NOW, 64);
    let replies = server.transfer(&wire, PEER);
    assert_eq!(rcode(&replies[0]), 2);
    verify(&wire, &replies, &own);
    drop(permit);
    assert_eq!(rcode(&server.transfer(&wire, PEER)[0]), 0);
    assert_eq!(counters.events(Event::Busy), 1);
}

#[test]
fn expire_is_told_once() {
    let server = server(8);
    let mut wire = question("tld.", AXFR, None);
    wire[11] = 1;
    wire.extend([0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 4, 0, 9, 0, 0]);
    let replies = server.transfer(&wire, PEER);
    let option = [&[0, 8, 0, 9, 0, 4][..], &1_209_600u32.to_be_bytes()].concat();
    assert!(replies[0].ends_with(&option), "{:?}", replies[0]);
}

#[test]
fn a_client_that_goes_ends_its_transfer() {
    let server = server(8);
    drop(server.open(&question("tld.", AXFR, None), PEER).unwrap());
    let counters = server.outgoing.counters();
    crate::dns::testing::eventually("ended", || counters.running() == 0);
    let ended = [Event::Whole, Event::Broken].map(|event| counters.events(event));
    assert_eq!(ended.iter().sum::<u64>(), 1);
}

#[test]
fn other_messages_are_left_to_the_engine() {
    let server = server(8);
    for wire in [
        question("tld.", SOA, None),
        question("tld.", AXFR, None)[..20].to_vec(),
        Vec::new(),
    ] {
        assert!(server.open(&wire, PEER).is_none());
    }
    // A notice finds nobody (RFC 1996 section 3.10).
    let mut notice = question("tld.", SOA, None);
    notice[2] = 4 << 3;
    assert_eq!(rcode(&server.datagram(&notice, PEER)), 9);
}
