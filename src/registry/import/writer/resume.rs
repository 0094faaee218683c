//! What the database knows of an import already.
//!
//! Reads only, but for taking an unfinished import back when the operator says so.
//! A file is known again by the digest of its records, not by its name.

use sqlx::Row as _;
use sqlx::any::AnyRow;
use zone_image::Name;

use super::super::super::database::{Database, Write};
use super::super::super::error::RegistryError;
use super::super::survey::{Host, Survey};
use super::super::{ImportOptions, ImportReport};
use super::event;

/// Rows read at a time: bounds memory.
const PAGE_ROWS: i64 = 10_000;

/// A zone that is in the registry, and how it came there.
pub(super) struct Import {
    pub(super) zone_id: i64,
    pub(super) fingerprint: Option<i64>,
    pub(super) records_done: i64,
    pub(super) is_unfinished: bool,
    /// Whether the zone has changed since its import ended.
    pub(super) has_changed: bool,
    pub(super) report: Option<ImportReport>,
    file: String,
}

impl Import {
    /// Why another file, or a zone that lives by now, is not imported over.
    pub(super) fn refusal(&self, apex: String) -> RegistryError {
        if self.is_unfinished {
            let file = self.file.clone();
            RegistryError::Unfinished { apex, file }
        } else {
            RegistryError::ZoneExists { apex }
        }
    }
}

/// Looks for the zone and its import.
pub(super) async fn find(
    database: &mut Database,
    apex: &str,
) -> Result<Option<Import>, RegistryError> {
    let fault = database.fault();
    let row = sqlx::query(
        "SELECT z.id, i.fingerprint, i.records_done, i.finished_at, i.file, i.report, \
         (SELECT COUNT(*) FROM changed_names c WHERE c.zone_id = z.id AND c.event > i.event) \
         FROM zones z LEFT JOIN imports i ON i.zone_id = z.id WHERE z.apex = $1",
    )
    .bind(apex)
    .fetch_optional(database.connection())
    .await
    .map_err(&fault)?;
    let read = |row: &AnyRow| {
        let fingerprint: Option<i64> = row.try_get(1)?;
        let finished_at: Option<i64> = row.try_get(3)?;
        let report: Option<String> = row.try_get(5)?;
        let changes: i64 = row.try_get(6)?;
        Ok(Import {
            zone_id: row.try_get(0)?,
            fingerprint,
            records_done: row.try_get::<Option<i64>, _>(2)?.unwrap_or_default(),
            is_unfinished: fingerprint.is_some() && finished_at.is_none(),
            has_changed: changes > 0,
            report: report.and_then(|text| serde_json::from_str(&text).ok()),
            file: row.try_get::<Option<String>, _>(4)?.unwrap_or_default(),
        })
    };
    row.as_ref().map(read).transpose().map_err(fault)
}

/// Fills the ids of domains and hosts that are there into the survey.
pub(super) async fn take_ids(
    database: &mut Database,
    survey: &mut Survey,
    found: Option<&Import>,
) -> Result<(), RegistryError> {
    if let Some(import) = found {
        let query =
            "SELECT id, name FROM domains WHERE zone_id = $1 AND id > $2 ORDER BY id LIMIT $3";
        pages(database, query, import.zone_id, |row, name| {
            if let Some(cut) = survey.cuts.get_mut(name) {
                cut.id = row.try_get(0)?;
            }
            Ok(())
        })
        .await?;
    }
    let zone_id = found.map_or(0, |import| import.zone_id);
    let query = "SELECT id, name, published, zone_id FROM hosts WHERE $1 = $1 AND id > $2 \
         ORDER BY id LIMIT $3";
    pages(database, query, zone_id, |row, name| {
        if !survey.is_in_zone(name) && !survey.hosts.contains_key(name) {
            return Ok(());
        }
        let published: i64 = row.try_get(2)?;
        let home: Option<i64> = row.try_get(3)?;
        let host = survey.hosts.get(name).copied().unwrap_or_default();
        let needs_home =
            survey.is_in_zone(name) && home.is_none() && survey.cut_above(name).is_some();
        let known = Host {
            id: row.try_get(0)?,
            is_elsewhere: home.is_some_and(|home| home != zone_id),
            is_written: !needs_home && (published == 1 || !host.is_target),
            ..host
        };
        survey.hosts.insert(name.into(), known);
        Ok(())
    })
    .await
}

/// Reads a table page by page in order of ids, so that no page holds a lock long.
async fn pages(
    database: &mut Database,
    query: &'static str,
    parameter: i64,
    mut each: impl FnMut(&AnyRow, &[u8]) -> sqlx::Result<()>,
) -> Result<(), RegistryError> {
    let fault = database.fault();
    let place = database.place().to_owned();
    let mut last = 0_i64;
    loop {
        let rows = sqlx::query(query)
            .bind(parameter)
            .bind(last)
            .bind(PAGE_ROWS)
            .fetch_all(database.connection())
            .await
            .map_err(&fault)?;
        for row in &rows {
            last = row.try_get(0).map_err(&fault)?;
            let text: &str = row.try_get(1).map_err(&fault)?;
            let name = Name::parse_absolute(text).map_err(|error| RegistryError::Inconsistent {
                place: place.clone(),
                what: format!("name {text:?}: {error}"),
            })?;
            each(row, name.as_wire()).map_err(&fault)?;
        }
        if rows.is_empty() {
            return Ok(());
        }
    }
}

/// What an unfinished import leaves: nothing but external hosts, the registrar and
/// the log of events.
const FORGET: [&str; 8] = [
    "DELETE FROM delegations WHERE domain_id IN (SELECT id FROM domains WHERE zone_id = $1)",
    "DELETE FROM ds WHERE domain_id IN (SELECT id FROM domains WHERE zone_id = $1)",
    "DELETE FROM host_addresses WHERE host_id IN (SELECT id FROM hosts WHERE zone_id = $1)",
    "UPDATE hosts SET zone_id = NULL, domain_id = NULL WHERE zone_id = $1",
    "DELETE FROM domains WHERE zone_id = $1",
    "DELETE FROM zone_records WHERE zone_id = $1",
    "DELETE FROM imports WHERE zone_id = $1",
    "DELETE FROM zones WHERE id = $1",
];

/// Takes an unfinished import back.
pub(super) async fn forget(
    database: &mut Database,
    zone_id: i64,
    options: &ImportOptions,
) -> Result<(), RegistryError> {
    let mut write: Write<'_> = database.write().await?;
    for statement in FORGET {
        write.execute(sqlx::query(statement).bind(zone_id)).await?;
    }
    write.append(event(options, "import-forgotten", zone_id, ""));
    write.commit().await
}
