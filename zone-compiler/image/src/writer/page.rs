//! Filling pages.

use rkyv::api::high::HighSerializer;
use rkyv::rancor::Error;
use rkyv::ser::allocator::ArenaHandle;
use rkyv::util::AlignedVec;

use crate::body::BodyRef;
use crate::error::WriteError;
use crate::hash::tag;
use crate::layout::{
    ArchivedBody, Body, Entry, NamePage, Nsec3Page, PAGE_BYTES_MAX, PAGE_NAMES_MAX, Part, SHARED,
    SHARED_PAGE_BODIES, SharedPage, UNIT,
};

const NSEC3: u16 = 50;

/// The octets of a page: front-padded to whole units, since rkyv puts the root last.
pub(crate) fn encode(
    page: &impl for<'a> rkyv::Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, Error>>,
) -> Result<Vec<u8>, WriteError> {
    let archive = rkyv::to_bytes::<Error>(page).expect("plain values always serialize");
    let bytes = archive.len().next_multiple_of(UNIT);
    if bytes > PAGE_BYTES_MAX {
        return Err(WriteError::PageTooLarge {
            bytes,
            max: PAGE_BYTES_MAX,
        });
    }
    let mut padded = vec![0; bytes];
    padded[bytes - archive.len()..].copy_from_slice(&archive);
    Ok(padded)
}

/// A body before it has a place: records, and the positions of its pointers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct BodyBytes {
    /// Number of records.
    pub records: u16,
    /// Wire format, pointers written as base and addend (see [`Body`]).
    pub wire: Vec<u8>,
    /// Positions of the pointers, ascending.
    pub patches: Vec<u16>,
}

impl From<BodyRef<'_>> for BodyBytes {
    fn from(body: BodyRef<'_>) -> Self {
        let (wire, patches) = body.stored();
        Self {
            records: body.records(),
            wire: wire.to_vec(),
            patches: patches.collect(),
        }
    }
}

impl BodyBytes {
    /// Appends records and patches to `heap` and says where they are.
    pub(crate) fn store(&self, rtype: u16, part: Part, heap: &mut Vec<u8>) -> Body {
        let place = u32::try_from(heap.len()).expect("a heap is smaller than a page");
        heap.extend_from_slice(&self.wire);
        for position in &self.patches {
            heap.extend_from_slice(&position.to_le_bytes());
        }
        self.describe(rtype, part as u8, place)
    }

    fn describe(&self, rtype: u16, part: u8, place: u32) -> Body {
        Body {
            rtype,
            part,
            records: self.records,
            patches: u16::try_from(self.patches.len()).expect("two octets of wire a pointer"),
            length: u16::try_from(self.wire.len()).expect("a body fits a message"),
            place,
        }
    }
}

/// A name page being filled.
#[derive(Default)]
pub struct NamePageBuilder {
    tags: Vec<u8>,
    entries: Vec<Entry>,
    bodies: Vec<Body>,
    heap: Vec<u8>,
}

impl NamePageBuilder {
    /// Starts the entry of the name with this hash; `relative` are its labels
    /// before the apex, lower case. Its bodies follow, by type and part.
    pub fn entry(&mut self, hash: u64, flags: u8, relative: &[u8]) {
        assert!(
            self.entries.len() < PAGE_NAMES_MAX,
            "the tree plan bounds a page"
        );
        self.tags.push(tag(hash));
        self.entries.push(Entry {
            flags,
            name_length: u8::try_from(relative.len()).expect("a name has 255 octets"),
            name: u32::try_from(self.heap.len()).expect("a heap is smaller than a page"),
            bodies_start: u16::try_from(self.bodies.len()).expect("the tree plan bounds a page"),
            bodies_count: 0,
        });
        self.heap.extend_from_slice(relative);
    }

    /// Adds a body to the entry last started.
    pub fn body(&mut self, rtype: u16, part: Part, bytes: &BodyBytes) {
        let body = bytes.store(rtype, part, &mut self.heap);
        self.push(body);
    }

    /// Adds a body whose octets are the zone's shared body `number`.
    pub fn shared(&mut self, rtype: u16, part: Part, number: u32, bytes: &BodyBytes) {
        self.push(bytes.describe(rtype, part as u8 | SHARED, number));
    }

    /// Adds a body of an installed page as it stands there.
    pub(crate) fn copy(&mut self, body: &ArchivedBody, heap: &[u8]) {
        let mut place = body.place.to_native();
        if !body.is_shared() {
            let start = place as usize;
            let length = usize::from(body.length.to_native());
            let bytes = length + 2 * usize::from(body.patches.to_native());
            place = u32::try_from(self.heap.len()).expect("a heap is smaller than a page");
            self.heap.extend_from_slice(&heap[start..start + bytes]);
        }
        self.push(Body {
            rtype: body.rtype.to_native(),
            part: body.part,
            records: body.records.to_native(),
            patches: body.patches.to_native(),
            length: body.length.to_native(),
            place,
        });
    }

    fn push(&mut self, body: Body) {
        self.bodies.push(body);
        self.entries
            .last_mut()
            .expect("an entry was started")
            .bodies_count += 1;
    }

    /// The octets of the page.
    pub fn finish(self) -> Result<Vec<u8>, WriteError> {
        let mut tags = [0; PAGE_NAMES_MAX];
        tags[..self.tags.len()].copy_from_slice(&self.tags);
        let Self {
            entries,
            bodies,
            heap,
            ..
        } = self;
        encode(&NamePage {
            tags,
            entries,
            bodies,
            heap,
            reserved: [0; 16],
        })
    }
}

/// A shared page being filled.
#[derive(Default)]
pub struct SharedPageBuilder {
    bodies: Vec<Body>,
    heap: Vec<u8>,
}

impl SharedPageBuilder {
    /// Adds the next body.
    pub fn body(&mut self, rtype: u16, part: Part, bytes: &BodyBytes) {
        assert!(
            self.bodies.len() < SHARED_PAGE_BODIES as usize,
            "a shared page has 64 bodies"
        );
        let body = bytes.store(rtype, part, &mut self.heap);
        self.bodies.push(body);
    }

    /// The octets of page `number`.
    pub fn finish(self, number: u32) -> Result<Vec<u8>, WriteError> {
        encode(&SharedPage {
            number,
            bodies: self.bodies,
            heap: self.heap,
        })
    }
}

/// An NSEC3 page being filled.
#[derive(Default)]
pub struct Nsec3PageBuilder {
    hashes: Vec<[u8; 20]>,
    bodies: Vec<Body>,
    heap: Vec<u8>,
}

impl Nsec3PageBuilder {
    /// Adds the NSEC3 of the next hash, with its RRSIGs.
    pub fn proof(&mut self, hash: [u8; 20], bytes: &BodyBytes) {
        let body = bytes.store(NSEC3, Part::Proof, &mut self.heap);
        self.hashes.push(hash);
        self.bodies.push(body);
    }

    /// The octets of the page.
    pub fn finish(self) -> Result<Vec<u8>, WriteError> {
        encode(&Nsec3Page {
            hashes: self.hashes,
            bodies: self.bodies,
            heap: self.heap,
        })
    }
}
