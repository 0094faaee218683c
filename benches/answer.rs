//! From the octets of a query to those of its reply, in the process.
//!
//! - `parse`: what does it cost to read a name from a query, and to refuse a query
//!   for a zone that is not ours, which is all but the look-up?
//! - `lookup`: what does it cost to find a delegation or that a name is missing, one
//!   name at a time, and how does that grow with the zone?
//! - `single`, `batch of 32`, `batch of 64`: what does a reply cost, one by one and in
//!   batches, for each kind of query to a signed zone, and how does that grow with the
//!   zone? In batches of 32 among 10,000,000 delegations a referral is to take 250 ns
//!   at most and an NXDOMAIN with its proof 400 ns; a busy worker's batches have 64.
//! - `wildcard`: what does an answer from a wildcard cost, alone and in a batch of 32?
//!
//! Zones have 10,000 delegations, or `MERIDIAN_BENCH_DELEGATIONS=10000,1000000,10000000`;
//! the last takes minutes and 6 GB of disk at the first time. Names are drawn evenly from
//! the zone. On a machine that others use, `profile` tells processor time.

use std::hint::black_box;
use std::io::Cursor;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use loadtest::blast::Queries;
use meridian::dns::engine::TURNS;
use zone_compiler::RecordList;
use zone_compiler::zonefile::Reader;
use zone_image::writer::Installer;
use zone_image::{Generation, LookupName, Memory, Name};

#[path = "support/sample.rs"]
mod sample;
#[path = "support/sizes.rs"]
mod sizes;

use sample::{Desk, Kind, Sample};
use sizes::sizes;

/// Delegations of a zone that is only there to be asked for something else.
const SMALL: u64 = 10_000;
/// Queries of a batch: what figures are agreed on, and what a worker takes at most.
const BATCHES: [usize; 2] = [32, TURNS];
/// Octets of a header.
const HEADER_BYTES: usize = 12;

fn parse(criterion: &mut Criterion) {
    let sample = Sample::new(SMALL);
    let generation = sample.open();
    let queries = sample.queries(Kind::AnyReferral);
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Elements(1));
    let mut next = 0;
    group.bench_function("name", |bencher| {
        bencher.iter(|| {
            next = (next + 1) % queries.len();
            LookupName::parse(black_box(&queries.message(next)[HEADER_BYTES..]))
                .map(|name| black_box(&name).labels())
        });
    });
    let mut foreign = Queries::new(true);
    foreign
        .push_text("www.elsewhere.test A")
        .expect("a good query");
    let mut desk = Desk::new();
    group.bench_function("refused", |bencher| {
        bencher.iter(|| desk.answer(&generation, &foreign, 0));
    });
    group.finish();
}

fn lookup(criterion: &mut Criterion) {
    for size in sizes() {
        let mut sample = None;
        let mut group = criterion.benchmark_group(format!("lookup/{size}"));
        group.throughput(Throughput::Elements(1));
        for kind in [Kind::Referral, Kind::NxDomain] {
            group.bench_function(kind.name(), |bencher| {
                let (generation, queries) = prepare(&mut sample, size, kind);
                let mut next = 0;
                bencher.iter(|| {
                    next = (next + 1) % queries.len();
                    let name = LookupName::parse(&queries.message(next)[HEADER_BYTES..])
                        .expect("generated names");
                    let zone = generation.find_zone(&name, name.labels());
                    black_box(zone.expect("the only zone").lookup(&name));
                });
            });
        }
        group.finish();
    }
}

fn replies(criterion: &mut Criterion) {
    for size in sizes() {
        let mut sample = None;
        let mut group = criterion.benchmark_group(format!("single/{size}"));
        group.throughput(Throughput::Elements(1));
        for kind in Kind::ALL {
            group.bench_function(kind.name(), |bencher| {
                let (generation, queries) = prepare(&mut sample, size, kind);
                let (mut desk, mut next) = (Desk::new(), 0);
                bencher.iter(|| {
                    next += 1;
                    desk.answer(generation, &queries, next)
                });
            });
        }
        group.finish();
        for count in BATCHES {
            let mut group = criterion.benchmark_group(format!("batch of {count}/{size}"));
            group.throughput(Throughput::Elements(count as u64));
            for kind in Kind::ALL {
                group.bench_function(kind.name(), |bencher| {
                    let (generation, queries) = prepare(&mut sample, size, kind);
                    let (mut desk, mut next) = (Desk::new(), 0);
                    bencher.iter(|| {
                        next += count;
                        desk.answer_batch(generation, &queries, next, count)
                    });
                });
            }
            group.finish();
        }
    }
}

/// The image of a size, opened when the first bench that is not filtered out asks.
fn prepare(
    sample: &mut Option<(Sample, Generation)>,
    size: u64,
    kind: Kind,
) -> (&Generation, Queries) {
    let (sample, generation) = sample.get_or_insert_with(|| {
        let sample = Sample::new(size);
        let generation = sample.open();
        (sample, generation)
    });
    (generation, sample.queries(kind))
}

fn wildcard(criterion: &mut Criterion) {
    const ZONE: &[u8] = b"example. 900 IN SOA a.example. h.example. 1 1800 900 604800 900\n\
        example. 900 IN NS a.example.\na.example. 900 IN A 192.0.2.1\n\
        *.wild.example. 900 IN TXT \"made from a wildcard\"\n";
    let directory = tempfile::tempdir().expect("a temporary folder can be made");
    let input = Box::new(Cursor::new(ZONE));
    let records = Reader::new(input, Path::new("wild.zone"), Some(Name::root()))
        .collect::<Result<Vec<_>, _>>()
        .expect("a good zone file");
    let mut source = RecordList::new(records[0].owner.clone(), 0, records);
    let mut installer = Installer::replace(directory.path(), None).expect("an empty folder");
    zone_compiler::compile(&mut source, &mut installer, &|_| {}).expect("the zone is sound");
    installer.commit().expect("the image can be written");
    let generation = Generation::open(directory.path(), Memory::Sealed).expect("a whole image");
    let mut queries = Queries::new(true);
    queries
        .push_text("some.name.wild.example TXT")
        .expect("a good query");
    let mut group = criterion.benchmark_group("wildcard");
    let mut desk = Desk::new();
    group.throughput(Throughput::Elements(1));
    group.bench_function("single", |bencher| {
        bencher.iter(|| desk.answer(&generation, &queries, 0));
    });
    let count = BATCHES[0];
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function(format!("batch of {count}"), |bencher| {
        bencher.iter(|| desk.answer_batch(&generation, &queries, 0, count));
    });
    group.finish();
}

criterion_group!(benches, parse, lookup, replies, wildcard);
criterion_main!(benches);
