//! Bodies in place, and writing them into a message.

use crate::layout::{ArchivedBody, Base, POINTER_REACH, Part, SHARED};

/// Where in a message the things stand that pointers of a body refer to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bases {
    /// The owner name of the entry.
    pub owner: u16,
    /// The apex of its zone.
    pub apex: u16,
    /// The NS body that glue belongs to.
    pub lead: u16,
}

/// A body in its page.
#[derive(Clone, Copy)]
pub struct BodyRef<'g> {
    body: &'g ArchivedBody,
    wire: &'g [u8],
    patches: &'g [u8],
}

impl ArchivedBody {
    #[inline]
    pub(crate) fn is_shared(&self) -> bool {
        self.part & SHARED != 0
    }

    /// Octets of its records and of the places of their pointers.
    #[inline]
    pub(crate) fn stored_bytes(&self) -> usize {
        usize::from(self.length.to_native()) + 2 * usize::from(self.patches.to_native())
    }
}

impl<'g> BodyRef<'g> {
    #[inline]
    pub(crate) fn local(body: &'g ArchivedBody, heap: &'g [u8]) -> Self {
        let start = body.place.to_native() as usize;
        let end = start + usize::from(body.length.to_native());
        let patches_end = end + 2 * usize::from(body.patches.to_native());
        Self {
            body,
            wire: &heap[start..end],
            patches: &heap[end..patches_end],
        }
    }

    /// Type of the RRset that this is or belongs to.
    #[inline]
    pub fn rtype(&self) -> u16 {
        self.body.rtype.to_native()
    }

    /// What it is to that RRset.
    #[inline]
    pub fn part(&self) -> Part {
        Part::from_number(self.body.part & !SHARED).expect("the verifier read the part")
    }

    /// Asks for its octets.
    #[inline]
    pub(crate) fn ask(&self) {
        crate::prefetch::span(self.wire);
    }

    /// Where its octets are in memory: tells two bodies apart.
    pub fn address(&self) -> usize {
        self.wire.as_ptr().addr()
    }

    /// Whether both hold the same records, for bodies that hold their owners too, as
    /// proofs do: of these a page can repeat one of another page.
    pub fn repeats(&self, other: &Self) -> bool {
        self.wire == other.wire
    }

    /// Its octets and the positions of its pointers as they are stored, to be stored
    /// again or compared.
    pub fn stored(&self) -> (&'g [u8], impl Iterator<Item = u16> + use<'g>) {
        let patches = self.patches.chunks_exact(2);
        let patches = patches.map(|patch| u16::from_le_bytes([patch[0], patch[1]]));
        (self.wire, patches)
    }

    /// Number of records.
    #[inline]
    pub fn records(&self) -> u16 {
        self.body.records.to_native()
    }

    /// Whether both are the same records, stored alike.
    pub(crate) fn is_same(&self, other: &BodyRef<'_>) -> bool {
        self.rtype() == other.rtype()
            && self.part() == other.part()
            && self.wire == other.wire
            && self.patches == other.patches
    }

    /// Octets it takes in a message.
    #[inline]
    pub fn length(&self) -> usize {
        self.wire.len()
    }

    /// Whether it has pointers to itself or to the body it is glue of.
    fn points_into_bodies(&self) -> bool {
        self.patches.chunks_exact(2).any(|patch| {
            let position = usize::from(u16::from_le_bytes([patch[0], patch[1]]));
            self.wire[position] >> 6 >= Base::Own as u8
        })
    }

    /// Copies the records to `out[at..]` and relocates their pointers. Returns
    /// where they end, or `None` where they do not fit or would start so late that
    /// a pointer into them passes 14 bits.
    #[inline]
    pub fn write(&self, out: &mut [u8], at: usize, bases: Bases) -> Option<usize> {
        self.write_prefix(self.wire.len(), out, at, bases)
    }

    /// The longest run of whole RRsets from its start that takes at most `room`
    /// octets: their octets and records. Half an RRset is never sent (RFC 2181 section 5).
    pub fn fitting(&self, room: usize) -> (usize, u16) {
        let mut fits = (0, 0);
        let (mut at, mut records) = (0, 0);
        let mut last: Option<(&[u8], &[u8])> = None;
        while at < self.wire.len() && at <= room {
            let owner_end = self.owner_end(at);
            let set = (
                &self.wire[at..owner_end],
                &self.wire[owner_end..owner_end + 2],
            );
            if last != Some(set) {
                fits = (at, records);
                last = Some(set);
            }
            let length = &self.wire[owner_end + 8..owner_end + 10];
            at = owner_end + 10 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            records += 1;
        }
        if at <= room { (at, records) } else { fits }
    }

    /// Where the owner name that starts at `at` ends.
    fn owner_end(&self, at: usize) -> usize {
        // Ascending, as the verifier has checked: a look at all of them for each label would
        // let a reply of thousands of records cost milliseconds.
        let patches = self.patches.as_chunks::<2>().0;
        let place = |patch: &[u8; 2]| usize::from(u16::from_le_bytes(*patch));
        let is_patch = |at: usize| patches.binary_search_by_key(&at, place).is_ok();
        let mut at = at;
        loop {
            if is_patch(at) {
                return at + 2;
            }
            let length = usize::from(self.wire[at]);
            at += 1 + length;
            if length == 0 {
                return at;
            }
        }
    }

    /// Copies the records of an NSEC, or its RRSIGs, under another owner: the name
    /// that stands at `owner` in the message. Such bodies have pointers in their
    /// owners only.
    pub fn write_under(&self, out: &mut [u8], at: usize, owner: u16) -> Option<usize> {
        let (mut from, mut to) = (0, at);
        while from < self.wire.len() {
            let fixed = self.owner_end(from);
            let length = &self.wire[fixed + 8..fixed + 10];
            let end = fixed + 10 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            let target = out.get_mut(to..to + 2 + end - fixed)?;
            target[..2].copy_from_slice(&(0xc000 | owner).to_be_bytes());
            target[2..].copy_from_slice(&self.wire[fixed..end]);
            (from, to) = (end, to + 2 + end - fixed);
        }
        Some(to)
    }

    /// As [`BodyRef::write`], of the first `length` octets only.
    #[inline]
    pub fn write_prefix(
        &self,
        length: usize,
        out: &mut [u8],
        at: usize,
        bases: Bases,
    ) -> Option<usize> {
        let end = at + length;
        let target = out.get_mut(at..end)?;
        target.copy_from_slice(&self.wire[..length]);
        let own = u16::try_from(at).ok()?;
        if at > POINTER_REACH && self.points_into_bodies() {
            return None;
        }
        let bases = [bases.owner, bases.apex, own, bases.lead];
        for patch in self.patches.as_chunks::<2>().0 {
            let position = usize::from(u16::from_le_bytes(*patch));
            // A pointer that starts before the end lies before it: ends are those of records.
            let Some(pointer) = target.get_mut(position..position + 2) else {
                break;
            };
            let value = u16::from_be_bytes([pointer[0], pointer[1]]);
            let base = bases[usize::from(value >> 14)];
            pointer.copy_from_slice(&(0xc000 | (base + (value & 0x3fff))).to_be_bytes());
        }
        Some(end)
    }
}
