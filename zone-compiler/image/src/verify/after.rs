//! Rules across pages for a generation that changes another one: only what differs is
//! followed.
//!
//! Both trees are walked side by side. Where they name the same page of the same
//! segment at the same place, the older generation was verified with it and nothing is
//! read; else what went is taken off the older counts and what came is checked and
//! added. Where that would not be exact, the whole zone or the whole generation is
//! walked instead: never less than [`super::generation`] finds.

use std::collections::BTreeMap;

use super::split::generation;
use super::walk::{Checked, KeyRange, Totals, Walk, WalkFault, has_parking, labels};
use crate::generation::{Generation, depths};
use crate::layout::{ArchivedNamePage, ArchivedZonePage, ENTRY_DELEGATION};
use crate::layout::{PageKind, PageRef, SHARED_PAGE_BODIES};
use crate::proof_tree::runs;
use crate::reach::{Live, each_page, each_page_of_zone};
use crate::segment::access;
use crate::team::Team;

/// Name pages that one thread takes at a time.
const BATCH: usize = 64;

/// Follows what a generation has and `previous` has not; says what is reached.
pub(crate) fn generation_after(
    new: &Generation,
    previous: &Generation,
    team: Team,
) -> Result<Live, WalkFault> {
    if new.seed != previous.seed {
        return generation(new, team);
    }
    let mut after = After {
        walk: Walk::new(new),
        old: previous,
        kept: previous.live.clone(),
        team,
    };
    after.catalog()?;
    match after.live() {
        Some(live) => Ok(live),
        // A segment went away that is still referred to, or its slot has another one.
        None => generation(new, team),
    }
}

pub(super) struct After<'g> {
    /// Counts what came.
    pub(super) walk: Walk<'g>,
    pub(super) old: &'g Generation,
    /// What is left of the old generation's pages.
    pub(super) kept: Live,
    team: Team,
}

/// The leaves of a tree that differ.
#[derive(Default)]
struct Difference {
    gone: Vec<PageRef>,
    came: Vec<(PageRef, KeyRange)>,
}

impl<'g> After<'g> {
    /// What is reached of every segment, if all that is reached is there.
    fn live(self) -> Option<Live> {
        if !self.has_what_is_kept() {
            return None;
        }
        let mut live = self.walk.live.into_inner();
        for slot in self.kept.slots() {
            live.add_bytes(slot, self.kept.bytes(slot));
        }
        Some(live)
    }

    /// Whether every segment of which old pages are left is there still.
    fn has_what_is_kept(&self) -> bool {
        let is_there = |slot| self.walk.generation.shares_slot(self.old, slot);
        self.kept.slots().all(is_there)
    }

    pub(super) fn is_same(&self, old: PageRef, new: PageRef) -> bool {
        old == new && (old.is_none() || self.walk.generation.shares_slot(self.old, old.slot()))
    }

    fn catalog(&mut self) -> Checked {
        let (old, new) = (self.old, self.walk.generation);
        let leaves = self.tree(old.catalog, new.catalog, PageKind::Catalog)?;
        let mut gone = BTreeMap::new();
        for leaf in &leaves.gone {
            for entry in access::catalog(old.page(*leaf)).zones.iter() {
                gone.insert(entry.apex.to_vec(), PageRef(entry.zone.to_native()));
            }
        }
        let (mut zones, mut mask) = (old.zones_count, old.catalog_depths);
        zones = zones.wrapping_sub(gone.len() as u64);
        for (leaf, keys) in &leaves.came {
            for entry in access::catalog(new.page(*leaf)).zones.iter() {
                if !keys.holds(new.seed.hash(&entry.apex)) {
                    return Err(self.walk.fault(*leaf, "a zone is off the path of its hash"));
                }
                mask |= 1 << labels(&entry.apex);
                zones = zones.wrapping_add(1);
                let reference = PageRef(entry.zone.to_native());
                match gone.remove(&entry.apex[..]) {
                    Some(before) => self.zone(before, reference, &entry.apex)?,
                    None => self.walk.zone(reference, &entry.apex)?,
                }
            }
        }
        let has_gone = !gone.is_empty();
        for zone in gone.into_values() {
            each_page_of_zone(old, zone, &mut |page| self.kept.remove(page));
        }
        if has_gone {
            // Below a node that is the same, pages may be of a segment that went.
            if !self.has_what_is_kept() {
                return Ok(());
            }
            mask = 0;
            new.each_catalog_entry(&mut |entry| mask |= 1 << labels(&entry.apex));
        }
        if zones != new.zones_count || mask != new.catalog_depths {
            let text = "the catalog counts its zones wrong";
            return Err(self.walk.fault(new.catalog, text));
        }
        Ok(())
    }

    fn zone(&mut self, before: PageRef, reference: PageRef, apex: &[u8]) -> Checked {
        if self.is_same(before, reference) {
            return Ok(());
        }
        let was = access::zone(self.old.page(before));
        // Only checked here; the whole walk counts it itself.
        let zone = Walk::new(self.walk.generation).zone_page(reference, apex)?;
        // Numbers, depths or parking that went need every name to say that none uses them.
        let is_less = zone.shared_count < was.shared_count
            || has_parking(was) && !has_parking(zone)
            || depths(&was.depths) & !depths(&zone.depths) != 0;
        if is_less {
            each_page_of_zone(self.old, before, &mut |page| self.kept.remove(page));
            return self.walk.zone(reference, apex);
        }
        self.kept.remove(before);
        self.walk.reached(reference)?;
        self.shared(was, zone)?;
        self.names(was, zone, reference)?;
        self.proofs(was, zone)
    }

    fn shared(&mut self, was: &ArchivedZonePage, zone: &ArchivedZonePage) -> Checked {
        let roots = [was, zone].map(|zone| PageRef(zone.shared.to_native()));
        let leaves = self.tree(roots[0], roots[1], PageKind::Shared)?;
        let full = SHARED_PAGE_BODIES;
        let (before, expected) = (was.shared_count.to_native(), zone.shared_count.to_native());
        let mut numbers = Vec::new();
        for (leaf, keys) in &leaves.came {
            let octets = self.walk.generation.page(*leaf);
            numbers.push(self.walk.shared_page(*leaf, octets, keys, expected)?);
        }
        let pages = u64::from(before.div_ceil(full)) + numbers.len() as u64;
        let is_counted = pages - leaves.gone.len() as u64 == u64::from(expected.div_ceil(full));
        // A page that was not full has to be there again with what it got.
        let has_grown = expected > before && !before.is_multiple_of(full);
        let is_filled = !has_grown || numbers.contains(&(before / full));
        if is_counted && is_filled {
            return Ok(());
        }
        let text = "a zone counts its shared bodies wrong";
        Err(self.walk.fault(roots[1], text))
    }

    fn names(
        &mut self,
        was: &ArchivedZonePage,
        zone: &ArchivedZonePage,
        reference: PageRef,
    ) -> Checked {
        let roots = [was, zone].map(|zone| PageRef(zone.names.to_native()));
        let leaves = self.tree(roots[0], roots[1], PageKind::Names)?;
        let mut gone = Totals::default();
        for leaf in &leaves.gone {
            add_up(access::names(self.old.page(*leaf)), was, &mut gone);
        }
        let came = self.names_that_came(zone, &leaves.came)?;
        let count = |was: u64, gone: u64, came: u64| was.wrapping_sub(gone).wrapping_add(came);
        let names = count(was.names_count.to_native(), gone.names, came.names);
        let delegations = count(
            was.delegations_count.to_native(),
            gone.delegations,
            came.delegations,
        );
        let apex_flags = match gone.apex_flags {
            None => came.apex_flags.or(Some(was.apex_flags)),
            Some(_) => came.apex_flags,
        };
        let right = names == zone.names_count.to_native()
            && delegations == zone.delegations_count.to_native()
            && depths(&was.depths) | came.depths == depths(&zone.depths)
            && apex_flags == Some(zone.apex_flags);
        if right {
            return Ok(());
        }
        let text = "a zone counts its names wrong or lacks its apex";
        Err(self.walk.fault(reference, text))
    }

    /// Checks the names of pages that came; all that do, where a zone was made anew.
    fn names_that_came(
        &self,
        zone: &ArchivedZonePage,
        came: &[(PageRef, KeyRange)],
    ) -> Result<Totals, WalkFault> {
        let generation = self.walk.generation;
        let shared_count = zone.shared_count.to_native();
        let batches: Vec<_> = came.chunks(BATCH).collect();
        // Pages were counted where they were found; these walks only look at names.
        let work = |walk: &mut Walk<'_>, at: usize| {
            let mut totals = Totals::default();
            for (leaf, keys) in batches[at] {
                let page = access::names(generation.page(*leaf));
                walk.names(zone, page, keys, shared_count, &mut totals)
                    .map_err(|rule| walk.fault(*leaf, rule))?;
            }
            Ok::<_, WalkFault>(totals)
        };
        let begin = || Walk::new(generation);
        let (found, _) = self.team.share_out(batches.len(), begin, work)?;
        let mut totals = Totals::default();
        found.iter().for_each(|behind| totals.add(behind));
        Ok(totals)
    }

    /// The leaves that only one of two trees has; the nodes above them are counted.
    fn tree(
        &mut self,
        old: PageRef,
        new: PageRef,
        kind: PageKind,
    ) -> Result<Difference, WalkFault> {
        let mut difference = Difference::default();
        self.compare(old, new, kind, &KeyRange::default(), &mut difference)?;
        Ok(difference)
    }

    fn compare(
        &mut self,
        old: PageRef,
        new: PageRef,
        kind: PageKind,
        keys: &KeyRange,
        difference: &mut Difference,
    ) -> Checked {
        if self.is_same(old, new) {
            return Ok(());
        }
        if !(old.is_node() && new.is_node()) {
            self.gone(old, difference);
            return self.came(new, kind, keys, difference);
        }
        self.walk.check_node(new, keys)?;
        self.kept.remove(old);
        let olds = runs(self.old, old);
        let news = runs(self.walk.generation, new);
        let mut before = olds.into_iter().peekable();
        for (start, end, page) in news {
            let below = keys.below(start, end);
            // Runs that end before this one, or overlap it without being it, are gone.
            let mut same_place = None;
            while let Some(&(was_start, was_end, was)) = before.peek() {
                if was_start >= end {
                    break;
                }
                before.next();
                if (was_start, was_end) == (start, end) {
                    same_place = Some(was);
                } else {
                    self.gone(was, difference);
                }
            }
            match same_place {
                Some(was) => self.compare(was, page, kind, &below, difference)?,
                None => self.came(page, kind, &below, difference)?,
            }
        }
        Ok(())
    }

    fn gone(&mut self, root: PageRef, difference: &mut Difference) {
        each_page(self.old, root, &mut |page| {
            self.kept.remove(page);
            if !page.is_node() {
                difference.gone.push(page);
            }
        });
    }

    fn came(
        &mut self,
        root: PageRef,
        kind: PageKind,
        keys: &KeyRange,
        difference: &mut Difference,
    ) -> Checked {
        if root.is_none() {
            return Ok(());
        }
        if !root.is_node() {
            self.walk.check_kind(root, kind)?;
            self.walk.reached(root)?;
            difference.came.push((root, keys.clone()));
            return Ok(());
        }
        self.walk.check_node(root, keys)?;
        for (start, end, page) in runs(self.walk.generation, root) {
            self.came(page, kind, &keys.below(start, end), difference)?;
        }
        Ok(())
    }
}

/// What the names of a page, which was verified, add up to.
fn add_up(page: &ArchivedNamePage, zone: &ArchivedZonePage, totals: &mut Totals) {
    debug_assert!(page.entries.len() <= crate::layout::PAGE_NAMES_MAX);
    for entry in page.entries.iter() {
        totals.names += 1;
        totals.delegations += u64::from(entry.flags & ENTRY_DELEGATION != 0);
        if entry.name_length == 0 {
            totals.apex_flags = Some(zone.apex_flags);
        }
    }
}
