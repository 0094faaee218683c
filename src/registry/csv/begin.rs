//! How an import begins, goes on, or is taken back.
//!
//! Objects get the ids of a reserve that is taken with the first transaction: that
//! of a row is the reserve's start and the row's number. The zone with the lowest id
//! carries the progress.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::super::database::Database;
use super::super::error::RegistryError;
use super::scan::Scan;
use super::write::write_zones;
use super::{CsvImport, CsvOptions, event};

pub(super) enum Begin {
    /// There is something to write.
    Write(Begun),
    /// The same files were imported before, and nothing has happened since.
    Already(Box<CsvImport>),
}

/// Where an import stands.
pub(super) struct Begun {
    /// Id of the object of row 0.
    pub(super) base: i64,
    /// Id of the zone whose row of `imports` has the progress.
    pub(super) import_id: i64,
    /// Rows that are written.
    pub(super) done: u32,
}

/// The import of the first zone of a registry.
struct Found {
    zone_id: i64,
    apex: String,
    fingerprint: i64,
    rows: i64,
    done: i64,
    is_finished: bool,
    /// Whether its end is the registry's last event.
    is_last: bool,
    report: Option<CsvImport>,
    file: String,
}

pub(super) async fn begin(
    database: &mut Database,
    options: &CsvOptions,
    scan: &Scan,
) -> Result<Begin, RegistryError> {
    database.prepare_for_bulk().await?;
    let first_zone = scan.model.zones[0].row;
    if let Some(found) = find(database).await? {
        let base = found.zone_id - i64::from(first_zone);
        if options.restart && !found.is_finished {
            forget(database, options, &found).await?;
        } else if found.is_finished && found.fingerprint == scan.fingerprint && found.is_last {
            let mut report = found.report.unwrap_or_default();
            report.already = true;
            return Ok(Begin::Already(Box::new(report)));
        } else if !found.is_finished && found.fingerprint == scan.fingerprint {
            let mut write = database.write().await?;
            write.append(event(options, "import-resumed"));
            write.commit().await?;
            return Ok(Begin::Write(Begun {
                base,
                import_id: found.zone_id,
                done: u32::try_from(found.done).unwrap_or_default(),
            }));
        } else if !found.is_finished {
            let (apex, file) = (found.apex, found.file);
            return Err(RegistryError::Unfinished { apex, file });
        }
    }
    refuse_unless_empty(database).await?;
    let engine = database.engine();
    let mut write = database.write().await?;
    let base = write.reserve_objects(scan.rows.into());
    write_zones(&mut write, engine, options, scan, base).await?;
    let import_id = base + i64::from(first_zone);
    let import = sqlx::query(
        "INSERT INTO imports (zone_id, file, fingerprint, records_total, records_done, \
         started_at) VALUES ($1, $2, $3, $4, 0, $5)",
    )
    .bind(import_id)
    .bind(options.folder.display().to_string())
    .bind(scan.fingerprint)
    .bind(i64::from(scan.rows))
    .bind(options.now.0);
    write.execute(import).await?;
    write.append(event(options, "import-started"));
    write.commit().await?;
    let done = 0;
    Ok(Begin::Write(Begun {
        base,
        import_id,
        done,
    }))
}

async fn find(database: &mut Database) -> Result<Option<Found>, RegistryError> {
    let fault = database.fault();
    let row = sqlx::query(
        "SELECT z.id, z.apex, i.fingerprint, i.records_total, i.records_done, i.finished_at, \
         i.report, i.file, CASE WHEN i.event = r.last_event THEN 1 ELSE 0 END \
         FROM zones z JOIN imports i ON i.zone_id = z.id, registry r \
         WHERE z.id = (SELECT MIN(id) FROM zones)",
    )
    .fetch_optional(database.connection())
    .await
    .map_err(&fault)?;
    let read = |row: &AnyRow| {
        let report: Option<String> = row.try_get(6)?;
        Ok(Found {
            zone_id: row.try_get(0)?,
            apex: row.try_get(1)?,
            fingerprint: row.try_get(2)?,
            rows: row.try_get(3)?,
            done: row.try_get(4)?,
            is_finished: row.try_get::<Option<i64>, _>(5)?.is_some(),
            is_last: row.try_get::<i64, _>(8).map(i64::is_positive)?,
            // That of a zone file is none of these and not asked for.
            report: report.and_then(|text| serde_json::from_str(&text).ok()),
            file: row.try_get(7)?,
        })
    };
    row.as_ref().map(read).transpose().map_err(fault)
}

/// Rows of files are numbered for an empty registry: a second one in it would need
/// every name of the first.
async fn refuse_unless_empty(database: &mut Database) -> Result<(), RegistryError> {
    const KINDS: [(&str, &str); 5] = [
        ("zones", "SELECT id FROM zones LIMIT 1"),
        ("registrars", "SELECT id FROM registrars LIMIT 1"),
        ("contacts", "SELECT id FROM contacts LIMIT 1"),
        ("domains", "SELECT id FROM domains LIMIT 1"),
        ("hosts", "SELECT id FROM hosts LIMIT 1"),
    ];
    let fault = database.fault();
    for (what, query) in KINDS {
        let query = sqlx::query(query).fetch_optional(database.connection());
        if query.await.map_err(&fault)?.is_some() {
            let place = database.place().to_owned();
            return Err(RegistryError::NotEmpty { place, what });
        }
    }
    Ok(())
}

/// What an unfinished import leaves: the log of events.
const FORGET: [&str; 23] = [
    "DELETE FROM disclosure_rules WHERE zone_id >= $1 AND zone_id < $2",
    "DELETE FROM domain_keys WHERE domain_id >= $1 AND domain_id < $2",
    "DELETE FROM variant_labels WHERE zone_id >= $1 AND zone_id < $2",
    "DELETE FROM idn_tables WHERE zone_id >= $1 AND zone_id < $2",
    "DELETE FROM parking_records WHERE zone_id >= $1 AND zone_id < $2",
    "DELETE FROM parking_servers WHERE zone_id >= $1 AND zone_id < $2",
    "DELETE FROM held_labels WHERE zone_id >= $1 AND zone_id < $2",
    "DELETE FROM contact_transfers WHERE contact_id >= $1 AND contact_id < $2",
    "DELETE FROM contact_keys WHERE contact_id >= $1 AND contact_id < $2",
    "DELETE FROM locks WHERE domain_id >= $1 AND domain_id < $2",
    "DELETE FROM transfers WHERE domain_id >= $1 AND domain_id < $2",
    "DELETE FROM grace_periods WHERE domain_id >= $1 AND domain_id < $2",
    "DELETE FROM zone_records WHERE zone_id >= $1 AND zone_id < $2",
    "DELETE FROM domain_contacts WHERE domain_id >= $1 AND domain_id < $2",
    "DELETE FROM host_addresses WHERE host_id >= $1 AND host_id < $2",
    "DELETE FROM ds WHERE domain_id >= $1 AND domain_id < $2",
    "DELETE FROM delegations WHERE domain_id >= $1 AND domain_id < $2",
    "DELETE FROM hosts WHERE id >= $1 AND id < $2",
    "DELETE FROM domains WHERE id >= $1 AND id < $2",
    "DELETE FROM contacts WHERE id >= $1 AND id < $2",
    "DELETE FROM registrars WHERE id >= $1 AND id < $2",
    "DELETE FROM imports WHERE zone_id >= $1 AND zone_id < $2",
    "DELETE FROM zones WHERE id >= $1 AND id < $2",
];

/// Takes an unfinished import back.
async fn forget(
    database: &mut Database,
    options: &CsvOptions,
    found: &Found,
) -> Result<(), RegistryError> {
    let mut write = database.write().await?;
    for statement in FORGET {
        // The first zone may be of a later row than 0, never of an earlier object.
        let query = sqlx::query(statement).bind(found.zone_id);
        write
            .execute(query.bind(found.zone_id + found.rows))
            .await?;
    }
    write.append(event(options, "import-forgotten"));
    write.commit().await
}
