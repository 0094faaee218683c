//! What does a new image cost a server that is serving?
//!
//! - `open`: to read an image of a signed zone into sealed memory and verify it, before
//!   the swap; by all cores, and by one where this is run under `taskset -c 0`.
//! - `open, mapped`: the same without the copy: digest, pages and references alone.
//! - `open, taken over`: where the server has all segments already, as after a change.
//! - `swap`: to put an open one into service.
//! - `look`: what a worker pays once a batch to see whether there was a swap.
//!
//! 10,000 delegations, or `MERIDIAN_BENCH_DELEGATIONS=10000,1000000,10000000`, of which
//! the last takes some minutes and 6 GB of disk to build at the first time.
//!
//! `cargo bench --bench swap`.

use std::hint::black_box;
use std::time::Duration;

use arc_swap::Cache;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use meridian::dns::generations::{Generations, Source};
use zone_image::{Generation, Memory};

#[path = "support/sample.rs"]
mod sample;
#[path = "support/sizes.rs"]
mod sizes;

use sample::Sample;
use sizes::sizes;

fn swap(criterion: &mut Criterion) {
    for size in sizes() {
        let sample = Sample::new(size);
        let image = sample.image();
        let mut group = criterion.benchmark_group(format!("image/{size}"));
        group
            .warm_up_time(Duration::from_secs(1))
            .measurement_time(Duration::from_secs(3))
            .sample_size(10);
        let open = |memory| Generation::open(image, memory).expect("the image is whole");
        group.throughput(Throughput::Bytes(open(Memory::Mapped).bytes()));
        for (name, memory) in [("open", Memory::Sealed), ("open, mapped", Memory::Mapped)] {
            group.bench_function(name, |bencher| {
                bencher.iter_with_large_drop(|| open(memory));
            });
        }
        let first = open(Memory::Mapped);
        let again = || Generation::open_after(image, Memory::Mapped, Some(&first));
        let again = || again().expect("the image is whole");
        group.throughput(Throughput::Elements(1));
        group.bench_function("open, taken over", |bencher| bencher.iter(again));
        let generations = Generations::open(Source {
            directory: image.to_owned(),
            memory: Memory::Mapped,
            check: Box::new(|_| Ok(())),
            clock: || 0,
        });
        let generations = generations.expect("the image is whole");
        group.bench_function("swap", |bencher| {
            let opened = || {
                // What was replaced is freed here, as the installer does it.
                generations.free_retired();
                again()
            };
            let install = |generation| generations.install(generation);
            bencher.iter_batched(opened, install, BatchSize::PerIteration);
        });
        let mut worker = Cache::new(generations.handle());
        group.bench_function("look", |bencher| {
            bencher.iter(|| black_box(worker.load().number()));
        });
        group.finish();
    }
}

criterion_group!(benches, swap);
criterion_main!(benches);
