//! The event log, for who follows it.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::database::{Database, Timestamp};
use super::error::RegistryError;
use super::types::AnyName;

/// Two look-ups by primary key, whatever the size of the log.
const LAST: &str = "SELECT e.number FROM events e ORDER BY e.number DESC LIMIT 1";
const POSITION: &str = "SELECT (SELECT e.number FROM events e ORDER BY e.number DESC LIMIT 1) \
    AS event, r.epoch FROM registry r WHERE r.id = 1";
const VERSION: &str = "SELECT (SELECT e.number FROM events e ORDER BY e.number DESC LIMIT 1) \
    AS event, z.serial FROM zones z WHERE z.apex = $1";
const TIMES: &str = "SELECT e.time FROM events e WHERE e.number > $1 AND e.number <= $2 \
    ORDER BY e.number LIMIT $3";

/// The number of the newest event.
pub async fn last_event(database: &mut Database) -> Result<u64, RegistryError> {
    let fault = database.fault();
    let number: i64 = sqlx::query_scalar(LAST)
        .fetch_one(database.connection())
        .await
        .map_err(fault)?;
    Ok(u64::try_from(number).unwrap_or_default())
}

/// The fencing epoch, whoever raised it, and the number of the newest event.
pub async fn position(database: &mut Database) -> Result<(u64, u64), RegistryError> {
    let fault = database.fault();
    let row: AnyRow = sqlx::query(POSITION)
        .fetch_one(database.connection())
        .await
        .map_err(&fault)?;
    let (event, epoch): (i64, i64) = (
        row.try_get("event").map_err(&fault)?,
        row.try_get("epoch").map_err(&fault)?,
    );
    let number = |number: i64| u64::try_from(number).unwrap_or_default();
    Ok((number(epoch), number(event)))
}

/// The number of the newest event, and a zone's serial at it or before; a serial is of one
/// state of its zone.
pub async fn zone_version(
    database: &mut Database,
    apex: &AnyName,
) -> Result<Option<(u64, u32)>, RegistryError> {
    let fault = database.fault();
    let row: Option<AnyRow> = sqlx::query(VERSION)
        .bind(apex.as_str())
        .fetch_optional(database.connection())
        .await
        .map_err(&fault)?;
    let Some(row) = row else { return Ok(None) };
    let (event, serial): (i64, i64) = (
        row.try_get(0).map_err(&fault)?,
        row.try_get(1).map_err(&fault)?,
    );
    let event = u64::try_from(event).unwrap_or_default();
    Ok(Some((event, u32::try_from(serial).unwrap_or_default())))
}

/// When the events after `after` up to `last` were accepted, at most `rows_max` of them,
/// oldest first.
pub async fn event_times(
    database: &mut Database,
    after: u64,
    last: u64,
    rows_max: u32,
) -> Result<Vec<Timestamp>, RegistryError> {
    let fault = database.fault();
    let number = |event: u64| i64::try_from(event).unwrap_or(i64::MAX);
    let rows: Vec<AnyRow> = sqlx::query(TIMES)
        .bind(number(after))
        .bind(number(last))
        .bind(i64::from(rows_max))
        .fetch_all(database.connection())
        .await
        .map_err(&fault)?;
    let times = rows.iter().map(|row| row.try_get(0).map(Timestamp));
    times.collect::<sqlx::Result<_>>().map_err(fault)
}

#[cfg(test)]
mod tests;
