//! kill -9 under write load, at moments that a seed chooses: of the writer alone, and
//! of a writer together with a server that publishes what it writes.
//!
//! `tests/run --soak` does a hundred rounds on each engine.

use super::apply::{Acknowledged, Apply, check};
use super::{Place, Registry};
use crate::support::{Folder, Running};

/// Most acknowledgements before a kill.
const LOAD: u64 = 150;

/// xorshift64: any numbers do, as long as they are the same every time.
pub(super) struct Seed(pub(super) u64);

impl Seed {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[test]
fn nothing_acknowledged_is_lost_by_kills_on_sqlite() {
    writer_rounds(Place::Sqlite, 3);
}

#[test]
fn nothing_acknowledged_is_lost_by_kills_on_postgresql() {
    writer_rounds(Place::Postgres, 3);
}

#[test]
fn what_is_served_after_kills_is_the_last_event_on_sqlite() {
    server_rounds(Place::Sqlite, 2);
}

#[test]
fn what_is_served_after_kills_is_the_last_event_on_postgresql() {
    server_rounds(Place::Postgres, 2);
}

/// Kills the writer.
pub(crate) fn writer_rounds(place: Place, rounds: u64) {
    let Some(registry) = Registry::at(place) else {
        return;
    };
    let mut acknowledged = Vec::new();
    let mut seed = Seed(0x9e37_79b9_7f4a_7c15);
    for round in 1..=rounds {
        let apply = Apply::start(&registry, &format!("r{round}"));
        load(&apply, &mut seed, &mut acknowledged);
        apply.signal("-KILL");
        acknowledged.extend(apply.ended().0);
        if round % 10 == 0 || round == rounds {
            check(&registry, &acknowledged);
        }
    }
    let count = acknowledged.len();
    eprintln!("{place:?}: {rounds} kills of the writer, {count} commands acknowledged and there");
}

/// Kills writer and server, in an order that the seed says, and compares what a new
/// server serves with a full compile.
pub(crate) fn server_rounds(place: Place, rounds: u64) {
    let Some(registry) = Registry::at(place) else {
        return;
    };
    let folder = Folder::new();
    let config = folder.path("meridian.toml");
    let plain = std::fs::read_to_string(&config).unwrap();
    folder.write("meridian.toml", &(plain + &registry.configured()));
    let mut acknowledged = Vec::new();
    let mut seed = Seed(0x2545_f491_4f6c_dd1d);
    let mut server = folder.serve();
    for round in 1..=rounds {
        let apply = Apply::start(&registry, &format!("s{round}"));
        load(&apply, &mut seed, &mut acknowledged);
        match seed.below(3) {
            0 => {
                kill(server);
                load(&apply, &mut seed, &mut acknowledged);
                apply.signal("-KILL");
            }
            1 => {
                apply.signal("-KILL");
                kill(server);
            }
            _ => {
                kill(server);
                apply.signal("-KILL");
            }
        }
        acknowledged.extend(apply.ended().0);
        // Whatever the moment was, the image on disk is a whole one.
        folder.succeed(&["image", "verify"]);
        server = folder.serve();
        folder.succeed(&["registry", "wait"]);
        assert_eq!(served(&folder), compiled(&folder), "round {round}");
        check(&registry, &acknowledged);
    }
    let count = acknowledged.len();
    let events: Vec<i64> = registry.query("SELECT last_event FROM registry");
    eprintln!(
        "{place:?}: {rounds} kills of writer and server, {count} commands acknowledged and \
         there, what is served equals a full compile each time, last event {}",
        events[0]
    );
}

fn load(apply: &Apply, seed: &mut Seed, acknowledged: &mut Vec<Acknowledged>) {
    for _ in 0..=seed.below(LOAD) {
        acknowledged.push(apply.next());
    }
}

fn kill(server: Running) {
    server.signal("-KILL");
    server.wait();
}

/// The records of the installed image, sorted.
fn served(folder: &Folder) -> Vec<String> {
    records(&folder.succeed(&["image", "dump"]))
}

/// The records of a full compile of the registry's last event, sorted.
fn compiled(folder: &Folder) -> Vec<String> {
    folder.succeed(&["compile", "--image", "compiled"]);
    records(&folder.succeed(&["image", "dump", "--image", "compiled"]))
}

fn records(dump: &str) -> Vec<String> {
    let mut records: Vec<_> = dump.lines().map(str::to_owned).collect();
    records.sort();
    assert!(records.len() > 2, "{dump}");
    records
}
