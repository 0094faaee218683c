//! What one version of a zone has that another has not, by records (RFC 1995 section 2).
//!
//! Found from the pages of two images that differ, so that a server without a database can
//! tell it too, at the cost of the change. Addresses of a host stand with every delegation
//! that names it; whether a host that one of them gave up is still named by another is
//! only known after a look at all, which is done when there is such a host and ends when
//! all are found.

mod glue;

use std::collections::BTreeSet;

use zone_compiler::{Record, RecordType, wire};
use zone_image::layout::Part;
use zone_image::{Comparison, Entry, Name, Zone};

use self::glue::Hosts;
use super::records;

/// A record without compression: owner, type, TTL and RDATA, so that equal records have
/// equal octets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flat(Box<[u8]>);

impl Flat {
    pub(super) fn new(record: &Record) -> Self {
        let mut octets = record.owner.as_wire().to_vec();
        octets.extend_from_slice(&record.rtype.0.to_be_bytes());
        octets.extend_from_slice(&record.ttl.to_be_bytes());
        octets.extend_from_slice(&record.rdata);
        Self(octets.into())
    }

    /// The record, if these octets are one.
    pub(super) fn read(octets: &[u8]) -> Option<Record> {
        let length = zone_image::name::wire_length(octets).ok()?;
        let (owner, rest) = octets.split_at_checked(length)?;
        let (head, rdata) = rest.split_first_chunk::<6>()?;
        Some(Record {
            owner: Name::from_wire(owner).ok()?,
            rtype: RecordType(u16::from_be_bytes([head[0], head[1]])),
            ttl: u32::from_be_bytes([head[2], head[3], head[4], head[5]]),
            rdata: rdata.into(),
        })
    }

    pub(super) fn record(&self) -> Record {
        Self::read(&self.0).expect("it was made of a record")
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.0
    }
}

/// From one version of a zone to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    /// The SOA before.
    pub(super) from: Flat,
    /// The SOA after.
    pub(super) to: Flat,
    /// Records that go, without the SOA.
    pub(super) removed: BTreeSet<Flat>,
    /// Records that come, without the SOA.
    pub(super) added: BTreeSet<Flat>,
}

impl Difference {
    /// Adds a change that begins where this one ends.
    pub(super) fn follow(&mut self, next: Self) {
        for record in next.removed {
            if !self.added.remove(&record) {
                self.removed.insert(record);
            }
        }
        for record in next.added {
            if !self.removed.remove(&record) {
                self.added.insert(record);
            }
        }
        self.to = next.to;
    }
}

/// The change is larger than anybody would want to have it as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge;

/// What differs between two images of one zone, in at most so many octets.
pub(super) fn difference(
    old: Zone<'_>,
    new: Zone<'_>,
    bytes_max: usize,
) -> Result<Difference, TooLarge> {
    let comparison = Comparison::new(old, new);
    let shared = comparison.shared();
    let mut builder = Builder {
        old,
        new,
        comparison,
        sets: [BTreeSet::new(), BTreeSet::new()],
        hosts: Hosts::default(),
        bytes: 0,
        bytes_max,
        shared,
    };
    comparison.names(&mut |name| builder.name(name));
    if !builder.shared.is_empty() {
        builder.users_of_shared();
    }
    comparison.proofs(&mut |hash| builder.proof(hash));
    let hosts = std::mem::take(&mut builder.hosts);
    let [before, after] = hosts.differences(old, new);
    builder.differ(&before, &after);
    if builder.bytes > bytes_max {
        return Err(TooLarge);
    }
    let [removed, added] = builder.sets;
    let [from, to] = [old, new].map(|zone| Flat::new(&records::soa(zone)));
    Ok(Difference {
        from,
        to,
        removed,
        added,
    })
}

struct Builder<'o, 'n> {
    old: Zone<'o>,
    new: Zone<'n>,
    comparison: Comparison<'o, 'n>,
    /// Records removed, records added.
    sets: [BTreeSet<Flat>; 2],
    hosts: Hosts,
    bytes: usize,
    bytes_max: usize,
    /// Shared bodies that differ.
    shared: BTreeSet<u32>,
}

impl Builder<'_, '_> {
    /// Compares what both have at a name in wire format.
    fn name(&mut self, name: &[u8]) {
        if self.bytes > self.bytes_max {
            return;
        }
        let (old, new) = (self.old.find(name), self.new.find(name));
        if let (Some(old), Some(new)) = (&old, &new)
            && self.comparison.is_same_entry(old, new, &self.shared)
        {
            return;
        }
        let before = self.own_records(self.old, old, 0);
        let after = self.own_records(self.new, new, 1);
        self.differ(&before, &after);
    }

    /// The names whose own pages are as they were, while a body that they share is not.
    fn users_of_shared(&mut self) {
        let old = self.old;
        old.any_entry(&mut |entry| {
            let mut bodies = entry.stored_bodies();
            let uses = bodies.any(|(_, _, body)| match body {
                zone_image::StoredBody::Shared(number) => self.shared.contains(&number),
                zone_image::StoredBody::Own(_) => false,
            });
            if uses {
                self.name(entry.name().as_wire());
            }
            self.bytes > self.bytes_max
        });
    }

    fn proof(&mut self, hash: &[u8; 20]) {
        if self.bytes > self.bytes_max {
            return;
        }
        let of = |zone: Zone<'_>| -> BTreeSet<Flat> {
            let proof = zone.nsec3(hash).filter(|proof| proof.matches);
            let records = proof.map(|proof| wire::read_proof(zone, proof.body));
            records.unwrap_or_default().iter().map(Flat::new).collect()
        };
        let (before, after) = (of(self.old), of(self.new));
        self.differ(&before, &after);
    }

    /// The records of a name but for its SOA and addresses. Those, and glue, are noted for
    /// later, of the side of this number.
    fn own_records(
        &mut self,
        zone: Zone<'_>,
        entry: Option<Entry<'_>>,
        side: usize,
    ) -> BTreeSet<Flat> {
        let mut own = BTreeSet::new();
        let Some(entry) = entry else {
            return own;
        };
        let all = wire::each_record_of(zone, entry, &mut |part, record| {
            let is_address = matches!(record.rtype, RecordType::A | RecordType::AAAA);
            match part {
                Part::Records if is_address => self.hosts.note_name(record.owner.as_wire()),
                Part::RequiredGlue | Part::SiblingGlue => self.hosts.note_glue(side, &record),
                Part::Records if record.rtype == RecordType::SOA => {}
                Part::Records | Part::Signatures | Part::Proof => {
                    own.insert(Flat::new(&record));
                }
                Part::AddressSignatures | Part::ParkedApex | Part::ParkedBelow => {}
            }
            Ok::<_, std::convert::Infallible>(())
        });
        let Ok(()) = all;
        own
    }

    fn differ(&mut self, before: &BTreeSet<Flat>, after: &BTreeSet<Flat>) {
        for (set, (of, without)) in [(before, after), (after, before)].into_iter().enumerate() {
            for record in of.difference(without) {
                if self.sets[set].insert(record.clone()) {
                    self.bytes += record.octets().len();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
