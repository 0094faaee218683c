//! Key-signing keys on another machine: which key sets it has to sign, and which it has.
//!
//! The machine of key states is run ahead, as if every step were served and every parent
//! obeyed at once: what it publishes on the way are the sets of a request
//! ([`request`]). Whoever is late keeps the set that is there, so each is signed for some
//! time before and after its turn. Answers are taken only after a check ([`response`]),
//! and the keeper takes no step to a set that is not signed. Never needs the private
//! key. RFC 6781 section 3.4.3, RFC 7344 section 4.1.

pub mod request;
pub mod response;

use std::collections::BTreeMap;

use zone_compiler::RecordType;
use zone_compiler::sign::{
    Algorithm, DigestType, Dnskey, RrsigFields, SignableRrset, cdnskey_delete_rdata,
    cds_delete_rdata, ds_rdata, verify_rrsig,
};
use zone_image::Name;

use super::machine::{NewKey, Publishes, Step, advance};
use crate::registry::Timestamp;
use crate::registry::command::keys::{RrsigData, ZoneKeys};
use crate::registry::signing::{
    Goal, KEYS_MAX, KeyId, KeyRole, KeyState, OFFLINE, RecordKind, SigningMode, SigningPolicy,
    Timeline,
};
use crate::registry::types::DnskeyData;

/// Steps that are run ahead; a ZSK that rolls daily makes four a day.
const STEPS_MAX: usize = 4096;
const SECOND: i64 = 1_000_000;

/// The sets of an apex that key-signing keys sign.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeySets {
    /// The DNSKEY set, in the order of its RDATA.
    pub dnskey: Vec<DnskeyData>,
    /// Those of them that CDS and CDNSKEY name.
    pub parent: Vec<DnskeyData>,
    /// Whether CDS and CDNSKEY ask for the removal of the DS set instead.
    pub asks_for_removal: bool,
    /// Offline keys that sign.
    pub signers: Vec<DnskeyData>,
}

impl KeySets {
    /// What is published by these states.
    pub fn of(timeline: &Timeline, policy: &SigningPolicy, public: &PublicKeys) -> Self {
        let with = |kind: RecordKind| {
            let keys = timeline.keys.iter();
            let there = keys.filter(move |key| key.record(kind).state.is_published());
            there.filter_map(|key| public.0.get(&key.id))
        };
        let sorted = |keys: Vec<DnskeyData>| {
            let mut keys = keys;
            keys.sort();
            keys
        };
        let parent: Vec<_> = with(RecordKind::Ds).map(|key| key.dnskey.clone()).collect();
        let signers = with(RecordKind::KeySignature).filter(|key| key.is_offline);
        Self {
            dnskey: sorted(
                with(RecordKind::Dnskey)
                    .map(|key| key.dnskey.clone())
                    .collect(),
            ),
            asks_for_removal: policy.mode == SigningMode::Unsigned && parent.is_empty(),
            parent: sorted(parent),
            signers: sorted(signers.map(|key| key.dnskey.clone()).collect()),
        }
    }

    /// Type and RDATA of each set that is there.
    pub fn rrsets(&self, apex: &Name) -> Vec<(RecordType, Vec<Vec<u8>>)> {
        let rdata = |keys: &[DnskeyData]| -> Vec<Vec<u8>> {
            keys.iter().map(|key| key.rdata().to_vec()).collect()
        };
        let mut sets = vec![(RecordType::DNSKEY, rdata(&self.dnskey))];
        if self.asks_for_removal {
            sets.push((RecordType::CDS, vec![cds_delete_rdata()]));
            sets.push((RecordType::CDNSKEY, vec![cdnskey_delete_rdata()]));
        } else if !self.parent.is_empty() {
            let ds = |key: &DnskeyData| ds_rdata(apex, key.rdata(), DigestType::Sha256);
            sets.push((RecordType::CDS, self.parent.iter().map(ds).collect()));
            sets.push((RecordType::CDNSKEY, rdata(&self.parent)));
        }
        sets
    }
}

/// Sets with the time for which they are to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedSets {
    /// The sets.
    pub sets: KeySets,
    /// When their turn comes, in seconds since 1970.
    pub from: i64,
    /// When it is over.
    pub until: i64,
}

/// Public keys by id, and whether their private halves are on another machine.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys(BTreeMap<KeyId, PublicKey>);

#[derive(Debug, Clone)]
struct PublicKey {
    dnskey: DnskeyData,
    is_offline: bool,
}

impl PublicKeys {
    /// Those of a zone.
    pub fn of(keys: &ZoneKeys) -> Self {
        let keys = keys.keys.iter().map(|key| {
            let (dnskey, is_offline) = (key.dnskey.clone(), key.store == OFFLINE);
            (key.id, PublicKey { dnskey, is_offline })
        });
        Self(keys.collect())
    }

    /// Whether another machine has some of them.
    fn has_offline(&self) -> bool {
        self.0.values().any(|key| key.is_offline)
    }
}

/// Runs a zone's keys ahead from `now` to `end` and gives the sets on the way, in order.
/// `reserve` gives the public keys that will be used, in the order in which they are
/// wanted; a key that is to be offline must be there already.
pub fn plan<E>(
    keys: &ZoneKeys,
    now: Timestamp,
    end: Timestamp,
    mut reserve: impl FnMut(&NewKey) -> Result<DnskeyData, E>,
) -> Result<Vec<PlannedSets>, E> {
    let (policy, mut public) = (&keys.policy, PublicKeys::of(keys));
    let mut timeline = keys.timeline.clone();
    let mut planned: Vec<PlannedSets> = Vec::new();
    let mut time = now;
    for made in 0..STEPS_MAX {
        timeline.confirm_served(time);
        let step = advance(&timeline, policy, time);
        let wants = step.wants.iter();
        let wants: Vec<_> = wants
            .filter(|new| policy.store_of(new.role) != OFFLINE)
            .collect();
        if !wants.is_empty() && timeline.keys.len() < KEYS_MAX {
            for new in wants {
                // Ids of rows are positive.
                let id = KeyId(-1 - i64::try_from(made).unwrap_or_default() * 4 - role(new.role));
                let (dnskey, is_offline) = (reserve(new)?, false);
                public.0.insert(id, PublicKey { dnskey, is_offline });
                add(&mut timeline, new, id, time);
            }
            continue;
        }
        timeline = step.timeline;
        timeline.keys.retain(|key| !step.gone.contains(&key.id));
        timeline.confirm_served(time);
        note(&mut planned, KeySets::of(&timeline, policy, &public), time);
        let asked: Vec<_> = timeline
            .keys
            .iter()
            .filter(|key| key.ds.state.is_published())
            .map(|key| key.id)
            .collect();
        if !step.parent.is_empty()
            && let Some(last) = planned.last_mut()
        {
            // Nobody knows how long the parent takes.
            last.until = i64::MAX;
        }
        timeline.confirm_ds(&asked, time);
        let next = advance(&timeline, policy, time);
        let soon = Timestamp(time.0 + SECOND);
        let at = if next.publishes > Publishes::Nothing {
            Some(soon)
        } else {
            next.next.or(step.next).map(|at| at.max(soon))
        };
        match at {
            Some(at) if at <= end => time = at,
            _ => break,
        }
    }
    close(&mut planned, end);
    Ok(planned)
}

fn role(role: KeyRole) -> i64 {
    match role {
        KeyRole::Csk => 0,
        KeyRole::Ksk => 1,
        KeyRole::Zsk => 2,
    }
}

fn add(timeline: &mut Timeline, new: &NewKey, id: KeyId, now: Timestamp) {
    for key in &mut timeline.keys {
        if new.retires.contains(&key.id) {
            key.goal = Goal::Absent;
        }
    }
    let key = KeyState::new(id, new.role, new.algorithm, now);
    timeline.keys.push(key);
}

/// The turn of these sets begins, if they are others than before.
fn note(planned: &mut Vec<PlannedSets>, sets: KeySets, now: Timestamp) {
    let from = now.0 / SECOND;
    if let Some(last) = planned.last_mut() {
        if last.sets == sets {
            return;
        }
        last.until = last.until.max(from);
    }
    if !sets.signers.is_empty() {
        let until = from;
        planned.push(PlannedSets { sets, from, until });
    }
}

/// The last turn lasts to the end, and so does one that waits for a parent.
fn close(planned: &mut [PlannedSets], end: Timestamp) {
    let end = end.0 / SECOND;
    if let Some(last) = planned.last_mut() {
        last.until = end;
    }
    for sets in planned {
        sets.until = sets.until.min(end);
    }
}

/// Signatures as the registry has them, in the form of a response.
pub fn made(rows: Vec<(Vec<u8>, i64, i64)>) -> Vec<RrsigData> {
    let made = rows.into_iter().map(|(rdata, inception, expiration)| {
        let digits = rdata.iter().map(|octet| format!("{octet:02x}"));
        RrsigData {
            inception,
            expiration,
            rdata: digits.collect(),
        }
    });
    made.collect()
}

/// From when to when sets are signed without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Seconds since 1970.
    pub from: i64,
    /// Seconds since 1970.
    pub until: i64,
}

impl Coverage {
    /// Whether the sets can be served now.
    pub fn has(&self, now: i64) -> bool {
        (self.from..self.until).contains(&now)
    }
}

/// For how long the offline keys have signed sets from `at` on, or from when on they have
/// first after it; `None` where they never have.
pub fn coverage(
    apex: &Name,
    sets: &KeySets,
    ttl: u32,
    made: &[RrsigData],
    at: i64,
) -> Option<Coverage> {
    let mut all = Coverage {
        from: at,
        until: i64::MAX,
    };
    for (rtype, rdata) in sets.rrsets(apex) {
        for signer in &sets.signers {
            let mut windows = windows(apex, signer, (rtype, ttl, &rdata), made);
            windows.retain(|window| window.until > at);
            windows.sort_by_key(|window| window.from);
            let first = *windows.first()?;
            let mut one = Coverage {
                from: first.from.max(at),
                until: first.until,
            };
            for window in windows {
                if window.from <= one.until {
                    one.until = one.until.max(window.until);
                }
            }
            all.from = all.from.max(one.from);
            all.until = all.until.min(one.until);
        }
    }
    (all.from < all.until).then_some(all)
}

/// What a zone has of keys on another machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// Whether the next step waits for more signatures.
    pub is_held: bool,
    /// Algorithm of a key that the policy asks for and only the other machine can make.
    pub lacks_algorithm: Option<u8>,
    /// Seconds until the signatures over the sets that are served end; 0 when they have.
    pub expire_seconds: Option<i64>,
    /// When what a held step waits for begins, if it was signed.
    pub begins: Option<Timestamp>,
}

impl Ahead {
    /// Whether nothing goes on before the other machine has done its part.
    pub fn is_awaited(&self) -> bool {
        self.is_held || self.lacks_algorithm.is_some()
    }
}

/// Whether a step of a zone's keys can be published, and for how long what is there can;
/// `None` where no key is or has to be offline. A step to key sets that no offline key has signed for
/// `now` is held: nothing of the zone could be published after it.
pub fn ahead(keys: &ZoneKeys, step: &Step, made: &[RrsigData], now: Timestamp) -> Option<Ahead> {
    let public = PublicKeys::of(keys);
    // Until an offline key was imported nothing could sign the DNSKEY set.
    let has = |kind: RecordKind| {
        let mut keys = step.timeline.keys.iter();
        keys.any(|key| key.record(kind).state.is_published())
    };
    let lacks_signer = has(RecordKind::Dnskey) && !has(RecordKind::KeySignature);
    let mut wants = step.wants.iter();
    let lacked = wants.find(|new| keys.policy.store_of(new.role) == OFFLINE);
    if !(public.has_offline() || lacks_signer || lacked.is_some()) {
        return None;
    }
    let (apex, seconds) = (keys.apex.to_name(), now.0 / SECOND);
    let of = |timeline: &Timeline| {
        let sets = KeySets::of(timeline, &keys.policy, &public);
        let found = coverage(&apex, &sets, keys.policy.dnskey_ttl, made, seconds);
        (sets.signers.is_empty(), found)
    };
    let (is_free, next) = of(&step.timeline);
    let is_signed = is_free || next.is_some_and(|next| next.has(seconds));
    let is_signed = is_signed && !lacks_signer;
    let is_held = step.publishes != Publishes::Nothing && !is_signed;
    let stays = if is_held {
        &keys.timeline
    } else {
        &step.timeline
    };
    let (is_free, current) = of(stays);
    let left = current
        .filter(|current| current.has(seconds))
        .map_or(0, |current| current.until - seconds);
    let begins = next.map(|next| Timestamp(next.from.saturating_mul(SECOND)));
    Some(Ahead {
        is_held,
        lacks_algorithm: lacked.map(|new| new.algorithm),
        expire_seconds: (!is_free).then_some(left),
        begins: begins.filter(|at| is_held && *at > now),
    })
}

/// The times of all signatures of a key over a set.
fn windows(
    apex: &Name,
    signer: &DnskeyData,
    (rtype, ttl, rdata): (RecordType, u32, &[Vec<u8>]),
    made: &[RrsigData],
) -> Vec<Coverage> {
    let Some(dnskey) = dnskey(signer) else {
        return Vec::new();
    };
    let apex = apex.to_lowercase();
    let rdata: Vec<&[u8]> = rdata.iter().map(Vec::as_slice).collect();
    let rrset = SignableRrset {
        owner: apex.as_wire(),
        rtype,
        ttl,
        rdata: &rdata,
    };
    let fits = |signature: &&RrsigData| {
        let Some(octets) = zone_compiler::rdata::from_hex(&signature.rdata) else {
            return false;
        };
        let is_meant = RrsigFields::parse(&octets)
            .is_some_and(|fields| fields.rtype == rtype && fields.original_ttl == ttl);
        let at = u64::try_from(signature.inception).unwrap_or_default();
        is_meant && verify_rrsig(apex.as_wire(), &dnskey, &rrset, &octets, at).is_ok()
    };
    let signatures = made.iter().filter(fits);
    let windows = signatures.map(|signature| Coverage {
        from: signature.inception,
        until: signature.expiration,
    });
    windows.collect()
}

fn dnskey(data: &DnskeyData) -> Option<Dnskey> {
    Some(Dnskey {
        flags: data.flags(),
        algorithm: Algorithm::from_number(data.algorithm()).ok()?,
        public_key: data.public_key().into(),
    })
}

#[cfg(test)]
mod tests;
