//! Hosts.

use super::Snapshot;
use super::registrar::{RegistrarRecord, by_id};
use crate::registry::command::domain::roid;
use crate::registry::command::tables::{Tables, from_row, rows};
use crate::registry::database::Timestamp;
use crate::registry::error::RegistryError;
use crate::registry::types::Address;

/// A host as a domain names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerRecord {
    /// Its name.
    pub name: String,
    /// Its identifier; empty where it is an attribute of the domain and no object.
    pub roid: String,
    /// EPP's words, with `linked`; empty alike.
    pub statuses: Vec<String>,
    /// Its addresses, which are told with the domain where it is an attribute of it alone;
    /// an object tells them itself.
    pub addresses: Vec<Address>,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the elements of RFC 5732")]
pub struct HostRecord {
    pub name: String,
    pub roid: String,
    pub registrar: RegistrarRecord,
    pub statuses: Vec<String>,
    pub addresses: Vec<Address>,
    pub created_at: Timestamp,
    pub updated_at: Option<Timestamp>,
    pub transferred_at: Option<Timestamp>,
}

struct Row {
    id: i64,
    name: String,
    registrar_id: i64,
    statuses: String,
    created_at: i64,
    updated_at: Option<i64>,
    transferred_at: Option<i64>,
}

from_row!(Row: id, name, registrar_id, statuses, created_at, updated_at, transferred_at);

/// RFC 5732 section 2.3: `ok` where nothing was set, and `linked`.
fn words(column: &str, is_linked: bool) -> Vec<String> {
    let mut statuses: Vec<_> = column.split_ascii_whitespace().map(str::to_owned).collect();
    if statuses.is_empty() {
        statuses.push("ok".to_owned());
    }
    if is_linked {
        statuses.push("linked".to_owned());
    }
    statuses
}

/// The servers of a domain.
pub(super) async fn servers_of(
    tables: &mut Tables<'_>,
    domain_id: i64,
) -> Result<Vec<ServerRecord>, RegistryError> {
    let query = rows::<(i64, String, String, i64)>(
        "SELECT h.id, h.name, h.statuses, h.attribute FROM delegations n JOIN hosts h ON h.id = n.host_id \
         WHERE n.domain_id = $1 ORDER BY h.name",
    );
    let found = tables.all(query.bind(domain_id)).await?;
    let mut servers = Vec::with_capacity(found.len());
    for (id, name, statuses, attribute) in found {
        let is_attribute = attribute != 0;
        servers.push(ServerRecord {
            name,
            roid: match is_attribute {
                true => String::new(),
                false => roid(id),
            },
            statuses: match is_attribute {
                true => Vec::new(),
                false => words(&statuses, true),
            },
            addresses: match is_attribute {
                true => addresses_of(tables, id).await?,
                false => Vec::new(),
            },
        });
    }
    Ok(servers)
}

async fn addresses_of(
    tables: &mut Tables<'_>,
    host_id: i64,
) -> Result<Vec<Address>, RegistryError> {
    let query = rows::<(Vec<u8>,)>(
        "SELECT address FROM host_addresses WHERE host_id = $1 ORDER BY rtype, address",
    );
    let found = tables.all(query.bind(host_id)).await?;
    let read = |(octets,): (Vec<u8>,)| {
        let address = Address::from_rdata(&octets);
        address.ok_or_else(|| tables.inconsistent("an address of no family"))
    };
    found.into_iter().map(read).collect()
}

impl Snapshot<'_> {
    /// The host of this name.
    pub async fn host(&mut self, name: &str) -> Result<Option<HostRecord>, RegistryError> {
        let query = rows::<Row>(
            "SELECT h.id, h.name, h.registrar_id, h.statuses, h.created_at, h.updated_at, \
             h.transferred_at FROM hosts h JOIN registrars r ON r.id = h.registrar_id \
             WHERE h.name = $1 AND h.attribute = 0 AND r.stage = 'production'",
        );
        let mut tables = self.tables();
        let Some(row) = tables.optional(query.bind(name)).await? else {
            return Ok(None);
        };
        let linked = rows::<(i64,)>("SELECT domain_id FROM delegations WHERE host_id = $1 LIMIT 1");
        let is_linked = tables.any(linked.bind(row.id)).await?;
        Ok(Some(HostRecord {
            name: row.name,
            roid: roid(row.id),
            registrar: by_id(&mut tables, row.registrar_id).await?,
            statuses: words(&row.statuses, is_linked),
            addresses: addresses_of(&mut tables, row.id).await?,
            created_at: Timestamp(row.created_at),
            updated_at: row.updated_at.map(Timestamp),
            transferred_at: row.transferred_at.map(Timestamp),
        }))
    }
}
