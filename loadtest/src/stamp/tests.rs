use std::str::FromStr;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::rdata::{A, AAAA, NS, SOA};
use hickory_proto::rr::{Name as HickoryName, RData, Record, RecordType};

use super::*;

/// Builds a reply from words: `soa17` `soaname17` `ns17` `a17` `aaaa17`, each a record
/// of that generation.
fn reply(records: &str) -> Vec<u8> {
    let name = |text: &str| HickoryName::from_str(text).unwrap();
    let mut message = Message::new(1, MessageType::Response, OpCode::Query);
    message.add_query(Query::query(name("www.d1.example."), RecordType::A));
    for word in records.split_whitespace() {
        let digits = word.find(|c: char| c.is_ascii_digit()).unwrap();
        let (kind, generation) = (&word[..digits], word[digits..].parse::<u16>().unwrap());
        let [high, low] = generation.to_be_bytes();
        let server = name(&format!("g{generation}.ns.example."));
        let zone = name("example.");
        let record = match kind {
            "soa" | "soaname" => {
                let serial = if kind == "soa" {
                    u32::from(generation)
                } else {
                    17
                };
                let soa = SOA::new(server, zone.clone(), serial, 1, 1, 1, 1);
                Record::from_rdata(zone, 60, RData::SOA(soa))
            }
            "ns" => Record::from_rdata(name("d1.example."), 60, RData::NS(NS(server))),
            "a" => Record::from_rdata(server, 60, RData::A(A::new(10, 0, high, low))),
            "aaaa" => {
                let address = AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, generation);
                Record::from_rdata(server, 60, RData::AAAA(address))
            }
            _ => unreachable!("{kind}"),
        };
        message.add_authority(record);
    }
    message.to_vec().unwrap()
}

fn check(records: &str, expected: Stamps) {
    assert_eq!(Stamps::read(&reply(records)), Ok(expected), "{records}");
}

#[test]
fn one_generation_is_one() {
    check("", Stamps::None);
    check("ns17", Stamps::One(17));
    check("ns17 ns17 a17 aaaa17", Stamps::One(17));
    check("soa65535", Stamps::One(65535));
    check("ns300 a300 aaaa300", Stamps::One(300));
}

#[test]
fn two_generations_in_one_reply_are_found_wherever_they_stand() {
    check("ns17 ns18", Stamps::Mixed(17, 18));
    check("ns17 a18", Stamps::Mixed(17, 18));
    check("ns17 ns17 aaaa16", Stamps::Mixed(17, 16));
    check("soaname18", Stamps::Mixed(18, 17));
    check("soa17 a272", Stamps::Mixed(17, 272));
}

#[test]
fn no_cut_or_flipped_reply_panics() {
    let whole = reply("soa17 ns17 a17 aaaa17");
    for end in 0..whole.len() {
        assert_eq!(Stamps::read(&whole[..end]), Err(Malformed), "cut at {end}");
    }
    for place in 0..whole.len() {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << bit;
            let _ = Stamps::read(&flipped);
        }
    }
}

#[test]
fn a_pointer_that_does_not_go_backwards_is_malformed() {
    // One NS record of the root whose RDATA, at octet 23, is a pointer.
    let with_pointer = |target: u8| {
        let mut message = vec![0, 0, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        message.extend_from_slice(&[0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 2, 0xc0, target]);
        Stamps::read(&message)
    };
    assert_eq!(with_pointer(12), Ok(Stamps::None));
    assert_eq!(with_pointer(23), Err(Malformed));
    assert_eq!(with_pointer(24), Err(Malformed));
}

#[test]
fn zones_of_two_generations_differ_in_every_stamped_record_only() {
    let text = |generation| {
        let mut out = Vec::new();
        write_zone(
            &Name::parse_absolute("example.").unwrap(),
            40,
            generation,
            &mut out,
        )
        .unwrap();
        String::from_utf8(out).unwrap()
    };
    let (one, two) = (text(7), text(8));
    assert_eq!(one.lines().count(), two.lines().count());
    for (one, two) in one.lines().zip(two.lines()).skip(2) {
        assert_ne!(one, two);
    }
    assert_eq!(one.lines().filter(|line| line.contains(" DS ")).count(), 10);
}

#[test]
fn the_first_ttl_is_found_behind_question_and_owner() {
    let mut reply = vec![0, 0, 0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0];
    reply.extend(b"\x01a\x02xx\x00\x00\x02\x00\x01");
    reply.extend(b"\xc0\x0c\x00\x02\x00\x01\x00\x01\x51\x80\x00\x02\xc0\x0c");
    assert_eq!(first_ttl(&reply), Ok(Some(86_400)));
    assert!(first_ttl(&reply[..30]).is_err(), "cut off");
    reply[9] = 0;
    assert_eq!(first_ttl(&reply), Ok(None));
}

#[test]
fn the_serial_of_an_answered_soa_is_found() {
    // `reply` puts it into the authority section; counted as an answer it is one.
    let mut message = reply("soa300");
    assert_eq!(answered_serial(&message), Ok(None));
    message.swap(7, 9);
    assert_eq!(answered_serial(&message), Ok(Some(300)));
    let cut_off = message.len() - 1;
    assert!(answered_serial(&message[..cut_off]).is_err());
    let mut other = reply("ns300");
    other.swap(7, 9);
    assert_eq!(answered_serial(&other), Ok(None));
}
