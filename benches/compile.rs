//! What does a zone cost to become an image?
//!
//! - `parse`: reading the zone file into records, and nothing else.
//! - `compile`: the same with all that makes an image of it, on disk and synced.
//! - `compile, signed`: the same of a zone that somebody else signed (8 % of the
//!   delegations secure, NSEC3 with opt-out), whose chain is checked.
//!
//! Per delegation, so that sizes can be compared: 10,000 of them, or
//! `MERIDIAN_BENCH_DELEGATIONS=10000,1000000`. What signing costs is in `sign`.
//!
//! `cargo bench --bench compile`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use zone_compiler::ZoneSource as _;
use zone_compiler::zonefile::ZoneFileSource;

#[path = "support/sizes.rs"]
mod sizes;
#[path = "support/zone.rs"]
mod zone;

use sizes::sizes;

fn compile(criterion: &mut Criterion) {
    for size in sizes() {
        let mut group = criterion.benchmark_group(format!("zone file/{size}"));
        group
            .throughput(Throughput::Elements(size))
            .warm_up_time(Duration::from_secs(1))
            .measurement_time(Duration::from_secs(4))
            .sample_size(10);
        let (directory, files) = zone::generated(size, false);
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
            let image = zone::image_folder(directory.path());
            bencher.iter(|| zone::compile(&files.zone, &image));
        });
        let (directory, files) = zone::generated(size, true);
        group.bench_function("compile, signed", |bencher| {
            let image = zone::image_folder(directory.path());
            bencher.iter(|| zone::compile(&files.zone, &image));
        });
        group.finish();
    }
}

criterion_group!(benches, compile);
criterion_main!(benches);
