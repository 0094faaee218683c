//! Which names exist after a change: those with records, and those above them (RFC 4592
//! section 2.2.2).
//!
//! A name without records stays as long as a name lies below it; when the last one
//! goes, it goes too, and so on up.

use std::collections::{BTreeMap, HashMap};

use zone_image::Zone;

use super::index::{ZoneIndex, depth, parent};

/// What a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Absent,
    /// It has no records, and names below it.
    Empty,
    Records,
}

/// The names that a change makes or removes, on top of an image. Names are relative.
pub(super) struct Presence<'w> {
    zone: Zone<'w>,
    index: &'w ZoneIndex,
    now: BTreeMap<Vec<u8>, State>,
    children: HashMap<Vec<u8>, i64>,
}

impl<'w> Presence<'w> {
    pub(super) fn new(zone: Zone<'w>, index: &'w ZoneIndex) -> Self {
        Self {
            zone,
            index,
            now: BTreeMap::new(),
            children: HashMap::new(),
        }
    }

    /// What a name was.
    pub(super) fn before(&self, relative: &[u8]) -> State {
        let wire = [relative, self.zone.apex()].concat();
        match self.zone.find(&wire) {
            None => State::Absent,
            Some(entry) if entry.stored_bodies().next().is_none() => State::Empty,
            Some(_) => State::Records,
        }
    }

    /// What a name is.
    pub(super) fn state(&self, relative: &[u8]) -> State {
        let now = self.now.get(relative).copied();
        now.unwrap_or_else(|| self.before(relative))
    }

    /// Names one label below a name.
    pub(super) fn children(&self, relative: &[u8]) -> i64 {
        let change = self.children.get(relative).copied().unwrap_or_default();
        i64::from(self.index.children_of(relative)) + change
    }

    /// Sets which of these names have records: `names` says so of each.
    pub(super) fn set(&mut self, names: &BTreeMap<Vec<u8>, bool>) {
        for (name, _) in names.iter().filter(|(_, has_records)| **has_records) {
            self.add(name);
        }
        // From the deepest up, so that what lies below is known.
        let gone = names.iter().filter(|(_, has_records)| !**has_records);
        let mut gone: Vec<_> = gone.map(|(name, _)| name).collect();
        gone.sort_by_key(|name| std::cmp::Reverse(depth(name)));
        for name in gone {
            self.remove(name);
        }
    }

    fn add(&mut self, name: &[u8]) {
        let was = self.state(name);
        self.now.insert(name.to_vec(), State::Records);
        let mut below = (was == State::Absent).then_some(name);
        while let Some(above) = below.and_then(parent) {
            *self.children.entry(above.to_vec()).or_default() += 1;
            below = None;
            if self.state(above) == State::Absent {
                self.now.insert(above.to_vec(), State::Empty);
                below = Some(above);
            }
        }
    }

    fn remove(&mut self, name: &[u8]) {
        let mut gone = Some(name);
        while let Some(name) = gone {
            gone = None;
            if self.state(name) == State::Absent {
                continue;
            }
            if self.children(name) > 0 {
                self.now.insert(name.to_vec(), State::Empty);
                continue;
            }
            self.now.insert(name.to_vec(), State::Absent);
            if let Some(above) = parent(name) {
                *self.children.entry(above.to_vec()).or_default() -= 1;
                gone = (self.state(above) == State::Empty).then_some(above);
            }
        }
    }

    /// Every name that was set or became something else for it.
    pub(super) fn touched(&self) -> impl Iterator<Item = (&Vec<u8>, State)> {
        self.now.iter().map(|(name, state)| (name, *state))
    }

    /// How the numbers of names below names change.
    pub(super) fn into_children(self) -> HashMap<Vec<u8>, i64> {
        self.children
    }
}
