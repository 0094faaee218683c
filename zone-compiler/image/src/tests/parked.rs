//! Parked names: an image whose zone has nothing for them, or what their child zone must
//! not have, is refused, read whole or as a change of the one before.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::layout::{ENTRY_PARKED, PARKED_BODIES_MAX, PageRef};
use crate::writer::{NameChange, NewBody, ZoneChange};

const A: u16 = 1;
const CNAME: u16 = 5;
const DNAME: u16 = 39;
const DS: u16 = 43;
const RRSIG: u16 = 46;
const PARKED: u8 = ENTRY_DELEGATION | ENTRY_PARKED;

type Parking = Vec<(Part, u16, BodyBytes)>;

/// One record of four octets whose owner is filled in.
fn record(rtype: u16) -> BodyBytes {
    let mut wire = vec![0, 0];
    wire.extend_from_slice(&rtype.to_be_bytes());
    wire.extend_from_slice(&[0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 80]);
    BodyBytes {
        records: 1,
        wire,
        patches: vec![0],
    }
}

/// A whole child zone: SOA and addresses, and those below it.
fn parking() -> Parking {
    vec![
        (Part::ParkedApex, A, record(A)),
        (Part::ParkedApex, SOA, body(SOA, 9)),
        (Part::ParkedBelow, A, record(A)),
    ]
}

/// `example.` with `p.example.`, that has these flags and bodies beside its NS.
fn parked_image(flags: u8, bodies: &[(u16, Part)], parking: Parking) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut installer = Installer::replace(directory.path(), Some(Seed::new(SEED))).unwrap();
    let apex = wire("example.");
    let seed = installer.segment().seed();
    let mut names = [
        (seed.hash(&apex), Vec::new()),
        (seed.hash(&wire("p.example.")), b"\x01p".to_vec()),
    ];
    names.sort();
    let mut page = NamePageBuilder::default();
    for (hash, relative) in &names {
        if relative.is_empty() {
            page.entry(*hash, 0, relative);
            page.body(SOA, Part::Records, &body(SOA, 1));
            continue;
        }
        page.entry(*hash, flags, relative);
        let mut all: Vec<_> = bodies
            .iter()
            .map(|(t, part)| (*t, *part, record(*t)))
            .collect();
        all.push((NS, Part::Records, body(NS, 0)));
        all.sort_by_key(|(rtype, part, _)| (*rtype, *part as u8));
        for (rtype, part, body) in &all {
            page.body(*rtype, *part, body);
        }
    }
    let keys: Vec<u64> = names.iter().map(|(hash, _)| *hash).collect();
    let plan = TreePlan::new(&keys, |range| range.len() <= PAGE_NAMES_FILL).unwrap();
    let segment = installer.segment();
    let leaf = segment
        .append(PageKind::Names, &page.finish().unwrap())
        .unwrap();
    let names_root = plan.write(&[leaf], installer.segment()).unwrap();
    installer
        .add_zone(&ZoneRoots {
            apex,
            serial: 1,
            event: 1,
            depths: 0b11,
            apex_flags: 0,
            names: names_root,
            shared: PageRef::NONE,
            shared_count: 0,
            names_count: 2,
            delegations_count: u64::from(flags & ENTRY_DELEGATION != 0),
            records_count: 2 + bodies.len() as u64,
            proofs: Proofs::default(),
            negative: vec![(Part::Records, body(SOA, 1))],
            parking,
        })
        .unwrap();
    installer.commit().unwrap();
    directory
}

#[track_caller]
fn refused(flags: u8, bodies: &[(u16, Part)], parking: Parking, expected: &str) {
    let directory = parked_image(flags, bodies, parking);
    let message = open(directory.path()).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_whole_child_zone_is_found() {
    let directory = parked_image(PARKED, &[], parking());
    let generation = open(directory.path()).unwrap();
    let name = wire("www.p.example.");
    let name = LookupName::parse(&name).unwrap();
    let zone = generation.find_zone(&name, name.labels()).unwrap();
    let Lookup::Delegation { entry, labels: 2 } = zone.lookup(&name) else {
        panic!("no cut");
    };
    assert!(entry.is_parked());
    assert_eq!(zone.parked_bodies().count(), 3);
    assert!(zone.parked(Part::ParkedApex, SOA).is_some());
    assert!(zone.parked(Part::ParkedBelow, SOA).is_none());
}

#[test]
fn a_parked_name_is_an_insecure_delegation_of_a_zone_that_parks() {
    refused(
        PARKED,
        &[],
        Vec::new(),
        "parked in a zone that has nothing for it",
    );
    let rule = "a parked name is no delegation, or a secure one";
    refused(ENTRY_PARKED, &[], parking(), rule);
    refused(PARKED, &[(DS, Part::Records)], parking(), rule);
    let own = [(A, Part::ParkedApex)];
    refused(PARKED, &own, parking(), "a name has what only a zone has");
    let own = [(A, Part::ParkedBelow)];
    refused(
        ENTRY_DELEGATION,
        &own,
        parking(),
        "a name has what only a zone has",
    );
}

#[test]
fn a_child_zone_has_one_soa_and_nothing_of_parent_or_signer() {
    let none = "parked names have no SOA";
    refused(PARKED, &[], vec![(Part::ParkedApex, A, record(A))], none);
    let below = vec![(Part::ParkedBelow, A, record(A))];
    refused(ENTRY_DELEGATION, &[], below, none);
    let mut two = body(SOA, 9);
    two.patches.push(u16::try_from(two.wire.len()).unwrap());
    two.wire.extend_from_slice(&body(SOA, 9).wire);
    two.records = 2;
    refused(PARKED, &[], vec![(Part::ParkedApex, SOA, two)], none);
    let rule = "parked names have records that they must not have";
    for rtype in [NS, CNAME, DNAME, DS, RRSIG] {
        for part in [Part::ParkedApex, Part::ParkedBelow] {
            let mut parking = vec![
                (Part::ParkedApex, SOA, body(SOA, 9)),
                (part, rtype, record(rtype)),
            ];
            parking.sort_by_key(|(part, rtype, _)| (*part as u8, *rtype));
            refused(PARKED, &[], parking, rule);
        }
    }
    let mut twice = parking();
    twice.push((Part::ParkedBelow, SOA, body(SOA, 9)));
    refused(PARKED, &[], twice, rule);
}

#[test]
fn a_child_zone_is_sorted_bounded_and_last() {
    let mut parking = parking();
    parking.swap(0, 1);
    refused(
        PARKED,
        &[],
        parking,
        "the RRsets of parked names are not sorted",
    );
    let mut twice = self::parking();
    twice.insert(1, twice[0].clone());
    refused(
        PARKED,
        &[],
        twice,
        "the RRsets of parked names are not sorted",
    );
    let rule = "a zone has too much for parked names, or other records behind it";
    let mut behind = self::parking();
    behind.push((Part::Records, SOA, body(SOA, 1)));
    refused(PARKED, &[], behind, rule);
    let many = |count: usize| {
        let mut parking = vec![(Part::ParkedApex, SOA, body(SOA, 9))];
        parking.extend((1..count).map(|number| {
            let rtype = 0xff00 + u16::try_from(number).unwrap();
            (Part::ParkedApex, rtype, record(rtype))
        }));
        parking
    };
    let most = parked_image(PARKED, &[], many(PARKED_BODIES_MAX));
    assert!(open(most.path()).is_ok());
    refused(PARKED, &[], many(PARKED_BODIES_MAX + 1), rule);
    let other = vec![
        (Part::ParkedApex, A, record(28)),
        (Part::ParkedApex, SOA, body(SOA, 9)),
    ];
    refused(PARKED, &[], other, "a record of a body has another type");
}

/// What is said of a change that leaves the zone with this for parked names, and of the
/// same image opened anew.
fn changed(flags: u8, names: BTreeMap<Vec<u8>, NameChange>, parking: Parking) -> [String; 2] {
    let directory = parked_image(flags, &[], self::parking());
    let kept = Arc::new(open(directory.path()).unwrap());
    let mut installer = Installer::update_after(directory.path(), Arc::clone(&kept)).unwrap();
    installer
        .change_zone(&ZoneChange {
            apex: wire("example."),
            serial: 2,
            event: 2,
            depths: 0b11,
            apex_flags: 0,
            names_count: 2,
            delegations_count: 1,
            records_count: 2,
            negative: vec![(Part::Records, body(SOA, 2))],
            parking,
            names,
            shared: BTreeMap::new(),
            proofs: Default::default(),
        })
        .unwrap();
    let staged = installer.stage().unwrap();
    let said = |before| match staged.open(Memory::Mapped, before) {
        Ok(_) => "opened".to_owned(),
        Err(error) => error.to_string(),
    };
    [said(Some(&kept)), said(None)]
}

#[test]
fn parking_goes_only_with_the_last_parked_name() {
    let apex = NameChange::Put {
        flags: 0,
        bodies: vec![(SOA, Part::Records, NewBody::Own(body(SOA, 2)))],
    };
    let plain = (b"\x01p".to_vec(), NameChange::Flags(ENTRY_DELEGATION));
    let only = BTreeMap::from([(Vec::new(), apex)]);
    let with = only.clone().into_iter().chain([plain]).collect();
    for said in changed(PARKED, only.clone(), Vec::new()) {
        assert!(said.contains("has nothing for it"), "{said}");
    }
    for said in changed(PARKED, with, Vec::new()) {
        assert_eq!(said, "opened");
    }
    for said in changed(PARKED, only.clone(), parking()) {
        assert_eq!(said, "opened");
    }
    let parks = (b"\x01p".to_vec(), NameChange::Flags(PARKED));
    let with = only.into_iter().chain([parks]);
    for said in changed(ENTRY_DELEGATION, with.collect(), Vec::new()) {
        assert!(said.contains("has nothing for it"), "{said}");
    }
}
