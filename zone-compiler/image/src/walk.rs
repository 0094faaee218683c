//! Walking a tree from its root to the leaf of a key, one node a step.
//!
//! Each step reads the slot that the step before asked the processor for. Taken in
//! turns with those of other keys, no walk waits for memory.

use crate::generation::Generation;
use crate::hash::slot_at;
use crate::layout::{PageRef, UNIT};
use crate::prefetch;
use crate::segment::access;

/// A walk on its way.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'g> {
    key: u64,
    level: u32,
    /// Octets at the end of a leaf that are read first: its root.
    root_bytes: u32,
    at: PageRef,
    /// The page that the walk is at; none where the tree has no leaf.
    octets: &'g [u8],
}

impl<'g> Walk<'g> {
    /// The walk to nowhere.
    pub(crate) const NOWHERE: Self = Self {
        key: 0,
        level: 0,
        root_bytes: 0,
        at: PageRef::NONE,
        octets: &[],
    };

    /// Starts at `root`; of the leaf the last `root_bytes` octets are read first.
    #[inline]
    pub(crate) fn new(
        generation: &'g Generation,
        root: PageRef,
        key: u64,
        root_bytes: usize,
    ) -> Self {
        let mut walk = Self {
            key,
            root_bytes: u32::try_from(root_bytes).unwrap_or(0),
            ..Self::NOWHERE
        };
        walk.ask(generation, root);
        walk
    }

    /// Goes one node down; says whether there was one.
    #[inline]
    pub(crate) fn advance(&mut self, generation: &'g Generation) -> bool {
        if !self.at.is_node() {
            return false;
        }
        let node = access::node(self.octets);
        let below = PageRef(node.slots[slot_at(self.key, self.level)].to_native());
        self.level += 1;
        self.ask(generation, below);
        true
    }

    /// Moves to a page and asks for what the next step reads: a slot, or the root of
    /// a leaf, which is at its end.
    #[inline]
    fn ask(&mut self, generation: &'g Generation, reference: PageRef) {
        self.at = reference;
        if reference.is_none() {
            self.octets = &[];
            return;
        }
        let octets = generation.page(reference);
        self.octets = octets;
        if reference.is_node() {
            prefetch::line(&access::node(octets).slots[slot_at(self.key, self.level)]);
        } else {
            let tail = octets.len().saturating_sub(self.root_bytes as usize);
            prefetch::line(&octets[tail..]);
            if self.root_bytes as usize > UNIT {
                prefetch::line(&octets[octets.len() - UNIT..]);
            }
        }
    }

    /// The leaf that the walk ended at.
    #[inline]
    pub(crate) fn leaf(&self) -> Option<&'g [u8]> {
        (!self.octets.is_empty()).then_some(self.octets)
    }
}
