use proptest::prelude::*;
use tempfile::TempDir;
use zone_image::writer::Installer;

use super::super::key::SEED_BYTES;
use super::*;

const NOW: u64 = 1_800_000_000_000_000;

fn key(octet: u8) -> SigningKey {
    SigningKey::from_seed(&[octet; SEED_BYTES]).unwrap()
}

/// A manifest of an image with one segment, in a pack with something else before it.
fn manifest() -> Manifest {
    let directory = TempDir::new().unwrap();
    Installer::update(directory.path())
        .unwrap()
        .commit()
        .unwrap();
    let generation = GenerationFile::read(directory.path()).unwrap();
    let parts = generation.segments().iter().map(|segment| Part {
        segment: segment.digest,
        offset: 10,
        bytes: 100,
    });
    let pack = Pack {
        name: [7; 32],
        bytes: 110,
        parts: parts.collect(),
    };
    Manifest {
        counter: Counter {
            epoch: 3,
            event: 1000,
            made_at: NOW,
        },
        expires_at: NOW + 1_000_000,
        packs: vec![pack],
        generation,
    }
}

#[test]
fn a_manifest_is_read_as_it_was_signed() {
    let manifest = manifest();
    assert_eq!(manifest.generation.segments().len(), 1);
    let octets = manifest.sign(&key(1));
    let trusted = [key(9).public(), key(1).public()];
    assert_eq!(Manifest::verify(&octets, &trusted).unwrap(), manifest);
    assert_eq!(Counter::stated_in(&octets), Some(manifest.counter));
    // There is one way to write it.
    assert_eq!(manifest.sign(&key(1)), octets);
}

#[test]
fn only_trusted_keys_sign_and_several_may_be() {
    let octets = manifest().sign(&key(2));
    let refused = Manifest::verify(&octets, &[key(1).public()]).unwrap_err();
    assert_eq!(refused, Refusal::UnknownKey(key(2).public().id()));
    assert!(Manifest::verify(&octets, &[key(1).public(), key(2).public()]).is_ok());
    // Another key's name in it does not help.
    let mut forged = octets;
    forged[8..16].copy_from_slice(&key(1).public().id().0);
    let refused = Manifest::verify(&forged, &[key(1).public()]).unwrap_err();
    assert_eq!(refused, Refusal::Signature(key(1).public().id()));
}

#[test]
fn an_older_one_and_an_expired_one_are_refused_and_the_same_is_not() {
    let manifest = manifest();
    let Counter {
        epoch,
        event,
        made_at,
    } = manifest.counter;
    assert_eq!(manifest.check(manifest.counter, NOW), Ok(()));
    assert_eq!(manifest.check(Counter::default(), NOW + 999_999), Ok(()));
    for floor in [
        Counter {
            epoch,
            event,
            made_at: made_at + 1,
        },
        Counter {
            epoch,
            event: event + 1,
            made_at: 0,
        },
        Counter {
            epoch: epoch + 1,
            event: 0,
            made_at: 0,
        },
    ] {
        let found = manifest.counter;
        let refused = Err(Refusal::RolledBack { found, floor });
        assert_eq!(manifest.check(floor, NOW), refused);
    }
    let expired = Err(Refusal::Expired { event, seconds: 2 });
    assert_eq!(manifest.check(Counter::default(), NOW + 3_000_000), expired);
}

/// What no honest primary signs is refused all the same.
#[test]
fn places_have_to_fit_the_generation() {
    type Change = fn(&mut Manifest);
    let changes: [(&str, Change); 6] = [
        ("one place", |m| m.packs.clear()),
        ("one place", |m| m.packs.push(m.packs[0].clone())),
        ("one place", |m| m.packs[0].parts[0].segment = [0; 32]),
        ("within its pack", |m| m.packs[0].parts[0].bytes = 101),
        ("within its pack", |m| m.packs[0].parts[0].offset = u64::MAX),
        ("too large", |m| m.packs[0].bytes = u64::MAX),
    ];
    for (reason, change) in changes {
        let mut manifest = manifest();
        change(&mut manifest);
        let octets = manifest.sign(&key(1));
        let refused = Manifest::verify(&octets, &[key(1).public()]).unwrap_err();
        assert!(refused.to_string().contains(reason), "{refused}");
    }
    let segments = manifest();
    let found: Vec<_> = segments.segments().collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].2.offset, 10);
}

/// A damage to the octets of a manifest.
#[derive(Debug, Clone)]
enum Damage {
    Flip { at: usize, bit: u8 },
    Truncate(usize),
    Extend(Vec<u8>),
    Splice { at: usize, octets: Vec<u8> },
    Zero { from: usize, to: usize },
}

fn damages() -> impl Strategy<Value = Damage> {
    let at = 0usize..100_000;
    let octets = proptest::collection::vec(any::<u8>(), 1..40);
    prop_oneof![
        4 => (at.clone(), 0u8..8).prop_map(|(at, bit)| Damage::Flip { at, bit }),
        2 => at.clone().prop_map(Damage::Truncate),
        1 => octets.clone().prop_map(Damage::Extend),
        2 => (at.clone(), octets).prop_map(|(at, octets)| Damage::Splice { at, octets }),
        1 => (at.clone(), at).prop_map(|(from, to)| Damage::Zero { from, to }),
    ]
}

fn damaged(octets: &[u8], damage: &Damage) -> Vec<u8> {
    let mut damaged = octets.to_vec();
    let length = damaged.len();
    match damage {
        Damage::Flip { at, bit } => damaged[at % length] ^= 1 << bit,
        Damage::Truncate(at) => damaged.truncate(at % length),
        Damage::Extend(octets) => damaged.extend(octets),
        Damage::Splice { at, octets } => {
            let at = at % length;
            damaged.splice(at..at, octets.iter().copied());
        }
        Damage::Zero { from, to } => {
            let (from, to) = (
                (from % length).min(to % length),
                (from % length).max(to % length),
            );
            damaged[from..to].fill(0);
        }
    }
    damaged
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn nothing_that_was_changed_is_ever_taken(damage in damages()) {
        let original = manifest_once();
        let damaged = damaged(original, &damage);
        prop_assume!(damaged != *original);
        let trusted = [key(1).public(), key(2).public()];
        prop_assert!(Manifest::verify(&damaged, &trusted).is_err());
    }
}

fn manifest_once() -> &'static Vec<u8> {
    static OCTETS: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    OCTETS.get_or_init(|| manifest().sign(&key(1)))
}
