//! The short form of `soak::floods`.

use std::time::Duration;

use crate::peers::wanted;
use crate::soak::floods::{Kind, flood};

#[test]
fn short_floods_take_nothing_from_a_client() -> anyhow::Result<()> {
    if !wanted(&[]) {
        return Ok(());
    }
    // A gate often shares its machine: a rate that any of them takes.
    for kind in [Kind::Malformed, Kind::RandomNames] {
        flood(kind, Duration::from_secs(2), 20_000)?;
    }
    Ok(())
}
