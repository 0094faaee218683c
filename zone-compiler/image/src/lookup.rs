//! Looking a name up in a zone (RFC 1034 section 4.3.2, step 3).
//!
//! Every ancestor of a name has an entry, empty non-terminals included, so the
//! search goes down from the apex and ends at the first name that is not there:
//! one probe a label, and one in all for a zone whose names have one depth.

use crate::body::BodyRef;
use crate::generation::depths;
use crate::hash::tag;
use crate::layout::{
    ArchivedEntry, ArchivedNamePage, ArchivedZonePage, ENTRY_CNAME, ENTRY_DELEGATION, ENTRY_DNAME,
    ENTRY_WILDCARD_BELOW, PageRef, Part, SHARED,
};
use crate::name::{LABELS_MAX, NAME_BYTES_MAX};
use crate::segment::access;
use crate::{Generation, Name, NameError, ZoneInfo};

/// A name in lower case with the places of its labels, for look-ups.
#[derive(Debug, Clone)]
pub struct LookupName {
    wire: [u8; NAME_BYTES_MAX],
    length: u8,
    /// `starts[i]` is where the name without its first `i` labels starts.
    starts: [u8; LABELS_MAX + 1],
    labels: u8,
}

impl LookupName {
    /// Reads the uncompressed name at the start of `message`.
    pub fn parse(message: &[u8]) -> Result<Self, NameError> {
        let mut name = Self {
            wire: [0; NAME_BYTES_MAX],
            length: 0,
            starts: [0; LABELS_MAX + 1],
            labels: 0,
        };
        let mut at = 0;
        loop {
            let length = usize::from(*message.get(at).ok_or(NameError::Malformed)?);
            name.starts[usize::from(name.labels)] = u8::try_from(at).expect("below 255");
            let next = at + 1 + length;
            if length > 63 {
                return Err(NameError::Malformed);
            }
            if next > NAME_BYTES_MAX {
                return Err(NameError::NameTooLong);
            }
            let label = message.get(at..next).ok_or(NameError::Malformed)?;
            name.wire[at..next].copy_from_slice(label);
            at = next;
            if length == 0 {
                break;
            }
            name.labels += 1;
        }
        name.length = u8::try_from(at).expect("at most 255");
        // Length octets are at most 63 and so never look like letters.
        name.wire[..at].make_ascii_lowercase();
        Ok(name)
    }

    /// Octets of the name in wire format.
    pub fn length(&self) -> usize {
        usize::from(self.length)
    }

    /// Labels, not counting the root.
    pub fn labels(&self) -> usize {
        usize::from(self.labels)
    }

    /// The last `labels` labels and the root, lower case.
    pub fn suffix(&self, labels: usize) -> &[u8] {
        &self.wire[self.suffix_start(labels)..self.length()]
    }

    /// The last `labels` labels without the last `apex_labels` of them and the root.
    pub fn relative(&self, labels: usize, apex_labels: usize) -> &[u8] {
        &self.wire[self.suffix_start(labels)..self.suffix_start(apex_labels)]
    }

    /// Where the last `labels` labels start in the name.
    pub fn suffix_start(&self, labels: usize) -> usize {
        usize::from(self.starts[self.labels() - labels])
    }
}

/// A zone of a generation.
#[derive(Clone, Copy)]
pub struct Zone<'g> {
    pub(crate) generation: &'g Generation,
    pub(crate) page: &'g ArchivedZonePage,
    pub(crate) apex_labels: u8,
}

/// A name of a zone.
#[derive(Clone, Copy)]
pub struct Entry<'g> {
    zone: Zone<'g>,
    page: &'g ArchivedNamePage,
    entry: &'g ArchivedEntry,
}

/// A body as its entry has it.
#[derive(Clone, Copy)]
pub enum StoredBody<'g> {
    /// Octets of its own.
    Own(BodyRef<'g>),
    /// The zone's shared body of this number.
    Shared(u32),
}

/// Where a look-up ended.
#[derive(Clone, Copy)]
pub enum Lookup<'g> {
    /// The name exists and no cut or DNAME stands above it.
    Name(Entry<'g>),
    /// The name is at or below a zone cut.
    Delegation {
        /// The cut.
        entry: Entry<'g>,
        /// Its labels, not counting the root.
        labels: usize,
    },
    /// The name lies below a DNAME (RFC 6672 section 3.2).
    Redirection {
        /// The owner of the DNAME.
        entry: Entry<'g>,
        /// Its labels.
        labels: usize,
    },
    /// The name does not exist; a wildcard covers it (RFC 4592 section 3.3).
    Wildcard {
        /// `*.` and the closest encloser.
        entry: Entry<'g>,
        /// Labels of the closest encloser.
        encloser_labels: usize,
    },
    /// The name does not exist.
    Missing {
        /// Labels of the closest encloser (RFC 4592 section 3.3.1).
        encloser_labels: usize,
    },
}

impl<'g> Zone<'g> {
    /// The apex in wire format, lower case.
    pub fn apex(&self) -> &'g [u8] {
        &self.page.apex
    }

    /// Labels of the apex.
    pub fn apex_labels(&self) -> usize {
        usize::from(self.apex_labels)
    }

    fn apex_name(&self) -> Name {
        Name::from_wire(&self.page.apex).expect("the verifier read the apex")
    }

    /// The SOA serial.
    pub fn serial(&self) -> u32 {
        self.page.serial.to_native()
    }

    /// What there is to say of the zone.
    pub fn info(&self) -> ZoneInfo {
        ZoneInfo {
            apex: self.apex_name(),
            serial: self.serial(),
            event: self.page.event.to_native(),
            names: self.page.names_count.to_native(),
            delegations: self.page.delegations_count.to_native(),
            records: self.page.records_count.to_native(),
            shared_bodies: self.page.shared_count.to_native(),
        }
    }

    /// For negative answers: the SOA with its negative TTL, or its RRSIGs.
    pub fn negative(&self, part: Part) -> Option<BodyRef<'g>> {
        let body = self
            .page
            .negative
            .iter()
            .find(|body| body.part == part as u8)?;
        Some(BodyRef::local(body, &self.page.heap))
    }

    /// Whether `name` is the apex or lies below it.
    pub fn holds(&self, name: &LookupName) -> bool {
        name.labels() >= self.apex_labels() && name.suffix(self.apex_labels()) == self.apex()
    }

    /// Looks up `name`, which must lie in the zone.
    pub fn lookup(&self, name: &LookupName) -> Lookup<'g> {
        debug_assert!(self.holds(name));
        let apex_labels = self.apex_labels();
        let depths = depths(&self.page.depths);
        let mut flags = self.page.apex_flags;
        let mut found = None;
        for labels in apex_labels + 1..=name.labels() {
            if flags & ENTRY_DNAME != 0 {
                let entry = found.unwrap_or_else(|| self.apex_entry());
                return Lookup::Redirection {
                    entry,
                    labels: labels - 1,
                };
            }
            let exists = depths >> (labels - apex_labels) & 1 == 1;
            let Some(entry) = exists.then(|| self.find(name.suffix(labels))).flatten() else {
                return self.missing(name, labels - 1, flags);
            };
            flags = entry.entry.flags;
            if flags & ENTRY_DELEGATION != 0 {
                return Lookup::Delegation { entry, labels };
            }
            found = Some(entry);
        }
        Lookup::Name(found.unwrap_or_else(|| self.apex_entry()))
    }

    fn missing(&self, name: &LookupName, encloser_labels: usize, flags: u8) -> Lookup<'g> {
        if flags & ENTRY_WILDCARD_BELOW != 0 {
            let encloser = name.suffix(encloser_labels);
            let mut wildcard = [0; NAME_BYTES_MAX + 2];
            wildcard[..2].copy_from_slice(b"\x01*");
            wildcard[2..2 + encloser.len()].copy_from_slice(encloser);
            if let Some(entry) = self.find(&wildcard[..2 + encloser.len()]) {
                return Lookup::Wildcard {
                    entry,
                    encloser_labels,
                };
            }
        }
        Lookup::Missing { encloser_labels }
    }

    /// The entry of the apex.
    pub fn apex_entry(&self) -> Entry<'g> {
        self.find(&self.page.apex)
            .expect("the verifier looked the apex up")
    }

    /// The entry of exactly this name: wire format, lower case, at or below the apex.
    #[inline]
    pub fn find(&self, wire: &[u8]) -> Option<Entry<'g>> {
        let hash = self.generation.seed.hash(wire);
        let names = PageRef(self.page.names.to_native());
        let page = access::names(self.generation.find_leaf(names, hash)?);
        let relative = &wire[..wire.len() - self.page.apex.len()];
        let tag = tag(hash);
        page.tags
            .iter()
            .zip(page.entries.iter())
            .filter(|(own, _)| **own == tag)
            .map(|(_, entry)| Entry {
                zone: *self,
                page,
                entry,
            })
            .find(|entry| entry.relative_name() == relative)
    }

    /// Some delegation, if the zone has any: the first in the order of keyed hashes.
    pub fn any_delegation(&self) -> Option<Entry<'g>> {
        let mut found = None;
        self.generation
            .find_in_leaves(PageRef(self.page.names.to_native()), &mut |octets| {
                let page = access::names(octets);
                found = page
                    .entries
                    .iter()
                    .map(|entry| Entry {
                        zone: *self,
                        page,
                        entry,
                    })
                    .find(Entry::is_delegation);
                found.is_some()
            });
        found
    }

    /// Every entry, in the order of their hashes.
    pub fn each_entry(&self, visit: &mut dyn FnMut(Entry<'g>)) {
        self.generation
            .each_leaf(PageRef(self.page.names.to_native()), &mut |_, octets| {
                let page = access::names(octets);
                for entry in page.entries.iter() {
                    visit(Entry {
                        zone: *self,
                        page,
                        entry,
                    });
                }
            });
    }
}

impl<'g> Entry<'g> {
    /// The labels before the apex, lower case, without the root label.
    pub fn relative_name(&self) -> &'g [u8] {
        let start = self.entry.name.to_native() as usize;
        &self.page.heap[start..start + usize::from(self.entry.name_length)]
    }

    /// The whole name in wire format, lower case.
    pub fn name(&self) -> Name {
        let wire = [self.relative_name(), self.zone.apex()].concat();
        Name::from_wire(&wire).expect("the verifier read the name")
    }

    /// Whether this is a zone cut.
    pub fn is_delegation(&self) -> bool {
        self.entry.flags & ENTRY_DELEGATION != 0
    }

    /// Its `ENTRY_` flags.
    pub fn flags(&self) -> u8 {
        self.entry.flags
    }

    /// Its bodies as they are stored, by type and part.
    pub fn stored_bodies(&self) -> impl Iterator<Item = (u16, Part, StoredBody<'g>)> + use<'g> {
        let page = self.page;
        let start = usize::from(self.entry.bodies_start.to_native());
        let end = start + usize::from(self.entry.bodies_count.to_native());
        page.bodies[start..end].iter().map(move |body| {
            let part = Part::from_number(body.part & !SHARED);
            let part = part.expect("the verifier read the part");
            let stored = if body.is_shared() {
                StoredBody::Shared(body.place.to_native())
            } else {
                StoredBody::Own(BodyRef::local(body, &page.heap))
            };
            (body.rtype.to_native(), part, stored)
        })
    }

    /// Whether there is a CNAME here.
    pub fn has_cname(&self) -> bool {
        self.entry.flags & ENTRY_CNAME != 0
    }

    /// Its bodies, by type and part.
    pub fn bodies(&self) -> impl Iterator<Item = BodyRef<'g>> + use<'g> {
        let (zone, page) = (self.zone, self.page);
        let start = usize::from(self.entry.bodies_start.to_native());
        let end = start + usize::from(self.entry.bodies_count.to_native());
        page.bodies[start..end].iter().map(move |body| {
            if body.is_shared() {
                zone.shared_body(body.place.to_native())
            } else {
                BodyRef::local(body, &page.heap)
            }
        })
    }

    /// One body.
    pub fn body(&self, rtype: u16, part: Part) -> Option<BodyRef<'g>> {
        self.bodies()
            .find(|body| body.rtype() == rtype && body.part() == part)
    }
}

impl<'g> Zone<'g> {
    /// Number of shared bodies.
    pub fn shared_count(&self) -> u32 {
        self.page.shared_count.to_native()
    }

    /// Depths below the apex at which there are names: bit d for d labels.
    pub fn depths(&self) -> u128 {
        depths(&self.page.depths)
    }

    /// Tells whether two looks at a zone saw the same pages.
    pub fn version(&self) -> (u64, u32, PageRef, PageRef) {
        let [names, shared] = [&self.page.names, &self.page.shared];
        let root = |root: &rkyv::rend::unaligned::u64_ule| PageRef(root.to_native());
        (
            self.page.event.to_native(),
            self.serial(),
            root(names),
            root(shared),
        )
    }

    /// The shared body of this number, which is below [`Zone::shared_count`].
    pub fn shared_body(&self, number: u32) -> BodyRef<'g> {
        use crate::layout::{SHARED_PAGE_BODIES, shared_key};

        let in_page = (number % SHARED_PAGE_BODIES) as usize;
        let key = shared_key(number / SHARED_PAGE_BODIES);
        let leaf = self
            .generation
            .find_leaf(PageRef(self.page.shared.to_native()), key);
        let page = access::shared(leaf.expect("the verifier looked each shared body up"));
        BodyRef::local(&page.bodies[in_page], &page.heap)
    }
}
