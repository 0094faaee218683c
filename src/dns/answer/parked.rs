//! Answering for parked names: cuts whose child zone is served here as well.
//!
//! All parked names of a zone have one child zone, which stands in the zone's page with
//! owners to be filled in: the cut for its apex, QNAME for what a wildcard below it makes
//! (RFC 4592 section 3.3). Name servers are those of the cut. It is not signed, so an
//! answer has no RRSIG and no proof; that the cut is insecure is the parent's to say, in
//! its answer for DS.

use zone_image::layout::Part;
use zone_image::{BodyRef, Entry};

use super::{Answer, Sought, Step, Unanswered};
use crate::dns::engine::Outcome;
use crate::dns::query::{rcode, rtype};
use crate::dns::response::Section;

impl<'g> Answer<'g, '_, '_> {
    /// A question at or below the parked cut of `labels` labels. DS at the cut is the
    /// parent's (RFC 4035 section 3.1.4.1) and does not come here.
    pub(super) fn parked(
        &mut self,
        entry: Entry<'g>,
        labels: usize,
        sought: Sought<'_>,
    ) -> Result<Step, Unanswered> {
        // An alias of the parent's may have led here; then the answer is the parent's.
        self.response.is_parked = self.response.answers() == 0;
        let is_apex = sought.name.labels() == labels;
        let part = match is_apex {
            true => Part::ParkedApex,
            false => Part::ParkedBelow,
        };
        let bases = self.bases(sought, sought.name.labels());
        if is_apex && self.qtype == rtype::NS && self.rrset(entry, rtype::NS, bases)? {
            return Ok(Step::Done(Outcome::Answer));
        }
        let found = match self.qtype {
            rtype::ANY => self.parked_any(part),
            qtype => self.zone.parked(part, qtype),
        };
        if let Some(body) = found {
            self.response.body(Section::Answer, body, bases)?;
            return Ok(Step::Done(Outcome::Answer));
        }
        let soa_bases = self.bases(sought, labels);
        if let Some(soa) = self.zone.parked(Part::ParkedApex, rtype::SOA) {
            self.response.body(Section::Authority, soa, soa_bases)?;
        }
        let has_wildcard = || self.zone.parked_bodies().any(|body| body.part() == part);
        if is_apex || has_wildcard() {
            return Ok(Step::Done(Outcome::NoData));
        }
        self.response.rcode = rcode::NXDOMAIN;
        Ok(Step::Done(Outcome::NxDomain))
    }

    /// One RRset for QTYPE ANY (RFC 8482 section 4.1): SOA at the apex, else the smallest.
    fn parked_any(&self, part: Part) -> Option<BodyRef<'g>> {
        let soa = self.zone.parked(part, rtype::SOA);
        let bodies = self.zone.parked_bodies();
        let smallest = || {
            bodies
                .filter(|body| body.part() == part)
                .min_by_key(BodyRef::length)
        };
        soa.or_else(smallest)
    }
}
