//! Asking an engine in words and reading its reply in words.

use std::fmt::Write as _;
use std::io::Cursor;
use std::path::Path;

use hickory_proto::op::Message;
use hickory_proto::rr::{RData, Record};
use tempfile::TempDir;
use zone_compiler::zonefile::Reader;
use zone_compiler::{Parking, RecordList, RecordType, compile};
use zone_image::writer::Installer;
use zone_image::{Generation, Memory, Name};

use crate::dns::engine::{Action, Engine, Request, Transport, UDP_BUFFER_BYTES};

/// Zones compiled into an image of their own.
pub(super) struct Zones {
    generation: Generation,
    _directory: TempDir,
}

impl Zones {
    /// Compiles zone files; each starts with the SOA of its zone.
    pub(super) fn compile(texts: &[&str]) -> Self {
        let plain: Vec<_> = texts.iter().map(|text| (*text, None)).collect();
        Self::compile_parking(&plain)
    }

    /// As [`Self::compile`]; each zone may park names.
    pub(super) fn compile_parking(texts: &[(&str, Option<Parking>)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut installer = Installer::replace(directory.path(), None).unwrap();
        for (text, parking) in texts {
            let input = Box::new(Cursor::new(text.as_bytes().to_vec()));
            let records: Vec<_> = Reader::new(input, Path::new("test.zone"), Some(Name::root()))
                .collect::<Result<_, _>>()
                .unwrap();
            let apex = records[0].owner.clone();
            assert_eq!(
                records[0].rtype,
                RecordType::SOA,
                "a zone starts with its SOA"
            );
            let list = RecordList::new(apex, 0, records);
            let mut source = list.with_parking(parking.clone());
            compile(&mut source, &mut installer, &|_| {}).unwrap_or_else(|error| panic!("{error}"));
        }
        installer.commit().unwrap();
        let generation = Generation::open(directory.path(), Memory::Sealed).unwrap();
        Self {
            generation,
            _directory: directory,
        }
    }

    pub(super) fn generation(&self) -> &Generation {
        &self.generation
    }

    pub(super) fn send(&self, wire: &[u8], transport: Transport) -> (Action, Vec<u8>) {
        let request = Request {
            peer: "192.0.2.53:5353".parse().unwrap(),
            transport,
            wire,
            now: 0,
        };
        self.send_to(&Engine::default(), &request)
    }

    pub(super) fn send_to(&self, engine: &Engine, request: &Request<'_>) -> (Action, Vec<u8>) {
        let mut out = match request.transport {
            Transport::Udp => vec![0xaa; UDP_BUFFER_BYTES],
            Transport::Tcp | Transport::Tls => vec![0xaa; 65_535],
        };
        let action = engine.answer(&self.generation, request, &mut out);
        if let Action::Reply { length, .. } = action {
            out.truncate(length);
        } else {
            out.clear();
        }
        (action, out)
    }

    /// Asks in the words of [`query`]; the reply in words.
    pub(super) fn ask(&self, question: &str) -> String {
        let (wire, transport) = query(question);
        let (_, reply) = self.send(&wire, transport);
        describe(&reply)
    }

    /// Expects a reply, and the same over TCP where it is not cut off.
    #[track_caller]
    pub(super) fn check(&self, question: &str, expected: &str) {
        let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(self.ask(question), expected, "{question}");
        if !expected.contains(" tc") {
            assert_eq!(
                self.ask(&format!("{question} +tcp")),
                expected,
                "{question} +tcp"
            );
        }
    }
}

/// The query `name type`, and how it comes. `class=n`, `+tcp` and `+tls` are as
/// they look; an OPT comes with any of `+do`, `+edns=size`, `+version=n`,
/// `+flags=hex` and `+option=code:hex`.
pub(super) fn query(question: &str) -> (Vec<u8>, Transport) {
    let mut words = question.split_whitespace();
    let name = Name::parse_absolute(words.next().unwrap()).unwrap();
    let rtype: RecordType = words.next().unwrap().parse().unwrap();
    let (mut transport, mut class) = (Transport::Udp, 1u16);
    let (mut size, mut version, mut flags, mut options) = (1232u16, 0, 0u16, Vec::new());
    let mut edns = false;
    for word in words {
        let (word, value) = word.split_once('=').unwrap_or((word, ""));
        edns |= !matches!(word, "+tcp" | "+tls" | "class");
        match word {
            "+tcp" => transport = Transport::Tcp,
            "+tls" => transport = Transport::Tls,
            "class" => class = value.parse().unwrap(),
            "+do" => flags |= 0x8000,
            "+edns" => size = value.parse().unwrap(),
            "+version" => version = value.parse().unwrap(),
            "+flags" => flags |= u16::from_str_radix(value, 16).unwrap(),
            "+option" => options.extend(option(value)),
            _ => panic!("{word}?"),
        }
    }
    let mut wire = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    wire.extend_from_slice(name.as_wire());
    wire.extend_from_slice(&rtype.0.to_be_bytes());
    wire.extend_from_slice(&class.to_be_bytes());
    if edns {
        wire[11] = 1;
        wire.extend_from_slice(&[0, 0, 41]);
        wire.extend_from_slice(&size.to_be_bytes());
        wire.extend_from_slice(&[0, version]);
        wire.extend_from_slice(&flags.to_be_bytes());
        wire.extend_from_slice(&u16::try_from(options.len()).unwrap().to_be_bytes());
        wire.extend_from_slice(&options);
    }
    (wire, transport)
}

/// An option from `code:hex`.
fn option(text: &str) -> Vec<u8> {
    let (code, data) = text.split_once(':').unwrap();
    let data = hex(data);
    let mut option = code.parse::<u16>().unwrap().to_be_bytes().to_vec();
    option.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
    option.extend_from_slice(&data);
    option
}

/// Octets from hexadecimal digits.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// RCODE, flags and sections of a reply, as hickory-proto reads it.
pub(super) fn describe(reply: &[u8]) -> String {
    if reply.is_empty() {
        return "dropped".to_owned();
    }
    let message = Message::from_vec(reply).unwrap();
    let head = &message.metadata;
    assert!(!head.recursion_available && !head.authentic_data && !head.checking_disabled);
    let mut text = format!("{:?}", head.response_code);
    for (flag, name) in [(head.authoritative, " aa"), (head.truncation, " tc")] {
        text.push_str(if flag { name } else { "" });
    }
    if message.edns.is_some() {
        text.push_str(" edns");
    }
    let sections = [
        ("answer", &message.answers),
        ("authority", &message.authorities),
        ("additional", &message.additionals),
    ];
    for (name, records) in sections {
        if !records.is_empty() {
            let records: Vec<_> = records.iter().map(describe_record).collect();
            write!(text, " {name}: {}", records.join(", ")).unwrap();
        }
    }
    text
}

fn describe_record(record: &Record) -> String {
    let owner = record.name.to_string().to_lowercase();
    match &record.data {
        RData::A(address) => format!("{owner} A {address}"),
        RData::AAAA(address) => format!("{owner} AAAA {address}"),
        RData::NS(host) => format!("{owner} NS {}", host.to_string().to_lowercase()),
        RData::CNAME(target) => format!("{owner} CNAME {target}"),
        RData::MX(mx) => format!("{owner} MX {}", mx.exchange),
        RData::SOA(soa) => format!("{owner} SOA {} ttl {}", soa.serial, record.ttl),
        _ => format!("{owner} {}", RecordType(u16::from(record.record_type()))),
    }
}
