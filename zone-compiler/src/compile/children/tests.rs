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

/// The key of the set that made a signature over these records.
fn signer<'k>(keys: &'k [Record], records: &[Record], signatures: &[Record]) -> Option<&'k Record> {
    let apex = name("a.tld");
    let rdata: Vec<&[u8]> = records.iter().map(|record| &*record.rdata).collect();
    let rrset = SignableRrset {
        owner: apex.as_wire(),
        rtype: records[0].rtype,
        ttl: records[0].ttl,
        rdata: &rdata,
    };
    keys.iter().find(|key| {
        let dnskey = Dnskey {
            flags: u16::from_be_bytes([key.rdata[0], key.rdata[1]]),
            algorithm: Algorithm::from_number(key.rdata[3]).unwrap(),
            public_key: key.rdata[4..].into(),
        };
        let verified = |signature: &Record| {
            verify_rrsig(apex.as_wire(), &dnskey, &rrset, &signature.rdata, NOW).is_ok()
        };
        signatures.iter().any(verified)
    })
}

fn key() -> Arc<SoftwareKey> {
    Arc::new(SoftwareKey::generate(Algorithm::Ed25519).unwrap().0)
}

#[test]
fn caches_of_neighbouring_moments_always_have_a_chain() {
    let (ksk, old, new) = (key(), key(), key());
    let with = |signs_old: Option<Signs>, signs_new: Option<Signs>| {
        let mut keys = vec![ZoneKey::active(
            ksk.clone(),
            FLAG_ZONE | FLAG_SEP,
            Signs::KEYS,
        )];
        for (key, signs) in [(&old, signs_old), (&new, signs_new)] {
            keys.extend(signs.map(|signs| ZoneKey::active(key.clone(), FLAG_ZONE, signs)));
        }
        image(keys, PolicyValues::default())
    };
    let nothing = Some(Signs::NOTHING);
    let moments = [
        with(Some(Signs::ZONE), None),
        with(Some(Signs::ZONE), nothing),
        with(nothing, Some(Signs::ZONE)),
        with(None, Some(Signs::ZONE)),
    ];
    let (dnskey, data) = (RecordType::DNSKEY, RecordType::SOA);
    // A step comes when nothing is cached from before the step before: TTL of the keys for
    // the first, of the data for the second.
    for at in 0..moments.len() {
        for others in [
            [at, at],
            [at, at.saturating_sub(1)],
            [at.saturating_sub(1), at],
        ] {
            let [of_ds, of_keys] = others;
            let ds = read(
                &moments[of_ds],
                "tld",
                "a.tld",
                RecordType::DS,
                Part::Records,
            );
            let part = |rtype, part| read(&moments[of_keys], "a.tld", "a.tld", rtype, part);
            let (keys, signatures) = (part(dnskey, Part::Records), part(dnskey, Part::Signatures));
            let entry = signer(&keys, &keys, &signatures).expect("DNSKEY is signed by itself");
            let own = ds_rdata(&name("a.tld"), &entry.rdata, DigestType::Sha256);
            assert!(
                ds.iter().any(|ds| *ds.rdata == *own),
                "DS {of_ds}, DNSKEY {of_keys}"
            );
            for of_data in [at.saturating_sub(1), at] {
                let part = |part| read(&moments[of_data], "a.tld", "a.tld", data, part);
                let found = signer(&keys, &part(Part::Records), &part(Part::Signatures));
                assert!(found.is_some(), "DNSKEY {of_keys}, data {of_data}");
            }
        }
    }
}

#[test]
fn keys_are_cached_briefly_and_signatures_outlive_the_zone() {
    let policy = PolicyValues {
        validity_seconds: 4 * 86_400,
        refresh_seconds: 86_400,
        jitter_seconds: 86_400,
        ..PolicyValues::default()
    };
    let image = image(vec![ZoneKey::combined(key())], policy);
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
