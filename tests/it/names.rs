//! The order of names beside an order that we did not write: hickory-proto's, which is
//! that of RFC 4034 section 6.1 too.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::cmp::Ordering;

use hickory_proto::rr::Name as Peer;
use proptest::prelude::*;
use zone_image::{Name, SortKey};

/// Labels of few octets, so that names often share some; among the octets are those
/// that text must escape, both cases of a letter, and the extremes.
fn labels() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let octet = prop::sample::select(vec![0u8, 1, b'*', b'-', b'.', b'A', b'a', b'Z', b'z', 255]);
    prop::collection::vec(prop::collection::vec(octet, 1..4), 0..6)
}

fn name(labels: &[Vec<u8>]) -> Name {
    let mut wire = Vec::new();
    for label in labels {
        wire.push(u8::try_from(label.len()).unwrap());
        wire.extend_from_slice(label);
    }
    wire.push(0);
    Name::from_wire(&wire).unwrap()
}

fn peer(labels: &[Vec<u8>]) -> Peer {
    Peer::from_labels(labels.iter().map(Vec::as_slice)).unwrap()
}

/// The key of a name below the root, which a zone's canonical order is kept by.
fn key(name: &Name) -> Vec<u8> {
    let lower = name.to_lowercase();
    let wire = lower.as_wire();
    SortKey::new(&wire[..wire.len() - 1]).as_slice().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn names_stand_in_the_canonical_order(one in labels(), other in labels()) {
        let (a, b) = (name(&one), name(&other));
        let order = a.cmp(&b);
        prop_assert_eq!(order, peer(&one).cmp(&peer(&other)), "{} and {}", a, b);
        prop_assert_eq!(order, b.cmp(&a).reverse());
        prop_assert_eq!(order == Ordering::Equal, a == b);
        prop_assert_eq!(order, key(&a).cmp(&key(&b)));
        // Case makes no difference.
        prop_assert_eq!(a.to_lowercase().cmp(&b), order);
        // A name stands before all that is below it.
        if let Ok(below) = b.child(b"x") {
            prop_assert!(b < below);
        }
    }

    #[test]
    fn sorting_names_gives_one_order(mut names in prop::collection::vec(labels(), 0..20)) {
        let mut ours: Vec<_> = names.iter().map(|labels| name(labels)).collect();
        names.sort_by_key(|labels| peer(labels));
        ours.sort();
        let theirs: Vec<_> = names.iter().map(|labels| name(labels)).collect();
        prop_assert_eq!(ours, theirs);
    }
}
