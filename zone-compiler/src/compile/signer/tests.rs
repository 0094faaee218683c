//! Signed compiles: what is signed and proven, what is kept, what is refused.
//!
//! The model is the text of the zone: which names exist, what they own and which of it
//! is the zone's own is worked out again here, label by label.

mod kept;
mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use zone_image::layout::Part;
use zone_image::writer::Installer;
use zone_image::{LookupName, Memory, Zone};

use super::super::{Options, Report, compile_with};
use super::*;
use crate::sign::{
    Algorithm, Denial, PolicyValues, RrsigFields, SignableRrset, SigningPolicy, SoftwareKey,
    ZoneKey, is_key_rrset, nsec3_hash, verify_rrsig,
};
use crate::wire::each_record;
use crate::zonefile::Reader;
use crate::{Record, RecordList};

/// 2026-11-25 00:00:00 UTC.
pub(super) const NOW: u64 = 1_795_564_800;

pub(super) const HEAD: &str = "$ORIGIN tld.\n$TTL 3600\n\
    @ SOA ns.nic Host.nic 5 7200 900 604800 300\n@ NS ns.nic\nns.nic A 192.0.2.1\n";

pub(super) fn records(text: &str) -> Vec<Record> {
    let input = Box::new(Cursor::new(text.as_bytes().to_vec()));
    let reader = Reader::new(input, Path::new("test.zone"), Some(Name::root()));
    reader.collect::<Result<_, _>>().unwrap()
}

pub(super) fn key(algorithm: Algorithm) -> ZoneKey {
    ZoneKey::combined(Arc::new(SoftwareKey::generate(algorithm).unwrap().0))
}

pub(super) fn signing(denial: Denial) -> Signing {
    let values = PolicyValues {
        denial,
        ..PolicyValues::default()
    };
    let policy = SigningPolicy::new(values).unwrap();
    Signing::new(policy, vec![key(Algorithm::EcdsaP256Sha256)], NOW).unwrap()
}

pub(super) fn compile(
    records: Vec<Record>,
    signing: &Signing,
    previous: Option<&Arc<Generation>>,
) -> Result<(Report, Arc<Generation>), CompileError> {
    let directory = tempfile::tempdir().unwrap();
    let mut installer = Installer::replace(directory.path(), None).unwrap();
    let mut source = RecordList::new("tld.".parse().unwrap(), 42, records);
    let options = Options {
        signing: Some(Arc::new(signing.clone())),
        previous: previous.cloned(),
        ..Options::default()
    };
    let report = compile_with(&mut source, &mut installer, &options, &|_| {})?;
    installer.commit().unwrap();
    let generation = Generation::open(directory.path(), Memory::Sealed).unwrap();
    Ok((report, Arc::new(generation)))
}

pub(super) fn zone(generation: &Generation) -> Zone<'_> {
    let apex = LookupName::parse(b"\x03tld\x00").unwrap();
    generation.find_zone(&apex, 1).unwrap()
}

/// Every record of the image but addresses repeated as glue.
pub(super) fn dump(generation: &Generation) -> Vec<Record> {
    let mut records = Vec::new();
    each_record(zone(generation), &mut |part: Part, record| {
        if matches!(
            part,
            Part::Records | Part::Signatures | Part::RequiredGlue | Part::Proof
        ) {
            records.push(record);
        }
        Ok::<_, std::convert::Infallible>(())
    })
    .unwrap();
    records
}

type Set = (Vec<u8>, RecordType);

/// Whether a delegation stands above this name, or at it.
fn is_cut_off(owner: &Name, sets: &BTreeMap<Set, Vec<Record>>, with_own: bool) -> bool {
    let ancestors = owner.ancestors().skip(usize::from(!with_own));
    ancestors
        .take_while(|name| name.label_count() > 1)
        .any(|name| {
            let ns = (name.to_lowercase().as_wire().to_vec(), RecordType::NS);
            sets.contains_key(&ns)
        })
}

/// Checks that exactly what is the zone's own is signed, each RRset by each key that
/// has to, and that no proof lives longer than a miss.
#[track_caller]
pub(super) fn check_signatures(generation: &Generation, signing: &Signing) {
    let mut sets: BTreeMap<Set, Vec<Record>> = BTreeMap::new();
    let mut signatures: BTreeMap<Set, Vec<Box<[u8]>>> = BTreeMap::new();
    for record in dump(generation) {
        let owner = record.owner.to_lowercase().as_wire().to_vec();
        if record.rtype == RecordType::RRSIG {
            let covered = RrsigFields::parse(&record.rdata).unwrap().rtype;
            signatures
                .entry((owner, covered))
                .or_default()
                .push(record.rdata);
        } else {
            sets.entry((owner, record.rtype)).or_default().push(record);
        }
    }
    for ((owner, rtype), records) in &sets {
        let name = Name::from_wire(owner).unwrap();
        let proof = matches!(
            *rtype,
            RecordType::DS | RecordType::NSEC | RecordType::NSEC3
        );
        let own = !is_cut_off(&name, &sets, true) || proof && !is_cut_off(&name, &sets, false);
        let found = signatures
            .remove(&(owner.clone(), *rtype))
            .unwrap_or_default();
        let key = &signing.keys()[0].dnskey;
        assert_eq!(found.len(), usize::from(own), "RRSIGs of {name} {rtype}");
        let rdata: Vec<&[u8]> = records.iter().map(|record| &*record.rdata).collect();
        let rrset = SignableRrset {
            owner,
            rtype: *rtype,
            ttl: records[0].ttl,
            rdata: &rdata,
        };
        for rrsig in found {
            verify_rrsig(b"\x03tld\x00", key, &rrset, &rrsig, NOW)
                .unwrap_or_else(|error| panic!("{name} {rtype}: {error}"));
            let ttl = RrsigFields::parse(&rrsig).unwrap().original_ttl;
            assert_eq!(ttl, records[0].ttl, "{name} {rtype}");
        }
    }
    assert!(signatures.is_empty(), "RRSIGs over nothing: {signatures:?}");
}

/// The names of a zone by its text, and the types that the proof of each lists.
fn proven(source: &[Record], opt_out: bool, nsec: bool) -> BTreeMap<Name, BTreeSet<u16>> {
    let apex: Name = "tld.".parse().unwrap();
    let mut types: BTreeMap<Name, BTreeSet<u16>> = BTreeMap::new();
    let mut sets: BTreeMap<Set, Vec<Record>> = BTreeMap::new();
    for record in source {
        let owner = record.owner.to_lowercase().as_wire().to_vec();
        sets.entry((owner, record.rtype))
            .or_default()
            .push(record.clone());
    }
    for record in source {
        let owner = record.owner.to_lowercase();
        if is_cut_off(&owner, &sets, false) {
            continue;
        }
        let is_cut = is_cut_off(&owner, &sets, true);
        let ds = (owner.as_wire().to_vec(), RecordType::DS);
        let secure = sets.contains_key(&ds);
        if is_cut && opt_out && !secure {
            continue;
        }
        let listed = types.entry(owner.clone()).or_default();
        if !is_cut || matches!(record.rtype, RecordType::NS | RecordType::DS) {
            listed.insert(record.rtype.0);
        }
        if !is_cut || secure || nsec {
            listed.insert(RecordType::RRSIG.0);
        }
        for above in owner
            .ancestors()
            .skip(1)
            .filter(|name| name.is_below(&apex))
        {
            types.entry(above).or_default();
        }
    }
    types
}

fn listed_types(bitmap: &[u8]) -> BTreeSet<u16> {
    let mut types = BTreeSet::new();
    let mut rest = bitmap;
    while let [window, length, after @ ..] = rest {
        let (bits, next) = after.split_at(usize::from(*length));
        for bit in 0..8 * bits.len() {
            if bits[bit / 8] & (0x80 >> (bit % 8)) != 0 {
                types.insert(u16::from(*window) << 8 | u16::try_from(bit).unwrap());
            }
        }
        rest = next;
    }
    types
}

/// Checks that the proofs are those that the text asks for, no more and no fewer.
#[track_caller]
pub(super) fn check_proofs(generation: &Generation, source: &[Record], denial: Denial) {
    let nsec = denial == Denial::Nsec;
    let opt_out = denial == Denial::Nsec3 { opt_out: true };
    let mut expected = proven(source, opt_out, nsec);
    let apex: Name = "tld.".parse().unwrap();
    let at_apex = expected.get_mut(&apex).unwrap();
    at_apex.extend([RecordType::DNSKEY, RecordType::CDS, RecordType::CDNSKEY].map(|t| t.0));
    if nsec {
        expected.retain(|_, types| !types.is_empty());
        for types in expected.values_mut() {
            types.insert(RecordType::NSEC.0);
        }
    } else {
        at_apex.insert(RecordType::NSEC3PARAM.0);
    }
    let dumped = dump(generation);
    let found = dumped.iter().filter(|record| {
        record.rtype
            == if nsec {
                RecordType::NSEC
            } else {
                RecordType::NSEC3
            }
    });
    if nsec {
        let found: BTreeMap<Name, BTreeSet<u16>> = found
            .map(|record| {
                let next = zone_image::name::wire_length(&record.rdata).unwrap();
                (record.owner.clone(), listed_types(&record.rdata[next..]))
            })
            .collect();
        assert_eq!(found, expected);
        return;
    }
    let found: BTreeMap<[u8; 20], (u8, BTreeSet<u16>)> = found
        .map(|record| {
            let owner = record.owner.to_lowercase();
            let hash = crate::sign::nsec3_hash_of_owner(owner.as_wire()).unwrap();
            (hash, (record.rdata[1], listed_types(&record.rdata[26..])))
        })
        .collect();
    let expected: BTreeMap<[u8; 20], (u8, BTreeSet<u16>)> = expected
        .into_iter()
        .map(|(name, types)| {
            let hash = nsec3_hash(name.to_lowercase().as_wire());
            (hash, (u8::from(opt_out), types))
        })
        .collect();
    assert_eq!(found, expected);
}

pub(super) const DENIALS: [Denial; 3] = [
    Denial::Nsec,
    Denial::Nsec3 { opt_out: false },
    Denial::Nsec3 { opt_out: true },
];

const MIXED: &str = "a NS ns.a\na NS ns.b\nns.a A 192.0.2.2\nb NS ns.b\nns.b AAAA 2001:db8::1\n\
    b DS 1 13 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF\n\
    * TXT any\nwww CNAME A.very.long.Name.elsewhere.\nmx MX 10 Mail.MX\nd DNAME elsewhere.\n\
    x.y.z TYPE65280 \\# 3 010203\nonly.for.cut NS ns.elsewhere.\ne.*.f.g A 192.0.2.9\n";

#[test]
fn what_is_the_zones_own_is_signed_and_proven() {
    for denial in DENIALS {
        let source = records(&format!("{HEAD}{MIXED}"));
        let signing = signing(denial);
        let (report, generation) = compile(source.clone(), &signing, None).unwrap();
        check_signatures(&generation, &signing);
        check_proofs(&generation, &source, denial);
        let made = dump(&generation)
            .iter()
            .filter(|record| record.rtype == RecordType::RRSIG)
            .count();
        assert_eq!(report.signed.made, made as u64);
    }
}

#[test]
fn a_key_signing_key_signs_keys_and_a_zone_signing_key_the_rest() {
    use crate::sign::{FLAG_SEP, FLAG_ZONE, Signs};
    let new = || Arc::new(SoftwareKey::generate(Algorithm::EcdsaP256Sha256).unwrap().0);
    let keys = vec![
        ZoneKey::active(new(), FLAG_ZONE | FLAG_SEP, Signs::KEYS),
        ZoneKey::active(new(), FLAG_ZONE, Signs::ZONE),
    ];
    let tags = [keys[0].key_tag(), keys[1].key_tag()];
    let signing = Signing::new(SigningPolicy::default(), keys, NOW).unwrap();
    let (_, generation) = compile(records(HEAD), &signing, None).unwrap();
    for record in dump(&generation) {
        if record.rtype == RecordType::RRSIG {
            let fields = RrsigFields::parse(&record.rdata).unwrap();
            assert_eq!(
                fields.key_tag,
                tags[usize::from(!is_key_rrset(fields.rtype))]
            );
        }
    }
}

#[test]
fn an_expire_longer_than_signatures_live_is_refused() {
    let signing = signing(Denial::Nsec);
    let long = HEAD.replace("604800", "1209600");
    let Err(CompileError::Refused { faults, .. }) = compile(records(&long), &signing, None) else {
        panic!("compiled");
    };
    let fault = faults.iter().next().unwrap().to_string();
    assert!(
        fault.starts_with("tld.: SOA expire of 1209600 s"),
        "{fault}"
    );
    let longish = HEAD.replace("604800", "700000");
    let (report, _) = compile(records(&longish), &signing, None).unwrap();
    assert_eq!(report.warnings.count(), 1);
}

#[test]
fn a_zone_can_ask_for_the_removal_of_its_ds() {
    let signing = signing(Denial::Nsec).asking_for_removal();
    let (_, generation) = compile(records(HEAD), &signing, None).unwrap();
    let of = |rtype| {
        let all = dump(&generation);
        let found = all.into_iter().filter(move |record| record.rtype == rtype);
        found
            .map(|record| record.rdata.to_vec())
            .collect::<Vec<_>>()
    };
    assert_eq!(of(RecordType::CDS), [[0, 0, 0, 0, 0]]);
    assert_eq!(of(RecordType::CDNSKEY), [[0, 0, 3, 0, 0]]);
}
