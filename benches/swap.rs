//! What does a new image cost a server that is serving?
//!
//! - `open`: to verify and map an image of 10,000 delegations before the swap.
//! - `swap`: to put an open one into service.
//! - `look`: what a worker pays once a batch to see whether there was a swap.
//!
//! `cargo bench --bench swap`.

use std::hint::black_box;
use std::time::Duration;

use arc_swap::Cache;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use meridian::dns::generations::{Generations, Source};
use zone_image::{Generation, Memory};

#[path = "support/zone.rs"]
mod zone;

const DELEGATIONS: u64 = 10_000;

fn swap(criterion: &mut Criterion) {
    let (_directory, _files, image) = zone::image(DELEGATIONS);
    let open = || Generation::open(&image, Memory::Sealed).expect("the image is whole");
    let generations = Generations::open(Source {
        directory: image.clone(),
        memory: Memory::Sealed,
        check: Box::new(|_| Ok(())),
        clock: || 0,
    });
    let generations = generations.expect("the image is whole");
    let mut group = criterion.benchmark_group("image of 10,000 delegations");
    group
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .sample_size(20);
    group.bench_function("open", |bencher| bencher.iter(open));
    group.bench_function("swap", |bencher| {
        let opened = || {
            // What was replaced is freed here, as the installer does it.
            generations.free_retired();
            open()
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

criterion_group!(benches, swap);
criterion_main!(benches);
