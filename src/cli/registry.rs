//! `meridian registry`.

mod access;
mod apply;
pub(crate) mod arguments;
mod build;
pub(crate) mod bulk;
pub(crate) mod changes;
pub(crate) mod contact;
pub(crate) mod domain;
mod files;
mod objects;
pub(crate) mod orphans;
mod parking;
pub(crate) mod past;
pub(crate) mod poll;
mod public;
pub(crate) mod scan;
mod servers;

use anyhow::Context;
use zone_image::Name;

use super::run::{ask, load};
use super::{DatabaseArgs, Global, RegistryCommand, output};
use crate::clock::unix_microseconds;
use crate::control::client;
use crate::control::socket::{Command as ControlCommand, Reply};
use crate::registry::{self, Database, Location, Status, Timestamp};

pub(crate) use files::import_zone_file as import;

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
        RegistryCommand::Import(args) => files::import(args, global).await?,
        RegistryCommand::Export {
            database,
            zone_file,
            zone,
            csv,
        } => {
            let mut database = Database::open(&location(database, global)?).await?;
            match (zone_file, csv) {
                (Some(file), _) => {
                    let zone = apex(zone.as_deref())?;
                    files::export_zone_file(&mut database, file, zone, global).await?;
                }
                (None, folder) => {
                    let folder = folder.as_deref().context("name a file or a folder")?;
                    files::export_csv(&mut database, folder, global).await?;
                }
            }
        }
        RegistryCommand::Contact(args) => objects::run(contact::build(args), global).await?,
        RegistryCommand::Domain(args) => objects::run(domain::build(args), global).await?,
        RegistryCommand::Host(args) => objects::run(build::host(args), global).await?,
        RegistryCommand::Registrar(args) => objects::run(build::registrar(args), global).await?,
        RegistryCommand::Zone(args) => objects::run(build::zone(args), global).await?,
        RegistryCommand::Poll(args) => objects::run(poll::build(args), global).await?,
        RegistryCommand::Changes(args) => changes::obey(args, global).await?,
        RegistryCommand::Timers(args) => objects::run(build::timers(args), global).await?,
        RegistryCommand::Bulk(args) => bulk::run(args, global).await?,
        RegistryCommand::Apply(args) => apply::run(args, global).await?,
        RegistryCommand::Scan(args) => scan::run(args, global).await?,
        RegistryCommand::Show(args) => past::run(args, global).await?,
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

pub(super) fn now() -> Timestamp {
    Timestamp(unix_microseconds())
}

/// A moment for people.
pub(super) fn show_time(at: Timestamp) -> String {
    crate::registry::time_text(at)
}

fn apex(zone: Option<&str>) -> anyhow::Result<Option<Name>> {
    zone.map(|zone| Name::parse_absolute(zone).with_context(|| format!("bad --zone: {zone}")))
        .transpose()
}

/// Where the database is.
pub(super) fn location(args: &DatabaseArgs, global: &Global) -> anyhow::Result<Location> {
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
