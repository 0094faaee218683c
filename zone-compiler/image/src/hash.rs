//! The keyed hash of names. Registrants choose names, so the key is a secret of
//! the image: nobody can choose names that fall into one page.

use siphasher::sip::SipHasher13;

/// The key of the name hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub(crate) [u8; 16]);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

impl Seed {
    /// A seed with this value: for tests and golden files.
    pub fn new(value: [u8; 16]) -> Self {
        Self(value)
    }

    /// A fresh secret from the system.
    pub fn random() -> std::io::Result<Self> {
        use std::io::Read;
        let mut value = [0; 16];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut value)?;
        Ok(Self(value))
    }

    /// Hash of a lower-case name in wire format, root label included. Its high
    /// bits are the path in the name tree, its low eight the tag in the page.
    #[inline]
    pub fn hash(&self, wire: &[u8]) -> u64 {
        SipHasher13::new_with_key(&self.0).hash(wire)
    }
}

/// The tag of a hash.
#[inline]
pub(crate) fn tag(hash: u64) -> u8 {
    hash.to_le_bytes()[0]
}

/// The slot of a key in a node of this level, counted from the root.
#[inline]
pub(crate) fn slot_at(key: u64, level: u32) -> usize {
    // The octet of that number from the highest; the verifier bounds the levels.
    (key.rotate_left(8 * (level + 1)) & 0xff) as usize
}
