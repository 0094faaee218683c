//! Answering from a zone: RFC 1034 section 4.3.2 with RFC 2181, 2308, 4592, 6672.
//!
//! Walks no record: an answer is a few ready-made bodies in the right sections.
//! Whatever must be there and does not fit makes the reply a truncated one.

mod parked;

use zone_image::layout::{POINTER_REACH, Part};
use zone_image::name::NAME_BYTES_MAX;
use zone_image::{Bases, BodyRef, Entry, Generation, Lookup, LookupName, Zone};

use super::ahead::{Ahead, Hashed};
use super::chain::Chain;
use super::denial::{ApexProofs, Proofs, Prover, Unproven};
use super::engine::Outcome;
use super::query::{HEADER_BYTES, Query, rcode, rtype};
use super::response::{Full, Response, Section};

/// Why a question got no whole answer.
pub(super) type Unanswered = Unproven;

/// A name that is looked up, and where it stands uncompressed in the message.
#[derive(Clone, Copy)]
struct Sought<'n> {
    name: &'n LookupName,
    at: usize,
}

/// Finds the zone that answers a question. DS lives on the parent's side of a
/// cut, so at the apex of one of our zones the parent answers, if we have it
/// (RFC 4035 section 3.1.4.1).
/// `nearest` is where a question like this was answered from before.
#[inline]
pub(super) fn find_zone<'g>(
    generation: &'g Generation,
    query: &Query<'_>,
    nearest: &mut Option<Zone<'g>>,
) -> Option<Zone<'g>> {
    let labels = query.name.labels();
    let known = nearest.filter(|zone| generation.is_closest(*zone, query.name));
    let zone = match known {
        Some(zone) => zone,
        None => generation.find_zone(query.name, labels)?,
    };
    *nearest = Some(zone);
    if query.qtype == rtype::DS && labels > 0 && zone.apex_labels() == labels {
        return Some(generation.find_zone(query.name, labels - 1).unwrap_or(zone));
    }
    Some(zone)
}

/// Writes the answer to `query`, whose look-up is under way.
pub(super) fn answer<'g>(
    ahead: &Ahead<'g, '_>,
    query: &Query<'_>,
    response: &mut Response<'_>,
    of_apex: &mut ApexProofs<'g>,
) -> Result<Outcome, Unanswered> {
    response.authoritative = true;
    let (lookup, hashed) = ahead.finish();
    let mut answer = Answer {
        zone: ahead.zone(),
        qtype: query.qtype,
        response,
        hashed,
        proofs: None,
        of_apex,
        addresses: [None; 2],
        chain: None,
    };
    let asked = Sought {
        name: query.name,
        at: HEADER_BYTES,
    };
    let mut step = answer.step(lookup, asked)?;
    loop {
        match step {
            Step::Done(outcome) => {
                answer.finish()?;
                return Ok(outcome);
            }
            Step::Follow(at) => {
                let name = answer.name_at(at)?;
                answer.hashed = None;
                let next = Sought { name: &name, at };
                step = answer.step(answer.zone.lookup(&name), next)?;
            }
        }
    }
}

enum Step {
    Done(Outcome),
    /// Goes on with a name that stands there in the message.
    Follow(usize),
}

struct Answer<'g, 'r, 'o> {
    zone: Zone<'g>,
    qtype: u16,
    response: &'r mut Response<'o>,
    /// An NSEC3 of the name that is looked up.
    hashed: Option<Hashed<'g>>,
    /// For the authority section, once the answer section is done.
    proofs: Option<Proofs<'g>>,
    of_apex: &'r mut ApexProofs<'g>,
    /// For the additional section, after that.
    addresses: [Option<(BodyRef<'g>, Bases)>; 2],
    /// Bounds the steps; made with the first of them.
    chain: Option<Chain>,
}

impl<'g> Answer<'g, '_, '_> {
    #[inline]
    fn step(&mut self, lookup: Lookup<'g>, sought: Sought<'_>) -> Result<Step, Unanswered> {
        match lookup {
            Lookup::Name(entry) => self.name(entry, None, sought),
            Lookup::Wildcard {
                entry,
                encloser_labels,
            } => self.name(entry, Some(encloser_labels), sought),
            Lookup::Delegation { entry, labels }
                if self.qtype == rtype::DS && labels == sought.name.labels() =>
            {
                self.delegation_signer(entry, sought)
            }
            Lookup::Delegation { entry, labels } if entry.is_parked() => {
                self.parked(entry, labels, sought)
            }
            Lookup::Delegation { entry, labels } => self.referral(entry, labels, sought),
            Lookup::Redirection { entry, labels } => self.redirection(entry, labels, sought),
            Lookup::Missing { encloser_labels } => {
                self.response.rcode = rcode::NXDOMAIN;
                self.negative(sought)?;
                if self.response.dnssec_ok() {
                    self.prover(sought).name_error(encloser_labels)?;
                }
                Ok(Step::Done(Outcome::NxDomain))
            }
        }
    }

    /// Writes what had to wait for the answer section.
    fn finish(&mut self) -> Result<(), Full> {
        self.write_proofs()?;
        for (addresses, bases) in self.addresses.into_iter().flatten() {
            self.response
                .optional_body(Section::Additional, addresses, bases);
        }
        Ok(())
    }

    #[inline]
    fn write_proofs(&mut self) -> Result<(), Full> {
        let Self {
            proofs, response, ..
        } = self;
        let Some(proofs) = proofs else {
            return Ok(());
        };
        // Where the owner of the NSEC before stands: its RRSIGs point there.
        let mut owner = None;
        for (proof, apex) in proofs.iter() {
            let at = response.position();
            match owner.filter(|_| proof.part() == Part::Signatures) {
                Some(owner) => response.body_under(Section::Authority, proof, owner)?,
                None => {
                    let bases = Bases {
                        apex,
                        ..Bases::default()
                    };
                    response.body(Section::Authority, proof, bases)?;
                }
            }
            let reachable = proof.part() == Part::Records && at < POINTER_REACH;
            owner = u16::try_from(at).ok().filter(|_| reachable);
        }
        proofs.clear();
        Ok(())
    }

    fn prover<'s>(&'s mut self, sought: Sought<'s>) -> Prover<'g, 's> {
        let apex = self.bases(sought, self.zone.apex_labels()).apex;
        Prover {
            zone: self.zone,
            name: sought.name,
            apex,
            hashed: &mut self.hashed,
            proofs: self.proofs.get_or_insert_with(Proofs::new),
            of_apex: self.of_apex,
        }
    }

    /// Where owner and apex stand for an entry whose name has `labels` labels.
    #[inline]
    fn bases(&self, sought: Sought<'_>, labels: usize) -> Bases {
        let place = |labels| {
            // A name starts at POINTER_REACH at most and has 255 octets at most.
            u16::try_from(sought.at + sought.name.suffix_start(labels)).unwrap_or(0x3fff)
        };
        Bases {
            owner: place(labels),
            apex: place(self.zone.apex_labels()),
            lead: 0,
        }
    }

    /// A name that exists, or that the wildcard `entry` below `encloser` labels makes.
    fn name(
        &mut self,
        entry: Entry<'g>,
        encloser: Option<usize>,
        sought: Sought<'_>,
    ) -> Result<Step, Unanswered> {
        let bases = self.bases(sought, sought.name.labels());
        let alias = entry.has_cname() && !self.stands_beside_cname(entry);
        let at = self.response.position();
        let found = match self.qtype {
            _ if alias => self.rrset(entry, rtype::CNAME, bases)?,
            rtype::ANY => self.any(entry, bases)?,
            rtype::RRSIG => self.any_signatures(entry, bases)?,
            rtype::NSEC => self.nsec(entry, bases)?,
            qtype => self.rrset(entry, qtype, bases)?,
        };
        if self.response.dnssec_ok() {
            let mut prover = self.prover(sought);
            match (found, encloser) {
                (true, None) => {}
                (true, Some(encloser)) => prover.expansion(encloser)?,
                (false, None) => prover.no_data(entry)?,
                (false, Some(encloser)) => prover.wildcard_no_data(entry, encloser)?,
            }
        }
        if !found {
            self.negative(sought)?;
            return Ok(Step::Done(Outcome::NoData));
        }
        if alias {
            Ok(self.follow(at))
        } else {
            Ok(Step::Done(Outcome::Answer))
        }
    }

    /// Whether the question is about the CNAME, or about what a signed zone has beside it
    /// (RFC 4035 section 2.5). Where the zone has no such record, the alias is followed:
    /// a denial would be at odds with the CNAME bit of its proof (RFC 5155 section 8.5).
    fn stands_beside_cname(&self, entry: Entry<'g>) -> bool {
        match self.qtype {
            rtype::CNAME | rtype::ANY => true,
            rtype::RRSIG => entry.body(rtype::CNAME, Part::Signatures).is_some(),
            rtype::NSEC => entry.body(rtype::NSEC, Part::Records).is_some(),
            _ => false,
        }
    }

    /// Adds the RRset of this type with its signatures, and for an apex NS the
    /// addresses; says whether there is one.
    fn rrset(&mut self, entry: Entry<'g>, qtype: u16, bases: Bases) -> Result<bool, Full> {
        let Some(records) = entry.body(qtype, Part::Records) else {
            return Ok(false);
        };
        let lead = u16::try_from(self.response.position()).map_err(|_| Full)?;
        self.response.body(Section::Answer, records, bases)?;
        if self.response.dnssec_ok()
            && let Some(signatures) = entry.body(qtype, Part::Signatures)
        {
            self.response.body(Section::Answer, signatures, bases)?;
        }
        if qtype == rtype::NS {
            let bases = Bases { lead, ..bases };
            let part = |part| entry.body(qtype, part).map(|body| (body, bases));
            self.addresses[0] = part(Part::SiblingGlue);
            // RFC 4035 section 3.1.1: signed addresses go with their RRSIGs, if these fit.
            self.addresses[1] = part(Part::AddressSignatures).filter(|_| self.response.dnssec_ok());
        }
        Ok(true)
    }

    /// QTYPE NSEC. Its records are stored with their whole owner, which a wildcard's
    /// answer must not have.
    fn nsec(&mut self, entry: Entry<'g>, bases: Bases) -> Result<bool, Full> {
        let Some(records) = entry.body(rtype::NSEC, Part::Records) else {
            return Ok(false);
        };
        self.response
            .body_under(Section::Answer, records, bases.owner)?;
        if self.response.dnssec_ok()
            && let Some(signatures) = entry.body(rtype::NSEC, Part::Signatures)
        {
            self.response
                .body_under(Section::Answer, signatures, bases.owner)?;
        }
        Ok(true)
    }

    /// QTYPE ANY gets one RRset (RFC 8482 section 4.1): SOA at an apex, else the
    /// smallest. Not NSEC, whose owner is stored; nothing else stands with it alone.
    fn any(&mut self, entry: Entry<'g>, bases: Bases) -> Result<bool, Full> {
        let records = || {
            let bodies = entry.bodies();
            bodies.filter(|body| body.part() == Part::Records && body.rtype() != rtype::NSEC)
        };
        let soa = records().find(|body| body.rtype() == rtype::SOA);
        let Some(chosen) = soa.or_else(|| records().min_by_key(|body| body.length())) else {
            return Ok(false);
        };
        self.rrset(entry, chosen.rtype(), bases)
    }

    /// QTYPE RRSIG gets the signatures of one RRset, by the reasons of RFC 8482.
    fn any_signatures(&mut self, entry: Entry<'g>, bases: Bases) -> Result<bool, Full> {
        let mut signatures = entry
            .bodies()
            .filter(|body| body.part() == Part::Signatures && body.rtype() != rtype::NSEC);
        let Some(signatures) = signatures.next() else {
            return Ok(false);
        };
        self.response.body(Section::Answer, signatures, bases)?;
        Ok(true)
    }

    /// Goes on with the target of the CNAME that was written at `at`, as long as
    /// it is ours and later pointers can still reach it.
    fn follow(&mut self, at: usize) -> Step {
        let message = self.response.written();
        let owner_bytes = if message[at] >= 0xc0 { 2 } else { 1 };
        self.follow_to(at + owner_bytes + 10)
    }

    fn follow_to(&mut self, target: usize) -> Step {
        let message = self.response.written();
        let chain = self.chain.get_or_insert_with(|| Chain::new(HEADER_BYTES));
        match LookupName::parse(&message[target..]) {
            Ok(name)
                if target < POINTER_REACH
                    && self.zone.holds(&name)
                    && chain.extend(message, &name, target) =>
            {
                Step::Follow(target)
            }
            _ => Step::Done(Outcome::Answer),
        }
    }

    /// The name that stands there in the message; it was read before.
    fn name_at(&self, at: usize) -> Result<LookupName, Full> {
        LookupName::parse(&self.response.written()[at..]).map_err(|_| Full)
    }

    /// A DNAME above the name: the DNAME, and the CNAME it makes (RFC 6672 section 3.1).
    fn redirection(
        &mut self,
        entry: Entry<'g>,
        labels: usize,
        sought: Sought<'_>,
    ) -> Result<Step, Unanswered> {
        let at = self.write_dname(entry, self.bases(sought, labels))?;
        let message = self.response.written();
        let owner_bytes = if message[at] >= 0xc0 { 2 } else { 1 };
        let fixed = at + owner_bytes;
        let ttl = [
            message[fixed + 4],
            message[fixed + 5],
            message[fixed + 6],
            message[fixed + 7],
        ];
        let length = usize::from(u16::from_be_bytes([message[fixed + 8], message[fixed + 9]]));
        let redirected = &message[fixed + 10..fixed + 10 + length];

        let prefix_bytes = sought.name.suffix_start(labels);
        let prefix = &message[sought.at..sought.at + prefix_bytes];
        let target_bytes = prefix.len() + redirected.len();
        if target_bytes > NAME_BYTES_MAX {
            // RFC 6672 section 2.2: the name that the DNAME makes is no name.
            self.response.rcode = rcode::YXDOMAIN;
            return Ok(Step::Done(Outcome::Other));
        }
        let mut target = [0; NAME_BYTES_MAX];
        target[..prefix.len()].copy_from_slice(prefix);
        target[prefix.len()..target_bytes].copy_from_slice(redirected);
        let owner = self.bases(sought, sought.name.labels()).owner;
        let place = self
            .response
            .synthesized_cname(owner, ttl, &target[..target_bytes])?;
        if self.qtype == rtype::CNAME {
            return Ok(Step::Done(Outcome::Answer));
        }
        Ok(self.follow_to(place))
    }

    /// Writes a DNAME with its signatures unless the answer has it already (RFC 2181
    /// section 5); returns where it stands.
    fn write_dname(&mut self, entry: Entry<'g>, bases: Bases) -> Result<usize, Full> {
        let dname = entry.body(rtype::DNAME, Part::Records).ok_or(Full)?;
        let chain = self.chain.get_or_insert_with(|| Chain::new(HEADER_BYTES));
        if let Some(at) = chain.redirection(dname) {
            return Ok(at);
        }
        let at = self.response.position();
        self.rrset(entry, rtype::DNAME, bases)?;
        if let Some(chain) = &mut self.chain {
            chain.redirected(dname, at);
        }
        Ok(at)
    }

    /// DS at a cut is the parent's own data (RFC 4035 section 3.1.4.1).
    fn delegation_signer(
        &mut self,
        entry: Entry<'g>,
        sought: Sought<'_>,
    ) -> Result<Step, Unanswered> {
        let bases = self.bases(sought, sought.name.labels());
        if self.rrset(entry, rtype::DS, bases)? {
            return Ok(Step::Done(Outcome::Answer));
        }
        self.negative(sought)?;
        if self.response.dnssec_ok() {
            self.prover(sought).no_data(entry)?;
        }
        Ok(Step::Done(Outcome::NoData))
    }

    /// NS, DS and glue of a cut. NS carries no RRSIG here: it is the child's
    /// (RFC 4035 section 3.1.4).
    #[inline]
    fn referral(
        &mut self,
        entry: Entry<'g>,
        labels: usize,
        sought: Sought<'_>,
    ) -> Result<Step, Unanswered> {
        // An alias that led here was ours to answer; the referral alone is not.
        self.response.authoritative = self.response.answers() > 0;
        let mut bases = self.bases(sought, labels);
        bases.lead = u16::try_from(self.response.position()).map_err(|_| Full)?;
        let (mut required, mut sibling) = (None, None);
        let (dnssec_ok, mut secure) = (self.response.dnssec_ok(), false);
        let is_wanted = |rtype, _| rtype == rtype::NS || rtype == rtype::DS && dnssec_ok;
        for body in entry.bodies_where(is_wanted) {
            match (body.rtype(), body.part()) {
                (rtype::NS, Part::Records) => {
                    self.response.body(Section::Authority, body, bases)?
                }
                (rtype::NS, Part::RequiredGlue) => required = Some(body),
                (rtype::NS, Part::SiblingGlue) => sibling = Some(body),
                (rtype::DS, part) => {
                    secure |= part == Part::Records;
                    self.response.body(Section::Authority, body, bases)?;
                }
                _ => {}
            }
        }
        if dnssec_ok && !secure {
            self.prover(sought).no_ds(entry, labels)?;
        }
        // Those of aliases that led here as well.
        self.write_proofs()?;
        // RFC 9471 section 3.1: without in-domain glue the client cannot go on,
        // so say TC instead of leaving it out. Sibling glue is a help only.
        if let Some(required) = required {
            self.response.body(Section::Additional, required, bases)?;
        }
        if let Some(sibling) = sibling {
            self.response
                .optional_body(Section::Additional, sibling, bases);
        }
        Ok(Step::Done(Outcome::Referral))
    }

    /// The SOA of a negative answer (RFC 2308 section 3).
    fn negative(&mut self, sought: Sought<'_>) -> Result<(), Full> {
        let bases = self.bases(sought, sought.name.labels());
        if let Some(soa) = self.zone.negative(Part::Records) {
            self.response.body(Section::Authority, soa, bases)?;
        }
        if self.response.dnssec_ok()
            && let Some(signatures) = self.zone.negative(Part::Signatures)
        {
            self.response.body(Section::Authority, signatures, bases)?;
        }
        Ok(())
    }
}
