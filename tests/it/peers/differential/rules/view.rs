//! What rules ask of a case: where its aliases end, what its proofs say.

use zone_image::{Name, Nsec3Hasher};

use super::super::reply::{Record, Reply};
use super::super::zones::Standing;
use super::super::{Case, Difference};
use super::Side;

pub(super) const A: u16 = 1;
pub(super) const NS: u16 = 2;
pub(super) const CNAME: u16 = 5;
pub(super) const MX: u16 = 15;
pub(super) const AAAA: u16 = 28;
pub(super) const SRV: u16 = 33;
pub(super) const DNAME: u16 = 39;
pub(super) const DS: u16 = 43;
pub(super) const RRSIG: u16 = 46;
pub(super) const NSEC: u16 = 47;
pub(super) const NSEC3: u16 = 50;
pub(super) const ANY: u16 = 255;

/// Whether an additional record is an address that may be left out: not in-domain
/// glue of the delegation (RFC 9471 section 3.2).
pub(super) fn is_optional(whole: &Reply, record: &Record) -> bool {
    let cut = whole.sections[1].iter().find(|own| own.rtype == NS);
    [A, AAAA].contains(&record.of())
        && !cut.is_some_and(|cut| record.owner.is_at_or_below(&cut.owner))
}

/// Least octets of an address in a message: a pointer as its owner.
pub(super) fn address_octets(record: &Record) -> usize {
    12 + record.rdata.len()
}

impl Case<'_> {
    /// Where the aliases of our answer end: the name that the rest is about.
    pub(super) fn last(&self) -> Name {
        let path = self.path();
        path.last()
            .expect("a path starts with the question")
            .clone()
    }

    /// The name of the question and those that the aliases of our answer lead to.
    pub(super) fn path(&self) -> Vec<Name> {
        let mut path: Vec<Name> = Vec::new();
        let mut name = self.question.name.to_lowercase();
        loop {
            let is_loop = path.contains(&name);
            path.push(name.clone());
            let mut answer = self.ours.whole.answer().iter();
            match answer.find(|own| own.rtype == CNAME && own.owner == name) {
                Some(alias) if !is_loop => name = alias.target().expect("a CNAME has a target"),
                _ => return path,
            }
        }
    }

    /// Whether aliases of our answer lead to where they have been, or too far.
    pub(super) fn runs_on(&self) -> bool {
        let last = self.last();
        let aliases = |reply: &Reply| {
            let answer = reply.answer().iter();
            answer.filter(|own| own.rtype == CNAME).count()
        };
        aliases(&self.ours.whole) > 4
            || self
                .ours
                .whole
                .answer()
                .iter()
                .any(|own| own.rtype == CNAME && own.owner == last)
    }

    /// The wildcard that makes the last name, or could.
    pub(super) fn wildcard(&self) -> Option<Name> {
        match self.zone.standing(&self.last()) {
            Standing::Wildcard(encloser) | Standing::Missing(encloser) => encloser.child(b"*").ok(),
            _ => None,
        }
    }

    /// Whether the name is there only because of insecure delegations, so that under
    /// opt-out it has no NSEC3 (RFC 5155 section 7.1).
    pub(super) fn is_unprovable(&self, name: &Name) -> bool {
        self.zone.is_opted_out(name)
    }

    /// Whether our answer has an alias.
    pub(super) fn has_alias(&self) -> bool {
        self.ours
            .whole
            .answer()
            .iter()
            .any(|own| own.rtype == CNAME)
    }
}

/// A record that `side` has alone in `section`, of one of these types or signing one.
pub(super) fn only(difference: &Difference, side: Side, section: usize, types: &[u16]) -> bool {
    match difference {
        Difference::Only(own, at, record) => {
            *own == side && *at == section && types.contains(&record.of())
        }
        _ => false,
    }
}

/// The records that one side has alone.
pub(super) fn alone(differences: &[Difference], side: Side) -> impl Iterator<Item = &Record> {
    differences
        .iter()
        .filter_map(move |difference| match difference {
            Difference::Only(own, _, record) | Difference::Short(own, _, record)
                if *own == side =>
            {
                Some(record)
            }
            _ => None,
        })
}

/// Whether an NSEC says that the name is not there, or what it has (RFC 4034 section 4).
pub(super) fn speaks_of(nsec: &Record, name: &Name) -> bool {
    if nsec.rtype != NSEC {
        return false;
    }
    let end = zone_image::name::wire_length(&nsec.rdata).expect("an NSEC starts with a name");
    let next = Name::from_wire(&nsec.rdata[..end]).expect("its length was found");
    // The last NSEC leads back to the apex.
    nsec.owner == *name || nsec.owner < *name && (*name < next || next <= nsec.owner)
}

/// Whether the owner of an NSEC3 is the hash of the name.
pub(super) fn hash_is_of(owner: &Name, name: &Name) -> bool {
    let hash = Nsec3Hasher::new(0, &[]).hash(name.to_lowercase().as_wire());
    base32hex(owner.labels().next().unwrap_or_default()) == hash.as_slice()
}

/// Whether an NSEC3 matches or covers the hash of the name (RFC 5155 section 8.3).
pub(super) fn hash_speaks_of(nsec3: &Record, name: &Name) -> bool {
    if nsec3.rtype != NSEC3 {
        return false;
    }
    let hash = Nsec3Hasher::new(0, &[]).hash(name.to_lowercase().as_wire());
    let hash = hash.as_slice();
    let owner = base32hex(nsec3.owner.labels().next().unwrap_or_default());
    let owner = owner.as_slice();
    // Without salt the next hash stands behind six octets (RFC 5155 section 3.2).
    let next = &nsec3.rdata[6..26];
    owner == hash
        || match owner < next {
            true => owner < hash && hash < next,
            false => owner < hash || hash < next,
        }
}

/// Octets of a label in base 32 with extended hex alphabet (RFC 4648 section 7).
fn base32hex(label: &[u8]) -> Vec<u8> {
    let (mut octets, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for digit in label {
        let value = char::from(*digit).to_digit(32).expect("a label of a hash");
        (bits, count) = (bits << 5 | value, count + 5);
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count).to_le_bytes()[0]);
            bits &= (1 << count) - 1;
        }
    }
    octets
}
