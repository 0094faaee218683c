//! What an incremental compile has to know of a whole zone.
//!
//! How many names lie below a name, at a depth, and on a shared NS set: whether the
//! last one went away cannot be read from the page of a name. Made by one look at every
//! name when a zone first changes after a start, then carried along; an index that is of
//! another version of its zone is refused by [`ZoneIndex::is_of`].

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use zone_image::layout::{PageRef, Part};
use zone_image::writer::BodyBytes;
use zone_image::{StoredBody, Zone};

use super::proven::own_proof;

/// Depths that names can have, the apex included.
const DEPTHS: usize = 128;

/// Counts over all names of one version of a zone.
#[derive(Debug)]
pub struct ZoneIndex {
    version: (u64, u32, PageRef, PageRef),
    /// Names by number of labels below the apex.
    depths: [u64; DEPTHS],
    /// For each name that has names one label below it, but for the apex, their number.
    children: HashMap<Box<[u8]>, Children>,
    /// For each shared body the names that use it.
    users: Vec<u32>,
    /// Shared NS sets by what their body holds.
    contents: HashMap<u64, u32>,
}

/// Names one label below a name.
#[derive(Debug, Clone, Copy, Default)]
struct Children {
    names: u32,
    /// Those that opt-out leaves an NSEC3 (see [`super::proven`]).
    proven: u32,
}

/// How a change changes an index.
#[derive(Debug, Default)]
pub struct IndexDelta {
    depths: HashMap<usize, i64>,
    /// Names, and those with an NSEC3.
    children: HashMap<Vec<u8>, (i64, i64)>,
    users: HashMap<u32, i64>,
    forgotten: Vec<u64>,
    learned: Vec<(u64, u32)>,
}

/// Number of labels of a relative name.
pub(super) fn depth(relative: &[u8]) -> usize {
    let (mut at, mut labels) = (0, 0);
    while at < relative.len() {
        at += 1 + usize::from(relative[at]);
        labels += 1;
    }
    labels
}

/// A relative name without its first label; `None` for a name right below the apex.
pub(super) fn parent(relative: &[u8]) -> Option<&[u8]> {
    let parent = &relative[1 + usize::from(*relative.first()?)..];
    (!parent.is_empty()).then_some(parent)
}

/// Tells bodies apart by what is stored of them.
pub(super) fn content_hash(wire: &[u8], patches: impl Iterator<Item = u16>) -> u64 {
    let mut hasher = DefaultHasher::new();
    wire.hash(&mut hasher);
    patches.for_each(|patch| patch.hash(&mut hasher));
    hasher.finish()
}

impl ZoneIndex {
    /// Looks at every name of a zone.
    pub fn of(zone: Zone<'_>) -> Self {
        let mut index = Self {
            version: zone.version(),
            depths: [0; DEPTHS],
            children: HashMap::new(),
            users: vec![0; zone.shared_count() as usize],
            contents: HashMap::new(),
        };
        let mut empty: Vec<&[u8]> = Vec::new();
        zone.each_entry(&mut |entry| {
            let relative = entry.relative_name();
            index.depths[depth(relative)] += 1;
            match own_proof(&entry) {
                Some(is_proven) => index.child(relative, 1, is_proven),
                None => empty.push(relative),
            }
            for (_, _, body) in entry.stored_bodies() {
                if let StoredBody::Shared(number) = body {
                    index.users[number as usize] += 1;
                }
            }
        });
        // What lies below a name is known before the name.
        empty.sort_unstable_by_key(|relative| std::cmp::Reverse(depth(relative)));
        for relative in empty {
            let is_proven = index.proven_below(relative) > 0;
            index.child(relative, 1, is_proven);
        }
        for number in 0..zone.shared_count() {
            let body = zone.shared_body(number);
            if body.part() == Part::Records {
                let (wire, patches) = body.stored();
                index.contents.insert(content_hash(wire, patches), number);
            }
        }
        index
    }

    /// About what it takes of memory: its tables as they are allocated, and the names.
    pub fn memory_bytes(&self) -> usize {
        let names: usize = self.children.keys().map(|name| name.len()).sum();
        // One octet of control stands beside each place of a table.
        let children = size_of::<(Box<[u8]>, Children)>() + 1;
        let contents = size_of::<(u64, u32)>() + 1;
        size_of::<Self>()
            + names
            + self.children.capacity() * children
            + self.contents.capacity() * contents
            + self.users.capacity() * size_of::<u32>()
    }

    /// Counts a name with the one above it.
    fn child(&mut self, relative: &[u8], names: u32, is_proven: bool) {
        let Some(parent) = parent(relative) else {
            return;
        };
        // Most names have a parent that is known already: no copy for those.
        if !self.children.contains_key(parent) {
            self.children.insert(parent.into(), Children::default());
        }
        if let Some(children) = self.children.get_mut(parent) {
            children.names += names;
            children.proven += u32::from(is_proven);
        }
    }

    /// Whether it is of this version of its zone.
    pub fn is_of(&self, zone: Zone<'_>) -> bool {
        self.version == zone.version()
    }

    /// Follows a change, after which the zone is `zone`.
    pub fn follow(&mut self, delta: IndexDelta, zone: Zone<'_>) {
        self.version = zone.version();
        for (depth, change) in delta.depths {
            self.depths[depth] = self.depths[depth].wrapping_add_signed(change);
        }
        for (name, (names, proven)) in delta.children {
            let before = self.children.get(&name[..]).copied().unwrap_or_default();
            let after = |before: u32, change: i64| {
                u32::try_from(i64::from(before) + change).unwrap_or_default()
            };
            let after = Children {
                names: after(before.names, names),
                proven: after(before.proven, proven),
            };
            if after.names > 0 {
                self.children.insert(name.into(), after);
            } else {
                self.children.remove(&name[..]);
            }
        }
        self.users.resize(zone.shared_count() as usize, 0);
        for (number, change) in delta.users {
            let users = &mut self.users[number as usize];
            *users = u32::try_from(i64::from(*users) + change).unwrap_or_default();
        }
        for content in delta.forgotten {
            self.contents.remove(&content);
        }
        self.contents.extend(delta.learned);
    }

    pub(super) fn names_at(&self, depth: usize) -> u64 {
        self.depths[depth]
    }

    pub(super) fn children_of(&self, relative: &[u8]) -> u32 {
        let children = self.children.get(relative);
        children.map_or(0, |children| children.names)
    }

    /// Names one label below a name that opt-out leaves an NSEC3.
    pub(super) fn proven_below(&self, relative: &[u8]) -> u32 {
        let children = self.children.get(relative);
        children.map_or(0, |children| children.proven)
    }

    pub(super) fn users_of(&self, number: u32) -> u32 {
        self.users.get(number as usize).copied().unwrap_or_default()
    }

    /// The shared NS set that is stored just like this.
    pub(super) fn find_set(&self, zone: Zone<'_>, body: &BodyBytes) -> Option<u32> {
        let hash = content_hash(&body.wire, body.patches.iter().copied());
        let number = *self.contents.get(&hash)?;
        let is_same =
            number < zone.shared_count() && BodyBytes::from(zone.shared_body(number)) == *body;
        is_same.then_some(number)
    }
}

/// The shared sibling glue of a shared NS set: it stands right behind it.
pub(super) fn sibling_of(zone: Zone<'_>, number: u32) -> Option<u32> {
    let next = number + 1;
    let is_sibling =
        next < zone.shared_count() && zone.shared_body(next).part() == Part::SiblingGlue;
    is_sibling.then_some(next)
}

impl IndexDelta {
    pub(super) fn name(&mut self, relative: &[u8], change: i64) {
        *self.depths.entry(depth(relative)).or_default() += change;
    }

    pub(super) fn children(&mut self, names: HashMap<Vec<u8>, i64>, proven: HashMap<Vec<u8>, i64>) {
        for (name, change) in names {
            self.children.entry(name).or_default().0 = change;
        }
        for (name, change) in proven {
            self.children.entry(name).or_default().1 = change;
        }
    }

    pub(super) fn user(&mut self, number: u32, change: i64) {
        *self.users.entry(number).or_default() += change;
    }

    pub(super) fn contents(&mut self, forgotten: Vec<u64>, learned: Vec<(u64, u32)>) {
        (self.forgotten, self.learned) = (forgotten, learned);
    }

    /// Names that come to a depth, less those that go.
    pub(super) fn names_at(&self, depth: usize) -> i64 {
        self.depths.get(&depth).copied().unwrap_or_default()
    }

    /// Depths at which the number of names changes.
    pub(super) fn changed_depths(&self) -> impl Iterator<Item = usize> {
        self.depths.keys().copied()
    }
}
