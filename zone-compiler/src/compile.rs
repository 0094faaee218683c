//! A full compile: every record of a zone into pages of a new segment.
//!
//! Steps: read all records; group them by owner; decide what each name is;
//! encode shared NS sets; fill name pages on all cores; write the trees. A zone
//! with faults is refused whole, with every fault named; warnings are told.

mod apex;
pub mod change;
mod classify;
mod denial;
mod encode;
mod fault;
mod pages;
mod rrset;
mod shared;
mod table;

use std::sync::atomic::{AtomicBool, Ordering};

use zone_image::writer::{Installer, ZoneRoots};
use zone_image::{Name, WriteError};

use self::apex::ApexData;
use self::classify::{Classifier, Names, Standing};
use self::denial::{Chain, ChainReader};
pub(crate) use self::encode::compressible_names;
pub use self::fault::{FINDINGS_MAX, Finding, Findings};
use self::pages::ZonePages;
use self::rrset::BodyMaker;
use self::shared::SharedBodies;
use self::table::Table;
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

/// What a compile lets pass.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Most additional iterations of a signed zone's NSEC3 hash. More than none
    /// helps nobody and costs every miss (RFC 9276 section 3.1).
    pub nsec3_iterations_max: u16,
}

/// Compiles one zone as [`compile_with`] does, with the defaults of [`Options`].
pub fn compile(
    source: &mut dyn ZoneSource,
    installer: &mut Installer,
    progress: &dyn Fn(Progress),
) -> Result<Report, CompileError> {
    compile_with(source, installer, &Options::default(), progress)
}

/// Compiles one zone into `installer`'s segment. It is served when the installer
/// commits; until then nothing that was there changes.
pub fn compile_with(
    source: &mut dyn ZoneSource,
    installer: &mut Installer,
    options: &Options,
    progress: &dyn Fn(Progress),
) -> Result<Report, CompileError> {
    let apex_name = source.apex().to_lowercase();
    let mut table = read(source, installer, progress)?;
    progress(Progress {
        stage: Stage::Check,
        done: 0,
        total: table.len() as u64,
    });
    table.group();
    let used: Vec<AtomicBool> = (0..table.groups())
        .map(|_| AtomicBool::new(false))
        .collect();
    let mut zone = CheckedZone::check(&table, &apex_name, options)?;
    let shared = zone.shared_bodies(&used);
    let segment = installer.segment();
    let shared_root = shared.write(segment)?;
    let pages = zone.pages(&shared, &used).write(segment, progress)?;
    let CheckedZone {
        names,
        apex_data,
        chain,
        mut faults,
        mut warnings,
        ..
    } = zone;
    let proofs = chain.write(segment)?;
    faults.extend(pages.faults);
    warnings.extend(pages.warnings);
    warn_of_unused_glue(&table, &names, &used, &mut warnings);
    if faults.count() > 0 {
        return Err(refused(&apex_name, faults));
    }
    warnings.sort();
    installer.add_zone(&ZoneRoots {
        apex: apex_name.as_wire().to_vec(),
        serial: apex_data.serial,
        event: source.event(),
        depths: pages.depths,
        apex_flags: pages.apex_flags,
        names: pages.root,
        shared: shared_root,
        shared_count: shared.count(),
        names_count: pages.names,
        delegations_count: names.delegations,
        records_count: pages.records,
        proofs,
        negative: apex_data.negative,
    })?;
    Ok(Report {
        apex: source.apex().clone(),
        serial: apex_data.serial,
        event: source.event(),
        records_read: table.len() as u64,
        names: pages.names,
        delegations: names.delegations,
        shared_bodies: shared.count(),
        warnings,
    })
}

/// A zone whose names are known and checked, before any page of it is written.
struct CheckedZone<'t> {
    table: &'t Table,
    apex: &'t [u8],
    names: Names,
    apex_data: ApexData,
    chain: Chain,
    faults: Findings,
    warnings: Findings,
}

impl<'t> CheckedZone<'t> {
    fn check(
        table: &'t Table,
        apex_name: &'t Name,
        options: &Options,
    ) -> Result<Self, CompileError> {
        let apex = apex_name.as_wire();
        let mut classifier = Classifier {
            table,
            apex,
            faults: Findings::default(),
            warnings: Findings::default(),
        };
        let names = classifier.run();
        let Classifier {
            mut faults,
            warnings,
            ..
        } = classifier;
        let Some(apex_data) = apex::read(table, apex, &mut faults) else {
            return Err(refused(apex_name, faults));
        };
        let mut reader = ChainReader {
            table,
            names: &names,
            apex,
            negative_ttl: apex_data.negative_ttl,
            iterations_max: options.nsec3_iterations_max,
            faults,
        };
        let chain = reader.read();
        let faults = reader.faults;
        Ok(Self {
            table,
            apex,
            names,
            apex_data,
            chain,
            faults,
            warnings,
        })
    }

    fn shared_bodies(&mut self, used: &[AtomicBool]) -> SharedBodies {
        let mut maker = BodyMaker {
            table: self.table,
            names: &self.names,
            apex: self.apex,
            used,
            negative_ttl: self.apex_data.negative_ttl,
            faults: Findings::default(),
            warnings: Findings::default(),
        };
        let shared = SharedBodies::collect(&mut maker);
        let faults = maker.faults;
        self.faults.extend(faults);
        shared
    }

    fn pages<'s>(&'s self, shared: &'s SharedBodies, used: &'s [AtomicBool]) -> ZonePages<'s> {
        ZonePages {
            table: self.table,
            names: &self.names,
            apex: self.apex,
            shared,
            used,
            negative_ttl: self.apex_data.negative_ttl,
        }
    }
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
