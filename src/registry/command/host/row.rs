//! A host's row, and where a name belongs.

use super::check::ATTRIBUTES;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{
    Acting, active, ancestry, closest_zone, no_pending, sponsorship,
};
use crate::registry::command::tables::{Tables, from_row, rows, rows_in};
use crate::registry::error::RegistryError;
use crate::registry::policy::HostModel;
use crate::registry::types::{Address, HostName, Statuses};

/// A row of `hosts`.
#[derive(Debug, Clone)]
pub(super) struct HostRow {
    pub(super) id: i64,
    pub(super) domain_id: Option<i64>,
    pub(super) zone_id: Option<i64>,
    pub(super) registrar_id: i64,
    statuses: String,
    pub(super) created_at: i64,
    pub(super) created_by: Option<String>,
    pub(super) updated_at: Option<i64>,
    pub(super) updated_by: Option<String>,
    pub(super) transferred_at: Option<i64>,
    pub(super) published: i64,
    attribute: i64,
}

from_row!(HostRow: id, domain_id, zone_id, registrar_id, statuses, created_at, created_by, updated_at, updated_by, transferred_at, published, attribute);

impl HostRow {
    /// Of a domain, so that commands on hosts do not know it.
    pub(super) fn is_attribute(&self) -> bool {
        self.attribute == 1
    }

    pub(super) fn statuses(&self, tables: &Tables<'_>) -> Result<Statuses, RegistryError> {
        Statuses::from_column(&self.statuses)
            .map_err(|error| tables.inconsistent(format!("statuses of a host: {error}")))
    }
}

/// The host, or 2303.
pub(super) async fn existing(
    tables: &mut Tables<'_>,
    name: &HostName,
) -> Result<HostRow, CommandError> {
    let row = find(tables, name).await?;
    let row = row.filter(|row| !row.is_attribute());
    row.ok_or_else(|| rejected(ResultCode::ObjectDoesNotExist, name, "no such host"))
}

/// The host, object or attribute, if there is one.
pub(super) async fn find(
    tables: &mut Tables<'_>,
    name: &HostName,
) -> Result<Option<HostRow>, RegistryError> {
    let query = rows::<HostRow>(
        "SELECT id, domain_id, zone_id, registrar_id, statuses, created_at, created_by, updated_at, \
         updated_by, transferred_at, published, attribute FROM hosts WHERE name = $1",
    );
    tables.optional(query.bind(name.as_str())).await
}

/// The domain at or above a host of this registry.
#[derive(Debug, Clone)]
pub(super) struct Superordinate {
    pub(super) domain_id: i64,
    pub(super) zone_id: i64,
    name: String,
    registrar_id: i64,
    statuses: String,
    is_lame: bool,
    /// Whether hosts of its zone are objects.
    pub(super) takes_hosts: bool,
}

/// Where a host's name belongs.
#[derive(Debug, Clone)]
pub(super) enum Home {
    External,
    /// Inside a zone of ours, but below no registered domain.
    Nowhere,
    Internal(Superordinate),
}

/// Finds a name's superordinate domain.
pub(super) async fn home(tables: &mut Tables<'_>, name: &HostName) -> Result<Home, CommandError> {
    let above = ancestry(name.as_str());
    let Some(zone) = closest_zone(tables, &above).await? else {
        return Ok(Home::External);
    };
    active(&zone)?;
    let query = rows_in::<(i64, i64, String, i64, String, i64)>(
        "SELECT d.id, d.zone_id, d.name, d.registrar_id, d.statuses, \
         CASE WHEN z.lame_domain = d.name THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END \
         FROM domains d JOIN zones z ON z.id = d.zone_id WHERE d.name IN ({list})",
        &above,
    );
    let domains = tables.all(query).await?;
    let domain = domains
        .into_iter()
        .filter(|domain| domain.1 == zone.id)
        .max_by_key(|domain| domain.2.len());
    Ok(match domain {
        None => Home::Nowhere,
        Some((domain_id, zone_id, name, registrar_id, statuses, is_lame)) => {
            Home::Internal(Superordinate {
                domain_id,
                zone_id,
                name,
                registrar_id,
                statuses,
                is_lame: is_lame == 1,
                takes_hosts: zone.policy.host_model == HostModel::Objects,
            })
        }
    })
}

impl Home {
    /// A host of `sponsor` may be put there: the domain is there, the actor's and the
    /// sponsor's, and not going away.
    pub(super) fn open_to(
        &self,
        acting: &Acting,
        sponsor: i64,
        name: &HostName,
    ) -> Result<Option<&Superordinate>, CommandError> {
        match self.below(acting, sponsor, name)? {
            Some(domain) if !domain.takes_hosts => {
                Err(rejected(ResultCode::ParameterPolicy, name, ATTRIBUTES))
            }
            domain => Ok(domain),
        }
    }

    /// The same, for objects and attributes alike.
    pub(super) fn below(
        &self,
        acting: &Acting,
        sponsor: i64,
        name: &HostName,
    ) -> Result<Option<&Superordinate>, CommandError> {
        match self {
            Self::External => Ok(None),
            Self::Nowhere => {
                let reason = "no domain is registered at or above this host";
                Err(rejected(ResultCode::ObjectDoesNotExist, name, reason))
            }
            Self::Internal(domain) if domain.is_lame => {
                let reason = "below it are hosts of domains that are gone, and nothing else";
                Err(rejected(ResultCode::ParameterPolicy, &domain.name, reason))
            }
            Self::Internal(domain) => {
                sponsorship(acting, domain.registrar_id, &domain.name)?;
                // The registry too keeps a domain and the hosts below it in one hand: a
                // transfer takes them along.
                if domain.registrar_id != sponsor {
                    let reason = "its domain is sponsored by another registrar";
                    return Err(rejected(ResultCode::AuthorizationError, name, reason));
                }
                let statuses = Statuses::from_column(&domain.statuses)?;
                no_pending(&statuses, &domain.name)?;
                Ok(Some(domain))
            }
        }
    }
}

/// Its addresses.
pub(super) async fn addresses_of(
    tables: &mut Tables<'_>,
    host_id: i64,
) -> Result<Vec<Address>, RegistryError> {
    let query = rows::<(Vec<u8>,)>(
        "SELECT address FROM host_addresses WHERE host_id = $1 ORDER BY rtype, address",
    );
    let found = tables.all(query.bind(host_id)).await?;
    let parse = |(rdata,): (Vec<u8>,)| {
        Address::from_rdata(&rdata).ok_or_else(|| tables.inconsistent("an address of no family"))
    };
    found.into_iter().map(parse).collect()
}

pub(super) async fn insert_addresses(
    tables: &mut Tables<'_>,
    host_id: i64,
    addresses: &[Address],
) -> Result<(), RegistryError> {
    for address in addresses {
        let insert =
            sqlx::query("INSERT INTO host_addresses (host_id, rtype, address) VALUES ($1, $2, $3)");
        let insert = insert.bind(host_id).bind(address.rtype());
        tables.run(insert.bind(address.rdata())).await?;
    }
    Ok(())
}

/// Registrars of the domains that name a host, each once.
pub(super) async fn users(
    tables: &mut Tables<'_>,
    host_id: i64,
) -> Result<Vec<i64>, RegistryError> {
    let query = rows::<(i64,)>(
        "SELECT DISTINCT d.registrar_id FROM delegations n JOIN domains d ON d.id = n.domain_id \
         WHERE n.host_id = $1",
    );
    let found = tables.all(query.bind(host_id)).await?;
    Ok(found.into_iter().map(|(registrar,)| registrar).collect())
}

/// Whether any domain names a host.
pub(super) async fn is_linked(
    tables: &mut Tables<'_>,
    host_id: i64,
) -> Result<bool, RegistryError> {
    let query = rows::<(i64,)>("SELECT domain_id FROM delegations WHERE host_id = $1 LIMIT 1");
    tables.any(query.bind(host_id)).await
}
