//! Changing some NSEC3 records of a zone: their leaves, and the nodes on the way.
//!
//! Differs from [`super::change`] in what leaves know of each other: each starts with
//! the last record of the one before, and empty slots name the leaf before them. So a
//! tree is planned first; then its leaves are written in their order, each with the
//! record before it; then its nodes, in the same order, with the leaf before them. What
//! none of this concerns keeps its page.

use std::collections::BTreeMap;

use super::page::{BodyBytes, Nsec3PageBuilder, encode};
use super::segment::SegmentWriter;
use crate::body::BodyRef;
use crate::denial::nsec3_key;
use crate::error::WriteError;
use crate::generation::Generation;
use crate::hash::slot_at;
use crate::layout::{
    ArchivedNsec3Page, NODE_SLOTS, NSEC3_PAGE_PROOFS_MAX, Node, PageKind, PageRef, TREE_LEVELS_MAX,
};
use crate::proof_tree::{Hash, KeySpan, last_leaf, leading_alias, owned, runs};
use crate::segment::access;

/// NSEC3 records by their hash: `None` takes one out.
pub type Nsec3Changes = BTreeMap<Hash, Option<BodyBytes>>;

/// A record of a leaf to be written.
#[derive(Clone, Copy)]
enum Proof<'c> {
    /// The one at this place of an installed page.
    Kept(&'c ArchivedNsec3Page, usize),
    New(&'c Hash, &'c BodyBytes),
}

impl<'c> Proof<'c> {
    fn hash(self) -> &'c Hash {
        match self {
            Self::Kept(page, at) => &page.hashes[at],
            Self::New(hash, _) => hash,
        }
    }

    /// Whether a leaf that followed this record may have it as its first already.
    fn ended_its_leaf(self) -> bool {
        matches!(self, Self::Kept(page, at) if at + 1 == page.hashes.len())
    }

    fn last_of(page: &'c ArchivedNsec3Page) -> Self {
        Self::Kept(page, page.hashes.len() - 1)
    }

    fn put(self, page: &mut Nsec3PageBuilder) {
        match self {
            Self::Kept(from, at) => {
                let body = BodyRef::local(&from.bodies[at], &from.heap);
                page.proof(from.hashes[at], &BodyBytes::from(body));
            }
            Self::New(hash, body) => page.proof(*hash, body),
        }
    }
}

/// A slot of the tree that is planned.
enum Slot<'c> {
    /// No record of these keys.
    Empty,
    /// Likewise, and there were some.
    Gone,
    /// A leaf that may stay.
    Kept(PageRef),
    /// A node below which nothing changes.
    KeptNode(PageRef),
    /// A leaf of these.
    Leaf(Vec<Proof<'c>>),
    /// A leaf that is written.
    Written(PageRef),
    /// A node: runs of slots.
    Node(Vec<(usize, usize, Self)>),
}

/// The last record before a place, and whether the leaf that follows lacks it.
type Before<'c> = (Proof<'c>, bool);

pub(super) struct Nsec3Change<'w> {
    pub(super) kept: &'w Generation,
    pub(super) changes: &'w Nsec3Changes,
    /// Pages that the changed tree does not refer to any more.
    pub(super) retired: Vec<PageRef>,
    /// Records that came, less those that went.
    pub(super) count: i64,
}

impl<'w> Nsec3Change<'w> {
    /// Makes the changes below `root`; gives the new root.
    pub(super) fn apply(
        &mut self,
        root: PageRef,
        segment: &mut SegmentWriter,
    ) -> Result<PageRef, WriteError> {
        let changes: Vec<_> = self.changes.iter().collect();
        if changes.is_empty() {
            return Ok(root);
        }
        let mut plan = self.plan(root, &KeySpan::ALL, &changes)?;
        let Some(mut before) = self.last(&plan) else {
            return Ok(PageRef::NONE);
        };
        self.leaves(&mut plan, &KeySpan::ALL, &mut before, segment)?;
        let mut leaf = self.first(&plan, &KeySpan::ALL);
        self.nodes(plan, &KeySpan::ALL, &mut leaf, segment)
    }

    fn page(&self, leaf: PageRef) -> &'w ArchivedNsec3Page {
        access::nsec3(self.kept.page(leaf))
    }

    /// What becomes of the keys of `span`, for which `reference` stands.
    fn plan(
        &mut self,
        reference: PageRef,
        span: &KeySpan,
        changes: &[(&'w Hash, &'w Option<BodyBytes>)],
    ) -> Result<Slot<'w>, WriteError> {
        if changes.is_empty() {
            return Ok(self.unchanged(reference, span));
        }
        if !reference.is_node() {
            let items = self.merge(reference, span, changes);
            return match items.is_empty() {
                true => Ok(Slot::Gone),
                false => place(items, span.level),
            };
        }
        self.retired.push(reference);
        let mut slots = Vec::new();
        for (start, end, below) in runs(self.kept, reference) {
            let here = span.below(start, end);
            let from = changes.partition_point(|(hash, _)| nsec3_key(hash) < here.first);
            let to = changes.partition_point(|(hash, _)| nsec3_key(hash) <= here.last);
            let changes = &changes[from..to];
            if changes.is_empty() || below.is_node() {
                slots.push((start, end, self.plan(below, &here, changes)?));
                continue;
            }
            let items = self.merge(below, &here, changes);
            if items.is_empty() {
                slots.push((start, end, Slot::Gone));
            } else {
                spread(items, span.level, start, end, &mut slots)?;
            }
        }
        Ok(Slot::Node(slots))
    }

    fn unchanged(&self, reference: PageRef, span: &KeySpan) -> Slot<'w> {
        if reference.is_node() {
            Slot::KeptNode(reference)
        } else if owned(self.kept, reference, span) {
            Slot::Kept(reference)
        } else {
            Slot::Empty
        }
    }

    /// The runs of a node that is written again although nothing below it changes.
    fn expand(&mut self, node: PageRef, span: &KeySpan) -> Slot<'w> {
        self.retired.push(node);
        let below = runs(self.kept, node).into_iter();
        let below = below.map(|(start, end, page)| {
            let slot = self.unchanged(page, &span.below(start, end));
            (start, end, slot)
        });
        Slot::Node(below.collect())
    }

    /// The records of a leaf with the changes to it.
    fn merge(
        &mut self,
        leaf: PageRef,
        span: &KeySpan,
        changes: &[(&'w Hash, &'w Option<BodyBytes>)],
    ) -> Vec<Proof<'w>> {
        let mut items: BTreeMap<&Hash, Proof<'w>> = BTreeMap::new();
        if owned(self.kept, leaf, span) {
            self.retired.push(leaf);
            let page = self.page(leaf);
            for at in 1..page.hashes.len() {
                items.insert(&page.hashes[at], Proof::Kept(page, at));
            }
        }
        for (hash, change) in changes {
            let was = match change {
                Some(body) => items.insert(hash, Proof::New(hash, body)),
                None => items.remove(hash),
            };
            self.count += i64::from(change.is_some()) - i64::from(was.is_some());
        }
        items.into_values().collect()
    }

    /// The last record of a tree.
    fn last(&self, slot: &Slot<'w>) -> Option<Before<'w>> {
        match slot {
            Slot::Empty | Slot::Gone => None,
            Slot::Kept(leaf) | Slot::Written(leaf) => {
                Some((Proof::last_of(self.page(*leaf)), false))
            }
            Slot::KeptNode(node) => {
                let page = self.page(last_leaf(self.kept, *node));
                Some((Proof::last_of(page), false))
            }
            Slot::Leaf(items) => items.last().map(|last| (*last, !last.ended_its_leaf())),
            Slot::Node(slots) => {
                let mut has_gone = false;
                slots.iter().rev().find_map(|(_, _, slot)| {
                    has_gone |= matches!(slot, Slot::Gone);
                    let (last, is_other) = self.last(slot)?;
                    Some((last, is_other || has_gone))
                })
            }
        }
    }

    /// Writes the leaves that change, and those whose first record does.
    fn leaves(
        &mut self,
        slot: &mut Slot<'w>,
        span: &KeySpan,
        before: &mut Before<'w>,
        segment: &mut SegmentWriter,
    ) -> Result<(), WriteError> {
        match slot {
            Slot::Empty | Slot::Written(_) => {}
            Slot::Gone => before.1 = true,
            Slot::Kept(leaf) => {
                let (leaf, page) = (*leaf, self.page(*leaf));
                if before.1 {
                    self.retired.push(leaf);
                    let own = (1..page.hashes.len()).map(|at| Proof::Kept(page, at));
                    *slot = Slot::Written(write_leaf(before.0, &own.collect::<Vec<_>>(), segment)?);
                }
                *before = (Proof::last_of(page), false);
            }
            Slot::KeptNode(node) if before.1 => {
                *slot = self.expand(*node, span);
                self.leaves(slot, span, before, segment)?;
            }
            Slot::KeptNode(node) => {
                *before = (
                    Proof::last_of(self.page(last_leaf(self.kept, *node))),
                    false,
                );
            }
            Slot::Leaf(items) => {
                let last = *items.last().expect("a leaf holds something");
                let written = write_leaf(before.0, items, segment)?;
                *slot = Slot::Written(written);
                *before = (last, !last.ended_its_leaf());
            }
            Slot::Node(slots) => {
                for (start, end, slot) in slots {
                    self.leaves(slot, &span.below(*start, *end), before, segment)?;
                }
            }
        }
        Ok(())
    }

    /// The first leaf of a tree; none where it has no records.
    fn first(&self, slot: &Slot<'w>, span: &KeySpan) -> PageRef {
        match slot {
            Slot::Empty | Slot::Gone | Slot::Leaf(_) => PageRef::NONE,
            Slot::Kept(leaf) | Slot::Written(leaf) => *leaf,
            Slot::KeptNode(node) => {
                let below = runs(self.kept, *node).into_iter();
                let mut below = below.map(|(start, end, page)| {
                    let here = span.below(start, end);
                    self.first(&self.unchanged(page, &here), &here)
                });
                below.find(|leaf| !leaf.is_none()).unwrap_or_default()
            }
            Slot::Node(slots) => {
                let mut below = slots
                    .iter()
                    .map(|(start, end, slot)| self.first(slot, &span.below(*start, *end)));
                below.find(|leaf| !leaf.is_none()).unwrap_or_default()
            }
        }
    }

    /// Writes the nodes of a tree whose leaves are written. `before` is the leaf that
    /// empty slots name: the last one before them, or the first of all.
    fn nodes(
        &mut self,
        slot: Slot<'w>,
        span: &KeySpan,
        before: &mut PageRef,
        segment: &mut SegmentWriter,
    ) -> Result<PageRef, WriteError> {
        match slot {
            Slot::Empty | Slot::Gone | Slot::Leaf(_) => Ok(*before),
            Slot::Kept(leaf) | Slot::Written(leaf) => {
                *before = leaf;
                Ok(leaf)
            }
            Slot::KeptNode(node) => {
                let alias = leading_alias(self.kept, node, span);
                if alias.is_some_and(|leaf| leaf != *before) {
                    let expanded = self.expand(node, span);
                    return self.nodes(expanded, span, before, segment);
                }
                *before = last_leaf(self.kept, node);
                Ok(node)
            }
            Slot::Node(below) => {
                let is_empty = |slot: &Slot<'_>| matches!(slot, Slot::Empty | Slot::Gone);
                if below.iter().all(|(_, _, slot)| is_empty(slot)) {
                    return Ok(*before);
                }
                let mut slots = [0; NODE_SLOTS];
                for (start, end, slot) in below {
                    let here = span.below(start, end);
                    let page = self.nodes(slot, &here, before, segment)?;
                    slots[start..end].fill(page.0);
                }
                segment.append(PageKind::Node, &encode(&Node { slots })?)
            }
        }
    }
}

fn fits(items: &[Proof<'_>]) -> bool {
    items.len() <= NSEC3_PAGE_PROOFS_MAX
}

/// One slot for all of these, which agree on the bits above `level`.
fn place(items: Vec<Proof<'_>>, level: u32) -> Result<Slot<'_>, WriteError> {
    if fits(&items) {
        return Ok(Slot::Leaf(items));
    }
    if level >= TREE_LEVELS_MAX {
        return Err(WriteError::PageTooLarge {
            bytes: items.len(),
            max: NSEC3_PAGE_PROOFS_MAX,
        });
    }
    let mut slots = Vec::new();
    spread(items, level, 0, NODE_SLOTS, &mut slots)?;
    Ok(Slot::Node(slots))
}

/// Spreads records over the slots from `start` to `end` of a node of this level.
fn spread<'c>(
    mut items: Vec<Proof<'c>>,
    level: u32,
    start: usize,
    end: usize,
    slots: &mut Vec<(usize, usize, Slot<'c>)>,
) -> Result<(), WriteError> {
    if items.is_empty() {
        slots.push((start, end, Slot::Empty));
    } else if fits(&items) {
        slots.push((start, end, Slot::Leaf(items)));
    } else if end - start == 1 {
        slots.push((start, end, place(items, level + 1)?));
    } else {
        let middle = start + (end - start) / 2;
        let at = items.partition_point(|item| slot_at(nsec3_key(item.hash()), level) < middle);
        let high = items.split_off(at);
        spread(items, level, start, middle, slots)?;
        spread(high, level, middle, end, slots)?;
    }
    Ok(())
}

fn write_leaf(
    before: Proof<'_>,
    items: &[Proof<'_>],
    segment: &mut SegmentWriter,
) -> Result<PageRef, WriteError> {
    let mut page = Nsec3PageBuilder::default();
    before.put(&mut page);
    items.iter().for_each(|item| item.put(&mut page));
    segment.append(PageKind::Nsec3, &page.finish()?)
}
