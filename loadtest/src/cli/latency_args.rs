//! `loadtest latency`: its arguments, and which of the two measures they mean.

use std::path::PathBuf;

use clap::Args;

use super::{print, print_json};
use crate::latency;

#[derive(Debug, Args)]
pub(super) struct Latency {
    #[command(flatten)]
    server: ServerArgs,
    /// Changes of each kind, one after the other.
    #[arg(long, default_value_t = 100)]
    changes: u64,
    /// What changes; repeat it for several kinds, one after the other.
    #[arg(long, value_enum, default_values_t = [latency::Kind::Ttl])]
    kind: Vec<latency::Kind>,
    /// Make so many changes a second instead, each the TTL of another domain.
    #[arg(long, value_name = "CHANGES", conflicts_with_all = ["changes", "kind"])]
    per_second: Option<u64>,
    /// For so many seconds.
    #[arg(long, default_value_t = 60, requires = "per_second")]
    seconds: u64,
}

/// A server that publishes a generated registry.
#[derive(Debug, Args)]
struct ServerArgs {
    /// The `meridian` binary.
    #[arg(long)]
    meridian: PathBuf,
    /// How many delegated domains.
    #[arg(long)]
    domains: u64,
    /// Let it sign the zone: NSEC3 with opt-out, ECDSA P-256.
    #[arg(long)]
    signed: bool,
    /// Ask it meanwhile at half of the rate that it can answer.
    #[arg(long)]
    half_load: bool,
    /// Domains more, which all name the host that is renamed.
    #[arg(long, default_value_t = latency::DEPENDANTS)]
    dependants: u64,
    /// Keep the registry and its image here for the next run, which need not make them.
    #[arg(long, value_name = "DIRECTORY")]
    reuse: Option<PathBuf>,
}

pub(super) fn run(arguments: &Latency, json: bool) -> anyhow::Result<()> {
    let setup = latency::Setup {
        meridian: arguments.server.meridian.clone(),
        domains: arguments.server.domains,
        signed: arguments.server.signed,
        half_load: arguments.server.half_load,
        dependants: arguments.server.dependants,
        reuse: arguments.server.reuse.clone(),
    };
    if let Some(rate) = arguments.per_second {
        let seconds = arguments.seconds;
        let plan = latency::stream::Plan {
            setup,
            rate,
            seconds,
        };
        let report = latency::stream::measure(&plan)?;
        if json {
            return print_json(&report);
        }
        print(&report.to_string());
        return Ok(());
    }
    let report = latency::measure(&latency::Plan {
        setup,
        kinds: arguments.kind.clone(),
        changes: arguments.changes,
    })?;
    if json {
        return print_json(&report);
    }
    print(&report.to_string());
    Ok(())
}
