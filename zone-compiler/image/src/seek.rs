//! Looking a name up in steps (RFC 1034 section 4.3.2, step 3).
//!
//! Each step reads memory that the step before asked the processor for, and asks
//! for what the next one reads. A batch takes each step for all its names before
//! the next step, so that no look-up waits for memory; one name takes the same
//! steps alone. What is asked for changes nothing in what is found.
//!
//! The order is: [`Seek::descend`] until it says no, [`Seek::read_tags`],
//! [`Seek::read_entries`], [`Seek::settle`]; from the start while `settle` says yes.

use crate::generation::depths;
use crate::hash::tag;
use crate::layout::{
    ArchivedEntry, ArchivedNamePage, ArchivedSharedPage, ENTRY_DELEGATION, ENTRY_DNAME,
    ENTRY_WILDCARD_BELOW, PAGE_NAMES_MAX, PageRef, shared_key,
};
use crate::lookup::{Entry, Lookup, LookupName, Zone, relative_name, shared_place};
use crate::name::NAME_BYTES_MAX;
use crate::prefetch;
use crate::segment::access;
use crate::tags;
use crate::walk::Walk;

/// The labels that a wildcard has before its closest encloser.
const WILDCARD: &[u8] = b"\x01*";

/// The search for the entry of exactly one name.
#[derive(Clone, Copy)]
pub(crate) struct Probe<'g> {
    hash: u64,
    walk: Walk<'g>,
    page: Option<&'g ArchivedNamePage>,
    /// The entries whose tags are right, a bit each.
    candidates: u64,
}

/// An entry in its page.
#[derive(Clone, Copy)]
pub(crate) struct Found<'g> {
    page: &'g ArchivedNamePage,
    entry: &'g ArchivedEntry,
}

impl<'g> Found<'g> {
    #[inline]
    pub(crate) fn of(self, zone: Zone<'g>) -> Entry<'g> {
        Entry {
            zone,
            page: self.page,
            entry: self.entry,
            near: None,
        }
    }
}

impl<'g> Probe<'g> {
    #[inline]
    pub(crate) fn new(zone: Zone<'g>, wire: &[u8]) -> Self {
        let hash = zone.generation.seed.hash(wire);
        let names = PageRef(zone.page.names.to_native());
        let root_bytes = size_of::<ArchivedNamePage>();
        Self {
            hash,
            walk: Walk::new(zone.generation, names, hash, root_bytes),
            page: None,
            candidates: 0,
        }
    }

    #[inline]
    pub(crate) fn descend(&mut self, zone: Zone<'g>) -> bool {
        self.walk.advance(zone.generation)
    }

    /// Reads the tags of the page that the walk ended at.
    #[inline]
    pub(crate) fn read_tags(&mut self) {
        let Some(octets) = self.walk.leaf() else {
            return;
        };
        let page = access::names(octets);
        // Past the last entry tags mean nothing.
        let unused = PAGE_NAMES_MAX - page.entries.len().min(PAGE_NAMES_MAX);
        let used = u64::MAX.checked_shr(u32::try_from(unused).unwrap_or(0));
        self.page = Some(page);
        self.candidates = tags::places(&page.tags, tag(self.hash)) & used.unwrap_or(0);
        for found in self.found() {
            prefetch::value(found.entry);
        }
    }

    /// Asks for the names of the candidates, and for their tables of bodies.
    #[inline]
    fn read_entries(&self) {
        for found in self.found() {
            prefetch::ends(relative_name(found.page, found.entry));
            let start = usize::from(found.entry.bodies_start.to_native());
            let count = usize::from(found.entry.bodies_count.to_native());
            if let Some(last) = count.checked_sub(1) {
                prefetch::line(&found.page.bodies[start]);
                prefetch::value(&found.page.bodies[start + last]);
            }
        }
    }

    /// The entry whose labels before the apex are those that are sought.
    #[inline]
    pub(crate) fn find(&self, is_sought: impl Fn(&[u8]) -> bool) -> Option<Found<'g>> {
        let mut found = self.found();
        found.find(|found| is_sought(relative_name(found.page, found.entry)))
    }

    #[inline]
    fn found(&self) -> impl Iterator<Item = Found<'g>> + use<'g> {
        let (page, mut candidates) = (self.page, self.candidates);
        std::iter::from_fn(move || {
            let page = page.filter(|_| candidates != 0)?;
            let entry = &page.entries[candidates.trailing_zeros() as usize];
            candidates &= candidates - 1;
            Some(Found { page, entry })
        })
    }
}

/// The look-up of a name in a zone.
#[derive(Clone, Copy)]
pub struct Seek<'g> {
    zone: Zone<'g>,
    /// The closest encloser so far unless it is the apex; at the end, what was found.
    found: Option<Found<'g>>,
    /// Labels of the name that is probed for, or that the wildcard stands for.
    labels: usize,
    /// Flags of the closest encloser so far.
    flags: u8,
    aim: Aim,
    probe: Probe<'g>,
}

#[derive(Clone, Copy)]
enum Aim {
    /// The entry of the last `labels` labels.
    Name,
    /// That of the wildcard beside them.
    Wildcard,
    /// Nothing more: the look-up ended.
    End(End),
}

#[derive(Clone, Copy)]
enum End {
    Name,
    Delegation,
    Redirection,
    Wildcard,
    Missing,
}

impl<'g> Zone<'g> {
    /// Starts to look up `name`, which must lie in the zone.
    #[inline(always)]
    pub fn seek(self, name: &LookupName) -> Seek<'g> {
        debug_assert!(self.holds(name));
        let mut seek = Seek {
            zone: self,
            found: None,
            labels: self.apex_labels(),
            flags: self.page.apex_flags,
            aim: Aim::End(End::Missing),
            probe: Probe {
                hash: 0,
                walk: Walk::NOWHERE,
                page: None,
                candidates: 0,
            },
        };
        seek.below(name);
        seek
    }
}

impl<'g> Seek<'g> {
    /// The zone that is searched.
    #[inline]
    pub fn zone(&self) -> Zone<'g> {
        self.zone
    }

    /// Goes one node down the tree; says whether there was one.
    #[inline]
    pub fn descend(&mut self) -> bool {
        self.probe.descend(self.zone)
    }

    /// Reads the tags of the page at the end of the way down.
    #[inline]
    pub fn read_tags(&mut self) {
        if !matches!(self.aim, Aim::End(_)) {
            self.probe.read_tags();
        }
    }

    /// Reads the entries that the tags left.
    #[inline]
    pub fn read_entries(&mut self) {
        self.probe.read_entries();
    }

    /// Reads their names; says whether there is more to look for. `name` is that of
    /// the start.
    #[inline]
    pub fn settle(&mut self, name: &LookupName) -> bool {
        let apex_labels = self.zone.apex_labels();
        match self.aim {
            Aim::End(_) => return false,
            Aim::Name => {
                let sought = name.relative(self.labels, apex_labels);
                match self.probe.find(|own| own == sought) {
                    Some(found) => self.settle_at(name, found),
                    None => self.missing(name),
                }
            }
            Aim::Wildcard => {
                let encloser = name.relative(self.labels - 1, apex_labels);
                let is_sought = |own: &[u8]| own.strip_prefix(WILDCARD) == Some(encloser);
                self.found = self.probe.find(is_sought);
                self.aim = Aim::End(match self.found {
                    Some(_) => End::Wildcard,
                    None => End::Missing,
                });
            }
        }
        !matches!(self.aim, Aim::End(_))
    }

    /// The entry at which the look-up ended; none where it found none.
    #[inline]
    pub fn entry(&self) -> Option<Entry<'g>> {
        match self.aim {
            Aim::End(End::Missing) => None,
            _ => self.found.map(|found| found.of(self.zone)),
        }
    }

    /// Labels of the next closer name (RFC 5155 section 1.3) where the name is missing.
    #[inline]
    pub fn next_closer_labels(&self) -> Option<usize> {
        matches!(self.aim, Aim::End(End::Missing)).then_some(self.labels)
    }

    /// Labels of the cut that the look-up ended at, if it did.
    #[inline]
    pub fn cut_labels(&self) -> Option<usize> {
        matches!(self.aim, Aim::End(End::Delegation)).then_some(self.labels)
    }

    /// Takes the steps that are left.
    #[inline]
    pub fn complete(&mut self, name: &LookupName) {
        while !matches!(self.aim, Aim::End(_)) {
            while self.descend() {}
            self.read_tags();
            self.settle(name);
        }
    }

    /// Where the look-up ended, after its last step; before, it has found nothing yet.
    #[inline]
    pub fn lookup(&self) -> Lookup<'g> {
        let Aim::End(end) = self.aim else {
            return Lookup::Missing {
                encloser_labels: self.labels.saturating_sub(1),
            };
        };
        let labels = self.labels;
        let encloser_labels = labels.saturating_sub(1);
        match (end, self.entry()) {
            (End::Name, Some(entry)) => Lookup::Name(entry),
            (End::Delegation, Some(entry)) => Lookup::Delegation { entry, labels },
            (End::Redirection, Some(entry)) => Lookup::Redirection { entry, labels },
            (End::Wildcard, Some(entry)) => Lookup::Wildcard {
                entry,
                encloser_labels,
            },
            _ => Lookup::Missing { encloser_labels },
        }
    }

    #[inline]
    fn settle_at(&mut self, name: &LookupName, found: Found<'g>) {
        self.flags = found.entry.flags;
        self.found = Some(found);
        if self.flags & ENTRY_DELEGATION != 0 {
            self.aim = Aim::End(End::Delegation);
        } else {
            self.below(name);
        }
    }

    /// Goes on below the name of `labels` labels, which exists.
    #[inline]
    fn below(&mut self, name: &LookupName) {
        let end = if self.labels == name.labels() {
            End::Name
        } else if self.flags & ENTRY_DNAME != 0 {
            End::Redirection
        } else {
            self.labels += 1;
            let depths = depths(&self.zone.page.depths);
            if depths >> (self.labels - self.zone.apex_labels()) & 1 == 0 {
                return self.missing(name);
            }
            self.aim = Aim::Name;
            self.probe = Probe::new(self.zone, name.suffix(self.labels));
            return;
        };
        self.found = self.found.or_else(|| Some(self.zone.find_apex()));
        self.aim = Aim::End(end);
    }

    /// The name of `labels` labels is not there.
    #[inline]
    fn missing(&mut self, name: &LookupName) {
        if self.flags & ENTRY_WILDCARD_BELOW == 0 {
            self.aim = Aim::End(End::Missing);
        } else {
            self.seek_wildcard(name);
        }
    }

    #[cold]
    fn seek_wildcard(&mut self, name: &LookupName) {
        let encloser = name.suffix(self.labels - 1);
        let mut wildcard = [0; NAME_BYTES_MAX + WILDCARD.len()];
        wildcard[..WILDCARD.len()].copy_from_slice(WILDCARD);
        let length = WILDCARD.len() + encloser.len();
        wildcard[WILDCARD.len()..length].copy_from_slice(encloser);
        self.aim = Aim::Wildcard;
        self.probe = Probe::new(self.zone, &wildcard[..length]);
    }
}

/// The search for the page of the shared bodies of an entry, in steps: `descend`
/// until it says no, `read_root`, `read_heads`. An entry has them all in one page
/// mostly, since they were numbered one after the other.
#[derive(Clone, Copy)]
pub struct SharedSeek<'g> {
    number: u32,
    walk: Walk<'g>,
    page: Option<&'g ArchivedSharedPage>,
}

impl<'g> SharedSeek<'g> {
    /// Starts to look for the page of the shared body of this number.
    #[inline]
    pub(crate) fn new(zone: Zone<'g>, body: u32) -> Self {
        let (number, _) = shared_place(body);
        let root = PageRef(zone.page.shared.to_native());
        let root_bytes = size_of::<ArchivedSharedPage>();
        Self {
            number,
            walk: Walk::new(zone.generation, root, shared_key(number), root_bytes),
            page: None,
        }
    }

    /// Goes one node down the tree; says whether there was one.
    #[inline]
    pub fn descend(&mut self, zone: Zone<'g>) -> bool {
        self.walk.advance(zone.generation)
    }

    /// Reads where the bodies of `entry` are described.
    #[inline]
    pub fn read_root(&mut self, entry: &Entry<'g>) {
        let Some(octets) = self.walk.leaf() else {
            return;
        };
        let page = access::shared(octets);
        self.page = Some(page);
        for place in entry.shared_places(self.number) {
            prefetch::value(&page.bodies[place]);
        }
    }

    /// Reads where they are.
    #[inline]
    pub fn read_heads(&self, entry: &Entry<'g>) {
        let Some(page) = self.page else {
            return;
        };
        for place in entry.shared_places(self.number) {
            let body = &page.bodies[place];
            let start = body.place.to_native() as usize;
            prefetch::span(&page.heap[start..start + body.stored_bytes()]);
        }
    }

    /// `entry` with this page at hand.
    #[inline]
    pub fn near(&self, entry: Entry<'g>) -> Entry<'g> {
        Entry {
            near: self.page,
            ..entry
        }
    }
}
