//! Names, confirmations and faults of policies.

use super::*;

const NOW: Timestamp = Timestamp(1_000_000_000);
const LATER: Timestamp = Timestamp(2_000_000_000);

#[test]
fn names_are_read_back() {
    for (name, state) in State::NAMES {
        assert_eq!(State::parse(name), Some(*state));
        assert_eq!(state.to_string(), *name);
        let json = serde_json::to_string(state).unwrap();
        assert_eq!(json, format!("{name:?}"));
    }
    let error = "omni".parse::<State>().unwrap_err();
    assert!(error.contains("omnipresent"), "{error}");
}

#[test]
fn what_is_served_later_is_in_caches_later() {
    let mut old = KeyState::new(KeyId(1), KeyRole::Csk, 13, Timestamp(5)).in_use(Timestamp(5));
    old.zone_signatures = Record {
        state: State::Unretentive,
        since: NOW,
    };
    let mut timeline = Timeline {
        keys: vec![old],
        former_ttls: None,
        unserved_since: Some(NOW),
    };
    timeline.confirm_served(LATER);
    assert_eq!(timeline.unserved_since, None);
    assert_eq!(timeline.keys[0].zone_signatures.since, LATER);
    assert_eq!(timeline.keys[0].dnskey.since, Timestamp(5));
}

#[test]
fn a_ds_record_that_comes_and_goes_is_waited_for_again() {
    let mut key = KeyState::new(KeyId(1), KeyRole::Ksk, 13, NOW);
    key.ds.state = State::Rumoured;
    let mut timeline = Timeline {
        keys: vec![key],
        former_ttls: None,
        unserved_since: None,
    };
    assert!(!timeline.confirm_ds(&[], NOW));
    assert!(timeline.confirm_ds(&[KeyId(1)], NOW));
    assert!(!timeline.confirm_ds(&[KeyId(1)], LATER), "known already");
    assert_eq!(timeline.keys[0].ds_confirmed_at, Some(NOW));
    assert!(timeline.confirm_ds(&[], LATER));
    assert_eq!(timeline.keys[0].ds_confirmed_at, None);
}

#[test]
fn policies_that_cannot_keep_a_chain_are_refused() {
    let check = |change: PolicyChange, expected: &str| {
        let fault = change.apply(&SigningPolicy::default()).fault();
        let fault = fault.unwrap_or_default();
        assert!(fault.contains(expected), "{fault:?} without {expected:?}");
        assert_eq!(fault.is_empty(), expected.is_empty(), "{fault}");
    };
    let no = PolicyChange::default;
    check(no(), "");
    check(
        PolicyChange {
            algorithm: Some(5),
            ..no()
        },
        "algorithm 5",
    );
    check(
        PolicyChange {
            ds_ttl: Some(604_801),
            ..no()
        },
        "ds-ttl",
    );
    check(
        PolicyChange {
            signature_validity: Some(86_400),
            ..no()
        },
        "validity of",
    );
    check(
        PolicyChange {
            signature_refresh: Some(7200),
            ..no()
        },
        "signature-refresh",
    );
    check(
        PolicyChange {
            zsk_lifetime: Some(86_400),
            ..no()
        },
        "zsk-lifetime",
    );
}

/// A zone of the usual values that gets the usual policy is signed, and nothing is said
/// against it (RFC 6781 section 4.4.1).
#[test]
fn a_new_zone_goes_with_the_usual_policy() {
    let signatures = SigningPolicy::default().signatures().unwrap();
    let [_, _, expire, ..] = crate::registry::command::zone::create::SOA;
    let expire = u32::try_from(expire).unwrap();
    assert!(expire < signatures.shortest_life_seconds());
    assert!(expire <= signatures.refresh_seconds);
}
