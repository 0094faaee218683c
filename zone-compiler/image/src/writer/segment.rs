//! Writing segment files: pages in the order they come, then the table of contents.
//!
//! What an install writes goes on in another segment when one is large, so that a fold of
//! one never has a whole large zone in memory twice. Pages refer to pages before them, so
//! none refers to a later segment. The files have their names only when all are whole and
//! on disk.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::WriteError;
use crate::hash::Seed;
use crate::layout::{
    HEADER_BYTES, Header, PAGE_BYTES_MAX, PageKind, PageMeta, PageRef, SEGMENT_MAGIC, SegmentRef,
    Toc, UNIT,
};
use crate::segment::file_name;

/// Octets gathered before a write.
const BUFFER_BYTES: usize = 1 << 20;
/// Octets after which what a fold wrote goes to disk, so that at its end an install that
/// syncs its own does not wait for all of it.
const SYNC_BYTES: usize = 8 << 20;
/// Octets of pages after which an install begins another segment: no more than a fold may
/// take of several, so that none has to be folded alone.
const SEGMENT_BYTES_MAX: u64 = 255 << 20;
/// The name of what a fold writes. Installs leave it alone: they go on meanwhile.
pub(super) const FOLD_FILE: &str = "segment.folding";

/// Segments being written, under temporary names until they are finished.
pub struct SegmentWriter {
    directory: PathBuf,
    path: PathBuf,
    file: BufWriter<File>,
    hasher: blake3::Hasher,
    slot: u16,
    seed: Seed,
    end_units: u32,
    pages: Vec<PageMeta>,
    /// Octets that are not on disk, where that is to be counted.
    unsynced_bytes: Option<usize>,
    /// Octets of pages after which another segment begins.
    bytes_max: u64,
    /// Slots for the next ones.
    slots: FreeSlots,
    /// Those before, whole and on disk, with the names that they have until the end.
    sealed: Vec<(PathBuf, SegmentRef)>,
}

/// Slots that the kept generation leaves free, in steps of two.
#[derive(Debug, Default)]
pub(super) struct FreeSlots {
    pub(super) taken: Vec<bool>,
}

impl FreeSlots {
    /// The first one from `least` on.
    pub(super) fn from(&self, least: usize) -> Result<u16, WriteError> {
        let is_free = |slot: &usize| !self.taken.get(*slot).is_some_and(|taken| *taken);
        let slot = (least..).step_by(2).find(is_free);
        let slot = slot.and_then(|slot| u16::try_from(slot).ok());
        slot.ok_or(WriteError::TooLarge)
    }
}

impl SegmentWriter {
    /// Segments for an install; the first has the first free slot from `least` on.
    pub(super) fn create(
        directory: &Path,
        slots: FreeSlots,
        least: usize,
        seed: Seed,
    ) -> Result<Self, WriteError> {
        let path = temporary(directory, 0);
        let file = File::create(&path).map_err(|error| WriteError::io(&path, error))?;
        let slot = slots.from(least)?;
        let mut writer = Self::begin(directory, path, file, slot, seed, None)?;
        writer.bytes_max = SEGMENT_BYTES_MAX;
        writer.slots = slots;
        Ok(writer)
    }

    /// Begins another segment where one would have more octets of pages than this.
    pub(super) fn limit(&mut self, bytes_max: u64) {
        self.bytes_max = bytes_max;
    }

    /// A segment that is written while installs go on beside it; gives its lock too, which
    /// keeps other folds from its file.
    pub(super) fn beside(
        directory: &Path,
        slot: u16,
        seed: Seed,
    ) -> Result<(Self, File), WriteError> {
        let path = directory.join(FOLD_FILE);
        let open = || -> std::io::Result<(File, File)> {
            let mut options = File::options();
            let file = options
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)?;
            file.try_lock()?;
            // What cannot be emptied is in the way of the next fold too.
            file.set_len(0).inspect_err(|_| {
                let _ = std::fs::remove_file(&path);
            })?;
            let lock = file.try_clone()?;
            Ok((file, lock))
        };
        let (file, lock) = open().map_err(|error| WriteError::io(&path, error))?;
        let writer = Self::begin(directory, path, file, slot, seed, Some(0))?;
        Ok((writer, lock))
    }

    fn begin(
        directory: &Path,
        path: PathBuf,
        file: File,
        slot: u16,
        seed: Seed,
        unsynced_bytes: Option<usize>,
    ) -> Result<Self, WriteError> {
        let mut writer = Self {
            directory: directory.to_owned(),
            path,
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            hasher: blake3::Hasher::new(),
            slot,
            seed,
            // The header takes one unit.
            end_units: 1,
            pages: Vec::new(),
            unsynced_bytes,
            bytes_max: u64::MAX,
            slots: FreeSlots::default(),
            sealed: Vec::new(),
        };
        writer.write(&[0; HEADER_BYTES])?;
        writer.hasher.reset();
        Ok(writer)
    }

    /// The key of the name hash.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// Appends a page whose length is a multiple of [`UNIT`].
    pub fn append(&mut self, kind: PageKind, octets: &[u8]) -> Result<PageRef, WriteError> {
        assert!(
            octets.len().is_multiple_of(UNIT) && octets.len() <= PAGE_BYTES_MAX,
            "pages are encoded"
        );
        let units = u16::try_from(octets.len() / UNIT).expect("checked above");
        let bytes = u64::from(self.end_units) * UNIT as u64 + octets.len() as u64;
        if bytes > self.bytes_max && !self.pages.is_empty() {
            self.go_on_in_another()?;
        }
        let offset_units = self.end_units;
        self.end_units = offset_units
            .checked_add(u32::from(units))
            .ok_or(WriteError::TooLarge)?;
        self.write(octets)?;
        self.pages.push(PageMeta {
            offset_units,
            units,
            kind: kind as u8,
        });
        Ok(PageRef::new(
            self.slot,
            offset_units,
            units,
            kind == PageKind::Node,
        ))
    }

    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty() && self.sealed.is_empty()
    }

    fn go_on_in_another(&mut self) -> Result<(), WriteError> {
        let segment = self.seal()?;
        let slot = self.slots.from(usize::from(self.slot) + 2)?;
        let path = temporary(&self.directory, self.sealed.len() + 1);
        let file = File::create(&path).map_err(|error| WriteError::io(&path, error))?;
        let before = std::mem::replace(&mut self.path, path);
        self.sealed.push((before, segment));
        self.slot = slot;
        self.file = BufWriter::with_capacity(BUFFER_BYTES, file);
        self.end_units = 1;
        self.write(&[0; HEADER_BYTES])?;
        self.hasher.reset();
        Ok(())
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), WriteError> {
        self.hasher.update(octets);
        let mut write = || -> std::io::Result<()> {
            self.file.write_all(octets)?;
            let Some(unsynced) = &mut self.unsynced_bytes else {
                return Ok(());
            };
            *unsynced += octets.len();
            if *unsynced >= SYNC_BYTES {
                *unsynced = 0;
                self.file.flush()?;
                self.file.get_ref().sync_data()?;
            }
            Ok(())
        };
        write().map_err(|error| WriteError::io(&self.path, error))
    }

    /// Writes the table of contents and the header, syncs, and gives the files their names;
    /// gives the segments in the order of their writing.
    pub(super) fn finish(mut self) -> Result<Vec<SegmentRef>, WriteError> {
        let segment = self.seal()?;
        self.sealed.push((self.path.clone(), segment));
        for (path, segment) in &self.sealed {
            let target = self.directory.join(file_name(&segment.digest));
            std::fs::rename(path, target).map_err(|error| WriteError::io(path, error))?;
        }
        Ok(self.sealed.iter().map(|(_, one)| one.clone()).collect())
    }

    /// The same without the name; the file is the caller's now.
    pub(super) fn finish_unnamed(mut self) -> Result<SegmentRef, WriteError> {
        let segment = self.seal()?;
        self.path = PathBuf::new();
        Ok(segment)
    }

    fn seal(&mut self) -> Result<SegmentRef, WriteError> {
        let pages = std::mem::take(&mut self.pages);
        let toc = Toc {
            seed: self.seed.0,
            pages,
        };
        let toc = rkyv::to_bytes::<rkyv::rancor::Error>(&toc).expect("plain values serialize");
        self.write(&toc)?;
        let digest = *self.hasher.finalize().as_bytes();
        let header = Header {
            magic: SEGMENT_MAGIC,
            digest,
        }
        .encode();
        let mut finish = || -> std::io::Result<()> {
            self.file.seek(SeekFrom::Start(0))?;
            self.file.write_all(&header)?;
            self.file.flush()?;
            self.file.get_ref().sync_all()
        };
        finish().map_err(|error| WriteError::io(&self.path, error))?;
        let bytes = u64::from(self.end_units) * UNIT as u64 + toc.len() as u64;
        Ok(SegmentRef {
            slot: self.slot,
            digest,
            bytes,
        })
    }
}

impl Drop for SegmentWriter {
    fn drop(&mut self) {
        // After `finish` there is no such file; before it, what is there is waste.
        // `finish_unnamed` leaves no name here.
        let _ = std::fs::remove_file(&self.path);
        for (path, _) in &self.sealed {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The name of one of an install's segments until all are finished.
fn temporary(directory: &Path, number: usize) -> PathBuf {
    match number {
        0 => directory.join("segment.tmp"),
        number => directory.join(format!("segment-{number}.tmp")),
    }
}
