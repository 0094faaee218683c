//! `domain info`.

use super::DomainInfo;
use super::set::existing;
use crate::registry::command::CommandError;
use crate::registry::command::answer::Info;
use crate::registry::command::checks::zone_of;
use crate::registry::command::tables::{Tables, rows};
use crate::registry::database::Timestamp;
use crate::registry::error::RegistryError;
use crate::registry::types::{DomainName, DsData};

pub(in crate::registry::command) async fn info(
    tables: &mut Tables<'_>,
    name: &DomainName,
) -> Result<Info, CommandError> {
    let row = existing(tables, name).await?;
    let zone = zone_of(tables, row.zone_id).await?;
    let hosts = names(
        tables,
        "SELECT h.name FROM delegations n JOIN hosts h ON h.id = n.host_id \
         WHERE n.domain_id = $1 ORDER BY h.name",
        row.id,
    )
    .await?;
    let below = "SELECT name FROM hosts WHERE domain_id = $1 ORDER BY name";
    let subordinate_hosts = names(tables, below, row.id).await?;
    let registrar = "SELECT handle FROM registrars WHERE id = $1";
    let registrar = names(tables, registrar, row.registrar_id).await?.concat();
    let ds = rows::<(Vec<u8>,)>("SELECT rdata FROM ds WHERE domain_id = $1 ORDER BY rdata");
    let ds = tables.all(ds.bind(row.id)).await?;
    let mut statuses: Vec<_> = row
        .statuses(tables)?
        .iter()
        .map(|status| status.word().to_owned())
        .collect();
    // RFC 5731 section 2.3: `inactive` without delegation information, else `ok`
    // where nothing was set.
    if hosts.is_empty() {
        statuses.push("inactive".into());
    } else if statuses.is_empty() {
        statuses.push("ok".into());
    }
    Ok(Info::Domain(DomainInfo {
        name: name.clone(),
        roid: roid(row.id),
        zone: zone.apex,
        registrar,
        statuses,
        hosts,
        subordinate_hosts,
        ds: ds
            .iter()
            .filter_map(|(rdata,)| DsData::from_rdata(rdata))
            .collect(),
        created_at: Timestamp(row.created_at),
        updated_at: row.updated_at.map(Timestamp),
        expires_at: row.expires_at.map(Timestamp),
        ns_ttl: row.ns_ttl,
        ds_ttl: row.ds_ttl,
        published: row.published == 1,
    }))
}

/// Repository object identifier (RFC 5730 section 2.8).
pub(in crate::registry::command) fn roid(id: i64) -> String {
    format!("{id}-MERIDIAN")
}

/// Names that stand in one column.
pub(in crate::registry::command) async fn names(
    tables: &mut Tables<'_>,
    text: &'static str,
    id: i64,
) -> Result<Vec<String>, RegistryError> {
    let found = tables.all(rows::<(String,)>(text).bind(id)).await?;
    Ok(found.into_iter().map(|(name,)| name).collect())
}
