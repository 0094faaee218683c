//! The catalog of the new generation: the one that is kept, and what changes in it.
//!
//! Only the leaves that hold a changed zone and the nodes above them are written
//! again, so that adding one zone to 100,000 costs a path and not the catalog. Never
//! changes a page that is there; a generation that is open goes on with its own.

use std::collections::BTreeMap;

use super::change::{Leaves, TreeChange};
use super::page::encode;
use super::segment::SegmentWriter;
use super::tree::TreePlan;
use crate::error::WriteError;
use crate::generation::Generation;
use crate::hash::Seed;
use crate::layout::{CatalogEntry, CatalogPage, PAGE_NAMES_MAX, PageKind, PageRef};
use crate::lookup::LookupName;
use crate::segment::access;

/// Zones in one leaf of a catalog that is written whole, so that leaves have room to grow.
const CATALOG_FILL: usize = PAGE_NAMES_MAX / 2;

/// What becomes of one zone.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// It has this page and stands at this event.
    Put(PageRef, u64),
    /// It is taken out.
    Remove,
}

/// Changes of a catalog, by apex.
#[derive(Debug, Default)]
pub(super) struct CatalogChanges(BTreeMap<Vec<u8>, Change>);

/// A catalog that is written.
#[derive(Debug)]
pub(super) struct WrittenCatalog {
    pub(super) root: PageRef,
    pub(super) zones_count: u64,
    /// Bit d is set when a zone has an apex of d labels.
    pub(super) depths: u128,
    /// The highest event of its zones.
    pub(super) event: u64,
    /// Pages of the kept catalog that it does without.
    pub(super) retired: Vec<PageRef>,
}

impl CatalogChanges {
    /// Adds a zone or replaces the one of that apex.
    pub(super) fn put(&mut self, apex: &[u8], zone: PageRef, event: u64) {
        self.0.insert(apex.to_vec(), Change::Put(zone, event));
    }

    /// Takes a zone out; says whether it was there.
    pub(super) fn remove(&mut self, kept: Option<&Generation>, apex: &[u8]) -> bool {
        if kept_zone(kept, apex).is_some() {
            let before = self.0.insert(apex.to_vec(), Change::Remove);
            return !matches!(before, Some(Change::Remove));
        }
        self.0.remove(apex).is_some()
    }

    /// The page of a zone of the kept generation, if it is neither written again nor
    /// taken out.
    pub(super) fn unchanged(&self, kept: Option<&Generation>, apex: &[u8]) -> Option<PageRef> {
        let before = kept_zone(kept, apex)?;
        match self.0.get(apex) {
            None => Some(before),
            Some(_) => None,
        }
    }

    /// Writes what is new of the catalog.
    pub(super) fn write(
        &self,
        kept: Option<&Generation>,
        segment: &mut SegmentWriter,
    ) -> Result<WrittenCatalog, WriteError> {
        let changes = self.by_hash(segment.seed());
        let (root, retired) = match kept {
            Some(kept) => change(kept, &changes, segment)?,
            None => (write_whole(&changes, segment)?, Vec::new()),
        };
        let mut zones_count = kept.map_or(0, |kept| kept.zones_count);
        for (apex, change) in &self.0 {
            zones_count += u64::from(matches!(change, Change::Put(..)));
            zones_count -= u64::from(kept_zone(kept, apex).is_some());
        }
        Ok(WrittenCatalog {
            root,
            zones_count,
            depths: self.depths(kept),
            event: self.event(kept),
            retired,
        })
    }

    fn by_hash(&self, seed: Seed) -> Vec<Changed> {
        let changes = self.0.iter().map(|(apex, change)| Changed {
            hash: seed.hash(apex),
            apex: apex.clone(),
            zone: match change {
                Change::Put(zone, _) => Some(*zone),
                Change::Remove => None,
            },
        });
        let mut changes: Vec<_> = changes.collect();
        changes.sort_by_key(|change| change.hash);
        changes
    }

    fn depths(&self, kept: Option<&Generation>) -> u128 {
        let put = |(_, change): &(&Vec<u8>, &Change)| matches!(change, Change::Put(..));
        let new = self.0.iter().filter(put);
        let new = new.fold(0, |mask, (apex, _)| mask | depth(apex));
        let Some(kept) = kept else { return new };
        let removes = |change: &Change| matches!(change, Change::Remove);
        if !self.0.values().any(removes) {
            return kept.catalog_depths | new;
        }
        // Whether another zone has that depth nobody has counted.
        let mut mask = new;
        kept.each_catalog_entry(&mut |entry| {
            if !self.0.contains_key(&entry.apex[..]) {
                mask |= depth(&entry.apex);
            }
        });
        mask
    }

    fn event(&self, kept: Option<&Generation>) -> u64 {
        let events = self.0.values().map(|change| match change {
            Change::Put(_, event) => *event,
            Change::Remove => 0,
        });
        let new = events.max().unwrap_or(0);
        let Some(kept) = kept.filter(|kept| kept.event > new) else {
            return new;
        };
        let event_of = |zone| kept.zone_at(zone).info().event;
        let mut before = self.0.keys().filter_map(|apex| kept_zone(Some(kept), apex));
        if !before.any(|zone| event_of(zone) == kept.event) {
            return kept.event;
        }
        // The newest zone was taken out or back: the next one is the newest.
        let mut newest = new;
        kept.each_catalog_entry(&mut |entry| {
            if !self.0.contains_key(&entry.apex[..]) {
                newest = newest.max(event_of(PageRef(entry.zone.to_native())));
            }
        });
        newest
    }
}

/// The page of a zone of the kept generation.
fn kept_zone(kept: Option<&Generation>, apex: &[u8]) -> Option<PageRef> {
    let entry = kept?.find_catalog_entry(apex)?;
    Some(PageRef(entry.zone.to_native()))
}

/// The bit of an apex with so many labels.
fn depth(apex: &[u8]) -> u128 {
    1 << LookupName::parse(apex).map_or(0, |name| name.labels())
}

/// Changes the catalog that is kept; gives the root and the pages left behind.
fn change(
    kept: &Generation,
    changes: &[Changed],
    segment: &mut SegmentWriter,
) -> Result<(PageRef, Vec<PageRef>), WriteError> {
    let leaves = CatalogLeaves { kept };
    let mut tree = TreeChange {
        kept,
        segment,
        leaves,
        retired: Vec::new(),
    };
    let root = tree.apply(kept.catalog, changes)?;
    Ok((root, tree.retired))
}

/// Writes a catalog beside which there is no other.
fn write_whole(changes: &[Changed], segment: &mut SegmentWriter) -> Result<PageRef, WriteError> {
    let zones: Vec<_> = changes.iter().filter_map(Changed::placed).collect();
    let keys: Vec<u64> = zones.iter().map(|zone| zone.hash).collect();
    let plan = TreePlan::new(&keys, |range| range.len() <= CATALOG_FILL)?;
    let mut leaves = Vec::with_capacity(plan.leaves().len());
    for range in plan.leaves() {
        leaves.push(write_leaf(&zones[range.clone()], segment)?);
    }
    plan.write(&leaves, segment)
}

fn write_leaf(zones: &[Placed], segment: &mut SegmentWriter) -> Result<PageRef, WriteError> {
    let zones = zones.iter().map(|zone| zone.entry.clone()).collect();
    let page = encode(&CatalogPage { zones })?;
    segment.append(PageKind::Catalog, &page)
}

/// A changed zone at its place in the tree.
struct Changed {
    hash: u64,
    apex: Vec<u8>,
    /// Its new page; `None` where it is taken out.
    zone: Option<PageRef>,
}

impl Changed {
    fn placed(&self) -> Option<Placed> {
        let (apex, zone) = (self.apex.clone(), self.zone?.0);
        Some(Placed {
            hash: self.hash,
            entry: CatalogEntry { apex, zone },
        })
    }
}

/// A zone of a leaf.
struct Placed {
    hash: u64,
    entry: CatalogEntry,
}

struct CatalogLeaves<'k> {
    kept: &'k Generation,
}

impl Leaves for CatalogLeaves<'_> {
    type Item = Placed;
    type Change = Changed;

    fn key(item: &Placed) -> u64 {
        item.hash
    }

    fn key_of_change(change: &Changed) -> u64 {
        change.hash
    }

    fn merge(&mut self, leaf: PageRef, changes: &[Changed]) -> (Vec<Placed>, bool) {
        let mut zones: Vec<_> = changes.iter().filter_map(Changed::placed).collect();
        if !leaf.is_none() {
            for entry in access::catalog(self.kept.page(leaf)).zones.iter() {
                let hash = self.kept.seed.hash(&entry.apex);
                let same = changes.partition_point(|change| change.hash < hash);
                let mut same = changes[same..]
                    .iter()
                    .take_while(|change| change.hash == hash);
                if !same.any(|change| entry.apex == change.apex[..]) {
                    let (apex, zone) = (entry.apex.to_vec(), entry.zone.to_native());
                    let entry = CatalogEntry { apex, zone };
                    zones.push(Placed { hash, entry });
                }
            }
            zones.sort_by_key(|zone| zone.hash);
        }
        (zones, true)
    }

    fn fits(&self, zones: &[Placed]) -> bool {
        zones.len() <= PAGE_NAMES_MAX
    }

    fn write(
        &mut self,
        zones: Vec<Placed>,
        segment: &mut SegmentWriter,
    ) -> Result<PageRef, WriteError> {
        write_leaf(&zones, segment)
    }
}

#[cfg(test)]
mod tests;
