//! Signatures of the image that is in service, to be kept while they are good.
//!
//! An RRSIG is given back only for exactly the records that it was made over, and only
//! while the zone's DNSKEY still has the key that made it: two keys can have one tag.

use zone_image::layout::{Denial, Part};
use zone_image::{Generation, LookupName, Name, Zone};

use crate::Record;
use crate::rdata::to_canonical;
use crate::record::RecordType;
use crate::sign::{RrsigFields, SignableRrset, Signing, nsec3_hash_of_owner};
use crate::wire::{read_proof, read_rrset};

pub(crate) struct PreviousZone<'g> {
    zone: Zone<'g>,
    /// Algorithm and tag of the keys whose signatures may be kept.
    keys: Vec<(u8, u16)>,
}

impl<'g> PreviousZone<'g> {
    /// `None` where the generation has no such zone, or none of its keys.
    pub(super) fn new(generation: &'g Generation, apex: &Name, signing: &Signing) -> Option<Self> {
        let name = LookupName::parse(apex.as_wire()).ok()?;
        let zone = generation.find_zone(&name, name.labels())?;
        if *zone.apex() != *apex.as_wire() {
            return None;
        }
        Self::of(zone, signing)
    }

    /// As [`PreviousZone::new`], of a zone at hand.
    pub(crate) fn of(zone: Zone<'g>, signing: &Signing) -> Option<Self> {
        let entry = zone.apex_entry();
        let records = read_rrset(zone, entry, RecordType::DNSKEY, Part::Records);
        let published: Vec<&[u8]> = records.iter().map(|record| &*record.rdata).collect();
        let mut keys = Vec::new();
        for key in signing.keys() {
            let own = key.dnskey.rdata();
            let tag = (key.dnskey.algorithm.number(), key.key_tag());
            let same_tag = |rdata: &&&[u8]| (rdata[3], crate::sign::key_tag(rdata)) == tag;
            let mut of_tag = published.iter().filter(same_tag);
            if of_tag.next().is_some_and(|rdata| **rdata == *own) && of_tag.next().is_none() {
                keys.push(tag);
            }
        }
        (!keys.is_empty()).then_some(Self { zone, keys })
    }

    /// Whether signatures of this key, by algorithm and tag, may be kept.
    pub(crate) fn has_key(&self, key: (u8, u16)) -> bool {
        self.keys.contains(&key)
    }

    /// RRSIGs that were made over exactly this RRset.
    pub(super) fn signatures(&self, rrset: &SignableRrset<'_>) -> Vec<Box<[u8]>> {
        let (records, signatures) = if rrset.rtype == RecordType::NSEC3 {
            self.nsec3(rrset)
        } else {
            self.rrset(rrset)
        }
        .unwrap_or_default();
        if !same_records(rrset, &records) {
            return Vec::new();
        }
        let by_key = |record: &Record| {
            RrsigFields::parse(&record.rdata)
                .is_some_and(|fields| self.keys.contains(&(fields.algorithm, fields.key_tag)))
        };
        let kept = signatures.into_iter().filter(by_key);
        kept.map(|record| record.rdata).collect()
    }

    fn rrset(&self, rrset: &SignableRrset<'_>) -> Option<(Vec<Record>, Vec<Record>)> {
        let entry = self.zone.find(rrset.owner)?;
        let read = |part| read_rrset(self.zone, entry, rrset.rtype, part);
        Some((read(Part::Records), read(Part::Signatures)))
    }

    fn nsec3(&self, rrset: &SignableRrset<'_>) -> Option<(Vec<Record>, Vec<Record>)> {
        if self.zone.denial() != Denial::Nsec3 {
            return None;
        }
        let hash = nsec3_hash_of_owner(rrset.owner)?;
        let proof = self.zone.nsec3(&hash).filter(|proof| proof.matches)?;
        let records = read_proof(self.zone, proof.body);
        Some(
            records
                .into_iter()
                .partition(|record| record.rtype == RecordType::NSEC3),
        )
    }
}

fn same_records(rrset: &SignableRrset<'_>, records: &[Record]) -> bool {
    let canonical = |rdata: &[u8]| to_canonical(rrset.rtype, rdata);
    let mut new: Vec<_> = rrset.rdata.iter().map(|rdata| canonical(rdata)).collect();
    let mut old: Vec<_> = records
        .iter()
        .map(|record| canonical(&record.rdata))
        .collect();
    for set in [&mut new, &mut old] {
        set.sort_unstable();
        set.dedup();
    }
    new == old
}
