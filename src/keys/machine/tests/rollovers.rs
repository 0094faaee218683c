//! The rollovers that have names, in the order of their RFC.

use super::world::{World, at};
use crate::keys::machine::{NewKey, ParentChange, Publishes, advance};
use crate::registry::signing::{
    KeyId, KeyRole, KskMethod, Layout, RecordKind, SigningPolicy, State,
};
use RecordKind::{Dnskey, Ds, KeySignature, ZoneSignatures};
use State::{Hidden, Omnipresent, Rumoured, Unretentive};

fn settled(layout: Layout, method: KskMethod) -> World {
    let mut world = World::new(SigningPolicy {
        layout,
        ksk_method: method,
        automatic: false,
        ..SigningPolicy::default()
    });
    world.run_to_rest();
    world
}

fn roll(world: &mut World, role: KeyRole, algorithm: u8) -> (KeyId, KeyId) {
    let keys = &world.timeline.keys;
    let old = keys.iter().find(|key| key.role == role).unwrap().id;
    let retires = vec![old];
    let new = world.make(&NewKey {
        role,
        algorithm,
        retires,
    });
    (old, new)
}

/// States of both keys' records after a tick, once everything is served.
#[track_caller]
fn check(world: &mut World, expected: &[(KeyId, RecordKind, State)]) {
    world.tick();
    world.serve();
    for (id, kind, state) in expected {
        let found = world.state(*id, *kind);
        assert_eq!(found, *state, "key {id}, {kind}: {:#?}", world.timeline);
    }
}

/// Time passes until the next change by time.
fn wait(world: &mut World) {
    let step = advance(&world.timeline, &world.policy, at(world.now));
    let next = step.next.expect("something is waited for");
    world.now = next.0 / 1_000_000;
}

/// RFC 7583 section 3.2.1.
#[test]
fn a_zone_signing_key_is_published_before_it_signs() {
    let mut world = settled(Layout::Split, KskMethod::DoubleKsk);
    let (old, new) = roll(&mut world, KeyRole::Zsk, 13);
    check(
        &mut world,
        &[
            (new, Dnskey, Rumoured),
            (new, ZoneSignatures, Hidden),
            (old, ZoneSignatures, Omnipresent),
        ],
    );
    wait(&mut world);
    check(
        &mut world,
        &[
            (new, Dnskey, Omnipresent),
            (new, ZoneSignatures, Rumoured),
            (old, ZoneSignatures, Unretentive),
            (old, Dnskey, Omnipresent),
        ],
    );
    wait(&mut world);
    check(
        &mut world,
        &[(old, ZoneSignatures, Hidden), (old, Dnskey, Unretentive)],
    );
    wait(&mut world);
    check(&mut world, &[(new, ZoneSignatures, Omnipresent)]);
    assert!(world.timeline.key(old).is_none(), "gone and removed");
}

/// RFC 7583 section 3.3.1, and never before the parent was seen to have changed.
#[test]
fn a_key_signing_key_waits_for_the_parent() {
    let mut world = settled(Layout::Split, KskMethod::DoubleKsk);
    let (old, new) = roll(&mut world, KeyRole::Ksk, 13);
    check(
        &mut world,
        &[
            (new, Dnskey, Rumoured),
            (new, KeySignature, Rumoured),
            (new, Ds, Hidden),
        ],
    );
    wait(&mut world);
    check(&mut world, &[(new, Ds, Rumoured), (old, Ds, Unretentive)]);
    // The parent takes its time.
    world.now += 10_000_000;
    let step = world.tick();
    assert_eq!(step.next, None);
    assert_eq!(
        step.parent,
        [ParentChange::Remove(old), ParentChange::Add(new)]
    );
    check(
        &mut world,
        &[(old, Dnskey, Omnipresent), (old, Ds, Unretentive)],
    );
    world.obey();
    world.observe();
    check(
        &mut world,
        &[(new, Ds, Rumoured), (old, Dnskey, Omnipresent)],
    );
    wait(&mut world);
    check(
        &mut world,
        &[
            (new, Ds, Omnipresent),
            (old, Ds, Hidden),
            (old, Dnskey, Unretentive),
        ],
    );
    wait(&mut world);
    world.tick();
    assert!(world.timeline.key(old).is_none());
}

/// RFC 7583 section 3.3.2.
#[test]
fn the_ds_record_comes_first_where_the_policy_says_so() {
    let mut world = settled(Layout::Split, KskMethod::DoubleDs);
    let (old, new) = roll(&mut world, KeyRole::Ksk, 13);
    check(
        &mut world,
        &[
            (new, Ds, Rumoured),
            (old, Ds, Omnipresent),
            (new, Dnskey, Hidden),
        ],
    );
    world.obey();
    world.observe();
    wait(&mut world);
    check(
        &mut world,
        &[
            (new, Dnskey, Rumoured),
            (old, Dnskey, Unretentive),
            (old, Ds, Omnipresent),
        ],
    );
    wait(&mut world);
    check(&mut world, &[(old, Dnskey, Hidden), (old, Ds, Unretentive)]);
    world.obey();
    world.run_to_rest();
    assert!(world.timeline.key(old).is_none());
}

/// RFC 6781 section 4.1.4: signatures come first and go last.
#[test]
fn an_algorithm_rollover_is_conservative() {
    let mut world = settled(Layout::Csk, KskMethod::DoubleKsk);
    let old = world.timeline.keys[0].id;
    world.policy.algorithm = 15;
    world.tick();
    world.serve();
    let new = world.timeline.keys[1].id;
    check(
        &mut world,
        &[
            (new, ZoneSignatures, Rumoured),
            (new, Dnskey, Hidden),
            (old, ZoneSignatures, Omnipresent),
        ],
    );
    wait(&mut world);
    check(
        &mut world,
        &[(new, ZoneSignatures, Omnipresent), (new, Dnskey, Rumoured)],
    );
    wait(&mut world);
    check(&mut world, &[(new, Ds, Rumoured), (old, Ds, Unretentive)]);
    world.obey();
    world.observe();
    wait(&mut world);
    check(
        &mut world,
        &[
            (old, Ds, Hidden),
            (old, Dnskey, Unretentive),
            (old, ZoneSignatures, Omnipresent),
        ],
    );
    wait(&mut world);
    check(
        &mut world,
        &[(old, Dnskey, Hidden), (old, ZoneSignatures, Unretentive)],
    );
    wait(&mut world);
    world.tick();
    assert!(world.timeline.key(old).is_none());
}

/// RFC 7583 section 3.1: a combined key swaps signatures and DS once it is known.
#[test]
fn a_combined_key_is_replaced_without_signing_twice() {
    let mut world = settled(Layout::Csk, KskMethod::DoubleKsk);
    let (old, new) = roll(&mut world, KeyRole::Csk, 13);
    check(
        &mut world,
        &[(new, Dnskey, Rumoured), (new, ZoneSignatures, Hidden)],
    );
    wait(&mut world);
    check(
        &mut world,
        &[
            (new, ZoneSignatures, Rumoured),
            (old, ZoneSignatures, Unretentive),
            (new, Ds, Rumoured),
            (old, Ds, Unretentive),
        ],
    );
    world.run_to_rest();
    assert!(world.timeline.key(old).is_none());
}

#[test]
fn nothing_moves_before_the_last_step_is_served() {
    let mut world = settled(Layout::Split, KskMethod::DoubleKsk);
    let (_, new) = roll(&mut world, KeyRole::Zsk, 13);
    let step = world.tick();
    assert_eq!(step.publishes, Publishes::Apex);
    world.now += 10_000_000;
    let step = world.tick();
    assert!(!step.is_change, "{step:?}");
    assert_eq!(world.state(new, Dnskey), Rumoured);
    world.serve();
    assert_eq!(world.timeline.key(new).unwrap().dnskey.since, at(world.now));
}

#[test]
fn rollovers_by_age_begin_in_time_to_end_with_the_life_of_the_key() {
    let mut world = World::new(SigningPolicy {
        layout: Layout::Split,
        ..SigningPolicy::default()
    });
    world.run_to_rest();
    let old = world
        .timeline
        .keys
        .iter()
        .find(|key| key.role == KeyRole::Zsk);
    let (old, active_at) = old.map(|key| (key.id, key.active_at.unwrap())).unwrap();
    let end = active_at.0 / 1_000_000 + i64::from(world.policy.zsk_lifetime);
    wait(&mut world);
    assert!(world.now < end, "{} {end}", world.now);
    world.tick();
    world.serve();
    let new = world.timeline.keys.last().unwrap().id;
    assert_ne!(new, old);
    wait(&mut world);
    check(
        &mut world,
        &[
            (new, ZoneSignatures, Rumoured),
            (old, ZoneSignatures, Unretentive),
        ],
    );
    assert!((end - world.now).abs() < 60, "{} {end}", world.now);
}

#[test]
fn by_hand_nothing_rolls_by_age() {
    let mut world = settled(Layout::Split, KskMethod::DoubleKsk);
    world.now += 1_000_000_000;
    let step = world.tick();
    assert_eq!((step.is_change, step.next), (false, None));
}
