//! Which pages a generation reaches, and how many octets of each segment they are.
//!
//! A change writes new pages and leaves the old ones where they are; what is not
//! reached any more is garbage. The count says which segments are needed and which
//! are worth folding. It is made by the verifier, which follows every reference
//! anyway, and carried from one generation to the next.

use std::collections::HashSet;

use crate::generation::Generation;
use crate::layout::{Denial, PageRef, UNIT};
use crate::segment::access;

/// Octets of reached pages by slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Live(Vec<u64>);

impl Live {
    pub(crate) fn bytes(&self, slot: u16) -> u64 {
        self.0.get(usize::from(slot)).copied().unwrap_or_default()
    }

    pub(crate) fn add(&mut self, page: PageRef) {
        self.add_bytes(page.slot(), page_bytes(page));
    }

    pub(crate) fn add_bytes(&mut self, slot: u16, bytes: u64) {
        let slot = usize::from(slot);
        if slot >= self.0.len() {
            self.0.resize(slot + 1, 0);
        }
        self.0[slot] += bytes;
    }

    /// Takes a page away; an image that counts wrong leaves no less than nothing.
    pub(crate) fn remove(&mut self, page: PageRef) {
        if let Some(bytes) = self.0.get_mut(usize::from(page.slot())) {
            *bytes = bytes.saturating_sub(page_bytes(page));
        }
    }

    /// Slots with reached pages.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u16> {
        let used = (0u16..).zip(&self.0).filter(|(_, bytes)| **bytes > 0);
        used.map(|(slot, _)| slot)
    }
}

fn page_bytes(page: PageRef) -> u64 {
    u64::from(page.units()) * UNIT as u64
}

/// Calls `visit` once for each page of a zone, its own included.
pub(crate) fn each_page_of_zone(
    generation: &Generation,
    zone: PageRef,
    visit: &mut dyn FnMut(PageRef),
) {
    visit(zone);
    let page = access::zone(generation.page(zone));
    let [names, shared, proofs] =
        [&page.names, &page.shared, &page.proofs].map(|root| PageRef(root.to_native()));
    each_page(generation, names, visit);
    each_page(generation, shared, visit);
    if page.denial == Denial::Nsec as u8 {
        each_order_page(generation, proofs, visit);
        return;
    }
    each_page_once(generation, proofs, visit);
}

/// As [`each_page`], of an NSEC3 tree, whose empty slots repeat leaves.
pub(crate) fn each_page_once(
    generation: &Generation,
    root: PageRef,
    visit: &mut dyn FnMut(PageRef),
) {
    let mut seen = HashSet::new();
    each_page(generation, root, &mut |page| {
        if seen.insert(page) {
            visit(page);
        }
    });
}

/// Calls `visit` for each node and leaf of a tree; neighbouring slots with one leaf
/// count once.
pub(crate) fn each_page(generation: &Generation, root: PageRef, visit: &mut dyn FnMut(PageRef)) {
    if root.is_none() {
        return;
    }
    visit(root);
    if root.is_node() {
        let mut last = PageRef::NONE;
        for slot in &access::node(generation.page(root)).slots {
            let below = PageRef(slot.to_native());
            if std::mem::replace(&mut last, below) != below {
                each_page(generation, below, visit);
            }
        }
    }
}

/// Calls `visit` for each page of an order tree.
pub(crate) fn each_order_page(
    generation: &Generation,
    root: PageRef,
    visit: &mut dyn FnMut(PageRef),
) {
    if !root.is_none() {
        visit(root);
        for child in access::order(generation.page(root)).children.iter() {
            each_order_page(generation, PageRef(child.to_native()), visit);
        }
    }
}
