//! Public keys of a contact: who has the private one agrees to changes by a signature.
//!
//! Ed25519 (RFC 8032) and OpenPGP (`registry::openpgp`), both by the one cryptographic library
//! of the program. The registry alone puts a key on file, with the number of a case: who could
//! do it otherwise could sign for everybody. Of a key of OpenPGP nothing personal is kept, so
//! that the event log has none.

use std::collections::BTreeSet;
use std::fmt;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use super::row::existing;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{difference, registry_only};
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::tables::{Tables, rows, rows_in};
use crate::registry::database::Timestamp;
use crate::registry::error::RegistryError;
use crate::registry::openpgp::{NO_SIGNATURE, OpenPgpKey, Refusal, SIGNATURE_BYTES_MAX};
use crate::registry::types::{Handle, ValueError, text_value};

/// Most keys of a contact: one in use, one to come, and some.
const KEYS_MAX: usize = 8;
/// What names a key of OpenPGP among people.
const FINGERPRINT: &str = "openpgp4fpr:";
const ARMOR: &str = "-----BEGIN PGP ";

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContactKey(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Ed25519([u8; 32]),
    OpenPgp(OpenPgpKey),
}

impl ContactKey {
    /// Reads hexadecimal digits: 64 of a key of Ed25519, or those of a key of OpenPGP, which
    /// may be in its armor as well.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let bad = |reason: &str| ValueError::syntax(text, reason);
        if text.contains(ARMOR) {
            let key = OpenPgpKey::from_certificate(text.as_bytes());
            return key.map(Kind::OpenPgp).map(Self).map_err(bad);
        }
        let neither =
            || bad("a key is 64 hexadecimal digits of Ed25519, or a public key of OpenPGP");
        let octets = from_hex(text).ok_or_else(neither)?;
        if let Some(key) = Self::from_octets(&octets) {
            return Ok(key);
        }
        // So begins every packet (RFC 9580 section 4.2).
        if octets.first().is_none_or(|first| first & 0x80 == 0) {
            return Err(neither());
        }
        let key = OpenPgpKey::from_certificate(&octets);
        key.map(Kind::OpenPgp).map(Self).map_err(bad)
    }

    /// As it is stored.
    pub(in crate::registry) fn to_octets(&self) -> Vec<u8> {
        match &self.0 {
            Kind::Ed25519(key) => key.to_vec(),
            Kind::OpenPgp(key) => key.to_octets(),
        }
    }

    fn from_octets(octets: &[u8]) -> Option<Self> {
        let kind = match octets.try_into() {
            Ok(key) => Kind::Ed25519(key),
            Err(_) => Kind::OpenPgp(OpenPgpKey::from_octets(octets)?),
        };
        Some(Self(kind))
    }

    /// What it is called.
    pub(in crate::registry::command) fn name(&self) -> KeyName {
        match &self.0 {
            Kind::Ed25519(key) => KeyName(hex(key)),
            Kind::OpenPgp(key) => KeyName(FINGERPRINT.to_owned() + &hex(&key.fingerprint())),
        }
    }

    /// Whether its owner can sign by it.
    fn is_alive(&self, at: Timestamp) -> bool {
        match &self.0 {
            Kind::Ed25519(_) => true,
            Kind::OpenPgp(key) => key.is_alive(seconds(at)),
        }
    }

    /// Whether a signature over `text` that is handed in now is by this key.
    pub(in crate::registry::command) fn agrees(
        &self,
        text: &str,
        signature: &[u8],
        at: Timestamp,
    ) -> Result<(), Refusal> {
        match &self.0 {
            Kind::Ed25519(key) => {
                let key = UnparsedPublicKey::new(&ED25519, key);
                let verified = key.verify(text.as_bytes(), signature);
                verified.map_err(|_| NO_SIGNATURE)
            }
            Kind::OpenPgp(key) => key.agrees(text.as_bytes(), signature, seconds(at)),
        }
    }
}

fn seconds(at: Timestamp) -> i64 {
    at.0 / 1_000_000
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

impl fmt::Display for ContactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.to_octets()))
    }
}

text_value!(ContactKey);

/// What a key is called: itself, of Ed25519, or the fingerprint of one of OpenPGP.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyName(String);

impl KeyName {
    /// Reads a name, or a key, whose name is meant.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let Some(digits) = text.strip_prefix(FINGERPRINT) else {
            return Ok(ContactKey::parse(text)?.name());
        };
        let bad = || ValueError::syntax(text, "a fingerprint is 40 hexadecimal digits");
        let octets = from_hex(digits).filter(|octets| octets.len() == 20);
        Ok(Self(
            FINGERPRINT.to_owned() + &hex(&octets.ok_or_else(bad)?),
        ))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_value!(KeyName);

/// The octets of a signature in hexadecimal digits.
pub(in crate::registry::command) fn signature(text: &str) -> Result<Vec<u8>, ValueError> {
    let octets = match text.len() > SIGNATURE_BYTES_MAX * 2 {
        true => None,
        false => from_hex(text),
    };
    let bad = || ValueError::syntax(text, "a signature is at most 16,384 hexadecimal digits");
    octets.ok_or_else(bad)
}

/// Octets of hexadecimal digits.
pub(in crate::registry) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(octet).collect()
}

/// Puts keys on file, or takes them off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContactKeys {
    /// Whose.
    pub handle: Handle,
    /// What comes; a key of OpenPGP in the place of what was on file of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<ContactKey>,
    /// What goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<KeyName>,
}

/// The keys of a contact.
pub(in crate::registry::command) async fn keys_of(
    tables: &mut Tables<'_>,
    handle: &str,
) -> Result<Vec<ContactKey>, RegistryError> {
    let query = rows::<(Vec<u8>,)>(
        "SELECT k.key FROM contact_keys k JOIN contacts c ON c.id = k.contact_id \
         WHERE c.handle = $1 ORDER BY k.added_at, k.key",
    );
    let found = tables.all(query.bind(handle)).await?;
    let read = |(key,): (Vec<u8>,)| {
        let key = ContactKey::from_octets(&key);
        key.ok_or_else(|| tables.inconsistent(format!("a key of contact {handle:?}")))
    };
    found.into_iter().map(read).collect()
}

/// Whether any of these contacts has a key on file.
pub(in crate::registry::command) async fn have_keys(
    tables: &mut Tables<'_>,
    handles: &[String],
) -> Result<bool, RegistryError> {
    if handles.is_empty() {
        return Ok(false);
    }
    let query = rows_in::<(i64,)>(
        "SELECT c.id FROM contact_keys k JOIN contacts c ON c.id = k.contact_id \
         WHERE c.handle IN ({list}) LIMIT 1",
        handles,
    );
    tables.any(query).await
}

pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &ContactKeys,
) -> Result<(), CommandError> {
    let handle = &command.handle;
    registry_only(&context.acting, handle.as_str())?;
    if command.add.is_empty() && command.remove.is_empty() {
        let reason = "a change of nothing";
        return Err(rejected(ResultCode::ParameterMissing, handle, reason));
    }
    let row = existing(&mut context.tables(), handle).await?;
    row.not_erased(handle)?;
    if !context.has_case {
        let reason = "a key needs the number of its case";
        return Err(rejected(ResultCode::ParameterMissing, "case", reason));
    }
    let before = keys_of(&mut context.tables(), handle.as_str()).await?;
    // The same key of OpenPGP, as its owner has it now: with a longer life, or other subkeys.
    let is_replaced =
        |old: &ContactKey| (command.add.iter()).any(|new| new.name() == old.name() && new != old);
    let (replaced, stay): (Vec<_>, Vec<_>) = before.iter().partition(|old| is_replaced(old));
    let mut after: BTreeSet<_> = stay.into_iter().map(ContactKey::name).collect();
    let add: Vec<_> = command.add.iter().map(ContactKey::name).collect();
    difference(&mut after, &add, &command.remove)?;
    if after.len() > KEYS_MAX {
        let reason = format!("{} keys, {KEYS_MAX} at most", after.len());
        return Err(rejected(ResultCode::ParameterPolicy, handle, reason));
    }
    if let Some(key) = command.add.iter().find(|key| !key.is_alive(context.at)) {
        let reason = "a key that has expired, or is not yet made";
        return Err(rejected(ResultCode::ParameterPolicy, key.name(), reason));
    }
    let removed = before.iter();
    let removed = removed.filter(|key| command.remove.contains(&key.name()));
    for key in replaced.into_iter().chain(removed) {
        let delete = sqlx::query("DELETE FROM contact_keys WHERE contact_id = $1 AND key = $2");
        let delete = delete.bind(row.id).bind(key.to_octets());
        context.tables().run(delete).await?;
    }
    for key in &command.add {
        let insert =
            sqlx::query("INSERT INTO contact_keys (contact_id, key, added_at) VALUES ($1, $2, $3)");
        let insert = insert.bind(row.id).bind(key.to_octets()).bind(context.at.0);
        context.tables().run(insert).await?;
    }
    Ok(context.touch(Touched::Contact, row.id).await?)
}
