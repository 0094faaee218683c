//! Pages on their way from some segments to another one.
//!
//! A page is copied as it is; a page that refers to others is written again where one of
//! them moved. Goes only where that can be: whatever stands in a segment that stays is
//! not even read.

use std::collections::HashMap;

use crate::body::BodyRef;
use crate::error::WriteError;
use crate::generation::{Generation, depths};
use crate::layout::{
    ArchivedZonePage, CatalogEntry, CatalogPage, Denial, NODE_SLOTS, Node, OrderPage, PageKind,
    PageRef,
};
use crate::segment::access;
use crate::writer::install::{Proofs, ZoneRoots, zone_page};
use crate::writer::page::{BodyBytes, encode};
use crate::writer::segment::SegmentWriter;

/// What becomes of the pages of one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// They stay, and so does all that they refer to.
    Stay,
    /// They go to the new segment.
    Copy,
    /// They stay but for those that lead to a page that moved.
    Follow,
    /// An earlier fold has moved some of them; the others are as [`Fate::Stay`].
    Moved,
}

pub(super) struct Copying<'c> {
    from: &'c Generation,
    /// By slot.
    fates: Vec<Fate>,
    /// What an earlier fold has moved.
    before: &'c HashMap<PageRef, PageRef>,
    /// Where pages are now: a leaf of proofs is named from several places.
    pub(super) moved: HashMap<PageRef, PageRef>,
    segment: &'c mut SegmentWriter,
}

impl<'c> Copying<'c> {
    pub(super) fn new(
        from: &'c Generation,
        fates: Vec<Fate>,
        before: &'c HashMap<PageRef, PageRef>,
        segment: &'c mut SegmentWriter,
    ) -> Self {
        Self {
            from,
            fates,
            before,
            moved: HashMap::new(),
            segment,
        }
    }

    /// Moves a tree whose leaves are of this kind; gives its new root.
    pub(super) fn tree(&mut self, page: PageRef, kind: PageKind) -> Result<PageRef, WriteError> {
        if page.is_none() {
            return Ok(page);
        }
        match self.fate(page) {
            Fate::Stay => return Ok(page),
            Fate::Moved => return Ok(self.before.get(&page).copied().unwrap_or(page)),
            Fate::Copy | Fate::Follow => {}
        }
        if let Some(moved) = self.moved.get(&page) {
            return Ok(*moved);
        }
        if page.is_node() {
            return self.node(page, kind);
        }
        match kind {
            PageKind::Catalog => self.catalog(page),
            PageKind::Zone => self.zone(page),
            PageKind::Order => self.order(page),
            _ => self.leaf(page, kind),
        }
    }

    fn fate(&self, page: PageRef) -> Fate {
        self.fates[usize::from(page.slot())]
    }

    fn is_copied(&self, page: PageRef) -> bool {
        self.fate(page) == Fate::Copy
    }

    fn node(&mut self, page: PageRef, kind: PageKind) -> Result<PageRef, WriteError> {
        let node = access::node(self.from.page(page));
        let mut slots = [0; NODE_SLOTS];
        let mut is_other = self.is_copied(page);
        let mut last = (PageRef::NONE, PageRef::NONE);
        for (slot, old) in slots.iter_mut().zip(&node.slots) {
            let old = PageRef(old.to_native());
            if old != last.0 {
                last = (old, self.tree(old, kind)?);
            }
            is_other |= last.1 != old;
            *slot = last.1.0;
        }
        if !is_other {
            return Ok(page);
        }
        self.put(page, PageKind::Node, &encode(&Node { slots })?)
    }

    fn leaf(&mut self, page: PageRef, kind: PageKind) -> Result<PageRef, WriteError> {
        if !self.is_copied(page) {
            return Ok(page);
        }
        let from = self.from;
        self.put(page, kind, from.page(page))
    }

    fn catalog(&mut self, page: PageRef) -> Result<PageRef, WriteError> {
        let mut zones = Vec::new();
        let mut is_other = self.is_copied(page);
        for entry in access::catalog(self.from.page(page)).zones.iter() {
            let old = PageRef(entry.zone.to_native());
            let zone = self.tree(old, PageKind::Zone)?;
            is_other |= zone != old;
            zones.push(CatalogEntry {
                apex: entry.apex.to_vec(),
                zone: zone.0,
            });
        }
        if !is_other {
            return Ok(page);
        }
        self.put(page, PageKind::Catalog, &encode(&CatalogPage { zones })?)
    }

    fn zone(&mut self, page: PageRef) -> Result<PageRef, WriteError> {
        let zone = access::zone(self.from.page(page));
        let of_proofs = if zone.denial == Denial::Nsec as u8 {
            PageKind::Order
        } else {
            PageKind::Nsec3
        };
        let before = [&zone.names, &zone.shared, &zone.proofs];
        let before = before.map(|root| PageRef(root.to_native()));
        let after = [
            self.tree(before[0], PageKind::Names)?,
            self.tree(before[1], PageKind::Shared)?,
            self.tree(before[2], of_proofs)?,
        ];
        if after == before && !self.is_copied(page) {
            return Ok(page);
        }
        let octets = encode(&zone_page(&roots_of(zone, after)))?;
        self.put(page, PageKind::Zone, &octets)
    }

    /// A tree of names in canonical order.
    fn order(&mut self, page: PageRef) -> Result<PageRef, WriteError> {
        let order = access::order(self.from.page(page));
        if order.children.is_empty() {
            return self.leaf(page, PageKind::Order);
        }
        let mut children = Vec::with_capacity(order.children.len());
        let mut is_other = self.is_copied(page);
        for child in order.children.iter() {
            let old = PageRef(child.to_native());
            let child = self.tree(old, PageKind::Order)?;
            is_other |= child != old;
            children.push(child.0);
        }
        if !is_other {
            return Ok(page);
        }
        let octets = encode(&OrderPage {
            ends: order.ends.iter().map(|end| end.to_native()).collect(),
            heap: order.heap.to_vec(),
            children,
        })?;
        self.put(page, PageKind::Order, &octets)
    }

    fn put(&mut self, old: PageRef, kind: PageKind, octets: &[u8]) -> Result<PageRef, WriteError> {
        let new = self.segment.append(kind, octets)?;
        self.moved.insert(old, new);
        Ok(new)
    }
}

/// What a zone page says, with other trees.
fn roots_of(zone: &ArchivedZonePage, [names, shared, proofs]: [PageRef; 3]) -> ZoneRoots {
    let bodies = zone.negative.iter();
    let bodies = bodies.map(|body| BodyRef::local(body, &zone.heap));
    let (parking, negative): (Vec<_>, Vec<_>) = bodies.partition(|body| body.part().is_parked());
    let negative = negative.into_iter();
    let parking = parking.into_iter();
    let mut after = Proofs::of(zone);
    after.root = proofs;
    ZoneRoots {
        apex: zone.apex.to_vec(),
        serial: zone.serial.to_native(),
        event: zone.event.to_native(),
        depths: depths(&zone.depths),
        apex_flags: zone.apex_flags,
        names,
        shared,
        shared_count: zone.shared_count.to_native(),
        names_count: zone.names_count.to_native(),
        delegations_count: zone.delegations_count.to_native(),
        records_count: zone.records_count.to_native(),
        proofs: after,
        negative: negative
            .map(|body| (body.part(), BodyBytes::from(body)))
            .collect(),
        parking: parking
            .map(|body| (body.part(), body.rtype(), BodyBytes::from(body)))
            .collect(),
    }
}
