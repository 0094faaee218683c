//! Addresses of hosts, before and after a change.
//!
//! A host's addresses are records at its own name, or glue. Where they are glue, a
//! delegation that changed has them, or the one that the host lies below; only a host that
//! is named by neither has to be looked for among all.

use std::collections::{BTreeMap, BTreeSet};

use zone_compiler::{Record, RecordType, wire};
use zone_image::layout::Part;
use zone_image::{Entry, Lookup, LookupName, StoredBody, Zone};

use super::Flat;
use crate::transfer::records::{Home, home_of};

/// Addresses by host, whose name is in wire format.
type Glue = BTreeMap<Box<[u8]>, BTreeSet<Flat>>;

/// The hosts that a change touches.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    names: BTreeSet<Box<[u8]>>,
    /// Glue that names which changed have, before and after.
    glue: [Glue; 2],
}

impl Hosts {
    /// Notes a name that has addresses of its own.
    pub(super) fn note_name(&mut self, name: &[u8]) {
        if !self.names.contains(name) {
            self.names.insert(name.into());
        }
    }

    /// Notes an address in the glue of a name that changed.
    pub(super) fn note_glue(&mut self, side: usize, record: &Record) {
        let host = record.owner.as_wire();
        self.note_name(host);
        let addresses = self.glue[side].entry(host.into()).or_default();
        addresses.insert(Flat::new(record));
    }

    /// The addresses that all these hosts had and have.
    pub(super) fn differences(self, old: Zone<'_>, new: Zone<'_>) -> [BTreeSet<Flat>; 2] {
        let [before, after] = self.glue;
        [(old, before), (new, after)].map(|(zone, glue)| addresses(zone, &self.names, glue))
    }
}

/// The addresses of hosts in one image, of whose changed names the glue is known.
fn addresses(zone: Zone<'_>, hosts: &BTreeSet<Box<[u8]>>, mut glue: Glue) -> BTreeSet<Flat> {
    let mut found = BTreeSet::new();
    let mut lost = BTreeSet::new();
    for host in hosts {
        match home_of(zone, host) {
            Home::Own | Home::Carried => collect(zone, host, &mut found),
            Home::Loose | Home::Nowhere => match glue.remove(host) {
                Some(addresses) => found.extend(addresses),
                None => {
                    lost.insert(host.clone());
                }
            },
        }
    }
    search(zone, lost, &mut found);
    found
}

/// The addresses of a host at its own name, or with the delegation it lies below.
fn collect(zone: Zone<'_>, host: &[u8], found: &mut BTreeSet<Flat>) {
    let Ok(name) = LookupName::parse(host) else {
        return;
    };
    let (entry, wanted) = match zone.lookup(&name) {
        Lookup::Name(entry) => (entry, Part::Records),
        Lookup::Delegation { entry, .. } => (entry, Part::RequiredGlue),
        _ => return,
    };
    each_address(zone, entry, &mut |part, record| {
        if part == wanted && record.owner.as_wire() == host {
            found.insert(Flat::new(record));
        }
    });
}

/// Looks through all delegations for hosts, until each is found.
fn search(zone: Zone<'_>, mut lost: BTreeSet<Box<[u8]>>, found: &mut BTreeSet<Flat>) {
    let look = |entry: Entry<'_>, lost: &mut BTreeSet<Box<[u8]>>, found: &mut BTreeSet<Flat>| {
        let mut here = BTreeSet::new();
        each_address(zone, entry, &mut |part, record| {
            let host = record.owner.as_wire();
            if part != Part::Records && lost.contains(host) {
                found.insert(Flat::new(record));
                here.insert(Box::<[u8]>::from(host));
            }
        });
        lost.retain(|host| !here.contains(host));
    };
    if lost.is_empty() {
        return;
    }
    look(zone.apex_entry(), &mut lost, found);
    let mut looked_at = BTreeSet::new();
    zone.any_entry(&mut |entry| {
        let has_news = entry.stored_bodies().any(|(_, part, body)| match body {
            _ if part != Part::SiblingGlue => false,
            StoredBody::Own(_) => true,
            StoredBody::Shared(number) => looked_at.insert(number),
        });
        if has_news {
            look(entry, &mut lost, found);
        }
        lost.is_empty()
    });
}

fn each_address(zone: Zone<'_>, entry: Entry<'_>, visit: &mut dyn FnMut(Part, &Record)) {
    let all = wire::each_record_of(zone, entry, &mut |part, record| {
        let is_glue = matches!(part, Part::RequiredGlue | Part::SiblingGlue);
        let is_address = matches!(record.rtype, RecordType::A | RecordType::AAAA);
        if is_glue || part == Part::Records && is_address {
            visit(part, &record);
        }
        Ok::<_, std::convert::Infallible>(())
    });
    let Ok(()) = all;
}
