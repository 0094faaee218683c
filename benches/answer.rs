//! From the octets of a query to those of its reply, in the process.
//!
//! - `parse`: what does it cost to read a name from a query, and to refuse a query
//!   for a zone that is not ours, which is all but the look-up?
//! - `lookup`: what does it cost to find a delegation or that a name is missing, one
//!   name at a time, and how does that grow with the zone?
//! - `single`, `batch`: what does a reply cost, one by one and in batches of 64, for
//!   each kind of query to a signed zone, and how does that grow with the zone?
//! - `wildcard`: what does an answer from a wildcard cost?
//!
//! `cargo bench --bench answer -- 1000000` measures one size; the sizes are 10,000,
//! 1,000,000 and 10,000,000 delegations, of which the last takes some minutes and
//! 6 GB to build at the first time. Names are drawn evenly from the whole zone.

use std::hint::black_box;
use std::io::Cursor;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use loadtest::blast::Queries;
use meridian::dns::engine::{Action, DropReason, Engine, Job, Names, TURNS, UDP_BUFFER_BYTES};
use zone_compiler::RecordList;
use zone_compiler::zonefile::Reader;
use zone_image::writer::Installer;
use zone_image::{Generation, LookupName, Memory, Name};

#[path = "support/sample.rs"]
mod sample;

use sample::{Kind, STRIDE, Sample, request};

/// Delegations of the zones.
const SIZES: [u64; 3] = [10_000, 1_000_000, 10_000_000];
/// Octets of a header.
const HEADER_BYTES: usize = 12;

fn parse(criterion: &mut Criterion) {
    let sample = Sample::new(SIZES[0]);
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
    one_by_one(&mut group, "refused", &generation, &foreign);
    group.finish();
}

fn lookup(criterion: &mut Criterion) {
    for size in SIZES {
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
    for size in SIZES {
        let mut sample = None;
        let mut group = criterion.benchmark_group(format!("single/{size}"));
        group.throughput(Throughput::Elements(1));
        for kind in Kind::ALL {
            group.bench_function(kind.name(), |bencher| {
                let (generation, queries) = prepare(&mut sample, size, kind);
                let engine = Engine::default();
                let mut out = [0; UDP_BUFFER_BYTES];
                let mut next = 0;
                bencher.iter(|| {
                    next += 1;
                    black_box(engine.answer(generation, &request(&queries, next), &mut out))
                });
            });
        }
        group.finish();
        let mut group = criterion.benchmark_group(format!("batch/{size}"));
        group.throughput(Throughput::Elements(TURNS as u64));
        for kind in Kind::ALL {
            group.bench_function(kind.name(), |bencher| {
                let (generation, queries) = prepare(&mut sample, size, kind);
                let engine = Engine::default();
                let mut outs = vec![0; TURNS * STRIDE];
                let mut names = Names::default();
                let mut next = 0;
                bencher.iter(|| {
                    next += TURNS;
                    let mut buffers = outs.chunks_exact_mut(STRIDE);
                    let mut jobs: [_; TURNS] = std::array::from_fn(|at| {
                        Some(Job {
                            request: request(&queries, next + at),
                            out: buffers.next()?,
                            action: Action::Drop(DropReason::Short),
                        })
                    });
                    engine.answer_batch(generation, &mut names, &mut jobs);
                    black_box(&jobs);
                });
            });
        }
        group.finish();
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
    group.throughput(Throughput::Elements(1));
    one_by_one(&mut group, "answer", &generation, &queries);
    group.finish();
}

fn one_by_one(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    generation: &Generation,
    queries: &Queries,
) {
    let engine = Engine::default();
    let mut out = [0; UDP_BUFFER_BYTES];
    group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
        bencher.iter(|| black_box(engine.answer(generation, &request(queries, 0), &mut out)));
    });
}

criterion_group!(benches, parse, lookup, replies, wildcard);
criterion_main!(benches);
