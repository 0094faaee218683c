//! Folding segments: what is reached of several becomes one segment, and what is not
//! reached is left behind.
//!
//! Pages are copied as they are; only the nodes above them name other places. A page
//! never refers to one of a later segment, so whatever is older than the oldest segment
//! that is folded is not even read.

use std::collections::{BTreeSet, HashMap};

use super::install::{Installer, Proofs, ZoneRoots};
use super::page::{BodyBytes, encode};
use super::segment::SegmentWriter;
use crate::body::BodyRef;
use crate::error::WriteError;
use crate::generation::{Generation, depths};
use crate::layout::{ArchivedZonePage, Denial, Node, OrderPage, PageKind, PageRef};
use crate::segment::access;

/// Fewest segments that are folded into one.
const FOLD_MIN: usize = 8;
/// Times what is newer that a segment may have and still be folded with it. So beyond
/// the newest each segment is some times as large as the next one: there are few, and a
/// page is copied a few times in all.
const FOLD_RATIO: u64 = 2;
/// An image whose garbage is more than what is reached, and more than this, is folded
/// whole.
const GARBAGE_BYTES_MIN: u64 = 1 << 20;

/// Segments and times of garbage at which folding cannot wait.
const SEGMENTS_MANY: usize = 40;
const GARBAGE_RATIO_MAX: u64 = 3;

impl Generation {
    /// The segments that should become one now; none where all is well.
    pub fn worn_segments(&self) -> BTreeSet<u16> {
        self.worn_segments_within(u64::MAX)
    }

    /// As [`Generation::worn_segments`], of at most so many octets: for when others wait.
    /// Beyond bounds of its own it takes no notice of that.
    pub fn worn_segments_within(&self, bytes_max: u64) -> BTreeSet<u16> {
        let live: u64 = self.order.iter().map(|slot| self.live.bytes(*slot)).sum();
        let garbage = self.garbage_bytes();
        let is_urgent =
            self.order.len() >= SEGMENTS_MANY || garbage > live.saturating_mul(GARBAGE_RATIO_MAX);
        let bytes_max = if is_urgent { u64::MAX } else { bytes_max };
        if garbage > GARBAGE_BYTES_MIN && garbage > live && live <= bytes_max {
            return self.order.iter().copied().collect();
        }
        let bytes: Vec<u64> = self
            .order
            .iter()
            .map(|slot| self.segments[usize::from(*slot)].as_ref())
            .map(|segment| segment.map_or(0, |segment| segment.bytes()))
            .collect();
        let last = bytes.len().saturating_sub(FOLD_MIN - 1);
        let start = (0..last).find(|start| {
            let newer: u64 = bytes[start + 1..].iter().sum();
            bytes[*start] <= FOLD_RATIO * newer && bytes[*start] + newer <= bytes_max
        });
        let start = start.unwrap_or(self.order.len());
        self.order[start..].iter().copied().collect()
    }
}

impl Installer {
    /// Copies what is reached of these segments; says how many zones that concerned.
    pub fn fold(&mut self, slots: &BTreeSet<u16>) -> Result<usize, WriteError> {
        let Some(kept) = self.kept() else {
            return Ok(0);
        };
        let oldest = kept.order.iter().position(|slot| slots.contains(slot));
        let Some(oldest) = oldest else {
            return Ok(0);
        };
        self.fold_catalog(slots);
        let mut zones = Vec::new();
        kept.each_catalog_entry(&mut |entry| zones.push(PageRef(entry.zone.to_native())));
        let newer: BTreeSet<u16> = kept.order[oldest..].iter().copied().collect();
        zones.retain(|zone| newer.contains(&zone.slot()));
        let mut count = 0;
        for reference in zones {
            let zone = access::zone(kept.page(reference));
            let mut folding = Folding {
                kept: &kept,
                segment: self.segment(),
                slots,
                newer: &newer,
                moved: HashMap::new(),
                retired: Vec::new(),
            };
            let root = |root: &rkyv::rend::unaligned::u64_ule| PageRef(root.to_native());
            let roots = [root(&zone.names), root(&zone.shared), root(&zone.proofs)];
            let names = folding.tree(roots[0], PageKind::Names)?;
            let shared = folding.tree(roots[1], PageKind::Shared)?;
            let proofs = if zone.denial == Denial::Nsec as u8 {
                folding.order(roots[2])?
            } else {
                folding.tree(roots[2], PageKind::Nsec3)?
            };
            let mut retired = folding.retired;
            if [names, shared, proofs] == roots && !slots.contains(&reference.slot()) {
                continue;
            }
            retired.push(reference);
            let mut after = roots_of(zone);
            (after.names, after.shared, after.proofs.root) = (names, shared, proofs);
            self.put_zone(&after)?;
            self.retire(retired);
            count += 1;
        }
        Ok(count)
    }
}

fn roots_of(zone: &ArchivedZonePage) -> ZoneRoots {
    let bodies = zone.negative.iter();
    let bodies = bodies.map(|body| BodyRef::local(body, &zone.heap));
    let (parking, negative): (Vec<_>, Vec<_>) = bodies.partition(|body| body.part().is_parked());
    let negative = negative.into_iter();
    let parking = parking.into_iter();
    ZoneRoots {
        apex: zone.apex.to_vec(),
        serial: zone.serial.to_native(),
        event: zone.event.to_native(),
        depths: depths(&zone.depths),
        apex_flags: zone.apex_flags,
        names: PageRef::NONE,
        shared: PageRef::NONE,
        shared_count: zone.shared_count.to_native(),
        names_count: zone.names_count.to_native(),
        delegations_count: zone.delegations_count.to_native(),
        records_count: zone.records_count.to_native(),
        proofs: Proofs::of(zone),
        negative: negative
            .map(|body| (body.part(), BodyBytes::from(body)))
            .collect(),
        parking: parking
            .map(|body| (body.part(), body.rtype(), BodyBytes::from(body)))
            .collect(),
    }
}

struct Folding<'f> {
    kept: &'f Generation,
    segment: &'f mut SegmentWriter,
    /// The segments that are folded.
    slots: &'f BTreeSet<u16>,
    /// The oldest of them and all later ones.
    newer: &'f BTreeSet<u16>,
    /// Where pages are now: a leaf of proofs is named from several places.
    moved: HashMap<PageRef, PageRef>,
    retired: Vec<PageRef>,
}

impl Folding<'_> {
    fn tree(&mut self, root: PageRef, kind: PageKind) -> Result<PageRef, WriteError> {
        if root.is_none() || !self.newer.contains(&root.slot()) {
            return Ok(root);
        }
        if let Some(moved) = self.moved.get(&root) {
            return Ok(*moved);
        }
        if !root.is_node() {
            return self.copy(root, kind);
        }
        let node = access::node(self.kept.page(root));
        let mut slots = [0; crate::layout::NODE_SLOTS];
        let mut is_other = false;
        let mut last = (PageRef::NONE, PageRef::NONE);
        for (slot, old) in slots.iter_mut().zip(&node.slots) {
            let old = PageRef(old.to_native());
            if old != last.0 {
                last = (old, self.tree(old, kind)?);
            }
            is_other |= last.1 != old;
            *slot = last.1.0;
        }
        if !is_other && !self.slots.contains(&root.slot()) {
            return Ok(root);
        }
        let octets = encode(&Node { slots })?;
        self.put(root, PageKind::Node, &octets)
    }

    /// A tree of names in canonical order.
    fn order(&mut self, root: PageRef) -> Result<PageRef, WriteError> {
        if root.is_none() || !self.newer.contains(&root.slot()) {
            return Ok(root);
        }
        let page = access::order(self.kept.page(root));
        if page.children.is_empty() {
            return self.copy(root, PageKind::Order);
        }
        let mut children = Vec::with_capacity(page.children.len());
        for child in page.children.iter() {
            children.push(self.order(PageRef(child.to_native()))?.0);
        }
        let before = page.children.iter().map(|child| child.to_native());
        let is_same = before.eq(children.iter().copied());
        if is_same && !self.slots.contains(&root.slot()) {
            return Ok(root);
        }
        let octets = encode(&OrderPage {
            ends: page.ends.iter().map(|end| end.to_native()).collect(),
            heap: page.heap.to_vec(),
            children,
        })?;
        self.put(root, PageKind::Order, &octets)
    }

    fn copy(&mut self, page: PageRef, kind: PageKind) -> Result<PageRef, WriteError> {
        if !self.slots.contains(&page.slot()) {
            return Ok(page);
        }
        let kept = self.kept;
        self.put(page, kind, kept.page(page))
    }

    fn put(&mut self, old: PageRef, kind: PageKind, octets: &[u8]) -> Result<PageRef, WriteError> {
        let new = self.segment.append(kind, octets)?;
        self.moved.insert(old, new);
        self.retired.push(old);
        Ok(new)
    }
}
