//! A host as it was.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Key, by_key, from_json, to_json};
use crate::registry::audit::Before;
use crate::registry::command::domain::roid;
use crate::registry::command::host::HostInfo;
use crate::registry::command::tables::{Rows, Tables, from_row, rows};
use crate::registry::database::Timestamp;
use crate::registry::error::RegistryError;
use crate::registry::types::{Address, HostName, Statuses};

/// What is noted of a host beside its name, the domain above it and when it was made.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct State {
    registrar: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    superordinate: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    statuses: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transferred_at: Option<i64>,
    published: bool,
}

struct Row {
    id: i64,
    name: String,
    domain_id: Option<i64>,
    superordinate: Option<String>,
    registrar: String,
    statuses: String,
    created_at: i64,
    created_by: Option<String>,
    updated_at: Option<i64>,
    updated_by: Option<String>,
    transferred_at: Option<i64>,
    published: i64,
    first_event: i64,
}

from_row!(Row: id, name, domain_id, superordinate, registrar, statuses, created_at, created_by, updated_at, updated_by, transferred_at, published, first_event);

/// A host as it is now.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    key: Key<'_>,
) -> Result<Option<Before>, RegistryError> {
    let query: Rows<'_, Row> = by_key!(
        key,
        "SELECT h.id, h.name, h.domain_id, d.name AS superordinate, r.handle AS registrar, \
         h.statuses, h.created_at, h.created_by, h.updated_at, h.updated_by, h.transferred_at, \
         h.published, h.first_event FROM hosts h JOIN registrars r ON r.id = h.registrar_id \
         LEFT JOIN domains d ON d.id = h.domain_id",
        "h.id",
        "h.name"
    );
    let Some(row) = tables.optional(query).await? else {
        return Ok(None);
    };
    let addresses = rows::<(Vec<u8>,)>(
        "SELECT address FROM host_addresses WHERE host_id = $1 ORDER BY rtype, address",
    );
    // Each column by its name: one that is read and not noted does not compile.
    let Row {
        id,
        name,
        domain_id,
        superordinate,
        registrar,
        statuses,
        created_at,
        created_by,
        updated_at,
        updated_by,
        transferred_at,
        published,
        first_event,
    } = row;
    let addresses = tables.all(addresses.bind(id)).await?;
    let bad = || tables.inconsistent("an address of no family");
    let addresses = addresses
        .iter()
        .map(|(rdata,)| Address::from_rdata(rdata).ok_or_else(bad));
    let state = State {
        registrar,
        superordinate,
        statuses,
        addresses: addresses.collect::<Result<_, _>>()?,
        created_by,
        updated_at,
        updated_by,
        transferred_at,
        published: published == 1,
    };
    Ok(Some(Before {
        object_id: id,
        object_type: "host".to_owned(),
        name,
        domain_id,
        first_event,
        created_at,
        state: to_json(tables, &state)?,
    }))
}

/// As `host info` showed it, but for `linked`.
pub(super) fn shown(tables: &Tables<'_>, before: &Before) -> Result<Value, RegistryError> {
    // Alike: one that is noted and not shown does not compile.
    let State {
        registrar,
        superordinate,
        statuses,
        addresses,
        created_by,
        updated_at,
        updated_by,
        transferred_at,
        published,
    } = from_json(tables, before)?;
    let bad = |what: String| tables.inconsistent(format!("what {} was: {what}", before.name));
    let name = zone_image::Name::parse_absolute(&before.name).map_err(|e| bad(e.to_string()))?;
    let statuses = Statuses::from_column(&statuses).map_err(|e| bad(e.to_string()))?;
    let mut words: Vec<_> = statuses.iter().map(|s| s.word().to_owned()).collect();
    if words.is_empty() {
        words.push("ok".into());
    }
    let info = HostInfo {
        name: HostName::held(&name),
        roid: roid(before.object_id),
        registrar,
        superordinate,
        statuses: words,
        addresses,
        created_at: Timestamp(before.created_at),
        created_by,
        updated_at: updated_at.map(Timestamp),
        updated_by,
        transferred_at: transferred_at.map(Timestamp),
        published,
    };
    serde_json::to_value(info).map_err(|error| bad(error.to_string()))
}
