//! Neighbours in the proofs of a zone, for who changes a chain.
//!
//! The answer path looks proofs up in [`crate::denial`] and needs none of this.

use crate::body::BodyRef;
use crate::denial::{SortKey, key_at, last_at_or_before, nsec3_key};
use crate::layout::{Denial, PageRef};
use crate::lookup::{Entry, Zone};
use crate::segment::access;

impl<'g> Zone<'g> {
    /// Every NSEC3 with its hash, some of them more than once.
    pub fn each_nsec3(&self, visit: &mut dyn FnMut(&'g [u8; 20], BodyRef<'g>)) {
        if self.denial() != Denial::Nsec3 {
            return;
        }
        let root = PageRef(self.page.proofs.to_native());
        self.generation.each_leaf(root, &mut |_, octets| {
            let page = access::nsec3(octets);
            for (hash, body) in page.hashes.iter().zip(page.bodies.iter()).skip(1) {
                visit(hash, BodyRef::local(body, &page.heap));
            }
        });
    }

    /// The NSEC3 that matches a hash or covers it, with its own hash: for who changes a
    /// chain. The answer path has [`Zone::seek_nsec3`].
    pub fn nsec3_at_or_before(&self, hash: &[u8; 20]) -> Option<([u8; 20], BodyRef<'g>)> {
        if self.denial() != Denial::Nsec3 {
            return None;
        }
        let root = PageRef(self.page.proofs.to_native());
        let page = access::nsec3(self.generation.find_leaf(root, nsec3_key(hash))?);
        let at = last_at_or_before(&page.hashes, hash, page.hashes.len() / 2);
        Some((
            page.hashes[at],
            BodyRef::local(&page.bodies[at], &page.heap),
        ))
    }

    /// The owner of the NSEC that comes right before a name, given as its labels before
    /// the apex, in canonical order; before the first, the last.
    pub fn nsec_before(&self, relative: &[u8]) -> Option<Entry<'g>> {
        let key = SortKey::new(relative);
        let is_before = |own: &[u8]| own < key.as_slice();
        let found = self.order_edge(true, &is_before);
        self.entry_of_key(found.or_else(|| self.order_edge(true, &|_| true))?)
    }

    /// The owner of the NSEC that comes right after a name; after the last, the first.
    pub fn nsec_after(&self, relative: &[u8]) -> Option<Entry<'g>> {
        let key = SortKey::new(relative);
        let is_after = |own: &[u8]| own > key.as_slice();
        let found = self.order_edge(false, &is_after);
        self.entry_of_key(found.or_else(|| self.order_edge(false, &|_| true))?)
    }

    /// The last key that `holds` says yes of, where it does so of a first part of them;
    /// or else the first one, where it does so of a last part.
    fn order_edge(&self, last: bool, holds: &dyn Fn(&[u8]) -> bool) -> Option<&'g [u8]> {
        if self.denial() != Denial::Nsec {
            return None;
        }
        let mut page = access::order(self.generation.page(PageRef(self.page.proofs.to_native())));
        // Where the key may be instead if the page has none.
        let mut next = None;
        loop {
            let boundary = |is_first_part: bool| {
                let (mut low, mut high) = (0, page.ends.len());
                while low < high {
                    let middle = low + (high - low) / 2;
                    if holds(key_at(page, middle)) == is_first_part {
                        low = middle + 1;
                    } else {
                        high = middle;
                    }
                }
                low
            };
            let at = if last {
                boundary(true).checked_sub(1)
            } else {
                Some(boundary(false)).filter(|at| *at < page.ends.len())
            };
            if page.children.is_empty() {
                return at.map(|at| key_at(page, at)).or(next);
            }
            // Of a last part, the first key may be in the child before.
            let child = if last {
                at?
            } else {
                next = at.map(|at| key_at(page, at)).or(next);
                at.unwrap_or(page.ends.len()).saturating_sub(1)
            };
            page = access::order(
                self.generation
                    .page(PageRef(page.children[child].to_native())),
            );
        }
    }
}
