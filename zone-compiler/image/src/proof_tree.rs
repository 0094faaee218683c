//! The tree of a zone's NSEC3 records: which slots a leaf stands in for itself, and
//! which ones name it only because they have no records of their own.
//!
//! A leaf owns a run of neighbouring slots where one of its records has its key; in any
//! other run it is what comes before. For writing and verifying changes; the answer
//! path needs none of this.

use crate::denial::nsec3_key;
use crate::generation::Generation;
use crate::layout::PageRef;
use crate::segment::access;

/// An NSEC3 hash.
pub(crate) type Hash = [u8; 20];

/// A run of slots that name one page: its start, its end, the page.
pub(crate) type Run = (usize, usize, PageRef);

/// The keys of a run of slots, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeySpan {
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// Level of a node that stands for all of them.
    pub(crate) level: u32,
}

impl KeySpan {
    /// All keys.
    pub(crate) const ALL: Self = Self {
        first: 0,
        last: u64::MAX,
        level: 0,
    };

    /// The keys of the slots from `start` to `end` of a node of these keys.
    pub(crate) fn below(&self, start: usize, end: usize) -> Self {
        let shift = 56 - 8 * self.level;
        let octet = |slot: usize| (slot as u64) << shift;
        Self {
            first: self.first | octet(start),
            last: self.first | octet(end - 1) | ((1 << shift) - 1),
            level: self.level + 1,
        }
    }

    pub(crate) fn holds(&self, hash: &Hash) -> bool {
        (self.first..=self.last).contains(&nsec3_key(hash))
    }
}

/// The runs of slots of a node.
pub(crate) fn runs(generation: &Generation, node: PageRef) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let slots = &access::node(generation.page(node)).slots;
    for (at, slot) in slots.iter().enumerate() {
        let reference = PageRef(slot.to_native());
        match runs.last_mut() {
            Some((_, end, last)) if *last == reference => *end = at + 1,
            _ => runs.push((at, at + 1, reference)),
        }
    }
    runs
}

/// Whether a leaf has records of these keys.
pub(crate) fn owned(generation: &Generation, leaf: PageRef, span: &KeySpan) -> bool {
    if leaf.is_none() {
        return false;
    }
    let hashes = &access::nsec3(generation.page(leaf)).hashes;
    hashes[1..].iter().any(|hash| span.holds(hash))
}

/// The last leaf below a node, or the leaf itself.
pub(crate) fn last_leaf(generation: &Generation, reference: PageRef) -> PageRef {
    let mut reference = reference;
    while reference.is_node() {
        let slots = &access::node(generation.page(reference)).slots;
        reference = PageRef(slots[slots.len() - 1].to_native());
    }
    reference
}

/// The leaf that the first slots below a node name without having records.
pub(crate) fn leading_alias(
    generation: &Generation,
    reference: PageRef,
    span: &KeySpan,
) -> Option<PageRef> {
    let (start, end, below) = runs(generation, reference).into_iter().next()?;
    let here = span.below(start, end);
    if below.is_node() {
        return leading_alias(generation, below, &here);
    }
    (!owned(generation, below, &here)).then_some(below)
}
