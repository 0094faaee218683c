//! What caches may hold of a child zone, its DS among it, from different moments of a
//! rollover of the parent's keys: together they always have a chain of trust.

use std::sync::Arc;

use zone_image::{Generation, Memory};

use super::*;
use crate::sign::{Algorithm, SignableRrset, SoftwareKey, verify_rrsig};

/// 2026-11-25 00:00:00 UTC.
const NOW: u64 = 1_795_564_800;

fn name(text: &str) -> Name {
    Name::parse_absolute(text).unwrap()
}

fn soa(host: &str, expire: u32) -> Vec<u8> {
    let mut soa = [name(host).as_wire(), name("h.tld").as_wire()].concat();
    for number in [1_u32, 7200, 900, expire, 300] {
        soa.extend_from_slice(&number.to_be_bytes());
    }
    soa
}

/// A zone with one parked name, signed by these keys.
fn image(keys: Vec<ZoneKey>, values: PolicyValues) -> Generation {
    image_of(keys, values, false)
}

fn image_of(keys: Vec<ZoneKey>, values: PolicyValues, is_withdrawn: bool) -> Generation {
    let record = |owner: &str, rtype, ttl, rdata: &[u8]| Record {
        owner: name(owner),
        rtype,
        ttl,
        rdata: rdata.into(),
    };
    let ns = |owner, host| record(owner, RecordType::NS, 3600, name(host).as_wire());
    let records = vec![
        record("tld", RecordType::SOA, 3600, &soa("ns.tld", 80_000)),
        ns("tld", "p1.park"),
        ns("tld", "p2.park"),
        ns("a.tld", "p1.park"),
        ns("a.tld", "p2.park"),
        ns("b.tld", "p1.park"),
    ];
    let template = |is_below, rtype, rdata: Vec<u8>| ParkedRecord {
        is_below,
        rtype,
        ttl: 600,
        rdata: rdata.into(),
    };
    let parking = Parking {
        servers: [name("p1.park"), name("p2.park")].into(),
        records: vec![
            template(false, RecordType::SOA, soa("p1.park", 604_800)),
            template(true, RecordType::A, vec![192, 0, 2, 1]),
        ],
        is_signed: true,
        is_withdrawn,
    };
    let directory = tempfile::tempdir().unwrap();
    let mut installer = Installer::replace(directory.path(), None).unwrap();
    let source = RecordList::new(name("tld"), 1, records);
    let mut source = source.with_parking(Some(parking));
    let policy = SigningPolicy::new(values).unwrap();
    let options = Options {
        signing: Some(Arc::new(Signing::new(policy, keys, NOW).unwrap())),
        ..Options::default()
    };
    let report = compile_with(&mut source, &mut installer, &options, &|_| {}).unwrap();
    assert_eq!(report.children, 1, "the apex and b.tld are no parked names");
    installer.commit().unwrap();
    Generation::open(directory.path(), Memory::Mapped).unwrap()
}

fn read(image: &Generation, zone: &str, owner: &str, rtype: RecordType, part: Part) -> Vec<Record> {
    let zone = image.zone(name(zone).as_wire()).unwrap();
    let entry = zone.find(name(owner).as_wire()).unwrap();
    read_rrset(zone, entry, rtype, part)
}

/// The key of the set, of one algorithm, that made a signature over these records.
fn signer<'k>(
    keys: &'k [Record],
    algorithm: u8,
    records: &[Record],
    signatures: &[Record],
) -> Option<&'k Record> {
    let apex = name("a.tld");
    let rdata: Vec<&[u8]> = records.iter().map(|record| &*record.rdata).collect();
    let rrset = SignableRrset {
        owner: apex.as_wire(),
        rtype: records[0].rtype,
        ttl: records[0].ttl,
        rdata: &rdata,
    };
    let mut keys = keys.iter().filter(|key| key.rdata[3] == algorithm);
    keys.find(|key| {
        let dnskey = Dnskey {
            flags: u16::from_be_bytes([key.rdata[0], key.rdata[1]]),
            algorithm: Algorithm::from_number(algorithm).unwrap(),
            public_key: key.rdata[4..].into(),
        };
        let verified = |signature: &Record| {
            verify_rrsig(apex.as_wire(), &dnskey, &rrset, &signature.rdata, NOW).is_ok()
        };
        signatures.iter().any(verified)
    })
}

fn key(algorithm: Algorithm) -> Arc<SoftwareKey> {
    Arc::new(SoftwareKey::generate(algorithm).unwrap().0)
}

fn ksk(key: &Arc<SoftwareKey>) -> ZoneKey {
    ZoneKey::active(key.clone(), FLAG_ZONE | FLAG_SEP, Signs::KEYS)
}

fn zsk(key: &Arc<SoftwareKey>, signs: Signs) -> ZoneKey {
    ZoneKey::active(key.clone(), FLAG_ZONE, signs)
}

/// What caches hold of a child zone is of one moment or of the one before. Each algorithm of a
/// DS has a chain then, and each of a DNSKEY has signed the data: a validator may ask for all
/// of them, not only for one (RFC 6840 section 5.11).
fn check_neighbours(moments: &[Vec<ZoneKey>]) {
    let moments: Vec<_> = moments
        .iter()
        .map(|keys| image(keys.clone(), PolicyValues::default()))
        .collect();
    let (dnskey, data) = (RecordType::DNSKEY, RecordType::SOA);
    let algorithms = |records: &[Record], octet: usize| -> BTreeSet<u8> {
        records.iter().map(|record| record.rdata[octet]).collect()
    };
    // A step comes when nothing is cached from before the step before: TTL of the keys for
    // the first, of the data for the second.
    for at in 0..moments.len() {
        let before = at.saturating_sub(1);
        for [of_ds, of_keys] in [[at, at], [at, before], [before, at]] {
            let ds = read(
                &moments[of_ds],
                "tld",
                "a.tld",
                RecordType::DS,
                Part::Records,
            );
            let part = |rtype, part| read(&moments[of_keys], "a.tld", "a.tld", rtype, part);
            let (keys, signatures) = (part(dnskey, Part::Records), part(dnskey, Part::Signatures));
            assert!(!ds.is_empty(), "DS {of_ds}");
            for algorithm in algorithms(&ds, 2) {
                let place = format!("algorithm {algorithm}, DS {of_ds}, DNSKEY {of_keys}");
                let entry = signer(&keys, algorithm, &keys, &signatures);
                let entry = entry.unwrap_or_else(|| panic!("{place}: DNSKEY is not signed"));
                let own = ds_rdata(&name("a.tld"), &entry.rdata, DigestType::Sha256);
                assert!(ds.iter().any(|ds| *ds.rdata == *own), "{place}");
            }
            for of_data in [before, at] {
                let part = |part| read(&moments[of_data], "a.tld", "a.tld", data, part);
                for algorithm in algorithms(&keys, 3) {
                    let (records, signatures) = (part(Part::Records), part(Part::Signatures));
                    let found = signer(&keys, algorithm, &records, &signatures);
                    let place = format!("DNSKEY {of_keys}, data {of_data}");
                    assert!(found.is_some(), "algorithm {algorithm}, {place}");
                }
            }
        }
    }
}

#[test]
fn caches_of_neighbouring_moments_always_have_a_chain() {
    let [entry, old, new] = [(); 3].map(|()| key(Algorithm::Ed25519));
    let (nothing, zone) = (Signs::NOTHING, Signs::ZONE);
    check_neighbours(&[
        vec![ksk(&entry), zsk(&old, zone)],
        vec![ksk(&entry), zsk(&old, zone), zsk(&new, nothing)],
        vec![ksk(&entry), zsk(&old, nothing), zsk(&new, zone)],
        vec![ksk(&entry), zsk(&new, zone)],
    ]);
}

#[test]
fn another_algorithm_has_its_ds_last_and_loses_it_first() {
    let [old_entry, old] = [(); 2].map(|()| key(Algorithm::EcdsaP256Sha256));
    let [new_entry, new] = [(); 2].map(|()| key(Algorithm::Ed25519));
    let zone = Signs::ZONE;
    let untold = |key| ZoneKey {
        cds: false,
        ..ksk(key)
    };
    let hidden = |key| ZoneKey {
        published: false,
        ..zsk(key, zone)
    };
    // The conservative order of RFC 6781 section 4.1.4.
    check_neighbours(&[
        vec![ksk(&old_entry), zsk(&old, zone)],
        vec![ksk(&old_entry), zsk(&old, zone), hidden(&new)],
        vec![
            ksk(&old_entry),
            zsk(&old, zone),
            untold(&new_entry),
            zsk(&new, zone),
        ],
        vec![
            untold(&old_entry),
            zsk(&old, zone),
            ksk(&new_entry),
            zsk(&new, zone),
        ],
        vec![hidden(&old), ksk(&new_entry), zsk(&new, zone)],
        vec![ksk(&new_entry), zsk(&new, zone)],
    ]);
}

#[test]
fn keys_are_cached_briefly_and_signatures_outlive_the_zone() {
    let policy = PolicyValues {
        validity_seconds: 4 * 86_400,
        refresh_seconds: 86_400,
        jitter_seconds: 86_400,
        ..PolicyValues::default()
    };
    let image = image(vec![ZoneKey::combined(key(Algorithm::Ed25519))], policy);
    let ds = read(&image, "tld", "a.tld", RecordType::DS, Part::Records);
    assert_eq!((ds.len(), ds[0].ttl), (1, 300));
    let keys = read(&image, "a.tld", "a.tld", RecordType::DNSKEY, Part::Records);
    assert_eq!((keys.len(), keys[0].ttl), (1, 300));
    let soa = read(&image, "a.tld", "a.tld", RecordType::SOA, Part::Records);
    let expire = soa[0].rdata[..soa[0].rdata.len() - 4]
        .last_chunk::<4>()
        .unwrap();
    assert!(u32::from_be_bytes(*expire) < 86_400);
    let below = read(&image, "a.tld", "*.a.tld", RecordType::A, Part::Signatures);
    assert_eq!(below.len(), 1);
}

#[test]
fn a_child_zone_stays_signed_while_its_ds_are_forgotten() {
    let signing = || vec![ZoneKey::combined(key(Algorithm::Ed25519))];
    let values = PolicyValues::default;
    let image = image_of(signing(), values(), true);
    let parent = image.zone(name("tld").as_wire()).unwrap();
    let cut = parent.find(name("a.tld").as_wire()).unwrap();
    assert!(read_rrset(parent, cut, RecordType::DS, Part::Records).is_empty());
    let part = |rtype, part| read(&image, "a.tld", "a.tld", rtype, part);
    let (dnskey, data) = (RecordType::DNSKEY, RecordType::SOA);
    let keys = part(dnskey, Part::Records);
    let algorithm = Algorithm::Ed25519.number();
    for rtype in [dnskey, data] {
        let (records, signatures) = (part(rtype, Part::Records), part(rtype, Part::Signatures));
        assert!(
            signer(&keys, algorithm, &records, &signatures).is_some(),
            "{rtype}"
        );
    }
}
