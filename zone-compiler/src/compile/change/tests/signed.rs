//! Signed zones: a history of changes serves the octets that a history of whole compiles
//! serves, signatures included. The keys are Ed25519, which signs the same in the same
//! way.

use zone_image::SortKey;

use super::*;
use crate::compile::SignedCounts;
use crate::sign::{
    Algorithm, Denial, FLAG_SEP, FLAG_ZONE, PolicyValues, SigningPolicy, Signs, SoftwareKey,
    ZoneKey, nsec3_hash,
};

/// 2026-11-25 00:00:00 UTC.
const NOW: u64 = 1_795_564_800;
const DENIALS: [Denial; 3] = [
    Denial::Nsec,
    Denial::Nsec3 { opt_out: false },
    Denial::Nsec3 { opt_out: true },
];
const DS: &[u8] = &[0, 1, 13, 2, 7, 7];

fn signing_with(values: PolicyValues) -> Signing {
    let key = || Arc::new(SoftwareKey::generate(Algorithm::Ed25519).unwrap().0);
    let keys = vec![
        ZoneKey::active(key(), FLAG_ZONE | FLAG_SEP, Signs::KEYS),
        ZoneKey::active(key(), FLAG_ZONE, Signs::ZONE),
    ];
    Signing::new(SigningPolicy::new(values).unwrap(), keys, NOW).unwrap()
}

fn signing(denial: Denial) -> Signing {
    signing_with(PolicyValues {
        denial,
        ..PolicyValues::default()
    })
}

/// What proves that names are not there is the same for all of these.
fn check_misses(image: &Image) {
    let (ours, whole) = (zone(&image.generation), zone(&image.always_whole));
    let labels = [
        "a", "zz", "*", "d0", "e", "f.e", "x.f.e", "d1.e", "\\000", "v", "x.d3",
    ];
    for label in labels {
        let name = name(&format!("{label}.tld"));
        let found = |zone: Zone<'_>| {
            let hash = nsec3_hash(name.as_wire());
            let nsec3 = zone.nsec3(&hash);
            let nsec3 = nsec3.map(|proof| (proof.matches, proof.body.stored().0.to_vec()));
            let lookup = LookupName::parse(name.as_wire()).unwrap();
            let nsec = zone.nsec_at_or_before(&lookup, lookup.labels(), false);
            (nsec3, nsec.map(|entry| entry.name()))
        };
        assert_eq!(found(ours), found(whole), "{name}");
    }
    // The order that misses are looked up in is that of the names with records.
    if ours.denial() == zone_image::layout::Denial::Nsec {
        let mut names = Vec::new();
        ours.each_entry(&mut |entry| {
            if entry.has(RecordType::NSEC.0) {
                names.push(entry.relative_name().to_vec());
            }
        });
        names.sort_by_key(|relative| SortKey::new(relative).as_slice().to_vec());
        for (at, relative) in names.iter().enumerate() {
            let next = ours.nsec_after(relative).unwrap();
            assert_eq!(next.relative_name(), names[(at + 1) % names.len()]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_signed_history_comes_to_the_octets_of_whole_compiles(
        first in moments(),
        steps in prop::collection::vec((moments(), 0u8..5), 1..6),
        which in 0..3usize,
        signs_parked: bool,
        fold_begins in 0..6usize,
        fold_takes in 0..4usize,
    ) {
        let mut image = Image::begin(base(1), Some(signing(DENIALS[which])), signs_parked);
        let mut moment = first;
        image.step(&moment.state(2));
        let mut fold = None;
        for (at, (next, keep)) in steps.iter().enumerate() {
            if at == fold_begins {
                fold = Some(image.begin_fold());
            }
            moment = if *keep == 4 { next.clone() } else { mixed(&moment, next, *keep) };
            image.step(&moment.state(3 + u32::try_from(at).unwrap()));
            if at == fold_begins + fold_takes && let Some(fold) = fold.take() {
                image.end_fold(fold);
            }
            check_misses(&image);
        }
        // All of it goes again.
        let serial = 3 + u32::try_from(steps.len()).unwrap();
        image.step(&base(serial));
        check_misses(&image);
    }
}

/// `base` with insecure delegations.
fn delegations(serial: u32, count: usize) -> State {
    let mut state = base(serial);
    for number in 0..count {
        state.ns(&format!("u{number}.tld"), "ns.elsewhere.example");
    }
    state
}

/// Signatures made and kept, and NSEC3 records written.
fn costs(written: &Written) -> (u64, u64, usize) {
    let SignedCounts { made, kept, .. } = written.signed;
    (made, kept, written.proofs_changed)
}

/// Names of the apex and its NS host, whose signatures are looked at each time: NS,
/// DNSKEY, CDS, CDNSKEY, NSEC3PARAM and the host's A.
const KEPT: u64 = 6;

#[test]
fn an_insecure_delegation_costs_the_soa_with_opt_out() {
    let mut image = Image::signed(
        delegations(1, 300),
        Some(signing(Denial::Nsec3 { opt_out: true })),
    );
    let mut after = delegations(2, 301);
    let written = image.step(&after).unwrap();
    // The two NSEC3 of apex and host are looked at and stay.
    assert_eq!(costs(&written), (1, KEPT + 2, 0));
    after = delegations(3, 300);
    let written = image.step(&after).unwrap();
    assert_eq!(costs(&written), (1, KEPT + 2, 0));
}

#[test]
fn a_ds_that_comes_and_goes_costs_two_links_with_opt_out() {
    let mut image = Image::signed(
        delegations(1, 300),
        Some(signing(Denial::Nsec3 { opt_out: true })),
    );
    let mut secure = delegations(2, 300);
    secure.add("u7.tld", RecordType::DS, 60, DS);
    let written = image.step(&secure).unwrap();
    // SOA, DS, the NSEC3 of the delegation and the one before it.
    assert_eq!(written.signed.made, 4);
    assert_eq!(written.proofs_changed, 2);
    let written = image.step(&delegations(3, 300)).unwrap();
    assert_eq!((written.signed.made, written.proofs_changed), (2, 2));
}

#[test]
fn an_empty_name_has_an_nsec3_while_something_below_it_has() {
    let opt_out = Denial::Nsec3 { opt_out: true };
    let mut image = Image::signed(delegations(1, 30), Some(signing(opt_out)));
    let has_proof = |image: &Image, owner: &str| {
        let hash = nsec3_hash(name(owner).as_wire());
        zone(&image.generation).nsec3(&hash).unwrap().matches
    };
    let mut state = delegations(2, 30);
    state.ns("a.deep.below.tld", "ns.elsewhere.example");
    state.ns("b.deep.below.tld", "ns.elsewhere.example");
    assert_eq!(image.step(&state).unwrap().proofs_changed, 0);
    assert!(!has_proof(&image, "deep.below.tld"));
    // The DS of one of them: itself and two names above it, which nothing else touches.
    state = delegations(3, 30);
    state.ns("a.deep.below.tld", "ns.elsewhere.example");
    state.ns("b.deep.below.tld", "ns.elsewhere.example");
    state.add("b.deep.below.tld", RecordType::DS, 60, DS);
    image.step(&state).unwrap();
    assert!(has_proof(&image, "deep.below.tld") && has_proof(&image, "below.tld"));
    assert!(!has_proof(&image, "a.deep.below.tld"));
    // It goes; the insecure one keeps the names, not their proofs.
    state = delegations(4, 30);
    state.ns("a.deep.below.tld", "ns.elsewhere.example");
    image.step(&state).unwrap();
    assert!(!has_proof(&image, "deep.below.tld") && !has_proof(&image, "below.tld"));
    assert!(image.step(&delegations(5, 30)).is_some());
    assert!(image.whole.is_empty());
}

#[test]
fn other_keys_and_other_proofs_need_the_whole_zone() {
    let denial = Denial::Nsec3 { opt_out: true };
    let mut image = Image::signed(delegations(1, 5), Some(signing(denial)));
    image.signing = Some(signing(denial));
    assert!(image.step(&delegations(2, 6)).is_none());
    let keys = image.signing.as_ref().unwrap().keys().to_vec();
    let of = |values: PolicyValues| {
        let policy = SigningPolicy::new(values).unwrap();
        Some(Signing::new(policy, keys.clone(), NOW).unwrap())
    };
    let values = PolicyValues {
        denial: Denial::Nsec3 { opt_out: false },
        ..PolicyValues::default()
    };
    image.signing = of(values.clone());
    assert!(image.step(&delegations(3, 7)).is_none());
    image.signing = of(PolicyValues {
        denial: Denial::Nsec,
        ..values
    });
    assert!(image.step(&delegations(4, 8)).is_none());
    image.signing = None;
    assert!(image.step(&delegations(5, 9)).is_none());
    let expected = [
        "other keys sign the zone",
        "the zone proves in another way what is not there",
        "the zone proves in another way what is not there",
        "the zone is not signed any more",
    ];
    assert_eq!(image.whole, expected);
}

/// What changes of the keys at the apex alone is a change of the apex.
#[test]
fn a_key_that_only_is_published_changes_the_apex() {
    let mut image = Image::signed(delegations(1, 5), Some(signing(Denial::Nsec)));
    let mut keys = image.signing.as_ref().unwrap().keys().to_vec();
    let new = Arc::new(SoftwareKey::generate(Algorithm::Ed25519).unwrap().0);
    keys.push(ZoneKey::active(new, FLAG_ZONE, Signs::NOTHING));
    let policy = image.signing.as_ref().unwrap().policy().clone();
    image.signing = Some(Signing::new(policy, keys, NOW).unwrap());
    let written = image.step(&delegations(2, 5)).unwrap();
    assert_eq!(written.signed.made, 2, "SOA and DNSKEY");
}

/// Child zones of parked names come, go and are counted with their cuts; a key that is
/// published makes all of them anew.
#[test]
fn signed_parked_names_have_zones_of_their_own() {
    let parks = |serial, count| {
        let mut state = delegations(serial, 5);
        for number in 0..count {
            state.ns(&format!("p{number}.tld"), "ns.elsewhere.example");
            state.ns(&format!("p{number}.tld"), "ns2.elsewhere.example");
        }
        state
    };
    let children = |image: &Image| image.generation.zones_count() - 1;
    let mut image = Image::begin(parks(1, 3), Some(signing(Denial::Nsec)), true);
    assert_eq!(children(&image), 3);
    assert_eq!(image.step(&parks(2, 5)).unwrap().children, 2);
    assert_eq!(children(&image), 5);
    assert_eq!(image.step(&parks(3, 1)).unwrap().children, -4);
    assert_eq!(children(&image), 1);
    // One with servers of its own, and one with a DS of its own, are no parked ones.
    let mut own = parks(4, 2);
    own.ns("p1.tld", "ns3.elsewhere.example");
    own.add("p0.tld", RecordType::DS, 60, DS);
    assert_eq!(image.step(&own).unwrap().children, -1);
    assert_eq!(children(&image), 0);
    image.step(&parks(5, 4)).unwrap();
    assert!(image.whole.is_empty());
    let mut keys = image.signing.as_ref().unwrap().keys().to_vec();
    let new = Arc::new(SoftwareKey::generate(Algorithm::Ed25519).unwrap().0);
    keys.push(ZoneKey::active(new, FLAG_ZONE, Signs::NOTHING));
    let policy = image.signing.as_ref().unwrap().policy().clone();
    image.signing = Some(Signing::new(policy, keys, NOW).unwrap());
    assert!(image.step(&parks(6, 4)).is_none());
    assert_eq!(image.whole, ["keys of parked names are others"]);
    // The zone is parked unsigned again, then not signed at all.
    image.signs_parked = false;
    assert!(image.step(&parks(7, 4)).is_none());
    assert_eq!(children(&image), 0);
    image.signs_parked = true;
    image.step(&parks(8, 4));
    assert_eq!(children(&image), 4);
    image.signing = None;
    image.step(&parks(9, 4));
    assert_eq!(children(&image), 0);
}

#[test]
fn signatures_that_a_change_does_not_touch_stay_and_those_it_does_are_refreshed() {
    let denial = Denial::Nsec3 { opt_out: true };
    let first = signing(denial);
    let mut state = delegations(1, 5);
    for number in 0..40 {
        state.add(&format!("u{number}.tld"), RecordType::DS, 60, DS);
        state.ns(&format!("u{number}.tld"), "ns.elsewhere.example");
    }
    let mut image = Image::signed(state.clone(), Some(first.clone()));
    // Days on, all of them near their end: a whole compile would make each anew.
    let later = NOW + 8 * 86_400;
    let late = Signing::new(first.policy().clone(), first.keys().to_vec(), later).unwrap();
    let mut after = State::new(2, 300);
    let apex = after.0.remove(&name(APEX)).unwrap();
    after = state.clone();
    after.0.insert(name(APEX), apex);
    after.ns(APEX, "ns.nic.tld");
    after.ns("u3.tld", "ns2.elsewhere.example");
    let mut source = Source::new(&state, &after, 2);
    let mut installer = image.installer();
    let zone = zone(&image.generation);
    let changed =
        compile_changes(&mut source, zone, &image.index, Some(&late), &mut installer).unwrap();
    let Changed::Written(written) = changed else {
        panic!("{changed:?}");
    };
    // The apex, its host and u3, each with its NSEC3: no other name was looked at.
    let SignedCounts { made, kept, .. } = written.signed;
    assert!(made > 1 && made + kept < 16, "{made} made, {kept} kept");
    drop(installer);
    image.signing = Some(first);
    assert!(image.step(&after).is_some());
}

impl Image {
    /// Goes on at a later time, with the same keys.
    fn at(&mut self, now: u64) {
        let signing = self.signing.take().unwrap();
        let (policy, keys) = (signing.policy().clone(), signing.keys().to_vec());
        self.signing = Some(Signing::new(policy, keys, now).unwrap());
    }
}

/// A zone of some names with signatures, at every depth.
fn secure(serial: u32, count: usize) -> State {
    let mut state = delegations(serial, count);
    for number in (0..count).step_by(2) {
        state.add(&format!("u{number}.tld"), RecordType::DS, 60, DS);
        state.add(&format!("a.b{number}.tld"), RecordType(16), 60, &[1, b'x']);
    }
    state
}

#[test]
fn what_gets_old_is_made_anew_and_nothing_else() {
    for denial in DENIALS {
        let mut image = Image::signed(secure(1, 60), Some(signing(denial)));
        image.resigns = true;
        let mut made = Vec::new();
        for day in 1..=9u32 {
            image.at(NOW + u64::from(day) * 86_400);
            // The step compares with a whole compile, which looks at all of them too.
            let written = image.step(&secure(1 + day, 60)).unwrap();
            made.push(written.signed.made);
            let looked_at = written.signed.made + written.signed.kept;
            assert!(
                day > 2 || looked_at < 40,
                "{denial:?}: {looked_at} on day {day}"
            );
        }
        // Lives of 9 to 14 days, made anew when 7 are left: SOA and its like each day.
        assert!(
            made[0] < 5 && made[2..7].iter().all(|made| *made > 5),
            "{made:?}"
        );
        let all: u64 = made.iter().sum();
        assert!(made.iter().all(|made| *made < all / 2), "{made:?}");
        assert!(image.whole.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn changes_between_looks_at_all_signatures_come_to_the_same(
        steps in prop::collection::vec(moments(), 2..6),
        which in 0..3usize,
        signs_parked: bool,
    ) {
        let mut image = Image::begin(base(1), Some(signing(DENIALS[which])), signs_parked);
        image.resigns = true;
        for (day, moment) in (1..).zip(&steps) {
            image.at(NOW + u64::from(day) * 100_000);
            image.step(&moment.state(1 + day));
        }
    }
}
