//! A full compile: every record of a zone into pages of a new segment.
//!
//! Steps: read all records; group them by owner; decide what each name is;
//! encode shared NS sets; fill name pages on all cores; write the trees. A zone
//! with faults is refused whole, with every fault named; warnings are told.

mod apex;
pub mod change;
mod children;
mod classify;
mod denial;
mod encode;
mod fault;
mod measure;
mod pages;
mod parking;
mod rrset;
mod shared;
mod signer;
mod table;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zone_image::writer::{Installer, ZoneRoots};
use zone_image::{Generation, Name, WriteError};

use self::apex::ApexData;
use self::children::{Child, Children};
use self::classify::{Classifier, Names, Standing};
use self::denial::{Chain, ChainReader};
pub(crate) use self::encode::compressible_names;
pub use self::fault::{FINDINGS_MAX, Finding, Findings};
pub use self::measure::{Absence, Proof, Referral, Server};
use self::pages::ZonePages;
use self::parking::ParkedBody;
use self::rrset::BodyMaker;
use self::shared::SharedBodies;
pub use self::signer::SignedCounts;
use self::table::Table;
use crate::sign::{SignError, Signing};
use crate::source::{Parking, SourceError, ZoneSource};

/// How often reading reports progress, in records.
const PROGRESS_STEP: u64 = 10_000;

/// What a compile is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading records from the source.
    Read,
    /// Signing, if the compiler does.
    Sign,
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
    /// What signing came to, child zones included; zeros where the compiler signed nothing.
    pub signed: SignedCounts,
    /// Child zones of parked names, which are in the image beside it.
    pub children: u64,
    /// Those that the image had before, where it was looked at for them.
    pub children_before: u64,
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
        )?;
        let SignedCounts { made, kept, .. } = self.signed;
        if made + kept > 0 {
            write!(f, ", {made} signatures made and {kept} kept")?;
        }
        Ok(())
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
    /// A signature could not be made.
    #[error("zone {apex} was not signed: {error}")]
    Sign {
        /// The zone.
        apex: Name,
        /// Why not.
        error: SignError,
    },
    /// The image could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What a compile lets pass, and what it adds.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Most additional iterations of a signed zone's NSEC3 hash. More than none
    /// helps nobody and costs every miss (RFC 9276 section 3.1).
    pub nsec3_iterations_max: u16,
    /// Signs the zone with these keys, in the place of whoever signed its source;
    /// without it a zone is compiled as its source has it.
    pub signing: Option<Arc<Signing>>,
    /// Where signatures that are still good are taken from: the generation in service.
    pub previous: Option<Arc<Generation>>,
    /// Whether the image that is updated may have child zones of parked names of the zone:
    /// those that are none any more are taken out, after a look at all its zones.
    pub sweeps_children: bool,
    /// Stores each NS set with its name, shared or not: to measure what sharing is worth.
    pub private_name_servers: bool,
}

/// Compiles one zone as [`compile_with`] does, with the defaults of [`Options`].
pub fn compile(
    source: &mut dyn ZoneSource,
    installer: &mut Installer,
    progress: &dyn Fn(Progress),
) -> Result<Report, CompileError> {
    compile_with(source, installer, &Options::default(), progress)
}

/// Compiles one zone into `installer`'s segment, with the child zones of its parked names
/// where these are signed. It is served when the installer commits; until then nothing
/// that was there changes.
pub fn compile_with(
    source: &mut dyn ZoneSource,
    installer: &mut Installer,
    options: &Options,
    progress: &dyn Fn(Progress),
) -> Result<Report, CompileError> {
    let apex = source.apex().to_lowercase();
    let parking = source.parking().map_err(CompileError::Source)?;
    let children = Children::new(parking.as_ref(), options.signing.as_deref(), &apex)?;
    let parked = Parked {
        parking: parking.as_ref(),
        children: children.as_ref(),
    };
    let (mut report, names) = compile_zone(source, installer, options, parked, progress)?;
    if options.sweeps_children
        && let Some(kept) = installer.kept()
    {
        report.children_before = children::sweep(&kept, apex.as_wire(), &names, installer);
    }
    if let Some(children) = &children {
        let counts = children.compile(&names, options.previous.as_ref(), installer)?;
        report.children = counts.compiled;
        report.signed.made += counts.signed.made;
        report.signed.kept += counts.signed.kept;
    }
    Ok(report)
}

/// What a zone has for its parked names.
#[derive(Clone, Copy)]
struct Parked<'p> {
    parking: Option<&'p Parking>,
    children: Option<&'p Children<'p>>,
}

/// Compiles the zone itself; says which parked names are to have child zones.
fn compile_zone(
    source: &mut dyn ZoneSource,
    installer: &mut Installer,
    options: &Options,
    parked: Parked<'_>,
    progress: &dyn Fn(Progress),
) -> Result<(Report, Vec<Child>), CompileError> {
    let apex_name = source.apex().to_lowercase();
    let input = input(source, installer, options, parked.children, progress)?;
    let table = &input.table;
    progress(Progress {
        stage: Stage::Check,
        done: 0,
        total: table.len() as u64,
    });
    let used: Vec<AtomicBool> = (0..table.groups())
        .map(|_| AtomicBool::new(false))
        .collect();
    let mut zone = CheckedZone::check(table, &apex_name, input.names, options)?;
    let parking = zone.park(parked);
    let shared = match options.private_name_servers {
        false => zone.shared_bodies(&used),
        true => SharedBodies::default(),
    };
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
    warnings.extend(input.warnings);
    warnings.extend(pages.warnings);
    warn_of_unused_glue(table, &names, &used, &mut warnings);
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
        parking,
    })?;
    let report = Report {
        apex: source.apex().clone(),
        serial: apex_data.serial,
        event: source.event(),
        records_read: input.records_read,
        names: pages.names,
        delegations: names.delegations,
        shared_bodies: shared.count(),
        signed: input.signed,
        children: 0,
        children_before: 0,
        warnings,
    };
    Ok((report, input.children))
}

/// All records of a zone, those of its signer included, grouped by name.
struct Input {
    table: Table,
    records_read: u64,
    signed: SignedCounts,
    /// What the names are, where the signer had to know.
    names: Option<Names>,
    /// Parked names that are to have child zones.
    children: Vec<Child>,
    warnings: Findings,
}

/// Reads a zone, and signs it where the options say so.
fn input(
    source: &mut dyn ZoneSource,
    installer: &mut Installer,
    options: &Options,
    children: Option<&Children<'_>>,
    progress: &dyn Fn(Progress),
) -> Result<Input, CompileError> {
    let apex = source.apex().to_lowercase();
    let (table, dropped) = read(source, installer, options, progress)?;
    let mut input = Input {
        records_read: table.len() as u64 + dropped,
        table,
        signed: SignedCounts::default(),
        names: None,
        children: Vec::new(),
        warnings: Findings::default(),
    };
    let Some(signing) = &options.signing else {
        input.table.group();
        return Ok(input);
    };
    let zone = signer::Unsigned {
        apex: &apex,
        signing,
        previous: options.previous.as_deref(),
        children,
    };
    let signed = zone.sign(&mut input.table, &mut input.warnings, progress)?;
    input.signed = SignedCounts {
        dropped,
        ..signed.counts
    };
    input.names = Some(signed.names);
    input.children = signed.children;
    Ok(input)
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
        names: Option<Names>,
        options: &Options,
    ) -> Result<Self, CompileError> {
        let apex = apex_name.as_wire();
        let mut classifier = Classifier {
            table,
            apex,
            faults: Findings::default(),
            warnings: Findings::default(),
        };
        let names = names.unwrap_or_else(|| classifier.run());
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

    /// Takes over what parked names are; returns what the zone has for them.
    fn park(&mut self, parked: Parked<'_>) -> Vec<ParkedBody> {
        if parked.children.is_some() {
            parking::check(parked.parking, self.apex, &mut self.faults);
            return Vec::new();
        }
        let (names, bodies) = parking::prepare(parked.parking, self.apex, &mut self.faults);
        self.names.parking = names;
        bodies
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

/// Reads all records; also says how many are left out because the zone is signed anew.
fn read(
    source: &mut dyn ZoneSource,
    installer: &mut Installer,
    options: &Options,
    progress: &dyn Fn(Progress),
) -> Result<(Table, u64), CompileError> {
    let total = source.records_expected();
    let mut table = Table::new(installer.segment().seed());
    let (mut done, mut dropped) = (0, 0);
    let apex = source.apex().clone();
    let signs = options.signing.is_some();
    source
        .for_each(&mut |record| {
            if signs && signer::is_of_signer(record.rtype, record.owner == apex) {
                dropped += 1;
            } else {
                table.push(&record);
            }
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
    Ok((table, dropped))
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
