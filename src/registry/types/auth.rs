//! Authorization information of an object: what lets somebody else have it.
//!
//! RFC 9154: kept as SHA-256 with a random salt of 128 bits of its own, never returned,
//! never logged. A fast hash is enough, and does not let logins of others wait for it:
//! what is set has at least 20 characters of 94 (section 4.1: 128 bits), which nobody
//! guesses at any speed. Its text has no `Debug`, is no JSON, and is wiped.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::ValueError;

/// Longest text that is looked at.
const CHARACTERS_MAX: usize = 255;
/// Fewest characters of one that is set: 128 bits in printable ASCII.
const CHARACTERS_MIN: usize = 20;
/// Fewest different ones among them: what repeats itself was not drawn.
const DISTINCT_MIN: usize = 8;
const SALT_BYTES: usize = 16;

/// Authorization information as somebody said it; empty is unset.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AuthInfo(Form);

#[derive(Clone, PartialEq, Eq)]
enum Form {
    Said(Zeroizing<String>),
    /// Of a command that waits: as it is kept with an object.
    Kept(Vec<u8>),
}

impl AuthInfo {
    /// Reads printable characters; an empty text unsets.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let is_printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if text.len() > CHARACTERS_MAX || !is_printable {
            let reason = format!("{CHARACTERS_MAX} printable characters of ASCII at most");
            return Err(ValueError::syntax("authorization information", reason));
        }
        Ok(Self(Form::Said(Zeroizing::new(text.to_owned()))))
    }

    /// None.
    pub(crate) fn unset() -> Self {
        Self(Form::Said(Zeroizing::default()))
    }

    /// What a command that waited had, which was judged when it was said.
    pub(crate) fn from_kept(kept: Vec<u8>) -> Self {
        Self(Form::Kept(kept))
    }

    /// Whether it says that there is none.
    pub fn is_unset(&self) -> bool {
        matches!(&self.0, Form::Said(text) if text.is_empty())
    }

    /// Why it may not be set.
    pub(crate) fn weakness(&self) -> Option<String> {
        let text = match &self.0 {
            Form::Said(text) if !text.is_empty() => text,
            Form::Said(_) | Form::Kept(_) => return None,
        };
        let distinct: std::collections::BTreeSet<_> = text.bytes().collect();
        if text.len() >= CHARACTERS_MIN && distinct.len() >= DISTINCT_MIN {
            return None;
        }
        Some(format!(
            "needs {CHARACTERS_MIN} random characters, {DISTINCT_MIN} different ones among them"
        ))
    }

    /// As it is kept: salt, then digest; nothing where it is unset.
    pub(crate) fn kept(&self, salt: [u8; SALT_BYTES]) -> Option<Vec<u8>> {
        let text = match &self.0 {
            Form::Said(text) if text.is_empty() => return None,
            Form::Said(text) => text,
            Form::Kept(kept) => return Some(kept.clone()),
        };
        let mut kept = salt.to_vec();
        kept.extend(digest(text, &salt));
        Some(kept)
    }

    /// Whether it is the other one, as that is kept.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        match &other.0 {
            Form::Kept(kept) => self.matches(Some(kept)),
            Form::Said(_) => false,
        }
    }

    /// Whether it is what is kept. What is unset is matched by nothing, and an empty
    /// text matches nothing (RFC 9154 section 4.4).
    pub(crate) fn matches(&self, kept: Option<&[u8]>) -> bool {
        let Some((salt, digest)) = kept.and_then(|kept| kept.split_at_checked(SALT_BYTES)) else {
            return false;
        };
        match &self.0 {
            Form::Said(text) if text.is_empty() => false,
            Form::Said(text) => verify_slices_are_equal(&self::digest(text, salt), digest).is_ok(),
            Form::Kept(own) => own.get(..SALT_BYTES) == Some(salt) && own[SALT_BYTES..] == *digest,
        }
    }
}

fn digest(text: &str, salt: &[u8]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    context.update(salt);
    context.update(text.as_bytes());
    context.finish().as_ref().to_vec()
}

/// A salt for one value.
pub(crate) fn salt() -> Option<[u8; SALT_BYTES]> {
    let mut salt = [0; SALT_BYTES];
    aws_lc_rs::rand::fill(&mut salt).is_ok().then_some(salt)
}

impl TryFrom<String> for AuthInfo {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        Self::parse(&Zeroizing::new(text))
    }
}

impl Serialize for AuthInfo {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(masked)")
    }
}

impl fmt::Debug for AuthInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthInfo(..)")
    }
}

#[cfg(test)]
mod tests;
