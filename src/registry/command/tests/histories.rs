//! Random histories of commands by several registrars, with the clock moving and the
//! timers running: after each step nothing is published that must not be, nobody lost a
//! name server, what is stored about a domain's life follows from it, and each command is
//! in the event log. Every so many steps the image that followed by its changes is compared
//! with one that is compiled whole, and at the end the registry is carried into an empty one.
//!
//! A history is lines of text. One that fails is shortened to the lines that it takes
//! (`shrink`), printed, and kept in `KEPT` once it is understood. Seeds are printed.

mod carried;
mod image;
mod kept;
mod play;
mod random;
mod rules;
mod shrink;
mod state;

use std::panic::{AssertUnwindSafe, catch_unwind};

use self::play::History;
use self::random::{Drawing, Random, beginning};
use crate::registry::Engine;
use crate::registry::testing::engines;

/// How long a history is, and how much of it.
#[derive(Debug, Clone, Copy)]
struct Scale {
    steps: usize,
    /// Names that domains have.
    names: u64,
    /// Steps between two looks at what costs more.
    look: usize,
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

/// Plays these lines, and looks at everything after each `look` of them and at the end.
fn play_lines(engine: Engine, lines: &[String], look: usize) {
    runtime().block_on(Box::pin(async {
        let mut history = History::begin(engine).await;
        for (number, line) in lines.iter().enumerate() {
            history.step(line).await;
            if number % look == look - 1 || number + 1 == lines.len() {
                history.look(line, number + 1 == lines.len()).await;
            }
        }
        carried::check(&mut history).await;
    }));
}

/// Plays a history; one that fails is shortened and shown. How many commands were obeyed.
fn play_seed(engine: Engine, seed: u64, scale: Scale) -> usize {
    let mut lines = Vec::new();
    let mut random = Random(seed);
    let played = catch_unwind(AssertUnwindSafe(|| {
        runtime().block_on(Box::pin(async {
            let mut history = History::begin(engine).await;
            let mut next = beginning(&mut random).into_iter();
            for number in 1..=scale.steps {
                let line = next.next().unwrap_or_else(|| {
                    let mut drawing = Drawing {
                        random: &mut random,
                        state: &history.state,
                        names: scale.names,
                    };
                    drawing.line()
                });
                lines.push(line.clone());
                history.step(&line).await;
                if number % scale.look == 0 || number == scale.steps {
                    history.look(&line, number == scale.steps).await;
                }
            }
            carried::check(&mut history).await;
            let [obeyed, refused] = history.outcomes;
            let [changed, whole] = history.image.followed;
            eprintln!(
                "{engine:?}, seed {seed}: {} lines, {obeyed} commands obeyed, {refused} \
                 refused, {} steps of timers put off, {} events, {} domains and {} hosts at \
                 the end; the image was changed {changed} times, compiled whole {whole}",
                lines.len(),
                history.put_off,
                history.state.last_event,
                history.state.domains.len(),
                history.state.hosts.len(),
            );
            obeyed
        }))
    }));
    played.unwrap_or_else(|_| {
        let whole = lines.len();
        // All is looked at more often, where that takes no hours.
        let look = if whole > 300 { scale.look } else { 1 };
        let shortest = shrink::shrink(lines, &mut |lines| fails(engine, lines, look));
        panic!(
            "{engine:?}, seed {seed}: of {whole} lines these fail:\n{}",
            shortest.join("\n")
        );
    })
}

fn fails(engine: Engine, lines: &[String], look: usize) -> bool {
    catch_unwind(|| play_lines(engine, lines, look)).is_err()
}

#[test]
fn random_histories_leave_the_registry_whole() {
    for engine in engines() {
        // A step on PostgreSQL takes five times as long.
        let (seeds, steps) = match engine {
            Engine::Sqlite => (0..3, 100),
            Engine::Postgres => (4..5, 80),
        };
        let scale = Scale {
            steps,
            names: 5,
            look: 20,
        };
        let obeyed: usize = seeds.map(|seed| play_seed(engine, seed, scale)).sum();
        assert!(obeyed > 20, "{obeyed}: the histories do nothing");
    }
}

#[test]
fn histories_that_once_failed_do_not() {
    for (name, lines) in kept::KEPT {
        eprintln!("{name}");
        let lines: Vec<_> = lines.lines().map(|line| line.trim().to_owned()).collect();
        for engine in engines() {
            play_lines(engine, &lines, 10);
        }
    }
}

#[test]
fn a_fault_is_found_and_shown_by_the_lines_that_it_takes() {
    let lines = [
        "reg-b host create ns9.ext.example",
        "reg-a domain create d0.tld",
        "time 1",
        "reg-b domain create d1.tld",
        "reg-a host create ns1.d0.tld ip=192.0.2.1",
        "reg-b domain update d1.tld ns=ns1.d0.tld ns=ns1.ext.example",
        "reg-a domain create d2.tld",
        "fault DELETE FROM host_addresses",
        "reg-a domain update d2.tld status=clientHold",
    ];
    let lines: Vec<_> = lines.map(ToOwned::to_owned).into();
    let shortest = shrink::shrink(lines, &mut |lines| fails(Engine::Sqlite, lines, 1));
    // A domain, its host and whoever names it are what is without an address.
    assert_eq!(
        shortest,
        [
            "reg-a domain create d0.tld",
            "reg-b domain create d1.tld",
            "reg-a host create ns1.d0.tld ip=192.0.2.1",
            "reg-b domain update d1.tld ns=ns1.d0.tld ns=ns1.ext.example",
            "fault DELETE FROM host_addresses",
        ]
    );
}

mod soak {
    use super::*;

    /// Commands of the longest history.
    const STEPS: usize = 10_000;

    /// Where to begin, to see one again; nothing where these are not wanted.
    fn first_seed() -> Option<u64> {
        if std::env::var_os("MERIDIAN_SOAK").is_none() {
            eprintln!("SKIPPED: run it by tests/run --soak");
            return None;
        }
        let seed = std::env::var("MERIDIAN_SEED").ok();
        Some(seed.map_or(100, |seed| seed.parse().unwrap()))
    }

    #[test]
    fn a_history_of_ten_thousand_commands_leaves_the_registry_whole() {
        let Some(seed) = first_seed() else {
            return;
        };
        for engine in engines() {
            // With two hosts each these are 180 names and their servers'.
            let scale = Scale {
                steps: STEPS,
                names: 60,
                look: 10,
            };
            play_seed(engine, seed, scale);
        }
    }

    #[test]
    fn many_histories_of_few_names_leave_the_registry_whole() {
        let Some(seed) = first_seed() else {
            return;
        };
        for engine in engines() {
            let seeds = match engine {
                Engine::Sqlite => 40,
                Engine::Postgres => 10,
            };
            let scale = Scale {
                steps: 250,
                names: 4,
                look: 10,
            };
            for seed in seed..seed + seeds {
                play_seed(engine, seed, scale);
            }
        }
    }
}
