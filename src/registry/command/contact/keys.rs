//! Public keys of a contact: who has the private one agrees to changes by a signature.
//!
//! Ed25519 (RFC 8032) by the one cryptographic library of the program. OpenPGP is not
//! taken: the libraries for it bring a second set of ciphers, or are under licences that
//! this program does not take. The registry alone puts a key on file, with the number of a
//! case: who could do it otherwise could sign for everybody.

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
use crate::registry::error::RegistryError;
use crate::registry::types::{Handle, ValueError, text_value};

/// Most keys of a contact: one in use, one to come, and some.
const KEYS_MAX: usize = 8;

/// A public key of Ed25519.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContactKey([u8; 32]);

impl ContactKey {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let octets = from_hex(text).and_then(|octets| octets.try_into().ok());
        let bad = || ValueError::syntax(text, "a key of Ed25519 is 64 hexadecimal digits");
        octets.map(Self).ok_or_else(bad)
    }

    /// Whether a signature over `text` is by this key.
    pub(in crate::registry::command) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, self.0);
        key.verify(text.as_bytes(), signature).is_ok()
    }
}

impl fmt::Display for ContactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

text_value!(ContactKey);

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
    /// What comes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<ContactKey>,
    /// What goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<ContactKey>,
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
        let key = key.try_into().map(ContactKey);
        key.map_err(|_| tables.inconsistent(format!("a key of contact {handle:?}")))
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
    let mut after = before.iter().copied().collect();
    difference(&mut after, &command.add, &command.remove)?;
    if after.len() > KEYS_MAX {
        let reason = format!("{} keys, {KEYS_MAX} at most", after.len());
        return Err(rejected(ResultCode::ParameterPolicy, handle, reason));
    }
    for key in &command.remove {
        let delete = sqlx::query("DELETE FROM contact_keys WHERE contact_id = $1 AND key = $2");
        let delete = delete.bind(row.id).bind(key.0.to_vec());
        context.tables().run(delete).await?;
    }
    for key in &command.add {
        let insert =
            sqlx::query("INSERT INTO contact_keys (contact_id, key, added_at) VALUES ($1, $2, $3)");
        let insert = insert.bind(row.id).bind(key.0.to_vec()).bind(context.at.0);
        context.tables().run(insert).await?;
    }
    Ok(context.touch(Touched::Contact, row.id).await?)
}
