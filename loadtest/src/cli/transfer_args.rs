//! `loadtest transfer`: its arguments.

use std::path::PathBuf;

use clap::Args;
use zone_image::Name;

use super::{parse_seconds, print, print_json};
use crate::blast::Queries;
use crate::peer::Zone;
use crate::transfer;

#[derive(Debug, Args)]
pub(super) struct Transfer {
    /// The binary to measure.
    #[arg(long, default_value = "target/release/meridian")]
    meridian: PathBuf,
    /// The zone's master file, such as `zone` of `generate`.
    #[arg(long)]
    zone_file: PathBuf,
    /// Its apex.
    #[arg(long)]
    apex: Name,
    /// File of queries to ask meanwhile, such as those of `generate`.
    #[arg(long)]
    queries: PathBuf,
    /// Queries a second.
    #[arg(long, default_value_t = 20_000)]
    rate: u64,
    /// How long to ask, once idle and once while zones are taken one after the other.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Transfers from each server, in turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

pub(super) fn run(arguments: &Transfer, json: bool) -> anyhow::Result<()> {
    let report = transfer::run(&transfer::Plan {
        meridian: arguments.meridian.clone(),
        zone: Zone {
            apex: arguments.apex.clone(),
            file: arguments.zone_file.canonicalize()?,
        },
        queries: Queries::read(&arguments.queries, true)?,
        rate: arguments.rate,
        time: parse_seconds(arguments.seconds)?,
        rounds: arguments.rounds,
    })?;
    if json {
        return print_json(&report);
    }
    print(&report.to_string());
    Ok(())
}
