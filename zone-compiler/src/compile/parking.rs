//! Parked names: which delegations are, and the child zone that all of them share.
//!
//! A delegation is parked where its NS set is exactly the zone's parking servers and it
//! has no DS. So a name costs a flag beside its NS set, which all parked names share; what
//! it is answered with is made once, for the zone's page, with owners that are filled in
//! when an answer is written. Never signed: the parent proves that the cut is insecure.
//! Where parked names are signed, they are plain delegations with a DS, and `children` has
//! what becomes of them.

use std::collections::{BTreeMap, BTreeSet};

use zone_image::Zone;
use zone_image::layout::{PARKED_BODIES_MAX, Part};
use zone_image::writer::BodyBytes;

use super::encode::{Encoder, Scope};
use super::fault::Findings;
use super::shared::at_or_below;
use super::table::Table;
use crate::record::RecordType;
use crate::source::{ParkedRecord, Parking};

/// An RRset that all parked names have.
pub(crate) type ParkedBody = (Part, u16, BodyBytes);

/// What makes a delegation a parked one; nothing where the zone parks no names.
#[derive(Default)]
pub(crate) struct ParkedNames {
    /// In wire format, lower case.
    servers: BTreeSet<Box<[u8]>>,
}

impl ParkedNames {
    pub(crate) fn of(parking: &Parking) -> Self {
        let servers = parking.servers.iter();
        let servers = servers.map(|name| name.to_lowercase().as_wire().into());
        Self {
            servers: servers.collect(),
        }
    }

    /// Whether the delegation of this group is parked.
    pub(crate) fn holds(&self, table: &Table, group: usize) -> bool {
        if self.servers.is_empty() || table.has(group, RecordType::DS) {
            return false;
        }
        let owner = table.owner(group);
        let mut hosts = BTreeSet::new();
        for record in table.records(group) {
            if record.rtype == RecordType::NS {
                let host = record.rdata.to_ascii_lowercase().into_boxed_slice();
                // Who asks for such a server would be sent in a circle.
                if !self.servers.contains(&host) || at_or_below(&host, owner) {
                    return false;
                }
                hosts.insert(host);
            }
        }
        hosts.len() == self.servers.len()
    }
}

/// As [`prepare`] where parked names have zones of their own: it is checked, and the zone
/// itself has nothing for them.
pub(crate) fn check(parking: Option<&Parking>, apex: &[u8], faults: &mut Findings) {
    prepare(parking, apex, faults);
}

/// Checks what a zone has for parked names and encodes it.
pub(crate) fn prepare(
    parking: Option<&Parking>,
    apex: &[u8],
    faults: &mut Findings,
) -> (ParkedNames, Vec<ParkedBody>) {
    let Some(parking) = parking else {
        return Default::default();
    };
    let names = ParkedNames::of(parking);
    let mut sets: BTreeMap<(Part, u16), Vec<&ParkedRecord>> = BTreeMap::new();
    for record in &parking.records {
        let part = match record.is_below {
            true => Part::ParkedBelow,
            false => Part::ParkedApex,
        };
        sets.entry((part, record.rtype.0)).or_default().push(record);
    }
    if let Some(fault) = fault(&sets) {
        faults.push(apex, fault);
        return Default::default();
    }
    let mut bodies = Vec::new();
    for ((part, rtype), records) in sets {
        match body(apex, &records) {
            Some(body) => bodies.push((part, rtype, body)),
            None => faults.push(apex, "an RRset of parked names is too large; shorten it"),
        }
    }
    (names, bodies)
}

/// What is wrong with the RRsets of parked names.
fn fault(sets: &BTreeMap<(Part, u16), Vec<&ParkedRecord>>) -> Option<&'static str> {
    // What the verifier of an image refuses as well: it would lead elsewhere, or belong to
    // the parent or to a signer.
    const BAD: [u16; 9] = [2, 5, 39, 43, 46, 47, 48, 50, 51];
    if sets.len() > PARKED_BODIES_MAX {
        return Some("parked names have too many RRsets");
    }
    let soa = RecordType::SOA.0;
    let single = |set: &Vec<_>| set.len() == 1;
    if !sets.get(&(Part::ParkedApex, soa)).is_some_and(single) {
        return Some("parked names need one SOA");
    }
    let is_bad = |(part, rtype): &(Part, u16)| {
        BAD.contains(rtype) || *rtype == soa && *part == Part::ParkedBelow
    };
    sets.keys()
        .any(is_bad)
        .then_some("parked names have records of a type that they cannot have")
}

/// An RRset whose owner is filled in later. All of it has the least of its TTLs
/// (RFC 2181 section 5.2).
fn body(apex: &[u8], records: &[&ParkedRecord]) -> Option<BodyBytes> {
    let scope = Scope {
        owner: apex,
        apex,
        point_to_owner: false,
    };
    let ttl = records.iter().map(|record| record.ttl).min()?;
    let mut rdata: Vec<_> = records.iter().map(|r| (r.rtype, &*r.rdata)).collect();
    rdata.sort_unstable_by_key(|(_, rdata)| *rdata);
    rdata.dedup();
    let mut encoder = Encoder::new(scope);
    for (rtype, rdata) in rdata {
        encoder.owner_record(rtype, ttl, rdata);
    }
    encoder.finish()
}

/// Whether an installed zone has just this for parked names.
pub(crate) fn is_same(zone: Zone<'_>, bodies: &[ParkedBody]) -> bool {
    let there = zone.parked_bodies();
    let there = there.map(|body| (body.part(), body.rtype(), BodyBytes::from(body)));
    there.eq(bodies.iter().cloned())
}
