//! The records of a zone, each once, in no order that anybody may rely on.
//!
//! An image keeps glue with the delegations that name the host. A host's addresses are
//! handed on with the delegation that it lies below, where that one names it itself; where
//! only others do, with the first of these, and that is the one thing that is remembered.
//! Records of parked names are not the zone's and are left out (RFC 5936 section 3).

use std::collections::HashSet;
use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher13};
use zone_compiler::{Record, RecordType, wire};
use zone_image::layout::Part;
use zone_image::{Entry, Lookup, LookupName, Zone};

/// Most hosts remembered, 16 octets each. Addresses of more are repeated, and clients
/// ignore what is there twice (RFC 5936 section 2.2).
const LOOSE_HOSTS_MAX: usize = 1 << 20;
/// Answers of the look-ups of hosts that are kept, since many delegations name one.
const MEMO_SLOTS: usize = 1 << 10;

/// Where the addresses of a host stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// They are records of the zone at a name of its own.
    Own,
    /// The delegation at or above it names the host.
    Carried,
    /// Only other delegations name it, or the apex does.
    Loose,
    /// The zone has no place for them.
    Nowhere,
}

/// The SOA of a zone.
pub(super) fn soa(zone: Zone<'_>) -> Record {
    let apex = zone.apex_entry();
    let mut found = wire::read_rrset(zone, apex, RecordType::SOA, Part::Records);
    found.pop().expect("a compile refuses a zone without SOA")
}

/// Where the addresses of a host stand, named in lower case.
pub(super) fn home_of(zone: Zone<'_>, host: &[u8]) -> Home {
    let Ok(name) = LookupName::parse(host) else {
        return Home::Nowhere;
    };
    if !zone.holds(&name) {
        return Home::Nowhere;
    }
    match zone.lookup(&name) {
        Lookup::Name(_) => Home::Own,
        Lookup::Delegation { entry, .. } if carries(zone, entry, host) => Home::Carried,
        Lookup::Delegation { .. } => Home::Loose,
        Lookup::Redirection { .. } | Lookup::Wildcard { .. } | Lookup::Missing { .. } => {
            Home::Nowhere
        }
    }
}

/// Whether an entry has addresses of a host that lies at or below it.
fn carries(zone: Zone<'_>, entry: Entry<'_>, host: &[u8]) -> bool {
    let found = wire::each_record_of(zone, entry, &mut |part, record| {
        let is_host = part == Part::RequiredGlue && record.owner.as_wire() == host;
        if is_host { Err(()) } else { Ok(()) }
    });
    found.is_err()
}

/// Hands every record of a zone but its SOA to `sink`, until that gives an error.
pub(super) fn each_record<E>(
    zone: Zone<'_>,
    sink: &mut dyn FnMut(Record) -> Result<(), E>,
) -> Result<(), E> {
    let mut glue = Glue::new(zone);
    let mut result = Ok(());
    zone.any_entry(&mut |entry| {
        result = wire::each_record_of(zone, entry, &mut |part, record| {
            let is_wanted = match part {
                Part::Records => record.rtype != RecordType::SOA,
                Part::Signatures | Part::Proof => true,
                Part::RequiredGlue | Part::SiblingGlue => glue.is_first(entry, part, &record),
                // They stand with the addresses.
                Part::AddressSignatures | Part::ParkedApex | Part::ParkedBelow => false,
            };
            if is_wanted { sink(record) } else { Ok(()) }
        });
        result.is_err()
    });
    result?;
    wire::each_proof(zone, &mut |_, record| sink(record))
}

/// Decides with which delegation the addresses of a host are handed on.
struct Glue<'g> {
    zone: Zone<'g>,
    /// Loose hosts with the type of their addresses that were handed on.
    seen: HashSet<u128>,
    /// Where hosts stand that were asked for before, by their digests.
    memo: Vec<Option<(u128, Home)>>,
}

impl<'g> Glue<'g> {
    fn new(zone: Zone<'g>) -> Self {
        Self {
            zone,
            seen: HashSet::new(),
            memo: vec![None; MEMO_SLOTS],
        }
    }

    fn is_first(&mut self, entry: Entry<'_>, part: Part, record: &Record) -> bool {
        // At a cut, what is required lies at or below it.
        if entry.is_delegation() && part == Part::RequiredGlue {
            return true;
        }
        match self.home(record.owner.as_wire()) {
            Home::Own | Home::Carried => false,
            Home::Loose | Home::Nowhere => {
                let digest = digest(&[
                    record.owner.as_wire(),
                    &record.rtype.0.to_be_bytes(),
                    &record.rdata,
                ]);
                if self.seen.len() >= LOOSE_HOSTS_MAX {
                    return !self.seen.contains(&digest);
                }
                self.seen.insert(digest)
            }
        }
    }

    fn home(&mut self, host: &[u8]) -> Home {
        let digest = digest(&[host]);
        let slots = u128::try_from(MEMO_SLOTS).expect("a number of slots");
        let slot = usize::try_from(digest % slots).expect("less than the slots");
        match self.memo[slot] {
            Some((known, home)) if known == digest => home,
            _ => {
                let home = home_of(self.zone, host);
                self.memo[slot] = Some((digest, home));
                home
            }
        }
    }
}

/// Two that are equal are taken for one. Whoever chooses names does not know where an
/// equal pair would be: 2^64 names would have to be tried.
fn digest(parts: &[&[u8]]) -> u128 {
    let mut hasher = SipHasher13::new();
    for part in parts {
        hasher.write(part);
        hasher.write_u8(0xff);
    }
    hasher.finish128().as_u128()
}

#[cfg(test)]
mod tests;
