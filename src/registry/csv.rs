//! A whole registry as a folder of CSV files, in and out.
//!
//! Files and columns are in [`columns_help`]. An import fills an empty registry: the
//! files are read twice, once to judge every row and to see what is published, and
//! once to write, in batches of one transaction each that also store how far they
//! came. So bad rows are known before anything is written, and a run that was killed
//! is finished by running it again. Until then the zones are `importing` and no
//! compile reads them. An export is one snapshot; the folder is there whole or not
//! at all. What has columns is the same when it is imported and exported again;
//! [`NOT_CARRIED`] has none.

mod begin;
mod export;
mod fields;
mod life;
mod model;
mod policy;
mod read;
mod scan;
mod table;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::command::SET_PARKABLE;
use super::database::{Database, Event, Timestamp};
use super::error::RegistryError;
use super::progress::ProgressSink;
use super::rejects::Rejects;
use begin::{Begin, Begun, begin};
use scan::Scan;
use table::Table;
use write::Writer;

pub use export::{CsvExport, export_csv};

/// What the files do not have yet, for those who take an export for a backup.
pub const NOT_CARRIED: &str = "keys and signing of zones; passwords, certificates and networks of registrars; changes that wait \
    for consent, whose objects come as they are without; events, with what objects were before \
    them, and messages; what name servers answered";
pub use table::columns_help;

/// What to import and how.
#[derive(Debug, Clone)]
pub struct CsvOptions {
    /// The folder.
    pub folder: PathBuf,
    /// Stop at the first bad row, with nothing changed.
    pub strict: bool,
    /// Forget what an unfinished import has written.
    pub restart: bool,
    /// Where bad rows go; the folder's name with `.rejects` if not given.
    pub rejects_file: Option<PathBuf>,
    /// Who does it, for the event log.
    pub actor: String,
    /// When.
    pub now: Timestamp,
}

impl CsvOptions {
    /// The defaults for a folder.
    pub fn new(folder: impl Into<PathBuf>, now: Timestamp) -> Self {
        Self {
            folder: folder.into(),
            strict: false,
            restart: false,
            rejects_file: None,
            actor: "cli".to_owned(),
            now,
        }
    }

    fn rejects_path(&self) -> PathBuf {
        self.rejects_file.clone().unwrap_or_else(|| {
            // A final slash would put the file into the folder.
            let mut path = self.folder.components().as_path().as_os_str().to_owned();
            path.push(".rejects");
            path.into()
        })
    }
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CsvImport {
    /// The folder.
    pub folder: PathBuf,
    /// Event that ended the import.
    pub event: i64,
    /// Rows that were taken, by file.
    pub rows: BTreeMap<String, u64>,
    /// Bad rows.
    pub rejected: u64,
    /// Where they are, if there are any.
    pub rejects_file: Option<PathBuf>,
    /// Rows that an earlier run, which was cut off, had done.
    pub resumed_at: u64,
    /// Whether the same files had been imported completely before.
    pub already: bool,
    /// Seconds that this run took.
    pub seconds: f64,
}

/// Imports a folder into an empty registry. Blocks its thread while it reads.
///
/// Killed at any moment and run again with the same files, it comes to the same
/// registry as one run that was left alone.
pub async fn import_csv(
    database: &mut Database,
    options: &CsvOptions,
    progress: ProgressSink<'_>,
) -> Result<CsvImport, RegistryError> {
    let started = std::time::Instant::now();
    let mut rejects = Rejects::new(options.rejects_path())?;
    let scan = Scan::of_files(options, &mut rejects, progress)?;
    let rejects_file = rejects.finish()?;
    let begun = match begin(database, options, &scan).await? {
        Begin::Write(begun) => begun,
        Begin::Already(report) => return Ok(*report),
    };
    let names = Table::ALL.iter().map(|table| table.file().to_owned());
    let mut report = CsvImport {
        folder: options.folder.clone(),
        rows: names.zip(scan.counts).collect(),
        rejected: scan.rejected.len() as u64,
        rejects_file,
        resumed_at: begun.done.into(),
        ..CsvImport::default()
    };
    Writer::new(database, options, &scan, &begun)
        .run(progress)
        .await?;
    finish(database, options, &scan, &begun, &mut report).await?;
    database.refresh_statistics().await?;
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// The last transaction: the zones become active, all at one event.
async fn finish(
    database: &mut Database,
    options: &CsvOptions,
    scan: &Scan,
    begun: &Begun,
    report: &mut CsvImport,
) -> Result<(), RegistryError> {
    let mut write = database.write().await?;
    let end_of_objects = begun.base + i64::from(scan.object_rows);
    write.return_objects(end_of_objects, begun.base + i64::from(scan.rows));
    report.event = write.append(event(options, "csv-imported"));
    let (first, last) = (begun.base, end_of_objects);
    let changed = "INSERT INTO changed_names (event, zone_id, owner) \
         SELECT $1, id, '' FROM zones WHERE id >= $2 AND id < $3";
    let changed = sqlx::query(changed)
        .bind(report.event)
        .bind(first)
        .bind(last);
    write.execute(changed).await?;
    // With a row of `imports` a zone keeps its serial at this event.
    let imported = "INSERT INTO imports (zone_id, file, fingerprint, records_total, \
         records_done, started_at) SELECT z.id, i.file, i.fingerprint, 0, 0, i.started_at \
         FROM zones z JOIN imports i ON i.zone_id = $1 \
         WHERE z.id >= $2 AND z.id < $3 AND z.id <> $1";
    let imported = sqlx::query(imported)
        .bind(begun.import_id)
        .bind(first)
        .bind(last);
    write.execute(imported).await?;
    let text = serde_json::to_string(&report).expect("a report is plain data");
    // Hosts below domains came after these: what can be parked is known now.
    write.execute(sqlx::query(SET_PARKABLE)).await?;
    // So are the zones whose name servers are attributes of domains.
    let attributes = "UPDATE hosts SET attribute = 1 WHERE zone_id IN \
         (SELECT id FROM zones WHERE host_model = 'attributes')";
    write.execute(sqlx::query(attributes)).await?;
    let active = "UPDATE zones SET state = 'active' WHERE id >= $1 AND id < $2";
    write
        .execute(sqlx::query(active).bind(first).bind(last))
        .await?;
    let finished = "UPDATE imports SET finished_at = $1, event = $2 \
         WHERE zone_id >= $3 AND zone_id < $4";
    let finished = sqlx::query(finished).bind(options.now.0).bind(report.event);
    write.execute(finished.bind(first).bind(last)).await?;
    let told = sqlx::query("UPDATE imports SET report = $1 WHERE zone_id = $2");
    write.execute(told.bind(text).bind(begun.import_id)).await?;
    write.commit().await
}

fn event<'e>(options: &'e CsvOptions, kind: &'e str) -> Event<'e> {
    Event {
        time: options.now,
        kind,
        actor: &options.actor,
        zone_id: None,
        object: None,
        cause: None,
        detail: None,
    }
}

#[cfg(test)]
mod tests;
