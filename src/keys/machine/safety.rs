//! Whether every combination of what caches may hold has a chain.
//!
//! A cache holds, of each set, one version that was published not longer ago than the
//! set's TTL and the time to spread it. Which versions those are follows from the states
//! alone: omnipresent records are in all of them, and records that are rumoured or
//! unretentive tell by their `since` from which version on, or up to which. The DS set,
//! the DNSKEY set with its signatures, and each set of the zone with its signatures are
//! fetched independently; so all combinations of their versions are looked at.
//!
//! The rules are the strict ones: each algorithm of the DS set signs the DNSKEY set,
//! and each algorithm of the DNSKEY set signs everything (RFC 4035 section 2.2, RFC
//! 6840 section 5.11), so that validators which insist on them are content as well.

use std::collections::BTreeSet;

use crate::registry::Timestamp;
use crate::registry::signing::{KeyId, KeyState, RecordKind, State, Timeline};

/// Most groups of DS records that change at once and are looked at in all combinations;
/// with more, nothing is granted until some have come to rest.
const DS_GROUPS_MAX: usize = 5;

/// Keys of one version of a set.
type Version = BTreeSet<KeyId>;

/// A version of the DNSKEY set.
struct KeySet {
    keys: Version,
    signers: Version,
}

/// Whether no cache can lose its chain in these states.
pub(super) fn is_safe(timeline: &Timeline) -> bool {
    let Some(ds_sets) = ds_sets(timeline) else {
        return false;
    };
    let key_sets: Vec<_> = moments(timeline, &[RecordKind::Dnskey, RecordKind::KeySignature])
        .into_iter()
        .map(|moment| KeySet {
            keys: version(timeline, RecordKind::Dnskey, moment),
            signers: version(timeline, RecordKind::KeySignature, moment),
        })
        .collect();
    let zone_signers: Vec<_> = moments(timeline, &[RecordKind::ZoneSignatures])
        .into_iter()
        .map(|moment| version(timeline, RecordKind::ZoneSignatures, moment))
        .collect();
    let algorithm = |id: &KeyId| timeline.key(*id).map_or(0, |key| key.algorithm);
    ds_sets.iter().filter(|ds| !ds.is_empty()).all(|ds| {
        key_sets.iter().all(|set| {
            is_anchored(ds, set, &algorithm)
                && zone_signers
                    .iter()
                    .all(|zone| is_signed(set, zone, &algorithm))
        })
    })
}

/// Each algorithm of the DS set has a DS record whose key is there and signs the set.
fn is_anchored(ds: &Version, set: &KeySet, algorithm: &dyn Fn(&KeyId) -> u8) -> bool {
    let signs = |id: &KeyId| set.keys.contains(id) && set.signers.contains(id);
    ds.iter().all(|one| {
        let alike = |other: &&KeyId| algorithm(other) == algorithm(one);
        ds.iter().filter(alike).any(signs)
    })
}

/// Each algorithm of the DNSKEY set has a key that signs the set, and one that signs the
/// zone.
fn is_signed(set: &KeySet, zone: &Version, algorithm: &dyn Fn(&KeyId) -> u8) -> bool {
    set.keys.iter().all(|one| {
        let alike = |other: &&KeyId| algorithm(other) == algorithm(one);
        let mut same = set.keys.iter().filter(alike);
        let signs_set = same.clone().any(|id| set.signers.contains(id));
        signs_set && same.any(|id| zone.contains(id))
    })
}

/// Moments that tell the versions of a set apart: before everything, and each change.
fn moments(timeline: &Timeline, kinds: &[RecordKind]) -> BTreeSet<Timestamp> {
    let mut moments = BTreeSet::from([Timestamp(i64::MIN)]);
    for key in &timeline.keys {
        for kind in kinds {
            let record = key.record(*kind);
            if matches!(record.state, State::Rumoured | State::Unretentive) {
                moments.insert(record.since);
            }
        }
    }
    moments
}

/// The records of a set as it was published at a moment.
fn version(timeline: &Timeline, kind: RecordKind, moment: Timestamp) -> Version {
    let was_there = |key: &&KeyState| {
        let record = key.record(kind);
        match record.state {
            State::Hidden => false,
            State::Omnipresent => true,
            State::Rumoured => record.since <= moment,
            State::Unretentive => record.since > moment,
        }
    };
    let keys = timeline.keys.iter().filter(was_there);
    keys.map(|key| key.id).collect()
}

/// What the parent may have, and caches of it. When it does what it was asked for is not
/// known: each request may be done or not, or, where records of different keys change
/// places, done in part with both there.
fn ds_sets(timeline: &Timeline) -> Option<Vec<Version>> {
    let in_state = |state: State| {
        let keys = timeline
            .keys
            .iter()
            .filter(move |key| key.ds.state == state);
        keys.map(|key| (key.ds.since, key.id))
    };
    let mut sets = vec![
        in_state(State::Omnipresent)
            .map(|(_, id)| id)
            .collect::<Version>(),
    ];
    let requests: BTreeSet<_> = in_state(State::Rumoured)
        .chain(in_state(State::Unretentive))
        .map(|(since, _)| since)
        .collect();
    if requests.len() > DS_GROUPS_MAX {
        return None;
    }
    for request in requests {
        let of = |state| -> Version {
            let keys = in_state(state).filter(|(since, _)| *since == request);
            keys.map(|(_, id)| id).collect()
        };
        let (added, removed) = (of(State::Rumoured), of(State::Unretentive));
        let both = added.union(&removed).copied().collect();
        let choices = [removed, added, both];
        sets = sets
            .iter()
            .flat_map(|set| choices.iter().map(move |choice| set | choice))
            .collect();
    }
    Some(sets)
}
