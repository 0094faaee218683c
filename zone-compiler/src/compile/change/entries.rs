//! Making the entries of changed names, and counting what the zone has of everything.
//!
//! An entry that comes out as it is in the image is not written. The counts are those
//! that a full compile would come to: each name is taken off with what it was and added
//! with what it is.

use std::collections::BTreeMap;

use zone_image::layout::{ENTRY_DELEGATION, ENTRY_WILDCARD, ENTRY_WILDCARD_BELOW, Part};
use zone_image::writer::{BodyBytes, NameChange, NewBody, ProofsChange, ZoneChange};
use zone_image::{Entry, StoredBody, Zone};

use super::gather::Gathered;
use super::index::{IndexDelta, ZoneIndex};
use super::presence::{Presence, State};
use super::proven::{Proof, Proofs};
use super::sets::SharedPlan;
use crate::compile::SignedCounts;
use crate::compile::children::Child;
use crate::compile::classify::Standing;
use crate::compile::pages::own_flags;
use crate::compile::rrset::{BodyMaker, Rrsets};
use crate::compile::shared::{is_shareable, set_hash};
use crate::record::RecordType;

type Bodies = Vec<(u16, Part, NewBody)>;

/// A change that is ready to be written, but for what the apex says.
pub(super) struct Made {
    pub(super) change: ZoneChange,
    pub(super) index: IndexDelta,
    pub(super) names_read: usize,
    pub(super) signed: SignedCounts,
    /// What becomes of the proofs of names.
    pub(super) proven: Vec<Proof>,
    /// Parked names that were read, where these have child zones.
    pub(super) parked: Vec<Child>,
    /// Whether signatures are to be looked at.
    pub(super) resigns: bool,
}

/// A delegation has come above names that the change knows nothing of.
pub(super) struct NamesBelow;

/// A name with records.
struct NewEntry {
    flags: u8,
    bodies: Bodies,
}

pub(super) struct EntryMaker<'w> {
    zone: Zone<'w>,
    zone_index: &'w ZoneIndex,
    plan: &'w SharedPlan,
    index: IndexDelta,
    names: BTreeMap<Vec<u8>, NameChange>,
    names_count: i64,
    delegations: i64,
    records: i64,
    apex_flags: u8,
    has_opt_out: bool,
}

impl<'w> EntryMaker<'w> {
    pub(super) fn new(
        zone: Zone<'w>,
        zone_index: &'w ZoneIndex,
        plan: &'w SharedPlan,
        has_opt_out: bool,
    ) -> Self {
        Self {
            zone,
            zone_index,
            plan,
            index: IndexDelta::default(),
            names: BTreeMap::new(),
            names_count: 0,
            delegations: 0,
            records: 0,
            apex_flags: 0,
            has_opt_out,
        }
    }

    pub(super) fn make(
        mut self,
        maker: &mut BodyMaker<'_>,
        gathered: &Gathered,
    ) -> Result<Made, NamesBelow> {
        let apex = self.zone.apex();
        let mut made = BTreeMap::new();
        for owner in &gathered.entries {
            // A name outside the zone is a fault that is noted already.
            if let Some(relative) = owner.strip_suffix(apex) {
                made.insert(relative.to_vec(), self.entry(maker, owner));
            }
        }
        let mut presence = Presence::new(self.zone, self.zone_index);
        presence.set(
            &made
                .iter()
                .map(|(name, entry)| (name.clone(), entry.is_some()))
                .collect(),
        );
        for (relative, entry) in &made {
            let is_cut = entry
                .as_ref()
                .is_some_and(|entry| entry.flags & ENTRY_DELEGATION != 0);
            if is_cut && presence.children(relative) > 0 {
                return Err(NamesBelow);
            }
        }
        self.count_shared(&made);
        let touched: Vec<_> = presence
            .touched()
            .map(|(name, state)| (name.clone(), state))
            .collect();
        for (relative, state) in &touched {
            let entry = made.remove(relative).flatten();
            self.name(&presence, relative, *state, entry);
            self.wildcard_parent(&presence, relative);
        }
        let mut proofs = Proofs::new(self.zone, self.zone_index, maker.table, maker.names);
        let proven = proofs.changes(&presence, self.has_opt_out);
        self.index
            .children(presence.into_children(), proofs.into_below());
        Ok(self.finish(proven))
    }

    fn finish(self, proven: Vec<Proof>) -> Made {
        let info = self.zone.info();
        let count = |before: u64, change: i64| before.wrapping_add_signed(change);
        let mut depths = self.zone.depths();
        for depth in self.index.changed_depths() {
            let names = count(self.zone_index.names_at(depth), self.index.names_at(depth));
            let bit = 1u128 << depth;
            depths = if names > 0 {
                depths | bit
            } else {
                depths & !bit
            };
        }
        Made {
            change: ZoneChange {
                apex: self.zone.apex().to_vec(),
                serial: 0,
                event: 0,
                depths,
                apex_flags: self.apex_flags,
                names_count: count(info.names, self.names_count),
                delegations_count: count(info.delegations, self.delegations),
                records_count: count(info.records, self.records),
                negative: Vec::new(),
                parking: Vec::new(),
                names: self.names,
                shared: BTreeMap::new(),
                proofs: ProofsChange::Kept,
            },
            index: self.index,
            names_read: 0,
            signed: SignedCounts::default(),
            proven,
            parked: Vec::new(),
            resigns: false,
        }
    }

    /// The entry of a name; `None` where it has none of its own.
    fn entry(&self, maker: &mut BodyMaker<'_>, owner: &[u8]) -> Option<NewEntry> {
        let group = maker.table.find(owner)?;
        if !maker.names.has_entry(group) {
            return None;
        }
        let flags = own_flags(maker.table, maker.names, owner, Some(group));
        let bodies = if maker.names.standing[group] == Standing::Delegation {
            self.delegation(maker, group)
        } else {
            let bodies = maker.authoritative(group).into_iter();
            bodies
                .map(|(rtype, part, body)| own(rtype, part, body))
                .collect()
        };
        Some(NewEntry { flags, bodies })
    }

    fn delegation(&self, maker: &mut BodyMaker<'_>, group: usize) -> Bodies {
        let owner = maker.table.owner(group);
        let rrsets = Rrsets::of(maker.table, group, &mut Default::default());
        let mut bodies = Bodies::new();
        if let Some(set) = rrsets.get(RecordType::NS) {
            let shared = is_shareable(owner, set).then(|| self.plan.find(set_hash(set)));
            if let Some(shared) = shared.flatten() {
                bodies.push(self.shared(Part::Records, shared.records));
                let sibling = shared.sibling;
                bodies.extend(sibling.map(|number| self.shared(Part::SiblingGlue, number)));
            } else {
                let private = maker.private_delegation(owner, set).into_iter();
                bodies.extend(private.map(|(rtype, part, body)| own(rtype, part, body)));
            }
        }
        let extras = maker.delegation_extras(owner, &rrsets).into_iter();
        bodies.extend(extras.map(|(rtype, part, body)| own(rtype, part, body)));
        bodies
    }

    fn shared(&self, part: Part, number: u32) -> (u16, Part, NewBody) {
        let records = self.plan.records(self.zone, number);
        (RecordType::NS.0, part, NewBody::Shared { number, records })
    }

    fn old(&self, relative: &[u8]) -> Option<Entry<'w>> {
        self.zone.find(&[relative, self.zone.apex()].concat())
    }

    /// Names that keep a shared body which is rewritten have as many records more.
    fn count_shared(&mut self, made: &BTreeMap<Vec<u8>, Option<NewEntry>>) {
        let kept = self.plan.changed.range(..self.zone.shared_count());
        // Those that are made anew are counted one by one.
        let mut users: BTreeMap<u32, i64> = kept
            .map(|(number, _)| (*number, i64::from(self.zone_index.users_of(*number))))
            .collect();
        for old in made.keys().filter_map(|relative| self.old(relative)) {
            for (_, _, body) in old.stored_bodies() {
                if let StoredBody::Shared(number) = body
                    && let Some(users) = users.get_mut(&number)
                {
                    *users -= 1;
                }
            }
        }
        for (number, users) in users {
            let before = i64::from(self.zone.shared_body(number).records());
            let after = i64::from(self.plan.records(self.zone, number));
            self.records += users * (after - before);
        }
    }

    /// Notes what becomes of a name.
    fn name(
        &mut self,
        presence: &Presence<'_>,
        relative: &[u8],
        state: State,
        entry: Option<NewEntry>,
    ) {
        let old = self.old(relative);
        if let Some(old) = &old {
            self.forget(relative, old);
        }
        let NewEntry { flags, bodies } = match (state, entry) {
            (State::Absent, _) => {
                if old.is_some() {
                    self.names.insert(relative.to_vec(), NameChange::Remove);
                }
                return;
            }
            (State::Records, Some(entry)) => entry,
            _ => NewEntry {
                flags: if relative.starts_with(b"\x01*") {
                    ENTRY_WILDCARD
                } else {
                    0
                },
                bodies: Bodies::new(),
            },
        };
        let flags = flags | wildcard_below(presence, relative);
        self.add(relative, flags, &bodies);
        if relative.is_empty() {
            self.apex_flags = flags;
        }
        if !old.is_some_and(|old| is_same(&old, flags, &bodies)) {
            let put = NameChange::Put { flags, bodies };
            self.names.insert(relative.to_vec(), put);
        }
    }

    fn forget(&mut self, relative: &[u8], old: &Entry<'_>) {
        self.index.name(relative, -1);
        self.names_count -= 1;
        self.delegations -= i64::from(old.is_delegation());
        self.records -= old
            .bodies()
            .map(|body| i64::from(body.records()))
            .sum::<i64>();
        for (_, _, body) in old.stored_bodies() {
            if let StoredBody::Shared(number) = body {
                self.index.user(number, -1);
            }
        }
    }

    fn add(&mut self, relative: &[u8], flags: u8, bodies: &Bodies) {
        self.index.name(relative, 1);
        self.names_count += 1;
        self.delegations += i64::from(flags & ENTRY_DELEGATION != 0);
        for (_, _, body) in bodies {
            self.records += match body {
                NewBody::Own(bytes) => i64::from(bytes.records),
                NewBody::Shared { number, records } => {
                    self.index.user(*number, 1);
                    i64::from(*records)
                }
            };
        }
    }

    /// A wildcard that comes or goes shows in the flags of the name above it.
    fn wildcard_parent(&mut self, presence: &Presence<'_>, relative: &[u8]) {
        let Some(above) = relative.strip_prefix(b"\x01*") else {
            return;
        };
        // The apex is made anew anyway, and so is what the change touches.
        if presence.touched().any(|(name, _)| name == above) {
            return;
        }
        if let Some(old) = self.old(above) {
            let flags = old.flags() & !ENTRY_WILDCARD_BELOW | wildcard_below(presence, above);
            if flags != old.flags() {
                self.names.insert(above.to_vec(), NameChange::Flags(flags));
            }
        }
    }
}

fn own(rtype: RecordType, part: Part, body: BodyBytes) -> (u16, Part, NewBody) {
    (rtype.0, part, NewBody::Own(body))
}

fn wildcard_below(presence: &Presence<'_>, relative: &[u8]) -> u8 {
    let wildcard = [b"\x01*", relative].concat();
    // A name of 254 octets has no room for one.
    let is_there = zone_image::name::wire_length(&[&wildcard[..], b"\0"].concat()).is_ok()
        && presence.state(&wildcard) != State::Absent;
    if is_there { ENTRY_WILDCARD_BELOW } else { 0 }
}

fn is_same(old: &Entry<'_>, flags: u8, bodies: &Bodies) -> bool {
    let is_body = |old: StoredBody<'_>, new: &NewBody| match (old, new) {
        (StoredBody::Own(old), NewBody::Own(new)) => {
            let (wire, patches) = old.stored();
            *wire == *new.wire && patches.eq(new.patches.iter().copied())
        }
        (StoredBody::Shared(old), NewBody::Shared { number, .. }) => old == *number,
        _ => false,
    };
    old.flags() == flags
        && old.stored_bodies().count() == bodies.len()
        && old
            .stored_bodies()
            .zip(bodies)
            .all(|(old, new)| old.0 == new.0 && old.1 == new.1 && is_body(old.2, &new.2))
}
