//! What may change about a zone's keys now, and when to look again.
//!
//! A pure function: states, policy and time in, the next states out. It knows no
//! rollover by name. It has a list of wishes, which follow from each key's goal, and
//! grants a wish only if afterwards every combination of what caches may hold still has
//! a chain (`safety`); so pre-publication, double signatures, double DS and the
//! conservative order of an algorithm rollover (RFC 6781 section 4.1.4, RFC 7583
//! section 3) come out of the same rule. Nothing moves while the last step is not known
//! to be served, nor a DS record before the parent was seen to have changed it.

mod safety;
mod timing;
mod wishes;

use crate::registry::Timestamp;
use crate::registry::signing::{
    Goal, KeyId, KeyRole, KeyState, Layout, RecordKind, SigningMode, SigningPolicy, State, Timeline,
};
use wishes::Wish;

/// Rounds of one step: each changes a record, and a record changes at most twice.
const ROUNDS_MAX: usize = crate::registry::signing::KEYS_MAX * 8;

/// A key that has to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// What for.
    pub role: KeyRole,
    /// Number of its algorithm.
    pub algorithm: u8,
    /// Keys whose place it takes.
    pub retires: Vec<KeyId>,
}

/// What the parent is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParentChange {
    /// To add the DS record of this key.
    Add(KeyId),
    /// To remove it.
    Remove(KeyId),
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The states after it.
    pub timeline: Timeline,
    /// Whether anything differs.
    pub is_change: bool,
    /// Whether the zone has to be published because of it, and how much of it.
    pub publishes: Publishes,
    /// Keys to be made first.
    pub wants: Vec<NewKey>,
    /// Keys that nobody needs any more.
    pub gone: Vec<KeyId>,
    /// What the parent is waited for.
    pub parent: Vec<ParentChange>,
    /// When time alone will change something.
    pub next: Option<Timestamp>,
}

/// How much of the zone a step changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Publishes {
    /// Nothing.
    Nothing,
    /// Records of the apex.
    Apex,
    /// Signatures of every name.
    Zone,
}

/// Takes every step that is due and safe at `now`.
pub fn advance(before: &Timeline, policy: &SigningPolicy, now: Timestamp) -> Step {
    let mut timeline = before.clone();
    let mut publishes = Publishes::Nothing;
    if timeline.unserved_since.is_none() {
        timing::settle(&mut timeline, policy, now);
        for _ in 0..ROUNDS_MAX {
            let granted = wishes::list(&timeline, policy)
                .into_iter()
                .find_map(|wish| {
                    let after = wish.granted(&timeline, now);
                    safety::is_safe(&after).then_some((wish, after))
                });
            let Some((wish, after)) = granted else { break };
            publishes = publishes.max(wish.publishes());
            timeline = after;
        }
    }
    if publishes != Publishes::Nothing {
        timeline.unserved_since = Some(now);
    }
    let wants = wanted_keys(&timeline, policy, now);
    let rollover = if policy.automatic {
        timing::next_rollover(&timeline, policy, now)
    } else {
        None
    };
    let next = timing::next_settled(&timeline, policy, now);
    Step {
        is_change: timeline != *before,
        publishes,
        gone: timeline
            .keys
            .iter()
            .filter(|key| key.is_gone())
            .map(|key| key.id)
            .collect(),
        parent: parent_changes(&timeline),
        next: [next, rollover].into_iter().flatten().min(),
        wants,
        timeline,
    }
}

fn parent_changes(timeline: &Timeline) -> Vec<ParentChange> {
    let waits = timeline
        .keys
        .iter()
        .filter(|key| key.ds_confirmed_at.is_none());
    waits
        .filter_map(|key| match key.ds.state {
            State::Rumoured => Some(ParentChange::Add(key.id)),
            State::Unretentive => Some(ParentChange::Remove(key.id)),
            State::Hidden | State::Omnipresent => None,
        })
        .collect()
}

/// Keys that the policy asks for and the zone lacks. At most one rollover of a role
/// runs at a time.
fn wanted_keys(timeline: &Timeline, policy: &SigningPolicy, now: Timestamp) -> Vec<NewKey> {
    if policy.mode == SigningMode::Unsigned {
        return Vec::new();
    }
    let roles: &[KeyRole] = match policy.layout {
        Layout::Csk => &[KeyRole::Csk],
        Layout::Split => &[KeyRole::Ksk, KeyRole::Zsk],
    };
    let present: Vec<&KeyState> = timeline
        .keys
        .iter()
        .filter(|key| key.goal == Goal::Present)
        .collect();
    let is_as_policy_says = present
        .iter()
        .all(|key| roles.contains(&key.role) && key.algorithm == policy.algorithm);
    let is_at_rest = timeline.keys.iter().all(KeyState::is_settled);
    let fits = |key: &&&KeyState, role| key.role == role && key.algorithm == policy.algorithm;
    let has_begun = roles
        .iter()
        .any(|role| present.iter().any(|key| fits(&key, *role)));
    let mut wants = Vec::new();
    for &role in roles {
        let current: Vec<_> = present
            .iter()
            .filter(|key| overlaps(key.role, role))
            .collect();
        let lacks = !current.iter().any(|key| fits(key, role));
        let is_wanted = if current.is_empty() {
            true
        } else if !is_as_policy_says {
            // Another algorithm or layout takes all roles at once, from a state of rest;
            // where one role has its new key already, the other follows.
            lacks && (is_at_rest || has_begun)
        } else {
            policy.automatic && timing::is_rollover_due(timeline, policy, role, now)
        };
        if is_wanted {
            wants.push(NewKey {
                role,
                algorithm: policy.algorithm,
                retires: current.iter().map(|key| key.id).collect(),
            });
        }
    }
    wants
}

/// Whether a key of one role does something that the other does too.
fn overlaps(one: KeyRole, other: KeyRole) -> bool {
    let roles = [RecordKind::KeySignature, RecordKind::ZoneSignatures];
    roles.iter().any(|kind| one.has(*kind) && other.has(*kind))
}

impl Wish {
    /// The states after it.
    fn granted(&self, before: &Timeline, now: Timestamp) -> Timeline {
        let mut after = before.clone();
        for (id, kind, to) in &self.changes {
            let Some(key) = after.keys.iter_mut().find(|key| key.id == *id) else {
                continue;
            };
            let record = key.record_mut(*kind);
            record.state = *to;
            record.since = now;
            if *kind == RecordKind::Ds {
                key.ds_confirmed_at = None;
            }
            let begins = match key.role {
                KeyRole::Ksk => *kind == RecordKind::Ds,
                KeyRole::Csk | KeyRole::Zsk => *kind == RecordKind::ZoneSignatures,
            };
            if begins && *to == State::Rumoured {
                key.active_at = Some(now);
            }
        }
        after
    }

    fn publishes(&self) -> Publishes {
        let kinds = self.changes.iter().map(|(_, kind, _)| *kind);
        if kinds.clone().any(|kind| kind == RecordKind::ZoneSignatures) {
            Publishes::Zone
        } else {
            // CDS and CDNSKEY follow the DS record.
            Publishes::Apex
        }
    }
}

#[cfg(test)]
mod tests;
