//! Changing some names of a zone that is installed: only their pages are written, and
//! the way down to them.
//!
//! Names that do not change are copied as they stand, octet by octet. What the changed
//! names hold, and what the zone counts, is the caller's to know.

use std::collections::BTreeMap;

use super::change::{Leaves, TreeChange};
use super::install::{Installer, Proofs, ZoneRoots};
use super::order::change_order;
use super::page::{BodyBytes, NamePageBuilder, SharedPageBuilder};
use super::proofs::{Nsec3Change, Nsec3Changes};
use super::segment::SegmentWriter;
use crate::body::BodyRef;
use crate::error::WriteError;
use crate::generation::Generation;
use crate::hash::Seed;
use crate::layout::{
    ArchivedNamePage, ArchivedZonePage, PAGE_NAMES_MAX, PageKind, PageRef, Part,
    SHARED_PAGE_BODIES, shared_key,
};
use crate::segment::access;

const NS: u16 = 2;
/// Octets of names and records that one page takes before it is split; a single name
/// may have more.
const PAGE_HEAP_MAX: usize = 256 * 1024;

/// One body of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewBody {
    /// Octets of its own.
    Own(BodyBytes),
    /// The shared body of this number, which has so many records.
    Shared {
        /// Its number.
        number: u32,
        /// Its records.
        records: u16,
    },
}

/// What becomes of a name.
#[derive(Debug, Clone)]
pub enum NameChange {
    /// It has no entry any more.
    Remove,
    /// Only its flags change.
    Flags(u8),
    /// It is made, or made anew.
    Put {
        /// Its flags.
        flags: u8,
        /// Its bodies, by type and part.
        bodies: Vec<(u16, Part, NewBody)>,
    },
}

/// What becomes of an installed zone. Its counts are those after the change.
#[derive(Debug, Clone)]
pub struct ZoneChange {
    /// Apex in wire format, lower case.
    pub apex: Vec<u8>,
    /// SOA serial.
    pub serial: u32,
    /// Registry event that the zone will stand at.
    pub event: u64,
    /// Depths below the apex at which there are names.
    pub depths: u128,
    /// Flags of the apex entry.
    pub apex_flags: u8,
    /// Number of names.
    pub names_count: u64,
    /// Number of delegations.
    pub delegations_count: u64,
    /// Number of records.
    pub records_count: u64,
    /// For negative answers: the SOA with its negative TTL, and its RRSIGs.
    pub negative: Vec<(Part, BodyBytes)>,
    /// What parked names have, by part and type.
    pub parking: Vec<(Part, u16, BodyBytes)>,
    /// Names that change: their labels before the apex, lower case.
    pub names: BTreeMap<Vec<u8>, NameChange>,
    /// Shared bodies that change, or are new, by number; the new ones follow the last.
    pub shared: BTreeMap<u32, (Part, BodyBytes)>,
    /// What becomes of the proofs.
    pub proofs: ProofsChange,
}

/// What becomes of the proofs of an installed zone, whose kind stays.
#[derive(Debug, Clone, Default)]
pub enum ProofsChange {
    /// They stay as they are.
    #[default]
    Kept,
    /// NSEC3 records that come, change or go.
    Nsec3(Nsec3Changes),
    /// Sort keys of owners of NSEC that come, and of those that go.
    Nsec(BTreeMap<Vec<u8>, bool>),
}

impl Installer {
    /// Changes a zone that is installed; the pages of what does not change stay.
    ///
    /// # Panics
    /// Where the zone is not installed, or shared bodies leave a gap: a caller's defect.
    pub fn change_zone(&mut self, change: &ZoneChange) -> Result<(), WriteError> {
        let kept = self.kept().expect("an installed zone is changed");
        let reference = self.kept_zone(&change.apex).expect("the zone is installed");
        let zone = access::zone(kept.page(reference));
        let root = |root: &rkyv::rend::unaligned::u64_ule| PageRef(root.to_native());
        let mut retired = vec![reference];
        let names = change_names(
            &kept,
            change,
            root(&zone.names),
            self.segment(),
            &mut retired,
        )?;
        let bodies = Shared {
            kept: &kept,
            root: root(&zone.shared),
            count: zone.shared_count.to_native(),
        };
        let shared_count = bodies.count_after(change);
        let shared = bodies.change(change, shared_count, self.segment(), &mut retired)?;
        let roots = ZoneRoots {
            apex: change.apex.clone(),
            serial: change.serial,
            event: change.event,
            depths: change.depths,
            apex_flags: change.apex_flags,
            names,
            shared,
            shared_count,
            names_count: change.names_count,
            delegations_count: change.delegations_count,
            records_count: change.records_count,
            proofs: change_proofs(&kept, zone, change, self.segment(), &mut retired)?,
            negative: change.negative.clone(),
            parking: change.parking.clone(),
        };
        self.put_zone(&roots)?;
        self.retire(retired);
        Ok(())
    }
}

fn change_proofs(
    kept: &Generation,
    zone: &ArchivedZonePage,
    change: &ZoneChange,
    segment: &mut SegmentWriter,
    retired: &mut Vec<PageRef>,
) -> Result<Proofs, WriteError> {
    let mut proofs = Proofs::of(zone);
    let (root, count) = match &change.proofs {
        ProofsChange::Kept => return Ok(proofs),
        ProofsChange::Nsec3(changes) => {
            let mut tree = Nsec3Change {
                kept,
                changes,
                retired: std::mem::take(retired),
                count: 0,
            };
            let root = tree.apply(proofs.root, segment)?;
            *retired = tree.retired;
            (root, tree.count)
        }
        ProofsChange::Nsec(owners) => change_order(kept, proofs.root, owners, segment, retired)?,
    };
    proofs.root = root;
    proofs.count = proofs.count.saturating_add_signed(count);
    Ok(proofs)
}

fn change_names(
    kept: &Generation,
    change: &ZoneChange,
    root: PageRef,
    segment: &mut SegmentWriter,
    retired: &mut Vec<PageRef>,
) -> Result<PageRef, WriteError> {
    let seed = segment.seed();
    let hashed = change.names.iter().map(|(relative, change_of_name)| {
        let wire = [&relative[..], &change.apex].concat();
        (seed.hash(&wire), &relative[..], change_of_name)
    });
    let mut changes: Vec<_> = hashed.collect();
    changes.sort_by_key(|(hash, relative, _)| (*hash, *relative));
    let leaves = NameLeaves {
        kept,
        seed,
        apex: &change.apex,
    };
    let mut tree = TreeChange {
        kept,
        segment,
        leaves,
        retired: std::mem::take(retired),
    };
    let root = tree.apply(root, &changes);
    *retired = tree.retired;
    root
}

struct NameLeaves<'c> {
    kept: &'c Generation,
    seed: Seed,
    apex: &'c [u8],
}

/// A name of a leaf to be written.
struct NameItem<'c> {
    hash: u64,
    relative: &'c [u8],
    flags: u8,
    bodies: NameBodies<'c>,
}

enum NameBodies<'c> {
    /// Those of the entry at this place of an installed page.
    Kept(&'c ArchivedNamePage, usize),
    New(&'c [(u16, Part, NewBody)]),
}

impl<'c> NameItem<'c> {
    fn new((hash, relative, change): &(u64, &'c [u8], &'c NameChange)) -> Option<Self> {
        let NameChange::Put { flags, bodies } = change else {
            return None;
        };
        Some(Self {
            hash: *hash,
            relative,
            flags: *flags,
            bodies: NameBodies::New(bodies),
        })
    }

    fn bytes(&self) -> usize {
        let bodies = match self.bodies {
            NameBodies::Kept(page, at) => {
                let bodies = kept_bodies(page, at).iter();
                let own = bodies.filter(|body| !body.is_shared());
                own.map(|body| {
                    usize::from(body.length.to_native()) + 2 * usize::from(body.patches.to_native())
                })
                .sum()
            }
            NameBodies::New(bodies) => bodies
                .iter()
                .map(|(_, _, body)| match body {
                    NewBody::Own(bytes) => bytes.wire.len() + 2 * bytes.patches.len(),
                    NewBody::Shared { .. } => 0,
                })
                .sum::<usize>(),
        };
        self.relative.len() + bodies
    }
}

fn kept_bodies(page: &ArchivedNamePage, at: usize) -> &[crate::layout::ArchivedBody] {
    let entry = &page.entries[at];
    let start = usize::from(entry.bodies_start.to_native());
    &page.bodies[start..start + usize::from(entry.bodies_count.to_native())]
}

impl<'c> Leaves for NameLeaves<'c> {
    type Item = NameItem<'c>;
    type Change = (u64, &'c [u8], &'c NameChange);

    fn key(item: &Self::Item) -> u64 {
        item.hash
    }

    fn key_of_change(change: &Self::Change) -> u64 {
        change.0
    }

    fn merge(&mut self, leaf: PageRef, changes: &[Self::Change]) -> (Vec<Self::Item>, bool) {
        let mut left: BTreeMap<&[u8], _> = changes.iter().map(|c| (c.1, c)).collect();
        let mut items = Vec::with_capacity(PAGE_NAMES_MAX);
        if !leaf.is_none() {
            let page = access::names(self.kept.page(leaf));
            for (at, entry) in page.entries.iter().enumerate() {
                let start = entry.name.to_native() as usize;
                let relative = &page.heap[start..start + usize::from(entry.name_length)];
                let kept = |flags| NameItem {
                    hash: self.seed.hash(&[relative, self.apex].concat()),
                    relative,
                    flags,
                    bodies: NameBodies::Kept(page, at),
                };
                match left.remove(relative) {
                    None => items.push(kept(entry.flags)),
                    Some((_, _, NameChange::Flags(flags))) => items.push(kept(*flags)),
                    Some(change) => items.extend(NameItem::new(change)),
                }
            }
        }
        items.extend(left.into_values().filter_map(NameItem::new));
        items.sort_by_key(|item| (item.hash, item.relative));
        (items, true)
    }

    fn fits(&self, items: &[Self::Item]) -> bool {
        items.len() <= 1
            || items.len() <= PAGE_NAMES_MAX
                && items.iter().map(NameItem::bytes).sum::<usize>() <= PAGE_HEAP_MAX
    }

    fn write(
        &mut self,
        items: Vec<Self::Item>,
        segment: &mut SegmentWriter,
    ) -> Result<PageRef, WriteError> {
        let mut page = NamePageBuilder::default();
        for item in items {
            page.entry(item.hash, item.flags, item.relative);
            match item.bodies {
                NameBodies::Kept(from, at) => {
                    for body in kept_bodies(from, at) {
                        page.copy(body, &from.heap);
                    }
                }
                NameBodies::New(bodies) => {
                    for (rtype, part, body) in bodies {
                        match body {
                            NewBody::Own(bytes) => page.body(*rtype, *part, bytes),
                            NewBody::Shared { number, records } => {
                                let head = BodyBytes {
                                    records: *records,
                                    ..BodyBytes::default()
                                };
                                page.shared(*rtype, *part, *number, &head);
                            }
                        }
                    }
                }
            }
        }
        segment.append(PageKind::Names, &page.finish()?)
    }
}

/// The shared bodies of an installed zone.
struct Shared<'c> {
    kept: &'c Generation,
    root: PageRef,
    count: u32,
}

impl Shared<'_> {
    fn count_after(&self, change: &ZoneChange) -> u32 {
        let after = change
            .shared
            .last_key_value()
            .map_or(0, |(last, _)| last + 1);
        let after = after.max(self.count);
        let new = change.shared.range(self.count..).count();
        assert!(
            new == (after - self.count) as usize,
            "new shared bodies follow the last one"
        );
        after
    }

    fn change(
        &self,
        change: &ZoneChange,
        count: u32,
        segment: &mut SegmentWriter,
        retired: &mut Vec<PageRef>,
    ) -> Result<PageRef, WriteError> {
        let mut pages: Vec<u32> = change
            .shared
            .keys()
            .map(|at| at / SHARED_PAGE_BODIES)
            .collect();
        pages.dedup();
        let mut changes = Vec::new();
        for page in pages {
            changes.push((shared_key(page), self.page(change, page, count)?));
        }
        changes.sort_by_key(|(key, _)| *key);
        let leaves = SharedLeaves { kept: self.kept };
        let mut tree = TreeChange {
            kept: self.kept,
            segment,
            leaves,
            retired: std::mem::take(retired),
        };
        let root = tree.apply(self.root, &changes);
        *retired = tree.retired;
        root
    }

    /// A page with its changes.
    fn page(&self, change: &ZoneChange, number: u32, count: u32) -> Result<Vec<u8>, WriteError> {
        let first = number * SHARED_PAGE_BODIES;
        let leaf = self.kept.find_leaf(self.root, shared_key(number));
        let old = leaf
            .map(access::shared)
            .filter(|page| page.number == number);
        let mut page = SharedPageBuilder::default();
        for at in first..count.min(first + SHARED_PAGE_BODIES) {
            if let Some((part, bytes)) = change.shared.get(&at) {
                page.body(NS, *part, bytes);
                continue;
            }
            let old = old.expect("a body that is not new is in its page");
            let body = &old.bodies[(at - first) as usize];
            let body = BodyRef::local(body, &old.heap);
            page.body(NS, body.part(), &BodyBytes::from(body));
        }
        page.finish(number)
    }
}

struct SharedLeaves<'c> {
    kept: &'c Generation,
}

/// A shared page: a new one, or one that stays.
enum SharedItem {
    Kept(u64, PageRef),
    New(u64, Vec<u8>),
}

impl Leaves for SharedLeaves<'_> {
    type Item = SharedItem;
    type Change = (u64, Vec<u8>);

    fn key(item: &Self::Item) -> u64 {
        match item {
            SharedItem::Kept(key, _) | SharedItem::New(key, _) => *key,
        }
    }

    fn key_of_change(change: &Self::Change) -> u64 {
        change.0
    }

    fn merge(&mut self, leaf: PageRef, changes: &[Self::Change]) -> (Vec<Self::Item>, bool) {
        let new = changes
            .iter()
            .map(|(key, page)| SharedItem::New(*key, page.clone()));
        let mut items: Vec<_> = new.collect();
        let mut is_left = true;
        if !leaf.is_none() {
            let page = access::shared(self.kept.page(leaf));
            let key = shared_key(page.number.to_native());
            if !changes.iter().any(|change| change.0 == key) {
                items.push(SharedItem::Kept(key, leaf));
                items.sort_by_key(Self::key);
                is_left = false;
            }
        }
        (items, is_left)
    }

    fn fits(&self, items: &[Self::Item]) -> bool {
        items.len() <= 1
    }

    fn write(
        &mut self,
        items: Vec<Self::Item>,
        segment: &mut SegmentWriter,
    ) -> Result<PageRef, WriteError> {
        match items.into_iter().next().expect("a leaf holds something") {
            SharedItem::Kept(_, page) => Ok(page),
            SharedItem::New(_, octets) => segment.append(PageKind::Shared, &octets),
        }
    }
}
