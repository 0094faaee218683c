//! Folding segments: what is reached of several becomes one segment, and what is not
//! reached is left behind.
//!
//! A fold is made beside installs, on a thread of its caller's: it reads one generation,
//! writes a segment that nobody refers to, and verifies what that generation would be
//! with it. Only [`Fold::stage`] takes the lock of the directory. It carries the fold over
//! to the generation that is installed by then: pages written meanwhile stay as they are,
//! and the nodes that lead from them into folded segments are written again. So an install
//! waits for as much as was written meanwhile, not for the fold. Killed at any moment, a
//! fold leaves what is installed and one file that the next fold takes over.

mod copy;
mod worn;

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::copy::{Copying, Fate};
use super::install::{SLOT_OF_FOLD, SLOT_OF_INSTALL, free_slots, halves, lock};
use super::segment::{FOLD_FILE, SegmentWriter};
use super::staged::Staged;
use crate::error::WriteError;
use crate::generation::Generation;
use crate::layout::{Manifest, PageKind, PageRef, SegmentRef};
use crate::memory::Memory;
use crate::reach::Live;
use crate::segment::{Segment, file_name};
use crate::team::Team;
use crate::verify;

/// Segments of a generation made one, and verified as that generation would be with it.
pub struct Fold {
    directory: PathBuf,
    /// What was folded.
    base: Arc<Generation>,
    slots: BTreeSet<u16>,
    /// Where its pages are now.
    moved: HashMap<PageRef, PageRef>,
    /// The base with the folded segment in the place of those.
    folded: Arc<Generation>,
    segment: SegmentRef,
    file: FoldFile,
}

/// The folded segment until it has its name.
struct FoldFile {
    path: PathBuf,
    is_named: bool,
    /// Released last.
    _lock: File,
}

impl Drop for FoldFile {
    fn drop(&mut self) {
        if !self.is_named {
            // What stays is taken over by the next fold.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Fold {
    /// Removes what a fold left behind that was killed.
    pub fn clean(directory: &Path) {
        let path = directory.join(FOLD_FILE);
        let file = File::open(&path);
        if file.is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = std::fs::remove_file(&path);
        }
    }

    /// Folds these segments of an installed generation. Takes so much memory as its segment
    /// has octets, and some for each page.
    pub fn make(
        directory: &Path,
        base: &Arc<Generation>,
        slots: &BTreeSet<u16>,
        memory: Memory,
    ) -> Result<Self, WriteError> {
        let slot = free_slots(Some(base)).from(SLOT_OF_FOLD)?;
        let (mut writer, lock) = SegmentWriter::beside(directory, slot, base.seed)?;
        let file = FoldFile {
            path: directory.join(FOLD_FILE),
            is_named: false,
            _lock: lock,
        };
        let oldest = base.order.iter().position(|slot| slots.contains(slot));
        let mut fates = vec![Fate::Stay; base.segments.len()];
        for slot in &base.order[oldest.unwrap_or(base.order.len())..] {
            let is_folded = slots.contains(slot);
            let fate = if is_folded { Fate::Copy } else { Fate::Follow };
            fates[usize::from(*slot)] = fate;
        }
        let before = HashMap::new();
        let mut copying = Copying::new(base, fates, &before, &mut writer);
        let catalog = copying.tree(base.catalog, PageKind::Catalog)?;
        let moved = copying.moved;
        let segment = writer.finish_unnamed()?;
        let name = directory.join(file_name(&segment.digest));
        let team = Team::of_machine();
        let opened = Segment::open_file(&file.path, name, &segment, &base.seed.0, memory, team)?;
        let folded = with_segment(base, slots, catalog, &segment, Arc::new(opened))?;
        Ok(Self {
            directory: directory.to_owned(),
            base: Arc::clone(base),
            slots: slots.clone(),
            moved,
            folded: Arc::new(folded),
            segment,
            file,
        })
    }

    /// Octets of the folded segment.
    pub fn bytes(&self) -> u64 {
        self.segment.bytes
    }

    /// Carries it over to `current`, which is installed. `None` where that has nothing to
    /// do with what was folded any more.
    pub fn stage(mut self, current: &Arc<Generation>) -> Result<Option<Staged>, WriteError> {
        let lock = lock(&self.directory)?;
        if !current.is_installed_in(&self.directory) {
            return Err(WriteError::Replaced(self.directory));
        }
        let shares = |slot: u16| current.shares_slot(&self.base, slot);
        let own = current.segments.get(usize::from(self.segment.slot));
        let is_free = own.is_none_or(Option::is_none);
        let is_related = current.seed == self.base.seed;
        if !is_related || !is_free || !self.slots.iter().any(|slot| shares(*slot)) {
            return Ok(None);
        }
        let fates = (0..current.segments.len()).map(|slot| {
            let is_shared = u16::try_from(slot).is_ok_and(shares);
            if is_shared { Fate::Moved } else { Fate::Follow }
        });
        let (slots, least) = (free_slots(Some(current)), SLOT_OF_INSTALL);
        let mut writer = SegmentWriter::create(&self.directory, slots, least, current.seed)?;
        let mut copying = Copying::new(current, fates.collect(), &self.moved, &mut writer);
        let catalog = copying.tree(current.catalog, PageKind::Catalog)?;
        let mut segments = self.segments_of(current);
        let mut bytes = self.segment.bytes;
        if !writer.is_empty() {
            let written = writer.finish()?;
            bytes += written.iter().map(|segment| segment.bytes).sum::<u64>();
            segments.extend(written);
        }
        let target = self.directory.join(file_name(&self.segment.digest));
        std::fs::rename(&self.file.path, &target)
            .map_err(|error| WriteError::io(&self.file.path, error))?;
        self.file.is_named = true;
        let manifest = Manifest {
            number: current.number + 1,
            event: current.event,
            seed: current.seed.0,
            catalog: catalog.0,
            catalog_depths: halves(current.catalog_depths),
            zones_count: current.zones_count,
            segments,
        };
        let staged = Staged::write(self.directory.clone(), &manifest, bytes, lock)?;
        Ok(Some(staged.after_fold(self.folded)))
    }

    /// The segments of `current` with the folded one, in an order in which no page refers
    /// to a later segment: what was written meanwhile knows nothing of the folded one.
    fn segments_of(&self, current: &Generation) -> Vec<SegmentRef> {
        let is_shared = |slot: &u16| current.shares_slot(&self.base, *slot);
        let (old, new): (Vec<_>, Vec<_>) = current.order.iter().copied().partition(is_shared);
        let old = old.into_iter().filter(|slot| !self.slots.contains(slot));
        let used = |slot: &u16| current.live.bytes(*slot) > 0;
        let refer = |slot: u16| reference_to(current, slot);
        let mut segments: Vec<_> = old.filter(used).filter_map(refer).collect();
        segments.push(self.segment.clone());
        segments.extend(new.into_iter().filter(used).filter_map(refer));
        segments
    }
}

fn reference_to(generation: &Generation, slot: u16) -> Option<SegmentRef> {
    let segment = generation.segments[usize::from(slot)].as_ref()?;
    Some(SegmentRef {
        slot,
        digest: *segment.digest(),
        bytes: segment.bytes(),
    })
}

/// `base` with `segment` in the place of others, verified.
fn with_segment(
    base: &Generation,
    slots: &BTreeSet<u16>,
    catalog: PageRef,
    reference: &SegmentRef,
    segment: Arc<Segment>,
) -> Result<Generation, WriteError> {
    let path = segment.path().to_owned();
    let mut segments = base.segments.clone();
    for slot in slots {
        segments[usize::from(*slot)] = None;
    }
    let slot = usize::from(reference.slot);
    if slot >= segments.len() {
        segments.resize_with(slot + 1, || None);
    }
    segments[slot] = Some(segment);
    let stays = |slot: &&u16| !slots.contains(*slot);
    let mut order: Vec<u16> = base.order.iter().filter(stays).copied().collect();
    order.push(reference.slot);
    let mut folded = Generation {
        number: base.number,
        event: base.event,
        seed: base.seed,
        catalog,
        catalog_depths: base.catalog_depths,
        zones_count: base.zones_count,
        segments,
        order,
        live: Live::default(),
        // Nobody installs it: what is installed is made of it.
        digest: [0; 32],
        file: Vec::new(),
    };
    let live = verify::generation_after(&folded, base, Team::of_machine());
    folded.live = live.map_err(|(found, fault)| crate::OpenError::Invalid {
        path: found.unwrap_or(path),
        fault,
    })?;
    Ok(folded)
}
