//! The long forms of tests that have a short one: `tests/run --soak` selects them.

mod edges;
mod epp;
pub(crate) mod floods;
mod many_zones;
mod slow_clients;

use loadtest::blast::RATE_MAX;

use crate::peers;
use crate::registry::{Place, failover, kills, timed};

#[test]
fn a_hundred_swaps_at_half_of_capacity_lose_and_mix_nothing() -> anyhow::Result<()> {
    if !wanted() {
        return Ok(());
    }
    peers::alone::swaps::swap_under_load(1000, 100, RATE_MAX)
}

#[test]
fn five_hundred_swaps_of_a_larger_zone_lose_and_mix_nothing() -> anyhow::Result<()> {
    if !wanted() {
        return Ok(());
    }
    peers::alone::swaps::swap_under_load(20_000, 500, RATE_MAX)
}

#[test]
fn clients_are_answered_whatever_becomes_of_one_edge() {
    if wanted() {
        // By BIRD, then by ExaBGP.
        peers::anycast::story(&[1, 3], &[1, 3]);
    }
}

#[test]
fn five_hundred_kills_leave_database_and_image_whole() -> anyhow::Result<()> {
    if !wanted() {
        return Ok(());
    }
    peers::faults::kill_rounds(500)
}

#[test]
fn twenty_thousand_questions_differ_from_knot_and_nsd_by_rules_only() -> anyhow::Result<()> {
    if !wanted() {
        return Ok(());
    }
    for seed in peers::differential::SEED..peers::differential::SEED + 3 {
        peers::differential::compare(seed, 20_000, false)?;
    }
    Ok(())
}

#[test]
fn a_hundred_kills_of_the_writer_lose_nothing_on_each_engine() {
    if wanted() {
        kills::writer_rounds(Place::Sqlite, 100);
        kills::writer_rounds(Place::Postgres, 100);
    }
}

#[test]
fn a_hundred_kills_of_writer_and_server_serve_the_last_event_on_each_engine() {
    if wanted() {
        kills::server_rounds(Place::Sqlite, 100);
        kills::server_rounds(Place::Postgres, 100);
    }
}

#[test]
fn fifty_kills_while_time_passes_lose_no_step_on_each_engine() {
    if wanted() {
        timed::rounds(Place::Sqlite, 50);
        timed::rounds(Place::Postgres, 50);
    }
}

#[test]
fn fifty_takeovers_lose_nothing_and_number_nothing_twice() {
    if wanted() {
        failover::takeover_rounds(50);
    }
}

#[test]
fn rollovers_of_ten_thousand_delegations_are_never_bogus() {
    if wanted() {
        peers::rollovers::roll_all(10_000);
    }
}

#[test]
fn fifty_kills_during_rollovers_leave_a_valid_zone() {
    if wanted() {
        peers::rollovers::kill_rounds(50, 10_000);
    }
}

fn wanted() -> bool {
    let wanted = std::env::var_os("MERIDIAN_SOAK").is_some();
    if !wanted {
        eprintln!("SKIPPED: run it by tests/run --soak");
    }
    wanted
}
