//! Looking a name up in steps (RFC 1034 section 4.3.2, step 3).
//!
//! Each step reads memory that the step before asked the processor for, and asks
//! for what the next one reads. Taken one after the other they are a look-up; taken
//! in turns with those of other names, no look-up waits for memory. The steps
//! decide; how they are taken changes nothing in what is found.

use rkyv::rend::unaligned::u64_ule;

use crate::generation::{Generation, depths};
use crate::hash::{slot_at, tag};
use crate::layout::{
    ArchivedNamePage, ArchivedNode, ArchivedSharedPage, ENTRY_DELEGATION, ENTRY_DNAME,
    ENTRY_WILDCARD_BELOW, NODE_SLOTS, PAGE_NAMES_MAX, PageRef,
};
use crate::lookup::{Entry, Lookup, LookupName, Zone};
use crate::name::NAME_BYTES_MAX;
use crate::prefetch;
use crate::segment::access;

/// The labels that a wildcard has before its closest encloser.
const WILDCARD: &[u8] = b"\x01*";

/// A walk from the root of a tree to the leaf of a key, one node a step.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'g> {
    key: u64,
    level: u32,
    place: Place<'g>,
    parent: Option<&'g ArchivedNode>,
}

#[derive(Clone, Copy)]
enum Place<'g> {
    Node(&'g ArchivedNode),
    Leaf(&'g [u8]),
    /// Where the tree has no leaf.
    Nowhere,
}

impl<'g> Walk<'g> {
    #[inline(always)]
    pub(crate) fn new(generation: &'g Generation, root: PageRef, key: u64) -> Self {
        Self {
            key,
            level: 0,
            place: Place::ask(generation, root, key, 0),
            parent: None,
        }
    }

    /// Goes one node down; says whether there was one.
    #[inline(always)]
    pub(crate) fn advance(&mut self, generation: &'g Generation) -> bool {
        let Place::Node(node) = self.place else {
            return false;
        };
        let below = PageRef(node.slots[slot_at(self.key, self.level)].to_native());
        self.level += 1;
        self.place = Place::ask(generation, below, self.key, self.level);
        self.parent = Some(node);
        true
    }

    /// The leaf that the walk ended at.
    #[inline(always)]
    pub(crate) fn leaf(&self) -> Option<&'g [u8]> {
        match self.place {
            Place::Leaf(octets) => Some(octets),
            _ => None,
        }
    }

    /// Where the key should stand among `count` sorted keys of the leaf, if they
    /// are spread evenly over the slots that lead there.
    pub(crate) fn place_among(&self, count: usize) -> usize {
        let within = slot_at(self.key, self.level);
        let (Some(parent), Some(level)) = (self.parent, self.level.checked_sub(1)) else {
            return count * within / NODE_SLOTS;
        };
        let slots = &parent.slots;
        let own = slot_at(self.key, level);
        let is_same = |slot: &&u64_ule| **slot == slots[own];
        let before = slots[..own].iter().rev().take_while(is_same).count();
        let after = slots[own + 1..].iter().take_while(is_same).count();
        let spread = (before + 1 + after) * NODE_SLOTS;
        count * (before * NODE_SLOTS + within) / spread
    }
}

impl<'g> Place<'g> {
    /// Asks for what the next step reads: a slot, or the root of a leaf, which is
    /// at its end.
    #[inline(always)]
    fn ask(generation: &'g Generation, reference: PageRef, key: u64, level: u32) -> Self {
        if reference.is_none() {
            return Self::Nowhere;
        }
        let octets = generation.page(reference);
        if reference.is_node() {
            let node = access::node(octets);
            prefetch::line(&node.slots[slot_at(key, level)]);
            return Self::Node(node);
        }
        let tail = octets.len().saturating_sub(size_of::<ArchivedNamePage>());
        prefetch::span(&octets[tail..]);
        Self::Leaf(octets)
    }
}

/// The search for the entry of exactly one name.
#[derive(Clone, Copy)]
pub(crate) struct Probe<'g> {
    hash: u64,
    state: ProbeState<'g>,
}

#[derive(Clone, Copy)]
enum ProbeState<'g> {
    Walking(Walk<'g>),
    /// At the entries whose tags are right, a bit each.
    Entry(&'g ArchivedNamePage, u64),
    /// At the name of the first of them.
    Name(&'g ArchivedNamePage, u64),
}

impl<'g> Probe<'g> {
    pub(crate) fn new(zone: Zone<'g>, wire: &[u8]) -> Self {
        let hash = zone.generation.seed.hash(wire);
        let names = PageRef(zone.page.names.to_native());
        Self {
            hash,
            state: ProbeState::Walking(Walk::new(zone.generation, names, hash)),
        }
    }

    /// Takes one step; gives the outcome after the last. `is_sought` compares
    /// the labels before the apex.
    #[inline]
    pub(crate) fn advance(
        &mut self,
        zone: Zone<'g>,
        is_sought: impl FnOnce(&[u8]) -> bool,
    ) -> Option<Option<Entry<'g>>> {
        match &mut self.state {
            ProbeState::Walking(walk) => {
                if walk.advance(zone.generation) {
                    return None;
                }
                match walk.leaf() {
                    Some(octets) => {
                        let page = access::names(octets);
                        self.try_next(page, matching_tags(page, tag(self.hash)))
                    }
                    None => Some(None),
                }
            }
            ProbeState::Entry(page, candidates) => {
                let (page, candidates) = (*page, *candidates);
                let entry = entry_at(zone, page, candidates);
                entry.ask();
                self.state = ProbeState::Name(page, candidates);
                None
            }
            ProbeState::Name(page, candidates) => {
                let (page, candidates) = (*page, *candidates);
                let entry = entry_at(zone, page, candidates);
                if is_sought(entry.relative_name()) {
                    return Some(Some(entry));
                }
                self.try_next(page, candidates & (candidates - 1))
            }
        }
    }

    fn try_next(
        &mut self,
        page: &'g ArchivedNamePage,
        candidates: u64,
    ) -> Option<Option<Entry<'g>>> {
        if candidates == 0 {
            return Some(None);
        }
        prefetch::line(&page.entries[candidates.trailing_zeros() as usize]);
        self.state = ProbeState::Entry(page, candidates);
        None
    }
}

fn entry_at<'g>(zone: Zone<'g>, page: &'g ArchivedNamePage, candidates: u64) -> Entry<'g> {
    Entry {
        zone,
        page,
        entry: &page.entries[candidates.trailing_zeros() as usize],
    }
}

/// The entries of a page with this tag, a bit each: eight tags are compared at once.
#[inline]
fn matching_tags(page: &ArchivedNamePage, tag: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // Gathers the lowest bit of each octet in the highest octet.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let wanted = u64::from(tag) * ONES;
    let mut found = 0;
    for (word, tags) in page.tags.chunks_exact(8).enumerate() {
        let tags: [u8; 8] = tags.try_into().expect("chunks of eight");
        let differs = u64::from_le_bytes(tags) ^ wanted;
        // The high bit of each octet that differs nowhere, without carries between octets.
        let equal = !(((differs & LOW) + LOW) | differs | LOW);
        found |= ((equal >> 7).wrapping_mul(GATHER) >> 56) << (8 * word);
    }
    // Past the last entry tags mean nothing.
    let unused = PAGE_NAMES_MAX - page.entries.len();
    found
        & u64::MAX
            .checked_shr(u32::try_from(unused).unwrap_or(0))
            .unwrap_or(0)
}

/// The look-up of a name in a zone.
#[derive(Clone, Copy)]
pub struct Seek<'g> {
    zone: Zone<'g>,
    /// Labels of the name that is probed for, or that the wildcard stands for.
    labels: usize,
    /// Flags of the closest encloser so far, which `found` is unless it is the apex.
    flags: u8,
    found: Option<Entry<'g>>,
    stage: Stage<'g>,
}

#[derive(Clone, Copy)]
enum Stage<'g> {
    /// Probing for the last `labels` labels.
    Name(Probe<'g>),
    /// Probing for the wildcard beside them.
    Wildcard(Probe<'g>),
    Done(Lookup<'g>),
}

impl<'g> Zone<'g> {
    /// Starts to look up `name`, which must lie in the zone.
    pub fn seek(self, name: &LookupName) -> Seek<'g> {
        debug_assert!(self.holds(name));
        let encloser_labels = self.apex_labels();
        let mut seek = Seek {
            zone: self,
            labels: encloser_labels,
            flags: self.page.apex_flags,
            found: None,
            stage: Stage::Done(Lookup::Missing { encloser_labels }),
        };
        seek.stage = seek.below(name);
        seek
    }
}

impl<'g> Seek<'g> {
    /// Takes one step; says whether there may be more to do. `name` is that of the start.
    #[inline]
    pub fn advance(&mut self, name: &LookupName) -> bool {
        let zone = self.zone;
        let apex_labels = zone.apex_labels();
        match &mut self.stage {
            Stage::Done(_) => return false,
            Stage::Name(probe) => {
                let labels = self.labels;
                let is_sought = |own: &[u8]| own == name.relative(labels, apex_labels);
                if let Some(found) = probe.advance(zone, is_sought) {
                    self.stage = self.settle(name, found);
                }
            }
            Stage::Wildcard(probe) => {
                let encloser_labels = self.labels - 1;
                let is_sought = |own: &[u8]| {
                    let encloser = own.strip_prefix(WILDCARD);
                    encloser == Some(name.relative(encloser_labels, apex_labels))
                };
                if let Some(found) = probe.advance(zone, is_sought) {
                    self.stage = Stage::Done(match found {
                        Some(entry) => Lookup::Wildcard {
                            entry,
                            encloser_labels,
                        },
                        None => Lookup::Missing { encloser_labels },
                    });
                }
            }
        }
        true
    }

    /// Where the look-up ended; takes the steps that are left.
    #[inline]
    pub fn finish(&mut self, name: &LookupName) -> Lookup<'g> {
        loop {
            if let Stage::Done(lookup) = self.stage {
                return lookup;
            }
            self.advance(name);
        }
    }

    fn settle(&mut self, name: &LookupName, found: Option<Entry<'g>>) -> Stage<'g> {
        let Some(entry) = found else {
            return self.missing(name);
        };
        self.flags = entry.entry.flags;
        if self.flags & ENTRY_DELEGATION != 0 {
            return Stage::Done(Lookup::Delegation {
                entry,
                labels: self.labels,
            });
        }
        self.found = Some(entry);
        self.below(name)
    }

    /// Goes on below the name of `labels` labels, which exists.
    fn below(&mut self, name: &LookupName) -> Stage<'g> {
        let own =
            |zone: Zone<'g>, found: Option<Entry<'g>>| found.unwrap_or_else(|| zone.apex_entry());
        if self.labels == name.labels() {
            return Stage::Done(Lookup::Name(own(self.zone, self.found)));
        }
        if self.flags & ENTRY_DNAME != 0 {
            return Stage::Done(Lookup::Redirection {
                entry: own(self.zone, self.found),
                labels: self.labels,
            });
        }
        self.labels += 1;
        let depths = depths(&self.zone.page.depths);
        match depths >> (self.labels - self.zone.apex_labels()) & 1 {
            1 => Stage::Name(Probe::new(self.zone, name.suffix(self.labels))),
            _ => self.missing(name),
        }
    }

    /// The name of `labels` labels is not there.
    fn missing(&self, name: &LookupName) -> Stage<'g> {
        let encloser_labels = self.labels - 1;
        if self.flags & ENTRY_WILDCARD_BELOW == 0 {
            return Stage::Done(Lookup::Missing { encloser_labels });
        }
        let encloser = name.suffix(encloser_labels);
        let mut wildcard = [0; NAME_BYTES_MAX + WILDCARD.len()];
        wildcard[..WILDCARD.len()].copy_from_slice(WILDCARD);
        let length = WILDCARD.len() + encloser.len();
        wildcard[WILDCARD.len()..length].copy_from_slice(encloser);
        Stage::Wildcard(Probe::new(self.zone, &wildcard[..length]))
    }
}

/// Brings the bodies of an entry into the caches, in steps.
#[derive(Clone, Copy)]
pub struct Touch<'g> {
    zone: Zone<'g>,
    state: TouchState<'g>,
}

#[derive(Clone, Copy)]
enum TouchState<'g> {
    Table(Entry<'g>),
    /// On the way to a shared body with this place in its page.
    Walking(Walk<'g>, usize),
    Body(&'g ArchivedSharedPage, usize),
    Done,
}

impl<'g> Touch<'g> {
    /// Starts with an entry that a look-up found.
    pub fn new(entry: Entry<'g>) -> Self {
        Self {
            zone: entry.zone,
            state: TouchState::Table(entry),
        }
    }

    /// Takes one step; says whether there may be more to do.
    #[inline]
    pub fn advance(&mut self) -> bool {
        let generation = self.zone.generation;
        self.state = match &mut self.state {
            TouchState::Done => return false,
            TouchState::Table(entry) => match entry.ask_bodies() {
                Some((root, key, in_page)) => {
                    TouchState::Walking(Walk::new(generation, root, key), in_page)
                }
                None => TouchState::Done,
            },
            TouchState::Walking(walk, in_page) => {
                if walk.advance(generation) {
                    return true;
                }
                match walk.leaf() {
                    Some(octets) => {
                        let page = access::shared(octets);
                        prefetch::line(&page.bodies[*in_page]);
                        TouchState::Body(page, *in_page)
                    }
                    None => TouchState::Done,
                }
            }
            TouchState::Body(page, in_page) => {
                let body = &page.bodies[*in_page];
                let start = body.place.to_native() as usize;
                let end = start + usize::from(body.length.to_native());
                prefetch::span(&page.heap[start..end]);
                TouchState::Done
            }
        };
        true
    }
}
