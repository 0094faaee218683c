//! Why an image cannot be opened or written.

use std::path::{Path, PathBuf};

/// Why an image cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no image in the directory.
    #[error("{0}: no image is installed here; make one with `meridian compile`")]
    Missing(PathBuf),
    /// The system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another format version.
    #[error(
        "{path}: image format {found}, this build reads {}; compile it again with this build",
        crate::layout::VERSION
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// Not a file of ours.
    #[error("{0}: not a Meridian image file; name an image directory or compile one")]
    Magic(PathBuf),
    /// Bits were changed or lost.
    #[error("{0}: digest does not match the contents; copy or compile the image again")]
    Digest(PathBuf),
    /// The digest is right and the contents are not: our own defect.
    #[error("{path}: {fault}; compile the image again and report this")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What rule is broken, and where.
        fault: Fault,
    },
}

impl OpenError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn invalid(path: &Path, fault: Fault) -> Self {
        Self::Invalid {
            path: path.to_owned(),
            fault,
        }
    }
}

/// A broken rule of the format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule} (unit {offset_units})")]
pub struct Fault {
    /// The rule.
    pub rule: &'static str,
    /// Where the page starts in its segment, in units of 64 octets.
    pub offset_units: u32,
}

/// Why an image cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The system refused.
    #[error("{path}: {source}; nothing was installed")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// One page's contents pass what a page can hold.
    #[error("the data of one name takes {bytes} octets, at most {max} fit; nothing was installed")]
    PageTooLarge {
        /// What it takes.
        bytes: usize,
        /// What fits.
        max: usize,
    },
    /// A segment has no room for more.
    #[error("the image passes 256 GiB or 65,536 segments; nothing was installed")]
    TooLarge,
    /// Another process is writing the image.
    #[error("{0}: another process is installing an image here; try again when it is done")]
    Busy(PathBuf),
    /// The image that was to be changed is not there any more.
    #[error("{0}: another image was installed meanwhile; nothing was installed")]
    Replaced(PathBuf),
    /// The image that is there cannot be read.
    #[error("{0}")]
    Open(#[from] OpenError),
}

impl WriteError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}
