//! A domain as it was.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Key, by_key, from_json, to_json};
use crate::registry::audit::Before;
use crate::registry::command::domain::{DomainInfo, roid};
use crate::registry::command::tables::{Rows, Tables, from_row, rows};
use crate::registry::database::{Engine, Timestamp};
use crate::registry::error::RegistryError;
use crate::registry::life::{Grace, GraceKind, Life, Phase};
use crate::registry::policy::ContactRole;
use crate::registry::types::{DnskeyData, DomainName, DsData, Statuses};
use zone_compiler::rdata::from_hex;

/// Fields of [`DomainInfo`] that follow from the zone's policy as well, which is not noted.
const OF_POLICY: [&str; 3] = ["next-step", "next-step-at", "parked"];

/// What is noted of a domain beside its name and when it was registered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct State {
    zone: String,
    registrar: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registrant: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    statuses: String,
    /// Numbers of its name servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hosts: Vec<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ds: Vec<DsData>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    keys: Vec<DnskeyData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transferred_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    phase: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    graces: Vec<Grace>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ns_ttl: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ds_ttl: Option<i64>,
    published: bool,
}

struct Row {
    id: i64,
    name: String,
    zone: String,
    registrar: String,
    registrant: Option<String>,
    statuses: String,
    created_at: i64,
    created_by: Option<String>,
    updated_at: Option<i64>,
    updated_by: Option<String>,
    transferred_at: Option<i64>,
    expires_at: Option<i64>,
    phase: String,
    ns_ttl: Option<i64>,
    ds_ttl: Option<i64>,
    published: i64,
    first_event: i64,
}

from_row!(Row: id, name, zone, registrar, registrant, statuses, created_at, created_by, updated_at, updated_by, transferred_at, expires_at, phase, ns_ttl, ds_ttl, published, first_event);

/// What hangs on a domain, in one statement: what it is, a number, a text.
macro_rules! parts {
    ($ds:literal, $key:literal) => {
        concat!(
            "SELECT 'host' AS part, n.host_id AS number, '' AS word FROM delegations n \
             WHERE n.domain_id = $1 \
             UNION ALL SELECT 'ds', CAST(0 AS BIGINT), ",
            $ds,
            " FROM ds s WHERE s.domain_id = $1 \
             UNION ALL SELECT 'key', CAST(0 AS BIGINT), ",
            $key,
            " FROM domain_keys k WHERE k.domain_id = $1 \
             UNION ALL SELECT 'contact', CAST(0 AS BIGINT), n.role || ':' || c.handle \
             FROM domain_contacts n JOIN contacts c ON c.id = n.contact_id \
             WHERE n.domain_id = $1 \
             UNION ALL SELECT 'grace', g.started_at, \
             g.kind || ' ' || g.ends_at || ' ' || g.years FROM grace_periods g \
             WHERE g.domain_id = $1"
        )
    };
}

/// A domain as it is now.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    key: Key<'_>,
) -> Result<Option<Before>, RegistryError> {
    let query: Rows<'_, Row> = by_key!(
        key,
        "SELECT d.id, d.name, z.apex AS zone, r.handle AS registrar, c.handle AS registrant, \
         d.statuses, d.created_at, d.created_by, d.updated_at, d.updated_by, d.transferred_at, \
         d.expires_at, d.phase, d.ns_ttl, d.ds_ttl, d.published, d.first_event FROM domains d \
         JOIN zones z ON z.id = d.zone_id JOIN registrars r ON r.id = d.registrar_id \
         LEFT JOIN contacts c ON c.id = d.registrant_id",
        "d.id",
        "d.name"
    );
    let Some(row) = tables.optional(query).await? else {
        return Ok(None);
    };
    // Each column by its name: one that is read and not noted does not compile.
    let Row {
        id,
        name,
        zone,
        registrar,
        registrant,
        statuses,
        created_at,
        created_by,
        updated_at,
        updated_by,
        transferred_at,
        expires_at,
        phase,
        ns_ttl,
        ds_ttl,
        published,
        first_event,
    } = row;
    let mut state = State {
        zone,
        registrar,
        registrant,
        contacts: Vec::new(),
        statuses,
        hosts: Vec::new(),
        ds: Vec::new(),
        keys: Vec::new(),
        created_by,
        updated_at,
        updated_by,
        transferred_at,
        expires_at,
        phase,
        graces: Vec::new(),
        ns_ttl,
        ds_ttl,
        published: published == 1,
    };
    add_parts(tables, id, &mut state).await?;
    Ok(Some(Before {
        object_id: id,
        object_type: "domain".to_owned(),
        name,
        domain_id: None,
        first_event,
        created_at,
        state: to_json(tables, &state)?,
    }))
}

async fn add_parts(
    tables: &mut Tables<'_>,
    id: i64,
    state: &mut State,
) -> Result<(), RegistryError> {
    let query = rows::<(String, i64, String)>(match tables.engine() {
        Engine::Sqlite => parts!("hex(s.rdata)", "hex(k.rdata)"),
        Engine::Postgres => {
            parts!("encode(s.rdata, 'hex')", "encode(k.rdata, 'hex')")
        }
    });
    for (part, number, word) in tables.all(query.bind(id)).await? {
        let bad = || tables.inconsistent(format!("{part} {word:?} of a domain"));
        match &*part {
            "host" => state.hosts.push(number),
            "ds" => {
                let rdata = from_hex(&word.to_ascii_lowercase());
                let ds = rdata.and_then(|rdata| DsData::from_rdata(&rdata));
                state.ds.push(ds.ok_or_else(bad)?);
            }
            "key" => {
                let rdata = from_hex(&word.to_ascii_lowercase());
                let key = rdata.and_then(|rdata| DnskeyData::from_rdata(&rdata));
                state.keys.push(key.ok_or_else(bad)?);
            }
            "contact" => state.contacts.push(word),
            _ => state.graces.push(grace(number, &word).ok_or_else(bad)?),
        }
    }
    state.hosts.sort_unstable();
    state
        .ds
        .sort_unstable_by(|one, other| one.rdata().cmp(other.rdata()));
    state.keys.sort_unstable();
    state
        .contacts
        .sort_unstable_by_key(|contact| place(contact));
    state.graces.sort_unstable_by_key(|grace| grace.started_at);
    Ok(())
}

/// Where a contact stands among those of a domain: roles have an order of their own.
fn place(contact: &str) -> (Option<ContactRole>, String) {
    match contact.split_once(':') {
        Some((role, handle)) => (ContactRole::parse(role), handle.to_owned()),
        None => (None, contact.to_owned()),
    }
}

fn grace(started_at: i64, word: &str) -> Option<Grace> {
    let mut words = word.split(' ');
    Some(Grace {
        kind: GraceKind::parse(words.next()?)?,
        started_at: Timestamp(started_at),
        ends_at: Timestamp(words.next()?.parse().ok()?),
        years: words.next()?.parse().ok()?,
    })
}

/// As `domain info` showed it to its sponsor; `hosts` and `below` have names of the moment.
pub(super) fn shown(
    tables: &Tables<'_>,
    before: &Before,
    at: Timestamp,
    names: impl Fn(&[i64]) -> Vec<String>,
    below: Vec<String>,
) -> Result<Value, RegistryError> {
    // Alike: one that is noted and not shown does not compile.
    let State {
        zone,
        registrar,
        registrant,
        contacts,
        statuses,
        hosts,
        ds,
        keys,
        created_by,
        updated_at,
        updated_by,
        transferred_at,
        expires_at,
        phase,
        graces,
        ns_ttl,
        ds_ttl,
        published,
    } = from_json(tables, before)?;
    let bad = |what: String| tables.inconsistent(format!("what {} was: {what}", before.name));
    let info = DomainInfo {
        name: DomainName::held(&before.name),
        roid: roid(before.object_id),
        zone,
        registrar,
        statuses: words(&statuses, hosts.is_empty()).map_err(bad)?,
        rgp_statuses: rgp_words(&phase, &graces, before.object_id, at).ok_or_else(|| bad(phase))?,
        registrant,
        contacts,
        hosts: names(&hosts),
        // Whether these were attributes is the zone's policy, which is not noted.
        attributes: None,
        subordinate_hosts: below,
        ds,
        keys,
        created_at: Timestamp(before.created_at),
        created_by,
        updated_at: updated_at.map(Timestamp),
        updated_by,
        transferred_at: transferred_at.map(Timestamp),
        expires_at: expires_at.map(Timestamp),
        next_step: None,
        next_step_at: None,
        ns_ttl,
        ds_ttl,
        published,
        parked: false,
    };
    let mut shown = serde_json::to_value(info).map_err(|error| bad(error.to_string()))?;
    if let Some(fields) = shown.as_object_mut() {
        fields.retain(|field, _| !OF_POLICY.contains(&field.as_str()));
    }
    Ok(shown)
}

/// Statuses as EPP shows them (RFC 5731 section 2.3).
fn words(column: &str, has_no_hosts: bool) -> Result<Vec<String>, String> {
    let statuses = Statuses::from_column(column).map_err(|error| error.to_string())?;
    let mut words: Vec<_> = statuses.iter().map(|s| s.word().to_owned()).collect();
    if has_no_hosts {
        words.push("inactive".into());
    } else if words.is_empty() {
        words.push("ok".into());
    }
    Ok(words)
}

/// Where it was in its life at a moment; nothing if the phase is none.
fn rgp_words(phase: &str, graces: &[Grace], id: i64, at: Timestamp) -> Option<Vec<String>> {
    let life = Life {
        phase: Phase::parse(phase)?,
        ..Life::new(id, at)
    };
    let rgp = life.rgp_statuses(graces, at);
    Some(rgp.iter().map(|word| (*word).to_owned()).collect())
}

/// Numbers of the name servers that a domain had.
pub(super) fn hosts(tables: &Tables<'_>, before: &Before) -> Result<Vec<i64>, RegistryError> {
    from_json(tables, before).map(|state: State| state.hosts)
}
