//! Keys that must not be guessed: 128 bits whose value is never shown.

use std::fmt;
use std::io::{self, Read};

/// Octets of a secret: the key of SipHash.
pub const SECRET_BYTES: usize = 16;

/// A key of 128 bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; SECRET_BYTES]);

impl Secret {
    /// A secret that somebody else chose: a file shared by servers, or a test.
    pub fn new(value: [u8; SECRET_BYTES]) -> Self {
        Self(value)
    }

    /// A fresh secret from the system.
    pub fn random() -> io::Result<Self> {
        let mut value = [0; SECRET_BYTES];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut value)?;
        Ok(Self(value))
    }

    /// Reads 32 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 2 * SECRET_BYTES {
            return None;
        }
        let mut value = [0; SECRET_BYTES];
        for (octet, pair) in value.iter_mut().zip(digits.chunks_exact(2)) {
            *octet = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(value))
    }

    pub(super) fn value(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }
}

fn digit(character: u8) -> Option<u8> {
    char::from(character)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
