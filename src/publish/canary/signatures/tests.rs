use std::sync::Arc;

use tempfile::TempDir;
use zone_compiler::RecordList;
use zone_compiler::compile::{Options, compile_with};
use zone_compiler::sign::{Denial, PolicyValues, SigningPolicy, SoftwareKey, ZoneKey};
use zone_compiler::zonefile::Reader;
use zone_image::Memory;
use zone_image::writer::Installer;

use super::*;

/// 2026-11-25 00:00:00 UTC.
const NOW: u64 = 1_795_564_800;
const ZONE: &str = "$ORIGIN tld.\n$TTL 60\n@ SOA ns.Other. x.other. 1 2 3 604800 5\n@ NS ns.other.\n\
    secure NS ns.other.\nsecure DS 1 13 2 \
    ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB\n\
    plain NS ns.other.\nwww A 192.0.2.1\n";

fn signing(denial: Denial, key: &ZoneKey) -> Signing {
    let values = PolicyValues {
        denial,
        ..PolicyValues::default()
    };
    let policy = SigningPolicy::new(values).unwrap();
    Signing::new(policy, vec![key.clone()], NOW).unwrap()
}

fn key() -> ZoneKey {
    let (key, _) = SoftwareKey::generate(Algorithm::EcdsaP256Sha256).unwrap();
    ZoneKey::combined(Arc::new(key))
}

/// The zone with more records, signed or as it is.
fn image(more: &[Record], signing: Option<Signing>) -> (TempDir, Generation) {
    let input = Box::new(std::io::Cursor::new(ZONE.as_bytes().to_vec()));
    let reader = Reader::new(input, std::path::Path::new("zone"), None);
    let mut records: Vec<Record> = reader.collect::<Result<_, _>>().unwrap();
    records.extend_from_slice(more);
    let folder = TempDir::new().unwrap();
    let mut installer = Installer::replace(folder.path(), None).unwrap();
    let mut source = RecordList::new("tld.".parse().unwrap(), 1, records);
    let options = Options {
        signing: signing.map(Arc::new),
        ..Options::default()
    };
    compile_with(&mut source, &mut installer, &options, &|_| {}).unwrap();
    installer.commit().unwrap();
    let generation = Generation::open(folder.path(), Memory::Mapped).unwrap();
    (folder, generation)
}

fn check(generation: &Generation, seconds_left_min: u32, now: u64) -> Result<(), String> {
    check_made_elsewhere(generation, seconds_left_min, now, &[])
}

fn check_made_elsewhere(
    generation: &Generation,
    seconds_left_min: u32,
    now: u64,
    made_elsewhere: &[(u8, u16)],
) -> Result<(), String> {
    let zones = [SignedZone {
        apex: "tld.".parse().unwrap(),
        seconds_left_min,
        made_elsewhere: made_elsewhere.to_vec(),
    }];
    let names = [
        ("secure.tld.", Became::Delegation),
        ("plain.tld.", Became::Delegation),
        ("www.tld.", Became::Other),
        ("gone.tld.", Became::Gone),
    ];
    let names = names.map(|(name, became)| (name.parse().unwrap(), became));
    check_signatures(&Engine::default(), generation, &zones, &names.into(), now)
}

const DENIALS: [Denial; 3] = [
    Denial::Nsec,
    Denial::Nsec3 { opt_out: false },
    Denial::Nsec3 { opt_out: true },
];

#[test]
fn what_the_compiler_signs_validates() {
    for denial in DENIALS {
        let (_folder, generation) = image(&[], Some(signing(denial, &key())));
        assert_eq!(check(&generation, 7 * 86_400, NOW), Ok(()), "{denial:?}");
    }
}

#[test]
fn signatures_that_end_too_soon_are_refused() {
    let (_folder, generation) = image(&[], Some(signing(DENIALS[0], &key())));
    let said = check(&generation, 14 * 86_400, NOW).unwrap_err();
    assert!(said.contains("are left of its RRSIG"), "{said}");
    let said = check(&generation, 0, NOW + 15 * 86_400).unwrap_err();
    assert!(said.contains("not valid at this time"), "{said}");
}

#[test]
fn what_is_left_of_signatures_made_on_another_machine_stops_nothing() {
    let key = key();
    let by = [(key.dnskey.algorithm.number(), key.key_tag())];
    let (_folder, generation) = image(&[], Some(signing(DENIALS[0], &key)));
    let least = 14 * 86_400;
    assert_eq!(check_made_elsewhere(&generation, least, NOW, &by), Ok(()));
    let over = NOW + 15 * 86_400;
    let said = check_made_elsewhere(&generation, 0, over, &by).unwrap_err();
    assert!(said.contains("not valid at this time"), "{said}");
}

#[test]
fn signatures_of_other_records_or_keys_are_refused() {
    let key_of_zone = key();
    let (_folder, signed) = image(&[], Some(signing(DENIALS[0], &key_of_zone)));
    // The same zone with the proofs and signatures that it had before a change.
    let mut records = Vec::new();
    let zone = signed.zone(b"\x03tld\x00").unwrap();
    zone_compiler::wire::each_record(zone, &mut |_, record| {
        if !matches!(record.rtype.0, 1 | 2 | TYPE_SOA | TYPE_DS) {
            records.push(record);
        }
        Ok::<_, std::convert::Infallible>(())
    })
    .unwrap();
    let (_folder, replayed) = image(&records, None);
    assert_eq!(check(&replayed, 0, NOW), Ok(()));
    let other_ds = Record {
        owner: "secure.tld.".parse().unwrap(),
        rtype: RecordType::DS,
        ttl: 60,
        rdata: [&[0, 1, 13, 2][..], &[0xcd; 32]].concat().into(),
    };
    let tampered = [&records[..], &[other_ds]].concat();
    let (_folder, broken) = image(&tampered, None);
    let said = check(&broken, 0, NOW).unwrap_err();
    assert!(
        said.contains("secure.tld. DS: the signature does not fit"),
        "{said}"
    );
    // Without its key nothing validates.
    let keyless: Vec<Record> = records
        .into_iter()
        .filter(|record| record.rtype.0 != TYPE_DNSKEY)
        .collect();
    let (_folder, keyless) = image(&keyless, None);
    let said = check(&keyless, 0, NOW).unwrap_err();
    assert!(said.contains("DNSKEY is not answered"), "{said}");
}
