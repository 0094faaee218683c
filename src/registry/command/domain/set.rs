//! A domain's name servers and its DS, as create and update decide by them.

use std::collections::{BTreeMap, BTreeSet};

use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{DS_MAX, ZoneRow};
use crate::registry::command::host::HostAttribute;
use crate::registry::command::tables::{Tables, rows_in};
use crate::registry::error::RegistryError;
use crate::registry::life::Phase;
use crate::registry::policy::HostModel;
use crate::registry::types::{DsData, HostName};

/// A host that is named as a name server.
#[derive(Debug, Clone, Copy)]
pub(super) struct NameServer {
    pub(super) id: i64,
    /// In this registry, which so knows its addresses.
    pub(super) is_internal: bool,
    /// In this registry, and without an address: nobody could reach it.
    is_glueless: bool,
    /// Below a domain that is being deleted.
    is_leaving: bool,
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
    let query = rows_in::<(String, i64, Option<i64>, Option<i64>, Option<String>)>(
        "SELECT h.name, h.id, h.domain_id, (SELECT MIN(a.rtype) FROM host_addresses a \
         WHERE a.host_id = h.id), (SELECT d.phase FROM domains d WHERE d.id = h.domain_id) \
         FROM hosts h WHERE h.name IN ({list})",
        &list,
    );
    let found: BTreeMap<_, _> = tables
        .all(query)
        .await?
        .into_iter()
        .map(|(name, id, domain_id, address, phase)| {
            let server = NameServer {
                id,
                is_internal: domain_id.is_some(),
                is_glueless: domain_id.is_some() && address.is_none(),
                is_leaving: phase.is_some_and(|phase| phase != Phase::Registered.name()),
            };
            (name, server)
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

/// Name servers are what the zone's policy says: objects or attributes.
pub(super) fn check_model(
    zone: &ZoneRow,
    hosts: &[HostName],
    attributes: &[HostAttribute],
) -> Result<(), CommandError> {
    let (odd, reason) = match zone.policy.host_model {
        HostModel::Objects => (
            attributes.first().map(|attribute| &attribute.name),
            "name servers are host objects in this zone; create them, and name them",
        ),
        HostModel::Attributes => (
            hosts.first(),
            "name servers are attributes of domains in this zone; give their addresses with them",
        ),
    };
    match odd {
        Some(host) => Err(rejected(ResultCode::ParameterPolicy, host, reason)),
        None => Ok(()),
    }
}

/// The names of name servers, whatever they are.
pub(super) fn names_of(hosts: &[HostName], attributes: &[HostAttribute]) -> Vec<HostName> {
    let names = attributes.iter().map(|attribute| &attribute.name);
    hosts.iter().chain(names).cloned().collect()
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

/// A name server must be reachable, and stay.
pub(super) fn check_glue(
    added: &[HostName],
    found: &BTreeMap<String, NameServer>,
) -> Result<(), CommandError> {
    if let Some(name) = added.iter().find(|name| found[name.as_str()].is_leaving) {
        let reason = "a host below a domain that is being deleted";
        return Err(rejected(ResultCode::StatusProhibits, name, reason));
    }
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
