//! Choosing proofs: RFC 5155 section 7.2 for NSEC3, RFC 4035 section 3.1.3 for NSEC.
//!
//! Collects the proofs that a reply is to carry, each once, to be written when its
//! answer section is done. A zone without proofs adds none. Never hashes more names
//! than there are labels between QNAME and apex.

use zone_image::layout::{Denial, Part};
use zone_image::{BodyRef, Entry, LookupName, Nsec3, Zone};

use super::ahead::Hashed;
use super::query::rtype;
use super::response::Full;

/// Most bodies of proofs in one reply: a chain of aliases through wildcards needs
/// an NSEC and its RRSIGs a step.
const PROOFS_MAX: usize = 24;

/// Why a proof could not be given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unproven {
    /// It does not fit.
    Full,
    /// A name that does not exist has the hash of one that does (RFC 5155 section 7.2.9).
    Collision,
}

impl From<Full> for Unproven {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

type Proven = Result<(), Unproven>;

/// The proofs of a reply, each with where the apex of its zone stands in it.
pub(super) struct Proofs<'g> {
    bodies: [Option<(BodyRef<'g>, u16)>; PROOFS_MAX],
    count: usize,
}

impl<'g> Proofs<'g> {
    pub(super) fn new() -> Self {
        Self {
            bodies: [None; PROOFS_MAX],
            count: 0,
        }
    }

    fn add(&mut self, proof: BodyRef<'g>, apex: u16) -> Proven {
        if self.iter().any(|(own, _)| own.repeats(&proof)) {
            return Ok(());
        }
        let free = self.bodies.get_mut(self.count).ok_or(Unproven::Full)?;
        *free = Some((proof, apex));
        self.count += 1;
        Ok(())
    }

    /// The proofs in the order they were found.
    pub(super) fn iter(&self) -> impl Iterator<Item = (BodyRef<'g>, u16)> {
        self.bodies[..self.count].iter().copied().flatten()
    }

    /// Forgets the proofs, which are written.
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }
}

/// The NSEC3 of an apex and of the wildcard below it, which nearly every denial of a
/// registry needs: found once for all questions to a zone that follow each other.
#[derive(Default)]
pub(super) struct ApexProofs<'g> {
    zone: Option<Zone<'g>>,
    own: Option<Option<Nsec3<'g>>>,
    wildcard: Option<Option<Nsec3<'g>>>,
}

impl<'g> ApexProofs<'g> {
    /// The same for `zone`, one that `name` lies in.
    fn of(&mut self, zone: Zone<'g>) -> &mut Self {
        if !self.zone.is_some_and(|own| own.is(&zone)) {
            *self = Self {
                zone: Some(zone),
                ..Self::default()
            };
        }
        self
    }

    fn own(&mut self, zone: Zone<'g>, name: &LookupName) -> Option<Nsec3<'g>> {
        let hash = || zone.nsec3_hash(name, zone.apex_labels());
        let own = &mut self.of(zone).own;
        *own.get_or_insert_with(|| zone.nsec3(&hash()))
    }

    fn wildcard(&mut self, zone: Zone<'g>, name: &LookupName) -> Option<Nsec3<'g>> {
        let hash = || zone.nsec3_wildcard_hash(name, zone.apex_labels());
        let wildcard = &mut self.of(zone).wildcard;
        *wildcard.get_or_insert_with(|| zone.nsec3(&hash()))
    }
}

/// Finds proofs about one name.
pub(super) struct Prover<'g, 'r> {
    pub(super) zone: Zone<'g>,
    pub(super) name: &'r LookupName,
    /// Where the apex stands in the message.
    pub(super) apex: u16,
    /// The NSEC3 of this name that was found last: proofs ask for it twice.
    pub(super) hashed: &'r mut Option<Hashed<'g>>,
    pub(super) proofs: &'r mut Proofs<'g>,
    pub(super) of_apex: &'r mut ApexProofs<'g>,
}

impl<'g> Prover<'g, '_> {
    /// The name does not exist; its closest encloser has `encloser` labels.
    pub(super) fn name_error(&mut self, encloser: usize) -> Proven {
        match self.zone.denial() {
            Denial::None => Ok(()),
            Denial::Nsec => {
                self.nsec_before(self.name.labels(), false)?;
                self.nsec_before(encloser, true)
            }
            Denial::Nsec3 => {
                let provable = self.closest_encloser(encloser)?;
                match self.nsec3_of_wildcard(provable) {
                    // Below a name that opted out stands no wildcard of an ancestor:
                    // there is one, which does not make this name, and no proof of it.
                    Some(proof) if proof.matches && provable < encloser => Ok(()),
                    found => self.covering(found),
                }
            }
        }
    }

    /// The name exists without the type; `entry` is its own.
    pub(super) fn no_data(&mut self, entry: Entry<'g>) -> Proven {
        let labels = self.name.labels();
        match self.zone.denial() {
            Denial::None => Ok(()),
            // An empty non-terminal has no NSEC; the one before it spans it.
            Denial::Nsec if !self.nsec_of(entry)? => self.nsec_before(labels, false),
            Denial::Nsec => Ok(()),
            Denial::Nsec3 => self.nsec3_matching_or_encloser(labels),
        }
    }

    /// A delegation without DS; the cut has `labels` labels.
    pub(super) fn no_ds(&mut self, entry: Entry<'g>, labels: usize) -> Proven {
        match self.zone.denial() {
            Denial::None => Ok(()),
            Denial::Nsec => self.nsec_of(entry).map(drop),
            Denial::Nsec3 => self.nsec3_matching_or_encloser(labels),
        }
    }

    /// The answer was made from a wildcard below `encloser` labels: the name
    /// itself does not exist (RFC 5155 section 7.2.6).
    pub(super) fn expansion(&mut self, encloser: usize) -> Proven {
        match self.zone.denial() {
            Denial::None => Ok(()),
            Denial::Nsec => self.nsec_before(self.name.labels(), false),
            Denial::Nsec3 => {
                let next_closer = self.nsec3_of(encloser + 1);
                self.covering(next_closer)
            }
        }
    }

    /// The wildcard `entry` below `encloser` labels exists without the type.
    pub(super) fn wildcard_no_data(&mut self, entry: Entry<'g>, encloser: usize) -> Proven {
        match self.zone.denial() {
            Denial::None => Ok(()),
            Denial::Nsec => {
                self.nsec_before(self.name.labels(), false)?;
                // A wildcard without records has no NSEC; the one before it spans it.
                match self.nsec_of(entry)? {
                    true => Ok(()),
                    false => self.nsec_before(encloser, true),
                }
            }
            Denial::Nsec3 => {
                if self.closest_encloser(encloser)? < encloser {
                    // The wildcard opted out with its encloser. That of an ancestor does
                    // not make this name, and what it has would belie the answer.
                    return Ok(());
                }
                match self.nsec3_of_wildcard(encloser) {
                    Some(proof) => self.add(proof.body),
                    None => Ok(()),
                }
            }
        }
    }

    /// Proves the closest encloser that has an NSEC3, and that the next closer
    /// name has none (RFC 5155 section 7.2.1). Under opt-out a name that is there
    /// only because of insecure delegations has no NSEC3; then an ancestor of it
    /// is the closest encloser that can be proven. Returns its labels.
    fn closest_encloser(&mut self, encloser: usize) -> Result<usize, Unproven> {
        let mut labels = encloser;
        let mut next_closer = self.nsec3_of(labels + 1);
        loop {
            let own = self.nsec3_of(labels);
            match own {
                Some(proof) if proof.matches => {
                    self.add(proof.body)?;
                    break;
                }
                _ if labels > self.zone.apex_labels() => labels -= 1,
                _ => break,
            }
            next_closer = own;
        }
        self.covering(next_closer)?;
        Ok(labels)
    }

    fn nsec3_matching_or_encloser(&mut self, labels: usize) -> Proven {
        match self.nsec3_of(labels) {
            Some(proof) if proof.matches => self.add(proof.body),
            _ if labels > self.zone.apex_labels() => self.closest_encloser(labels - 1).map(drop),
            _ => Ok(()),
        }
    }

    /// The NSEC3 that matches or covers the last `labels` labels of the name.
    fn nsec3_of(&mut self, labels: usize) -> Option<Nsec3<'g>> {
        if let Some(hashed) = self.hashed.filter(|hashed| hashed.labels == labels) {
            return hashed.found;
        }
        if labels == self.zone.apex_labels() {
            return self.of_apex.own(self.zone, self.name);
        }
        let found = self.zone.nsec3(&self.zone.nsec3_hash(self.name, labels));
        *self.hashed = Some(Hashed { labels, found });
        found
    }

    /// The NSEC3 that matches or covers the wildcard below the last `labels` labels.
    fn nsec3_of_wildcard(&mut self, labels: usize) -> Option<Nsec3<'g>> {
        if labels == self.zone.apex_labels() {
            return self.of_apex.wildcard(self.zone, self.name);
        }
        let hash = self.zone.nsec3_wildcard_hash(self.name, labels);
        self.zone.nsec3(&hash)
    }

    /// Adds a proof that its name does not exist.
    fn covering(&mut self, found: Option<Nsec3<'g>>) -> Proven {
        match found {
            Some(proof) if proof.matches => Err(Unproven::Collision),
            Some(proof) => self.add(proof.body),
            None => Ok(()),
        }
    }

    fn nsec_before(&mut self, labels: usize, wildcard: bool) -> Proven {
        match self.zone.nsec_at_or_before(self.name, labels, wildcard) {
            Some(entry) => self.nsec_of(entry).map(drop),
            None => Ok(()),
        }
    }

    /// Adds the NSEC of an entry with its RRSIGs; says whether it has one.
    fn nsec_of(&mut self, entry: Entry<'g>) -> Result<bool, Unproven> {
        let Some(records) = entry.body(rtype::NSEC, Part::Records) else {
            return Ok(false);
        };
        self.add(records)?;
        if let Some(signatures) = entry.body(rtype::NSEC, Part::Signatures) {
            self.add(signatures)?;
        }
        Ok(true)
    }

    fn add(&mut self, proof: BodyRef<'g>) -> Proven {
        self.proofs.add(proof, self.apex)
    }
}
