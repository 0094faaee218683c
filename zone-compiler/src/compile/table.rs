//! All records of a zone in one arena, sorted by the hash of their owner.
//!
//! Memory is the wire format of the zone and 16 octets a record. Sorting by hash
//! brings the records of a name together and is the order of the pages too.

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

#[derive(Clone, Copy)]
struct Row {
    hash: u64,
    at: u64,
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
        let owner = owner.as_wire();
        let rdata_length = u16::try_from(record.rdata.len()).expect("RDATA has 16 bits of length");
        let at = self.arena.len() as u64;
        self.arena.extend_from_slice(&record.rtype.0.to_le_bytes());
        self.arena.extend_from_slice(&record.ttl.to_le_bytes());
        self.arena.extend_from_slice(&rdata_length.to_le_bytes());
        self.arena
            .push(u8::try_from(owner.len()).expect("a name has at most 255 octets"));
        self.arena.extend_from_slice(owner);
        self.arena.extend_from_slice(&record.rdata);
        self.rows.push(Row {
            hash: self.seed.hash(owner),
            at,
        });
    }

    /// Brings the records of each name together. Comes once, after the last `push`.
    pub(crate) fn group(&mut self) {
        let arena = &self.arena;
        self.rows.sort_unstable_by(|a, b| {
            a.hash
                .cmp(&b.hash)
                .then_with(|| stored(arena, a.at).owner.cmp(stored(arena, b.at).owner))
                .then(a.at.cmp(&b.at))
        });
        let mut last: Option<(u64, &[u8])> = None;
        for (index, row) in self.rows.iter().enumerate() {
            let key = Some((row.hash, stored(arena, row.at).owner));
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
        let end = self
            .groups
            .get(group + 1)
            .map_or(self.rows.len(), |end| *end as usize);
        (self.groups[group] as usize..end).map(|index| self.row(index))
    }

    pub(crate) fn has(&self, group: usize, rtype: RecordType) -> bool {
        self.records(group).any(|record| record.rtype == rtype)
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
        stored(&self.arena, self.rows[index].at)
    }
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
