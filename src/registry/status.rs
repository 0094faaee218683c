//! What a registry holds, for people and monitoring.
//!
//! Counts are exact and so take time that grows with the registry: about 0.3
//! seconds a million domains. Never shows a password.

use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::database::{Database, Engine};
use super::error::RegistryError;
use super::schema;

/// A registry at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Where it is, without passwords.
    pub location: String,
    /// On which engine.
    pub engine: Engine,
    /// Schema version of the database.
    pub schema_version: i64,
    /// Octets of the database's pages. On SQLite those that its readers see, wherever they
    /// stand: when a write-ahead log is emptied into its file is nothing that the registry did.
    pub bytes: u64,
    /// The fencing epoch.
    pub epoch: i64,
    /// The last event; absent in no registry, since `init` is one.
    pub last_event: LastEvent,
    /// Registrars.
    pub registrars: i64,
    /// Contacts.
    pub contacts: i64,
    /// Host objects of the whole repository.
    pub hosts: i64,
    /// The zones by apex.
    pub zones: Vec<ZoneStatus>,
}

/// The newest entry of the event log.
#[derive(Debug, Clone, Serialize)]
pub struct LastEvent {
    /// Its number.
    pub number: i64,
    /// When: microseconds since 1970 in UTC.
    pub time: i64,
    /// What.
    pub kind: String,
    /// Who.
    pub actor: String,
}

/// One zone and how much is in it.
#[derive(Debug, Clone, Serialize)]
pub struct ZoneStatus {
    /// Its apex.
    pub apex: String,
    /// `active`, or `importing` while an import is unfinished.
    pub state: String,
    /// Its SOA serial.
    pub serial: i64,
    /// Registered domains.
    pub domains: i64,
    /// Those of them that are published.
    pub published: i64,
    /// Hosts whose addresses are glue of this zone.
    pub hosts: i64,
    /// Delegation signer records.
    pub ds: i64,
    /// Authoritative records that are no registrations, without the SOA.
    pub records: i64,
}

const ZONES: &str = "SELECT z.apex, z.state, z.serial, \
    (SELECT COUNT(*) FROM domains d WHERE d.zone_id = z.id), \
    (SELECT COUNT(*) FROM domains d WHERE d.zone_id = z.id AND d.published = 1), \
    (SELECT COUNT(*) FROM hosts h WHERE h.zone_id = z.id), \
    (SELECT COUNT(*) FROM domains d JOIN ds s ON s.domain_id = d.id WHERE d.zone_id = z.id), \
    (SELECT COUNT(*) FROM zone_records r WHERE r.zone_id = z.id) \
    FROM zones z ORDER BY z.apex";

const REGISTRY: &str = "SELECT r.epoch, e.number, e.time, e.kind, e.actor, \
    (SELECT COUNT(*) FROM registrars), (SELECT COUNT(*) FROM contacts), \
    (SELECT COUNT(*) FROM hosts) \
    FROM registry r JOIN events e ON e.number = r.last_event";

/// Reads counts and last event.
pub async fn status(database: &mut Database) -> Result<Status, RegistryError> {
    let fault = database.fault();
    let engine = database.engine();
    let bytes = bytes(database).await?;
    let location = database.location().to_string();
    let connection = database.connection();
    let version = schema::version(engine, connection).await.map_err(&fault)?;
    let row = sqlx::query(REGISTRY).fetch_one(&mut *connection).await;
    let row = row.map_err(&fault)?;
    let zones = sqlx::query(ZONES).fetch_all(connection).await;
    let zones: sqlx::Result<_> = zones.map_err(&fault)?.iter().map(zone).collect();
    let read = |row: &AnyRow| {
        Ok(Status {
            location,
            engine,
            schema_version: version.unwrap_or_default(),
            bytes,
            epoch: row.try_get(0)?,
            last_event: LastEvent {
                number: row.try_get(1)?,
                time: row.try_get(2)?,
                kind: row.try_get(3)?,
                actor: row.try_get(4)?,
            },
            registrars: row.try_get(5)?,
            contacts: row.try_get(6)?,
            hosts: row.try_get(7)?,
            zones: zones?,
        })
    };
    read(&row).map_err(fault)
}

fn zone(row: &AnyRow) -> sqlx::Result<ZoneStatus> {
    Ok(ZoneStatus {
        apex: row.try_get(0)?,
        state: row.try_get(1)?,
        serial: row.try_get(2)?,
        domains: row.try_get(3)?,
        published: row.try_get(4)?,
        hosts: row.try_get(5)?,
        ds: row.try_get(6)?,
        records: row.try_get(7)?,
    })
}

async fn bytes(database: &mut Database) -> Result<u64, RegistryError> {
    let size = match database.engine() {
        Engine::Sqlite => {
            "SELECT c.page_count * s.page_size FROM pragma_page_count AS c, pragma_page_size AS s"
        }
        Engine::Postgres => "SELECT pg_database_size(current_database())",
    };
    let fault = database.fault();
    let size = sqlx::query_scalar(size).fetch_one(database.connection());
    let size: i64 = size.await.map_err(fault)?;
    Ok(u64::try_from(size).unwrap_or_default())
}

#[cfg(test)]
mod tests;
