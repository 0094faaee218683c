//! Files that only their owner may read: secrets, PINs, private keys.
//!
//! Read only where nobody else can; written whole and on disk or not there, and never in
//! place of a file that exists. Buffers are wiped.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Largest file that is read.
const FILE_BYTES_MAX: usize = 4096;

/// Why a private file was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateFileError {
    /// The system cannot read it.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("{}: mode {mode:03o} lets others read it; `chmod 600` it", path.display())]
    Mode {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// More than a secret has.
    #[error("{}: more than {FILE_BYTES_MAX} octets", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
}

/// Reads a file that nobody but its owner may read.
pub fn read(path: &Path) -> Result<Zeroizing<String>, PrivateFileError> {
    let io = |source| PrivateFileError::Io {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(PrivateFileError::Mode { path, mode });
    }
    // Sized ahead, so that no copy is left behind where it grew.
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX + 1));
    let mut bounded = file.take(FILE_BYTES_MAX as u64 + 1);
    if bounded.read_to_string(&mut text).map_err(io)? > FILE_BYTES_MAX {
        let path = path.to_owned();
        return Err(PrivateFileError::TooLarge { path });
    }
    Ok(text)
}

/// Writes a new file that only its owner may read. One that is there stays, and is an
/// error of kind `AlreadyExists`.
pub fn write_new(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    let mut temporary = path.to_owned().into_os_string();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    // One that was left behind has a mode, and perhaps a target, that somebody else chose.
    if let Err(error) = std::fs::remove_file(&temporary)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    let written = file
        .write_all(contents)
        .and_then(|()| file.sync_all())
        // A rename would take the place of what is there.
        .and_then(|()| std::fs::hard_link(&temporary, path));
    std::fs::remove_file(&temporary)?;
    written?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
