//! Which names have an NSEC3, before a change and after it.
//!
//! Without opt-out every name has one. With opt-out it is the names with records of the
//! zone's own, the delegations with a DS, and the empty names above any of these (RFC
//! 5155 section 7.1): a DS that comes or goes far below may be the first or last that
//! an empty name stands for. Counted in the way of opt-out whatever a zone has, so that
//! the counts do not depend on its policy.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use zone_image::{Entry, Zone};

use super::index::{ZoneIndex, depth, parent};
use super::presence::{Presence, State};
use crate::compile::classify::{Names, Standing};
use crate::compile::table::Table;
use crate::record::RecordType;

/// Whether opt-out leaves an installed name its NSEC3; `None` for an empty name, which
/// what is below it decides.
pub(super) fn own_proof(entry: &Entry<'_>) -> Option<bool> {
    if entry.is_delegation() {
        return Some(entry.has(RecordType::DS.0));
    }
    entry.stored_bodies().next().map(|_| true)
}

/// A name that is other than it was, or is made anew.
pub(super) struct Proof {
    pub(super) relative: Vec<u8>,
    /// Whether it had an NSEC3, and has one.
    pub(super) was: bool,
    pub(super) is: bool,
}

/// The names of a change and what becomes of their proofs.
pub(super) struct Proofs<'w> {
    zone: Zone<'w>,
    index: &'w ZoneIndex,
    table: &'w Table,
    names: &'w Names,
    /// How many more names one label below a name opt-out leaves an NSEC3.
    below: HashMap<Vec<u8>, i64>,
}

impl<'w> Proofs<'w> {
    pub(super) fn new(
        zone: Zone<'w>,
        index: &'w ZoneIndex,
        table: &'w Table,
        names: &'w Names,
    ) -> Self {
        Self {
            zone,
            index,
            table,
            names,
            below: HashMap::new(),
        }
    }

    /// Every name whose proof may differ. `opt_out` says which have one.
    pub(super) fn changes(&mut self, presence: &Presence<'_>, opt_out: bool) -> Vec<Proof> {
        let touched = presence.touched().map(|(name, _)| name.clone());
        // From the deepest up, so that what lies below is known.
        let mut open: BTreeSet<_> = touched.map(|name| (Reverse(depth(&name)), name)).collect();
        let mut changes = Vec::new();
        while let Some((_, relative)) = open.pop_first() {
            let (before, after) = (presence.before(&relative), presence.state(&relative));
            let was = self.was_proven(&relative);
            let is = self.is_proven(&relative, after);
            if was != is
                && let Some(above) = parent(&relative)
            {
                *self.below.entry(above.to_vec()).or_default() += i64::from(is) - i64::from(was);
                open.insert((Reverse(depth(above)), above.to_vec()));
            }
            changes.push(Proof {
                was: if opt_out {
                    was
                } else {
                    before != State::Absent
                },
                is: if opt_out { is } else { after != State::Absent },
                relative,
            });
        }
        changes
    }

    fn was_proven(&self, relative: &[u8]) -> bool {
        let entry = self.zone.find(&[relative, self.zone.apex()].concat());
        entry.is_some_and(|entry| {
            own_proof(&entry).unwrap_or_else(|| self.index.proven_below(relative) > 0)
        })
    }

    fn is_proven(&self, relative: &[u8], state: State) -> bool {
        match state {
            State::Absent => false,
            State::Empty => {
                let change = self.below.get(relative).copied().unwrap_or_default();
                i64::from(self.index.proven_below(relative)) + change > 0
            }
            State::Records => {
                let owner = [relative, self.zone.apex()].concat();
                match self.table.find(&owner) {
                    Some(group) if self.names.standing[group] == Standing::Delegation => {
                        self.table.has(group, RecordType::DS)
                    }
                    // It is made anew as the zone's own.
                    Some(group) if self.names.has_entry(group) => true,
                    // Only looked at for what is below it.
                    _ => self.was_proven(relative),
                }
            }
        }
    }

    /// For the index.
    pub(super) fn into_below(self) -> HashMap<Vec<u8>, i64> {
        self.below
    }
}
