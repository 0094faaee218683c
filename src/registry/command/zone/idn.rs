//! `zone idn`: the tables of a zone. Domains that are registered stay; what a table says
//! of their labels is looked at, so that no variant of one is let in later.

use serde::{Deserialize, Serialize};

use super::existing_active;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::idn::note_variant;
use crate::registry::command::tables::{Tables, rows};
use crate::registry::error::RegistryError;
use crate::registry::idn::{IdnLabel, Table};
use crate::registry::types::AnyName;

/// Domains that are looked at together.
const PAGE: i64 = 1000;
/// Characters of a tag.
const TAG_CHARACTERS_MAX: usize = 35;

/// A table for a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ZoneTableText {
    /// Its language or script (RFC 5646), as registrars name it.
    pub tag: String,
    /// BLAKE3 of its text, which the registry keeps: an event has no room for it.
    pub digest: String,
    /// Its XML (RFC 7940).
    #[serde(skip)]
    pub text: String,
}

impl ZoneTableText {
    /// A table of this XML.
    pub fn new(tag: impl Into<String>, text: String) -> Self {
        Self {
            tag: tag.into().to_ascii_lowercase(),
            digest: blake3::hash(text.as_bytes()).to_string(),
            text,
        }
    }
}

/// A change of a zone's tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ZoneIdn {
    /// The zone.
    pub apex: AnyName,
    /// Tables to take, in place of those with the same tag.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<ZoneTableText>,
    /// Tags of tables to let go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &ZoneIdn,
) -> Result<i64, CommandError> {
    let apex = &command.apex;
    if command.set.is_empty() && command.remove.is_empty() {
        let reason = "a change of nothing";
        return Err(rejected(ResultCode::ParameterMissing, apex, reason));
    }
    let mut read = Vec::new();
    for text in &command.set {
        check_tag(&text.tag)?;
        let table = Table::parse(&text.text).map_err(|fault| {
            let reason = format!("the table: {fault}");
            rejected(ResultCode::ParameterSyntax, &text.tag, reason)
        })?;
        read.push((text, table));
    }
    let mut tables = context.tables();
    let id = existing_active(&mut tables, apex).await?.id;
    for tag in &command.remove {
        remove(&mut tables, id, tag).await?;
    }
    for (text, table) in &read {
        put(&mut tables, id, text).await?;
        look_at_domains(&mut tables, id, apex.as_str(), &text.tag, table).await?;
    }
    context.touch(Touched::Zone, id).await?;
    Ok(id)
}

/// Letters, digits and hyphens, as in RFC 5646 section 2.1.
fn check_tag(tag: &str) -> Result<(), CommandError> {
    let is_tag = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=TAG_CHARACTERS_MAX).contains(&tag.len()) && tag.bytes().all(is_tag) {
        return Ok(());
    }
    let reason = "no tag of a language or script, such as de or und-latn";
    Err(rejected(ResultCode::ParameterSyntax, tag, reason))
}

async fn remove(tables: &mut Tables<'_>, zone_id: i64, tag: &str) -> Result<(), CommandError> {
    let used = rows::<(i64,)>("SELECT id FROM domains WHERE zone_id = $1 AND idn_tag = $2 LIMIT 1");
    if tables.any(used.bind(zone_id).bind(tag)).await? {
        let reason = "domains were registered by this table";
        return Err(rejected(ResultCode::AssociationProhibits, tag, reason));
    }
    let delete = sqlx::query("DELETE FROM idn_tables WHERE zone_id = $1 AND tag = $2");
    if tables.run(delete.bind(zone_id).bind(tag)).await? == 0 {
        let reason = "the zone has no such table";
        return Err(rejected(ResultCode::ParameterPolicy, tag, reason));
    }
    forget_variants(tables, zone_id, tag).await?;
    Ok(())
}

async fn forget_variants(
    tables: &mut Tables<'_>,
    zone_id: i64,
    tag: &str,
) -> Result<(), RegistryError> {
    let delete = sqlx::query("DELETE FROM variant_labels WHERE zone_id = $1 AND tag = $2");
    tables.run(delete.bind(zone_id).bind(tag)).await.map(drop)
}

async fn put(
    tables: &mut Tables<'_>,
    zone_id: i64,
    text: &ZoneTableText,
) -> Result<(), RegistryError> {
    let insert = sqlx::query(
        "INSERT INTO idn_texts (digest, text) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
    );
    let insert = insert.bind(text.digest.as_str()).bind(text.text.as_str());
    tables.run(insert).await?;
    let insert = sqlx::query(
        "INSERT INTO idn_tables (zone_id, tag, digest) VALUES ($1, $2, $3) \
         ON CONFLICT (zone_id, tag) DO UPDATE SET digest = excluded.digest",
    );
    let insert = insert.bind(zone_id).bind(text.tag.as_str());
    tables.run(insert.bind(text.digest.as_str())).await?;
    forget_variants(tables, zone_id, &text.tag).await
}

/// Notes the index labels of what is registered. Domains that are variants of each other
/// already stay so: they were registered before anybody said that they are.
async fn look_at_domains(
    tables: &mut Tables<'_>,
    zone_id: i64,
    apex: &str,
    tag: &str,
    table: &Table,
) -> Result<(), RegistryError> {
    let mut after = 0;
    loop {
        let page = rows::<(i64, String)>(
            "SELECT id, name FROM domains WHERE zone_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        );
        let page = tables
            .all(page.bind(zone_id).bind(after).bind(PAGE))
            .await?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = *last;
        for (id, name) in &page {
            let label = name.split('.').next().unwrap_or_default();
            // What no table would take has no variants.
            let Ok(label) = IdnLabel::parse(label, apex) else {
                continue;
            };
            let Ok(index) = table.judge(label.as_unicode()) else {
                continue;
            };
            if !index.chars().eq(label.as_unicode().iter().copied()) {
                note_variant(tables, zone_id, *id, tag, &index).await?;
            }
        }
    }
}

/// Tags and digests of a zone's tables.
pub(super) async fn tables_of(
    tables: &mut Tables<'_>,
    zone_id: i64,
) -> Result<Vec<ZoneTableText>, RegistryError> {
    let query = rows::<(String, String)>(
        "SELECT tag, digest FROM idn_tables WHERE zone_id = $1 ORDER BY tag",
    );
    let found = tables.all(query.bind(zone_id)).await?;
    let table = |(tag, digest)| ZoneTableText {
        tag,
        digest,
        text: String::new(),
    };
    Ok(found.into_iter().map(table).collect())
}
