//! The digest of a whole zone (RFC 8976, scheme SIMPLE, SHA-384).
//!
//! The zone is signed with a placeholder, digested without it, and the digest and its
//! signature take the placeholder's place. What is digested is what the image serves:
//! one TTL an RRset, and no address below a delegation that no NS needs.

use std::collections::HashSet;

use aws_lc_rs::digest;
use zone_image::{Name, SortKey};

use super::super::apex::ApexData;
use super::super::classify::{Names, Standing};
use super::super::shared::at_or_below;
use super::super::table::{Stored, Table, lookup_name};
use crate::rdata::to_canonical;
use crate::record::RecordType;
use crate::sign::{RrsetSigner, SignError, SignableRrset, Signing};

/// Octets of SHA-384.
pub(super) const DIGEST_BYTES: usize = 48;
/// Scheme SIMPLE, hash algorithm SHA-384 (RFC 8976 sections 5.2 and 5.3).
const SIMPLE_SHA384: [u8; 2] = [1, 1];

/// RDATA of ZONEMD (RFC 8976 section 2.2).
pub(super) fn rdata(serial: u32, digest: &[u8; DIGEST_BYTES]) -> Vec<u8> {
    let mut rdata = serial.to_be_bytes().to_vec();
    rdata.extend(SIMPLE_SHA384);
    rdata.extend_from_slice(digest);
    rdata
}

/// Gives the placeholder the TTL of SOA (RFC 8976 section 2) and the serial.
pub(super) fn set_ttl(table: &mut Table, apex: &Name, apex_data: &ApexData) {
    let rdata = rdata(apex_data.serial, &[0; DIGEST_BYTES]);
    let group = apex_group(table, apex);
    table.rewrite(group, apex_data.soa_ttl, |record| {
        (record.rtype == RecordType::ZONEMD).then(|| rdata.clone())
    });
}

/// The owners of the addresses that go with some NS, lower case.
pub(super) fn glue_in_use(table: &Table, names: &Names, apex: &Name) -> HashSet<Box<[u8]>> {
    let mut in_use = HashSet::new();
    for group in (0..table.groups()).filter(|group| names.has_entry(*group)) {
        for record in table.records(group).filter(|r| r.rtype == RecordType::NS) {
            let host = record.rdata.to_ascii_lowercase();
            if !at_or_below(&host, apex.as_wire()) {
                continue;
            }
            let found = table.find(&host);
            let glue = |group| {
                let standing = names.standing[group];
                matches!(standing, Standing::BelowCut | Standing::Delegation)
            };
            if found.is_some_and(glue) {
                in_use.insert(host.into());
            }
        }
    }
    in_use
}

/// Puts the digest and its signatures in the placeholder's place.
pub(super) fn complete(
    table: &mut Table,
    apex: &Name,
    signing: &Signing,
    in_use: &HashSet<Box<[u8]>>,
) -> Result<(), SignError> {
    let group = apex_group(table, apex);
    let placeholder = table
        .records(group)
        .find(|record| record.rtype == RecordType::ZONEMD)
        .expect("the placeholder was added");
    let ttl = placeholder.ttl;
    let serial = placeholder.rdata[..4].try_into().expect("its serial");
    let rdata = rdata(u32::from_be_bytes(serial), &digest(table, apex, in_use));
    let rrset = SignableRrset {
        owner: apex.as_wire(),
        rtype: RecordType::ZONEMD,
        ttl,
        rdata: &[&rdata],
    };
    let signatures = RrsetSigner::new(signing, apex).sign(&rrset)?.rdata;
    let mut signatures = signatures.iter();
    table.rewrite(group, ttl, |record| {
        if record.rtype == RecordType::ZONEMD {
            return Some(rdata.clone());
        }
        is_of_digest(record).then(|| signatures.next().expect("one a key").to_vec())
    });
    Ok(())
}

fn apex_group(table: &Table, apex: &Name) -> usize {
    let group = table.find(apex.as_wire());
    group.expect("a zone without SOA was refused")
}

/// Whether a record of the apex is ZONEMD or its signature, which are not digested (RFC
/// 8976 section 3.3.1).
fn is_of_digest(record: &Stored<'_>) -> bool {
    let covered = || {
        record
            .rdata
            .starts_with(&RecordType::ZONEMD.0.to_be_bytes())
    };
    record.rtype == RecordType::ZONEMD || record.rtype == RecordType::RRSIG && covered()
}

fn digest(table: &Table, apex: &Name, in_use: &HashSet<Box<[u8]>>) -> [u8; DIGEST_BYTES] {
    let apex_labels = lookup_name(apex.as_wire()).labels();
    let mut order: Vec<(Box<[u8]>, usize)> = (0..table.groups())
        .map(|group| {
            let name = lookup_name(table.owner(group));
            let key = SortKey::new(name.relative(name.labels(), apex_labels));
            (key.as_slice().into(), group)
        })
        .collect();
    order.sort_unstable();
    let mut context = digest::Context::new(&digest::SHA384);
    let mut cuts: Vec<Box<[u8]>> = Vec::new();
    for (key, group) in &order {
        // Below a cut come the names whose keys start with that of the cut.
        while cuts.last().is_some_and(|cut| !key.starts_with(cut)) {
            cuts.pop();
        }
        let is_cut = !key.is_empty() && table.has(*group, RecordType::NS);
        if is_cut && cuts.is_empty() {
            cuts.push(key.clone());
        }
        let glue = !cuts.is_empty();
        let served = !glue || in_use.contains(table.owner(*group));
        update(&mut context, table, *group, key.is_empty(), served);
    }
    let mut digest = [0; DIGEST_BYTES];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// Digests the records of a name in canonical order (RFC 8976 section 3.3).
fn update(
    context: &mut digest::Context,
    table: &Table,
    group: usize,
    is_apex: bool,
    addresses_served: bool,
) {
    let mut records: Vec<(RecordType, Box<[u8]>, RecordType, u32)> = table
        .records(group)
        .filter(|record| {
            let is_address = matches!(record.rtype, RecordType::A | RecordType::AAAA);
            let is_digest = is_apex && is_of_digest(record);
            !is_digest && (addresses_served || !is_address)
        })
        .map(|record| {
            let covered = match (record.rtype, record.rdata) {
                (RecordType::RRSIG, [high, low, ..]) => u16::from_be_bytes([*high, *low]),
                _ => 0,
            };
            let rdata = to_canonical(record.rtype, record.rdata);
            (record.rtype, rdata, RecordType(covered), record.ttl)
        })
        .collect();
    records.sort_unstable();
    records.dedup_by(|a, b| (a.0, &a.1) == (b.0, &b.1));
    for (rtype, rdata, covered, _) in &records {
        let of_set = records.iter().filter(|r| (r.0, r.2) == (*rtype, *covered));
        let ttl = of_set.map(|record| record.3).min();
        context.update(table.owner(group));
        context.update(&rtype.0.to_be_bytes());
        context.update(&1u16.to_be_bytes());
        context.update(&ttl.expect("at least itself").to_be_bytes());
        let length = u16::try_from(rdata.len()).expect("RDATA has 16 bits of length");
        context.update(&length.to_be_bytes());
        context.update(rdata);
    }
}
