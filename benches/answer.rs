//! What does one reply cost, and its parts?
//!
//! - `parse`: reading the name of a question.
//! - `lookup`: from that name to its delegation, or to the knowledge that it is not
//!   there, when names come in no order.
//! - `answer`: from the octets of a query to those of its reply, for the queries a
//!   TLD sees.
//!
//! Among a million delegations, far more than the caches hold. `cargo bench --bench
//! answer`; figures in the documentation come from here.

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use loadtest::blast::Queries;
use meridian::dns::engine::{Engine, Request, Transport};
use zone_image::{Generation, LookupName, Memory};

#[path = "support/zone.rs"]
mod zone;

const DELEGATIONS: u64 = 1_000_000;

fn answer(criterion: &mut Criterion) {
    let (_directory, files, image) = zone::image(DELEGATIONS);
    let generation = Generation::open(&image, Memory::Sealed).expect("the image is whole");
    let engine = Engine::default();
    let mut out = [0; 4096];
    let mut group = criterion.benchmark_group("among 1,000,000 delegations");
    group
        .throughput(Throughput::Elements(1))
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    for file in &files.queries {
        let queries = Queries::read(file, true).expect("generated queries");
        let kind = file.file_name().expect("a file has a name");
        let kind = kind.to_string_lossy().replace("queries-", "");
        let mut next = 0;
        let mut turn = || {
            next = (next + 1) % queries.len();
            next
        };
        group.bench_function(format!("parse {kind}"), |bencher| {
            bencher.iter(|| black_box(LookupName::parse(queries.message(turn()))));
        });
        group.bench_function(format!("lookup {kind}"), |bencher| {
            bencher.iter(|| {
                let name = LookupName::parse(queries.message(turn())).expect("a good query");
                let zone = generation.find_zone(&name, name.labels());
                black_box(zone.map(|zone| zone.lookup(&name)))
            });
        });
        group.bench_function(format!("answer {kind}"), |bencher| {
            bencher.iter(|| {
                let request = Request {
                    peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1024)),
                    transport: Transport::Udp,
                    wire: queries.message(turn()),
                    now: 0,
                };
                black_box(engine.answer(&generation, &request, &mut out))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, answer);
criterion_main!(benches);
