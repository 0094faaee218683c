//! A zone of the registry as a zone file.
//!
//! Writes what is published, as the compiler reads it: one snapshot, the SOA
//! first, one record a line, all names absolute. The file is there whole or not at
//! all: a temporary file beside it is synced and renamed over it.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zone_compiler::ZoneSource as _;
use zone_compiler::database::Snapshot;
use zone_image::Name;

use super::database::{Database, sync_folder};
use super::error::RegistryError;
use super::progress::{Meter, Phase, ProgressSink};

/// What to export.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// The zone file to write; one that is there is replaced.
    pub file: PathBuf,
    /// Apex; may be left out where the registry has one zone.
    pub zone: Option<Name>,
}

/// What an export did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportReport {
    /// Apex of the zone.
    pub zone: String,
    /// Its serial.
    pub serial: u32,
    /// The event that the file stands at.
    pub event: u64,
    /// Records written.
    pub records: u64,
    /// Octets written.
    pub bytes: u64,
    /// The file.
    pub file: PathBuf,
}

/// Writes a zone file. Blocks its thread while it does.
pub async fn export_zone_file(
    database: &mut Database,
    options: &ExportOptions,
    progress: ProgressSink<'_>,
) -> Result<ExportReport, RegistryError> {
    let snapshot = Snapshot::open(&database.location().as_source())?;
    export(&snapshot, options, progress)
}

fn export(
    snapshot: &Snapshot,
    options: &ExportOptions,
    progress: ProgressSink<'_>,
) -> Result<ExportReport, RegistryError> {
    let zone = match (&options.zone, snapshot.zones()) {
        (Some(apex), zones) => zones
            .iter()
            .find(|zone| zone.apex == *apex)
            .ok_or_else(|| {
                let apex = apex.to_string();
                RegistryError::NoZone { apex }
            })?,
        (None, [zone]) => zone,
        (None, zones) => {
            let count = zones.len();
            return Err(RegistryError::WhichZone { count });
        }
    };
    let mut source = snapshot.source(&zone.apex)?;
    let io = |source| RegistryError::io(&options.file, source);
    let mut file = temporary_beside(&options.file)?;
    let mut meter = Meter::start(progress, Phase::Export, None);
    let mut out = Counted {
        inner: BufWriter::new(file.as_file_mut()),
        bytes: 0,
    };
    let written = source.for_each(&mut |record| {
        writeln!(out, "{record}")?;
        meter.step(out.bytes);
        Ok(())
    });
    written.map_err(|error| sorted(error, &options.file))?;
    out.flush().map_err(io)?;
    let bytes = out.bytes;
    meter.report(bytes);
    drop(out);
    file.as_file().sync_all().map_err(io)?;
    file.persist(&options.file)
        .map_err(|error| io(error.error))?;
    sync_folder(&options.file)?;
    Ok(ExportReport {
        zone: zone.apex.to_string(),
        serial: zone.serial,
        event: snapshot.event(),
        records: meter.done(),
        bytes,
        file: options.file.clone(),
    })
}

fn temporary_beside(path: &Path) -> Result<tempfile::NamedTempFile, RegistryError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // A zone file is public; the default of a temporary file is 0600.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    tempfile::Builder::new()
        .prefix(".meridian-export-")
        .suffix(".tmp")
        .permissions(mode)
        .tempfile_in(folder)
        .map_err(|source| RegistryError::io(path, source))
}

/// The errors of a source are of the file or of the database.
fn sorted(error: zone_compiler::SourceError, path: &Path) -> RegistryError {
    match error.downcast::<std::io::Error>() {
        Ok(error) => RegistryError::io(path, *error),
        Err(error) => match error.downcast::<zone_compiler::database::DatabaseError>() {
            Ok(error) => RegistryError::Source(*error),
            Err(error) => RegistryError::ImportFile {
                file: path.display().to_string(),
                reason: error.to_string(),
            },
        },
    }
}

/// Counts octets on their way.
struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W: std::io::Write> std::io::Write for Counted<W> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
