//! Signatures of version 4 (RFC 9580 section 5.2.3).
//!
//! Only what is hashed is believed; of the rest nothing but the signature of a subkey that
//! stands in the signature over it, which speaks for itself.

use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, SHA512};

use super::Refusal;
use super::key::{PublicKey, is_value};
use super::packet::{Octets, length_32};

/// Kinds (section 5.2.1).
pub(super) const BINARY: u8 = 0x00;
pub(super) const NAME: std::ops::RangeInclusive<u8> = 0x10..=0x13;
pub(super) const SUBKEY: u8 = 0x18;
pub(super) const BY_SUBKEY: u8 = 0x19;
pub(super) const DIRECT: u8 = 0x1f;
pub(super) const KEY_REVOKED: u8 = 0x20;
pub(super) const SUBKEY_REVOKED: u8 = 0x28;
pub(super) const NAME_REVOKED: u8 = 0x30;

/// Told of SHA-1, MD5 and what else is broken.
const WEAK_HASH: Refusal = "a signature by a digest that is none of SHA-256, SHA-384 and SHA-512";

/// Digests that count (section 9.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn parse(number: u8) -> Option<Self> {
        match number {
            8 => Some(Self::Sha256),
            9 => Some(Self::Sha384),
            10 => Some(Self::Sha512),
            _ => None,
        }
    }

    pub(super) fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::Sha256 => &SHA256,
            Self::Sha384 => &SHA384,
            Self::Sha512 => &SHA512,
        }
    }
}

/// A signature.
#[derive(Debug)]
pub(super) struct Signature<'o> {
    pub(super) kind: u8,
    algorithm: u8,
    hash: Hash,
    /// What of itself it signs.
    hashed: &'o [u8],
    values: Octets<'o>,
    /// Seconds since 1970.
    pub(super) made_at: u32,
    expires_after: Option<u32>,
    /// Seconds of life of the key that it is about.
    pub(super) key_expires_after: Option<u32>,
    /// What the key that it is about may do.
    pub(super) flags: Option<u8>,
    /// A signature within it.
    pub(super) embedded: Option<&'o [u8]>,
    /// Whether nothing in it can say who somebody is.
    pub(super) is_bare: bool,
}

/// The kind of a signature, whatever else is in it.
pub(super) fn kind(body: &[u8]) -> Option<u8> {
    match body {
        // The third version has two octets more before.
        [2 | 3, _, kind, ..] | [_, kind, ..] => Some(*kind),
        _ => None,
    }
}

impl<'o> Signature<'o> {
    /// Reads the body of a packet.
    pub(super) fn parse(body: &'o [u8]) -> Result<Self, Refusal> {
        const BAD: Refusal = "a signature that cannot be read";
        let mut octets = Octets::new(body);
        match octets.u8() {
            Some(4) => {}
            Some(_) => return Err("a signature of another version than 4"),
            None => return Err(BAD),
        }
        let [kind, algorithm, hash] = octets.array().ok_or(BAD)?;
        let hash = Hash::parse(hash).ok_or(WEAK_HASH)?;
        let length = usize::from(octets.u16().ok_or(BAD)?);
        let subpackets = octets.take(length).ok_or(BAD)?;
        let hashed = body.get(..6 + length).ok_or(BAD)?;
        let length = usize::from(octets.u16().ok_or(BAD)?);
        let unhashed = octets.take(length).ok_or(BAD)?;
        // The first octets of the digest tell nothing that verifying does not.
        octets.take(2).ok_or(BAD)?;
        let mut signature = Self {
            kind,
            algorithm,
            hash,
            hashed,
            values: octets,
            made_at: 0,
            expires_after: None,
            key_expires_after: None,
            flags: None,
            embedded: None,
            is_bare: are_bare([subpackets, unhashed]).ok_or(BAD)? && is_value(algorithm, octets),
        };
        let is_timed = signature.read(subpackets).ok_or(BAD)??;
        if !is_timed {
            return Err("a signature without the time when it was made");
        }
        signature.read_embedded(unhashed).ok_or(BAD)?;
        Ok(signature)
    }

    /// Reads what is hashed; whether the time is in it.
    fn read(&mut self, subpackets: &'o [u8]) -> Option<Result<bool, Refusal>> {
        let mut octets = Octets::new(subpackets);
        let mut is_timed = false;
        while !octets.is_empty() {
            let (kind, mut body) = subpacket(&mut octets)?;
            match kind & 0x7f {
                CREATION => {
                    self.made_at = body.u32()?;
                    is_timed = true;
                }
                EXPIRATION => self.expires_after = Some(body.u32()?).filter(|life| *life > 0),
                KEY_EXPIRATION => {
                    self.key_expires_after = Some(body.u32()?).filter(|life| *life > 0);
                }
                FLAGS => self.flags = Some(body.u8().unwrap_or_default()),
                EMBEDDED => self.embedded = Some(body.rest()),
                known if HARMLESS.contains(&known) => {}
                _ if kind & 0x80 != 0 => {
                    return Some(Err(
                        "a signature with a critical part that is not known here",
                    ));
                }
                _ => {}
            }
        }
        Some(Ok(is_timed))
    }

    fn read_embedded(&mut self, subpackets: &'o [u8]) -> Option<()> {
        let mut octets = Octets::new(subpackets);
        while !octets.is_empty() {
            let (kind, body) = subpacket(&mut octets)?;
            if kind & 0x7f == EMBEDDED && self.embedded.is_none() {
                self.embedded = Some(body.rest());
            }
        }
        Some(())
    }

    /// Whether it is by a key over what is given, one after the other.
    pub(super) fn is_by(&self, key: &PublicKey, parts: &[&[u8]]) -> bool {
        let mut text = parts.concat();
        text.extend_from_slice(self.hashed);
        text.extend_from_slice(&[4, 0xff]);
        text.extend_from_slice(&length_32(self.hashed));
        let found = key.verifies(self.algorithm, self.hash, &text, self.values);
        found.is_some()
    }

    /// Seconds since 1970 when it ends.
    pub(super) fn expires_at(&self) -> Option<u64> {
        let life = self.expires_after?;
        Some(u64::from(self.made_at) + u64::from(life))
    }
}

/// Subpackets (section 5.2.3.7).
const CREATION: u8 = 2;
const EXPIRATION: u8 = 3;
const KEY_EXPIRATION: u8 = 9;
const FLAGS: u8 = 27;
const EMBEDDED: u8 = 32;
const ISSUER: u8 = 16;
const ISSUER_FINGERPRINT: u8 = 33;
/// Times and keys, with their octets: all that a signature needs to say.
const BARE: [(u8, usize); 4] = [
    (CREATION, 4),
    (EXPIRATION, 4),
    (ISSUER, 8),
    (ISSUER_FINGERPRINT, 21),
];
/// Preferences, issuers, reasons: whatever they say, nothing here depends on it.
const HARMLESS: [u8; 12] = [4, 7, 11, 16, 21, 22, 23, 24, 25, 28, 30, 33];

/// Whether subpackets, hashed or not, have room for nothing but times and keys, each once.
fn are_bare(areas: [&[u8]; 2]) -> Option<bool> {
    let mut seen = Vec::new();
    for area in areas {
        let mut octets = Octets::new(area);
        while !octets.is_empty() {
            let (kind, body) = subpacket(&mut octets)?;
            let kind = kind & 0x7f;
            if seen.contains(&kind) || !BARE.contains(&(kind, body.rest().len())) {
                return Some(false);
            }
            seen.push(kind);
        }
    }
    Some(true)
}

/// When a signature that cannot be judged was made, if it may be by the key of this
/// fingerprint: by what it says itself, which is all that there is. The end of time where it
/// does not say.
pub(super) fn doubt(body: &[u8], fingerprint: &[u8; 20]) -> Option<u32> {
    let id = &fingerprint[12..];
    let mut octets = Octets::new(body);
    match octets.u8() {
        Some(4) => {}
        Some(2 | 3) => {
            let fields = (octets.u16(), octets.u32(), octets.array::<8>());
            return match fields {
                (_, Some(made_at), Some(issuer)) => (issuer == *id).then_some(made_at),
                _ => Some(u32::MAX),
            };
        }
        // Those of later versions are by keys of later versions (section 5.2.3.1).
        Some(5..) => return None,
        _ => return Some(u32::MAX),
    }
    octets.take(3);
    let mut made_at = u32::MAX;
    for is_hashed in [true, false] {
        let area = octets.u16().and_then(|length| octets.take(length.into()));
        let mut area = Octets::new(area.unwrap_or_default());
        while let Some((kind, mut body)) = subpacket(&mut area) {
            match kind & 0x7f {
                CREATION if is_hashed => made_at = body.u32().unwrap_or(u32::MAX),
                ISSUER if body.rest() != id => return None,
                ISSUER_FINGERPRINT if body.rest().get(1..) != Some(fingerprint) => return None,
                _ => {}
            }
        }
    }
    Some(made_at)
}

/// Kind, whose first bit says that it must be understood, and body.
fn subpacket<'o>(octets: &mut Octets<'o>) -> Option<(u8, Octets<'o>)> {
    let length = octets.length()?;
    let mut body = Octets::new(octets.take(length)?);
    Some((body.u8()?, body))
}
