//! Rules across pages: each reference leads to a page of the right kind, each
//! name is on the path of its hash, and the counts of a zone come out.

mod proofs;

use std::cell::RefCell;
use std::path::PathBuf;

use crate::error::Fault;
use crate::generation::{Generation, depths};
use crate::hash::{slot_at, tag};
use crate::layout::{
    ArchivedNamePage, ArchivedZonePage, ENTRY_DELEGATION, ENTRY_PARKED, NODE_SLOTS, PageKind,
    PageRef, Part, SHARED_PAGE_BODIES, TREE_LEVELS_MAX, shared_key,
};
use crate::lookup::LookupName;
use crate::name::NAME_BYTES_MAX;
use crate::reach::Live;
use crate::segment::{Segment, access};

pub(super) use proofs::Nsec3Leaves;

pub(crate) type WalkFault = (Option<PathBuf>, Fault);
pub(super) type Checked = Result<(), WalkFault>;

/// The keys that may stand in a leaf: at each level a range of slots.
#[derive(Clone, Default)]
pub(super) struct KeyRange(pub(super) Vec<(usize, usize)>);

impl KeyRange {
    /// The keys in these slots of a node at this place.
    pub(super) fn below(&self, start: usize, end: usize) -> Self {
        let mut below = self.clone();
        below.0.push((start, end));
        below
    }

    pub(super) fn holds(&self, key: u64) -> bool {
        (0u32..)
            .zip(&self.0)
            .all(|(level, &(start, end))| (start..end).contains(&slot_at(key, level)))
    }
}

/// Follows every reference of a generation by one thread; says what of its segments it
/// reached. What it finds first is the fault of the generation.
pub(crate) fn alone(generation: &Generation) -> Result<Live, WalkFault> {
    let walk = Walk::new(generation);
    let all = KeyRange::default();
    let zones = walk.catalog(generation.catalog, &all, &mut |reference, apex| {
        walk.zone(reference, apex)
    })?;
    walk.zones_count(&zones)?;
    Ok(walk.live.into_inner())
}

type LeafCheck<'c> = dyn FnMut(PageRef, &[u8], &KeyRange) -> Checked + 'c;

pub(super) struct Walk<'g> {
    pub(super) generation: &'g Generation,
    /// What was reached.
    pub(super) live: RefCell<Live>,
}

/// What the zones of a generation add up to.
#[derive(Default)]
pub(super) struct Zones {
    pub(super) count: u64,
    pub(super) depths: u128,
}

/// What the names of a zone add up to.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) names: u64,
    pub(super) delegations: u64,
    pub(super) depths: u128,
    pub(super) apex_flags: Option<u8>,
}

impl Totals {
    /// Adds what the names behind these add up to.
    pub(super) fn add(&mut self, behind: &Self) {
        self.names += behind.names;
        self.delegations += behind.delegations;
        self.depths |= behind.depths;
        self.apex_flags = behind.apex_flags.or(self.apex_flags);
    }
}

impl<'g> Walk<'g> {
    pub(super) fn new(generation: &'g Generation) -> Self {
        Self {
            generation,
            live: RefCell::default(),
        }
    }

    /// Counts a page. A whole image refers to each of its pages once, so what comes to
    /// more octets than a segment has is refused: a walk takes no longer than the image is
    /// large, however its references are tangled.
    pub(super) fn reached(&self, reference: PageRef) -> Checked {
        let mut live = self.live.borrow_mut();
        live.add(reference);
        let segment = self.generation.segment(reference);
        if live.bytes(reference.slot()) > segment.map_or(0, Segment::pages_bytes) {
            return Err(self.fault(reference, "pages are referred to more than once"));
        }
        Ok(())
    }

    pub(super) fn fault(&self, reference: PageRef, rule: &'static str) -> WalkFault {
        let path = self
            .generation
            .segment(reference)
            .map(|segment| segment.path().to_owned());
        (
            path,
            Fault {
                rule,
                offset_units: reference.offset_units(),
            },
        )
    }

    pub(super) fn check_kind(&self, reference: PageRef, kind: PageKind) -> Checked {
        let meta = self
            .generation
            .segment(reference)
            .and_then(|segment| segment.meta(reference));
        if meta.is_some_and(|meta| meta.kind == kind as u8) {
            Ok(())
        } else {
            Err(self.fault(reference, "a reference leads to no page of its kind"))
        }
    }

    /// Checks a part of the catalog; calls `zone` for each zone and its apex.
    pub(super) fn catalog(
        &self,
        root: PageRef,
        keys: &KeyRange,
        zone: &mut dyn FnMut(PageRef, &[u8]) -> Checked,
    ) -> Result<Zones, WalkFault> {
        let mut found = Zones::default();
        self.subtree(
            root,
            PageKind::Catalog,
            keys,
            &mut |reference, octets, keys| {
                for entry in access::catalog(octets).zones.iter() {
                    if !keys.holds(self.generation.seed.hash(&entry.apex)) {
                        return Err(self.fault(reference, "a zone is off the path of its hash"));
                    }
                    found.depths |= 1 << labels(&entry.apex);
                    found.count += 1;
                    zone(PageRef(entry.zone.to_native()), &entry.apex)?;
                }
                Ok(())
            },
        )?;
        Ok(found)
    }

    pub(super) fn zones_count(&self, zones: &Zones) -> Checked {
        let generation = self.generation;
        if (zones.count, zones.depths) == (generation.zones_count, generation.catalog_depths) {
            Ok(())
        } else {
            Err(self.fault(generation.catalog, "the catalog counts its zones wrong"))
        }
    }

    fn tree(&self, root: PageRef, kind: PageKind, leaf: &mut LeafCheck<'_>) -> Checked {
        self.subtree(root, kind, &KeyRange::default(), leaf)
    }

    fn subtree(
        &self,
        reference: PageRef,
        kind: PageKind,
        keys: &KeyRange,
        leaf: &mut LeafCheck<'_>,
    ) -> Checked {
        if reference.is_none() {
            return Ok(());
        }
        if !reference.is_node() {
            self.check_kind(reference, kind)?;
            // Slots of an NSEC3 tree repeat leaves; `nsec3` counts each once.
            if kind != PageKind::Nsec3 {
                self.reached(reference)?;
            }
            return leaf(reference, self.generation.page(reference), keys);
        }
        self.check_node(reference, keys)?;
        let slots = &access::node(self.generation.page(reference)).slots;
        let mut start = 0;
        while start < NODE_SLOTS {
            let run = slots[start..]
                .iter()
                .take_while(|slot| **slot == slots[start])
                .count();
            let below = keys.below(start, start + run);
            self.subtree(PageRef(slots[start].to_native()), kind, &below, leaf)?;
            start += run;
        }
        Ok(())
    }

    pub(super) fn check_node(&self, reference: PageRef, keys: &KeyRange) -> Checked {
        self.check_kind(reference, PageKind::Node)?;
        if keys.0.len() >= TREE_LEVELS_MAX as usize {
            return Err(self.fault(reference, "a tree has too many levels"));
        }
        self.reached(reference)
    }

    /// Checks that this is the zone page of that apex.
    pub(super) fn zone_page(
        &self,
        reference: PageRef,
        apex: &[u8],
    ) -> Result<&'g ArchivedZonePage, WalkFault> {
        if reference.is_none() || reference.is_node() {
            return Err(self.fault(reference, "a reference leads to no zone"));
        }
        self.check_kind(reference, PageKind::Zone)?;
        self.reached(reference)?;
        let zone = access::zone(self.generation.page(reference));
        if zone.apex != *apex {
            return Err(self.fault(reference, "a zone has another apex than its catalog entry"));
        }
        Ok(zone)
    }

    pub(super) fn zone(&self, reference: PageRef, apex: &[u8]) -> Checked {
        let zone = self.zone_page(reference, apex)?;
        self.zone_contents(reference, zone)
    }

    /// Checks what stands below a zone page.
    pub(super) fn zone_contents(&self, reference: PageRef, zone: &ArchivedZonePage) -> Checked {
        let shared_count = self.shared(zone)?;
        let mut totals = Totals::default();
        let names = PageRef(zone.names.to_native());
        let all = KeyRange::default();
        self.name_tree(zone, names, &all, shared_count, &mut totals)?;
        self.proofs(zone)?;
        self.names_count(reference, zone, &totals)
    }

    /// Checks a part of the names of a zone.
    pub(super) fn name_tree(
        &self,
        zone: &ArchivedZonePage,
        root: PageRef,
        keys: &KeyRange,
        shared_count: u32,
        totals: &mut Totals,
    ) -> Checked {
        self.subtree(
            root,
            PageKind::Names,
            keys,
            &mut |reference, octets, keys| {
                let page = access::names(octets);
                self.names(zone, page, keys, shared_count, totals)
                    .map_err(|rule| self.fault(reference, rule))
            },
        )
    }

    pub(super) fn names_count(
        &self,
        reference: PageRef,
        zone: &ArchivedZonePage,
        totals: &Totals,
    ) -> Checked {
        let right = totals.names == zone.names_count.to_native()
            && totals.delegations == zone.delegations_count.to_native()
            && totals.depths == depths(&zone.depths)
            && totals.apex_flags == Some(zone.apex_flags);
        if right {
            Ok(())
        } else {
            Err(self.fault(reference, "a zone counts its names wrong or lacks its apex"))
        }
    }

    /// Checks the shared bodies of a zone: consecutive pages, all but the last full.
    pub(super) fn shared(&self, zone: &ArchivedZonePage) -> Result<u32, WalkFault> {
        let expected = zone.shared_count.to_native();
        let full = SHARED_PAGE_BODIES;
        let mut pages = 0;
        let root = PageRef(zone.shared.to_native());
        self.tree(root, PageKind::Shared, &mut |reference, octets, keys| {
            self.shared_page(reference, octets, keys, expected)?;
            pages += 1;
            Ok(())
        })?;
        if pages == expected.div_ceil(full) {
            Ok(expected)
        } else {
            Err(self.fault(root, "a zone counts its shared bodies wrong"))
        }
    }

    /// Checks one page of so many shared bodies; gives its number.
    pub(super) fn shared_page(
        &self,
        reference: PageRef,
        octets: &[u8],
        keys: &KeyRange,
        expected: u32,
    ) -> Result<u32, WalkFault> {
        let page = access::shared(octets);
        let full = u64::from(SHARED_PAGE_BODIES);
        let number = page.number.to_native();
        let first = u64::from(number) * full;
        let bodies = u64::from(expected).saturating_sub(first).min(full);
        if !keys.holds(shared_key(number)) || page.bodies.len() as u64 != bodies {
            return Err(self.fault(reference, "a shared page has another number or size"));
        }
        Ok(number)
    }

    pub(super) fn names(
        &self,
        zone: &ArchivedZonePage,
        page: &ArchivedNamePage,
        keys: &KeyRange,
        shared_count: u32,
        totals: &mut Totals,
    ) -> Result<(), &'static str> {
        let has_parking = has_parking(zone);
        let apex_labels = labels(&zone.apex);
        let mut lookup = LookupName::ROOT;
        let mut wire = [0; 2 * NAME_BYTES_MAX];
        for (entry, own_tag) in page.entries.iter().zip(&page.tags) {
            let start = entry.name.to_native() as usize;
            let name = &page.heap[start..start + usize::from(entry.name_length)];
            let end = name.len() + zone.apex.len();
            wire[..name.len()].copy_from_slice(name);
            wire[name.len()..end].copy_from_slice(&zone.apex);
            let wire = &wire[..end];
            lookup
                .read(wire)
                .map_err(|_| "a name and its apex do not fit")?;
            let hash = self.generation.seed.hash(wire);
            if !keys.holds(hash) || *own_tag != tag(hash) {
                return Err("a name is off the path of its hash");
            }
            if entry.flags & ENTRY_PARKED != 0 && !has_parking {
                return Err("a name is parked in a zone that has nothing for it");
            }
            let start = usize::from(entry.bodies_start.to_native());
            let end = start + usize::from(entry.bodies_count.to_native());
            let mut shared = page.bodies[start..end]
                .iter()
                .filter(|body| body.is_shared());
            if shared.any(|body| body.place.to_native() >= shared_count) {
                return Err("a name refers to a shared body that is not there");
            }
            let depth = lookup.labels() - apex_labels;
            totals.names += 1;
            totals.delegations += u64::from(entry.flags & ENTRY_DELEGATION != 0);
            totals.depths |= 1 << depth;
            if depth == 0 {
                totals.apex_flags = Some(entry.flags);
            }
        }
        Ok(())
    }
}

/// Whether a zone has what its parked names are answered with.
pub(super) fn has_parking(zone: &ArchivedZonePage) -> bool {
    let mut bodies = zone.negative.iter();
    bodies.any(|body| body.part == Part::ParkedApex as u8)
}

/// Labels of a name that was read before.
pub(super) fn labels(wire: &[u8]) -> usize {
    LookupName::parse(wire).map_or(0, |name| name.labels())
}
