//! What does a zone of 10,000 delegations cost to become an image?
//!
//! - `parse`: reading the zone file into records, and nothing else.
//! - `compile`: the same with all that makes an image of it, on disk and synced.
//!
//! `cargo bench --bench compile`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use zone_compiler::ZoneSource as _;
use zone_compiler::zonefile::ZoneFileSource;

#[path = "support/zone.rs"]
mod zone;

const DELEGATIONS: u64 = 10_000;

fn compile(criterion: &mut Criterion) {
    let (_directory, files, image) = zone::image(DELEGATIONS);
    let mut group = criterion.benchmark_group("zone file of 10,000 delegations");
    group
        .throughput(Throughput::Elements(DELEGATIONS))
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .sample_size(20);
    group.bench_function("parse", |bencher| {
        bencher.iter(|| {
            let source = ZoneFileSource::open(&files.zone, None);
            let mut source = source.expect("a generated zone has a SOA");
            let mut octets = 0;
            let read = source.for_each(&mut |record| {
                octets += record.rdata.len();
                Ok(())
            });
            read.expect("a generated zone is sound");
            black_box(octets)
        });
    });
    group.bench_function("compile", |bencher| {
        bencher.iter(|| zone::compile(&files.zone, &image));
    });
    group.finish();
}

criterion_group!(benches, compile);
criterion_main!(benches);
