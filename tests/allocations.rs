//! Counts what the engine allocates: nothing, whatever is asked.
//!
//! A program of its own, since it counts every allocation of its process.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::{Path, PathBuf};

use hickory_proto::op::Message;
use hickory_proto::rr::RecordType;
use meridian::dns::cookie::CookieSecrets;
use meridian::dns::engine::{
    Action, DropReason, Engine, EngineConfig, Job, Names, Outcome, Request, TURNS, Transport,
    UDP_BUFFER_BYTES,
};
use meridian::dns::rate::RateLimits;
use meridian::dns::secret::Secret;
use zone_compiler::zonefile::Reader;
use zone_compiler::{ParkedRecord, Parking, RecordList, RecordType as Rtype, compile};
use zone_image::writer::Installer;
use zone_image::{Generation, Memory, Name};

/// Messages that are answered while allocations are counted.
const QUERIES: usize = 100_000;
/// The first second.
const START: u64 = 1_700_000_000;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[expect(
    unsafe_code,
    reason = "an allocator is asked for memory by unsafe calls"
)]
// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above, and `pointer` is one that `System` gave.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations that this thread made during `work`.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

fn fuzz_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz")
        .join(name)
}

fn generation() -> Generation {
    let directory = tempfile::tempdir().unwrap();
    let mut installer = Installer::replace(directory.path(), None).unwrap();
    for zone in ["plain.zone", "nsec.zone", "nsec3.zone"] {
        let path = fuzz_folder("checks").join(zone);
        let input = Box::new(std::fs::File::open(&path).unwrap());
        let input = Box::new(std::io::BufReader::new(input));
        let records: Vec<_> = Reader::new(input, &path, Some(Name::root()))
            .collect::<Result<_, _>>()
            .unwrap();
        let mut source = RecordList::new(records[0].owner.clone(), 0, records);
        compile(&mut source, &mut installer, &|_| {}).unwrap();
    }
    let records: Vec<_> = Reader::new(Box::new(PARK.as_bytes()), Path::new("park"), None)
        .collect::<Result<_, _>>()
        .unwrap();
    let list = RecordList::new("park.".parse().unwrap(), 0, records);
    let mut source = list.with_parking(Some(parking()));
    compile(&mut source, &mut installer, &|_| {}).unwrap();
    installer.commit().unwrap();
    Generation::open(directory.path(), Memory::Sealed).unwrap()
}

/// A zone that parks two names, one of which an alias leads to.
const PARK: &str = "park. 60 SOA ns.park. host.park. 7 7200 900 1209600 300\n\
    park. 60 NS ns.park.\nns.park. 60 A 192.0.2.1\np1.nic.park. 60 A 192.0.2.11\n\
    a.park. 60 NS p1.nic.park.\na.park. 60 NS p2.else.\n\
    b.park. 60 NS p1.nic.park.\nb.park. 60 NS p2.else.\nto.park. 60 CNAME x.a.park.\n";

fn parking() -> Parking {
    let name = |text: &str| text.parse::<Name>().unwrap();
    let soa = [
        name("p1.nic.park.").as_wire(),
        name("park.").as_wire(),
        &[1; 20],
    ]
    .concat();
    let record = |is_below, rtype: u16, rdata: &[u8]| ParkedRecord {
        is_below,
        rtype: Rtype(rtype),
        ttl: 300,
        rdata: rdata.into(),
    };
    Parking {
        servers: [name("p1.nic.park."), name("p2.else.")].into(),
        records: vec![
            record(false, 6, &soa),
            record(false, 1, &[192, 0, 2, 80]),
            record(false, 16, b"\x06parked"),
            record(true, 1, &[192, 0, 2, 81]),
        ],
        is_signed: false,
        is_withdrawn: false,
    }
}

/// Everything that is answered for parked names, without a server's cookie.
fn parked_messages() -> Vec<Vec<u8>> {
    let names = ["a.park.", "B.park.", "x.a.park.", "y.x.b.park.", "to.park."];
    let types = [1, 2, 6, 16, 28, 43, 48, 255];
    let each = |name| types.map(|rtype| query(name, rtype, b"12345678"));
    names.into_iter().flat_map(each).collect()
}

fn engine() -> Engine {
    Engine::new(EngineConfig {
        version: "Meridian".to_owned(),
        identity: "here".to_owned(),
        nsid: "here".to_owned(),
        report_channel: Some("report.test".parse().unwrap()),
        cookie_secrets: CookieSecrets::one(Secret::new([1; 16])),
        // Enough for some replies to be sent, some to slip, some to be dropped.
        rate_limits: Some(RateLimits {
            responses_per_second: 100,
            ..RateLimits::default()
        }),
        ..EngineConfig::default()
    })
}

/// The corpus of the fuzz target: signed and unsigned, good and bad.
fn messages() -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(fuzz_folder("corpus/query")).unwrap();
    files
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect()
}

/// A query with the client cookie of RFC 7873 and what more of a cookie there is.
fn query(name: &str, rtype: u16, cookie: &[u8]) -> Vec<u8> {
    let name: Name = name.parse().unwrap();
    let mut wire = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    wire.extend_from_slice(name.as_wire());
    wire.extend_from_slice(&rtype.to_be_bytes());
    // IN; then OPT with 1232 octets and DO.
    wire.extend_from_slice(&[0, 1, 0, 0, 41, 4, 0xd0, 0, 0, 0x80, 0]);
    let length = u16::try_from(cookie.len()).unwrap();
    wire.extend_from_slice(&(length + 4).to_be_bytes());
    wire.extend_from_slice(&[0, 10]);
    wire.extend_from_slice(&length.to_be_bytes());
    wire.extend_from_slice(cookie);
    wire
}

fn request(wire: &[u8], transport: Transport, now: u64) -> Request<'_> {
    Request {
        peer: ([192, 0, 2, 1], 5300).into(),
        transport,
        wire,
        now,
    }
}

/// Octets that a transport leaves for a reply.
fn room(transport: Transport) -> usize {
    match transport {
        Transport::Udp => UDP_BUFFER_BYTES,
        _ => 65_535,
    }
}

/// The whole cookie that the engine gives to a client.
fn server_cookie(generation: &Generation, engine: &Engine) -> Vec<u8> {
    let wire = query("example.", 6, b"12345678");
    let mut out = vec![0; 65_535];
    let request = request(&wire, Transport::Tcp, START);
    let Action::Reply { length, .. } = engine.answer(generation, &request, &mut out) else {
        panic!("no reply");
    };
    let reply = &out[..length];
    let at = reply
        .windows(12)
        .position(|octets| *octets == *b"\0\x0a\0\x1812345678");
    reply[at.expect("a cookie of 24 octets") + 4..][..24].to_vec()
}

/// Counts the allocations of so many answers to `messages`, over every transport.
fn check(messages: &[Vec<u8>]) {
    let (generation, engine) = (generation(), engine());
    let mut out = vec![0; 65_535];
    let (mut replies, mut octets, mut silent) = (0usize, 0usize, 0usize);
    let counted = allocations(|| {
        for (number, wire) in (0..QUERIES).zip(messages.iter().cycle()) {
            let transport = match number % 4 {
                0 => Transport::Tcp,
                1 => Transport::Tls,
                _ => Transport::Udp,
            };
            let request = request(wire, transport, START + number as u64 / 1000);
            match engine.answer(&generation, &request, &mut out[..room(transport)]) {
                Action::Reply { length, .. } => {
                    replies += 1;
                    octets += length;
                }
                Action::Drop(_) => silent += 1,
            }
        }
    });
    assert_eq!(counted, 0);
    // It was the engine at work, not one refusal all along.
    assert!(replies > QUERIES / 2, "{replies} replies");
    assert!(silent > QUERIES / 100, "{silent} without a reply");
    assert!(
        octets > 60 * replies,
        "{octets} octets in {replies} replies"
    );
}

#[test]
fn a_hundred_thousand_mixed_answers_allocate_nothing() {
    let mut messages = messages();
    let cookie = server_cookie(&generation(), &engine());
    for name in ["example.", "no.nsec.", "no.nsec3.", "x.moved.example."] {
        messages.push(query(name, 1, &cookie));
        messages.push(query(name, 255, &cookie));
    }
    check(&messages);
    // And the counter counts.
    assert_eq!(allocations(|| drop(Box::new(0u64))), 1);
}

/// The messages whose question is at or below the apex, in any of the forms.
fn messages_of(apex: &str) -> Vec<Vec<u8>> {
    let apex: Name = apex.parse().unwrap();
    let mut messages = messages();
    messages.retain(|wire| {
        let message = Message::from_vec(wire);
        message.is_ok_and(|message| {
            message.queries.first().is_some_and(|question| {
                let name: Result<Name, _> = question.name().to_string().parse();
                name.is_ok_and(|name| name.is_at_or_below(&apex))
            })
        })
    });
    assert!(messages.len() >= 15, "{} of {apex}", messages.len());
    messages
}

#[test]
fn a_hundred_thousand_unsigned_answers_allocate_nothing() {
    check(&messages_of("example."));
}

#[test]
fn a_hundred_thousand_answers_with_nsec_allocate_nothing() {
    check(&messages_of("nsec."));
}

#[test]
fn a_hundred_thousand_answers_with_nsec3_and_opt_out_allocate_nothing() {
    check(&messages_of("nsec3."));
}

#[test]
fn a_hundred_thousand_answers_of_parked_names_allocate_nothing() {
    let (generation, engine, messages) = (generation(), Engine::default(), parked_messages());
    let mut out = vec![0; 65_535];
    let mut authoritative = 0;
    for wire in &messages {
        let request = request(wire, Transport::Tcp, START);
        let action = engine.answer(&generation, &request, &mut out);
        let Action::Reply { length, outcome } = action else {
            panic!("no reply");
        };
        assert!(
            matches!(outcome, Outcome::Answer | Outcome::NoData),
            "{outcome:?}"
        );
        let reply = Message::from_vec(&out[..length]).unwrap();
        authoritative += usize::from(reply.metadata.authoritative);
    }
    assert_eq!(authoritative, messages.len(), "none is a referral");
    check(&messages);
}

/// What is asked above is some of everything that is answered in a way of its own.
#[test]
fn the_messages_have_every_kind_of_answer() {
    let (generation, engine) = (generation(), Engine::default());
    let mut out = vec![0; 65_535];
    let (mut outcomes, mut types) = (Vec::new(), Vec::new());
    let mut wildcards = 0;
    for wire in messages() {
        let request = request(&wire, Transport::Tcp, START);
        let action = engine.answer(&generation, &request, &mut out);
        let Action::Reply { length, outcome } = action else {
            continue;
        };
        outcomes.push(outcome);
        let Ok(reply) = Message::from_vec(&out[..length]) else {
            continue;
        };
        let records = reply.answers.iter().chain(&reply.authorities);
        types.extend(
            records
                .chain(&reply.additionals)
                .map(|record| record.record_type()),
        );
        wildcards += usize::from(reply.answers.iter().any(|record| {
            record.name.to_string().starts_with("q.wild.") && record.record_type() == RecordType::MX
        }));
    }
    for outcome in [
        Outcome::Answer,
        Outcome::Referral,
        Outcome::NxDomain,
        Outcome::NoData,
    ] {
        assert!(outcomes.contains(&outcome), "{outcome:?}");
    }
    for rtype in [1, 2, 5, 6, 39, 43, 46, 47, 48, 50].map(RecordType::from) {
        assert!(types.contains(&rtype), "{rtype}");
    }
    assert!(wildcards >= 3, "{wildcards} wildcards");
}

#[test]
fn batches_allocate_nothing() {
    let (generation, engine, mut messages) = (generation(), engine(), messages());
    messages.extend(parked_messages());
    let mut outs = vec![0; TURNS * UDP_BUFFER_BYTES];
    let mut names = Names::default();
    let mut wires = messages.iter().cycle();
    let mut replies = 0usize;
    let counted = allocations(|| {
        for number in 0..QUERIES / TURNS {
            let mut buffers = outs.chunks_exact_mut(UDP_BUFFER_BYTES);
            let mut jobs: [_; TURNS] = std::array::from_fn(|_| {
                Some(Job {
                    request: Request {
                        peer: ([192, 0, 2, 1], 5300).into(),
                        transport: Transport::Udp,
                        wire: wires.next()?,
                        now: 1_700_000_000 + number as u64,
                    },
                    out: buffers.next()?,
                    action: Action::Drop(DropReason::Short),
                })
            });
            engine.answer_batch(&generation, &mut names, &mut jobs);
            let replied = |job: &&Job<'_>| matches!(job.action, Action::Reply { .. });
            replies += jobs.iter().flatten().filter(replied).count();
        }
    });
    assert_eq!(counted, 0);
    assert!(replies > QUERIES / 2, "{replies} replies");
}
