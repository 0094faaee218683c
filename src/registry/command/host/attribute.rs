//! Name servers as attributes of the domains that name them (RFC 5731 section 1.1), where a
//! zone's policy has them so.
//!
//! An attribute is stored as a host that commands on hosts do not know: it is made with the
//! first domain that names it and goes with the last. A name has one set of addresses,
//! whoever names it: DNS has no other. So another domain names it without addresses, or
//! with the same, and only a domain of the sponsor above it changes them. Never changes a
//! host object.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::create::{New, check_addresses, insert};
use super::row::{Home, addresses_of, find, home, is_linked};
use super::update::change_row;
use super::{HostParts, HostUpdate};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::changes::ObjectKind;
use crate::registry::command::context::Context;
use crate::registry::command::past;
use crate::registry::command::publication::refresh_parkable;
use crate::registry::command::tables::{Tables, rows};
use crate::registry::error::RegistryError;
use crate::registry::types::{Address, HostName, ValueError};

/// A name server with its addresses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HostAttribute {
    /// Its name.
    pub name: HostName,
    /// Its addresses; one of another registry has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
}

impl std::str::FromStr for HostAttribute {
    type Err = ValueError;

    /// Reads `HOST ADDRESS..`.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let mut words = text.split_ascii_whitespace();
        let name = HostName::parse(words.next().unwrap_or_default())?;
        let addresses = words.map(Address::parse).collect::<Result<_, _>>()?;
        Ok(Self { name, addresses })
    }
}

/// Has a host for each name server that a domain of `sponsor` is to get. The domain itself
/// is there already.
pub(in crate::registry::command) async fn make(
    context: &mut Context<'_, '_>,
    attributes: &[HostAttribute],
    sponsor: i64,
) -> Result<(), CommandError> {
    for attribute in attributes {
        let name = &attribute.name;
        let Some(row) = find(&mut context.tables(), name).await? else {
            make_one(context, attribute, sponsor).await?;
            continue;
        };
        let mut tables = context.tables();
        let known = addresses_of(&mut tables, row.id).await?;
        if attribute.addresses.is_empty() || is_same(&attribute.addresses, &known) {
            continue;
        }
        // One that was an object until its zone's policy changed, and that nobody names.
        if row.is_attribute() && !is_linked(&mut tables, row.id).await? {
            replace(context, attribute).await?;
            continue;
        }
        let reason = match row.domain_id {
            None => "a host outside this registry has no addresses here",
            Some(_) => {
                "it has other addresses; change them at its own domain, removing and adding it"
            }
        };
        return Err(rejected(ResultCode::ParameterPolicy, name, reason));
    }
    Ok(())
}

fn is_same(one: &[Address], other: &[Address]) -> bool {
    let set = |addresses: &[Address]| addresses.iter().copied().collect::<BTreeSet<_>>();
    set(one) == set(other)
}

async fn make_one(
    context: &mut Context<'_, '_>,
    attribute: &HostAttribute,
    sponsor: i64,
) -> Result<(), CommandError> {
    let (name, acting) = (&attribute.name, context.acting.clone());
    let home = home(&mut context.tables(), name).await?;
    if matches!(&home, Home::Internal(domain) if domain.takes_hosts) {
        let reason = "no such host; it is an object of its zone: create it first";
        return Err(rejected(ResultCode::ObjectDoesNotExist, name, reason));
    }
    let superordinate = home.below(&acting, sponsor, name)?;
    if superordinate.is_some() && attribute.addresses.is_empty() {
        let reason = "a name server in this registry needs an address";
        return Err(rejected(ResultCode::ParameterPolicy, name, reason));
    }
    let is_external = superordinate.is_none();
    check_addresses(name, &attribute.addresses, is_external, context.lab)?;
    let new = New {
        name,
        place: superordinate.map(|domain| (domain.domain_id, domain.zone_id)),
        sponsor,
        addresses: &attribute.addresses,
        is_attribute: true,
    };
    insert(context, &new).await
}

/// Gives a name server that a domain names already other addresses.
pub(in crate::registry::command) async fn replace(
    context: &mut Context<'_, '_>,
    attribute: &HostAttribute,
) -> Result<(), CommandError> {
    let name = &attribute.name;
    let mut tables = context.tables();
    let row = match find(&mut tables, name).await? {
        Some(row) if row.is_attribute() => row,
        _ => {
            let reason = "a host object; its addresses are changed by a host update";
            return Err(rejected(ResultCode::ParameterPolicy, name, reason));
        }
    };
    let before = addresses_of(&mut tables, row.id).await?;
    past::keep(context, ObjectKind::Host, row.id).await?;
    let without = |addresses: &[Address], others: &[Address]| HostParts {
        addresses: addresses
            .iter()
            .copied()
            .filter(|address| !others.contains(address))
            .collect(),
        statuses: Vec::new(),
    };
    let mut update = HostUpdate::new(name.clone());
    update.add = without(&attribute.addresses, &before);
    update.remove = without(&before, &attribute.addresses);
    if update == HostUpdate::new(name.clone()) {
        return Ok(());
    }
    change_row(context, &update, row).await.map(drop)
}

/// Whether a removal that names addresses means the name server as it is.
pub(in crate::registry::command) async fn check_removed(
    tables: &mut Tables<'_>,
    attributes: &[HostAttribute],
) -> Result<(), CommandError> {
    for attribute in attributes.iter().filter(|one| !one.addresses.is_empty()) {
        let known = match find(tables, &attribute.name).await? {
            Some(row) => addresses_of(tables, row.id).await?,
            None => Vec::new(),
        };
        if !is_same(&attribute.addresses, &known) {
            let reason = "not the addresses that it has";
            let code = ResultCode::ParameterPolicy;
            return Err(rejected(code, &attribute.name, reason));
        }
    }
    Ok(())
}

/// Removes those of these hosts that are attributes of no domain any more.
pub(in crate::registry::command) async fn sweep(
    context: &mut Context<'_, '_>,
    hosts: impl IntoIterator<Item = i64>,
) -> Result<(), RegistryError> {
    for host in hosts {
        let query = rows::<(String, Option<i64>, Option<i64>)>(
            "SELECT name, zone_id, domain_id FROM hosts WHERE id = $1 AND attribute = 1 \
             AND NOT EXISTS (SELECT n.domain_id FROM delegations n WHERE n.host_id = hosts.id)",
        );
        let found = context.tables().optional(query.bind(host)).await?;
        let Some((name, zone_id, domain_id)) = found else {
            continue;
        };
        past::keep(context, ObjectKind::Host, host).await?;
        for statement in [
            "DELETE FROM host_addresses WHERE host_id = $1",
            "DELETE FROM hosts WHERE id = $1",
        ] {
            let delete = sqlx::query(statement).bind(host);
            context.tables().run(delete).await?;
        }
        if let Some(zone_id) = zone_id {
            context.note_changed(zone_id, &name);
        }
        refresh_parkable(context, domain_id).await?;
    }
    Ok(())
}

/// The name servers of a domain as its attributes.
pub(in crate::registry::command) async fn of_domain(
    tables: &mut Tables<'_>,
    domain_id: i64,
) -> Result<Vec<HostAttribute>, RegistryError> {
    let query = rows::<(String, Option<Vec<u8>>)>(
        "SELECT h.name, a.address FROM delegations n JOIN hosts h ON h.id = n.host_id \
         LEFT JOIN host_addresses a ON a.host_id = h.id WHERE n.domain_id = $1 \
         ORDER BY h.name, a.rtype, a.address",
    );
    let mut attributes: Vec<HostAttribute> = Vec::new();
    for (name, address) in tables.all(query.bind(domain_id)).await? {
        if attributes
            .last()
            .is_none_or(|last| last.name.as_str() != name)
        {
            let parsed = zone_image::Name::parse_absolute(&name);
            let parsed = parsed.map_err(|e| tables.inconsistent(format!("host {name:?}: {e}")))?;
            attributes.push(HostAttribute {
                name: HostName::held(&parsed),
                addresses: Vec::new(),
            });
        }
        let address = address.and_then(|rdata| Address::from_rdata(&rdata));
        let last = attributes.last_mut().expect("one was pushed");
        last.addresses.extend(address);
    }
    Ok(attributes)
}
