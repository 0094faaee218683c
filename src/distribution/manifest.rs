//! The manifest: what the primary says that edges serve, in one form only.
//!
//! Numbers have fixed lengths and lists their counts before them, so that there is one way
//! to write a manifest and one way to read it; the signature stands at the end, over all
//! octets before it, and is looked at before anything else is believed. The generation file
//! is in it whole: it names each segment by digest and length. Where the segments are in
//! the store is signed as well. Nothing here reads a clock, a file or a socket.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use zone_image::layout::SegmentRef;
use zone_image::shipment::{GENERATION_FILE_BYTES_MAX, GenerationFile};

use super::key::{KEY_ID_BYTES, KeyId, PublicKey, SIGNATURE_BYTES, SigningKey};

/// First octets, with the version of the form.
const MAGIC: [u8; 8] = *b"MRDNman\x01";
/// Largest manifest that is read: a generation file and the places of its segments.
pub const MANIFEST_BYTES_MAX: usize = 2 * GENERATION_FILE_BYTES_MAX;
/// Largest pack: far above any segment.
const PACK_BYTES_MAX: u64 = 1 << 40;

/// Orders manifests: the registry's epoch, its event, and when it was made. An edge never
/// takes one that is lower than one it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Counter {
    /// Raised by whoever takes the registry, and by a restore.
    pub epoch: u64,
    /// The newest event that is served.
    pub event: u64,
    /// When it was made, in microseconds since 1970; later than one before it of the same
    /// epoch and event.
    pub made_at: u64,
}

impl Counter {
    /// What a manifest says without a look at its signature: for people only.
    pub(super) fn stated_in(octets: &[u8]) -> Option<Self> {
        let mut reader = Reader(octets.strip_prefix(&MAGIC)?);
        reader.array::<KEY_ID_BYTES>().ok()?;
        reader.counter().ok()
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            epoch,
            event,
            made_at,
        } = self;
        write!(f, "epoch {epoch}, event {event}, made at {made_at}")
    }
}

/// An object of the store: compressed segments, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// Names the object: a digest over those of its segments.
    pub name: [u8; 32],
    /// Its octets.
    pub bytes: u64,
    /// What of it is needed.
    pub parts: Vec<Part>,
}

/// A compressed segment in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Digest of the segment.
    pub segment: [u8; 32],
    /// Where it begins.
    pub offset: u64,
    /// Its octets there.
    pub bytes: u64,
}

/// What the primary says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its place in the order of all.
    pub counter: Counter,
    /// Until when it may be installed, in microseconds since 1970.
    pub expires_at: u64,
    /// What is served.
    pub generation: GenerationFile,
    /// Where its segments are.
    pub packs: Vec<Pack>,
}

/// Why a manifest is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is not a manifest.
    #[error("not a manifest of this version: {0}")]
    Form(&'static str),
    /// Nobody that is trusted.
    #[error("manifest signed by key {0}, which edge.trusted-keys does not have")]
    UnknownKey(KeyId),
    /// Changed after it was signed, or never signed.
    #[error("manifest has no valid signature of key {0}")]
    Signature(KeyId),
    /// Older than one that was taken.
    #[error("manifest is older than one taken before: {found}; before: {floor}")]
    RolledBack {
        /// What it says.
        found: Counter,
        /// What was taken.
        floor: Counter,
    },
    /// Its time is over.
    #[error(
        "manifest of event {event} expired {seconds} s ago; the primary has to sign a new one \
         (or this clock is wrong)"
    )]
    Expired {
        /// Its event.
        event: u64,
        /// How long ago.
        seconds: u64,
    },
}

impl Manifest {
    /// Writes and signs it.
    pub fn sign(&self, key: &SigningKey) -> Vec<u8> {
        let mut octets = MAGIC.to_vec();
        octets.extend(key.public().id().0);
        let Counter {
            epoch,
            event,
            made_at,
        } = self.counter;
        for number in [epoch, event, made_at, self.expires_at] {
            octets.extend(number.to_be_bytes());
        }
        let file = self.generation.octets();
        octets.extend(count(file.len()));
        octets.extend(file);
        octets.extend(count(self.packs.len()));
        for pack in &self.packs {
            octets.extend(pack.name);
            octets.extend(pack.bytes.to_be_bytes());
            octets.extend(count(pack.parts.len()));
            for part in &pack.parts {
                octets.extend(part.segment);
                octets.extend(part.offset.to_be_bytes());
                octets.extend(part.bytes.to_be_bytes());
            }
        }
        let signature = key.sign(&octets);
        octets.extend(signature);
        octets
    }

    /// Reads one that a trusted key signed. Whether it may be taken now is for
    /// [`Manifest::check`].
    pub fn verify(octets: &[u8], trusted: &[PublicKey]) -> Result<Self, Refusal> {
        if octets.len() > MANIFEST_BYTES_MAX {
            return Err(Refusal::Form("it is too large"));
        }
        let form = || Refusal::Form("it is too short");
        let (signed, signature) = octets
            .split_last_chunk::<SIGNATURE_BYTES>()
            .ok_or_else(form)?;
        let mut reader = Reader(signed);
        if reader.array::<8>()? != MAGIC {
            return Err(Refusal::Form("it begins with something else"));
        }
        let id = KeyId(reader.array::<KEY_ID_BYTES>()?);
        let key = trusted.iter().find(|key| key.id() == id);
        let key = key.ok_or(Refusal::UnknownKey(id))?;
        if !key.verifies(signed, signature) {
            return Err(Refusal::Signature(id));
        }
        reader.manifest()
    }

    /// Whether it may be installed: not before `floor`, the last one that was, and not
    /// after its time.
    pub fn check(&self, floor: Counter, now_microseconds: u64) -> Result<(), Refusal> {
        if self.counter < floor {
            let found = self.counter;
            return Err(Refusal::RolledBack { found, floor });
        }
        if now_microseconds >= self.expires_at {
            return Err(Refusal::Expired {
                event: self.counter.event,
                seconds: (now_microseconds - self.expires_at) / 1_000_000,
            });
        }
        Ok(())
    }

    /// Each segment with the place of its octets.
    pub fn segments(&self) -> impl Iterator<Item = (&SegmentRef, &Pack, Part)> {
        let mut places = BTreeMap::new();
        for pack in &self.packs {
            places.extend(pack.parts.iter().map(|part| (part.segment, (pack, *part))));
        }
        let segments = self.generation.segments().iter();
        segments.filter_map(move |segment| {
            let (pack, part) = places.get(&segment.digest)?;
            Some((segment, *pack, *part))
        })
    }
}

fn count(length: usize) -> [u8; 4] {
    let length = u32::try_from(length).expect("bounded by the sizes of generation files");
    length.to_be_bytes()
}

/// What is left to be read.
struct Reader<'o>(&'o [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*head)
    }

    fn number(&mut self) -> Result<u64, Refusal> {
        self.array().map(u64::from_be_bytes)
    }

    /// A count of things that take at least `least` octets each.
    fn count(&mut self, least: usize) -> Result<usize, Refusal> {
        let count = u32::from_be_bytes(self.array()?) as usize;
        match count.checked_mul(least) {
            Some(bytes) if bytes <= self.0.len() => Ok(count),
            _ => Err(SHORT),
        }
    }

    fn counter(&mut self) -> Result<Counter, Refusal> {
        Ok(Counter {
            epoch: self.number()?,
            event: self.number()?,
            made_at: self.number()?,
        })
    }

    fn manifest(&mut self) -> Result<Manifest, Refusal> {
        let counter = self.counter()?;
        let expires_at = self.number()?;
        let length = self.count(1)?;
        let (file, rest) = self.0.split_at(length);
        self.0 = rest;
        let generation = GenerationFile::parse(file.to_vec())
            .map_err(|_| Refusal::Form("its generation file is damaged or of another version"))?;
        let mut packs = Vec::new();
        for _ in 0..self.count(44)? {
            packs.push(self.pack()?);
        }
        if !self.0.is_empty() {
            return Err(Refusal::Form("something stands after its end"));
        }
        check_places(&generation, &packs)?;
        Ok(Manifest {
            counter,
            expires_at,
            generation,
            packs,
        })
    }

    fn pack(&mut self) -> Result<Pack, Refusal> {
        let name = self.array()?;
        let bytes = self.number()?;
        if bytes > PACK_BYTES_MAX {
            return Err(Refusal::Form("a pack is too large"));
        }
        let mut parts = Vec::new();
        for _ in 0..self.count(48)? {
            let part = Part {
                segment: self.array()?,
                offset: self.number()?,
                bytes: self.number()?,
            };
            let end = part.offset.checked_add(part.bytes);
            if part.bytes == 0 || end.is_none_or(|end| end > bytes) {
                return Err(Refusal::Form("a segment is not within its pack"));
            }
            parts.push(part);
        }
        Ok(Pack { name, bytes, parts })
    }
}

const SHORT: Refusal = Refusal::Form("it is too short");

/// Every segment has one place, and nothing else has.
fn check_places(generation: &GenerationFile, packs: &[Pack]) -> Result<(), Refusal> {
    let parts = packs.iter().flat_map(|pack| &pack.parts);
    let mut placed: Vec<_> = parts.map(|part| part.segment).collect();
    let segments = generation.segments().iter();
    let mut named: Vec<_> = segments.map(|segment| segment.digest).collect();
    placed.sort_unstable();
    named.sort_unstable();
    if placed != named {
        return Err(Refusal::Form("not every segment has one place"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
