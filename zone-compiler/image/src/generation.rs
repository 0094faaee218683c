//! A generation: everything that is served at one moment.
//!
//! Opening one checks the whole image; nothing unverified is ever returned.
//! Segments that the previous generation has open already are shared with it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rkyv::rancor::Error;

use crate::error::{Fault, OpenError};
use crate::hash::{Seed, slot_at};
use crate::layout::{ArchivedCatalogEntry, ArchivedManifest, HEADER_BYTES, PageRef, SegmentRef};
use crate::lookup::Zone;
use crate::memory::Memory;
use crate::reach::Live;
use crate::segment::{Segment, access, file_name, read_generation_file};
use crate::team::Team;
use crate::{LookupName, Name, verify};

/// The file in an image directory that names the installed generation.
pub const GENERATION_FILE: &str = "generation";
/// How often opening starts again because an install replaced the generation meanwhile.
const OPEN_RETRIES_MAX: usize = 8;

/// A verified set of zones, immutable.
#[derive(Debug)]
pub struct Generation {
    pub(crate) number: u64,
    pub(crate) event: u64,
    pub(crate) seed: Seed,
    pub(crate) catalog: PageRef,
    pub(crate) catalog_depths: u128,
    pub(crate) zones_count: u64,
    /// By slot.
    pub(crate) segments: Vec<Option<Arc<Segment>>>,
    /// Slots in the order in which their segments were written: no page refers to one
    /// of a later segment.
    pub(crate) order: Vec<u16>,
    /// What of each segment is reached.
    pub(crate) live: Live,
    /// Digest of the generation file.
    pub(crate) digest: [u8; 32],
    /// The generation file.
    pub(crate) file: Vec<u8>,
}

/// One zone of a generation, for people and monitoring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneInfo {
    /// Apex.
    pub apex: Name,
    /// SOA serial.
    pub serial: u32,
    /// Registry event that the zone stands at.
    pub event: u64,
    /// Names with an entry, empty non-terminals included.
    pub names: u64,
    /// Delegations among them.
    pub delegations: u64,
    /// Records, glue included.
    pub records: u64,
    /// Bodies that several names share.
    pub shared_bodies: u32,
}

impl Generation {
    /// Opens the generation that is installed in `directory`.
    pub fn open(directory: &Path, memory: Memory) -> Result<Self, OpenError> {
        Self::open_after(directory, memory, None)
    }

    /// As [`Generation::open`], sharing the segments that `previous` has already.
    pub fn open_after(
        directory: &Path,
        memory: Memory,
        previous: Option<&Self>,
    ) -> Result<Self, OpenError> {
        Self::open_by(directory, memory, previous, Team::of_machine())
    }

    /// The same by so many threads.
    pub(crate) fn open_by(
        directory: &Path,
        memory: Memory,
        previous: Option<&Self>,
        team: Team,
    ) -> Result<Self, OpenError> {
        let mut retries = 0;
        loop {
            let file = read_generation_file(&directory.join(GENERATION_FILE))?;
            match Self::from_manifest(directory, &file, memory, [previous, None], team) {
                // A segment can go away between our two reads when an install
                // replaces it; then there is another generation to open.
                Err(OpenError::Io { source, .. })
                    if source.kind() == std::io::ErrorKind::NotFound
                        && retries < OPEN_RETRIES_MAX
                        && read_generation_file(&directory.join(GENERATION_FILE))? != file =>
                {
                    retries += 1;
                }
                result => return result,
            }
        }
    }

    /// Opens a generation whose file has not got its name yet. What it shares with
    /// `verified` is not verified again; of `open` it takes segments as well.
    pub(crate) fn open_staged(
        directory: &Path,
        file: &Path,
        memory: Memory,
        verified: Option<&Self>,
        open: Option<&Self>,
    ) -> Result<Self, OpenError> {
        let file = read_generation_file(file)?;
        let known = [verified, open];
        Self::from_manifest(directory, &file, memory, known, Team::of_machine())
    }

    /// The segment files that the installed generation uses; `None` where its file
    /// cannot be read, so that nobody can say.
    pub(crate) fn installed_segments(directory: &Path) -> Option<BTreeSet<String>> {
        let file = match read_generation_file(&directory.join(GENERATION_FILE)) {
            Ok(file) => file,
            Err(OpenError::Missing(_)) => return Some(BTreeSet::new()),
            Err(_) => return None,
        };
        let manifest = rkyv::access::<ArchivedManifest, Error>(&file[HEADER_BYTES..]).ok()?;
        let segments = manifest.segments.iter();
        Some(segments.map(|segment| file_name(&segment.digest)).collect())
    }

    /// Opens what a generation file names. Segments are taken from both of `known`; the
    /// first was verified, and what it has is not verified again.
    fn from_manifest(
        directory: &Path,
        file: &[u8],
        memory: Memory,
        known: [Option<&Self>; 2],
        team: Team,
    ) -> Result<Self, OpenError> {
        let mut generation = Self::unverified(directory, file, memory, known, team)?;
        let live = match known[0] {
            Some(previous) => verify::generation_after(&generation, previous, team),
            None => verify::generation(&generation, team),
        };
        generation.live = live.map_err(|(path, fault)| OpenError::Invalid {
            path: path.unwrap_or_else(|| directory.to_owned()),
            fault,
        })?;
        Ok(generation)
    }

    /// What a generation file names, each segment verified by itself: its references
    /// are not yet followed.
    pub(crate) fn unverified(
        directory: &Path,
        file: &[u8],
        memory: Memory,
        known: [Option<&Self>; 2],
        team: Team,
    ) -> Result<Self, OpenError> {
        let path = directory.join(GENERATION_FILE);
        let invalid = |rule| {
            OpenError::invalid(
                &path,
                Fault {
                    rule,
                    offset_units: 0,
                },
            )
        };
        let manifest = rkyv::access::<ArchivedManifest, Error>(&file[HEADER_BYTES..])
            .map_err(|_| invalid("the generation file is not what rkyv expects"))?;
        let mut segments: Vec<Option<Arc<Segment>>> = Vec::new();
        let mut order = Vec::new();
        for reference in manifest.segments.iter() {
            let reference = SegmentRef {
                slot: reference.slot.to_native(),
                digest: reference.digest,
                bytes: reference.bytes.to_native(),
            };
            let mut open = known.into_iter().flatten();
            let open = open.find_map(|open| open.segment_by_digest(&reference.digest));
            let segment = match open {
                Some(segment) => segment,
                None => Arc::new(Segment::open(
                    directory,
                    &reference,
                    &manifest.seed,
                    memory,
                    team,
                )?),
            };
            order.push(reference.slot);
            let slot = usize::from(reference.slot);
            if slot >= segments.len() {
                segments.resize_with(slot + 1, || None);
            }
            if segment.bytes() != reference.bytes || segments[slot].replace(segment).is_some() {
                return Err(invalid(
                    "a segment has another size or a slot is used twice",
                ));
            }
        }
        Ok(Self {
            number: manifest.number.to_native(),
            event: manifest.event.to_native(),
            seed: Seed::new(manifest.seed),
            catalog: PageRef(manifest.catalog.to_native()),
            catalog_depths: depths(&manifest.catalog_depths),
            zones_count: manifest.zones_count.to_native(),
            segments,
            order,
            live: Live::default(),
            digest: *blake3::hash(&file[HEADER_BYTES..]).as_bytes(),
            file: file.to_vec(),
        })
    }

    /// Counts the installs in its directory, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The highest registry event of its zones.
    pub fn event(&self) -> u64 {
        self.event
    }

    /// Number of zones.
    pub fn zones_count(&self) -> u64 {
        self.zones_count
    }

    /// Octets of all its segments.
    pub fn bytes(&self) -> u64 {
        self.segments
            .iter()
            .flatten()
            .map(|segment| segment.bytes())
            .sum()
    }

    /// Digest of the generation file: tells this generation from any other.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The zone of exactly this apex: wire format, lower case.
    pub fn zone(&self, apex: &[u8]) -> Option<Zone<'_>> {
        let entry = self.find_catalog_entry(apex)?;
        Some(self.zone_at(PageRef(entry.zone.to_native())))
    }

    /// Octets of pages that nothing refers to any more: a change leaves them behind.
    pub fn garbage_bytes(&self) -> u64 {
        self.order.iter().map(|slot| self.garbage_of(*slot)).sum()
    }

    /// Octets of dead pages in one segment.
    pub(crate) fn garbage_of(&self, slot: u16) -> u64 {
        let segment = self.segments[usize::from(slot)].as_deref();
        let pages = segment.map_or(0, Segment::pages_bytes);
        pages.saturating_sub(self.live.bytes(slot))
    }

    /// Whether `directory` has this generation installed.
    pub(crate) fn is_installed_in(&self, directory: &Path) -> bool {
        read_generation_file(&directory.join(GENERATION_FILE))
            .is_ok_and(|file| *blake3::hash(&file[HEADER_BYTES..]).as_bytes() == self.digest)
    }

    /// Octets that the kernel put on huge pages.
    pub fn huge_bytes(&self) -> u64 {
        self.segments
            .iter()
            .flatten()
            .map(|segment| segment.huge_bytes())
            .sum()
    }

    /// Number of segments.
    pub fn segments_count(&self) -> usize {
        self.segments.iter().flatten().count()
    }

    /// The slots of its segments.
    pub fn slots(&self) -> BTreeSet<u16> {
        self.order.iter().copied().collect()
    }

    /// The zones, by the hash of their apex.
    pub fn zones(&self) -> Vec<ZoneInfo> {
        self.first_zones(usize::MAX)
    }

    /// At most so many of the zones, by the hash of their apex.
    pub fn first_zones(&self, count_max: usize) -> Vec<ZoneInfo> {
        let mut zones = Vec::new();
        self.find_zone_where(&mut |zone| {
            if zones.len() < count_max {
                zones.push(zone.info());
            }
            zones.len() >= count_max
        });
        zones
    }

    /// At most so many of the zones that are no child zones of parked names, of at most so
    /// many that are looked at: there may be a million of the others to each of them.
    pub fn first_own_zones(&self, count_max: usize, looked_max: usize) -> Vec<ZoneInfo> {
        let (mut zones, mut looked) = (Vec::new(), 0);
        self.find_zone_where(&mut |zone| {
            looked += 1;
            if looked <= looked_max && zones.len() < count_max && !self.is_child(zone) {
                zones.push(zone.info());
            }
            looked >= looked_max || zones.len() >= count_max
        });
        zones
    }

    /// Whether a zone was made for a parked name: it has no event, where others have one.
    pub fn is_child(&self, zone: Zone<'_>) -> bool {
        zone.event() == 0 && self.event() > 0
    }

    /// The first zone, by the hash of their apex, that `is_wanted` says yes to.
    pub fn find_zone_where<'g>(
        &'g self,
        is_wanted: &mut dyn FnMut(Zone<'g>) -> bool,
    ) -> Option<Zone<'g>> {
        let mut found = None;
        self.find_in_leaves(self.catalog, &mut |octets| {
            let zones = access::catalog(octets).zones.iter();
            let mut zones = zones.map(|entry| self.zone_at(PageRef(entry.zone.to_native())));
            found = zones.find(|zone| is_wanted(*zone));
            found.is_some()
        });
        found
    }

    /// The closest zone at or above the name of `labels` labels that `name` ends with.
    pub fn find_zone(&self, name: &LookupName, labels: usize) -> Option<Zone<'_>> {
        let below = u128::MAX >> (127 - labels.min(127));
        let mut depths = self.catalog_depths & below;
        while depths != 0 {
            let depth = (127 - depths.leading_zeros()) as usize;
            let suffix = name.suffix(depth);
            if let Some(entry) = self.find_catalog_entry(suffix) {
                return Some(self.zone_at(PageRef(entry.zone.to_native())));
            }
            depths &= !(1 << depth);
        }
        None
    }

    /// Whether `zone`, one of ours, is the closest at or above `name`: whether no zone
    /// could have an apex between the two.
    #[inline]
    pub fn is_closest(&self, zone: Zone<'_>, name: &LookupName) -> bool {
        let labels = zone.apex_labels();
        let below = u128::MAX >> (127 - name.labels().min(127));
        let depths = self.catalog_depths & below;
        // No depth of an apex is left above that of this zone.
        depths >> labels == 1 && zone.holds(name)
    }

    pub(crate) fn find_catalog_entry(&self, apex: &[u8]) -> Option<&ArchivedCatalogEntry> {
        // A catalog of one page needs no path, and so no hash.
        let hash = match self.catalog.is_node() {
            true => self.seed.hash(apex),
            false => 0,
        };
        let leaf = self.find_leaf(self.catalog, hash)?;
        access::catalog(leaf)
            .zones
            .iter()
            .find(|entry| entry.apex == *apex)
    }

    pub(crate) fn zone_at(&self, reference: PageRef) -> Zone<'_> {
        let page = access::zone(self.page(reference));
        let mut apex_labels = 0;
        let mut at = 0;
        while page.apex[at] != 0 {
            at += 1 + usize::from(page.apex[at]);
            apex_labels += 1;
        }
        Zone {
            generation: self,
            page,
            apex_labels,
        }
    }

    /// The octets of a page; empty where the reference is wrong, which the
    /// verifier has excluded, so that a defect there stays a panic here.
    #[inline]
    pub(crate) fn page(&self, reference: PageRef) -> &[u8] {
        self.segment(reference)
            .and_then(|segment| segment.page(reference.offset_units(), reference.units()))
            .expect("the verifier followed every reference")
    }

    pub(crate) fn segment(&self, reference: PageRef) -> Option<&Segment> {
        self.segments.get(usize::from(reference.slot()))?.as_deref()
    }

    /// Walks a tree from `root` to the leaf page of `key`.
    #[inline]
    pub(crate) fn find_leaf(&self, root: PageRef, key: u64) -> Option<&[u8]> {
        let mut reference = root;
        let mut level = 0;
        while reference.is_node() {
            let node = access::node(self.page(reference));
            reference = PageRef(node.slots[slot_at(key, level)].to_native());
            level += 1;
        }
        (!reference.is_none()).then(|| self.page(reference))
    }

    /// Calls `visit` for each leaf of a tree, in the order of their keys.
    pub(crate) fn each_leaf<'g>(&'g self, root: PageRef, visit: &mut dyn FnMut(PageRef, &'g [u8])) {
        if root.is_none() {
            return;
        }
        if !root.is_node() {
            return visit(root, self.page(root));
        }
        let mut last = PageRef::NONE;
        for slot in &access::node(self.page(root)).slots {
            let reference = PageRef(slot.to_native());
            if reference != last {
                self.each_leaf(reference, visit);
                last = reference;
            }
        }
    }

    /// Calls `visit` for the leaves of a tree until it says that it found what it wants.
    pub(crate) fn find_in_leaves<'g>(
        &'g self,
        root: PageRef,
        visit: &mut dyn FnMut(&'g [u8]) -> bool,
    ) -> bool {
        if root.is_none() {
            return false;
        }
        if !root.is_node() {
            return visit(self.page(root));
        }
        let mut last = PageRef::NONE;
        access::node(self.page(root)).slots.iter().any(|slot| {
            let reference = PageRef(slot.to_native());
            let is_new = std::mem::replace(&mut last, reference) != reference;
            is_new && self.find_in_leaves(reference, visit)
        })
    }

    pub(crate) fn each_catalog_entry(&self, visit: &mut dyn FnMut(&ArchivedCatalogEntry)) {
        self.each_leaf(self.catalog, &mut |_, octets| {
            access::catalog(octets).zones.iter().for_each(&mut *visit);
        });
    }

    /// Whether a reference means the same page in both.
    pub(crate) fn shares_slot(&self, other: &Self, slot: u16) -> bool {
        let of = |generation: &Self| {
            generation
                .segments
                .get(usize::from(slot))
                .cloned()
                .flatten()
        };
        match (of(self), of(other)) {
            (Some(own), Some(other)) => Arc::ptr_eq(&own, &other),
            _ => false,
        }
    }

    fn segment_by_digest(&self, digest: &[u8; 32]) -> Option<Arc<Segment>> {
        self.segments
            .iter()
            .flatten()
            .find(|segment| segment.digest() == digest)
            .cloned()
    }
}

/// A mask of depths from its two halves.
pub(crate) fn depths(halves: &[rkyv::rend::unaligned::u64_ule; 2]) -> u128 {
    u128::from(halves[0].to_native()) | u128::from(halves[1].to_native()) << 64
}
