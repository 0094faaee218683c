//! Counts what the engine allocates: nothing, whatever is asked.
//!
//! A program of its own, since it counts every allocation of its process.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::{Path, PathBuf};

use meridian::dns::cookie::CookieSecrets;
use meridian::dns::engine::{Action, Engine, EngineConfig, Request, Transport, UDP_BUFFER_BYTES};
use meridian::dns::rate::RateLimits;
use meridian::dns::secret::Secret;
use zone_compiler::zonefile::Reader;
use zone_compiler::{RecordList, compile};
use zone_image::writer::Installer;
use zone_image::{Generation, Memory, Name};

/// Messages that are answered while allocations are counted.
const QUERIES: usize = 100_000;

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
    installer.commit().unwrap();
    Generation::open(directory.path(), Memory::Sealed).unwrap()
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

#[test]
fn a_hundred_thousand_answers_allocate_nothing() {
    let (generation, engine, messages) = (generation(), engine(), messages());
    let mut out = vec![0; 65_535];
    let (mut replies, mut octets, mut silent) = (0usize, 0usize, 0usize);
    let counted = allocations(|| {
        for (number, wire) in (0..QUERIES).zip(messages.iter().cycle()) {
            let (transport, room) = match number % 3 {
                0 => (Transport::Tcp, 65_535),
                _ => (Transport::Udp, UDP_BUFFER_BYTES),
            };
            let request = Request {
                peer: ([192, 0, 2, 1], 5300).into(),
                transport,
                wire,
                now: 1_700_000_000 + number as u64 / 1000,
            };
            match engine.answer(&generation, &request, &mut out[..room]) {
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
        octets > 150 * replies,
        "{octets} octets in {replies} replies"
    );
    // And the counter counts.
    assert_eq!(allocations(|| drop(Box::new(0u64))), 1);
}
