//! Private keys at rest: sealed with AES-256-GCM under one secret of the installation.
//!
//! The secret is in a file that only its owner may read; without it a copy of the
//! database is no copy of the keys. What is sealed is bound to its zone and public key,
//! so that rows cannot be exchanged. Each seal has a nonce of its own from the system's
//! random numbers (96 bits; a registry makes thousands of keys, not the 2^32 at which
//! NIST SP 800-38D section 8.3 stops). Secrets are wiped, and shown nowhere.

mod file;

use std::fmt;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest;
use zeroize::Zeroizing;
use zone_compiler::rdata::from_hex;

use super::private_file::{self, PrivateFileError};
use crate::registry::command::keys::Sealed;
use crate::registry::types::{AnyName, DnskeyData};

pub use file::SealedFileError;

/// First octet of what is sealed.
const VERSION: u8 = 1;
const SECRET_BYTES: usize = 32;
/// Octets that tell one secret from another, before the nonce.
const CHECK_BYTES: usize = 8;

/// Why something was not sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The file of the secret.
    #[error("{}: {source}; name another by keys.secret-file, or make one by `meridian keys init`", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A secret is never replaced.
    #[error("{}: is there already, and keys sealed with it would be lost; name another file by keys.secret-file", path.display())]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// Others may read it.
    #[error("{}: mode {mode:03o} lets others read the secret; `chmod 600` it", path.display())]
    Mode {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It holds something else.
    #[error("{}: not 64 hexadecimal digits; make one by `meridian keys init`", path.display())]
    Syntax {
        /// Which.
        path: PathBuf,
    },
    /// Sealed with another secret.
    #[error(
        "key {key_tag} of {apex} was sealed with another secret; name its file by keys.secret-file"
    )]
    OtherSecret {
        /// The zone.
        apex: AnyName,
        /// Tag of the key.
        key_tag: u16,
    },
    /// Changed since it was sealed.
    #[error(
        "private key {key_tag} of {apex} is damaged; restore it from a backup, or roll the key"
    )]
    Damaged {
        /// The zone.
        apex: AnyName,
        /// Tag of the key.
        key_tag: u16,
    },
    /// The library gave up.
    #[error("the cryptographic library sealed nothing")]
    Primitive,
}

/// The secret that seals private keys.
pub struct Secret {
    key: RandomizedNonceKey,
    check: [u8; CHECK_BYTES],
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// Reads the secret of a file that nobody else may read.
    pub fn load(path: &Path) -> Result<Self, SealError> {
        let text = private_file::read(path).map_err(|error| match error {
            PrivateFileError::Io { path, source } => SealError::Io { path, source },
            PrivateFileError::Mode { path, mode } => SealError::Mode { path, mode },
            PrivateFileError::TooLarge { path } => SealError::Syntax { path },
        })?;
        let syntax = || SealError::Syntax {
            path: path.to_owned(),
        };
        let octets = Zeroizing::new(from_hex(text.trim()).ok_or_else(syntax)?);
        Self::new(&octets).ok_or_else(syntax)
    }

    /// Makes a secret in a new file.
    pub fn create(path: &Path) -> Result<Self, SealError> {
        let mut octets = Zeroizing::new([0; SECRET_BYTES]);
        aws_lc_rs::rand::fill(&mut *octets).map_err(|_| SealError::Primitive)?;
        let mut text = Zeroizing::new(String::with_capacity(2 * SECRET_BYTES + 1));
        for octet in octets.iter() {
            text.push_str(&format!("{octet:02x}"));
        }
        text.push('\n');
        private_file::write_new(path, text.as_bytes()).map_err(|source| {
            let path = path.to_owned();
            match source.kind() {
                std::io::ErrorKind::AlreadyExists => SealError::Exists { path },
                _ => SealError::Io { path, source },
            }
        })?;
        Self::new(&*octets).ok_or(SealError::Primitive)
    }

    fn new(octets: &[u8]) -> Option<Self> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, octets).ok()?;
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"meridian: which secret");
        context.update(octets);
        let mut check = [0; CHECK_BYTES];
        check.copy_from_slice(&context.finish().as_ref()[..CHECK_BYTES]);
        Some(Self { key, check })
    }

    /// Seals a private key.
    pub fn seal(
        &self,
        apex: &AnyName,
        dnskey: &DnskeyData,
        private: &[u8],
    ) -> Result<Sealed, SealError> {
        self.seal_bound(&bound_to(apex, dnskey), private)
            .map(Sealed)
    }

    fn seal_bound(&self, bound: &[u8], private: &[u8]) -> Result<Vec<u8>, SealError> {
        // Room for the tag, so that the private key is not moved and left behind.
        let mut room = Vec::with_capacity(private.len() + AES_256_GCM.tag_len());
        room.extend_from_slice(private);
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(bound), &mut room);
        let nonce = nonce.map_err(|_| SealError::Primitive)?;
        let mut sealed = vec![VERSION];
        sealed.extend(self.check);
        sealed.extend(nonce.as_ref());
        sealed.extend(room);
        Ok(sealed)
    }

    /// Opens a private key.
    pub fn open(
        &self,
        apex: &AnyName,
        dnskey: &DnskeyData,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let opened = self.open_bound(&bound_to(apex, dnskey), &sealed.0);
        opened.map_err(|unopened| {
            let (apex, key_tag) = (apex.clone(), dnskey.key_tag());
            match unopened {
                Unopened::OtherSecret => SealError::OtherSecret { apex, key_tag },
                Unopened::Damaged => SealError::Damaged { apex, key_tag },
            }
        })
    }

    fn open_bound(&self, bound: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let damaged = Unopened::Damaged;
        let rest = sealed.strip_prefix(&[VERSION]).ok_or(damaged)?;
        let (check, rest) = rest.split_at_checked(CHECK_BYTES).ok_or(damaged)?;
        if check != self.check {
            return Err(Unopened::OtherSecret);
        }
        let (nonce, rest) = rest.split_at_checked(NONCE_LEN).ok_or(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged)?;
        let mut room = Zeroizing::new(rest.to_vec());
        let opened = self.key.open_in_place(nonce, Aad::from(bound), &mut room);
        let length = opened.map_err(|_| damaged)?.len();
        room.truncate(length);
        Ok(room)
    }
}

/// Why nothing came out.
#[derive(Debug, Clone, Copy)]
enum Unopened {
    OtherSecret,
    Damaged,
}

fn bound_to(apex: &AnyName, dnskey: &DnskeyData) -> Vec<u8> {
    let mut bound = apex.to_name().to_lowercase().as_wire().to_vec();
    bound.extend(dnskey.rdata());
    bound
}

#[cfg(test)]
mod tests;
