//! What the log says of a person, sealed so that it can be erased from it.
//!
//! The log is never written again, so what it says of a contact is sealed with a key of that
//! contact alone (AES-256-GCM, bound to its number), which stands in a row of its own. Who
//! shreds the key erases the words everywhere at once, and every digest of the log stays
//! true. Never in the log, an error or a `Debug`: a key, or what it opens. A backup of the
//! database has the key too; how long backups are kept is for the operator to know.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use serde_json::{Map, Value};
use zeroize::Zeroizing;
use zone_compiler::rdata::from_hex;

use super::command::tables::{Tables, rows};
use super::error::RegistryError;

const KEY_BYTES: usize = 32;
/// Fields of a contact's command that say something of a person.
const FIELDS: [&str; 7] = [
    "int",
    "loc",
    "int-parts",
    "loc-parts",
    "voice",
    "fax",
    "email",
];
/// The field that has what was sealed.
pub(crate) const SEALED: &str = "sealed";

/// The key of one contact.
pub(crate) struct DataKey {
    contact_id: i64,
    key: RandomizedNonceKey,
}

impl DataKey {
    fn new(contact_id: i64, octets: &[u8]) -> Option<Self> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, octets).ok()?;
        Some(Self { contact_id, key })
    }

    fn bound_to(&self) -> Aad<[u8; 8]> {
        Aad::from(self.contact_id.to_be_bytes())
    }

    /// As hexadecimal digits: nonce, then what is sealed.
    pub(crate) fn seal(&self, text: &str) -> Option<String> {
        let mut sealed = text.as_bytes().to_vec();
        let aad = self.bound_to();
        let nonce = self.key.seal_in_place_append_tag(aad, &mut sealed).ok()?;
        let nonce: &[u8; NONCE_LEN] = nonce.as_ref();
        Some(nonce.iter().chain(&sealed).map(hex).collect())
    }

    /// What was sealed, if it was by this key.
    pub(crate) fn open(&self, sealed: &str) -> Option<Zeroizing<String>> {
        let octets = from_hex(sealed)?;
        let (nonce, sealed) = octets.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut open = Zeroizing::new(sealed.to_vec());
        let opened = self
            .key
            .open_in_place(nonce, self.bound_to(), &mut open)
            .ok()?;
        let text = std::str::from_utf8(opened).ok()?;
        Some(Zeroizing::new(text.to_owned()))
    }
}

fn hex(octet: &u8) -> String {
    format!("{octet:02x}")
}

/// The key of a contact, as far as there is one and it was not shredded.
pub(crate) async fn key_of(
    tables: &mut Tables<'_>,
    contact_id: i64,
) -> Result<Option<DataKey>, RegistryError> {
    let query = rows::<(Option<Vec<u8>>,)>("SELECT key FROM data_keys WHERE contact_id = $1");
    let found = tables.optional(query.bind(contact_id)).await?;
    let Some((Some(octets),)) = found else {
        return Ok(None);
    };
    let octets = Zeroizing::new(octets);
    let bad = || tables.inconsistent(format!("the data key of contact {contact_id}"));
    DataKey::new(contact_id, &octets).ok_or_else(bad).map(Some)
}

/// The key of a contact, made if there is none; nothing where it was shredded.
pub(crate) async fn key_for(
    tables: &mut Tables<'_>,
    contact_id: i64,
    handle: &str,
) -> Result<Option<DataKey>, RegistryError> {
    if let Some(key) = key_of(tables, contact_id).await? {
        return Ok(Some(key));
    }
    let mut octets = Zeroizing::new([0; KEY_BYTES]);
    let filled = aws_lc_rs::rand::fill(&mut *octets);
    filled.map_err(|_| tables.inconsistent("no random octets from the system"))?;
    let insert = sqlx::query(
        "INSERT INTO data_keys (contact_id, handle, key) VALUES ($1, $2, $3) \
         ON CONFLICT (contact_id) DO NOTHING",
    );
    let insert = insert.bind(contact_id).bind(handle);
    let made = tables.run(insert.bind(octets.to_vec())).await?;
    let key = (made == 1).then(|| DataKey::new(contact_id, &*octets));
    Ok(key.flatten())
}

/// A contact's command, as JSON, with what it says of a person sealed; without a key that
/// is left out.
pub(crate) fn sealed(mut command: Value, key: Option<&DataKey>) -> Option<Value> {
    let verbs = command.get_mut("contact")?.as_object_mut()?;
    for fields in verbs.values_mut().filter_map(Value::as_object_mut) {
        let mut personal = Map::new();
        for field in FIELDS {
            personal.extend(fields.remove_entry(field));
        }
        if let Some(key) = key.filter(|_| !personal.is_empty()) {
            let text = Zeroizing::new(Value::Object(personal).to_string());
            fields.insert(SEALED.to_owned(), key.seal(&text)?.into());
        }
    }
    Some(command)
}

#[cfg(test)]
mod tests;
