//! A registry as a folder of CSV files.
//!
//! All tables in one read transaction, page by page in the order of ids, so that
//! memory stays small and an import gives the objects the same order. The files are
//! for their owner only, since contacts are in them; the folder is made beside its
//! place, synced and renamed, so that it is there whole or not at all.

mod select;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection as _, Row as _};
use zone_compiler::{RecordType, rdata};

use super::super::calendar;
use super::super::database::{Database, Engine, Timestamp, sync_folder};
use super::super::error::RegistryError;
use super::super::policy::RegistrationPolicy;
use super::super::progress::{Meter, Phase, ProgressSink};
use super::super::types::Address;
use super::policy;
use super::table::Table;
use select::{cells, select};

/// Ids of a page: bounds memory.
const PAGE_IDS: u16 = 10_000;

/// What an export did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvExport {
    /// The folder.
    pub folder: PathBuf,
    /// The event that the files stand at.
    pub event: i64,
    /// Rows written, by file.
    pub rows: BTreeMap<String, u64>,
    /// Octets written.
    pub bytes: u64,
}

/// What a column of a query becomes.
#[derive(Debug, Clone, Copy)]
enum Cell {
    Text,
    Number,
    Time,
    /// A DNSKEY as in a zone file.
    Key,
    /// Four columns: key tag, algorithm, digest type, digest.
    Ds,
    Address,
    RecordType,
    /// Data of the type two columns before it.
    RecordData,
    /// Octets as hexadecimal digits.
    Hex,
    /// The policy of a zone, from all its columns.
    Policy,
}

/// Writes the whole registry into `folder`, which must not be there, or be empty.
/// Blocks its thread while it does.
pub async fn export_csv(
    database: &mut Database,
    folder: &Path,
    progress: ProgressSink<'_>,
) -> Result<CsvExport, RegistryError> {
    let fault = database.fault();
    let begin = match database.engine() {
        Engine::Sqlite => "BEGIN",
        Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    };
    let snapshot = database.connection().begin_with(begin).await;
    let mut snapshot = snapshot.map_err(&fault)?;
    let counters = sqlx::query("SELECT last_event, next_object FROM registry");
    let counters = counters.fetch_one(&mut *snapshot).await.map_err(&fault)?;
    let event = counters.try_get(0).map_err(&fault)?;
    let end: i64 = counters.try_get(1).map_err(&fault)?;
    refuse_unfinished(&mut snapshot, &fault).await?;
    let partial = temporary_beside(folder)?;
    let mut meter = Meter::start(progress, Phase::Export, None);
    let (mut rows, mut bytes) = (BTreeMap::new(), 0);
    for table in Table::ALL {
        let path = partial.path().join(table.file());
        let mut out = Out::create(&path, table)?;
        let first = meter.done();
        for page in (0..end).step_by(PAGE_IDS.into()) {
            let query = sqlx::query(select(table))
                .bind(page)
                .bind(page + i64::from(PAGE_IDS));
            let found = query.fetch_all(&mut *snapshot).await.map_err(&fault)?;
            for row in &found {
                out.row(row, cells(table), &fault)?;
                meter.step(bytes + out.bytes());
            }
        }
        rows.insert(table.file().to_owned(), meter.done() - first);
        bytes += out.finish()?;
    }
    meter.report(bytes);
    snapshot.rollback().await.map_err(fault)?;
    sync_folder(&partial.path().join("zones.csv"))?;
    let partial = partial.keep();
    std::fs::rename(&partial, folder).map_err(|error| {
        let _ = std::fs::remove_dir_all(&partial);
        RegistryError::io(folder, error)
    })?;
    sync_folder(folder)?;
    Ok(CsvExport {
        folder: folder.to_owned(),
        event,
        rows,
        bytes,
    })
}

/// Half of a zone would be imported as if it were all.
async fn refuse_unfinished(
    snapshot: &mut AnyConnection,
    fault: &impl Fn(sqlx::Error) -> RegistryError,
) -> Result<(), RegistryError> {
    let query = "SELECT z.apex, i.file FROM zones z JOIN imports i ON i.zone_id = z.id \
         WHERE z.state = 'importing' LIMIT 1";
    let found = sqlx::query(query).fetch_optional(snapshot).await;
    match found.map_err(fault)? {
        None => Ok(()),
        Some(row) => Err(RegistryError::Unfinished {
            apex: row.try_get(0).map_err(fault)?,
            file: row.try_get(1).map_err(fault)?,
        }),
    }
}

fn temporary_beside(folder: &Path) -> Result<tempfile::TempDir, RegistryError> {
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        let error = std::io::ErrorKind::DirectoryNotEmpty.into();
        return Err(RegistryError::io(folder, error));
    }
    let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    tempfile::Builder::new()
        .prefix(".meridian-export-")
        .suffix(".tmp")
        .permissions(owner_only)
        .tempdir_in(parent)
        .map_err(|source| RegistryError::io(folder, source))
}

/// One file.
struct Out {
    path: PathBuf,
    writer: csv::Writer<Counted>,
}

/// A file that counts what it took.
struct Counted {
    file: File,
    bytes: u64,
}

impl std::io::Write for Counted {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Out {
    fn create(path: &Path, table: Table) -> Result<Self, RegistryError> {
        let mut options = File::options();
        options.write(true).create_new(true);
        let options = std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|e| RegistryError::io(path, e))?;
        let mut builder = csv::WriterBuilder::new();
        let builder = builder.buffer_capacity(1 << 18);
        let mut out = Self {
            path: path.to_owned(),
            writer: builder.from_writer(Counted { file, bytes: 0 }),
        };
        for column in table.columns() {
            out.field(column.name)?;
        }
        out.end_row()?;
        Ok(out)
    }

    fn bytes(&self) -> u64 {
        self.writer.get_ref().bytes
    }

    fn field(&mut self, text: &str) -> Result<(), RegistryError> {
        let written = self.writer.write_field(text);
        written.map_err(|error| self.fault(error))
    }

    fn end_row(&mut self) -> Result<(), RegistryError> {
        let written = self.writer.write_record(None::<&[u8]>);
        written.map_err(|error| self.fault(error))
    }

    fn fault(&self, error: csv::Error) -> RegistryError {
        RegistryError::io(&self.path, error.into())
    }

    fn row(
        &mut self,
        row: &AnyRow,
        cells: &[Cell],
        fault: &impl Fn(sqlx::Error) -> RegistryError,
    ) -> Result<(), RegistryError> {
        for (place, cell) in cells.iter().enumerate() {
            self.cell(row, place, *cell, fault)?;
        }
        self.end_row()
    }

    fn cell(
        &mut self,
        row: &AnyRow,
        place: usize,
        cell: Cell,
        fault: &impl Fn(sqlx::Error) -> RegistryError,
    ) -> Result<(), RegistryError> {
        let number = |place| row.try_get::<Option<i64>, _>(place).map_err(fault);
        let octets = |place| row.try_get::<Vec<u8>, _>(place).map_err(fault);
        let shown = |number: Option<i64>| number.map_or_else(String::new, |n| n.to_string());
        match cell {
            Cell::Text => {
                let text: Option<&str> = row.try_get(place).map_err(fault)?;
                self.field(text.unwrap_or_default())
            }
            Cell::Number => self.field(&shown(number(place)?)),
            Cell::Time => {
                let time = number(place)?.map(|time| calendar::to_text(Timestamp(time)));
                self.field(&time.unwrap_or_default())
            }
            Cell::Ds => {
                // As in a zone file, whose words are the columns.
                let text = rdata::display(RecordType::DS, &octets(place)?).to_string();
                text.splitn(4, ' ').try_for_each(|word| self.field(word))
            }
            Cell::Key => {
                let key = rdata::display(RecordType::DNSKEY, &octets(place)?).to_string();
                self.field(&key)
            }
            Cell::Address => {
                let address = Address::from_rdata(&octets(place)?);
                let text = address.map(|address| address.to_string());
                self.field(&text.unwrap_or_default())
            }
            Cell::Hex => {
                let octets: Option<Vec<u8>> = row.try_get(place).map_err(fault)?;
                let octets = octets.unwrap_or_default();
                let digits: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
                self.field(&digits)
            }
            Cell::Policy => {
                let policy = RegistrationPolicy::from_row(row).map_err(fault)?;
                self.field(&policy::text(&policy))
            }
            Cell::RecordType => self.field(&rtype(number(place)?).to_string()),
            Cell::RecordData => {
                let rtype = rtype(number(place - 2)?);
                self.field(&rdata::display(rtype, &octets(place)?).to_string())
            }
        }
    }

    /// Octets of the whole file, which is on disk.
    fn finish(self) -> Result<u64, RegistryError> {
        let path = self.path;
        let counted = self.writer.into_inner();
        let counted = counted.map_err(|e| RegistryError::io(&path, e.into_error()))?;
        let synced = counted.file.sync_all();
        synced.map_err(|error| RegistryError::io(&path, error))?;
        Ok(counted.bytes)
    }
}

fn rtype(number: Option<i64>) -> RecordType {
    let number = number.and_then(|number| u16::try_from(number).ok());
    RecordType(number.unwrap_or_default())
}
