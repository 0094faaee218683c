//! A contact as it was: what is said of a person is sealed with the contact's own key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ContactInfo;
use super::keys::keys_of;
use super::row::{COLUMNS, ContactRow, Texts, find, find_by_id};
use crate::registry::audit::Before;
use crate::registry::command::domain::{names, roid};
use crate::registry::command::past::{Key, from_json, to_json};
use crate::registry::command::tables::Tables;
use crate::registry::database::Timestamp;
use crate::registry::error::RegistryError;
use crate::registry::personal::{key_for, key_of};
use crate::registry::types::{Handle, Statuses};

/// Columns that say nothing of a person.
const OPEN: [&str; 2] = ["kind", "disclose"];
/// What stands beside the fields of a contact whose key was shredded.
const ERASED: &str = "erased";

/// What is noted of a contact beside its handle and when it was made.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct State {
    registrar: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disclose: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    statuses: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    keys: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transferred_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copy_of: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    erased_at: Option<i64>,
    /// Its other columns, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
}

/// A contact as it is now. Makes its key where there is something to be sealed and none yet.
pub(in crate::registry::command) async fn before_of(
    tables: &mut Tables<'_>,
    key: Key<'_>,
) -> Result<Option<Before>, RegistryError> {
    let found = match key {
        Key::Id(id) => find_by_id(tables, id).await?,
        Key::Name(name) => match Handle::parse(name) {
            Ok(handle) => find(tables, &handle)
                .await?
                .map(|row| (handle.to_string(), row)),
            Err(_) => None,
        },
    };
    let Some((handle, row)) = found else {
        return Ok(None);
    };
    // Each column by its name: one that is read and not noted does not compile.
    let ContactRow {
        id,
        registrar_id,
        statuses,
        first_event,
        created_at,
        created_by,
        updated_at,
        updated_by,
        transferred_at,
        // A secret.
        auth: _,
        copy_of,
        erased_at,
        texts,
    } = row;
    let registrar = "SELECT handle FROM registrars WHERE id = $1";
    let registrar = names(tables, registrar, registrar_id).await?.concat();
    let personal: BTreeMap<_, _> = COLUMNS
        .iter()
        .zip(&texts.0)
        .filter(|(column, _)| !OPEN.contains(column))
        .filter_map(|(column, text)| Some((*column, text.as_ref()?)))
        .collect();
    let sealed = match personal.is_empty() {
        true => None,
        false => {
            let text = to_json(tables, &personal)?;
            let key = key_for(tables, id, &handle).await?;
            key.and_then(|key| key.seal(&text))
        }
    };
    let [.., disclose] = texts.others();
    let keys = keys_of(tables, &handle).await?;
    let state = State {
        registrar,
        kind: texts.kind(),
        disclose,
        statuses,
        keys: keys.iter().map(|key| key.name().to_string()).collect(),
        created_by,
        updated_at,
        updated_by,
        transferred_at,
        copy_of,
        erased_at,
        sealed,
    };
    Ok(Some(Before {
        object_id: id,
        object_type: "contact".to_owned(),
        name: handle,
        domain_id: None,
        first_event,
        created_at,
        state: to_json(tables, &state)?,
    }))
}

/// As `contact info` showed it to its sponsor, but for `linked`.
pub(in crate::registry::command) async fn shown_of(
    tables: &mut Tables<'_>,
    before: &Before,
) -> Result<Value, RegistryError> {
    // Alike: one that is noted and not shown does not compile.
    let State {
        registrar,
        kind,
        disclose,
        statuses,
        keys,
        created_by,
        updated_at,
        updated_by,
        transferred_at,
        copy_of,
        erased_at,
        sealed,
    } = from_json(tables, before)?;
    let key = key_of(tables, before.object_id).await?;
    let bad = |what: String| tables.inconsistent(format!("what {} was: {what}", before.name));
    let mut personal: BTreeMap<String, String> = BTreeMap::new();
    if let (Some(key), Some(sealed)) = (&key, &sealed) {
        let open = key.open(sealed);
        let open = open.ok_or_else(|| bad("not sealed with its key".to_owned()))?;
        personal = serde_json::from_str(&open).map_err(|error| bad(error.to_string()))?;
    }
    let mut texts = Texts::default();
    for (text, column) in texts.0.iter_mut().zip(COLUMNS) {
        *text = match column {
            "kind" => Some(kind.clone()),
            "disclose" => disclose.clone(),
            column => personal.remove(column),
        };
    }
    let statuses = Statuses::from_column(&statuses).map_err(|e| bad(e.to_string()))?;
    let mut words: Vec<_> = statuses.iter().map(|s| s.word().to_owned()).collect();
    if words.is_empty() {
        words.push("ok".into());
    }
    let [voice, voice_extension, fax, fax_extension, email, disclose] = texts.others();
    let info = ContactInfo {
        handle: Handle::parse(&before.name).map_err(|error| bad(error.to_string()))?,
        roid: roid(before.object_id),
        registrar,
        kind,
        statuses: words,
        int: texts.int(),
        loc: texts.loc(),
        voice,
        voice_extension,
        fax,
        fax_extension,
        email,
        disclose,
        keys,
        created_at: Timestamp(before.created_at),
        created_by,
        updated_at: updated_at.map(Timestamp),
        updated_by,
        transferred_at: transferred_at.map(Timestamp),
        copy_of,
        erased_at: erased_at.map(Timestamp),
    };
    let mut shown = serde_json::to_value(info).map_err(|error| bad(error.to_string()))?;
    if let (None, Some(_), Some(fields)) = (&key, &sealed, shown.as_object_mut()) {
        fields.insert(ERASED.to_owned(), true.into());
    }
    Ok(shown)
}
