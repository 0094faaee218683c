//! The aliases that one answer follows: how many, and whether they lead in circles.
//!
//! Remembers places in the message, not names, so that it costs little where there
//! is no alias.

use zone_image::{BodyRef, LookupName};

/// Most CNAME and DNAME steps that one reply follows.
const STEPS_MAX: usize = 16;

/// The steps so far.
pub(super) struct Chain {
    /// Where the names stand that were looked up.
    names: [usize; STEPS_MAX],
    names_count: usize,
    /// DNAME RRsets of the answer and where they stand.
    redirections: [(usize, usize); STEPS_MAX],
    redirections_count: usize,
}

impl Chain {
    /// Starts with the QNAME, which stands at `at`.
    pub(super) fn new(at: usize) -> Self {
        let mut names = [0; STEPS_MAX];
        names[0] = at;
        Self {
            names,
            names_count: 1,
            redirections: [(0, 0); STEPS_MAX],
            redirections_count: 0,
        }
    }

    /// Whether to go on with `name`, which stands at `at` of `message`: not with one
    /// that was looked up already, nor after too many steps. The client goes on from
    /// what it has.
    pub(super) fn extend(&mut self, message: &[u8], name: &LookupName, at: usize) -> bool {
        let known = |known: &usize| {
            LookupName::parse(&message[*known..])
                .is_ok_and(|known| known.suffix(known.labels()) == name.suffix(name.labels()))
        };
        if self.names_count == STEPS_MAX || self.names[..self.names_count].iter().any(known) {
            return false;
        }
        self.names[self.names_count] = at;
        self.names_count += 1;
        true
    }

    /// Where a DNAME stands that the answer has already.
    pub(super) fn redirection(&self, dname: BodyRef<'_>) -> Option<usize> {
        let known = &self.redirections[..self.redirections_count];
        let place = dname.address();
        known
            .iter()
            .find(|(own, _)| *own == place)
            .map(|(_, at)| *at)
    }

    /// Notes a DNAME that was written at `at`.
    pub(super) fn redirected(&mut self, dname: BodyRef<'_>, at: usize) {
        // As many as steps at most, since each step writes one.
        self.redirections[self.redirections_count] = (dname.address(), at);
        self.redirections_count += 1;
    }
}
