//! A generation that is on disk and not yet installed.
//!
//! It can be opened, and so verified, before anything that is installed changes.
//! Dropped without [`Staged::install`], it leaves the installed generation and
//! nothing of its own, so that attempts that fail do not fill a disk.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::install::lock;
use crate::error::{OpenError, WriteError};
use crate::generation::{GENERATION_FILE, Generation};
use crate::layout::{GENERATION_MAGIC, Header, Manifest};
use crate::memory::Memory;
use crate::segment::file_name;
use crate::shipment::GenerationFile;

/// The name of the generation file until it is installed.
const TEMPORARY_FILE: &str = "generation.tmp";

/// What was installed.
#[derive(Debug, Clone)]
pub struct Installed {
    /// Number of the generation.
    pub number: u64,
    /// Highest event of its zones.
    pub event: u64,
    /// Zones in it.
    pub zones: u64,
    /// Octets of the new segment.
    pub segment_bytes: u64,
}

/// A generation that waits to be installed.
pub struct Staged {
    directory: PathBuf,
    path: PathBuf,
    file: GenerationFile,
    segment_bytes: u64,
    /// What was verified of it beforehand.
    folded: Option<Arc<Generation>>,
    is_installed: bool,
    /// Released last.
    _lock: File,
}

impl Staged {
    /// Writes the generation file under its temporary name; its segments are there.
    pub(super) fn write(
        directory: PathBuf,
        manifest: &Manifest,
        segment_bytes: u64,
        lock: File,
    ) -> Result<Self, WriteError> {
        let contents =
            rkyv::to_bytes::<rkyv::rancor::Error>(manifest).expect("plain values always serialize");
        let header = Header {
            magic: GENERATION_MAGIC,
            digest: *blake3::hash(&contents).as_bytes(),
        };
        let file = [&header.encode()[..], &contents].concat();
        let file = GenerationFile::parse(file)?;
        Self::write_file(directory, file, segment_bytes, lock)
    }

    /// A generation that was made elsewhere. Its segments are in `directory` already,
    /// under their names and on disk; they are verified when it is opened.
    pub fn received(directory: &Path, file: GenerationFile) -> Result<Self, WriteError> {
        let lock = lock(directory)?;
        Self::write_file(directory.to_owned(), file, 0, lock)
    }

    fn write_file(
        directory: PathBuf,
        file: GenerationFile,
        segment_bytes: u64,
        lock: File,
    ) -> Result<Self, WriteError> {
        let staged = Self {
            path: directory.join(TEMPORARY_FILE),
            directory,
            file,
            segment_bytes,
            folded: None,
            is_installed: false,
            _lock: lock,
        };
        let write = || -> std::io::Result<()> {
            // The segment's name must be on disk before a generation names it.
            File::open(&staged.directory)?.sync_all()?;
            let mut output = File::create(&staged.path)?;
            output.write_all(staged.file.octets())?;
            output.sync_all()
        };
        write().map_err(|error| WriteError::io(&staged.path, error))?;
        Ok(staged)
    }

    /// It is much like `folded`, which is verified and open.
    pub(super) fn after_fold(mut self, folded: Arc<Generation>) -> Self {
        self.folded = Some(folded);
        self
    }

    /// Octets of its new segments.
    pub fn segment_bytes(&self) -> u64 {
        self.segment_bytes
    }

    /// Its generation file, which keeps its inode, time and length when it is installed.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens and verifies it as [`Generation::open_after`] does the installed one.
    pub fn open(
        &self,
        memory: Memory,
        previous: Option<&Generation>,
    ) -> Result<Generation, OpenError> {
        let verified = self.folded.as_deref().or(previous);
        Generation::open_staged(&self.directory, &self.path, memory, verified, previous)
    }

    /// Makes it the installed one, then removes what no generation refers to.
    pub fn install(mut self) -> Result<Installed, WriteError> {
        let renamed = std::fs::rename(&self.path, self.directory.join(GENERATION_FILE));
        self.is_installed = renamed.is_ok();
        renamed
            .and_then(|()| File::open(&self.directory)?.sync_all())
            .map_err(|error| WriteError::io(&self.path, error))?;
        remove_unused(&self.directory, &files_of(&self.file));
        Ok(Installed {
            number: self.file.number,
            event: self.file.event,
            zones: self.file.zones_count,
            segment_bytes: self.segment_bytes,
        })
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.is_installed
            && let Some(used) = Generation::installed_segments(&self.directory)
        {
            remove_unused(&self.directory, &used);
        }
    }
}

fn files_of(file: &GenerationFile) -> BTreeSet<String> {
    let segments = file.segments().iter();
    segments.map(|segment| file_name(&segment.digest)).collect()
}

/// Removes files that the installed generation does not use. What cannot be removed
/// now is tried again after the next install, so a failure is nobody's concern.
fn remove_unused(directory: &Path, used: &BTreeSet<String>) {
    let Ok(files) = std::fs::read_dir(directory) else {
        return;
    };
    for file in files.flatten() {
        let name = file.file_name();
        let unused = name.to_str().is_some_and(|name| {
            name.ends_with(".segment") && !used.contains(name) || name.ends_with(".tmp")
        });
        if unused {
            let _ = std::fs::remove_file(file.path());
        }
    }
}
