//! Which names, proofs and shared bodies may differ between two images of one zone.
//!
//! A change leaves all other pages where they are, so whatever both generations refer to
//! alike is passed over, and the cost is that of the change. Images that share nothing are
//! compared as a whole. What is named here may still be the same in both.

use std::collections::BTreeSet;

use crate::generation::Generation;
use crate::layout::{Denial, PageRef, SHARED_PAGE_BODIES};
use crate::lookup::{Entry, StoredBody, Zone, relative_name};
use crate::proof_tree::Hash;
use crate::segment::access;

/// Calls `visit` for the apex of every zone that may differ between two generations, for
/// some more than once.
pub fn changed_zones(old: &Generation, new: &Generation, visit: &mut dyn FnMut(&[u8])) {
    let trees = Trees { old, new };
    let (root, against) = (old.catalog, new.catalog);
    trees.compare(root, against, &mut |generation, leaf| {
        for entry in access::catalog(generation.page(leaf)).zones.iter() {
            let versions = [old, new].map(|side| {
                let zone = side.zone(&entry.apex);
                zone.map(|zone| zone.version())
            });
            // A zone that both have is told of with the leaf of the new side.
            let is_wanted = match versions {
                [Some(before), Some(after)] => std::ptr::eq(generation, new) && before != after,
                _ => true,
            };
            if is_wanted {
                visit(&entry.apex);
            }
        }
    });
}

/// Two images of one zone.
#[derive(Clone, Copy)]
pub struct Comparison<'o, 'n> {
    old: Zone<'o>,
    new: Zone<'n>,
}

impl<'o, 'n> Comparison<'o, 'n> {
    /// Of a zone as it was and as it is; both have the same apex.
    pub fn new(old: Zone<'o>, new: Zone<'n>) -> Self {
        assert_eq!(old.apex(), new.apex(), "two zones are not compared");
        Self { old, new }
    }

    fn trees(&self) -> Trees<'_> {
        Trees {
            old: self.old.generation,
            new: self.new.generation,
        }
    }

    /// Calls `visit` for each name in wire format that may differ by what its own page has,
    /// for some more than once.
    /// Shared bodies are told by [`Comparison::shared`].
    pub fn names(&self, visit: &mut dyn FnMut(&[u8])) {
        let [old, new] = [self.old, self.new].map(|zone| PageRef(zone.page.names.to_native()));
        self.trees().compare(old, new, &mut |generation, leaf| {
            let page = access::names(generation.page(leaf));
            for entry in page.entries.iter() {
                visit(&[relative_name(page, entry), self.old.apex()].concat());
            }
        });
    }

    /// The numbers of shared bodies that both have and that differ.
    pub fn shared(&self) -> BTreeSet<u32> {
        let mut numbers = BTreeSet::new();
        let [old, new] = [self.old, self.new].map(|zone| PageRef(zone.page.shared.to_native()));
        let count = self.old.shared_count().min(self.new.shared_count());
        self.trees().compare(old, new, &mut |generation, leaf| {
            let page = access::shared(generation.page(leaf));
            let bodies = u32::try_from(page.bodies.len()).unwrap_or(u32::MAX);
            let first = page.number.to_native() * SHARED_PAGE_BODIES;
            numbers.extend((first..first.saturating_add(bodies)).filter(|n| *n < count));
        });
        numbers.retain(|number| {
            let [old, new] = [self.old.shared_body(*number), self.new.shared_body(*number)];
            !old.is_same(&new)
        });
        numbers
    }

    /// Calls `visit` for the hash of each NSEC3 that may differ, for some more than once.
    pub fn proofs(&self, visit: &mut dyn FnMut(&Hash)) {
        let root = |zone: Zone<'_>| match zone.denial() {
            Denial::Nsec3 => PageRef(zone.page.proofs.to_native()),
            _ => PageRef::NONE,
        };
        let (old, new) = (root(self.old), root(self.new));
        self.trees().compare(old, new, &mut |generation, leaf| {
            let page = access::nsec3(generation.page(leaf));
            page.hashes.iter().for_each(&mut *visit);
        });
    }

    /// Whether an entry has the same bodies in both, given the shared ones that differ.
    pub fn is_same_entry(
        &self,
        old: &Entry<'_>,
        new: &Entry<'_>,
        changed_shared: &BTreeSet<u32>,
    ) -> bool {
        let (mut old, mut new) = (old.stored_bodies(), new.stored_bodies());
        loop {
            let (own, other) = match (old.next(), new.next()) {
                (None, None) => return true,
                (Some(old), Some(new)) if (old.0, old.1) == (new.0, new.1) => (old.2, new.2),
                _ => return false,
            };
            let is_same = match (own, other) {
                (StoredBody::Own(old), StoredBody::Own(new)) => old.is_same(&new),
                (StoredBody::Shared(old), StoredBody::Shared(new)) => {
                    old == new && !changed_shared.contains(&old)
                }
                _ => false,
            };
            if !is_same {
                return false;
            }
        }
    }
}

/// Two generations whose trees are gone through together.
struct Trees<'g> {
    old: &'g Generation,
    new: &'g Generation,
}

/// Is given a leaf of one side that the other has not at that place.
type Visit<'v, 'g> = &'v mut dyn FnMut(&'g Generation, PageRef);

impl<'g> Trees<'g> {
    fn is_same(&self, old: PageRef, new: PageRef) -> bool {
        old == new && (old.is_none() || self.old.shares_slot(self.new, old.slot()))
    }

    /// Visits the leaves of both trees that differ. Where keys are hashed otherwise, no
    /// leaf is where it was, and so all of them.
    fn compare(&self, old: PageRef, new: PageRef, visit: Visit<'_, 'g>) {
        if self.is_same(old, new) {
            return;
        }
        if self.old.seed != self.new.seed || !(old.is_node() && new.is_node()) {
            self.old
                .each_leaf(old, &mut |leaf, _| visit(self.old, leaf));
            self.new
                .each_leaf(new, &mut |leaf, _| visit(self.new, leaf));
            return;
        }
        let [old, new] = [
            &access::node(self.old.page(old)).slots,
            &access::node(self.new.page(new)).slots,
        ];
        // Neighbouring slots may name one page, and a page that stands against several is
        // visited again.
        let mut last = None;
        for (old, new) in old.iter().zip(new) {
            let pair = (PageRef(old.to_native()), PageRef(new.to_native()));
            if last.replace(pair) != Some(pair) {
                self.compare(pair.0, pair.1, visit);
            }
        }
    }
}
