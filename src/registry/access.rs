//! How a registrar shows who it is: a password and certificates.
//!
//! A password is kept as Argon2id (RFC 9106), with the memory and passes that OWASP names
//! as the least, and a random salt. A certificate is pinned by the SHA-256 of its DER, so no
//! authority decides who a registrar is. A registrar may be bound to networks besides. Texts of passwords are wiped, have no `Debug` and
//! reach no event: what commands carry is the hash, and the event log masks that too.

mod memory;
mod prefix;

use std::fmt;
use std::str::FromStr;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::command::tables::{Tables, rows};
use super::database::{Database, Timestamp};
use super::error::RegistryError;
use super::types::{Handle, ValueError};

pub use prefix::Prefix;

/// Octets of memory, in KiB, that one guess costs.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// Shortest password that is set.
const CHARACTERS_MIN: usize = 8;
/// Longest password that is looked at.
pub const CHARACTERS_MAX: usize = 256;
/// Octets of a pin.
const PIN_BYTES: usize = 32;

/// What is kept of a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PasswordHash {
    salt: [u8; SALT_BYTES],
    hash: [u8; HASH_BYTES],
}

impl PasswordHash {
    /// Of a password that is to be set for a registrar. Takes some tens of milliseconds.
    pub fn of(handle: &Handle, password: &str) -> Result<Self, ValueError> {
        check(handle, password)?;
        let mut salt = [0; SALT_BYTES];
        if aws_lc_rs::rand::fill(&mut salt).is_err() {
            let reason = "the system gave no random numbers";
            return Err(ValueError::syntax("password", reason));
        }
        let hash = stretch(password, &salt)
            .ok_or_else(|| ValueError::syntax("password", "there is no memory to hash it"))?;
        Ok(Self { salt, hash: *hash })
    }

    /// Whether it is of this password. Takes as long as making one.
    pub fn fits(&self, password: &str) -> bool {
        stretch(password, &self.salt)
            .is_some_and(|hash| verify_slices_are_equal(&*hash, &self.hash).is_ok())
    }

    /// Of nothing that anybody knows: to take as long over an account that is not there.
    pub fn nobodys() -> Self {
        Self {
            salt: [0; SALT_BYTES],
            hash: [0; HASH_BYTES],
        }
    }

    pub(crate) fn as_text(&self) -> String {
        format!("argon2id:{}:{}", hex(&self.salt), hex(&self.hash))
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

impl From<PasswordHash> for String {
    fn from(hash: PasswordHash) -> Self {
        hash.as_text()
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let mut parts = text.split(':');
        let read = (parts.next(), parts.next(), parts.next(), parts.next());
        if let (Some("argon2id"), Some(salt), Some(hash), None) = read
            && let (Some(salt), Some(hash)) = (octets(salt), octets(hash))
        {
            return Ok(Self { salt, hash });
        }
        let reason = "write argon2id:SALT:HASH in hexadecimal digits";
        Err(ValueError::syntax("password hash", reason))
    }
}

fn stretch(password: &str, salt: &[u8]) -> Option<Zeroizing<[u8; HASH_BYTES]>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES)).ok()?;
    let count = params.block_count();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hash = Zeroizing::new([0; HASH_BYTES]);
    let stretched = memory::within(count, |blocks| {
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut *hash, blocks)
    });
    stretched.ok().map(|()| hash)
}

/// Whether a text may be a registrar's password from now on.
fn check(handle: &Handle, password: &str) -> Result<(), ValueError> {
    let refuse = |reason: String| Err(ValueError::syntax("password", reason));
    let length = password.chars().count();
    if !(CHARACTERS_MIN..=CHARACTERS_MAX).contains(&length) {
        return refuse(format!(
            "a password has {CHARACTERS_MIN} to {CHARACTERS_MAX} characters"
        ));
    }
    // EPP says passwords as tokens, which lose other white space on the way.
    let collapsed: Vec<_> = password.split_whitespace().collect();
    if collapsed.join(" ") != password || password.chars().any(char::is_control) {
        return refuse("a password has single blanks only, and within itself".to_owned());
    }
    if password.eq_ignore_ascii_case(handle.as_str()) {
        return refuse("a password is not the account's name".to_owned());
    }
    let first = password.chars().next();
    if password.chars().all(|character| Some(character) == first) {
        return refuse("a password is not one character again and again".to_owned());
    }
    Ok(())
}

/// The SHA-256 of a certificate's DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pin([u8; PIN_BYTES]);

impl Pin {
    /// Of a certificate.
    pub fn of_certificate(der: &[u8]) -> Self {
        let digest = digest(&SHA256, der);
        Self(digest.as_ref().try_into().expect("SHA-256 has 32 octets"))
    }

    pub(crate) fn as_octets(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for Pin {
    type Err = ValueError;

    /// Reads 64 hexadecimal digits, with colons between pairs or without.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let digits = text.replace(':', "");
        octets(&digits).map(Self).ok_or_else(|| {
            let reason = "a pin is the SHA-256 of a certificate: 64 hexadecimal digits";
            ValueError::syntax(text, reason)
        })
    }
}

impl TryFrom<String> for Pin {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<Pin> for String {
    fn from(pin: Pin) -> Self {
        pin.to_string()
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn octets<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if digits.len() != 2 * N || !is_hex {
        return None;
    }
    let mut octets = [0; N];
    for (octet, at) in octets.iter_mut().zip((0..digits.len()).step_by(2)) {
        *octet = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
    }
    Some(octets)
}

/// What a registrar has to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Whether it may act at all.
    pub is_active: bool,
    /// Its password; without one nobody gets in.
    pub password: Option<PasswordHash>,
    /// When that was set.
    pub password_set_at: Option<Timestamp>,
    /// Its certificates; without one nobody gets in.
    pub pins: Vec<Pin>,
    /// Networks that it comes from; where there are none, any.
    pub prefixes: Vec<Prefix>,
    /// Sessions that it may have at once.
    pub sessions_max: u32,
}

impl Database {
    /// What a registrar has to show; nothing for one that is not there.
    pub async fn access(&mut self, handle: &Handle) -> Result<Option<Access>, RegistryError> {
        let mut tables = self.tables();
        let query = rows::<(i64, String, Option<String>, Option<i64>, i64)>(
            "SELECT id, status, password_hash, password_set_at, sessions_max FROM registrars \
             WHERE handle = $1",
        );
        let found = tables.optional(query.bind(handle.as_str())).await?;
        let Some((id, status, password, set_at, sessions_max)) = found else {
            return Ok(None);
        };
        let password = match password.map(PasswordHash::try_from).transpose() {
            Ok(password) => password,
            Err(error) => return Err(tables.inconsistent(format!("{handle}: {error}"))),
        };
        Ok(Some(Access {
            is_active: status == "active",
            password,
            password_set_at: set_at.map(Timestamp),
            pins: pins(&mut tables, id).await?,
            prefixes: prefixes(&mut tables, id).await?,
            sessions_max: u32::try_from(sessions_max).unwrap_or(0),
        }))
    }
}

/// The certificates of a registrar, in the order of their digests.
pub(crate) async fn pins(
    tables: &mut Tables<'_>,
    registrar: i64,
) -> Result<Vec<Pin>, RegistryError> {
    let query =
        rows::<(Vec<u8>,)>("SELECT pin FROM registrar_pins WHERE registrar_id = $1 ORDER BY pin");
    let found = tables.all(query.bind(registrar)).await?;
    let pins = found.into_iter().map(|(octets,)| {
        let octets = octets.try_into();
        octets
            .map(Pin)
            .map_err(|_| tables.inconsistent("a pin has 32 octets"))
    });
    pins.collect()
}

/// The networks that a registrar comes from.
pub(crate) async fn prefixes(
    tables: &mut Tables<'_>,
    registrar: i64,
) -> Result<Vec<Prefix>, RegistryError> {
    let query = rows::<(String,)>(
        "SELECT prefix FROM registrar_prefixes WHERE registrar_id = $1 ORDER BY prefix",
    );
    let found = tables.all(query.bind(registrar)).await?;
    let read = |(text,): (String,)| {
        Prefix::parse(&text).map_err(|error| tables.inconsistent(format!("prefix: {error}")))
    };
    found.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests;
