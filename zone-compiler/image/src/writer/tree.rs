//! Building the radix tree over pages.
//!
//! A plan first decides from the sorted keys alone which keys share a leaf; then
//! the leaves can be filled on all cores, and the nodes are written over them.

use std::ops::Range;

use super::page::encode;
use super::segment::SegmentWriter;
use crate::error::WriteError;
use crate::layout::{NODE_SLOTS, Node, PageKind, PageRef, TREE_LEVELS_MAX};

/// Which keys share a leaf, and the nodes above them.
#[derive(Debug)]
pub struct TreePlan {
    root: Slot,
    leaves: Vec<Range<usize>>,
}

#[derive(Debug, Clone)]
enum Slot {
    Empty,
    Leaf(usize),
    Node(Box<[Self]>),
}

/// The limits of a leaf, and the keys they apply to.
struct Planner<'k, F> {
    keys: &'k [u64],
    fits: F,
    leaves: Vec<Range<usize>>,
}

impl TreePlan {
    /// Plans a tree over ascending `keys`. `fits` says whether a range of them
    /// may share a leaf; it must hold for any single key.
    pub fn new(keys: &[u64], fits: impl Fn(Range<usize>) -> bool) -> Result<Self, WriteError> {
        debug_assert!(keys.is_sorted());
        let mut planner = Planner {
            keys,
            fits,
            leaves: Vec::new(),
        };
        let root = planner.place(0..keys.len(), 0)?;
        Ok(Self {
            root,
            leaves: planner.leaves,
        })
    }

    /// The ranges of keys that share a leaf, in order.
    pub fn leaves(&self) -> &[Range<usize>] {
        &self.leaves
    }

    /// Writes the nodes over leaves that are written already; returns the root.
    pub fn write(
        &self,
        leaves: &[PageRef],
        segment: &mut SegmentWriter,
    ) -> Result<PageRef, WriteError> {
        assert_eq!(leaves.len(), self.leaves.len(), "one reference a leaf");
        write_slot(&self.root, leaves, &mut |_| PageRef::NONE, segment)
    }

    /// As [`TreePlan::write`]; slots without keys name the leaf before them, and
    /// those before the first leaf name that one.
    pub fn write_cyclic(
        &self,
        leaves: &[PageRef],
        segment: &mut SegmentWriter,
    ) -> Result<PageRef, WriteError> {
        assert_eq!(leaves.len(), self.leaves.len(), "one reference a leaf");
        let mut before = leaves.first().copied().unwrap_or_default();
        let mut empty = |leaf: Option<PageRef>| {
            before = leaf.unwrap_or(before);
            before
        };
        write_slot(&self.root, leaves, &mut empty, segment)
    }
}

impl<F: Fn(Range<usize>) -> bool> Planner<'_, F> {
    /// One slot for all keys of `range`, which agree on the bits above `level`.
    fn place(&mut self, range: Range<usize>, level: u32) -> Result<Slot, WriteError> {
        if range.is_empty() {
            return Ok(Slot::Empty);
        }
        if (self.fits)(range.clone()) {
            return Ok(self.leaf(range));
        }
        if level >= TREE_LEVELS_MAX {
            return Err(WriteError::PageTooLarge {
                bytes: range.len(),
                max: 1,
            });
        }
        let mut slots = vec![Slot::Empty; NODE_SLOTS];
        self.split(range, level, 0, &mut slots)?;
        Ok(Slot::Node(slots.into()))
    }

    fn leaf(&mut self, range: Range<usize>) -> Slot {
        self.leaves.push(range);
        Slot::Leaf(self.leaves.len() - 1)
    }

    /// Spreads `range` over `slots`, which stand for one value of the first
    /// `bits` bits of this level's octet.
    fn split(
        &mut self,
        range: Range<usize>,
        level: u32,
        bits: u32,
        slots: &mut [Slot],
    ) -> Result<(), WriteError> {
        if range.is_empty() {
            return Ok(());
        }
        if slots.len() == 1 {
            slots[0] = self.place(range, level + 1)?;
        } else if (self.fits)(range.clone()) {
            let leaf = self.leaf(range);
            slots.fill(leaf);
        } else {
            let bit = 63 - (level * 8 + bits);
            let middle =
                range.start + self.keys[range.clone()].partition_point(|key| key >> bit & 1 == 0);
            let (low, high) = slots.split_at_mut(slots.len() / 2);
            self.split(range.start..middle, level, bits + 1, low)?;
            self.split(middle..range.end, level, bits + 1, high)?;
        }
        Ok(())
    }
}

/// `empty` is told of each leaf in order, and says what an empty slot names.
fn write_slot(
    slot: &Slot,
    leaves: &[PageRef],
    empty: &mut dyn FnMut(Option<PageRef>) -> PageRef,
    segment: &mut SegmentWriter,
) -> Result<PageRef, WriteError> {
    match slot {
        Slot::Empty => Ok(empty(None)),
        Slot::Leaf(leaf) => {
            empty(Some(leaves[*leaf]));
            Ok(leaves[*leaf])
        }
        Slot::Node(below) => {
            let mut slots = [0; NODE_SLOTS];
            for (slot, below) in slots.iter_mut().zip(below) {
                *slot = write_slot(below, leaves, empty, segment)?.0;
            }
            segment.append(PageKind::Node, &encode(&Node { slots })?)
        }
    }
}
