//! Never a moment without a chain, at any cache age: random histories of a zone are
//! held against resolvers that may have fetched each set at any time within its TTL.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::world::{History, Seen, World, at};
use crate::keys::machine::{NewKey, advance};
use crate::registry::signing::{
    Goal, KeyRole, KeyState, KskMethod, Layout, PolicyChange, SigningMode, SigningPolicy,
};

/// Something that happens to a zone.
#[derive(Debug, Clone)]
enum Happening {
    /// Time passes and the keeper looks, or is late.
    Wait { seconds: i64 },
    /// Time passes exactly until something is due.
    Due,
    /// What was committed is served.
    Serve,
    /// The parent does what CDS asks for.
    Obey,
    /// The parent is asked.
    Observe,
    /// An operator replaces a key.
    Roll { role: KeyRole },
    /// An operator changes the policy.
    Change {
        algorithm: u8,
        layout: Layout,
        method: KskMethod,
    },
    /// An operator changes TTLs, up or down.
    Ttls { dnskey: u32, zone: u32, ds: u32 },
}

fn happening() -> impl Strategy<Value = Happening> {
    let role = prop_oneof![Just(KeyRole::Csk), Just(KeyRole::Ksk), Just(KeyRole::Zsk)];
    let layout = prop_oneof![Just(Layout::Csk), Just(Layout::Split)];
    let method = prop_oneof![Just(KskMethod::DoubleKsk), Just(KskMethod::DoubleDs)];
    let algorithm = prop_oneof![Just(8_u8), Just(13), Just(15)];
    let ttl = || 60_u32..7200;
    prop_oneof![
        1 => (ttl(), ttl(), ttl())
            .prop_map(|(dnskey, zone, ds)| Happening::Ttls { dnskey, zone, ds }),
        4 => (1_i64..100_000).prop_map(|seconds| Happening::Wait { seconds }),
        8 => Just(Happening::Due),
        8 => Just(Happening::Serve),
        4 => Just(Happening::Obey),
        5 => Just(Happening::Observe),
        2 => role.prop_map(|role| Happening::Roll { role }),
        1 => (algorithm, layout, method)
            .prop_map(|(algorithm, layout, method)| Happening::Change { algorithm, layout, method }),
    ]
}

fn policy() -> impl Strategy<Value = SigningPolicy> {
    (
        60_u32..7200,
        60_u32..7200,
        60_u32..7200,
        0_u32..600,
        any::<bool>(),
    )
        .prop_map(
            |(dnskey_ttl, zone_ttl_max, ds_ttl, spread, automatic)| SigningPolicy {
                dnskey_ttl,
                zone_ttl_max,
                ds_ttl,
                propagation: spread,
                parent_propagation: 600 - spread,
                safety: 0,
                automatic,
                zsk_lifetime: 200_000,
                ksk_lifetime: 400_000,
                ..SigningPolicy::default()
            },
        )
}

fn happen(world: &mut World, happening: &Happening) {
    match happening {
        Happening::Wait { seconds } => world.now += seconds,
        Happening::Due => {
            let step = advance(&world.timeline, &world.policy, at(world.now));
            let next = step.next.map_or(world.now + 1, |next| next.0 / 1_000_000);
            world.now = next.max(world.now + 1);
        }
        Happening::Serve => world.serve(),
        Happening::Obey => world.obey(),
        Happening::Observe => world.observe(),
        Happening::Roll { role } => roll(world, *role),
        Happening::Change {
            algorithm,
            layout,
            method,
        } => {
            let change = PolicyChange {
                algorithm: Some(*algorithm),
                layout: Some(*layout),
                ksk_method: Some(*method),
                ..PolicyChange::default()
            };
            world.policy = change.apply(&world.policy);
        }
        Happening::Ttls { dnskey, zone, ds } => world.change_ttls(&PolicyChange {
            dnskey_ttl: Some(*dnskey),
            zone_ttl_max: Some(*zone),
            ds_ttl: Some(*ds),
            ..PolicyChange::default()
        }),
    }
    world.tick();
    // Another second: what is in one and the same second has no order.
    world.now += 1;
}

/// As the command does it: one key at rest is replaced.
fn roll(world: &mut World, role: KeyRole) {
    let keys = &world.timeline.keys;
    let old = keys.iter().find(|key| key.role == role);
    if let Some(old) = old.filter(|_| keys.iter().all(KeyState::is_settled)) {
        let new = NewKey {
            role,
            algorithm: old.algorithm,
            retires: vec![old.id],
        };
        world.make(&new);
    }
}

/// When a version stopped being the current one.
fn end<T>(history: &History<T>, index: usize) -> i64 {
    history.get(index + 1).map_or(i64::MAX, |(since, _)| *since)
}

/// Looks at every combination of versions that some cache can hold at one time.
fn broken_chain(world: &World, ttl_factor: i64) -> Option<String> {
    let policy = &world.policy;
    let window = |ttl: u32, spread: u32| i64::from(ttl) * ttl_factor + i64::from(spread);
    for (d, (ds_since, (ds, ds_ttl))) in world.ds.iter().enumerate() {
        let ds_window = window(*ds_ttl, policy.parent_propagation);
        for (k, (keys_since, set)) in world.key_sets.iter().enumerate() {
            let key_window = window(set.ttl, policy.propagation);
            for (z, (zone_since, (signers, zone_ttl))) in world.signers.iter().enumerate() {
                let zone_window = window(*zone_ttl, policy.propagation);
                let moment = *ds_since.max(keys_since).max(zone_since);
                let held = |end: i64, window: i64| end > moment.saturating_sub(window);
                if !held(end(&world.ds, d), ds_window)
                    || !held(end(&world.key_sets, k), key_window)
                    || !held(end(&world.signers, z), zone_window)
                {
                    continue;
                }
                if !is_chain(ds, &set.keys, &set.signers, signers) {
                    return Some(format!("at {moment}: {ds:?} {set:?} {signers:?}"));
                }
            }
        }
    }
    None
}

/// A validator that insists on every algorithm: for each algorithm of the DS set a
/// signature over the DNSKEY set by a key that a DS record names, and for each algorithm
/// of the DNSKEY set a signature over the data by a key of it.
fn is_chain(
    ds: &BTreeSet<Seen>,
    keys: &BTreeSet<Seen>,
    key_signers: &BTreeSet<Seen>,
    zone_signers: &BTreeSet<Seen>,
) -> bool {
    if ds.is_empty() {
        return true;
    }
    let algorithms = |seen: &BTreeSet<Seen>| -> BTreeSet<u8> {
        seen.iter().map(|(_, algorithm)| *algorithm).collect()
    };
    let entries = ds.intersection(keys).copied().collect::<BTreeSet<_>>();
    let trusted = entries.intersection(key_signers).copied().collect();
    let used = keys.intersection(zone_signers).copied().collect();
    algorithms(ds).is_subset(&algorithms(&trusted))
        && !keys.is_empty()
        && algorithms(keys).is_subset(&algorithms(&used))
}

fn secured(world: &mut World) {
    world.run_to_rest();
    assert_eq!(world.wanted_ds().len(), 1);
}

proptest! {
    #![proptest_config(Config { cases: 300, failure_persistence: None, ..Config::default() })]

    #[test]
    fn every_cache_has_a_chain(
        policy in policy(),
        layout in prop_oneof![Just(Layout::Csk), Just(Layout::Split)],
        happenings in prop::collection::vec(happening(), 1..120),
    ) {
        let mut world = World::new(SigningPolicy { layout, ..policy });
        secured(&mut world);
        for happening in &happenings {
            happen(&mut world, happening);
        }
        // And it comes to an end when everybody does his part.
        world.policy.automatic = false;
        world.run_to_rest();
        prop_assert_eq!(broken_chain(&world, 1), None);
        let secure_from = world.ds.iter().position(|(_, (ds, _))| !ds.is_empty());
        let later = world.ds.iter().skip(secure_from.unwrap_or_default());
        for (since, (ds, _)) in later {
            prop_assert!(!ds.is_empty(), "insecure at {}", since);
        }
    }

    #[test]
    fn a_zone_is_unsigned_without_a_broken_chain(
        policy in policy(),
        layout in prop_oneof![Just(Layout::Csk), Just(Layout::Split)],
        happenings in prop::collection::vec(happening(), 1..40),
    ) {
        let mut world = World::new(SigningPolicy { layout, ..policy });
        secured(&mut world);
        for happening in &happenings {
            happen(&mut world, happening);
        }
        world.policy.mode = SigningMode::Unsigned;
        for key in &mut world.timeline.keys {
            key.goal = Goal::Absent;
        }
        world.run_to_rest();
        prop_assert_eq!(&world.timeline.keys, &vec![]);
        prop_assert_eq!(broken_chain(&world, 1), None);
    }
}

/// TTLs that are lowered in the middle of a rollover: caches still have what they took
/// before, and the machine waits for them.
#[test]
fn lowered_ttls_count_when_the_last_cache_goes_by_them() {
    for is_told in [true, false] {
        let mut world = World::new(SigningPolicy {
            safety: 0,
            dnskey_ttl: 7200,
            zone_ttl_max: 7200,
            ..SigningPolicy::default()
        });
        secured(&mut world);
        world.now += 10_000_000;
        let change = PolicyChange {
            dnskey_ttl: Some(60),
            zone_ttl_max: Some(60),
            ..PolicyChange::default()
        };
        world.change_ttls(&change);
        if !is_told {
            world.timeline.former_ttls = None;
        }
        world.serve();
        roll(&mut world, KeyRole::Csk);
        world.run_to_rest();
        assert_eq!(broken_chain(&world, 1).is_none(), is_told);
    }
}

/// The check above can fail: resolvers that keep everything ten times as long as the
/// policy was told lose the chain.
#[test]
fn resolvers_that_exceed_the_ttl_lose_the_chain() {
    let mut world = World::new(SigningPolicy {
        safety: 0,
        ..SigningPolicy::default()
    });
    secured(&mut world);
    world.now += 10_000_000;
    roll(&mut world, KeyRole::Csk);
    world.run_to_rest();
    assert_eq!(broken_chain(&world, 1), None);
    assert!(broken_chain(&world, 10).is_some());
}
