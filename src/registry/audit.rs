//! The event log as evidence: a chain of digests, and the look that finds a break.
//!
//! Event N has the BLAKE3 digest over the digest of event N-1 and its own content, written
//! in its transaction; the row `registry` has that of the newest. Changing, removing or
//! inserting an event breaks the chain at that place. Whoever can write the whole database
//! can make a new chain: against that, note an event with its digest elsewhere (an
//! [`Anchor`]) and ask for it. Never holds more than a page of events; secrets are masked
//! before they are logged, and what is said of a person is sealed (`personal`). What objects
//! were before an event is chained with it (`before`).

mod before;
mod chain;
mod mask;
mod verify;

use std::fmt;

pub(crate) use before::{Before, digest as states_digest};
pub(crate) use chain::{Entry, complete};
pub(crate) use mask::masked;
pub use verify::{Anchor, Break, BreakKind, Verification, verify};

/// A digest of the chain. Before the first event it is all zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest([u8; Self::OCTETS]);

impl Digest {
    const OCTETS: usize = 32;

    /// As it is stored.
    pub(crate) fn from_column(octets: &[u8]) -> Option<Self> {
        octets.try_into().ok().map(Self)
    }

    pub(crate) fn column(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl std::str::FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is no digest: 64 hexadecimal digits");
        if text.len() != 2 * Self::OCTETS || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let mut octets = [0; Self::OCTETS];
        for (octet, digits) in octets.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| bad())?;
            *octet = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
        }
        Ok(Self(octets))
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
