//! Rules of the proofs of a generation that changes another one: only what differs is
//! followed, and what stands beside it.
//!
//! An NSEC3 tree is right where each leaf has its records on their path and starts with
//! the last record of the leaf before, and where a slot without records names that leaf.
//! Both are rules about neighbours, so it is enough to look at what came, at what stands
//! where something went, and at the next leaf.

use std::collections::HashSet;

use super::after::After;
use super::walk::{Checked, KeyRange, Walk, WalkFault};
use crate::denial::nsec3_key;
use crate::layout::{ArchivedZonePage, Denial, PageKind, PageRef, TREE_LEVELS_MAX};
use crate::proof_tree::{KeySpan, owned, runs};
use crate::segment::access;

/// What differs between two NSEC3 trees.
#[derive(Default)]
struct Nsec3Difference {
    /// Where.
    spans: Vec<KeySpan>,
    /// Records that came, less those that went.
    count: i64,
}

impl After<'_> {
    pub(super) fn proofs(&mut self, was: &ArchivedZonePage, zone: &ArchivedZonePage) -> Checked {
        let root = |zone: &ArchivedZonePage| PageRef(zone.proofs.to_native());
        let is_alike = was.denial == zone.denial;
        let count = (was.proofs_count.to_native(), zone.proofs_count.to_native());
        if is_alike && self.is_same(root(was), root(zone)) && count.0 == count.1 {
            return Ok(());
        }
        let difference = match Denial::from_number(zone.denial) {
            Some(Denial::Nsec3) if is_alike => Some(self.nsec3(root(was), root(zone))?),
            Some(Denial::Nsec) if is_alike => self.order(root(was), root(zone))?,
            _ => None,
        };
        let Some(difference) = difference else {
            return self.all_proofs(was, zone);
        };
        if count.0.checked_add_signed(difference) == Some(count.1) && count.1 > 0 {
            return Ok(());
        }
        Err(self
            .walk
            .fault(root(zone), "a zone counts its proofs wrong"))
    }

    /// Follows all proofs of the zone instead.
    fn all_proofs(&mut self, was: &ArchivedZonePage, zone: &ArchivedZonePage) -> Checked {
        let root = PageRef(was.proofs.to_native());
        let kept = &mut self.kept;
        if was.denial == Denial::Nsec as u8 {
            crate::reach::each_order_page(self.old, root, &mut |page| kept.remove(page));
        } else {
            crate::reach::each_page_once(self.old, root, &mut |page| kept.remove(page));
        }
        self.walk.proofs(zone)
    }

    /// Checks an NSEC3 tree; says by how much there are more records.
    fn nsec3(&mut self, old: PageRef, new: PageRef) -> Result<i64, WalkFault> {
        let mut difference = Nsec3Difference::default();
        self.nsec3_subtree(
            old,
            new,
            &KeyRange::default(),
            &KeySpan::ALL,
            &mut difference,
        )?;
        difference.spans.sort_unstable();
        let mut checked = None;
        for span in difference.spans {
            if checked.is_none_or(|checked| checked < span.last) {
                let last = check_neighbours(&self.walk, new, &span)?;
                checked = checked.max(Some(last));
            }
        }
        Ok(difference.count)
    }

    fn nsec3_subtree(
        &mut self,
        old: PageRef,
        new: PageRef,
        keys: &KeyRange,
        span: &KeySpan,
        difference: &mut Nsec3Difference,
    ) -> Checked {
        if self.is_same(old, new) {
            return Ok(());
        }
        if !(old.is_node() && new.is_node()) {
            self.nsec3_gone(old, span, difference);
            return self.nsec3_came(new, keys, span, difference);
        }
        self.walk.check_node(new, keys)?;
        self.kept.remove(old);
        let mut before = runs(self.old, old).into_iter().peekable();
        for (start, end, page) in runs(self.walk.generation, new) {
            let mut same_place = None;
            while let Some(&(was_start, was_end, was)) = before.peek() {
                if was_start >= end {
                    break;
                }
                before.next();
                if (was_start, was_end) == (start, end) {
                    same_place = Some(was);
                } else {
                    self.nsec3_gone(was, &span.below(was_start, was_end), difference);
                }
            }
            let (keys, span) = (keys.below(start, end), span.below(start, end));
            match same_place {
                Some(was) => self.nsec3_subtree(was, page, &keys, &span, difference)?,
                None => self.nsec3_came(page, &keys, &span, difference)?,
            }
        }
        Ok(())
    }

    fn nsec3_gone(&mut self, root: PageRef, span: &KeySpan, difference: &mut Nsec3Difference) {
        if root.is_node() {
            self.kept.remove(root);
            for (start, end, page) in runs(self.old, root) {
                self.nsec3_gone(page, &span.below(start, end), difference);
            }
        } else if owned(self.old, root, span) {
            self.kept.remove(root);
            difference.count -= records(access::nsec3(self.old.page(root)));
        }
    }

    fn nsec3_came(
        &mut self,
        root: PageRef,
        keys: &KeyRange,
        span: &KeySpan,
        difference: &mut Nsec3Difference,
    ) -> Checked {
        if root.is_none() {
            return Err(self.walk.fault(root, "an NSEC3 tree has an empty slot"));
        }
        if root.is_node() {
            self.walk.check_node(root, keys)?;
            for (start, end, page) in runs(self.walk.generation, root) {
                let (keys, span) = (keys.below(start, end), span.below(start, end));
                self.nsec3_came(page, &keys, &span, difference)?;
            }
            return Ok(());
        }
        self.walk.check_kind(root, PageKind::Nsec3)?;
        difference.spans.push(*span);
        if owned(self.walk.generation, root, span) {
            self.walk.reached(root)?;
            difference.count += records(access::nsec3(self.walk.generation.page(root)));
        }
        Ok(())
    }

    /// The height of an order that was verified.
    fn old_height(&self, root: PageRef) -> u32 {
        let (mut page, mut height) = (access::order(self.old.page(root)), 0);
        while let Some(child) = page.children.first() {
            page = access::order(self.old.page(PageRef(child.to_native())));
            height += 1;
        }
        height
    }

    /// The height of one that is to be verified.
    fn new_height(&self, root: PageRef) -> Result<u32, WalkFault> {
        let (mut reference, mut height) = (root, 0);
        loop {
            self.walk.check_order(reference, height)?;
            let page = access::order(self.walk.generation.page(reference));
            let Some(child) = page.children.first() else {
                return Ok(height);
            };
            reference = PageRef(child.to_native());
            height += 1;
        }
    }

    /// Checks the order of a zone; says by how much it has more names. `None` where the
    /// two have another height.
    fn order(&mut self, old: PageRef, new: PageRef) -> Result<Option<i64>, WalkFault> {
        let heights = [self.old_height(old), self.new_height(new)?];
        if heights[0] != heights[1] {
            return Ok(None);
        }
        let (mut gone, mut came) = (vec![old], vec![new]);
        let mut count = 0;
        for level in 0..=heights[1] {
            let shared: HashSet<PageRef> = {
                let gone: HashSet<PageRef> = gone.iter().copied().collect();
                let same = came.iter().copied().filter(|page| gone.contains(page));
                same.filter(|page| self.is_same(*page, *page)).collect()
            };
            gone.retain(|page| !shared.contains(page));
            came.retain(|page| !shared.contains(page));
            let (mut gone_below, mut came_below) = (Vec::new(), Vec::new());
            for page in &gone {
                self.kept.remove(*page);
                let page = access::order(self.old.page(*page));
                gone_below.extend(page.children.iter().map(|child| PageRef(child.to_native())));
                count -= i64::try_from(page.ends.len()).unwrap_or(i64::MAX);
            }
            for reference in &came {
                self.walk.check_order(*reference, level)?;
                self.walk.reached(*reference)?;
                let page = access::order(self.walk.generation.page(*reference));
                came_below.extend(page.children.iter().map(|child| PageRef(child.to_native())));
                count += i64::try_from(page.ends.len()).unwrap_or(i64::MAX);
                let is_leaf = page.children.is_empty();
                if is_leaf != (level == heights[1]) {
                    let text = "the order of a zone has leaves at different depths";
                    return Err(self.walk.fault(*reference, text));
                }
            }
            if level < heights[1] {
                // Only leaves have the names.
                count = 0;
            }
            (gone, came) = (gone_below, came_below);
        }
        Ok(Some(count))
    }
}

fn records(page: &crate::layout::ArchivedNsec3Page) -> i64 {
    i64::try_from(page.hashes.len() - 1).unwrap_or(i64::MAX)
}

/// Checks the leaves that stand for `span`, and the one behind them; gives the last key
/// that this came to.
fn check_neighbours(walk: &Walk<'_>, root: PageRef, span: &KeySpan) -> Result<u64, WalkFault> {
    let generation = walk.generation;
    let (last, _) = leaf_at(walk, root, u64::MAX)?;
    let mut before = match span.first.checked_sub(1) {
        Some(key) => leaf_before(walk, root, key)?.unwrap_or(last),
        None => last,
    };
    let (mut key, mut is_round) = (span.first, false);
    loop {
        let (leaf, here) = leaf_at(walk, root, key)?;
        let hashes = &access::nsec3(generation.page(leaf)).hashes;
        let is_own = owned(generation, leaf, &here);
        if is_own {
            if !hashes[1..].iter().all(|hash| here.holds(hash)) {
                return Err(walk.fault(leaf, "an NSEC3 is off the path of its hash"));
            }
            let ends = &access::nsec3(generation.page(before)).hashes;
            if ends[ends.len() - 1] != hashes[0] {
                let text = "an NSEC3 page does not go on where one ended";
                return Err(walk.fault(leaf, text));
            }
            before = leaf;
        } else if leaf != before && !is_first(hashes, here.last) {
            let text = "an empty slot of an NSEC3 tree names another leaf than the one before";
            return Err(walk.fault(leaf, text));
        }
        // Round the end of the chain, until what follows the span was seen.
        if is_own && (is_round || here.first > span.last) {
            return Ok(if is_round { u64::MAX } else { here.last });
        }
        is_round |= here.last == u64::MAX;
        key = here.last.wrapping_add(1);
        if is_round && key >= span.first {
            return Ok(u64::MAX);
        }
    }
}

/// Whether a leaf that a slot before all records names is the first one.
fn is_first(hashes: &[[u8; 20]], last_key: u64) -> bool {
    hashes
        .get(1)
        .is_some_and(|first| nsec3_key(first) > last_key)
        && hashes[0] >= hashes[1]
}

/// The leaf at or before a key; none where there is no record so early.
fn leaf_before(walk: &Walk<'_>, root: PageRef, key: u64) -> Result<Option<PageRef>, WalkFault> {
    let (leaf, here) = leaf_at(walk, root, key)?;
    let first = access::nsec3(walk.generation.page(leaf)).hashes.get(1);
    let has_record = first.is_some_and(|first| nsec3_key(first) <= here.last);
    Ok(has_record.then_some(leaf))
}

/// The leaf that stands for a key, and the keys of its run there. Below a node that is the
/// older generation's there may be pages of a segment that went, so each is looked for.
fn leaf_at(walk: &Walk<'_>, root: PageRef, key: u64) -> Result<(PageRef, KeySpan), WalkFault> {
    let (mut reference, mut span) = (root, KeySpan::ALL);
    for _ in 0..=TREE_LEVELS_MAX {
        if !reference.is_node() {
            walk.check_kind(reference, PageKind::Nsec3)?;
            return Ok((reference, span));
        }
        walk.check_kind(reference, PageKind::Node)?;
        let below = runs(walk.generation, reference).into_iter();
        let mut below = below.map(|(start, end, page)| (page, span.below(start, end)));
        let found = below.find(|(_, here)| key <= here.last);
        (reference, span) = found.expect("the last run ends with the keys");
    }
    Err(walk.fault(reference, "a tree has too many levels"))
}
