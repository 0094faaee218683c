//! Which instructions does an answer take, and how much processor time?
//!
//! ```text
//! cargo bench --bench profile -- 1000000 nxdomain batch
//! valgrind --tool=callgrind --toggle-collect='*measured*' \
//!     target/release/deps/profile-* 20000 nxdomain batch 20000
//! ```
//! Arguments: delegations, a kind of query or `all`, `single`, `batch` (as a worker makes
//! them) or the size of a batch, queries, and `private` for an image that stores each NS
//! set with its name.
//! Processor time, unlike the clock, leaves out what others do on the machine, but
//! for what they take of its caches.

use loadtest::blast::Queries;
use meridian::dns::engine::TURNS;
use zone_image::Generation;

#[path = "support/sample.rs"]
mod sample;

use sample::{Desk, Kind, Sample, Sets};

fn main() {
    let arguments: Vec<_> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let word = |at: usize| arguments.get(at).map(String::as_str);
    let number =
        |at: usize, default| word(at).map_or(default, |text| text.parse().expect("a number"));
    let sets = match word(4) {
        Some("private") => Sets::Private,
        _ => Sets::Shared,
    };
    let sample = Sample::with_sets(number(0, 1_000_000), sets);
    let kinds = Kind::ALL.into_iter();
    let kinds = kinds.filter(|kind| [None, Some("all"), Some(kind.name())].contains(&word(1)));
    let form = word(2).unwrap_or("single");
    let size = match form {
        "single" => None,
        "batch" => Some(TURNS as u64),
        _ => Some(number(2, 0)),
    };
    let size = size.map(|size| usize::try_from(size).expect("a size"));
    assert!(
        size.is_none_or(|size| (1..=TURNS).contains(&size)),
        "a batch has 1 to {TURNS}"
    );
    let count = usize::try_from(number(3, 1_000_000)).expect("a count");
    let generation = sample.open();
    for kind in kinds {
        let queries = sample.queries(kind);
        // Once before, so that no page is touched for the first time later.
        run(size, &generation, &queries, queries.len().min(count));
        let begin = cpu_nanoseconds();
        let octets = measured(size, &generation, &queries, count);
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
    size: Option<usize>,
    generation: &Generation,
    queries: &Queries,
    count: usize,
) -> usize {
    run(size, generation, queries, count)
}

fn run(size: Option<usize>, generation: &Generation, queries: &Queries, count: usize) -> usize {
    let mut desk = Desk::new();
    match size {
        None => (0..count)
            .map(|index| desk.answer(generation, queries, index))
            .sum(),
        Some(size) => (0..count)
            .step_by(size)
            .map(|start| desk.answer_batch(generation, queries, start, size))
            .sum(),
    }
}
