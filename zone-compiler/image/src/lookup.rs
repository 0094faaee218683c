//! Looking a name up in a zone (RFC 1034 section 4.3.2, step 3).
//!
//! Every ancestor of a name has an entry, empty non-terminals included, so the
//! search goes down from the apex and ends at the first name that is not there:
//! one probe a label, and one in all for a zone whose names have one depth.

mod name;

use crate::body::BodyRef;
use crate::generation::depths;
use crate::layout::{
    ArchivedBody, ArchivedEntry, ArchivedNamePage, ArchivedSharedPage, ArchivedZonePage,
    ENTRY_CNAME, ENTRY_DELEGATION, ENTRY_PARKED, PageRef, Part, SHARED, SHARED_PAGE_BODIES,
    shared_key,
};
use crate::prefetch;
use crate::seek::{Found, Probe, SharedSeek};
use crate::segment::access;
use crate::{Generation, Name, ZoneInfo};

pub use name::LookupName;

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
    pub(crate) zone: Zone<'g>,
    pub(crate) page: &'g ArchivedNamePage,
    pub(crate) entry: &'g ArchivedEntry,
    /// A page of shared bodies that is at hand.
    pub(crate) near: Option<&'g ArchivedSharedPage>,
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
    /// The generation that it is of.
    pub fn generation(&self) -> &'g Generation {
        self.generation
    }

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

    /// Registry event that the zone stands at.
    pub fn event(&self) -> u64 {
        self.page.event.to_native()
    }

    /// Number of names.
    pub fn names_count(&self) -> u64 {
        self.page.names_count.to_native()
    }

    /// What there is to say of the zone.
    pub fn info(&self) -> ZoneInfo {
        ZoneInfo {
            apex: self.apex_name(),
            serial: self.serial(),
            event: self.event(),
            names: self.names_count(),
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

    /// What parked names have of this type, at or below their apex as `part` says.
    #[inline]
    pub fn parked(&self, part: Part, rtype: u16) -> Option<BodyRef<'g>> {
        self.parked_bodies()
            .find(|body| body.part() == part && body.rtype() == rtype)
    }

    /// All that parked names have. Few bodies: the verifier sees to it.
    pub fn parked_bodies(&self) -> impl Iterator<Item = BodyRef<'g>> + use<'g> {
        let heap = &self.page.heap;
        let bodies = self.page.negative.iter();
        let bodies = bodies.map(move |body| BodyRef::local(body, heap));
        bodies.filter(|body| body.part().is_parked())
    }

    /// Whether both are one zone of one generation.
    #[inline]
    pub fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.page, other.page)
    }

    /// Whether `name` is the apex or lies below it.
    #[inline]
    pub fn holds(&self, name: &LookupName) -> bool {
        name.labels() >= self.apex_labels() && name.suffix(self.apex_labels()) == self.apex()
    }

    /// Looks up `name`, which must lie in the zone.
    pub fn lookup(&self, name: &LookupName) -> Lookup<'g> {
        let mut seek = self.seek(name);
        seek.complete(name);
        seek.lookup()
    }

    /// The entry of the apex.
    pub fn apex_entry(&self) -> Entry<'g> {
        self.find_apex().of(*self)
    }

    pub(crate) fn find_apex(&self) -> Found<'g> {
        self.probe(&self.page.apex)
            .expect("the verifier looked the apex up")
    }

    /// The entry of exactly this name: wire format, lower case, at or below the apex.
    pub fn find(&self, wire: &[u8]) -> Option<Entry<'g>> {
        self.probe(wire).map(|found| found.of(*self))
    }

    fn probe(&self, wire: &[u8]) -> Option<Found<'g>> {
        let relative = &wire[..wire.len() - self.page.apex.len()];
        let mut probe = Probe::new(*self, wire);
        while probe.descend(*self) {}
        probe.read_tags();
        probe.find(|own| own == relative)
    }

    /// Some delegation, if the zone has any: the first in the order of keyed hashes.
    pub fn any_delegation(&self) -> Option<Entry<'g>> {
        let mut found = None;
        self.any_entry(&mut |entry| {
            found = entry.is_delegation().then_some(entry);
            found.is_some()
        });
        found
    }

    /// Every entry, in the order of their hashes.
    pub fn each_entry(&self, visit: &mut dyn FnMut(Entry<'g>)) {
        self.any_entry(&mut |entry| {
            visit(entry);
            false
        });
    }

    /// Goes through the entries, in the order of their hashes, until `is_wanted` says yes
    /// to one; says whether it did.
    pub fn any_entry(&self, is_wanted: &mut dyn FnMut(Entry<'g>) -> bool) -> bool {
        let names = PageRef(self.page.names.to_native());
        self.generation.find_in_leaves(names, &mut |octets| {
            let page = access::names(octets);
            page.entries.iter().any(|entry| {
                is_wanted(Entry {
                    zone: *self,
                    page,
                    entry,
                    near: None,
                })
            })
        })
    }
}

impl<'g> Entry<'g> {
    /// The labels before the apex, lower case, without the root label.
    pub fn relative_name(&self) -> &'g [u8] {
        relative_name(self.page, self.entry)
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

    /// Whether it is a cut that is answered for here.
    #[inline]
    pub fn is_parked(&self) -> bool {
        self.entry.flags & ENTRY_PARKED != 0
    }

    /// Its `ENTRY_` flags.
    pub fn flags(&self) -> u8 {
        self.entry.flags
    }

    /// Its bodies as they are stored, by type and part.
    pub fn stored_bodies(&self) -> impl Iterator<Item = (u16, Part, StoredBody<'g>)> + use<'g> {
        let page = self.page;
        self.body_heads().iter().map(move |body| {
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
        let own = *self;
        self.body_heads().iter().map(move |body| own.resolve(body))
    }

    /// Those of its bodies that are wanted, by type and part.
    #[inline]
    pub fn bodies_where<W: Fn(u16, Part) -> bool>(
        &self,
        is_wanted: W,
    ) -> impl Iterator<Item = BodyRef<'g>> + use<'g, W> {
        let own = *self;
        let wanted = self.body_heads().iter().filter(move |body| {
            let part = Part::from_number(body.part & !SHARED);
            part.is_some_and(|part| is_wanted(body.rtype.to_native(), part))
        });
        wanted.map(move |body| own.resolve(body))
    }

    /// One body.
    #[inline]
    pub fn body(&self, rtype: u16, part: Part) -> Option<BodyRef<'g>> {
        let head = self
            .body_heads()
            .iter()
            .find(|body| body.rtype.to_native() == rtype && body.part & !SHARED == part as u8)?;
        Some(self.resolve(head))
    }

    /// Whether there are records of this type here.
    #[inline]
    pub fn has(&self, rtype: u16) -> bool {
        let mut heads = self.body_heads().iter();
        heads.any(|body| body.rtype.to_native() == rtype && body.part & !SHARED == 0)
    }

    #[inline]
    fn body_heads(&self) -> &'g [ArchivedBody] {
        let start = usize::from(self.entry.bodies_start.to_native());
        let end = start + usize::from(self.entry.bodies_count.to_native());
        &self.page.bodies[start..end]
    }

    /// Asks for its own bodies, and starts to look for its shared ones. Without DO
    /// nobody wants signatures or the records that only validators read.
    #[inline]
    pub fn ask_bodies(&self, dnssec_ok: bool) -> Option<SharedSeek<'g>> {
        let mut shared = None;
        for body in self.body_heads().iter().take(BODIES_ASKED_MAX) {
            if !dnssec_ok && (body.part & !SHARED == Part::Signatures as u8 || body.rtype == DS) {
                continue;
            }
            let place = body.place.to_native();
            if body.is_shared() {
                shared = shared.or(Some(place));
                continue;
            }
            let start = place as usize;
            prefetch::span(&self.page.heap[start..start + body.stored_bytes()]);
        }
        Some(SharedSeek::new(self.zone, shared?))
    }

    /// The places of its shared bodies in the shared page of this number.
    #[inline]
    pub(crate) fn shared_places(&self, page: u32) -> impl Iterator<Item = usize> + use<'g> {
        let heads = self.body_heads().iter().take(BODIES_ASKED_MAX);
        heads
            .filter(|body| body.is_shared())
            .map(|body| shared_place(body.place.to_native()))
            .filter(move |(number, _)| *number == page)
            .map(|(_, place)| place)
    }

    #[inline]
    fn resolve(&self, body: &'g ArchivedBody) -> BodyRef<'g> {
        if !body.is_shared() {
            return BodyRef::local(body, &self.page.heap);
        }
        let (number, place) = shared_place(body.place.to_native());
        match self.near {
            Some(page) if page.number.to_native() == number => {
                BodyRef::local(&page.bodies[place], &page.heap)
            }
            _ => self.zone.shared_body(body.place.to_native()),
        }
    }
}

/// The labels of an entry before the apex.
#[inline]
pub(crate) fn relative_name<'g>(page: &'g ArchivedNamePage, entry: &'g ArchivedEntry) -> &'g [u8] {
    let start = entry.name.to_native() as usize;
    &page.heap[start..start + usize::from(entry.name_length)]
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
}

/// Most bodies that are asked for: NS, glue, DS and its signatures.
const BODIES_ASKED_MAX: usize = 6;
/// The type of what only validators read in a referral.
const DS: u16 = 43;

/// The page of a shared body, and its place there.
#[inline]
pub(crate) fn shared_place(number: u32) -> (u32, usize) {
    let in_page = number % SHARED_PAGE_BODIES;
    (number / SHARED_PAGE_BODIES, in_page as usize)
}

impl<'g> Zone<'g> {
    /// The shared body of this number, which is below [`Zone::shared_count`].
    pub fn shared_body(&self, number: u32) -> BodyRef<'g> {
        let (page, in_page) = shared_place(number);
        let leaf = self
            .generation
            .find_leaf(PageRef(self.page.shared.to_native()), shared_key(page));
        let page = access::shared(leaf.expect("the verifier looked each shared body up"));
        BodyRef::local(&page.bodies[in_page], &page.heap)
    }
}
