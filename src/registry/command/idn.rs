//! Which labels the tables of a zone let in, and which are variants of one that is there.
//!
//! A table is some MiB of XML, and each `domain create` asks it: what was read is kept by
//! the digest of its text, so nothing that changes can make it stale.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::CommandError;
use super::answer::rejected;
use super::checks::ZoneRow;
use super::context::Context;
use super::tables::{Tables, rows};
use crate::registry::code::ResultCode;
use crate::registry::error::RegistryError;
use crate::registry::idn::{IdnLabel, Table};

/// Tables that stay in memory.
const CACHED_MAX: usize = 64;

static CACHE: LazyLock<Mutex<HashMap<String, Arc<Table>>>> = LazyLock::new(Mutex::default);

/// A table of a zone.
pub(super) struct ZoneTable {
    pub(super) tag: String,
    pub(super) table: Arc<Table>,
}

/// A label that may be registered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Admitted {
    /// The table that let it in, where it needed one.
    tag: Option<String>,
    /// Tag and index label of tables in which it is not its own.
    variants: Vec<(String, String)>,
}

/// The tables of a zone by their tags.
pub(super) async fn zone_tables(
    tables: &mut Tables<'_>,
    zone_id: i64,
) -> Result<Vec<ZoneTable>, RegistryError> {
    let query = rows::<(String, String)>(
        "SELECT tag, digest FROM idn_tables WHERE zone_id = $1 ORDER BY tag",
    );
    let mut found = Vec::new();
    for (tag, digest) in tables.all(query.bind(zone_id)).await? {
        let table = read(tables, &digest).await?;
        found.push(ZoneTable { tag, table });
    }
    Ok(found)
}

async fn read(tables: &mut Tables<'_>, digest: &str) -> Result<Arc<Table>, RegistryError> {
    let cached = |cache: &HashMap<_, _>| cache.get(digest).cloned();
    if let Some(table) = cached(&CACHE.lock().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(table);
    }
    let query = rows::<(String,)>("SELECT text FROM idn_texts WHERE digest = $1");
    let text = tables.optional(query.bind(digest)).await?;
    let bad = |what: String| tables.inconsistent(format!("IDN table {digest}: {what}"));
    let (text,) = text.ok_or_else(|| bad("not there".to_owned()))?;
    let table = Table::parse(&text).map_err(|fault| bad(fault.to_string()))?;
    let table = Arc::new(table);
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= CACHED_MAX {
        cache.clear();
    }
    cache.insert(digest.to_owned(), Arc::clone(&table));
    Ok(table)
}

/// Whether a label can be registered in the zone, in the table that is asked for, if one
/// is. A zone without tables takes no label that begins with `xn--`.
pub(super) async fn admit(
    tables: &mut Tables<'_>,
    zone: &ZoneRow,
    label: &str,
    asked: Option<&str>,
) -> Result<Admitted, CommandError> {
    let is_idn = label.starts_with("xn--");
    if zone.idn_tables == 0 && !is_idn && asked.is_none() {
        return Ok(Admitted::default());
    }
    let refuse = |reason: String| Err(rejected(ResultCode::ParameterPolicy, label, reason));
    if zone.idn_tables == 0 {
        return refuse("internationalized labels are not offered here".into());
    }
    let parsed = match IdnLabel::parse(label, &zone.apex) {
        Ok(parsed) => parsed,
        Err(fault) => return refuse(fault.to_string()),
    };
    let zone_tables = zone_tables(tables, zone.id).await?;
    let mut admitted = Admitted::default();
    let mut refusals = Vec::new();
    for ZoneTable { tag, table } in &zone_tables {
        match table.judge(parsed.as_unicode()) {
            Ok(index) => {
                if is_idn && admitted.tag.is_none() && asked.is_none_or(|asked| asked == tag) {
                    admitted.tag = Some(tag.clone());
                }
                admitted.variants.push((tag.clone(), index));
            }
            Err(refusal) if asked.is_none_or(|asked| asked == tag) => {
                refusals.push(format!("{tag}: {refusal}"));
            }
            Err(_) => {}
        }
    }
    let is_known = |asked: &str| zone_tables.iter().any(|table| table.tag == asked);
    match asked {
        Some(_) if !is_idn => {
            return refuse("a label of letters, digits and hyphens is in no table".into());
        }
        Some(asked) if !is_known(asked) => {
            return refuse(format!("the zone has no table {asked}"));
        }
        _ => {}
    }
    if is_idn && admitted.tag.is_none() {
        return refuse(format!("{parsed}: {}", refusals.join("; ")));
    }
    for (_, index) in &admitted.variants {
        if let Some(other) = variant_there(tables, zone, parsed.as_unicode(), index).await? {
            return refuse(format!("a variant of {other}, which is registered"));
        }
    }
    let own: String = parsed.as_unicode().iter().collect();
    admitted.variants.retain(|(_, index)| *index != own);
    Ok(admitted)
}

/// The registered domain that has this index label, other than the label itself.
async fn variant_there(
    tables: &mut Tables<'_>,
    zone: &ZoneRow,
    label: &[char],
    index: &str,
) -> Result<Option<String>, RegistryError> {
    let query = rows::<(String,)>(
        "SELECT d.name FROM variant_labels v JOIN domains d ON d.id = v.domain_id \
         WHERE v.zone_id = $1 AND v.index_label = $2 LIMIT 1",
    );
    let found = tables.optional(query.bind(zone.id).bind(index)).await?;
    if let Some((name,)) = found {
        return Ok(Some(name));
    }
    // The label that is its own index label has no row.
    let Some(name) =
        index_name(index, &zone.apex).filter(|_| !index.chars().eq(label.iter().copied()))
    else {
        return Ok(None);
    };
    let query = rows::<(String,)>("SELECT name FROM domains WHERE name = $1");
    let found = tables.optional(query.bind(name)).await?;
    Ok(found.map(|(name,)| name))
}

/// The domain that an index label would be, where it could be one.
fn index_name(index: &str, apex: &str) -> Option<String> {
    let label = IdnLabel::parse(index, apex).ok()?;
    Some(match apex {
        "." => label.as_ascii().to_owned(),
        _ => format!("{}.{apex}", label.as_ascii()),
    })
}

/// Writes down what let a new domain in.
pub(super) async fn note(
    context: &mut Context<'_, '_>,
    zone_id: i64,
    domain_id: i64,
    admitted: &Admitted,
) -> Result<(), RegistryError> {
    let mut tables = context.tables();
    if let Some(tag) = &admitted.tag {
        let update = sqlx::query("UPDATE domains SET idn_tag = $1 WHERE id = $2");
        tables
            .run(update.bind(tag.as_str()).bind(domain_id))
            .await?;
    }
    for (tag, index) in &admitted.variants {
        note_variant(&mut tables, zone_id, domain_id, tag, index).await?;
    }
    Ok(())
}

pub(super) async fn note_variant(
    tables: &mut Tables<'_>,
    zone_id: i64,
    domain_id: i64,
    tag: &str,
    index: &str,
) -> Result<(), RegistryError> {
    let insert = sqlx::query(
        "INSERT INTO variant_labels (zone_id, index_label, domain_id, tag) \
         VALUES ($1, $2, $3, $4)",
    );
    let insert = insert.bind(zone_id).bind(index).bind(domain_id).bind(tag);
    tables.run(insert).await.map(drop)
}
