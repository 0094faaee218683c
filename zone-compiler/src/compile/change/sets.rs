//! Which NS sets are shared after a change.
//!
//! A set that is stored already is used again. One whose users all go over to the same
//! other set, as when a host is renamed, is rewritten in place: one page instead of
//! theirs. A set of enough changed names is stored anew, any other goes with its name;
//! the next full compile looks at all of them again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use zone_image::Zone;
use zone_image::layout::Part;
use zone_image::writer::BodyBytes;

use super::Attempt;
use super::gather::{Gathered, shared_set};
use super::index::{ZoneIndex, content_hash, sibling_of};
use crate::compile::classify::Standing;
use crate::compile::encode::Scope;
use crate::compile::rrset::{BodyMaker, Rrsets};
use crate::compile::shared::{SHARE_MIN, SharedSet, is_shareable, set_hash};
use crate::record::RecordType;

/// The shared sets that changed names use, and what is to be written of them.
#[derive(Default)]
pub(super) struct SharedPlan {
    by_set: HashMap<u64, SharedSet>,
    /// Bodies that are new or other than they were.
    pub(super) changed: BTreeMap<u32, (Part, BodyBytes)>,
    /// Contents that no shared set has any more.
    pub(super) forgotten: Vec<u64>,
    /// Contents that shared sets have now.
    pub(super) learned: Vec<(u64, u32)>,
    next: u32,
    /// Shared sets that have to be given up first.
    again: BTreeSet<u32>,
    /// Sets that stay what they are.
    claimed: BTreeSet<u32>,
}

/// An NS set of changed delegations.
struct Candidate {
    users: u32,
    /// Group of one of them.
    group: usize,
    /// What they used before.
    before: BTreeMap<u32, u32>,
}

/// A set as it would be stored.
struct Encoded {
    records: BodyBytes,
    sibling: Option<BodyBytes>,
}

impl SharedPlan {
    pub(super) fn make(
        maker: &mut BodyMaker<'_>,
        zone: Zone<'_>,
        index: &ZoneIndex,
        gathered: &Gathered,
    ) -> Result<Self, Attempt> {
        let mut plan = Self {
            next: zone.shared_count(),
            claimed: gathered.touched.keys().copied().collect(),
            ..Self::default()
        };
        for (number, user) in &gathered.touched {
            let group = maker.table.find(user).ok_or(STALE)?;
            let set = encode(maker, group).ok_or(STALE)?;
            if BodyBytes::from(zone.shared_body(*number)) != set.records {
                return Err(STALE);
            }
            if !plan.reuse(zone, *number, &set) {
                plan.again.insert(*number);
            }
        }
        let mut others = Vec::new();
        for (hash, candidate) in candidates(maker, zone, gathered) {
            let Some(set) = encode(maker, candidate.group) else {
                continue;
            };
            match index.find_set(zone, &set.records) {
                Some(number) if plan.reuse(zone, number, &set) => {
                    plan.claimed.insert(number);
                    plan.use_set(hash, number, &set);
                }
                _ => others.push((hash, candidate, set)),
            }
        }
        for (hash, candidate, set) in others {
            plan.place(zone, index, hash, &candidate, &set);
        }
        if plan.again.is_empty() {
            Ok(plan)
        } else {
            Err(Attempt::Again(plan.again))
        }
    }

    /// Keeps a stored set, whose glue may differ; whether it can have the glue in place.
    fn reuse(&mut self, zone: Zone<'_>, number: u32, set: &Encoded) -> bool {
        match (sibling_of(zone, number), &set.sibling) {
            (None, None) => true,
            (Some(sibling), Some(bytes)) => {
                self.write(zone, sibling, Part::SiblingGlue, bytes);
                true
            }
            // Its users would have a body more or less.
            _ => false,
        }
    }

    /// In place of a set that all its users leave, or anew, or not at all.
    fn place(
        &mut self,
        zone: Zone<'_>,
        index: &ZoneIndex,
        hash: u64,
        candidate: &Candidate,
        set: &Encoded,
    ) {
        let left = candidate.before.iter().find(|(number, users)| {
            index.users_of(**number) == **users && !self.claimed.contains(*number)
        });
        let left = left.map(|(number, _)| *number);
        if let Some(number) = left.filter(|number| self.reuse(zone, *number, set)) {
            self.claimed.insert(number);
            let (wire, patches) = zone.shared_body(number).stored();
            self.forgotten.push(content_hash(wire, patches));
            self.write(zone, number, Part::Records, &set.records);
            self.learn(number, set);
            self.use_set(hash, number, set);
        } else if candidate.users >= SHARE_MIN {
            let number = self.next;
            self.next += 1 + u32::from(set.sibling.is_some());
            self.write(zone, number, Part::Records, &set.records);
            if let Some(sibling) = &set.sibling {
                self.write(zone, number + 1, Part::SiblingGlue, sibling);
            }
            self.learn(number, set);
            self.use_set(hash, number, set);
        }
    }

    fn learn(&mut self, number: u32, set: &Encoded) {
        let patches = set.records.patches.iter().copied();
        self.learned
            .push((content_hash(&set.records.wire, patches), number));
    }

    fn use_set(&mut self, hash: u64, number: u32, set: &Encoded) {
        let sibling = set.sibling.as_ref().map(|_| number + 1);
        let records = number;
        self.by_set.insert(hash, SharedSet { records, sibling });
    }

    fn write(&mut self, zone: Zone<'_>, number: u32, part: Part, bytes: &BodyBytes) {
        let is_same =
            number < zone.shared_count() && BodyBytes::from(zone.shared_body(number)) == *bytes;
        if !is_same {
            self.changed.insert(number, (part, bytes.clone()));
        }
    }

    /// The shared set of a changed delegation.
    pub(super) fn find(&self, hash: u64) -> Option<SharedSet> {
        self.by_set.get(&hash).copied()
    }

    /// Records of a shared body after the change.
    pub(super) fn records(&self, zone: Zone<'_>, number: u32) -> u16 {
        match self.changed.get(&number) {
            Some((_, bytes)) => bytes.records,
            None => zone.shared_body(number).records(),
        }
    }
}

/// A user of a shared set that does not have it: the image is not of the registry.
const STALE: Attempt = Attempt::Whole("a shared NS set is not what its users have");

/// The NS sets that changed delegations may share.
fn candidates(
    maker: &BodyMaker<'_>,
    zone: Zone<'_>,
    gathered: &Gathered,
) -> BTreeMap<u64, Candidate> {
    let mut candidates: BTreeMap<u64, Candidate> = BTreeMap::new();
    for owner in &gathered.entries {
        let group = maker.table.find(owner);
        let is_cut = |group: &usize| maker.names.standing[*group] == Standing::Delegation;
        let Some(group) = group.filter(is_cut) else {
            continue;
        };
        let rrsets = Rrsets::of(maker.table, group, &mut Default::default());
        let set = rrsets.get(RecordType::NS);
        let Some(set) = set.filter(|set| is_shareable(owner, set)) else {
            continue;
        };
        let candidate = candidates.entry(set_hash(set)).or_insert(Candidate {
            users: 0,
            group,
            before: BTreeMap::new(),
        });
        candidate.users += 1;
        if let Some(number) = shared_set(zone, owner) {
            *candidate.before.entry(number).or_default() += 1;
        }
    }
    candidates
}

fn encode(maker: &mut BodyMaker<'_>, group: usize) -> Option<Encoded> {
    let rrsets = Rrsets::of(maker.table, group, &mut Default::default());
    let set = rrsets.get(RecordType::NS)?;
    let scope = Scope {
        owner: maker.table.owner(group),
        apex: maker.apex,
        point_to_owner: false,
    };
    let (records, targets) = maker.encode(scope, RecordType::NS, set);
    let glue = maker.glue(scope, set, &targets, |_| false);
    let sibling = glue.sibling;
    Some(Encoded { records, sibling })
}
