//! Which instructions does an answer take, and how much processor time?
//!
//! ```text
//! cargo bench --bench profile -- 1000000 nxdomain batch
//! valgrind --tool=callgrind --toggle-collect='*measured*' \
//!     target/release/deps/profile-* 20000 nxdomain batch 20000
//! ```
//! Arguments: delegations, a kind of query or `all`, `single` or `batch`, queries.
//! Processor time, unlike the clock, leaves out what others do on the machine, but
//! for what they take of its caches.

use std::hint::black_box;

use loadtest::blast::Queries;
use meridian::dns::engine::{Action, DropReason, Engine, Job, Names, TURNS, UDP_BUFFER_BYTES};
use zone_image::Generation;

#[path = "support/sample.rs"]
mod sample;

use sample::{Kind, STRIDE, Sample, request};

fn main() {
    let arguments: Vec<_> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let word = |at: usize| arguments.get(at).map(String::as_str);
    let number =
        |at: usize, default| word(at).map_or(default, |text| text.parse().expect("a number"));
    let sample = Sample::new(number(0, 1_000_000));
    let kinds = Kind::ALL.into_iter();
    let kinds = kinds.filter(|kind| [None, Some("all"), Some(kind.name())].contains(&word(1)));
    let form = word(2).unwrap_or("single");
    let count = usize::try_from(number(3, 1_000_000)).expect("a count");
    let generation = sample.open();
    let engine = Engine::default();
    for kind in kinds {
        let queries = sample.queries(kind);
        // Once before, so that no page is touched for the first time later.
        run(
            form,
            &engine,
            &generation,
            &queries,
            queries.len().min(count),
        );
        let begin = cpu_nanoseconds();
        let octets = measured(form, &engine, &generation, &queries, count);
        let each = (cpu_nanoseconds() - begin) as f64 / count as f64;
        report(&format!(
            "{:>9} {form}: {each:7.1} ns, {} octets a reply",
            kind.name(),
            octets / count
        ));
    }
}

/// Time that this thread has been on a processor (`/proc/PID/schedstat`, first field).
fn cpu_nanoseconds() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux has it");
    let first = text
        .split_whitespace()
        .next()
        .and_then(|word| word.parse().ok());
    first.expect("a number")
}

#[expect(clippy::print_stdout, reason = "a program for people")]
fn report(line: &str) {
    println!("{line}");
}

#[inline(never)]
fn measured(
    form: &str,
    engine: &Engine,
    generation: &Generation,
    queries: &Queries,
    count: usize,
) -> usize {
    run(form, engine, generation, queries, count)
}

fn run(
    form: &str,
    engine: &Engine,
    generation: &Generation,
    queries: &Queries,
    count: usize,
) -> usize {
    let mut outs = vec![0; TURNS * STRIDE];
    let mut names = Names::default();
    let mut octets = 0;
    if form == "single" {
        for index in 0..count {
            let action = engine.answer(
                generation,
                &request(queries, index),
                &mut outs[..UDP_BUFFER_BYTES],
            );
            octets += length(black_box(action));
        }
        return octets;
    }
    for start in (0..count).step_by(TURNS) {
        let mut buffers = outs.chunks_exact_mut(STRIDE);
        let mut jobs: [_; TURNS] = std::array::from_fn(|at| {
            Some(Job {
                request: request(queries, start + at),
                out: buffers.next()?,
                action: Action::Drop(DropReason::Short),
            })
        });
        engine.answer_batch(generation, &mut names, &mut jobs);
        octets += jobs
            .iter()
            .flatten()
            .map(|job| length(black_box(job.action)))
            .sum::<usize>();
    }
    octets
}

fn length(action: Action) -> usize {
    match action {
        Action::Reply { length, .. } => length,
        Action::Drop(_) => 0,
    }
}
