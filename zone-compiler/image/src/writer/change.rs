//! Changing some leaves of a tree: new leaves, and new nodes on the way to them.
//!
//! What no change lies in keeps its page. A leaf that gets too full is split as a full
//! write would: by halves of its slots, then by a node of its own. Leaves are never
//! merged again; a fold or a full write does that.

use super::page::encode;
use super::segment::SegmentWriter;
use crate::error::WriteError;
use crate::generation::Generation;
use crate::hash::slot_at;
use crate::layout::{NODE_SLOTS, Node, PageKind, PageRef, TREE_LEVELS_MAX};
use crate::segment::access;

/// What the leaves of one kind of tree hold.
pub(super) trait Leaves {
    /// What a leaf has some of.
    type Item;
    /// What is to be done at one key.
    type Change;

    fn key(item: &Self::Item) -> u64;
    fn key_of_change(change: &Self::Change) -> u64;
    /// The items of a leaf, or of none, with the changes to it, ascending by key; and
    /// whether the leaf is left behind.
    fn merge(&mut self, leaf: PageRef, changes: &[Self::Change]) -> (Vec<Self::Item>, bool);
    /// Whether these may share a leaf; holds for any single item.
    fn fits(&self, items: &[Self::Item]) -> bool;
    /// The leaf of these items.
    fn write(
        &mut self,
        items: Vec<Self::Item>,
        segment: &mut SegmentWriter,
    ) -> Result<PageRef, WriteError>;
}

/// A tree being changed.
pub(super) struct TreeChange<'w, L: Leaves> {
    pub(super) kept: &'w Generation,
    pub(super) segment: &'w mut SegmentWriter,
    pub(super) leaves: L,
    /// Pages that the changed tree does not refer to any more.
    pub(super) retired: Vec<PageRef>,
}

impl<L: Leaves> TreeChange<'_, L> {
    /// Makes `changes`, which are ascending by key, below `root`; gives the new root.
    pub(super) fn apply(
        &mut self,
        root: PageRef,
        changes: &[L::Change],
    ) -> Result<PageRef, WriteError> {
        self.subtree(root, 0, changes)
    }

    fn subtree(
        &mut self,
        root: PageRef,
        level: u32,
        changes: &[L::Change],
    ) -> Result<PageRef, WriteError> {
        if changes.is_empty() {
            return Ok(root);
        }
        if !root.is_node() {
            let items = self.merge(root, changes);
            return self.place(items, level);
        }
        self.retired.push(root);
        let node = access::node(self.kept.page(root));
        let mut slots = [PageRef::NONE; NODE_SLOTS];
        for (slot, was) in slots.iter_mut().zip(&node.slots) {
            *slot = PageRef(was.to_native());
        }
        let mut rest = changes;
        while let Some(first) = rest.first() {
            let slot = slot_at(L::key_of_change(first), level);
            let child = slots[slot];
            let mut run = slot..slot + 1;
            while run.start > 0 && slots[run.start - 1] == child {
                run.start -= 1;
            }
            while run.end < NODE_SLOTS && slots[run.end] == child {
                run.end += 1;
            }
            let here =
                rest.partition_point(|change| slot_at(L::key_of_change(change), level) < run.end);
            let (here, after) = rest.split_at(here);
            if child.is_node() {
                slots[slot] = self.subtree(child, level + 1, here)?;
            } else {
                let items = self.merge(child, here);
                self.spread(items, level, run.start, &mut slots[run])?;
            }
            rest = after;
        }
        self.node(&slots)
    }

    fn merge(&mut self, leaf: PageRef, changes: &[L::Change]) -> Vec<L::Item> {
        let (items, is_left) = self.leaves.merge(leaf, changes);
        if is_left && !leaf.is_none() {
            self.retired.push(leaf);
        }
        items
    }

    /// One page for all of these, which agree on the bits above `level`.
    fn place(&mut self, items: Vec<L::Item>, level: u32) -> Result<PageRef, WriteError> {
        if items.is_empty() {
            return Ok(PageRef::NONE);
        }
        if self.leaves.fits(&items) {
            return self.leaves.write(items, self.segment);
        }
        if level >= TREE_LEVELS_MAX {
            return Err(WriteError::PageTooLarge {
                bytes: items.len(),
                max: 1,
            });
        }
        let mut slots = [PageRef::NONE; NODE_SLOTS];
        self.spread(items, level, 0, &mut slots)?;
        self.node(&slots)
    }

    /// Spreads items over `slots`, the first of which is `first` in its node.
    fn spread(
        &mut self,
        mut items: Vec<L::Item>,
        level: u32,
        first: usize,
        slots: &mut [PageRef],
    ) -> Result<(), WriteError> {
        if items.is_empty() {
            slots.fill(PageRef::NONE);
        } else if self.leaves.fits(&items) {
            slots.fill(self.leaves.write(items, self.segment)?);
        } else if slots.len() == 1 {
            slots[0] = self.place(items, level + 1)?;
        } else {
            let middle = slots.len() / 2;
            let at = items.partition_point(|item| slot_at(L::key(item), level) < first + middle);
            let high_items = items.split_off(at);
            let (low, high) = slots.split_at_mut(middle);
            self.spread(items, level, first, low)?;
            self.spread(high_items, level, first + middle, high)?;
        }
        Ok(())
    }

    /// A node of these slots, unless they are all empty.
    fn node(&mut self, slots: &[PageRef; NODE_SLOTS]) -> Result<PageRef, WriteError> {
        if slots.iter().all(|slot| slot.is_none()) {
            return Ok(PageRef::NONE);
        }
        let slots = slots.map(|slot| slot.0);
        self.segment
            .append(PageKind::Node, &encode(&Node { slots })?)
    }
}
