//! The pages of an image, byte for byte: rkyv structs of plain values and byte
//! arrays, little-endian and unaligned, so that a page can be checked once and
//! read in place (format version 1).
//!
//! ```text
//! generation file -> catalog tree -> zone page -> name tree -> name pages
//!                                            \--> shared tree -> shared pages
//! ```
//! A tree is a radix tree over the bits of a 64-bit key: [`Node`]s of 256 slots
//! and leaf pages. Every page is written once and never changed.

use rkyv::{Archive, Serialize};

/// Version of the format; another version is refused.
pub const VERSION: u32 = 1;
/// Pages start at multiples of this many octets, the size of a cache line.
pub const UNIT: usize = 64;
/// Most names in one name page: one cache line of tags.
pub const PAGE_NAMES_MAX: usize = 64;
/// Names in one page after a full compile, so that pages have room to grow.
pub const PAGE_NAMES_FILL: usize = 48;
/// Largest page in octets: what the 15 bits of a page reference can say.
pub const PAGE_BYTES_MAX: usize = UNIT * 0x7fff;
/// Slots of a tree node: eight bits of the key.
pub const NODE_SLOTS: usize = 256;
/// Most levels of nodes in a tree; the rest of the key is the tag.
pub const TREE_LEVELS_MAX: u32 = 6;
/// Bodies in a full shared page.
pub const SHARED_PAGE_BODIES: u32 = 64;
/// No pointer of a body reaches further into a body than this, and no body
/// that others point into starts later in a message, so that base and addend
/// always fit the 14 bits of a compression pointer (RFC 1035 section 4.1.4).
pub const POINTER_REACH: usize = 0x1fff;

/// What a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum PageKind {
    /// A tree node.
    Node = 1,
    /// A leaf of the catalog: zones by apex.
    Catalog = 2,
    /// One zone.
    Zone = 3,
    /// A leaf of a zone's name tree.
    Names = 4,
    /// A leaf of a zone's tree of shared bodies.
    Shared = 5,
    /// A leaf of a zone's NSEC3 tree.
    Nsec3 = 6,
    /// A node or leaf of a zone's names in canonical order.
    Order = 7,
}

impl PageKind {
    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        [
            Self::Node,
            Self::Catalog,
            Self::Zone,
            Self::Names,
            Self::Shared,
            Self::Nsec3,
            Self::Order,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == number)
    }
}

/// Where a page is: segment slot, offset and length in [`UNIT`]s, and whether
/// it is a tree node. Zero is "no page": nothing can start at offset zero,
/// where each segment has its header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PageRef(pub(crate) u64);

impl PageRef {
    /// The reference to nothing.
    pub const NONE: Self = Self(0);

    pub(crate) fn new(slot: u16, offset_units: u32, units: u16, is_node: bool) -> Self {
        assert!(
            units > 0 && units <= 0x7fff,
            "page length was checked by the writer"
        );
        Self(
            u64::from(slot) << 48
                | u64::from(offset_units) << 16
                | u64::from(units) << 1
                | u64::from(is_node),
        )
    }

    /// Whether this refers to no page.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn is_node(self) -> bool {
        self.0 & 1 == 1
    }

    pub(crate) fn slot(self) -> u16 {
        (self.0 >> 48) as u16
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "takes the 32 bits it is about"
    )]
    pub(crate) fn offset_units(self) -> u32 {
        (self.0 >> 16) as u32
    }

    pub(crate) fn units(self) -> u16 {
        (self.0 >> 1 & 0x7fff) as u16
    }
}

impl std::fmt::Debug for PageRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "segment {} unit {}+{}",
            self.slot(),
            self.offset_units(),
            self.units()
        )
    }
}

/// A tree node: 256 page references by the next eight bits of the key. Several
/// neighbouring slots may name the same leaf.
#[derive(Archive, Serialize)]
pub struct Node {
    /// Page references.
    pub slots: [u64; NODE_SLOTS],
}

/// A run of wire-format records and how to relocate it.
///
/// In the heap of its page, `length` octets of records are followed by
/// `patches` positions (little-endian u16). At each position stands a u16 in
/// network order: the base in the top two bits ([`Base`]), an addend below.
/// Writing the body adds the base's place in the message and makes it a
/// compression pointer.
#[derive(Archive, Serialize, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body {
    /// Type of the RRset that this is or belongs to.
    pub rtype: u16,
    /// What it is to that RRset: a [`Part`], with [`SHARED`] set where the
    /// octets are in the zone's shared pages.
    pub part: u8,
    /// Number of records.
    pub records: u16,
    /// Number of pointers to relocate.
    pub patches: u16,
    /// Octets of wire format.
    pub length: u16,
    /// Place in the heap; of a shared body, its number. What else is said of a shared
    /// body here was so when the entry was written; its page has what is.
    pub place: u32,
}

/// Flag in [`Body::part`]: the octets are those of a shared body.
pub const SHARED: u8 = 0x80;

/// What a body is to its RRset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Part {
    /// The RRset itself.
    Records = 0,
    /// Its RRSIGs.
    Signatures = 1,
    /// Addresses of NS targets at or below the owner (RFC 9471 section 3.1).
    RequiredGlue = 2,
    /// Addresses of other NS targets in the zone (RFC 9471 section 3.2).
    SiblingGlue = 3,
    /// An NSEC3 with its RRSIGs, which are never sent apart.
    Proof = 4,
    /// RRSIGs of those addresses that are the zone's own data.
    AddressSignatures = 5,
    /// What every parked name has at its apex; its owner is that name.
    ParkedApex = 6,
    /// What every name below a parked one has, as by a wildcard; its owner is the QNAME.
    ParkedBelow = 7,
}

impl Part {
    #[inline]
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        const PARTS: [Part; 8] = [
            Part::Records,
            Part::Signatures,
            Part::RequiredGlue,
            Part::SiblingGlue,
            Part::Proof,
            Part::AddressSignatures,
            Part::ParkedApex,
            Part::ParkedBelow,
        ];
        PARTS.get(usize::from(number)).copied()
    }

    /// Whether it belongs to the child zone that all parked names of a zone share.
    #[inline]
    pub fn is_parked(self) -> bool {
        matches!(self, Self::ParkedApex | Self::ParkedBelow)
    }
}

/// Most RRsets that parked names have: an answer looks through all of them.
pub const PARKED_BODIES_MAX: usize = 32;

/// What a pointer in a body is relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Base {
    /// The owner name of the entry, where it stands in the message.
    Owner = 0,
    /// The apex of the zone, where it stands in the message.
    Apex = 1,
    /// The start of this body.
    Own = 2,
    /// The start of the NS body that this glue belongs to.
    Lead = 3,
}

/// A name of a zone. Its bodies are sorted by type, then part.
#[derive(Archive, Serialize, Debug, Clone, Copy)]
pub struct Entry {
    /// The `ENTRY_` flags.
    pub flags: u8,
    /// Octets of the labels that stand before the apex, lower case.
    pub name_length: u8,
    /// Where those labels are in the heap.
    pub name: u32,
    /// First of its bodies in the page's table.
    pub bodies_start: u16,
    /// Number of its bodies; 0 for an empty non-terminal (RFC 4592 section 2.2.2).
    pub bodies_count: u16,
}

/// The name is a zone cut: it has NS and is not the apex.
pub const ENTRY_DELEGATION: u8 = 1;
/// The name has a DNAME.
pub const ENTRY_DNAME: u8 = 2;
/// The name has a CNAME.
pub const ENTRY_CNAME: u8 = 4;
/// The name `*.<this>` has an entry.
pub const ENTRY_WILDCARD_BELOW: u8 = 8;
/// The leftmost label is `*`.
pub const ENTRY_WILDCARD: u8 = 16;
/// The cut is answered for here, with what the zone page has for parked names.
pub const ENTRY_PARKED: u8 = 32;

/// Up to 64 names whose hashes share a prefix.
#[derive(Archive, Serialize)]
pub struct NamePage {
    /// One octet of hash for each entry, in the order of `entries`; past the
    /// last entry the octets mean nothing.
    pub tags: [u8; PAGE_NAMES_MAX],
    /// The names.
    pub entries: Vec<Entry>,
    /// Their bodies.
    pub bodies: Vec<Body>,
    /// Names, records and patches.
    pub heap: Vec<u8>,
    /// Fills the struct, which ends its page, to two cache lines.
    pub reserved: [u8; 16],
}

const _: () = assert!(size_of::<ArchivedNamePage>() == 2 * UNIT);

/// Bodies that many names share, numbered from `number * 64`.
#[derive(Archive, Serialize)]
pub struct SharedPage {
    /// Number of this page.
    pub number: u32,
    /// The bodies.
    pub bodies: Vec<Body>,
    /// Records and patches.
    pub heap: Vec<u8>,
}

/// One zone: everything that is needed before a name is looked up.
#[derive(Archive, Serialize)]
pub struct ZonePage {
    /// Apex in wire format, lower case.
    pub apex: Vec<u8>,
    /// SOA serial (RFC 1982).
    pub serial: u32,
    /// Registry event that the zone stands at.
    pub event: u64,
    /// Bit d is set when names with d labels below the apex have entries.
    pub depths: [u64; 2],
    /// Flags of the apex entry, so that most look-ups need not probe for it.
    pub apex_flags: u8,
    /// Root of the name tree.
    pub names: u64,
    /// Root of the tree of shared bodies.
    pub shared: u64,
    /// Number of shared bodies.
    pub shared_count: u32,
    /// Entries of the name tree, empty non-terminals included.
    pub names_count: u64,
    /// Delegations among them.
    pub delegations_count: u64,
    /// Records in all bodies, shared ones counted at each use.
    pub records_count: u64,
    /// How the zone proves that something is not there: a [`Denial`].
    pub denial: u8,
    /// Root of the NSEC3 tree, or of the names in canonical order.
    pub proofs: u64,
    /// NSEC3 records, or owners of NSEC.
    pub proofs_count: u64,
    /// Additional iterations of the NSEC3 hash (RFC 5155 section 3.1.3).
    pub nsec3_iterations: u16,
    /// Salt of the NSEC3 hash.
    pub nsec3_salt: Vec<u8>,
    /// NSEC3 hashes of the apex and of the wildcard below it, which most
    /// negative answers of a delegation-only zone need.
    pub nsec3_apex: [[u8; 20]; 2],
    /// For negative answers: SOA with the negative TTL (RFC 2308 section 3), and its RRSIGs.
    /// Then the child zone of parked names, by part and type, if the zone parks any: its
    /// SOA has the negative TTL as well.
    pub negative: Vec<Body>,
    /// Records and patches of `negative`.
    pub heap: Vec<u8>,
}

/// How a zone proves that something is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Denial {
    /// Not at all: the zone is not signed.
    #[default]
    None = 0,
    /// With NSEC (RFC 4034 section 4).
    Nsec = 1,
    /// With NSEC3 (RFC 5155).
    Nsec3 = 2,
}

impl Denial {
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::None, Self::Nsec, Self::Nsec3]
            .into_iter()
            .find(|own| *own as u8 == number)
    }
}

/// NSEC3 records whose hashes share a prefix, sorted. A leaf starts with the last
/// record of the leaf before it (the first leaf with the last record of all), and
/// an empty slot of the tree names the leaf before it (or the first), so that the
/// record that covers a hash is always in the leaf found.
#[derive(Archive, Serialize)]
pub struct Nsec3Page {
    /// Hashed owner names.
    pub hashes: Vec<[u8; 20]>,
    /// For each of them the NSEC3 with its RRSIGs.
    pub bodies: Vec<Body>,
    /// Records and patches.
    pub heap: Vec<u8>,
}

/// NSEC3 records in one page after a full compile, so that pages have room to grow.
pub const NSEC3_PAGE_PROOFS_FILL: usize = 48;
/// Most NSEC3 records that a page is filled with, but for its first.
pub const NSEC3_PAGE_PROOFS_MAX: usize = 64;

/// Most children or names of an order page.
pub const ORDER_PAGE_KEYS_MAX: usize = 64;

/// Owners of NSEC in canonical order: a leaf of names, or a node over such pages.
#[derive(Archive, Serialize)]
pub struct OrderPage {
    /// Where each key ends in the heap; it starts where the one before ends.
    pub ends: Vec<u32>,
    /// Sort keys, ascending: of the names, or of the first name of each child.
    pub heap: Vec<u8>,
    /// The children; empty in a leaf.
    pub children: Vec<u64>,
}

/// Zones whose apex hashes share a prefix.
#[derive(Archive, Serialize)]
pub struct CatalogPage {
    /// The zones.
    pub zones: Vec<CatalogEntry>,
}

/// One zone of the catalog.
#[derive(Archive, Serialize, Clone)]
pub struct CatalogEntry {
    /// Apex in wire format, lower case.
    pub apex: Vec<u8>,
    /// Its zone page.
    pub zone: u64,
}

/// Ends each segment: what the segment holds.
#[derive(Archive, Serialize)]
pub struct Toc {
    /// Key of the name hash: secret, random, the same in all segments of an image.
    pub seed: [u8; 16],
    /// Every page, by ascending offset.
    pub pages: Vec<PageMeta>,
}

/// One page of a segment.
#[derive(Archive, Serialize, Clone, Copy)]
pub struct PageMeta {
    /// Offset in [`UNIT`]s.
    pub offset_units: u32,
    /// Length in [`UNIT`]s.
    pub units: u16,
    /// A [`PageKind`].
    pub kind: u8,
}

/// The contents of a generation file: the root of everything.
#[derive(Archive, Serialize)]
pub struct Manifest {
    /// Counts the installs in a directory, from 1.
    pub number: u64,
    /// Highest registry event of its zones.
    pub event: u64,
    /// Key of the name hash.
    pub seed: [u8; 16],
    /// Root of the catalog tree.
    pub catalog: u64,
    /// Bit d is set when a zone has an apex of d labels.
    pub catalog_depths: [u64; 2],
    /// Number of zones.
    pub zones_count: u64,
    /// The segments, by the slot that page references name.
    pub segments: Vec<SegmentRef>,
}

/// A segment that a generation uses.
#[derive(Archive, Serialize, Debug, Clone, PartialEq, Eq)]
pub struct SegmentRef {
    /// What page references call it.
    pub slot: u16,
    /// Digest of the segment, which also names its file.
    pub digest: [u8; 32],
    /// Octets of the file.
    pub bytes: u64,
}

/// Starts every file of an image; its digest covers all that follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) magic: [u8; 8],
    pub(crate) digest: [u8; 32],
}

/// First octets of a segment.
pub(crate) const SEGMENT_MAGIC: [u8; 8] = *b"MRDNseg\n";
/// First octets of a generation file.
pub(crate) const GENERATION_MAGIC: [u8; 8] = *b"MRDNgen\n";
/// Octets of a header: magic, version, 20 reserved octets, digest.
pub(crate) const HEADER_BYTES: usize = UNIT;

const _: () = assert!(HEADER_BYTES == UNIT, "the first page stands at unit 1");

impl Header {
    pub(crate) fn encode(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&self.magic);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[32..].copy_from_slice(&self.digest);
        bytes
    }
}

/// The tree key of a shared page. Reversed bits spread consecutive numbers
/// evenly over the tree, so that it stays balanced as it grows.
pub fn shared_key(page_number: u32) -> u64 {
    u64::from(page_number).reverse_bits()
}
