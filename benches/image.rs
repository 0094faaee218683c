//! From a zone file to an answer, step by step.
//!
//! - `compile`: what does a zone file of 10,000 delegations cost to become an image?
//! - `open`: what does a server pay to verify and map that image before a swap?
//! - `answer`: what does one reply cost, from the octets of the query to its own,
//!   for the queries a TLD sees, when names come in no order?
//!
//! `cargo bench --bench image`; figures in the documentation come from here.

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use loadtest::blast::Queries;
use loadtest::generate::{self, Parameters, Registry};
use meridian::dns::engine::{Engine, Request, Transport};
use tempfile::TempDir;
use zone_compiler::zonefile::ZoneFileSource;
use zone_image::writer::Installer;
use zone_image::{Generation, Memory, Name};

/// Delegations for the steps that treat the whole zone.
const SMALL: u64 = 10_000;
/// Delegations for answers: far more than the caches hold.
const LARGE: u64 = 1_000_000;
/// Queries that are asked in turn.
const QUERIES: u64 = 200_000;

/// A generated zone and its query files.
fn generated(domains: u64) -> (TempDir, generate::Files) {
    let directory = tempfile::tempdir().expect("a temporary folder can be made");
    let apex = Name::parse_absolute("example.").expect("a name");
    let parameters = Parameters {
        apex,
        domains,
        seed: 1,
        queries: QUERIES,
        exponent: 1.0,
    };
    let registry = Registry::new(parameters).expect("parameters within bounds");
    let files = generate::write(&registry, directory.path()).expect("the files can be written");
    (directory, files)
}

fn compile(zone: &Path, image: &Path) {
    let mut source = ZoneFileSource::open(zone, None).expect("a generated zone has a SOA");
    let mut installer = Installer::replace(image, None).expect("the directory takes an image");
    zone_compiler::compile(&mut source, &mut installer, &|_| {}).expect("the zone is sound");
    installer.commit().expect("the image can be written");
}

fn image(domains: u64) -> (TempDir, generate::Files) {
    let (directory, files) = generated(domains);
    let image = directory.path().join("image");
    std::fs::create_dir(&image).expect("the folder is new");
    compile(&files.zone, &image);
    (directory, files)
}

fn whole_zone(criterion: &mut Criterion) {
    let (directory, files) = image(SMALL);
    let image = directory.path().join("image");
    let mut group = criterion.benchmark_group("zone of 10,000 delegations");
    group
        .throughput(Throughput::Elements(SMALL))
        .sample_size(20);
    group.bench_function("compile", |bencher| {
        bencher.iter(|| compile(&files.zone, &image))
    });
    group.bench_function("open", |bencher| {
        bencher.iter(|| Generation::open(&image, Memory::Sealed).expect("the image is whole"));
    });
    group.finish();
}

fn answer(criterion: &mut Criterion) {
    let (directory, files) = image(LARGE);
    let image = directory.path().join("image");
    let generation = Generation::open(&image, Memory::Sealed).expect("the image is whole");
    let engine = Engine::default();
    let mut out = [0; 4096];
    let mut group = criterion.benchmark_group("answer among 1,000,000 delegations");
    group.throughput(Throughput::Elements(1));
    for file in &files.queries {
        let queries = Queries::read(file, true).expect("generated queries");
        let kind = file
            .file_name()
            .expect("a file has a name")
            .to_string_lossy();
        let mut next = 0;
        group.bench_function(kind, |bencher| {
            bencher.iter(|| {
                next = (next + 1) % queries.len();
                let request = Request {
                    peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1024)),
                    transport: Transport::Udp,
                    wire: queries.message(next),
                    now: 0,
                };
                black_box(engine.answer(&generation, &request, &mut out))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, whole_zone, answer);
criterion_main!(benches);
