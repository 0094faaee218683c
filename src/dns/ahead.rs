//! What an answer will read, brought near before it is written.
//!
//! A question to a zone starts here. Its look-up is taken in steps, so that a batch
//! can take those of many questions in turns and none waits for memory; then the
//! records that were found and the NSEC3 that a denial will need are asked for.
//! Without these steps the answer is the same, and slower.

use zone_image::layout::Denial;
use zone_image::{Lookup, LookupName, Nsec3, Nsec3Seek, Seek, Touch, Zone};

use super::query::{Query, rtype};

/// The NSEC3 that matches or covers the last labels of a name.
#[derive(Clone, Copy)]
pub(super) struct Hashed<'g> {
    pub(super) labels: usize,
    pub(super) found: Option<Nsec3<'g>>,
}

/// A question on its way to an answer.
pub(super) struct Ahead<'g> {
    pub(super) zone: Zone<'g>,
    seek: Seek<'g>,
    /// Whether what follows the look-up was planned.
    planned: bool,
    touch: Option<Touch<'g>>,
    /// Labels of the name whose NSEC3 is sought.
    proof: Option<(usize, Nsec3Seek<'g>)>,
}

impl<'g> Ahead<'g> {
    pub(super) fn new(zone: Zone<'g>, name: &LookupName) -> Self {
        Self {
            zone,
            seek: zone.seek(name),
            planned: false,
            touch: None,
            proof: None,
        }
    }

    /// Takes one step; says whether there may be more to do.
    #[inline]
    pub(super) fn advance(&mut self, query: &Query<'_>) -> bool {
        if !self.planned {
            if self.seek.advance(query.name) {
                return true;
            }
            self.plan(query);
            self.planned = true;
        }
        let touching = self.touch.as_mut().is_some_and(Touch::advance);
        let proving = self.proof.as_mut().is_some_and(|(_, seek)| seek.advance());
        touching | proving
    }

    /// Decides from where the look-up ended what the answer will read.
    fn plan(&mut self, query: &Query<'_>) {
        let name = query.name;
        let (entry, denied) = match self.seek.finish(name) {
            Lookup::Name(entry)
            | Lookup::Redirection { entry, .. }
            | Lookup::Wildcard { entry, .. } => (Some(entry), None),
            Lookup::Delegation { entry, labels } => {
                (Some(entry), (!entry.has(rtype::DS)).then_some(labels))
            }
            Lookup::Missing { encloser_labels } => (None, Some(encloser_labels + 1)),
        };
        self.touch = entry.map(Touch::new);
        if let Some(labels) = denied
            && query.edns.is_some_and(|edns| edns.dnssec_ok)
            && self.zone.denial() == Denial::Nsec3
        {
            let hash = self.zone.nsec3_hash(name, labels);
            let seek = self.zone.seek_nsec3(&hash);
            self.proof = seek.map(|seek| (labels, seek));
        }
    }

    /// Where the look-up ended, and the proof that was sought meanwhile. Takes the
    /// steps that are left.
    pub(super) fn finish(&mut self, name: &LookupName) -> (Lookup<'g>, Option<Hashed<'g>>) {
        let hashed = self.proof.as_mut().map(|(labels, seek)| Hashed {
            labels: *labels,
            found: seek.finish(),
        });
        (self.seek.finish(name), hashed)
    }
}
