//! Proofs that are changed in place: random histories of NSEC3 hashes, close together
//! and far apart, and of owners of NSEC, against a map of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::*;
use crate::SortKey;
use crate::layout::Denial;
use crate::writer::{NameChange, NewBody, Nsec3PageBuilder, ProofsChange, ZoneChange, write_order};

const NSEC: u16 = 47;
const NSEC3: u16 = 50;

/// A proof that says which version of itself it is.
fn proof(version: u8) -> BodyBytes {
    let [high, low] = NSEC3.to_be_bytes();
    BodyBytes {
        records: 1,
        wire: vec![0, 0, high, low, 0, 1, 0, 0, 0, 60, 0, 1, version],
        patches: vec![0],
    }
}

/// Hashes that agree on their first octets, more or less: `where_` tells them apart.
pub(super) fn hash(cluster: u8, place: u16) -> [u8; 20] {
    let mut hash = [0x77; 20];
    let at = match cluster {
        // All over the tree, at its very ends, and below one slot of one slot.
        0 => 0,
        1 => return [if place.is_multiple_of(2) { 0 } else { 0xff }; 20],
        2 => 1,
        _ => 3,
    };
    hash[at..at + 2].copy_from_slice(&place.to_be_bytes());
    hash
}

/// A zone with an image, and the version of each proof that it should have.
pub(super) struct History {
    pub(super) directory: TempDir,
    generation: Arc<Generation>,
    proofs: BTreeMap<[u8; 20], u8>,
    owners: BTreeSet<Vec<u8>>,
    serial: u32,
}

impl History {
    pub(super) fn new(denial: Denial) -> Self {
        let directory = TempDir::new().unwrap();
        let mut installer = Installer::replace(directory.path(), Some(Seed::new(SEED))).unwrap();
        let segment = installer.segment();
        let first = [0x40; 20];
        let root = if denial == Denial::Nsec {
            write_order(&[Vec::new()], segment).unwrap()
        } else {
            let mut page = Nsec3PageBuilder::default();
            page.proof(first, &proof(0));
            page.proof(first, &proof(0));
            segment
                .append(PageKind::Nsec3, &page.finish().unwrap())
                .unwrap()
        };
        let proofs = Proofs {
            denial,
            root,
            count: 1,
            ..Proofs::default()
        };
        let names = apex_page(&mut installer);
        installer.add_zone(&apex_zone(names, proofs)).unwrap();
        installer.commit().unwrap();
        Self {
            generation: Arc::new(open(directory.path()).unwrap()),
            directory,
            proofs: BTreeMap::from([(first, 0)]),
            owners: BTreeSet::new(),
            serial: 1,
        }
    }

    fn change(&mut self, proofs: ProofsChange, names: BTreeMap<Vec<u8>, NameChange>) {
        self.serial += 1;
        let serial = self.serial;
        let count = self.owners.len() as u64;
        let change = ZoneChange {
            apex: wire("example."),
            serial,
            event: u64::from(serial),
            depths: 1 | self.depths(),
            apex_flags: 0,
            names_count: count + 1,
            delegations_count: 0,
            records_count: count + 1,
            negative: vec![(Part::Records, body(SOA, serial))],
            parking: Vec::new(),
            names,
            shared: BTreeMap::new(),
            proofs,
        };
        let kept = Arc::clone(&self.generation);
        let mut installer = Installer::update_after(self.directory.path(), kept).unwrap();
        installer.change_zone(&change).unwrap();
        let staged = installer.stage().unwrap();
        let after = staged.open(Memory::Mapped, Some(&self.generation)).unwrap();
        staged.install().unwrap();
        self.generation = Arc::new(after);
        let anew = open(self.directory.path()).unwrap();
        let live = |generation: &Generation| {
            let slots = 0..64;
            slots
                .map(|slot| generation.live.bytes(slot))
                .collect::<Vec<_>>()
        };
        assert_eq!(live(&anew), live(&self.generation), "reached octets");
    }

    /// Makes these proofs anew, or takes out those that are there when they say so.
    pub(super) fn step(&mut self, steps: &BTreeMap<[u8; 20], bool>) {
        let version = u8::try_from(self.serial).unwrap();
        let mut changes = BTreeMap::new();
        for (hash, stays) in steps {
            if !stays && self.proofs.contains_key(hash) && self.proofs.len() > 1 {
                self.proofs.remove(hash);
                changes.insert(*hash, None);
            } else {
                self.proofs.insert(*hash, version);
                changes.insert(*hash, Some(proof(version)));
            }
        }
        self.change(ProofsChange::Nsec3(changes), BTreeMap::new());
        self.check_hashes();
    }

    /// Each hash, and what is beside it, is answered with what the map has.
    fn check_hashes(&self) {
        let zone = self.generation.zone(&wire("example.")).unwrap();
        let beside = |hash: &[u8; 20], octet: u8| {
            let mut beside = *hash;
            beside[19] = beside[19].wrapping_add(octet);
            beside
        };
        let ends = [[0; 20], [0xff; 20], [0x77; 20]];
        let near = self
            .proofs
            .keys()
            .flat_map(|hash| [0, 1, 255].map(|octet| beside(hash, octet)));
        let all_over = (0..=255).map(|octet| [octet; 20]);
        for asked in near.chain(ends).chain(all_over) {
            let before = self.proofs.range(..=asked).next_back();
            let (expected, version) = before.or_else(|| self.proofs.last_key_value()).unwrap();
            let found = zone.nsec3(&asked).unwrap();
            assert_eq!(found.matches, *expected == asked);
            assert_eq!(found.body.stored().0[12], *version, "{asked:x?}");
            let (hash, _) = zone.nsec3_at_or_before(&asked).unwrap();
            assert_eq!(hash, *expected);
        }
    }

    fn depths(&self) -> u128 {
        if self.owners.is_empty() { 0 } else { 0b10 }
    }

    /// Makes owners of NSEC, or takes out those that are there.
    pub(super) fn toggle(&mut self, toggled: &BTreeSet<u16>) {
        let (mut owners, mut names) = (BTreeMap::new(), BTreeMap::new());
        for number in toggled {
            let label = format!("n{number}").into_bytes();
            let relative = [&[u8::try_from(label.len()).unwrap()], &label[..]].concat();
            let is_new = self.owners.insert(relative.clone());
            if !is_new {
                self.owners.remove(&relative);
            }
            owners.insert(SortKey::new(&relative).as_slice().to_vec(), is_new);
            let own = BodyBytes {
                wire: vec![0, 0, 0, 47, 0, 1, 0, 0, 0, 60, 0, 1, 0],
                ..proof(0)
            };
            let put = NameChange::Put {
                flags: 0,
                bodies: vec![(NSEC, Part::Records, NewBody::Own(own))],
            };
            names.insert(relative, if is_new { put } else { NameChange::Remove });
        }
        self.change(ProofsChange::Nsec(owners), names);
        self.check_order();
    }

    fn check_order(&self) {
        let zone = self.generation.zone(&wire("example.")).unwrap();
        let name = |key: &Vec<u8>| key.clone();
        let mut sorted: Vec<Vec<u8>> = self.owners.iter().map(name).collect();
        sorted.push(Vec::new());
        sorted.sort_by_key(|relative| SortKey::new(relative).as_slice().to_vec());
        for (at, relative) in sorted.iter().enumerate() {
            let before = &sorted[at.checked_sub(1).unwrap_or(sorted.len() - 1)];
            let after = &sorted[(at + 1) % sorted.len()];
            let found = |entry: Option<crate::Entry<'_>>| entry.unwrap().relative_name().to_vec();
            assert_eq!(found(zone.nsec_before(relative)), *before);
            assert_eq!(found(zone.nsec_after(relative)), *after);
            // Right behind it nothing else stands.
            let behind = [b"\x01\x00", &relative[..]].concat();
            assert_eq!(found(zone.nsec_before(&behind)), *relative);
            assert_eq!(found(zone.nsec_after(&behind)), *after);
        }
    }
}

/// Some hashes of a few clusters, and whether each stays.
fn steps() -> impl Strategy<Value = BTreeMap<[u8; 20], bool>> {
    let few = prop::collection::btree_map((0u8..4, 0u16..600), any::<bool>(), 0..12);
    let many = prop::collection::btree_map((0u8..4, 0u16..600), any::<bool>(), 150..260);
    let spread = |cluster: u8, place: u16| match cluster {
        // As good as random over the whole tree.
        0 => hash(0, place.wrapping_mul(40_503)),
        _ => hash(cluster, place),
    };
    prop_oneof![3 => few, 1 => many].prop_map(move |steps| {
        let steps = steps.into_iter();
        steps
            .map(|((cluster, place), stays)| (spread(cluster, place), stays))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nsec3_trees_change_as_a_map_does(history in prop::collection::vec(steps(), 1..10)) {
        let mut image = History::new(Denial::Nsec3);
        for step in &history {
            image.step(step);
        }
        // And back to almost nothing.
        let all = image.proofs.keys().map(|hash| (*hash, false)).collect();
        image.step(&all);
    }

    #[test]
    fn orders_change_as_a_set_does(
        history in prop::collection::vec(
            prop_oneof![
                3 => prop::collection::btree_set(0u16..400, 0..8),
                1 => prop::collection::btree_set(0u16..400, 60..300),
            ],
            1..8,
        ),
    ) {
        let mut image = History::new(Denial::Nsec);
        for step in &history {
            image.toggle(step);
        }
    }
}

#[test]
fn a_proof_that_goes_from_a_large_chain_costs_its_leaf_and_the_way() {
    let mut image = History::new(Denial::Nsec3);
    let many: BTreeMap<_, _> = (0..60_000)
        .map(|place: u16| (hash(0, place.wrapping_mul(40_503)), true))
        .collect();
    image.step(&many);
    let before = image.generation.bytes();
    image.step(&BTreeMap::from([(hash(0, 40_503), false)]));
    let written = image.generation.bytes() - before;
    assert!(
        before > 2_000_000 && written < 16_000,
        "{written} of {before}"
    );
}

#[test]
fn a_proof_tree_whose_leaf_was_not_told_of_a_change_is_refused() {
    let mut image = History::new(Denial::Nsec3);
    let many: BTreeMap<_, _> = (0..300)
        .map(|place: u16| (hash(0, place * 200), true))
        .collect();
    image.step(&many);
    // The chain of another zone in the place of this one's: same count, other records.
    let kept = Arc::clone(&image.generation);
    let mut installer = Installer::update_after(image.directory.path(), kept).unwrap();
    let apex = wire("example.");
    let segment = installer.segment();
    let mut page = NamePageBuilder::default();
    page.entry(segment.seed().hash(&apex), 0, &[]);
    page.body(SOA, Part::Records, &body(SOA, 9));
    let names = segment
        .append(PageKind::Names, &page.finish().unwrap())
        .unwrap();
    let mut page = Nsec3PageBuilder::default();
    for place in 0..=300u16 {
        page.proof(hash(0, place * 201), &proof(1));
    }
    let root = segment
        .append(PageKind::Nsec3, &page.finish().unwrap())
        .unwrap();
    let roots = ZoneRoots {
        apex,
        serial: 9,
        event: 9,
        depths: 1,
        apex_flags: 0,
        names,
        shared: PageRef::NONE,
        shared_count: 0,
        names_count: 1,
        delegations_count: 0,
        records_count: 1,
        proofs: Proofs {
            denial: Denial::Nsec3,
            root,
            count: 300,
            ..Proofs::default()
        },
        negative: vec![(Part::Records, body(SOA, 9))],
        parking: Vec::new(),
    };
    installer.add_zone(&roots).unwrap();
    let staged = installer.stage().unwrap();
    let refused = staged
        .open(Memory::Mapped, Some(&image.generation))
        .unwrap_err();
    assert!(refused.to_string().contains("does not go on"), "{refused}");
}
