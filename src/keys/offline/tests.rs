//! Plans, requests, signatures and what is refused of them.

use zone_compiler::sign::{SigningKey, SoftwareKey};

use super::request::{Request, RequestError, Response};
use super::response::ResponseError;
use super::*;
use crate::keys::vault::dnskey_of;
use crate::registry::command::keys::KeyInfo;
use crate::registry::signing::Layout;
use crate::registry::types::AnyName;

const DAY: i64 = 86_400;
/// Seconds since 1970.
const NOW: i64 = 1_795_564_800;

fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds * SECOND)
}

fn apex() -> AnyName {
    "tld".parse().unwrap()
}

fn software() -> SoftwareKey {
    SoftwareKey::generate(Algorithm::EcdsaP256Sha256).unwrap().0
}

/// A zone with one KSK on another machine and one ZSK, in use for long.
struct Stage {
    ksk: SoftwareKey,
    keys: ZoneKeys,
    /// Made ahead, in order.
    reserve: Vec<DnskeyData>,
}

impl Stage {
    fn new(zsk_lifetime_days: u32) -> Self {
        let ksk = software();
        let policy = SigningPolicy {
            layout: Layout::Split,
            ksk_store: OFFLINE.to_owned(),
            zsk_lifetime: zsk_lifetime_days * 86_400,
            ..SigningPolicy::default()
        };
        let mut keys = ZoneKeys {
            apex: apex(),
            policy,
            revision: 1,
            resigned_at: at(NOW),
            refreshed_at: None,
            keys: Vec::new(),
            timeline: Timeline::default(),
        };
        let ksk_dnskey = dnskey_of(KeyRole::Ksk, &ksk);
        let zsk_dnskey = dnskey_of(KeyRole::Zsk, &software());
        for (id, role, dnskey, store) in [
            (1, KeyRole::Ksk, ksk_dnskey, OFFLINE),
            (2, KeyRole::Zsk, zsk_dnskey, "database"),
        ] {
            let id = KeyId(id);
            let state = KeyState::new(id, role, 13, at(NOW)).in_use(at(NOW));
            keys.timeline.keys.push(state);
            keys.keys.push(KeyInfo {
                id,
                role,
                key_tag: dnskey.key_tag(),
                dnskey,
                store: store.to_owned(),
                created_at: at(NOW),
            });
        }
        let reserve = (0..16).map(|_| dnskey_of(KeyRole::Zsk, &software()));
        Self {
            ksk,
            keys,
            reserve: reserve.collect(),
        }
    }

    fn plan(&self, now: i64, until: i64) -> Vec<PlannedSets> {
        let mut reserve = self.reserve.iter();
        let next = |_: &NewKey| -> Result<DnskeyData, &str> {
            reserve.next().cloned().ok_or("no key is left")
        };
        plan(&self.keys, at(now), at(until), next).unwrap()
    }

    fn request(&self, days: i64) -> Request {
        let until = NOW + days * DAY;
        let planned = self.plan(NOW, until);
        Request::new(&apex(), &self.keys.policy, planned, at(NOW), at(until))
    }

    fn sign(&self, request: &Request) -> Result<Response, RequestError> {
        request.sign(&[&self.ksk as &dyn SigningKey])
    }

    fn check(&self, response: &Response, now: i64) -> Result<usize, ResponseError> {
        let planned = self.plan(now, response.until);
        let checked = response.clone().check(&self.keys, &planned, at(now));
        checked.map(|checked| checked.signatures.len())
    }
}

#[test]
fn a_zone_key_that_rolls_has_its_sets_in_order_and_each_has_a_turn() {
    let stage = Stage::new(30);
    let planned = stage.plan(NOW, NOW + 100 * DAY);
    // Three rollovers: each publishes the new key beside the old one, then takes the old
    // one away.
    let sizes: Vec<_> = planned.iter().map(|sets| sets.sets.dnskey.len()).collect();
    assert_eq!(sizes, [2, 3, 2, 3, 2, 3, 2]);
    for pair in planned.windows(2) {
        assert_eq!(pair[0].until, pair[1].from, "no gap");
        assert!(pair[0].from < pair[0].until);
    }
    assert_eq!(planned[0].from, NOW);
    assert_eq!(planned[6].until, NOW + 100 * DAY);
    let has = |sets: usize, key: usize| planned[sets].sets.dnskey.contains(&stage.reserve[key]);
    assert!(has(1, 0) && has(2, 0) && has(3, 1) && !has(2, 1) && has(6, 2));
    for sets in &planned {
        assert_eq!(sets.sets.signers, [dnskey_of(KeyRole::Ksk, &stage.ksk)]);
        assert_eq!(sets.sets.parent, sets.sets.signers, "CDS stays");
    }
    // With nothing that rolls there is one set.
    assert_eq!(Stage::new(0).plan(NOW, NOW + 100 * DAY).len(), 1);
}

#[test]
fn a_response_covers_every_moment_of_each_turn_with_time_to_spare() {
    let stage = Stage::new(30);
    let request = stage.request(100);
    let text = serde_json::to_string(&request).unwrap();
    assert_eq!(Request::parse(&text).unwrap(), request);
    let response = stage.sign(&request).unwrap();
    assert_eq!(response.request, request.digest());
    let count = response.signatures.len();
    assert_eq!(stage.check(&response, NOW).unwrap(), count);
    // A machine that took a week to answer.
    assert!(stage.check(&response, NOW + 7 * DAY).is_ok());
    let refresh = i64::from(stage.keys.policy.signature_refresh);
    for planned in stage.plan(NOW, NOW + 100 * DAY) {
        for at in (planned.from..planned.until).step_by(7200) {
            let apex = apex().to_name();
            let best = windows_at(&apex, &planned.sets, &response.signatures, at);
            assert!(best.is_some_and(|left| left >= refresh), "{at}: {best:?}");
        }
        let whole = coverage(
            &apex().to_name(),
            &planned.sets,
            stage.keys.policy.dnskey_ttl,
            &response.signatures,
            planned.from,
        );
        assert!(whole.unwrap().until >= planned.until + refresh);
    }
}

/// What is left of the DNSKEY signature that lasts longest of those that are valid.
fn windows_at(apex: &Name, sets: &KeySets, made: &[RrsigData], at: i64) -> Option<i64> {
    let (rtype, rdata) = sets.rrsets(apex).remove(0);
    let found = windows(apex, &sets.signers[0], (rtype, 3600, &rdata), made);
    let valid = found.iter().filter(|window| window.has(at));
    valid.map(|window| window.until - at).max()
}

#[test]
fn what_a_response_lacks_is_an_error() {
    let stage = Stage::new(30);
    let response = stage.sign(&stage.request(100)).unwrap();
    let gap = |response: &Response| {
        let error = stage.check(response, NOW).unwrap_err();
        assert!(matches!(error, ResponseError::Gap { .. }), "{error}");
    };
    let mut changed = response.clone();
    changed.signatures.remove(0);
    gap(&changed);
    let mut changed = response.clone();
    let rdata = &mut changed.signatures[0].rdata;
    let last = if rdata.ends_with("00") { "01" } else { "00" };
    rdata.replace_range(rdata.len() - 2.., last);
    gap(&changed);
    let mut changed = response.clone();
    changed.signatures[0].expiration += 1;
    gap(&changed);
    let mut changed = response.clone();
    changed.signatures.clear();
    gap(&changed);
    let mut changed = response.clone();
    changed.zone = "other".parse().unwrap();
    let error = stage.check(&changed, NOW).unwrap_err();
    assert!(matches!(error, ResponseError::OtherZone(_)), "{error}");
    let error = stage.check(&response, NOW + 101 * DAY).unwrap_err();
    assert!(matches!(error, ResponseError::Over), "{error}");
    // Keys that nobody had planned for.
    let mut other = Stage::new(30);
    other.keys = stage.keys.clone();
    let error = other.check(&response, NOW).unwrap_err();
    assert!(matches!(error, ResponseError::Gap { .. }), "{error}");
}

#[test]
fn a_request_does_not_make_its_signer_vouch_for_strangers() {
    let stage = Stage::new(30);
    let request = stage.request(50);
    let stranger = software();
    let error = request.sign(&[&stranger as &dyn SigningKey]).unwrap_err();
    assert!(matches!(error, RequestError::NotAsked(_)), "{error}");
    let mut changed = request.clone();
    changed.sets[1]
        .dnskey
        .push(dnskey_of(KeyRole::Ksk, &stranger));
    let error = stage.sign(&changed).unwrap_err();
    assert!(matches!(error, RequestError::Stranger(_)), "{error}");
    let mut changed = request.clone();
    changed.sets[0].parent = vec![dnskey_of(KeyRole::Ksk, &stranger)];
    let error = stage.sign(&changed).unwrap_err();
    assert!(matches!(error, RequestError::Stranger(_)), "{error}");
    let mut changed = request.clone();
    let own = changed.sets[0].signers.clone();
    changed.sets[0].dnskey.retain(|key| !own.contains(key));
    let error = stage.sign(&changed).unwrap_err();
    assert!(matches!(error, RequestError::NotInSet(_)), "{error}");
    let mut changed = request;
    changed.sets[0].windows[0].expiration += 400 * DAY;
    let text = serde_json::to_string(&changed).unwrap();
    let error = Request::parse(&text).unwrap_err();
    assert!(matches!(error, RequestError::TooLarge), "{error}");
}

#[test]
fn a_new_key_signing_key_is_signed_for_until_the_parent_has_done_its_part() {
    let mut stage = Stage::new(0);
    let next = software();
    let dnskey = dnskey_of(KeyRole::Ksk, &next);
    stage.keys.timeline.keys[0].goal = Goal::Absent;
    stage
        .keys
        .timeline
        .keys
        .push(KeyState::new(KeyId(3), KeyRole::Ksk, 13, at(NOW)));
    stage.keys.keys.push(KeyInfo {
        id: KeyId(3),
        role: KeyRole::Ksk,
        key_tag: dnskey.key_tag(),
        dnskey,
        store: OFFLINE.to_owned(),
        created_at: at(NOW),
    });
    let until = NOW + 100 * DAY;
    let planned = stage.plan(NOW, until);
    let waiting: Vec<_> = planned.iter().filter(|sets| sets.until == until).collect();
    assert!(
        waiting.len() >= 2,
        "the parent may take as long as it likes: {planned:#?}"
    );
    let request = stage.request(100);
    let error = stage.sign(&request).unwrap_err();
    assert!(matches!(error, RequestError::Stranger(_)), "{error}");
    let both: [&dyn SigningKey; 2] = [&stage.ksk, &next];
    let response = request.sign(&both).unwrap();
    assert!(stage.check(&response, NOW).is_ok());
}
