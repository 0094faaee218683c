//! The Ed25519 keys of manifests (RFC 8032).
//!
//! Not the keys of any zone: an edge trusts one or several of these, so that a new one is
//! known everywhere before the first manifest is signed with it. The private half leaves
//! memory only sealed, which is whoever's who has it from here; it has no `Debug` of it.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use zeroize::Zeroizing;

/// Octets of a public key, of a seed, and of a signature.
const PUBLIC_BYTES: usize = 32;
/// Octets of a seed.
pub const SEED_BYTES: usize = 32;
/// Octets of a signature.
pub const SIGNATURE_BYTES: usize = 64;
/// Octets of a key's name in a manifest.
pub const KEY_ID_BYTES: usize = 8;
/// What its text begins with.
const PREFIX: &str = "ed25519:";
/// Keys that an edge trusts: the present one, the next one, and some to spare.
pub const TRUSTED_KEYS_MAX: usize = 8;

/// Why a key is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a public key: ed25519: and 64 hexadecimal digits, as `meridian edge key` prints it")]
pub struct KeySyntax;

/// Names a key in a manifest: the first octets of a digest of its public half.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(pub(super) [u8; KEY_ID_BYTES]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// The public half: what an edge trusts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; PUBLIC_BYTES]);

impl PublicKey {
    /// Its name.
    pub fn id(&self) -> KeyId {
        let digest = blake3::hash(&self.0);
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&digest.as_bytes()[..KEY_ID_BYTES]);
        KeyId(id)
    }

    /// Whether the private half made this signature over exactly these octets.
    pub fn verifies(&self, octets: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        key.verify(octets, signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = KeySyntax;

    fn from_str(text: &str) -> Result<Self, KeySyntax> {
        let digits = text.strip_prefix(PREFIX).ok_or(KeySyntax)?;
        if digits.len() != 2 * PUBLIC_BYTES || !digits.is_ascii() {
            return Err(KeySyntax);
        }
        let mut octets = [0; PUBLIC_BYTES];
        for (octet, pair) in octets.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| KeySyntax)?;
            if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(KeySyntax);
            }
            *octet = u8::from_str_radix(pair, 16).map_err(|_| KeySyntax)?;
        }
        Ok(Self(octets))
    }
}

/// The private half: who signs manifests.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// Draws the octets of a new key.
    pub fn generate() -> Option<Zeroizing<Vec<u8>>> {
        let mut seed = Zeroizing::new(vec![0; SEED_BYTES]);
        aws_lc_rs::rand::fill(&mut seed).ok()?;
        Some(seed)
    }

    /// The key of such octets.
    pub fn from_seed(seed: &[u8]) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    /// What edges have to trust.
    pub fn public(&self) -> PublicKey {
        let mut octets = [0; PUBLIC_BYTES];
        octets.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(octets)
    }

    pub(super) fn sign(&self, octets: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let mut signature = [0; SIGNATURE_BYTES];
        signature.copy_from_slice(self.0.sign(octets).as_ref());
        signature
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public())
    }
}

#[cfg(test)]
mod tests;
