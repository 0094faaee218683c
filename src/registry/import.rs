//! A zone file becomes a registry.
//!
//! The file is read twice: once for cuts and hosts, in memory, and once to write,
//! in batches of one transaction each that also store how far they came. So a run
//! that was killed is finished by running it again. Until it is finished, the zone
//! is `importing` and no compile reads it.
//!
//! What becomes what: NS below the apex make a domain and its hosts; DS at a cut
//! go with the domain; addresses below a cut are a host's, whether or not an NS
//! names it, but only a named host is published; the signer's records are dropped
//! and counted; all other authoritative data is kept as the zone's own; the rest
//! is rejected with its place. Hosts that another zone of the repository already
//! keeps addresses for stay as they are: such glue is kept with this zone instead.

mod classify;
mod survey;
mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zone_compiler::zonefile::{Position, Reader, Reason, ZoneFileError};
use zone_compiler::{Record, RecordType};
use zone_image::Name;

use super::database::{Database, Timestamp};
use super::error::RegistryError;
use super::progress::{Meter, Phase, ProgressSink};
use super::rejects::Rejects;
use classify::{Glue, Role, classify};
use survey::Survey;
use writer::{Begin, Writer};

/// The registrar that sponsors imported objects if none is named.
pub const REGISTRAR_DEFAULT: &str = "imported";

/// What to import and how.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The zone file.
    pub file: PathBuf,
    /// Apex; the owner of the SOA if not given. Completes relative names too.
    pub zone: Option<Name>,
    /// Handle of the sponsoring registrar, made if it is not there.
    pub registrar: String,
    /// Stop at the first bad record, with nothing changed.
    pub strict: bool,
    /// Forget what an unfinished import of this zone has written.
    pub restart: bool,
    /// Where bad records go; the file's name with `.rejects` if not given.
    pub rejects_file: Option<PathBuf>,
    /// Who does it, for the event log.
    pub actor: String,
    /// When.
    pub now: Timestamp,
}

impl ImportOptions {
    /// The defaults for a file.
    pub fn new(file: impl Into<PathBuf>, now: Timestamp) -> Self {
        Self {
            file: file.into(),
            zone: None,
            registrar: REGISTRAR_DEFAULT.to_owned(),
            strict: false,
            restart: false,
            rejects_file: None,
            actor: "cli".to_owned(),
            now,
        }
    }

    fn rejects_path(&self) -> PathBuf {
        self.rejects_file.clone().unwrap_or_else(|| {
            let mut path = self.file.clone().into_os_string();
            path.push(".rejects");
            path.into()
        })
    }
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Apex of the zone.
    pub zone: String,
    /// SOA serial, carried on.
    pub serial: u32,
    /// Sponsor of the new objects.
    pub registrar: String,
    /// Event that ended the import.
    pub event: i64,
    /// Records of the file, good and bad ones.
    pub records: u64,
    /// Domains.
    pub domains: u64,
    /// NS records below the apex.
    pub delegations: u64,
    /// DS records.
    pub ds: u64,
    /// Addresses of hosts that the zone's NS records name.
    pub glue: u64,
    /// Addresses below a cut that no NS record names: the host objects are kept
    /// with them, but not published.
    pub glue_unused: u64,
    /// Addresses of hosts that another zone of the registry keeps: kept as
    /// records of this zone.
    pub glue_shared: u64,
    /// Authoritative records that are no registrations, SOA apart.
    pub zone_records: u64,
    /// The old signer's records, by type: not imported.
    pub dropped: BTreeMap<String, u64>,
    /// RRsets whose records had different TTLs: the lowest was taken.
    pub ttl_conflicts: u64,
    /// Bad records.
    pub rejected: u64,
    /// Where they are, if there are any.
    pub rejects_file: Option<PathBuf>,
    /// Records that an earlier run, which was cut off, had done.
    pub resumed_at: u64,
    /// Whether the same file had been imported completely before.
    pub already: bool,
    /// Seconds that this run took.
    pub seconds: f64,
}

impl ImportReport {
    fn count(&mut self, role: Role, rtype: RecordType) {
        match role {
            Role::Soa => {}
            Role::Signer => *self.dropped.entry(rtype.to_string()).or_default() += 1,
            Role::ZoneRecord => self.zone_records += 1,
            Role::Delegation => self.delegations += 1,
            Role::Ds => self.ds += 1,
            Role::Glue(Glue::Used, _) => self.glue += 1,
            Role::Glue(Glue::Unused, _) => self.glue_unused += 1,
            Role::Glue(Glue::Shared, _) => self.glue_shared += 1,
            Role::Rejected(_) => self.rejected += 1,
        }
    }
}

/// Imports a zone file. Blocks its thread while it reads the file.
///
/// Killed at any moment and run again with the same file, it comes to the same
/// registry as one run that was left alone.
pub async fn import_zone_file(
    database: &mut Database,
    options: &ImportOptions,
    progress: ProgressSink<'_>,
) -> Result<ImportReport, RegistryError> {
    let started = std::time::Instant::now();
    let survey = Survey::of_file(options, progress)?;
    if options.strict {
        check(options, &survey, progress)?;
    }
    let writer = match Writer::begin(database, options, survey).await? {
        Begin::Write(writer) => *writer,
        Begin::Already(report) => return Ok(*report),
    };
    let mut report = write(writer, options, progress).await?;
    database.refresh_statistics().await?;
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// The pass that writes.
async fn write(
    mut writer: Writer<'_>,
    options: &ImportOptions,
    progress: ProgressSink<'_>,
) -> Result<ImportReport, RegistryError> {
    let mut rejects = Rejects::new(options.rejects_path())?;
    let mut input = Input::open(options)?;
    let mut meter = Meter::start(progress, Phase::Write, Some(input.bytes_total));
    let mut report = writer.report(options);
    let mut key = Vec::new();
    while let Some(read) = input.next()? {
        // Records that an earlier run wrote are only counted; its bad ones are told
        // again, so that the rejects file is whole.
        let is_new = meter.done() >= report.resumed_at;
        match read {
            Ok(record) => {
                lower_key(&record.owner, &mut key);
                let role = classify(&writer.survey, &key, record.rtype);
                report.count(role, record.rtype);
                if let Role::Rejected(reason) = role {
                    rejects.record(input.position(), reason, &record)?;
                } else if is_new {
                    writer.take(role, &key, record);
                }
            }
            Err(fault) => {
                report.rejected += 1;
                rejects.fault(&fault)?;
            }
        }
        meter.step(input.bytes());
        if writer.is_full() {
            writer.flush(meter.done()).await?;
        }
    }
    meter.report(input.bytes());
    report.rejects_file = rejects.finish()?;
    writer.finish(report, options, meter.done()).await
}

/// The pass of `strict`: the first bad record ends the import before it began.
fn check(
    options: &ImportOptions,
    survey: &Survey,
    progress: ProgressSink<'_>,
) -> Result<(), RegistryError> {
    let mut input = Input::open(options)?;
    let mut meter = Meter::start(progress, Phase::Check, Some(input.bytes_total));
    let mut key = Vec::new();
    while let Some(read) = input.next()? {
        let (path, line, reason) = match read {
            Ok(record) => {
                meter.step(input.bytes());
                lower_key(&record.owner, &mut key);
                let Role::Rejected(reason) = classify(survey, &key, record.rtype) else {
                    continue;
                };
                let at = input.position();
                (at.path.clone(), at.line, reason.to_owned())
            }
            Err(fault) => (fault.path, fault.line, fault.reason.to_string()),
        };
        let file = path.display().to_string();
        return Err(RegistryError::Rejected { file, line, reason });
    }
    meter.report(input.bytes());
    Ok(())
}

/// The file as records and faults. Input that cannot be read ends an import even
/// where bad records do not: what follows would lack a part.
struct Input {
    reader: Reader,
    path: PathBuf,
    bytes_total: u64,
}

impl Input {
    fn open(options: &ImportOptions) -> Result<Self, RegistryError> {
        let path = options.file.clone();
        let metadata = std::fs::metadata(&path).map_err(|e| RegistryError::io(&path, e))?;
        let origin = options.zone.clone().unwrap_or_else(Name::root);
        let reader =
            Reader::open(&path, Some(origin)).map_err(|fault| unreadable(&path, &fault))?;
        Ok(Self {
            reader,
            path,
            bytes_total: metadata.len(),
        })
    }

    fn next(&mut self) -> Result<Option<Result<Record, ZoneFileError>>, RegistryError> {
        match self.reader.next() {
            Some(Err(fault)) if matches!(fault.reason, Reason::Io(_)) => {
                Err(unreadable(&self.path, &fault))
            }
            read => Ok(read),
        }
    }

    fn position(&self) -> &Position {
        self.reader.position()
    }

    fn bytes(&self) -> u64 {
        self.reader.bytes_read()
    }
}

fn unreadable(path: &Path, fault: &ZoneFileError) -> RegistryError {
    RegistryError::ImportFile {
        file: path.display().to_string(),
        reason: fault.reason.to_string(),
    }
}

/// Names are keys as lower-case wire format.
fn lower_key(name: &Name, key: &mut Vec<u8>) {
    key.clear();
    key.extend_from_slice(name.as_wire());
    key.make_ascii_lowercase();
}

#[cfg(test)]
mod tests;
