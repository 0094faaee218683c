//! Installing a generation: new zones in a new segment, the others as they are.
//!
//! Order on disk: segment synced, renamed; generation file synced, renamed;
//! directory synced. Whoever is killed in between leaves the old generation
//! whole, and files that the next install removes.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::catalog::CatalogChanges;
use super::page::{BodyBytes, encode};
use super::segment::{FreeSlots, SegmentWriter};
use super::staged::{Installed, Staged};
use crate::denial::Nsec3Hasher;
use crate::error::{OpenError, WriteError};
use crate::generation::{GENERATION_FILE, Generation};
use crate::hash::Seed;
use crate::layout::{
    ArchivedManifest, ArchivedZonePage, Denial, HEADER_BYTES, Manifest, PageKind, PageRef, Part,
    SegmentRef, ZonePage,
};
use crate::memory::Memory;
use crate::reach::{Live, each_page_of_zone};
use crate::segment::read_generation_file;

const SOA: u16 = 6;
/// The least slots of segments that installs write, and of those that folds write; they
/// go on by twos.
pub(super) const SLOT_OF_INSTALL: usize = 0;
pub(super) const SLOT_OF_FOLD: usize = 1;

/// A zone whose trees are written: what its zone page will say.
#[derive(Debug, Clone)]
pub struct ZoneRoots {
    /// Apex in wire format, lower case.
    pub apex: Vec<u8>,
    /// SOA serial.
    pub serial: u32,
    /// Registry event that the zone stands at.
    pub event: u64,
    /// Depths below the apex at which there are names.
    pub depths: u128,
    /// Flags of the apex entry.
    pub apex_flags: u8,
    /// Root of the name tree.
    pub names: PageRef,
    /// Root of the tree of shared bodies.
    pub shared: PageRef,
    /// Number of shared bodies.
    pub shared_count: u32,
    /// Number of names.
    pub names_count: u64,
    /// Number of delegations.
    pub delegations_count: u64,
    /// Number of records.
    pub records_count: u64,
    /// How the zone proves that something is not there.
    pub proofs: Proofs,
    /// For negative answers: the SOA with its negative TTL, and its RRSIGs.
    pub negative: Vec<(Part, BodyBytes)>,
    /// What parked names have, by part and type; none where the zone parks nothing.
    pub parking: Vec<(Part, u16, BodyBytes)>,
}

/// The proofs of a zone, written already.
#[derive(Debug, Clone, Default)]
pub struct Proofs {
    /// Their kind.
    pub denial: Denial,
    /// Root of the NSEC3 tree, or of the order of NSEC owners.
    pub root: PageRef,
    /// Number of NSEC3 records, or of NSEC owners.
    pub count: u64,
    /// Additional iterations of the NSEC3 hash.
    pub iterations: u16,
    /// Salt of the NSEC3 hash.
    pub salt: Vec<u8>,
}

impl Proofs {
    /// Those that a zone page names.
    pub(super) fn of(zone: &ArchivedZonePage) -> Self {
        Self {
            denial: Denial::from_number(zone.denial).expect("the verifier read the kind"),
            root: PageRef(zone.proofs.to_native()),
            count: zone.proofs_count.to_native(),
            iterations: zone.nsec3_iterations.to_native(),
            salt: zone.nsec3_salt.to_vec(),
        }
    }
}

/// An install in progress; dropped before [`Installer::commit`], it leaves
/// everything as it was.
pub struct Installer {
    directory: PathBuf,
    segment: SegmentWriter,
    /// What is other than in the kept generation.
    changes: CatalogChanges,
    kept: Option<Arc<Generation>>,
    /// What will be reached of the kept segments.
    live: Live,
    number: u64,
    /// Released last.
    lock: File,
}

impl Installer {
    /// Starts an install into `directory`, which is made where it is missing.
    /// Zones that are installed stay unless they are written again.
    pub fn update(directory: &Path) -> Result<Self, WriteError> {
        let lock = lock(directory)?;
        let kept = match Generation::open(directory, Memory::Mapped) {
            Ok(kept) => Some(Arc::new(kept)),
            Err(OpenError::Missing(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let seed = match &kept {
            Some(kept) => kept.seed,
            None => fresh_seed()?,
        };
        Self::begin(directory, lock, kept, 0, seed)
    }

    /// As [`Installer::update`], where `kept` is what is installed, already open: nothing
    /// of it is read or verified again. Another image there is refused.
    pub fn update_after(directory: &Path, kept: Arc<Generation>) -> Result<Self, WriteError> {
        let lock = lock(directory)?;
        if !kept.is_installed_in(directory) {
            return Err(WriteError::Replaced(directory.to_owned()));
        }
        let seed = kept.seed;
        Self::begin(directory, lock, Some(kept), 0, seed)
    }

    /// Starts an install that replaces everything; an image there that cannot
    /// be read any more does not stop it. `seed` is for golden files only.
    pub fn replace(directory: &Path, seed: Option<Seed>) -> Result<Self, WriteError> {
        let lock = lock(directory)?;
        let seed = seed.map_or_else(fresh_seed, Ok)?;
        let before = installed_number(directory);
        Self::begin(directory, lock, None, before, seed)
    }

    fn begin(
        directory: &Path,
        lock: File,
        kept: Option<Arc<Generation>>,
        number_before: u64,
        seed: Seed,
    ) -> Result<Self, WriteError> {
        let slots = free_slots(kept.as_deref());
        let number = kept.as_ref().map_or(number_before, |kept| kept.number);
        let segment = SegmentWriter::create(directory, slots, SLOT_OF_INSTALL, seed)?;
        let directory = directory.to_owned();
        let live = kept.as_ref().map(|kept| kept.live.clone());
        Ok(Self {
            directory,
            segment,
            changes: CatalogChanges::default(),
            kept,
            live: live.unwrap_or_default(),
            number,
            lock,
        })
    }

    /// Where pages of the new generation are written to.
    pub fn segment(&mut self) -> &mut SegmentWriter {
        &mut self.segment
    }

    /// Begins another segment where one would have more octets of pages than this; the
    /// usual bound is for large zones.
    pub fn limit_segments(&mut self, bytes_max: u64) {
        self.segment.limit(bytes_max);
    }

    /// What is installed, where it is updated.
    pub fn kept(&self) -> Option<Arc<Generation>> {
        self.kept.clone()
    }

    /// The page of a zone that is installed and was not written again.
    pub(super) fn kept_zone(&self, apex: &[u8]) -> Option<PageRef> {
        self.changes.unchanged(self.kept.as_deref(), apex)
    }

    /// Nothing refers to these pages of kept segments any more.
    pub(super) fn retire(&mut self, pages: Vec<PageRef>) {
        for page in pages {
            self.live.remove(page);
        }
    }

    fn retire_zone(&mut self, apex: &[u8]) {
        if let (Some(reference), Some(kept)) = (self.kept_zone(apex), &self.kept) {
            each_page_of_zone(kept, reference, &mut |page| self.live.remove(page));
        }
    }

    /// Adds a zone or replaces the one of that apex.
    pub fn add_zone(&mut self, roots: &ZoneRoots) -> Result<(), WriteError> {
        self.retire_zone(&roots.apex);
        self.put_zone(roots)
    }

    /// Writes the zone's page; the one before, if any, is retired by the caller.
    pub(super) fn put_zone(&mut self, roots: &ZoneRoots) -> Result<(), WriteError> {
        let page = zone_page(roots);
        let reference = self.segment.append(PageKind::Zone, &encode(&page)?)?;
        self.changes.put(&roots.apex, reference, roots.event);
        Ok(())
    }

    /// Takes a zone out; says whether it was there.
    pub fn remove_zone(&mut self, apex: &[u8]) -> bool {
        self.retire_zone(apex);
        self.changes.remove(self.kept.as_deref(), apex)
    }

    /// Makes the new generation the installed one.
    pub fn commit(self) -> Result<Installed, WriteError> {
        self.stage()?.install()
    }

    /// Writes the new generation to disk beside the installed one, which stays.
    pub fn stage(mut self) -> Result<Staged, WriteError> {
        let kept = self.kept.as_deref();
        let catalog = self.changes.write(kept, &mut self.segment)?;
        for page in &catalog.retired {
            self.live.remove(*page);
        }
        let manifest_of = |segments: Vec<SegmentRef>, number, seed: Seed| Manifest {
            number,
            event: catalog.event,
            seed: seed.0,
            catalog: catalog.root.0,
            catalog_depths: halves(catalog.depths),
            zones_count: catalog.zones_count,
            segments,
        };
        let seed = self.segment.seed();
        let written = self.segment.finish()?;
        let segment_bytes = written.iter().map(|segment| segment.bytes).sum();
        let mut segments = Vec::new();
        if let Some(kept) = &self.kept {
            // What nothing refers to is left out; in the order of their writing.
            let used = kept.order.iter().filter(|slot| self.live.bytes(**slot) > 0);
            segments.extend(used.filter_map(|slot| {
                let segment = kept.segments[usize::from(*slot)].as_ref()?;
                Some(SegmentRef {
                    slot: *slot,
                    digest: *segment.digest(),
                    bytes: segment.bytes(),
                })
            }));
        }
        segments.extend(written);
        let manifest = manifest_of(segments, self.number + 1, seed);
        Staged::write(self.directory, &manifest, segment_bytes, self.lock)
    }
}

/// The page of a zone.
pub(super) fn zone_page(roots: &ZoneRoots) -> ZonePage {
    let mut heap = Vec::new();
    let negative = roots.negative.iter().map(|(part, body)| (part, SOA, body));
    let parking = roots.parking.iter();
    let parking = parking.map(|(part, rtype, body)| (part, *rtype, body));
    let negative = negative
        .chain(parking)
        .map(|(part, rtype, body)| body.store(rtype, *part, &mut heap))
        .collect();
    let nsec3 = Nsec3Hasher::new(roots.proofs.iterations, &roots.proofs.salt);
    let wildcard = [b"\x01*", &roots.apex[..]].concat();
    ZonePage {
        denial: roots.proofs.denial as u8,
        proofs: roots.proofs.root.0,
        proofs_count: roots.proofs.count,
        nsec3_iterations: roots.proofs.iterations,
        nsec3_salt: roots.proofs.salt.clone(),
        nsec3_apex: [nsec3.hash(&roots.apex), nsec3.hash(&wildcard)],
        apex: roots.apex.clone(),
        serial: roots.serial,
        event: roots.event,
        depths: halves(roots.depths),
        apex_flags: roots.apex_flags,
        names: roots.names.0,
        shared: roots.shared.0,
        shared_count: roots.shared_count,
        names_count: roots.names_count,
        delegations_count: roots.delegations_count,
        records_count: roots.records_count,
        negative,
        heap,
    }
}

/// The slots that are free. Installs take even ones and folds odd ones: a fold has its own
/// while installs go on, and need ask nobody for it.
pub(super) fn free_slots(kept: Option<&Generation>) -> FreeSlots {
    let segments = kept.map_or(&[][..], |kept| &kept.segments);
    let taken = segments.iter().map(Option::is_some).collect();
    FreeSlots { taken }
}

pub(super) fn halves(mask: u128) -> [u64; 2] {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "takes the low half, then the high one"
    )]
    [mask as u64, (mask >> 64) as u64]
}

fn fresh_seed() -> Result<Seed, WriteError> {
    Seed::random().map_err(|error| WriteError::io(Path::new("/dev/urandom"), error))
}

/// Makes the directory and takes its lock, so that two installs never mix.
pub(super) fn lock(directory: &Path) -> Result<File, WriteError> {
    std::fs::create_dir_all(directory).map_err(|error| WriteError::io(directory, error))?;
    let path = directory.join("lock");
    let file = File::create(&path).map_err(|error| WriteError::io(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(WriteError::Busy(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(WriteError::io(&path, error)),
    }
}

/// The number of the installed generation, 0 where it cannot be read.
fn installed_number(directory: &Path) -> u64 {
    let Ok(file) = read_generation_file(&directory.join(GENERATION_FILE)) else {
        return 0;
    };
    let manifest = rkyv::access::<ArchivedManifest, rkyv::rancor::Error>(&file[HEADER_BYTES..]);
    manifest.map_or(0, |manifest| manifest.number.to_native())
}
