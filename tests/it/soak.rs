//! The long forms of tests that have a short one: `tests/run --soak` selects them.

pub(crate) mod floods;
mod many_zones;

use loadtest::blast::RATE_MAX;

use crate::peers;

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
fn five_hundred_kills_leave_database_and_image_whole() -> anyhow::Result<()> {
    if !wanted() {
        return Ok(());
    }
    peers::faults::kill_rounds(500)
}

fn wanted() -> bool {
    let wanted = std::env::var_os("MERIDIAN_SOAK").is_some();
    if !wanted {
        eprintln!("SKIPPED: run it by tests/run --soak");
    }
    wanted
}
