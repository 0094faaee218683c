//! A domain's row, its name servers and its DS, as create and update decide by
//! them.

use std::collections::{BTreeMap, BTreeSet};

use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{DS_MAX, ZoneRow};
use crate::registry::command::tables::{Tables, from_row, rows, rows_in};
use crate::registry::error::RegistryError;
use crate::registry::types::{DomainName, DsData, HostName, Statuses};

/// A row of `domains`.
#[derive(Debug, Clone)]
pub(super) struct DomainRow {
    pub(super) id: i64,
    pub(super) zone_id: i64,
    pub(super) registrar_id: i64,
    statuses: String,
    pub(super) created_at: i64,
    pub(super) updated_at: Option<i64>,
    pub(super) expires_at: Option<i64>,
    pub(super) ns_ttl: Option<i64>,
    pub(super) ds_ttl: Option<i64>,
    pub(super) published: i64,
}

from_row!(DomainRow: id, zone_id, registrar_id, statuses, created_at, updated_at, expires_at, ns_ttl, ds_ttl, published);

impl DomainRow {
    pub(super) fn statuses(&self, tables: &Tables<'_>) -> Result<Statuses, RegistryError> {
        Statuses::from_column(&self.statuses)
            .map_err(|error| tables.inconsistent(format!("statuses of a domain: {error}")))
    }
}

/// The domain, or 2303.
pub(super) async fn existing(
    tables: &mut Tables<'_>,
    name: &DomainName,
) -> Result<DomainRow, CommandError> {
    let query = rows::<DomainRow>(
        "SELECT id, zone_id, registrar_id, statuses, created_at, updated_at, expires_at, \
         ns_ttl, ds_ttl, published FROM domains WHERE name = $1",
    );
    let row = tables.optional(query.bind(name.as_str())).await?;
    let missing = || rejected(ResultCode::ObjectDoesNotExist, name, "no such domain");
    row.ok_or_else(missing)
}

/// A host that is named as a name server.
#[derive(Debug, Clone, Copy)]
pub(super) struct NameServer {
    pub(super) id: i64,
    /// In this registry, and without an address: nobody could reach it.
    is_glueless: bool,
}

/// Finds the hosts of a command, or 2303 with the first that is not there.
pub(super) async fn find_hosts(
    tables: &mut Tables<'_>,
    names: &[HostName],
) -> Result<BTreeMap<String, NameServer>, CommandError> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let list: BTreeSet<_> = names.iter().map(|name| name.as_str().to_owned()).collect();
    let list: Vec<_> = list.into_iter().collect();
    let query = rows_in::<(String, i64, Option<i64>, Option<i64>)>(
        "SELECT h.name, h.id, h.domain_id, (SELECT MIN(a.rtype) FROM host_addresses a \
         WHERE a.host_id = h.id) FROM hosts h WHERE h.name IN ({list})",
        &list,
    );
    let found: BTreeMap<_, _> = tables
        .all(query)
        .await?
        .into_iter()
        .map(|(name, id, domain_id, address)| {
            let is_glueless = domain_id.is_some() && address.is_none();
            (name, NameServer { id, is_glueless })
        })
        .collect();
    match names.iter().find(|name| !found.contains_key(name.as_str())) {
        Some(missing) => {
            let reason = "no such host; create it first";
            Err(rejected(ResultCode::ObjectDoesNotExist, missing, reason))
        }
        None => Ok(found),
    }
}

/// Rules about a whole set of name servers.
pub(super) fn check_count(zone: &ZoneRow, count: usize, name: &str) -> Result<(), CommandError> {
    let (count, most) = (i64::try_from(count).unwrap_or(i64::MAX), zone.ns_count_max);
    if count > most {
        let reason = format!("{count} name servers, {most} at most");
        return Err(rejected(ResultCode::ParameterPolicy, name, reason));
    }
    let least = zone.ns_count_min;
    if count > 0 && count < least {
        let reason = format!("{count} name servers; none, or {least} to {most}");
        return Err(rejected(ResultCode::DataManagementPolicy, name, reason));
    }
    Ok(())
}

/// A name server must be reachable.
pub(super) fn check_glue(
    added: &[HostName],
    found: &BTreeMap<String, NameServer>,
) -> Result<(), CommandError> {
    match added.iter().find(|name| found[name.as_str()].is_glueless) {
        Some(name) => {
            let reason = "a host of this registry without an address";
            Err(rejected(ResultCode::ParameterPolicy, name, reason))
        }
        None => Ok(()),
    }
}

/// Rules about DS that are to come.
pub(super) fn check_ds(added: &[DsData], count: usize, name: &str) -> Result<(), CommandError> {
    for ds in added {
        if let Some(reason) = ds.fault() {
            return Err(rejected(ResultCode::ParameterPolicy, ds, reason));
        }
    }
    if count > DS_MAX {
        let reason = format!("{count} DS records, {DS_MAX} at most");
        return Err(rejected(ResultCode::ParameterPolicy, name, reason));
    }
    Ok(())
}

pub(super) async fn insert_parts(
    tables: &mut Tables<'_>,
    domain_id: i64,
    hosts: impl Iterator<Item = i64>,
    ds: &[DsData],
) -> Result<(), RegistryError> {
    for host_id in hosts {
        let insert = sqlx::query("INSERT INTO delegations (domain_id, host_id) VALUES ($1, $2)");
        tables.run(insert.bind(domain_id).bind(host_id)).await?;
    }
    for ds in ds {
        let insert = sqlx::query("INSERT INTO ds (domain_id, rdata) VALUES ($1, $2)");
        tables.run(insert.bind(domain_id).bind(ds.rdata())).await?;
    }
    Ok(())
}
