use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;
use zone_image::{Generation, Zone};

use super::{Difference, Flat, TooLarge, difference};
use crate::transfer::records::{each_record, soa};
use crate::transfer::testing::{ZONE, generations, install};

const APEX: &[u8] = b"\x03tld\0";

fn image(text: &str) -> (Arc<Generation>, TempDir) {
    let directory = TempDir::new().unwrap();
    install(directory.path(), &[(text, None)]);
    (generations(directory.path()).current(), directory)
}

/// All records of a zone but its SOA.
fn all(zone: Zone<'_>) -> BTreeSet<Flat> {
    let mut all = BTreeSet::new();
    let walked = each_record(zone, &mut |record| {
        all.insert(Flat::new(&record));
        Ok::<_, Infallible>(())
    });
    let Ok(()) = walked;
    all
}

/// The difference says exactly what the records of both zones say.
#[track_caller]
fn check(old: Zone<'_>, new: Zone<'_>) -> Difference {
    let found = difference(old, new, usize::MAX).unwrap();
    let (before, after) = (all(old), all(new));
    let lines = |set: &BTreeSet<Flat>| -> Vec<String> {
        set.iter()
            .map(|record| record.record().to_string())
            .collect()
    };
    let minus =
        |one: &BTreeSet<Flat>, two: &BTreeSet<Flat>| lines(&one.difference(two).cloned().collect());
    assert_eq!(lines(&found.removed), minus(&before, &after), "removed");
    assert_eq!(lines(&found.added), minus(&after, &before), "added");
    assert_eq!(found.from, Flat::new(&soa(old)));
    assert_eq!(found.to, Flat::new(&soa(new)));
    found
}

#[track_caller]
fn check_texts(old: &str, new: &str) -> Difference {
    let (old, _old) = image(old);
    let (new, _new) = image(new);
    check(old.zone(APEX).unwrap(), new.zone(APEX).unwrap())
}

#[test]
fn equal_zones_differ_in_nothing() {
    let found = check_texts(ZONE, ZONE);
    assert!(found.removed.is_empty() && found.added.is_empty());
}

#[test]
fn each_kind_of_change_is_found() {
    for (from, to) in [
        ("www CNAME host\n", ""),
        ("www CNAME host\n", "www CNAME ns1.nic\n"),
        ("host A 192.0.2.20\n", "host A 192.0.2.21\n"),
        // A host that its own delegation gives up and its sibling names still.
        ("alpha NS ns.alpha\n", ""),
        // One that nobody else names.
        ("beta NS ns.beta\n", "beta NS ns1.nic\n"),
        // A loose host: fewer of those that name it, an address less.
        ("delta NS ns.loose\n", ""),
        ("gamma NS ns.loose\n", ""),
        ("ns.loose A 192.0.2.13\n", "ns.loose A 192.0.2.14\n"),
        ("ns.beta A 192.0.2.12\n", ""),
        // The zone's own host comes to lie below a cut that names it, or that does not.
        ("host A 192.0.2.20\n", "host NS host\nhost A 192.0.2.20\n"),
        (
            "ns1.nic A 192.0.2.1\n",
            "nic NS ns.alpha\nns1.nic A 192.0.2.1\n",
        ),
        (
            "deep.below.nothing TXT \"x\"\n",
            "deep.below.nothing TXT \"x\"\n*.below TXT \"y\"\n",
        ),
        ("7 7200 900", "8 7200 900"),
    ] {
        let changed = ZONE.replacen(from, to, 1);
        assert_ne!(changed, ZONE, "{from}");
        check_texts(ZONE, &changed);
        check_texts(&changed, ZONE);
    }
}

#[test]
fn a_difference_that_is_too_large_is_none() {
    let (old, _old) = image(ZONE);
    let (new, _new) = image("$ORIGIN tld.\n@ 1 SOA a b 9 2 3 4 5\n@ 1 NS ns.example.\n");
    let zones = (old.zone(APEX).unwrap(), new.zone(APEX).unwrap());
    assert_eq!(difference(zones.0, zones.1, 100), Err(TooLarge));
    check(zones.0, zones.1);
}

#[test]
fn a_flat_record_comes_back() {
    for record in crate::transfer::testing::records(ZONE) {
        let flat = Flat::new(&record);
        assert_eq!(flat.record(), record);
        for length in 0..record.owner.as_wire().len() + 6 {
            assert_eq!(Flat::read(&flat.octets()[..length]), None);
        }
    }
}

/// A zone of few names that meet each other in every way, by bits.
fn zone_of(bits: u64, serial: u32) -> String {
    let mut text =
        format!("$ORIGIN tld.\n$TTL 60\n@ SOA ns.a host {serial} 2 3 4 5\n@ NS ns.out.\n");
    let lines = [
        "@ NS ns.a",
        "a NS ns.a",
        "a NS ns.b",
        "a NS ns.out.",
        "b NS ns.a",
        "b NS ns.b",
        "b NS ns.c",
        "c NS ns.b",
        "c NS ns.out.",
        "d NS ns.a",
        "d NS ns.c",
        "e NS ns.a",
        "f NS ns.a",
        "g NS ns.a",
        "h NS ns.a",
        "ns.a A 192.0.2.1",
        "ns.a AAAA 2001:db8::1",
        "ns.b A 192.0.2.2",
        "ns.b A 192.0.2.3",
        "ns.c A 192.0.2.4",
        "x TXT \"x\"",
        "y.x TXT \"y\"",
        "*.x TXT \"w\"",
        "z CNAME x",
    ];
    for (at, line) in lines.iter().enumerate() {
        if bits >> at & 1 == 1 {
            text += line;
            text.push('\n');
        }
    }
    // A host in its own delegation needs some address.
    for host in ["ns.a", "ns.b"] {
        if !text.contains(&format!("\n{host} A")) {
            text += &format!("{host} A 192.0.2.9\n");
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_two_zones_differ_by_their_records(one in any::<u64>(), two in any::<u64>(), few in 0u32..24) {
        let near = one ^ 1 << few;
        for other in [two, near] {
            let (old, _old) = image(&zone_of(one, 1));
            let (new, _new) = image(&zone_of(other, 2));
            check(old.zone(APEX).unwrap(), new.zone(APEX).unwrap());
        }
    }
}
