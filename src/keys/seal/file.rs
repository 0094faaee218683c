//! Private keys that are in no database: a file with one of them, sealed.
//!
//! Sealed by the secret of all others and bound to what the key is for, so that a file
//! cannot take the place of another kind. It is written whole or not, and never over one
//! that is there.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;
use zone_compiler::rdata::from_hex;

use super::{Secret, Unopened};
use crate::keys::private_file::{self, PrivateFileError};

/// Why a sealed file was not made or not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealedFileError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] PrivateFileError),
    /// It cannot be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Sealed with another secret.
    #[error("{}: was sealed with another secret; name its file by keys.secret-file", .0.display())]
    OtherSecret(PathBuf),
    /// Not such a file, or changed since.
    #[error("{}: not a sealed key for this purpose, or damaged; restore it, or make another", .0.display())]
    Damaged(PathBuf),
    /// The library gave up.
    #[error("the cryptographic library sealed nothing")]
    Primitive,
}

impl Secret {
    /// Seals a private key into a new file.
    pub fn seal_file(
        &self,
        path: &Path,
        purpose: &str,
        private: &[u8],
    ) -> Result<(), SealedFileError> {
        let sealed = self.seal_bound(purpose.as_bytes(), private);
        let sealed = sealed.map_err(|_| SealedFileError::Primitive)?;
        let mut text: String = sealed.iter().map(|octet| format!("{octet:02x}")).collect();
        text.push('\n');
        private_file::write_new(path, text.as_bytes()).map_err(|source| SealedFileError::Write {
            path: path.to_owned(),
            source,
        })
    }

    /// Opens the private key of such a file.
    pub fn open_file(
        &self,
        path: &Path,
        purpose: &str,
    ) -> Result<Zeroizing<Vec<u8>>, SealedFileError> {
        let text = private_file::read(path)?;
        let damaged = || SealedFileError::Damaged(path.to_owned());
        let sealed = from_hex(text.trim()).ok_or_else(damaged)?;
        self.open_bound(purpose.as_bytes(), &sealed)
            .map_err(|unopened| match unopened {
                Unopened::OtherSecret => SealedFileError::OtherSecret(path.to_owned()),
                Unopened::Damaged => damaged(),
            })
    }
}
