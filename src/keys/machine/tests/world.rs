//! A zone, its parent and time, driven by the machine.
//!
//! Keeps what was really published and when, by which the machine never decides: the
//! histories are what resolvers are checked against.

use std::collections::BTreeSet;

use crate::keys::machine::{NewKey, Publishes, Step, advance};
use crate::registry::Timestamp;
use crate::registry::signing::{
    Goal, KeyId, KeyState, PolicyChange, RecordKind, SigningPolicy, State, Timeline,
};

/// What was published from a time on, until the next entry.
pub(super) type History<T> = Vec<(i64, T)>;

/// A key as resolvers see it.
pub(super) type Seen = (KeyId, u8);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct KeySet {
    pub(super) keys: BTreeSet<Seen>,
    pub(super) signers: BTreeSet<Seen>,
    pub(super) ttl: u32,
}

/// Keys with the TTL of what shows them.
pub(super) type WithTtl = (BTreeSet<Seen>, u32);

#[derive(Debug)]
pub(super) struct World {
    pub(super) now: i64,
    pub(super) policy: SigningPolicy,
    pub(super) timeline: Timeline,
    pub(super) ds: History<WithTtl>,
    pub(super) key_sets: History<KeySet>,
    pub(super) signers: History<WithTtl>,
    next_id: i64,
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1_000_000)
}

fn note<T: PartialEq>(history: &mut History<T>, now: i64, value: T) {
    match history.last_mut() {
        Some((_, last)) if *last == value => {}
        // Replaced in the same second: nobody has seen it.
        Some((since, last)) if *since == now => *last = value,
        _ => history.push((now, value)),
    }
}

impl World {
    pub(super) fn new(policy: SigningPolicy) -> Self {
        assert_eq!(policy.fault(), None);
        Self {
            now: 0,
            policy,
            timeline: Timeline::default(),
            ds: vec![(i64::MIN, WithTtl::default())],
            key_sets: vec![(i64::MIN, KeySet::default())],
            signers: vec![(i64::MIN, WithTtl::default())],
            next_id: 1,
        }
    }

    /// Makes a key as the keeper does.
    pub(super) fn make(&mut self, new: &NewKey) -> KeyId {
        let id = KeyId(self.next_id);
        self.next_id += 1;
        for key in &mut self.timeline.keys {
            if new.retires.contains(&key.id) {
                key.goal = Goal::Absent;
            }
        }
        let key = KeyState::new(id, new.role, new.algorithm, at(self.now));
        self.timeline.keys.push(key);
        id
    }

    /// What the machine does at this moment; nothing of it is served yet.
    pub(super) fn tick(&mut self) -> Step {
        let mut step = advance(&self.timeline, &self.policy, at(self.now));
        if !step.wants.is_empty() {
            for new in step.wants.clone() {
                self.make(&new);
            }
            step = advance(&self.timeline, &self.policy, at(self.now));
            assert_eq!(step.wants, [], "keys that were made are not wanted again");
        }
        self.timeline = step.timeline.clone();
        self.timeline
            .keys
            .retain(|key| !step.gone.contains(&key.id));
        assert_eq!(
            self.timeline.unserved_since.is_some(),
            step.publishes != Publishes::Nothing || step.timeline.unserved_since.is_some()
        );
        step
    }

    /// The zone is served as the states say.
    pub(super) fn serve(&mut self) {
        let with = |kind: RecordKind| -> BTreeSet<Seen> {
            let keys = self.timeline.keys.iter();
            let there = keys.filter(|key| key.record(kind).state.is_published());
            there.map(|key| (key.id, key.algorithm)).collect()
        };
        let set = KeySet {
            keys: with(RecordKind::Dnskey),
            signers: with(RecordKind::KeySignature),
            ttl: self.policy.dnskey_ttl,
        };
        let signers = (with(RecordKind::ZoneSignatures), self.policy.zone_ttl_max);
        note(&mut self.key_sets, self.now, set);
        note(&mut self.signers, self.now, signers);
        self.timeline.confirm_served(at(self.now));
    }

    /// What CDS asks the parent for.
    pub(super) fn wanted_ds(&self) -> BTreeSet<Seen> {
        let keys = self.timeline.keys.iter();
        let there = keys.filter(|key| key.ds.state.is_published());
        there.map(|key| (key.id, key.algorithm)).collect()
    }

    /// The parent does what it is asked for.
    pub(super) fn obey(&mut self) {
        let wanted = (self.wanted_ds(), self.policy.ds_ttl);
        note(&mut self.ds, self.now, wanted);
    }

    /// An operator says other TTLs. The zone has them when it is served next, the parent
    /// has its own already.
    pub(super) fn change_ttls(&mut self, change: &PolicyChange) {
        let after = change.apply(&self.policy);
        if after.fault().is_some() {
            return;
        }
        let now = at(self.now);
        self.timeline.lower_ttls(&self.policy, &after, now);
        self.policy = after;
        let (there, _) = self.ds.last().unwrap().1.clone();
        note(&mut self.ds, self.now, (there, self.policy.ds_ttl));
    }

    /// The parent's servers are asked.
    pub(super) fn observe(&mut self) {
        let (_, (there, _)) = self.ds.last().unwrap();
        let there: Vec<_> = there.iter().map(|(id, _)| *id).collect();
        self.timeline.confirm_ds(&there, at(self.now));
    }

    /// Everything works at once, until time alone changes nothing.
    pub(super) fn run_to_rest(&mut self) {
        for _ in 0..200 {
            let step = self.tick();
            self.serve();
            self.obey();
            self.observe();
            let again = advance(&self.timeline, &self.policy, at(self.now));
            let is_at_rest = self.timeline.keys.iter().all(KeyState::is_settled);
            match again.next.or(step.next) {
                _ if is_at_rest && !again.is_change => return,
                Some(next) => self.now = self.now.max(next.0 / 1_000_000 + 1),
                None if again.is_change || !again.wants.is_empty() => self.now += 1,
                None => panic!("nothing moves: {:#?}", self.timeline),
            }
        }
        panic!("no rest: {:#?}", self.timeline);
    }

    /// The state of one record.
    pub(super) fn state(&self, id: KeyId, kind: RecordKind) -> State {
        let key = self.timeline.key(id);
        key.map_or(State::Hidden, |key| key.record(kind).state)
    }
}
