//! What each key wants next, in the order in which it is tried.
//!
//! A wish is a set of changes that happen at one moment: a record that takes another's
//! place is never there with it, so that a rollover does not sign a zone twice. What is
//! wished for need not be safe; that is asked afterwards.

use crate::registry::signing::{
    Goal, KeyId, KeyRole, KeyState, KskMethod, RecordKind, SigningMode, SigningPolicy, State,
    Timeline,
};

/// Changes of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) changes: Vec<(KeyId, RecordKind, State)>,
}

const KEY_SET: [RecordKind; 2] = [RecordKind::Dnskey, RecordKind::KeySignature];

impl Wish {
    /// One record of one key.
    fn of(key: &KeyState, kind: RecordKind, to: State) -> Self {
        Self {
            changes: vec![(key.id, kind, to)],
        }
    }

    /// The DNSKEY records of keys and the signatures of those that have one.
    fn of_key_sets<'k>(keys: impl IntoIterator<Item = &'k KeyState>, to: State) -> Self {
        let changes = |key: &'k KeyState| {
            let kinds = KEY_SET.into_iter().filter(move |kind| key.role.has(*kind));
            kinds.map(move |kind| (key.id, kind, to))
        };
        Self {
            changes: keys.into_iter().flat_map(changes).collect(),
        }
    }

    /// Both at one moment.
    fn and(mut self, other: Self) -> Self {
        self.changes.extend(other.changes);
        self
    }

    /// In place of the same record of others; not while one of them is still coming.
    fn replacing(self, others: &[&KeyState], kind: RecordKind) -> Option<Self> {
        let go = others
            .iter()
            .map(|other| Self::of(other, kind, State::Unretentive));
        are_everywhere(others, kind).then(|| go.fold(self, Self::and))
    }
}

/// All wishes in the order in which they are tried.
pub(super) fn list(timeline: &Timeline, policy: &SigningPolicy) -> Vec<Wish> {
    let view = View { timeline, policy };
    let mut wishes = Vec::new();
    for key in view.with_goal(Goal::Present) {
        wishes.extend(view.zone_signatures(key));
        wishes.extend(view.appear(key));
        wishes.extend(view.ds(key));
    }
    for key in view.with_goal(Goal::Absent) {
        wishes.extend(view.withdraw(key));
    }
    wishes.extend(view.by_algorithm());
    wishes.retain(|wish| !wish.changes.is_empty());
    wishes
}

struct View<'t> {
    timeline: &'t Timeline,
    policy: &'t SigningPolicy,
}

impl<'t> View<'t> {
    fn with_goal(&self, goal: Goal) -> impl Iterator<Item = &'t KeyState> {
        self.timeline
            .keys
            .iter()
            .filter(move |key| key.goal == goal)
    }

    /// Keys that are to go and still have this record published. Where one of them is
    /// not in every cache yet, what is to take its place waits.
    fn leaving(&self, kind: RecordKind) -> impl Iterator<Item = &'t KeyState> {
        self.with_goal(Goal::Absent)
            .filter(move |key| key.record(kind).state.is_published())
    }

    /// The signatures over the zone: in place of another key's of the same algorithm, or
    /// beside those of other algorithms. A second key of an algorithm stands by.
    fn zone_signatures(&self, key: &KeyState) -> Option<Wish> {
        let kind = RecordKind::ZoneSignatures;
        if !key.role.has(kind) || key.zone_signatures.state != State::Hidden {
            return None;
        }
        let alike = |other: &&KeyState| other.algorithm == key.algorithm && other.id != key.id;
        let mut staying = self.with_goal(Goal::Present).filter(alike);
        if staying.any(|other| other.zone_signatures.state.is_published()) {
            return None;
        }
        let leaving: Vec<_> = self.leaving(kind).filter(alike).collect();
        Wish::of(key, kind, State::Rumoured).replacing(&leaving, kind)
    }

    /// The DNSKEY record and, of a key with that role, its signature over the set.
    fn appear(&self, key: &KeyState) -> Option<Wish> {
        if key.dnskey.state != State::Hidden {
            return None;
        }
        let mut wish = Wish::of_key_sets([key], State::Rumoured);
        if self.begins_with_ds(key) {
            if key.ds.state != State::Omnipresent {
                return None;
            }
            let leaving = self.leaving(RecordKind::Dnskey);
            let leaving: Vec<_> = leaving.filter(|other| is_alike(other, key)).collect();
            if !are_everywhere(&leaving, RecordKind::Dnskey) {
                return None;
            }
            wish = wish.and(Wish::of_key_sets(leaving, State::Unretentive));
        }
        Some(wish)
    }

    /// Whether this key's DS record comes before its DNSKEY record: where the policy says
    /// so and another key's DS record carries the chain until then.
    fn begins_with_ds(&self, key: &KeyState) -> bool {
        self.policy.ksk_method == KskMethod::DoubleDs
            && key.role == KeyRole::Ksk
            && self
                .leaving(RecordKind::Ds)
                .any(|other| is_alike(other, key))
    }

    /// The DS record.
    fn ds(&self, key: &KeyState) -> Option<Wish> {
        let kind = RecordKind::Ds;
        if !key.role.has(kind) || key.ds.state != State::Hidden {
            return None;
        }
        let wish = Wish::of(key, kind, State::Rumoured);
        if !self.begins_with_ds(key) {
            // A zone gets its first DS record when all else is in every cache.
            let is_known = key
                .role
                .records()
                .filter(|kind| *kind != RecordKind::Ds)
                .all(|kind| key.record(kind).state == State::Omnipresent);
            let is_first = self
                .timeline
                .keys
                .iter()
                .all(|key| key.ds.state == State::Hidden);
            if is_first && !is_known {
                return None;
            }
            let leaving: Vec<_> = self.leaving(kind).collect();
            return wish.replacing(&leaving, kind);
        }
        Some(wish)
    }

    /// What a key that is to go can take away by itself.
    fn withdraw(&self, key: &KeyState) -> Vec<Wish> {
        let mut wishes = Vec::new();
        let is_everywhere =
            |kind| key.role.has(kind) && key.record(kind).state == State::Omnipresent;
        let is_hidden = |kind| !key.role.has(kind) || key.record(kind).state == State::Hidden;
        if key.ds.state.is_published() && self.may_lose_ds(key) {
            wishes.push(Wish::of(key, RecordKind::Ds, State::Unretentive));
        }
        if is_everywhere(RecordKind::ZoneSignatures) {
            wishes.push(Wish::of(
                key,
                RecordKind::ZoneSignatures,
                State::Unretentive,
            ));
        }
        let is_done = is_hidden(RecordKind::Ds) && is_hidden(RecordKind::ZoneSignatures);
        if is_everywhere(RecordKind::Dnskey) && is_done {
            wishes.push(Wish::of_key_sets([key], State::Unretentive));
        }
        wishes
    }

    /// Whether the chain goes over another key, or the zone is to be unsigned.
    fn may_lose_ds(&self, key: &KeyState) -> bool {
        if self.policy.mode == SigningMode::Unsigned {
            return true;
        }
        let mut staying = self.with_goal(Goal::Present);
        let is_everywhere = key.ds.state == State::Omnipresent;
        is_everywhere
            && staying.any(|other| other.ds.state == State::Omnipresent && is_known(other))
    }

    /// The keys of an algorithm appear together, and go together: a DNSKEY set with an
    /// algorithm that does not sign all is no good to strict validators.
    fn by_algorithm(&self) -> Vec<Wish> {
        let mut algorithms: Vec<_> = self.timeline.keys.iter().map(|key| key.algorithm).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        let mut wishes = Vec::new();
        for algorithm in algorithms {
            let of = move |key: &&KeyState| key.algorithm == algorithm;
            let coming = self.with_goal(Goal::Present).filter(of);
            let coming =
                coming.filter(|key| key.dnskey.state == State::Hidden && !self.begins_with_ds(key));
            wishes.push(Wish::of_key_sets(coming, State::Rumoured));
            let mut staying = self.with_goal(Goal::Present).filter(of);
            let has_ds =
                |key: &KeyState| key.role.has(RecordKind::Ds) && key.ds.state != State::Hidden;
            let leaving: Vec<_> = self.leaving(RecordKind::Dnskey).filter(of).collect();
            let is_ready = are_everywhere(&leaving, RecordKind::Dnskey)
                && !leaving.iter().any(|key| has_ds(key));
            if staying.next().is_none() && is_ready {
                wishes.push(Wish::of_key_sets(leaving, State::Unretentive));
            }
        }
        wishes
    }
}

fn are_everywhere(keys: &[&KeyState], kind: RecordKind) -> bool {
    keys.iter()
        .all(|key| key.record(kind).state == State::Omnipresent)
}

fn is_alike(one: &KeyState, other: &KeyState) -> bool {
    one.algorithm == other.algorithm && one.role == other.role
}

/// Whether every cache has the key and its signature.
fn is_known(key: &KeyState) -> bool {
    KEY_SET
        .iter()
        .all(|kind| key.record(*kind).state == State::Omnipresent)
}
