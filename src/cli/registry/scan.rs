//! `meridian registry scan`: name servers that do not answer for the domains they are given.

use clap::{Args, Subcommand};

use super::super::{DatabaseArgs, Global, output};
use super::{location, show_time};
use crate::clock::unix_microseconds;
use crate::inquiry::scan::{Settings, pass};
use crate::registry::{Database, scan};

/// `meridian registry scan ..`
#[derive(Debug, Subcommand)]
pub(crate) enum ScanArgs {
    /// Show which servers were seen not to answer for which domains
    Report(ReportArgs),
    /// Ask the servers of all published delegations once, now
    ///
    /// A server does it by itself where registry.scan-questions-per-second-max is set. Nothing
    /// but the report is changed. Goes on with a pass that is under way.
    Run(RunArgs),
}

/// `meridian registry scan report`
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Of one zone only
    #[arg(long, value_name = "APEX")]
    zone: Option<String>,
    /// Those that were seen so in this many passes in a row, at least
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    times_min: u32,
    /// Most of them to show
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    limit: u32,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// `meridian registry scan run`
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Questions a second at most; an address is asked up to four
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    questions_per_second_max: u32,
    /// Ask addresses that are set apart for documentation, for tests
    #[arg(long)]
    lab: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn run(args: &ScanArgs, global: &Global) -> anyhow::Result<()> {
    match args {
        ScanArgs::Run(args) => {
            let settings = Settings {
                location: location(&args.database, global)?,
                questions_per_second_max: args.questions_per_second_max,
                interval_seconds: 0,
                lab: args.lab,
                clock: unix_microseconds,
            };
            let place = settings.location.to_string();
            let mut progress = output::Progress::new(place, global.progress);
            let mut asked = 0;
            pass(&settings, &mut |domains| {
                asked = domains;
                progress.update("scan", domains, 0);
            })
            .await?;
            if global.json {
                return output::json(&serde_json::json!({ "domains": asked }));
            }
            output::line(format_args!("servers of {asked} domains asked"));
        }
        ScanArgs::Report(args) => report(args, global).await?,
    }
    Ok(())
}

async fn report(args: &ReportArgs, global: &Global) -> anyhow::Result<()> {
    let zone = args.zone.as_deref().map(str::parse).transpose()?;
    let mut database = Database::open(&location(&args.database, global)?).await?;
    let found = scan::report(&mut database, zone.as_ref(), args.times_min, args.limit).await?;
    if global.json {
        return output::json(&found);
    }
    for lame in &found.lame {
        let kind = if lame.foreign { "foreign" } else { "zone" };
        output::line(format_args!(
            "{} ({}) {} ({kind} host): {}; since {}, {} times, last {}",
            lame.domain,
            lame.registrar,
            lame.host,
            lame.fault,
            show_time(lame.since),
            lame.times,
            show_time(lame.checked_at)
        ));
    }
    let when = match (found.started_at, found.finished_at) {
        (None, _) => "never scanned".to_owned(),
        (Some(at), None) => format!("first pass under way since {}", show_time(at)),
        (Some(_), Some(at)) => format!("last pass over at {}", show_time(at)),
    };
    output::line(format_args!("{} in all; {when}", found.count));
    Ok(())
}
