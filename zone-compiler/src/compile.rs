//! A full compile: every record of a zone into pages of a new segment.
//!
//! Steps: read all records; group them by owner; decide what each name is;
//! encode shared NS sets; fill name pages on all cores; write the trees. A zone
//! with faults is refused whole, with every fault named; warnings are told.

mod classify;
mod encode;
mod fault;
mod pages;
mod rrset;
mod shared;
mod table;

use std::sync::atomic::{AtomicBool, Ordering};

use zone_image::layout::Part;
use zone_image::writer::{BodyBytes, Installer, ZoneRoots};
use zone_image::{Name, WriteError};

use self::classify::{Classifier, Names, Standing};
pub(crate) use self::encode::compressible_names;
use self::encode::{Encoder, Scope};
pub use self::fault::{FINDINGS_MAX, Finding, Findings};
use self::pages::ZonePages;
use self::rrset::{BodyMaker, Rrsets};
use self::shared::SharedBodies;
use self::table::Table;
use crate::record::RecordType;
use crate::source::{SourceError, ZoneSource};

/// How often reading reports progress, in records.
const PROGRESS_STEP: u64 = 10_000;

/// What a compile is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading records from the source.
    Read,
    /// Grouping and checking names.
    Check,
    /// Filling pages.
    Pages,
}

/// How far a stage is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// Records or names done.
    pub done: u64,
    /// How many there are, 0 where not known.
    pub total: u64,
}

/// What a compile made of a zone.
#[derive(Debug, Clone)]
pub struct Report {
    /// Apex.
    pub apex: Name,
    /// SOA serial.
    pub serial: u32,
    /// Registry event.
    pub event: u64,
    /// Records read.
    pub records_read: u64,
    /// Names with an entry.
    pub names: u64,
    /// Delegations among them.
    pub delegations: u64,
    /// Bodies stored once for several names.
    pub shared_bodies: u32,
    /// What is odd but served.
    pub warnings: Findings,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "zone {} serial {}: {} records, {} names, {} delegations, {} warnings",
            self.apex,
            self.serial,
            self.records_read,
            self.names,
            self.delegations,
            self.warnings.count()
        )
    }
}

/// Why a zone was not compiled. Nothing was installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The source could not be read.
    #[error("{0}")]
    Source(SourceError),
    /// The zone is broken.
    #[error("zone {apex} has {} faults and was not compiled:\n{faults}", faults.count())]
    Refused {
        /// The zone.
        apex: Name,
        /// What is wrong with it.
        faults: Findings,
    },
    /// The image could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Compiles one zone into `installer`'s segment. It is served when the installer
/// commits; until then nothing that was there changes.
pub fn compile(
    source: &mut dyn ZoneSource,
    installer: &mut Installer,
    progress: &dyn Fn(Progress),
) -> Result<Report, CompileError> {
    let apex_name = source.apex().to_lowercase();
    let apex = apex_name.as_wire();
    let mut table = read(source, installer, progress)?;
    progress(Progress {
        stage: Stage::Check,
        done: 0,
        total: table.len() as u64,
    });
    table.group();

    let mut classifier = Classifier {
        table: &table,
        apex,
        faults: Findings::default(),
        warnings: Findings::default(),
    };
    let names = classifier.run();
    let (mut faults, mut warnings) = (classifier.faults, classifier.warnings);
    let negative = check_apex(&table, apex, &mut faults);
    let Some((serial, negative)) = negative else {
        return Err(refused(&apex_name, faults));
    };

    let used: Vec<AtomicBool> = (0..table.groups())
        .map(|_| AtomicBool::new(false))
        .collect();
    let shared = shared_bodies(&table, &names, apex, &used, &mut faults);
    let segment = installer.segment();
    let shared_root = shared.write(segment)?;
    let zone_pages = ZonePages {
        table: &table,
        names: &names,
        apex,
        shared: &shared,
        used: &used,
    };
    let pages = zone_pages.write(segment, progress)?;
    faults.extend(pages.faults);
    warnings.extend(pages.warnings);
    warn_of_unused_glue(&table, &names, &used, &mut warnings);
    if faults.count() > 0 {
        return Err(refused(&apex_name, faults));
    }
    warnings.sort();
    installer.add_zone(&ZoneRoots {
        apex: apex.to_vec(),
        serial,
        event: source.event(),
        depths: pages.depths,
        apex_flags: pages.apex_flags,
        names: pages.root,
        shared: shared_root,
        shared_count: shared.count(),
        names_count: pages.names,
        delegations_count: names.delegations,
        records_count: pages.records,
        negative,
    })?;
    Ok(Report {
        apex: source.apex().clone(),
        serial,
        event: source.event(),
        records_read: table.len() as u64,
        names: pages.names,
        delegations: names.delegations,
        shared_bodies: shared.count(),
        warnings,
    })
}

fn refused(apex: &Name, mut faults: Findings) -> CompileError {
    faults.sort();
    CompileError::Refused {
        apex: apex.clone(),
        faults,
    }
}

fn read(
    source: &mut dyn ZoneSource,
    installer: &mut Installer,
    progress: &dyn Fn(Progress),
) -> Result<Table, CompileError> {
    let total = source.records_expected();
    let mut table = Table::new(installer.segment().seed());
    let mut done = 0;
    source
        .for_each(&mut |record| {
            table.push(&record);
            done += 1;
            if done % PROGRESS_STEP == 0 {
                progress(Progress {
                    stage: Stage::Read,
                    done,
                    total,
                });
            }
            Ok(())
        })
        .map_err(CompileError::Source)?;
    Ok(table)
}

fn shared_bodies(
    table: &Table,
    names: &Names,
    apex: &[u8],
    used: &[AtomicBool],
    faults: &mut Findings,
) -> SharedBodies {
    let mut maker = BodyMaker {
        table,
        names,
        apex,
        used,
        faults: Findings::default(),
        warnings: Findings::default(),
    };
    let shared = SharedBodies::collect(&mut maker);
    faults.extend(maker.faults);
    shared
}

/// Checks SOA and NS of the apex. Returns the serial and the bodies of negative
/// answers; `None` where there is no single SOA.
fn check_apex(
    table: &Table,
    apex: &[u8],
    faults: &mut Findings,
) -> Option<(u32, Vec<(Part, BodyBytes)>)> {
    let Some(group) = table.find(apex) else {
        faults.push(
            apex,
            "no SOA and no other data at the apex; is this the zone's name?",
        );
        return None;
    };
    let rrsets = Rrsets::of(table, group, &mut Findings::default());
    if rrsets.get(RecordType::NS).is_none() {
        faults.push(apex, "no NS at the apex; add the zone's name servers");
    }
    let Some(soa) = rrsets.get(RecordType::SOA) else {
        faults.push(apex, "no SOA at the apex; add one");
        return None;
    };
    let [rdata] = soa.rdata[..] else {
        faults.push(apex, "more than one SOA (RFC 1035 section 5.2); keep one");
        return None;
    };
    // After two names: serial, refresh, retry, expire, minimum (RFC 1035 section 3.3.13).
    let field = |from_end: usize| {
        let bytes = rdata
            .len()
            .checked_sub(from_end)
            .and_then(|at| rdata.get(at..at + 4));
        bytes.map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    };
    let (Some(serial), Some(minimum)) = (field(20), field(4)) else {
        faults.push(apex, "the SOA is cut off; write it again");
        return None;
    };
    // RFC 2308 section 5: the lower of both bounds how long a miss is cached.
    let ttl = soa.ttl.min(minimum);
    let scope = Scope {
        owner: apex,
        apex,
        point_to_owner: false,
    };
    let body_of = |rtype, rdata: &[&[u8]]| {
        let mut encoder = Encoder::new(scope);
        rdata
            .iter()
            .for_each(|rdata| encoder.apex_record(rtype, ttl, rdata));
        encoder.finish()
    };
    let mut negative = vec![(Part::Records, body_of(RecordType::SOA, &soa.rdata)?)];
    if let Some(signatures) = rrsets.signatures.get(&RecordType::SOA) {
        negative.push((
            Part::Signatures,
            body_of(RecordType::RRSIG, &signatures.rdata)?,
        ));
    }
    Some((serial, negative))
}

fn warn_of_unused_glue(table: &Table, names: &Names, used: &[AtomicBool], warnings: &mut Findings) {
    for (group, used) in used.iter().enumerate() {
        if names.standing[group] == Standing::BelowCut && !used.load(Ordering::Relaxed) {
            let text = "address below a delegation that no NS needs; it is not served";
            warnings.push(table.owner(group), text);
        }
    }
}

#[cfg(test)]
mod tests;
