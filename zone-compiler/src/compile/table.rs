//! All records of a zone in one arena, sorted by the hash of their owner.
//!
//! Memory is the wire format of the zone and 16 octets a record. Sorting by hash
//! brings the records of a name together and is the order of the pages too.

use std::cmp::Ordering;
use std::ops::Range;

use zone_image::{LookupName, Name, Seed};

use crate::record::{Record, RecordType};

/// The records of a zone, grouped by owner name.
pub(crate) struct Table {
    pub(crate) seed: Seed,
    arena: Vec<u8>,
    rows: Vec<Row>,
    /// First row of each group.
    groups: Vec<u32>,
}

/// Records on their way into a table.
pub(crate) struct Rows {
    seed: Seed,
    arena: Vec<u8>,
    rows: Vec<Row>,
}

/// Where a record is, with what most questions are about: so that they are answered
/// from memory that is read in order, and not from the arena.
#[derive(Clone, Copy)]
struct Row {
    hash: u64,
    /// Type in the highest 16 bits, place in the arena below them.
    type_and_place: u64,
}

/// Bits of a place in the arena: more than any memory has.
const PLACE_BITS: u32 = 48;

impl Row {
    fn new(hash: u64, at: u64, rtype: RecordType) -> Self {
        debug_assert!(at >> PLACE_BITS == 0);
        Self {
            hash,
            type_and_place: u64::from(rtype.0) << PLACE_BITS | at,
        }
    }

    fn at(self) -> u64 {
        self.type_and_place & ((1 << PLACE_BITS) - 1)
    }

    fn rtype(self) -> RecordType {
        let rtype = u16::try_from(self.type_and_place >> PLACE_BITS);
        RecordType(rtype.expect("16 bits are left"))
    }
}

/// A record in the arena.
#[derive(Clone, Copy)]
pub(crate) struct Stored<'t> {
    /// Owner, wire format, lower case.
    pub(crate) owner: &'t [u8],
    pub(crate) rtype: RecordType,
    pub(crate) ttl: u32,
    pub(crate) rdata: &'t [u8],
}

/// Octets before the owner in the arena: type, TTL, length of RDATA, length of owner.
const HEAD: usize = 9;

impl Table {
    pub(crate) fn new(seed: Seed) -> Self {
        Self {
            seed,
            arena: Vec::new(),
            rows: Vec::new(),
            groups: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, record: &Record) {
        let owner = record.owner.to_lowercase();
        self.push_wire(owner.as_wire(), record.rtype, record.ttl, &record.rdata);
    }

    /// Adds a record whose owner is in lower case.
    pub(crate) fn push_wire(&mut self, owner: &[u8], rtype: RecordType, ttl: u32, rdata: &[u8]) {
        let at = append_row(&mut self.arena, owner, rtype, ttl, rdata);
        self.rows.push(Row::new(self.seed.hash(owner), at, rtype));
    }

    /// Adds records to a table that is grouped already.
    pub(crate) fn append(&mut self, added: Vec<Rows>) {
        let octets = added.iter().map(|rows| rows.arena.len()).sum();
        self.arena.reserve_exact(octets);
        self.rows
            .reserve_exact(added.iter().map(|rows| rows.rows.len()).sum());
        for rows in added {
            let base = self.arena.len() as u64;
            self.arena.extend_from_slice(&rows.arena);
            let moved = |row: Row| Row::new(row.hash, base + row.at(), row.rtype());
            self.rows.extend(rows.rows.into_iter().map(moved));
        }
        // A stable sort finds the run that is sorted, and is the faster for it.
        let Self { arena, rows, .. } = self;
        rows.sort_by(|a, b| order(arena, *a, *b));
        self.find_groups();
    }

    /// Gives records of a group another TTL and RDATA of the same length.
    pub(crate) fn rewrite(
        &mut self,
        group: usize,
        ttl: u32,
        mut change: impl FnMut(&Stored<'_>) -> Option<Vec<u8>>,
    ) {
        for row in self.rows_of(group) {
            let record = self.row(row);
            let Some(rdata) = change(&record) else {
                continue;
            };
            assert_eq!(rdata.len(), record.rdata.len(), "rows do not grow");
            let owner_length = record.owner.len();
            let at = usize::try_from(self.rows[row].at()).expect("the arena is in memory");
            self.arena[at + 2..at + 6].copy_from_slice(&ttl.to_le_bytes());
            let start = at + HEAD + owner_length;
            self.arena[start..start + rdata.len()].copy_from_slice(&rdata);
        }
    }

    /// Brings the records of each name together. Comes once, after the last `push`.
    pub(crate) fn group(&mut self) {
        let Self { arena, rows, .. } = self;
        rows.sort_unstable_by(|a, b| order(arena, *a, *b));
        self.find_groups();
    }

    fn find_groups(&mut self) {
        let arena = &self.arena;
        self.groups.clear();
        let mut last: Option<(u64, &[u8])> = None;
        for (index, row) in self.rows.iter().enumerate() {
            let key = Some((row.hash, stored(arena, row.at()).owner));
            if key != last {
                self.groups
                    .push(u32::try_from(index).expect("fewer than 2^32 records"));
                last = key;
            }
        }
    }

    /// Number of records.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Number of names.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    pub(crate) fn hash_of(&self, group: usize) -> u64 {
        self.rows[self.groups[group] as usize].hash
    }

    pub(crate) fn owner(&self, group: usize) -> &[u8] {
        self.row(self.groups[group] as usize).owner
    }

    /// The records of a name, in the order they came.
    pub(crate) fn records(&self, group: usize) -> impl Iterator<Item = Stored<'_>> {
        self.rows_of(group).map(|index| self.row(index))
    }

    fn rows_of(&self, group: usize) -> Range<usize> {
        let end = self
            .groups
            .get(group + 1)
            .map_or(self.rows.len(), |end| *end as usize);
        self.groups[group] as usize..end
    }

    /// The types of the records of a name, one for each record.
    pub(crate) fn types(&self, group: usize) -> impl Iterator<Item = RecordType> {
        self.rows_of(group).map(|row| self.rows[row].rtype())
    }

    pub(crate) fn has(&self, group: usize, rtype: RecordType) -> bool {
        self.types(group).any(|own| own == rtype)
    }

    /// The group of this owner: wire format, lower case.
    pub(crate) fn find(&self, owner: &[u8]) -> Option<usize> {
        let hash = self.seed.hash(owner);
        let mut group = self.first_at_or_after(hash);
        while group < self.groups.len() && self.hash_of(group) == hash {
            if self.owner(group) == owner {
                return Some(group);
            }
            group += 1;
        }
        None
    }

    /// Hashes are spread evenly, so a guess by proportion is close; the search
    /// then doubles its step until the hash lies between two probes.
    fn first_at_or_after(&self, hash: u64) -> usize {
        let count = self.groups.len();
        let guess = usize::try_from((u128::from(hash) * count as u128) >> 64)
            .expect("the product of a fraction and a count");
        let (mut low, mut high) = (guess, guess);
        let mut step = 16;
        while low > 0 && self.hash_of(low.min(count - 1)) >= hash {
            low = low.saturating_sub(step);
            step *= 2;
        }
        step = 16;
        while high < count && self.hash_of(high) < hash {
            high = (high + step).min(count);
            step *= 2;
        }
        let (mut low, mut high) = (low, high);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.hash_of(middle) < hash {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn row(&self, index: usize) -> Stored<'_> {
        stored(&self.arena, self.rows[index].at())
    }
}

impl Rows {
    pub(crate) fn new(seed: Seed) -> Self {
        Self {
            seed,
            arena: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Adds a record whose owner is in lower case.
    pub(crate) fn push(&mut self, owner: &[u8], rtype: RecordType, ttl: u32, rdata: &[u8]) {
        let at = append_row(&mut self.arena, owner, rtype, ttl, rdata);
        self.rows.push(Row::new(self.seed.hash(owner), at, rtype));
    }
}

/// Appends a record to an arena; returns where it is.
fn append_row(arena: &mut Vec<u8>, owner: &[u8], rtype: RecordType, ttl: u32, rdata: &[u8]) -> u64 {
    let rdata_length = u16::try_from(rdata.len()).expect("RDATA has 16 bits of length");
    let owner_length = u8::try_from(owner.len()).expect("a name has at most 255 octets");
    let at = arena.len() as u64;
    arena.extend_from_slice(&rtype.0.to_le_bytes());
    arena.extend_from_slice(&ttl.to_le_bytes());
    arena.extend_from_slice(&rdata_length.to_le_bytes());
    arena.push(owner_length);
    arena.extend_from_slice(owner);
    arena.extend_from_slice(rdata);
    at
}

/// By hash, then by owner, then as they came.
fn order(arena: &[u8], a: Row, b: Row) -> Ordering {
    let owner = |row: Row| stored(arena, row.at()).owner;
    a.hash
        .cmp(&b.hash)
        .then_with(|| owner(a).cmp(owner(b)))
        .then(a.at().cmp(&b.at()))
}

fn stored(arena: &[u8], at: u64) -> Stored<'_> {
    let row = &arena[usize::try_from(at).expect("the arena is in memory")..];
    let (head, rest) = row.split_at(HEAD);
    let (owner, rest) = rest.split_at(usize::from(head[8]));
    Stored {
        owner,
        rtype: RecordType(u16::from_le_bytes([head[0], head[1]])),
        ttl: u32::from_le_bytes([head[2], head[3], head[4], head[5]]),
        rdata: &rest[..usize::from(u16::from_le_bytes([head[6], head[7]]))],
    }
}

/// The owner as people read it.
pub(crate) fn display(owner: &[u8]) -> String {
    Name::from_wire(owner).map_or_else(|_| "?".to_owned(), |name| name.to_string())
}

/// The labels of an owner for walking its ancestors.
pub(crate) fn lookup_name(owner: &[u8]) -> LookupName {
    LookupName::parse(owner).expect("owners come from names")
}
