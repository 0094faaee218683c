//! Rules across the pages of proofs: each is of the right kind and on the path of its
//! hash, a chain goes on where the page before ended, and counts come out.

use std::collections::HashSet;

use super::{Checked, KeyRange, Walk, WalkFault};
use crate::denial::nsec3_key;
use crate::layout::{ArchivedZonePage, Denial, PageKind, PageRef};
use crate::segment::access;

/// Most levels of order pages: 64 to this power is more names than a zone has.
const ORDER_LEVELS_MAX: u32 = 8;

/// The pages of an NSEC3 tree, in order.
#[derive(Default)]
pub(in crate::verify) struct Nsec3Leaves {
    pub(in crate::verify) leaves: Vec<PageRef>,
    /// What slots without records name, and the leaf before them.
    pub(in crate::verify) aliases: Vec<(PageRef, Option<PageRef>)>,
    pub(in crate::verify) seen: HashSet<PageRef>,
    /// Records.
    pub(in crate::verify) count: u64,
}

impl Nsec3Leaves {
    /// Adds the pages behind these; whether none of them is there twice.
    pub(in crate::verify) fn add(&mut self, behind: Self) -> bool {
        let before = self.leaves.last().copied();
        let aliases = behind.aliases.into_iter();
        self.aliases
            .extend(aliases.map(|(alias, own)| (alias, own.or(before))));
        self.leaves.extend(behind.leaves);
        self.seen.extend(behind.seen);
        self.count += behind.count;
        self.seen.len() == self.leaves.len()
    }
}

impl Walk<'_> {
    /// Checks the proofs of a zone: pages of the right kind, and their number.
    pub(in crate::verify) fn proofs(&self, zone: &ArchivedZonePage) -> Checked {
        let root = PageRef(zone.proofs.to_native());
        let count = match Denial::from_number(zone.denial) {
            Some(Denial::Nsec3) => {
                let mut found = Nsec3Leaves::default();
                self.nsec3_tree(root, &KeyRange::default(), &mut found)?;
                self.nsec3_chain(&found)?;
                found.count
            }
            Some(Denial::Nsec) => self.order(root, 0)?,
            _ if root.is_none() => 0,
            _ => return Err(self.fault(root, "an unsigned zone has proofs")),
        };
        self.proofs_count(zone, count)
    }

    pub(in crate::verify) fn proofs_count(&self, zone: &ArchivedZonePage, count: u64) -> Checked {
        let root = PageRef(zone.proofs.to_native());
        if count == zone.proofs_count.to_native() && (count > 0 || root.is_none()) {
            Ok(())
        } else {
            Err(self.fault(root, "a zone counts its proofs wrong"))
        }
    }

    /// Lists the pages of a part of an NSEC3 tree, whose records are on their path.
    pub(in crate::verify) fn nsec3_tree(
        &self,
        root: PageRef,
        keys: &KeyRange,
        found: &mut Nsec3Leaves,
    ) -> Checked {
        self.subtree(
            root,
            PageKind::Nsec3,
            keys,
            &mut |reference, octets, keys| {
                let hashes = &access::nsec3(octets).hashes;
                let own = &hashes[1..];
                if own.iter().any(|hash| keys.holds(nsec3_key(hash))) {
                    let all_held = own.iter().all(|hash| keys.holds(nsec3_key(hash)));
                    if !all_held || !found.seen.insert(reference) {
                        return Err(self.fault(reference, "an NSEC3 is off the path of its hash"));
                    }
                    found.count += own.len() as u64;
                    found.leaves.push(reference);
                    self.reached(reference)?;
                } else {
                    let before = found.leaves.last().copied();
                    found.aliases.push((reference, before));
                }
                Ok(())
            },
        )
    }

    /// Checks that every leaf starts with the last record of the one before.
    pub(in crate::verify) fn nsec3_chain(&self, found: &Nsec3Leaves) -> Checked {
        let leaves = &found.leaves;
        for &(alias, before) in &found.aliases {
            if before.or_else(|| leaves.first().copied()) != Some(alias) {
                let text = "an empty slot of an NSEC3 tree names another leaf than the one before";
                return Err(self.fault(alias, text));
            }
        }
        let last = |leaf: &PageRef| {
            let hashes = &access::nsec3(self.generation.page(*leaf)).hashes;
            (hashes[0], hashes[hashes.len() - 1])
        };
        let mut before = leaves.last().map(last);
        for leaf in leaves {
            let own = last(leaf);
            if before.is_some_and(|before| before.1 != own.0) {
                return Err(self.fault(*leaf, "an NSEC3 page does not go on where one ended"));
            }
            before = Some(own);
        }
        Ok(())
    }

    /// Checks that a reference leads to a page of an order tree.
    pub(in crate::verify) fn check_order(&self, reference: PageRef, level: u32) -> Checked {
        if reference.is_none() || reference.is_node() || level > ORDER_LEVELS_MAX {
            return Err(self.fault(reference, "the order of a zone has a bad reference"));
        }
        self.check_kind(reference, PageKind::Order)
    }

    /// Counts the names of an order tree.
    pub(in crate::verify) fn order(
        &self,
        reference: PageRef,
        level: u32,
    ) -> Result<u64, WalkFault> {
        self.check_order(reference, level)?;
        self.reached(reference)?;
        let page = access::order(self.generation.page(reference));
        if page.children.is_empty() {
            return Ok(page.ends.len() as u64);
        }
        let mut count = 0;
        for child in page.children.iter() {
            count += self.order(PageRef(child.to_native()), level + 1)?;
        }
        Ok(count)
    }
}
