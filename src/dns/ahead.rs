//! What an answer will read, brought near before it is written.
//!
//! A question to a zone starts here. Its look-up is taken in steps, each for all
//! questions of a batch before the next, so that none waits for memory; then the
//! records that were found and the NSEC3 that a denial will need are asked for.
//! One question alone takes the same steps.

use zone_image::layout::Denial;
use zone_image::{Lookup, LookupName, Nsec3, Nsec3Seek, Seek, SharedSeek, Zone};

use super::query::{Query, rtype};

/// Most probes that the questions of a batch make side by side. Whose name has more
/// labels than anybody asks for in earnest finishes its look-up alone.
const PROBES_MAX: usize = 8;

/// The NSEC3 that matches or covers the last labels of a name.
#[derive(Clone, Copy)]
pub(super) struct Hashed<'g> {
    pub(super) labels: usize,
    pub(super) found: Option<Nsec3<'g>>,
}

/// A question on its way to an answer.
pub(super) struct Ahead<'g, 'n> {
    name: &'n LookupName,
    dnssec_ok: bool,
    seek: Seek<'g>,
    shared: Option<SharedSeek<'g>>,
    /// Labels of the name whose NSEC3 is sought.
    proof: Option<(usize, Nsec3Seek<'g>)>,
}

impl<'g, 'n> Ahead<'g, 'n> {
    #[inline(always)]
    pub(super) fn new(zone: Zone<'g>, query: &Query<'n>) -> Self {
        Self {
            name: query.name,
            dnssec_ok: query.edns.is_some_and(|edns| edns.dnssec_ok),
            seek: zone.seek(query.name),
            shared: None,
            proof: None,
        }
    }

    pub(super) fn zone(&self) -> Zone<'g> {
        self.seek.zone()
    }

    /// Starts to look for what the answer will read.
    #[inline]
    fn plan(&mut self) {
        self.seek.complete(self.name);
        let mut denied = self.seek.next_closer_labels();
        if let Some(entry) = self.seek.entry() {
            self.shared = entry.ask_bodies(self.dnssec_ok);
            // Below a parked cut nothing is proven.
            if self.dnssec_ok && !entry.is_parked() && !entry.has(rtype::DS) {
                denied = self.seek.cut_labels();
            }
        }
        if self.dnssec_ok
            && let Some(labels) = denied
            && self.zone().denial() == Denial::Nsec3
        {
            let hash = self.zone().nsec3_hash(self.name, labels);
            let seek = self.zone().seek_nsec3(&hash);
            self.proof = seek.map(|seek| (labels, seek));
        }
    }

    /// Goes down the trees of shared bodies and of NSEC3; says whether there is more.
    #[inline]
    fn descend(&mut self) -> bool {
        let zone = self.zone();
        let shared = self.shared.as_mut().is_some_and(|seek| seek.descend(zone));
        let proof = self.proof.as_mut().is_some_and(|(_, seek)| seek.descend());
        shared | proof
    }

    #[inline]
    fn read_roots(&mut self) {
        if let Some(shared) = &mut self.shared
            && let Some(entry) = self.seek.entry()
        {
            shared.read_root(&entry);
        }
        if let Some((_, proof)) = &mut self.proof {
            proof.read_root();
        }
    }

    /// Says whether a proof is sought.
    #[inline]
    fn read_heads(&mut self) -> bool {
        if let Some(shared) = &self.shared
            && let Some(entry) = self.seek.entry()
        {
            shared.read_heads(&entry);
        }
        match &mut self.proof {
            Some((_, proof)) => {
                proof.read_ends();
                true
            }
            None => false,
        }
    }

    #[inline]
    fn find_proof(&mut self) {
        if let Some((_, proof)) = &mut self.proof {
            proof.read_hashes();
        }
    }

    #[inline]
    fn read_proof(&mut self) {
        if let Some((_, proof)) = &self.proof {
            proof.read_head();
        }
    }

    /// Where the look-up ended, and the proof that was sought.
    #[inline]
    pub(super) fn finish(&self) -> (Lookup<'g>, Option<Hashed<'g>>) {
        let hashed = self.proof.as_ref().map(|(labels, seek)| Hashed {
            labels: *labels,
            found: seek.found(),
        });
        let near = |entry| match &self.shared {
            Some(shared) => shared.near(entry),
            None => entry,
        };
        let lookup = match self.seek.lookup() {
            Lookup::Name(entry) => Lookup::Name(near(entry)),
            Lookup::Delegation { entry, labels } => Lookup::Delegation {
                entry: near(entry),
                labels,
            },
            other => other,
        };
        (lookup, hashed)
    }
}

/// Brings all these questions as far as they come without writing.
pub(super) fn bring_near(questions: &mut [Option<Ahead<'_, '_>>]) {
    for _ in 0..PROBES_MAX {
        // A tree has few levels, which the verifier has counted.
        while any(questions, |own| own.seek.descend()) {}
        each(questions, |own| own.seek.read_tags());
        each(questions, |own| own.seek.read_entries());
        if !any(questions, |own| own.seek.settle(own.name)) {
            break;
        }
    }
    each(questions, Ahead::plan);
    while any(questions, Ahead::descend) {}
    each(questions, Ahead::read_roots);
    if any(questions, Ahead::read_heads) {
        each(questions, Ahead::find_proof);
        each(questions, Ahead::read_proof);
    }
}

#[inline(always)]
fn each<'g, 'n>(questions: &mut [Option<Ahead<'g, 'n>>], mut step: impl FnMut(&mut Ahead<'g, 'n>)) {
    questions.iter_mut().flatten().for_each(&mut step);
}

#[inline(always)]
fn any<'g, 'n>(
    questions: &mut [Option<Ahead<'g, 'n>>],
    mut step: impl FnMut(&mut Ahead<'g, 'n>) -> bool,
) -> bool {
    let mut found = false;
    each(questions, |own| found |= step(own));
    found
}
