//! `meridian registry`.

mod apply;
pub(crate) mod arguments;
mod build;
mod objects;

use std::path::Path;

use anyhow::Context;
use zone_image::Name;

use super::run::{ask, load};
use super::{DatabaseArgs, Global, ImportArgs, RegistryCommand, output};
use crate::clock::unix_microseconds;
use crate::control::client;
use crate::control::socket::{Command as ControlCommand, Reply};
use crate::registry::{
    self, Database, ExportOptions, ImportOptions, ImportReport, Location, Phase, Progress, Status,
    Timestamp,
};

/// Runs one of the commands on the registry database.
pub(super) fn run(command: &RegistryCommand, global: &Global) -> anyhow::Result<()> {
    runtime()?.block_on(obey(command, global))
}

/// The runtime of a command: this thread and no other.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

async fn obey(command: &RegistryCommand, global: &Global) -> anyhow::Result<()> {
    match command {
        RegistryCommand::Init(args) => {
            let database = Database::init(&location(args, global)?, now()).await?;
            let place = database.location().to_string();
            if global.json {
                return output::json(&serde_json::json!({ "location": place }));
            }
            output::line(format_args!("empty registry made: {place}"));
        }
        RegistryCommand::Import(args) => {
            show_import(&obey_import(args, global).await?, global)?;
        }
        RegistryCommand::Export {
            database,
            zone_file,
            zone,
        } => {
            let options = ExportOptions {
                file: zone_file.clone(),
                zone: apex(zone.as_deref())?,
            };
            let mut database = Database::open(&location(database, global)?).await?;
            let mut shown = Shown::new(zone_file, global.progress);
            let report =
                registry::export_zone_file(&mut database, &options, &mut |p| shown.update(p))
                    .await?;
            drop(shown);
            if global.json {
                return output::json(&report);
            }
            output::line(format_args!(
                "zone {} serial {} at event {}: {} records written to {}",
                report.zone,
                report.serial,
                report.event,
                report.records,
                report.file.display()
            ));
        }
        RegistryCommand::Domain(args) => objects::run(build::domain(args), global).await?,
        RegistryCommand::Host(args) => objects::run(build::host(args), global).await?,
        RegistryCommand::Registrar(args) => objects::run(build::registrar(args), global).await?,
        RegistryCommand::Zone(args) => objects::run(build::zone(args), global).await?,
        RegistryCommand::Apply(args) => apply::run(args, global).await?,
        RegistryCommand::Status(args) => {
            let mut database = Database::open(&location(args, global)?).await?;
            show_status(&registry::status(&mut database).await?, global)?;
        }
        RegistryCommand::Accept { event } => accept(*event, global)?,
        RegistryCommand::Wait {
            database,
            event,
            timeout_seconds,
        } => {
            let event = match event {
                Some(event) => *event,
                None => {
                    let mut database = Database::open(&location(database, global)?).await?;
                    registry::last_event(&mut database).await?
                }
            };
            wait(event, *timeout_seconds, global)?;
        }
    }
    Ok(())
}

async fn obey_import(args: &ImportArgs, global: &Global) -> anyhow::Result<ImportReport> {
    let options = ImportOptions {
        zone: apex(args.zone.as_deref())?,
        registrar: args.registrar.clone(),
        strict: args.strict,
        restart: args.restart,
        rejects_file: args.rejects.clone(),
        ..ImportOptions::new(&args.zone_file, now())
    };
    let mut database = Database::open(&location(&args.database, global)?).await?;
    let report = import(&mut database, &options, global.progress).await?;
    poke_server(global);
    Ok(report)
}

/// Tells a running server that there is something new. Without one there is nobody to
/// tell, and one that does not hear it looks by itself.
pub(super) fn poke_server(global: &Global) {
    if let Ok(config) = load(global) {
        let _ = client::ask(&config.control.socket, ControlCommand::Poke);
    }
}

fn accept(event: u64, global: &Global) -> anyhow::Result<()> {
    let reply = ask(global, ControlCommand::Accept { event })?;
    if global.json {
        return output::json(&reply);
    }
    output::line(format_args!(
        "accepted up to event {event}; `meridian registry wait` returns when it is served"
    ));
    Ok(())
}

fn wait(event: u64, timeout_seconds: u64, global: &Global) -> anyhow::Result<()> {
    let command = ControlCommand::Wait {
        event,
        timeout_milliseconds: timeout_seconds * 1000,
    };
    let reply = ask(global, command)?;
    if global.json {
        return output::json(&reply);
    }
    if let Reply::Served { event: served } = reply {
        output::line(format_args!(
            "event {event} is served; the server is at event {served}"
        ));
    }
    Ok(())
}

/// Imports with progress.
pub(crate) async fn import(
    database: &mut Database,
    options: &ImportOptions,
    progress: bool,
) -> anyhow::Result<ImportReport> {
    let mut shown = Shown::new(&options.file, progress);
    let report = registry::import_zone_file(database, options, &mut |p| shown.update(p)).await;
    drop(shown);
    Ok(report?)
}

fn now() -> Timestamp {
    Timestamp(unix_microseconds())
}

fn apex(zone: Option<&str>) -> anyhow::Result<Option<Name>> {
    zone.map(|zone| Name::parse_absolute(zone).with_context(|| format!("bad --zone: {zone}")))
        .transpose()
}

/// Where the database is.
fn location(args: &DatabaseArgs, global: &Global) -> anyhow::Result<Location> {
    match &args.database {
        Some(url) => Ok(parse_location(url)),
        None => Ok(parse_location(&configured(global)?)),
    }
}

/// The database that the configuration names.
pub(super) fn configured(global: &Global) -> anyhow::Result<String> {
    let database = load(global)?.registry.database;
    database.context("no registry database; name it by --database or set registry.database")
}

/// Reads `sqlite:PATH`, a path alone, or `postgres://..`.
pub(crate) fn parse_location(text: &str) -> Location {
    Location::parse(text.strip_prefix("sqlite:").unwrap_or(text))
}

/// Progress in octets of the file, which are known before the records are.
struct Shown {
    progress: output::Progress,
}

impl Shown {
    fn new(file: &Path, asked: bool) -> Self {
        Self {
            progress: output::Progress::new(file.display().to_string(), asked),
        }
    }

    fn update(&mut self, progress: &Progress) {
        let stage = match progress.phase {
            Phase::Scan => "scan",
            Phase::Check => "check",
            Phase::Write => "write",
            Phase::Export => "export",
        };
        let left = progress
            .remaining_seconds
            .map_or_else(String::new, |s| format!(", {s:.0} s left"));
        let share = match progress.bytes_total {
            Some(total) if total > 0 => {
                format!(" ({} %)", progress.bytes_done.saturating_mul(100) / total)
            }
            _ => String::new(),
        };
        let (done, rate) = (progress.records_done, progress.records_per_second);
        self.progress
            .show(stage, &format!("{done} records{share}, {rate:.0}/s{left}"));
    }
}

fn show_import(report: &ImportReport, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return output::json(report);
    }
    if report.already {
        output::line(format_args!(
            "zone {}: this file was imported before",
            report.zone
        ));
        return Ok(());
    }
    output::line(format_args!(
        "zone {} serial {} at event {}: {} records in {:.1} s",
        report.zone, report.serial, report.event, report.records, report.seconds
    ));
    output::line(format_args!(
        "  {} domains, {} NS, {} DS, {} glue, {} records of the zone's own",
        report.domains, report.delegations, report.ds, report.glue, report.zone_records
    ));
    if report.resumed_at > 0 {
        output::line(format_args!(
            "  resumed after {} records",
            report.resumed_at
        ));
    }
    for (rtype, count) in &report.dropped {
        output::line(format_args!("  {count} {rtype} of the old signer left out"));
    }
    if report.ttl_conflicts > 0 {
        output::line(format_args!(
            "  {} RRsets got their lowest TTL",
            report.ttl_conflicts
        ));
    }
    if let Some(file) = &report.rejects_file {
        output::line(format_args!(
            "  {} records rejected, see {}",
            report.rejected,
            file.display()
        ));
    }
    Ok(())
}

fn show_status(status: &Status, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return output::json(status);
    }
    output::line(format_args!("registry    {}", status.location));
    output::line(format_args!("schema      {}", status.schema_version));
    output::line(format_args!("octets      {}", status.bytes));
    let event = &status.last_event;
    output::line(format_args!(
        "last event  {} ({} by {})",
        event.number, event.kind, event.actor
    ));
    output::line(format_args!(
        "objects     {} registrars, {} contacts, {} hosts",
        status.registrars, status.contacts, status.hosts
    ));
    for zone in &status.zones {
        output::line(format_args!(
            "zone        {} {} serial {}: {} domains, {} published, {} DS",
            zone.apex, zone.state, zone.serial, zone.domains, zone.published, zone.ds
        ));
    }
    Ok(())
}
