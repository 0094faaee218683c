//! `domain info`.

use super::keys;
use super::row::{DomainRow, existing, graces};
use super::transfer::wrong_auth;
use super::{DomainInfo, DomainQuery};
use crate::registry::command::CommandError;
use crate::registry::command::answer::Info;
use crate::registry::command::checks::{Acting, zone_of};
use crate::registry::command::contact::{Links, contacts_of};
use crate::registry::command::host::of_domain;
use crate::registry::command::tables::{Tables, rows};
use crate::registry::command::zone::parking::servers;
use crate::registry::database::Timestamp;
use crate::registry::error::RegistryError;
use crate::registry::policy::HostModel;
use crate::registry::types::DsData;

pub(in crate::registry::command) async fn info(
    tables: &mut Tables<'_>,
    reader: &Acting,
    query: &DomainQuery,
    at: Timestamp,
) -> Result<Info, CommandError> {
    let name = &query.name;
    let row = existing(tables, name).await?;
    let sees_all = sees_all(reader, query, &row)?;
    let zone = zone_of(tables, row.zone_id).await?;
    let hosts = names(
        tables,
        "SELECT h.name FROM delegations n JOIN hosts h ON h.id = n.host_id \
         WHERE n.domain_id = $1 ORDER BY h.name",
        row.id,
    )
    .await?;
    let below = "SELECT name FROM hosts WHERE domain_id = $1 AND attribute = 0 ORDER BY name";
    let subordinate_hosts = names(tables, below, row.id).await?;
    let attributes = match zone.policy.host_model {
        HostModel::Objects => None,
        HostModel::Attributes => Some(of_domain(tables, row.id).await?),
    };
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
    let links = match sees_all {
        true => contacts_of(tables, row.id).await?,
        false => Links::default(),
    };
    let life = row.life(tables)?;
    // When another's domain goes is not for everybody to know in advance.
    let due = life.next(&zone.policy).filter(|_| sees_all);
    let rgp = life.rgp_statuses(&graces(tables, row.id).await?, at);
    Ok(Info::Domain(Box::new(DomainInfo {
        name: name.clone(),
        roid: roid(row.id),
        zone: zone.apex,
        registrar,
        statuses,
        rgp_statuses: rgp.iter().map(|word| (*word).to_owned()).collect(),
        registrant: links.registrant.map(|handle| handle.to_string()),
        contacts: links.contacts.iter().map(ToString::to_string).collect(),
        hosts,
        attributes,
        subordinate_hosts,
        keys: keys::of_domain(tables, row.id).await?,
        ds: ds
            .iter()
            .filter_map(|(rdata,)| DsData::from_rdata(rdata))
            .collect(),
        created_at: Timestamp(row.created_at),
        created_by: row.created_by,
        updated_at: row.updated_at.map(Timestamp),
        updated_by: row.updated_by,
        transferred_at: row.transferred_at.map(Timestamp),
        expires_at: life.expires_at,
        next_step: due.map(|due| due.step.to_string()),
        next_step_at: due.map(|due| due.at),
        ns_ttl: row.ns_ttl,
        ds_ttl: row.ds_ttl,
        published: row.published == 1,
        parked: row.parkable == 1 && !servers(tables, row.zone_id).await?.is_empty(),
    })))
}

/// Whether it is the reader's own, or its authorization information is known.
fn sees_all(reader: &Acting, query: &DomainQuery, row: &DomainRow) -> Result<bool, CommandError> {
    let is_own = reader.registrar.is_none_or(|own| own == row.registrar_id);
    match &query.auth_info {
        Some(auth) if !is_own => match auth.matches(row.auth.as_deref()) {
            true => Ok(true),
            false => Err(wrong_auth(&query.name)),
        },
        _ => Ok(is_own),
    }
}

/// Repository object identifier (RFC 5730 section 2.8).
pub(in crate::registry) fn roid(id: i64) -> String {
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
