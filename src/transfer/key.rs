//! Keys that requests and replies are signed with (RFC 8945), and the file that has them.
//!
//! A line has a name, an algorithm and the secret in base64; `tsig-keygen` and
//! `keymgr -t` make such secrets. HMAC-SHA256 and longer only: RFC 8945 section 6 lets
//! shorter ones be refused. Neither a secret nor the text of the file is ever shown.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use zone_image::Name;

/// Most keys of a file.
const KEYS_MAX: usize = 1000;
/// Longest name of a key in octets: a signed reply of 512 octets has to have room for it.
const NAME_BYTES_MAX: usize = 64;
/// Longest secret in octets: more than any hash takes in.
const SECRET_BYTES_MAX: usize = 512;
/// Shortest secret that is no accident (RFC 8945 section 8 asks for the hash's length).
const SECRET_BYTES_MIN: usize = 16;

/// The hash of a key (RFC 8945 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA256.
    Sha256,
    /// HMAC-SHA384.
    Sha384,
    /// HMAC-SHA512.
    Sha512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The algorithm's name without its final dot.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "hmac-sha256",
            Self::Sha384 => "hmac-sha384",
            Self::Sha512 => "hmac-sha512",
        }
    }

    /// The name in wire format.
    pub(super) fn wire(self) -> &'static [u8] {
        match self {
            Self::Sha256 => b"\x0bhmac-sha256\0",
            Self::Sha384 => b"\x0bhmac-sha384\0",
            Self::Sha512 => b"\x0bhmac-sha512\0",
        }
    }

    fn hash(self) -> hmac::Algorithm {
        match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    /// Octets of a whole MAC.
    pub(super) fn mac_bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A shared secret with its name.
pub struct Key {
    name: Name,
    algorithm: Algorithm,
    secret: hmac::Key,
}

impl Key {
    /// A key; its name is taken in lower case, which is how it is compared.
    pub fn new(name: &Name, algorithm: Algorithm, secret: &[u8]) -> Self {
        Self {
            name: name.to_lowercase(),
            algorithm,
            secret: hmac::Key::new(algorithm.hash(), secret),
        }
    }

    /// Its name, lower case.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// A computation of a MAC.
    pub(super) fn context(&self) -> hmac::Context {
        hmac::Context::with_key(&self.secret)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("name", &self.name.to_string())
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// What is wrong with a file of keys; the line's text is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct KeysError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: &'static str,
}

/// Keys by name.
#[derive(Debug, Clone, Default)]
pub struct Keys(Vec<Arc<Key>>);

impl Keys {
    /// Reads lines of NAME ALGORITHM SECRET; `#` begins a comment.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let mut keys: Vec<Arc<Key>> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let fault = |reason| KeysError {
                line: at + 1,
                reason,
            };
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<_> = line.split_whitespace().collect();
            let [name, algorithm, secret] = words[..] else {
                if words.is_empty() {
                    continue;
                }
                return Err(fault("write NAME ALGORITHM SECRET"));
            };
            let name = parse_name(name).ok_or_else(|| fault("not a name"))?;
            if name.as_wire().len() > NAME_BYTES_MAX {
                return Err(fault("the name has more than 64 octets"));
            }
            let algorithm = parse_algorithm(algorithm)
                .ok_or_else(|| fault("use hmac-sha256, hmac-sha384 or hmac-sha512"))?;
            let secret = parse_base64(secret).ok_or_else(|| fault("the secret is not base64"))?;
            if !(SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&secret.len()) {
                return Err(fault("the secret needs 16 to 512 octets"));
            }
            if keys.iter().any(|key| *key.name() == name.to_lowercase()) {
                return Err(fault("a key of this name is there already"));
            }
            if keys.len() == KEYS_MAX {
                return Err(fault("more than 1000 keys"));
            }
            keys.push(Arc::new(Key::new(&name, algorithm, &secret)));
        }
        Ok(Self(keys))
    }

    /// The key of a name in lower case.
    pub fn find(&self, name: &Name) -> Option<&Arc<Key>> {
        self.0.iter().find(|key| key.name() == name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Arc<Key>> for Keys {
    fn from_iter<I: IntoIterator<Item = Arc<Key>>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

/// A name with or without its final dot.
pub(crate) fn parse_name(text: &str) -> Option<Name> {
    let text = text.strip_suffix('.').unwrap_or(text);
    Name::parse_absolute(&format!("{text}.")).ok()
}

fn parse_algorithm(text: &str) -> Option<Algorithm> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let mut all = Algorithm::ALL.into_iter();
    all.find(|algorithm| algorithm.name().eq_ignore_ascii_case(text))
}

/// RFC 4648 section 4, with its padding.
fn parse_base64(text: &str) -> Option<Vec<u8>> {
    let octets = text.as_bytes();
    if octets.is_empty() || !octets.len().is_multiple_of(4) {
        return None;
    }
    let padding = octets
        .iter()
        .rev()
        .take_while(|octet| **octet == b'=')
        .count();
    if padding > 2 {
        return None;
    }
    let (mut bits, mut count) = (0u32, 0);
    let mut decoded = Vec::with_capacity(octets.len() / 4 * 3);
    for octet in &octets[..octets.len() - padding] {
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    // What is left are padding bits, which are 0 (RFC 4648 section 3.5).
    (bits & ((1 << count) - 1) == 0).then_some(decoded)
}

#[cfg(test)]
mod tests;
