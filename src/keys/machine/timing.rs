//! How long a change takes to be in every cache, or out of every cache.
//!
//! The waits of RFC 7583 section 3: the TTL of what caches hold, the time until every
//! server has the change, and a margin. The wait for a DS record begins when the parent
//! was seen to have done it; until then there is none to be had by waiting.

use crate::registry::Timestamp;
use crate::registry::signing::{
    FormerTtls, Goal, KeyRole, KeyState, RecordKind, SigningPolicy, State, Timeline,
};

const SECOND: i64 = 1_000_000;

pub(super) fn after(moment: Timestamp, seconds: u64) -> Timestamp {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX / SECOND);
    Timestamp(moment.0.saturating_add(seconds.saturating_mul(SECOND)))
}

/// When a record that is changing will be at rest; `None` while nobody knows.
fn settles_at(
    key: &KeyState,
    kind: RecordKind,
    policy: &SigningPolicy,
    former: FormerTtls,
) -> Option<Timestamp> {
    let record = key.record(kind);
    if !matches!(record.state, State::Rumoured | State::Unretentive) {
        return None;
    }
    let (begin, [ttl, former_ttl], propagation) = match kind {
        RecordKind::Dnskey | RecordKind::KeySignature => (
            record.since,
            [policy.dnskey_ttl, former.dnskey],
            policy.propagation,
        ),
        RecordKind::ZoneSignatures => (
            record.since,
            [policy.zone_ttl_max, former.zone],
            policy.propagation,
        ),
        RecordKind::Ds => {
            let seen = key.ds_confirmed_at?;
            let ttls = [policy.ds_ttl, former.ds];
            (seen, ttls, policy.parent_propagation)
        }
    };
    let spread = u64::from(propagation) + u64::from(policy.safety);
    // What a cache took before TTLs were lowered it keeps by its TTL of then.
    let by_former = after(begin.min(former.until), u64::from(former_ttl));
    let end = after(begin, u64::from(ttl)).max(by_former);
    Some(after(end, spread))
}

/// Brings to rest what has waited long enough.
pub(super) fn settle(timeline: &mut Timeline, policy: &SigningPolicy, now: Timestamp) {
    let former = timeline.former_ttls.unwrap_or_default();
    for key in &mut timeline.keys {
        for kind in key.role.records() {
            if settles_at(key, kind, policy, former).is_none_or(|at| at > now) {
                continue;
            }
            let record = key.record_mut(kind);
            record.state = match record.state {
                State::Rumoured => State::Omnipresent,
                _ => State::Hidden,
            };
            record.since = now;
        }
    }
}

/// When the next record comes to rest.
pub(super) fn next_settled(
    timeline: &Timeline,
    policy: &SigningPolicy,
    now: Timestamp,
) -> Option<Timestamp> {
    let former = timeline.former_ttls.unwrap_or_default();
    let times = timeline.keys.iter().flat_map(|key| {
        let records = key.role.records();
        records.filter_map(move |kind| settles_at(key, kind, policy, former))
    });
    times.filter(|at| *at > now).min()
}

/// How long before the end of a key's life its successor has to be made: until its
/// DNSKEY record is in every cache.
fn lead_seconds(policy: &SigningPolicy) -> u64 {
    u64::from(policy.dnskey_ttl) + u64::from(policy.propagation) + u64::from(policy.safety)
}

/// When the key has lived long enough for its successor to be made.
fn rollover_at(key: &KeyState, policy: &SigningPolicy) -> Option<Timestamp> {
    let life = match key.role {
        KeyRole::Csk | KeyRole::Ksk => policy.ksk_lifetime,
        KeyRole::Zsk => policy.zsk_lifetime,
    };
    let begin = key.active_at.filter(|_| life > 0)?;
    let wait = u64::from(life).saturating_sub(lead_seconds(policy));
    Some(after(begin, wait))
}

/// Whether all keys of a role are at rest and the youngest has lived long enough.
pub(super) fn is_rollover_due(
    timeline: &Timeline,
    policy: &SigningPolicy,
    role: KeyRole,
    now: Timestamp,
) -> bool {
    let keys = || timeline.keys.iter().filter(|key| key.role == role);
    let is_at_rest = keys().all(KeyState::is_settled);
    let youngest = keys().filter_map(|key| rollover_at(key, policy)).max();
    is_at_rest && youngest.is_some_and(|at| at <= now)
}

/// When the next rollover by age begins.
pub(super) fn next_rollover(
    timeline: &Timeline,
    policy: &SigningPolicy,
    now: Timestamp,
) -> Option<Timestamp> {
    let present = timeline.keys.iter().filter(|key| key.goal == Goal::Present);
    let times = present.filter_map(|key| rollover_at(key, policy));
    times.filter(|at| *at > now).min()
}
