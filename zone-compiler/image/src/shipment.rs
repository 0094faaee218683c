//! Generations that travel: what is sent of one, and what has to be there of one that came.
//!
//! A generation file names its segments by digest, so whoever has the octets of all can
//! install it: nothing else of the machine that made it is needed. A segment is looked at
//! for itself here, by length and digest; whether its pages are right is for
//! [`crate::writer::Staged::open`], before anything is served of it.

use std::fs::File;
use std::path::Path;

use rkyv::rancor::Error;

use crate::error::{Fault, OpenError};
use crate::generation::{GENERATION_FILE, Generation};
use crate::hash::Seed;
use crate::layout::{
    ArchivedManifest, GENERATION_MAGIC, HEADER_BYTES, PageRef, SEGMENT_MAGIC, SegmentRef,
};
use crate::memory::{Memory, Octets};
use crate::reach::Live;
use crate::segment::{check_header, file_name, read_generation_file};
use crate::team::Team;

/// Largest generation file that is taken: one with 65,536 segments has less.
pub const GENERATION_FILE_BYTES_MAX: usize = 4 << 20;

/// A generation file that is whole; its segments may be somewhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationFile {
    octets: Vec<u8>,
    digest: [u8; 32],
    pub(crate) number: u64,
    pub(crate) event: u64,
    pub(crate) zones_count: u64,
    segments: Vec<SegmentRef>,
}

impl GenerationFile {
    /// Reads the one that is installed in `directory`.
    pub fn read(directory: &Path) -> Result<Self, OpenError> {
        Self::parse(read_generation_file(&directory.join(GENERATION_FILE))?)
    }

    /// Checks magic, version, digest and form.
    pub fn parse(octets: Vec<u8>) -> Result<Self, OpenError> {
        let path = Path::new(GENERATION_FILE);
        let invalid = |rule| {
            OpenError::invalid(
                path,
                Fault {
                    rule,
                    offset_units: 0,
                },
            )
        };
        if octets.len() > GENERATION_FILE_BYTES_MAX {
            return Err(invalid("a generation file has at most 4 MiB"));
        }
        let digest = check_header(&octets, GENERATION_MAGIC, path, Team::ALONE)?;
        let manifest = rkyv::access::<ArchivedManifest, Error>(&octets[HEADER_BYTES..])
            .map_err(|_| invalid("the generation file is not what rkyv expects"))?;
        let segments = manifest.segments.iter().map(|segment| SegmentRef {
            slot: segment.slot.to_native(),
            digest: segment.digest,
            bytes: segment.bytes.to_native(),
        });
        Ok(Self {
            number: manifest.number.to_native(),
            event: manifest.event.to_native(),
            zones_count: manifest.zones_count.to_native(),
            segments: segments.collect(),
            digest,
            octets,
        })
    }

    /// The file as it is.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Tells this generation from any other, as [`Generation::digest`] does.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Counts the installs where it was made.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The highest registry event of its zones.
    pub fn event(&self) -> u64 {
        self.event
    }

    /// The segments that it needs.
    pub fn segments(&self) -> &[SegmentRef] {
        &self.segments
    }
}

/// The name that a segment has in an image directory.
pub fn segment_file_name(digest: &[u8; 32]) -> String {
    file_name(digest)
}

/// Whether a file has all octets of a segment and no other: its length and its digest.
pub fn check_segment_file(path: &Path, expected: &SegmentRef) -> Result<(), OpenError> {
    let file = File::open(path).map_err(|error| OpenError::io(path, error))?;
    let length = file
        .metadata()
        .map_err(|error| OpenError::io(path, error))?;
    if length.len() != expected.bytes {
        return Err(OpenError::Digest(path.to_owned()));
    }
    let octets = Octets::load(&file, Memory::Mapped, Team::ALONE);
    let octets = octets.map_err(|error| OpenError::io(path, error))?;
    let digest = check_header(octets.as_slice(), SEGMENT_MAGIC, path, Team::ALONE)?;
    if digest != expected.digest {
        return Err(OpenError::Digest(path.to_owned()));
    }
    Ok(())
}

impl Generation {
    /// One without zones, for a server that has none yet: all names are refused.
    pub fn empty() -> Self {
        Self {
            number: 0,
            event: 0,
            seed: Seed([0; 16]),
            catalog: PageRef::NONE,
            catalog_depths: 0,
            zones_count: 0,
            segments: Vec::new(),
            order: Vec::new(),
            live: Live::default(),
            digest: [0; 32],
            file: Vec::new(),
        }
    }

    /// Its generation file; empty where there is none.
    pub fn file(&self) -> &[u8] {
        &self.file
    }

    /// The octets of the segment with this digest, as its file has them.
    pub fn segment_octets(&self, digest: &[u8; 32]) -> Option<&[u8]> {
        let mut segments = self.segments.iter().flatten();
        segments
            .find(|segment| segment.digest() == digest)
            .map(|segment| segment.octets())
    }
}
