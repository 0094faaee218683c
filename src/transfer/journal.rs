//! The journal: what changed in each zone, one file for each change, bounded in octets and
//! age (RFC 1995 section 2 and 5).
//!
//! A file is written whole, synced and renamed, and carries its digest; whoever is killed
//! leaves the journal as it was or with one change more. What cannot be read, or does not
//! join what follows it, is removed: a client then gets the whole zone. Changes are only
//! handed out for a serial that the image at hand has.

mod file;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};

use zone_image::Name;

use self::file::Entry;
use super::difference::Difference;

/// Most changes kept of one zone.
const CHANGES_MAX: usize = 4096;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of the changes of one zone.
    pub zone_bytes_max: u64,
    /// Seconds after which a change is forgotten.
    pub age_seconds_max: u64,
}

impl Limits {
    /// Nothing is kept.
    pub(super) const NONE: Self = Self {
        zone_bytes_max: 0,
        age_seconds_max: 0,
    };
}

/// The changes of all zones.
#[derive(Debug)]
pub(super) struct Journal {
    directory: PathBuf,
    limits: Limits,
    zones: BTreeMap<Name, VecDeque<Entry>>,
}

impl Journal {
    /// Opens what is in a directory, which is made where it is not there.
    pub(super) fn open(directory: &Path, limits: Limits) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let mut journal = Self {
            directory: directory.to_owned(),
            limits,
            zones: BTreeMap::new(),
        };
        for folder in std::fs::read_dir(directory)? {
            let folder = folder?.path();
            if let Some(apex) = folder.file_name().and_then(file::apex_of) {
                let changes = file::list(&folder, &apex)?;
                journal.zones.insert(apex, changes);
            }
        }
        Ok(journal)
    }

    /// The serial that a zone's changes lead to.
    pub(super) fn serial(&self, apex: &Name) -> Option<u32> {
        Some(self.zones.get(apex)?.back()?.to)
    }

    /// Forgets all changes of a zone that do not lead to the version that is at hand.
    pub(super) fn begin(&mut self, apex: &Name, serial: u32) -> io::Result<()> {
        if self.serial(apex).is_some_and(|own| own != serial) {
            self.forget(apex)?;
        }
        Ok(())
    }

    /// Forgets all changes of a zone.
    pub(super) fn forget(&mut self, apex: &Name) -> io::Result<()> {
        if self.zones.remove(apex).is_some() {
            std::fs::remove_dir_all(self.folder(apex))?;
        }
        Ok(())
    }

    /// Keeps a change that begins where the one before ended, and forgets what is too old
    /// or too much.
    pub(super) fn append(
        &mut self,
        apex: &Name,
        difference: &Difference,
        now: u64,
    ) -> io::Result<()> {
        let folder = self.folder(apex);
        let entry = file::write(&folder, apex, difference, now)?;
        let changes = self.zones.entry(apex.clone()).or_default();
        if changes.back().is_some_and(|last| last.to != entry.from) {
            changes.drain(..).try_for_each(|entry| entry.remove())?;
        }
        changes.push_back(entry);
        let limits = self.limits;
        let mut bytes: u64 = changes.iter().map(|entry| entry.bytes).sum();
        while let Some(first) = changes.front() {
            let is_old = first.created_at.saturating_add(limits.age_seconds_max) < now;
            if !is_old && bytes <= limits.zone_bytes_max && changes.len() <= CHANGES_MAX {
                break;
            }
            bytes -= first.bytes;
            first.remove()?;
            changes.pop_front();
        }
        Ok(())
    }

    /// The changes that lead from one serial to another, oldest first, and their octets.
    pub(super) fn path(&self, apex: &Name, from: u32, to: u32) -> Option<(Vec<PathBuf>, u64)> {
        let changes = self.zones.get(apex)?;
        let start = changes.iter().position(|entry| entry.from == from)?;
        let chain = changes.range(start..);
        if changes.back()?.to != to {
            return None;
        }
        let bytes = chain.clone().map(|entry| entry.bytes).sum();
        Some((chain.map(|entry| entry.path.clone()).collect(), bytes))
    }

    /// The zones that it has changes of.
    pub(super) fn apexes(&self) -> Vec<Name> {
        self.zones.keys().cloned().collect()
    }

    /// The serial from which there are changes of a zone, and how many.
    pub(super) fn extent(&self, apex: &Name) -> Option<(u32, usize)> {
        let changes = self.zones.get(apex)?;
        Some((changes.front()?.from, changes.len()))
    }

    /// Octets of all changes.
    pub(super) fn bytes(&self) -> u64 {
        let changes = self.zones.values().flatten();
        changes.map(|entry| entry.bytes).sum()
    }

    fn folder(&self, apex: &Name) -> PathBuf {
        self.directory.join(file::folder_name(apex))
    }
}

pub(super) use self::file::read;

#[cfg(test)]
mod tests;
