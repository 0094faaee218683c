//! Rules across pages: each reference leads to a page of the right kind, each
//! name is on the path of its hash, and the counts of a zone come out.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::PathBuf;

use crate::denial::nsec3_key;
use crate::error::Fault;
use crate::generation::{Generation, depths};
use crate::hash::{slot_at, tag};
use crate::layout::{
    ArchivedNamePage, ArchivedZonePage, Denial, ENTRY_DELEGATION, ENTRY_PARKED, NODE_SLOTS,
    PageKind, PageRef, Part, SHARED_PAGE_BODIES, TREE_LEVELS_MAX, shared_key,
};
use crate::lookup::LookupName;
use crate::reach::Live;
use crate::segment::{Segment, access};

/// Most levels of order pages: 64 to this power is more names than a zone has.
const ORDER_LEVELS_MAX: u32 = 8;

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

/// Follows every reference of a generation; says what of its segments it reached.
pub(crate) fn generation(generation: &Generation) -> Result<Live, WalkFault> {
    let mut zones = 0;
    let mut catalog_depths = 0u128;
    let walk = Walk::new(generation);
    walk.tree(
        generation.catalog,
        PageKind::Catalog,
        &mut |reference, octets, keys| {
            for entry in access::catalog(octets).zones.iter() {
                if !keys.holds(generation.seed.hash(&entry.apex)) {
                    return Err(walk.fault(reference, "a zone is off the path of its hash"));
                }
                catalog_depths |= 1 << labels(&entry.apex);
                zones += 1;
                walk.zone(PageRef(entry.zone.to_native()), &entry.apex)?;
            }
            Ok(())
        },
    )?;
    if zones != generation.zones_count || catalog_depths != generation.catalog_depths {
        return Err(walk.fault(generation.catalog, "the catalog counts its zones wrong"));
    }
    Ok(walk.live.into_inner())
}

type LeafCheck<'c> = dyn FnMut(PageRef, &[u8], &KeyRange) -> Checked + 'c;

pub(super) struct Walk<'g> {
    pub(super) generation: &'g Generation,
    /// What was reached.
    pub(super) live: RefCell<Live>,
}

/// What the names of a zone add up to.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) names: u64,
    pub(super) delegations: u64,
    pub(super) depths: u128,
    pub(super) apex_flags: Option<u8>,
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
        let shared_count = self.shared(zone)?;
        let mut totals = Totals::default();
        let names = PageRef(zone.names.to_native());
        self.tree(names, PageKind::Names, &mut |reference, octets, keys| {
            let page = access::names(octets);
            self.names(zone, page, keys, shared_count, &mut totals)
                .map_err(|rule| self.fault(reference, rule))
        })?;
        self.proofs(zone)?;
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
    fn shared(&self, zone: &ArchivedZonePage) -> Result<u32, WalkFault> {
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

    /// Checks the proofs of a zone: pages of the right kind, and their number.
    pub(super) fn proofs(&self, zone: &ArchivedZonePage) -> Checked {
        let root = PageRef(zone.proofs.to_native());
        let count = match Denial::from_number(zone.denial) {
            Some(Denial::Nsec3) => self.nsec3(root)?,
            Some(Denial::Nsec) => self.order(root, 0)?,
            _ if root.is_none() => 0,
            _ => return Err(self.fault(root, "an unsigned zone has proofs")),
        };
        if count == zone.proofs_count.to_native() && (count > 0 || root.is_none()) {
            Ok(())
        } else {
            Err(self.fault(root, "a zone counts its proofs wrong"))
        }
    }

    /// Counts NSEC3 records; every leaf starts with the last record of the one before.
    fn nsec3(&self, root: PageRef) -> Result<u64, WalkFault> {
        let (mut leaves, mut seen) = (Vec::new(), HashSet::new());
        let mut aliases = Vec::new();
        let mut count = 0;
        self.tree(root, PageKind::Nsec3, &mut |reference, octets, keys| {
            let hashes = &access::nsec3(octets).hashes;
            let own = &hashes[1..];
            if own.iter().any(|hash| keys.holds(nsec3_key(hash))) {
                let all_held = own.iter().all(|hash| keys.holds(nsec3_key(hash)));
                if !all_held || !seen.insert(reference) {
                    return Err(self.fault(reference, "an NSEC3 is off the path of its hash"));
                }
                count += own.len() as u64;
                leaves.push(reference);
                self.reached(reference)?;
            } else {
                aliases.push((reference, leaves.last().copied()));
            }
            Ok(())
        })?;
        for (alias, before) in aliases {
            if before.or_else(|| leaves.first().copied()) != Some(alias) {
                let text = "an empty slot of an NSEC3 tree names another leaf than the one before";
                return Err(self.fault(alias, text));
            }
        }
        let last = |leaf: &PageRef| {
            let hashes = &access::nsec3(self.generation.page(*leaf)).hashes;
            (hashes[0], hashes[hashes.len() - 1])
        };
        let mut before = leaves.last().map(last);
        for leaf in &leaves {
            let own = last(leaf);
            if before.is_some_and(|before| before.1 != own.0) {
                return Err(self.fault(*leaf, "an NSEC3 page does not go on where one ended"));
            }
            before = Some(own);
        }
        Ok(count)
    }

    /// Checks that a reference leads to a page of an order tree.
    pub(super) fn check_order(&self, reference: PageRef, level: u32) -> Checked {
        if reference.is_none() || reference.is_node() || level > ORDER_LEVELS_MAX {
            return Err(self.fault(reference, "the order of a zone has a bad reference"));
        }
        self.check_kind(reference, PageKind::Order)
    }

    /// Counts the names of an order tree.
    fn order(&self, reference: PageRef, level: u32) -> Result<u64, WalkFault> {
        self.check_order(reference, level)?;
        self.reached(reference)?;
        let page = access::order(self.generation.page(reference));
        if page.children.is_empty() {
            return Ok(page.ends.len() as u64);
        }
        let mut count = 0;
        for child in page.children.iter() {
            count += self.order(PageRef(child.to_native()), level + 1)?;
        }
        Ok(count)
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
        for (entry, own_tag) in page.entries.iter().zip(&page.tags) {
            let start = entry.name.to_native() as usize;
            let name = &page.heap[start..start + usize::from(entry.name_length)];
            let wire = [name, &zone.apex].concat();
            let lookup = LookupName::parse(&wire).map_err(|_| "a name and its apex do not fit")?;
            let hash = self.generation.seed.hash(&wire);
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
            let depth = lookup.labels() - labels(&zone.apex);
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
