//! `loadtest lookups`: its arguments.

use std::path::PathBuf;

use clap::Args;

use super::{parse_seconds, print, print_json};
use crate::lookups;
use crate::target::Target;

#[derive(Debug, Args)]
pub(super) struct Lookups {
    /// Which service; RDAP without TLS.
    #[arg(long, value_enum)]
    service: lookups::Service,
    /// Loopback address and port of the server. Its `lookup.queries-per-second` has to be 0.
    #[arg(long)]
    server: Target,
    /// File with a name in each line, such as `registry/domains.csv` of `generate`.
    #[arg(long)]
    names: PathBuf,
    /// Ask for names that are not there: those of the file with `no-such-` in front.
    #[arg(long)]
    missing: bool,
    /// Clients, each with one question under way.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// How long to ask.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
}

pub(super) fn run(arguments: &Lookups, json: bool) -> anyhow::Result<()> {
    let mut names = lookups::read_names(&arguments.names)?;
    if arguments.missing {
        names
            .iter_mut()
            .for_each(|name| name.insert_str(0, "no-such-"));
    }
    let report = lookups::run(&lookups::Plan {
        service: arguments.service,
        server: arguments.server,
        names,
        clients: arguments.clients,
        time: parse_seconds(arguments.seconds)?,
    })?;
    if json {
        return print_json(&report);
    }
    print(&report.to_string());
    Ok(())
}
