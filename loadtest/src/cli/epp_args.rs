//! `loadtest epp`: its arguments.

use std::path::PathBuf;

use clap::Args;

use super::{print, print_json};
use crate::epp;

#[derive(Debug, Args)]
pub(super) struct Epp {
    /// The `meridian` binary.
    #[arg(long)]
    meridian: PathBuf,
    /// How many delegated domains there are at the start.
    #[arg(long, default_value_t = 10_000)]
    domains: u64,
    /// Sessions over TLS at once.
    #[arg(long, default_value_t = 50)]
    sessions: usize,
    /// How long each kind of command is said.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Names that are followed from their creation to DNS.
    #[arg(long, value_name = "NAMES", default_value_t = 200)]
    followed: u64,
    /// An empty PostgreSQL database, as postgres://USER@HOST/NAME; SQLite without it.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

pub(super) fn run(arguments: &Epp, json: bool) -> anyhow::Result<()> {
    let report = epp::measure(&epp::Plan {
        setup: epp::Setup {
            meridian: arguments.meridian.clone(),
            database: arguments.database.clone(),
            domains: arguments.domains,
            config: String::new(),
        },
        sessions: arguments.sessions,
        seconds: arguments.seconds,
        followed: arguments.followed,
    })?;
    if json {
        return print_json(&report);
    }
    print(&report.to_string());
    Ok(())
}
