//! NSEC3 hashes and canonical order.

use proptest::prelude::*;

use super::*;
use crate::Name;

#[track_caller]
fn check_hash(name: &str, expected: &str) {
    let wire = Name::parse_absolute(name).unwrap().as_wire().to_vec();
    let hash = Nsec3Hasher::new(12, &[0xaa, 0xbb, 0xcc, 0xdd]).hash(&wire);
    let bits: String = hash.iter().map(|byte| format!("{byte:08b}")).collect();
    let digits: String = (0..32)
        .map(|at| usize::from_str_radix(&bits[at * 5..at * 5 + 5], 2).unwrap())
        .map(|value| char::from(b"0123456789abcdefghijklmnopqrstuv"[value]))
        .collect();
    assert_eq!(digits, expected, "{name}");
}

#[test]
fn hashes_of_rfc_5155_appendix_a() {
    check_hash("example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom");
    check_hash("a.example.", "35mthgpgcu1qg68fab165klnsnk3dpvl");
    check_hash("*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en");
}

fn relative(labels: &[Vec<u8>]) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in labels {
        wire.push(u8::try_from(label.len()).unwrap());
        wire.extend(label.iter().map(u8::to_ascii_lowercase));
    }
    wire
}

proptest! {
    #[test]
    fn sort_keys_sort_like_names_and_can_be_read_back(
        a in prop::collection::vec(prop::collection::vec(0u8..4, 1..4), 0..4),
        b in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..6), 0..5),
    ) {
        let (a, b) = (relative(&a), relative(&b));
        let name = |wire: &[u8]| Name::from_wire(&[wire, &[0]].concat()).unwrap();
        let (key_a, key_b) = (SortKey::new(&a), SortKey::new(&b));
        prop_assert_eq!(key_a.as_slice().cmp(key_b.as_slice()), name(&a).cmp(&name(&b)));
        let mut out = [0; NAME_BYTES_MAX];
        let length = relative_name(key_b.as_slice(), &mut out).unwrap();
        prop_assert_eq!(&out[..length], &b[..]);
    }

    #[test]
    fn any_octets_are_a_sort_key_or_not(key in prop::collection::vec(0u8..3, 0..40)) {
        let mut out = [0; NAME_BYTES_MAX];
        if let Some(length) = relative_name(&key, &mut out) {
            let again = SortKey::new(&out[..length]);
            prop_assert_eq!(again.as_slice(), &key[..]);
        }
    }
}

proptest! {
    #[test]
    fn hashes_of_any_length_are_those_of_sha_1(
        wire in prop::collection::vec(any::<u8>(), 0..256),
        salt in prop::collection::vec(any::<u8>(), 0..80),
        iterations in 0u16..3,
    ) {
        let mut expected: Vec<u8> = Sha1::digest([&wire[..], &salt].concat()).to_vec();
        for _ in 0..iterations {
            expected = Sha1::digest([&expected[..], &salt].concat()).to_vec();
        }
        let hash = Nsec3Hasher::new(iterations, &salt).hash(&wire);
        prop_assert_eq!(hash.to_vec(), expected);
    }

    #[test]
    fn a_hash_is_found_wherever_it_is_looked_for_first(
        mut keys in prop::collection::vec(any::<[u8; 2]>(), 1..80),
        wraps in any::<bool>(),
        sought in any::<[u8; 2]>(),
        near in 0usize..80,
    ) {
        keys.sort_unstable();
        keys.dedup();
        let hash = |key: [u8; 2]| {
            let mut hash = [7; 20];
            hash[..2].copy_from_slice(&key);
            hash
        };
        let mut hashes: Vec<_> = keys.into_iter().map(hash).collect();
        if wraps {
            hashes.insert(0, [0xff; 20]);
        }
        let sought = hash(sought);
        let expected = (1..hashes.len()).rev().find(|at| hashes[*at] <= sought).unwrap_or(0);
        prop_assert_eq!(last_at_or_before(&hashes, &sought, near), expected);
    }
}
