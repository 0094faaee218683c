//! kill -9 under write load, at moments that a seed chooses.
//!
//! `MERIDIAN_ROUNDS=100` does what a release has to show.

use super::apply::{Apply, check};
use super::{Registry, rounds};

/// Most acknowledgements before a kill.
const LOAD: u64 = 150;

fn survives_kills(registry: &Registry) {
    let mut acknowledged = Vec::new();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let rounds = rounds(3);
    for round in 1..=rounds {
        // xorshift64: any numbers do, as long as they are the same every time.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let apply = Apply::start(registry, &format!("r{round}"));
        for _ in 0..=seed % LOAD {
            acknowledged.push(apply.next());
        }
        apply.signal("-KILL");
        acknowledged.extend(apply.ended().0);
        if round % 10 == 0 || round == rounds {
            check(registry, &acknowledged);
        }
    }
    eprintln!(
        "{rounds} kills, {} commands acknowledged",
        acknowledged.len()
    );
}

#[test]
fn nothing_acknowledged_is_lost_by_kills_on_sqlite() {
    survives_kills(&Registry::on_sqlite());
}

#[test]
fn nothing_acknowledged_is_lost_by_kills_on_postgresql() {
    if let Some(registry) = Registry::on_postgres() {
        survives_kills(&registry);
    }
}
