//! Searches by name, by address and by name server, in pages (RFC 9082 section 3.2).
//!
//! A page reads a range of an index and no more rows of it than a bound, whatever else is
//! asked for: what does not fit is left out, and the page says where the next begins. Where
//! all that is found is needed, to be counted or sorted, it is within that bound or not
//! read at all.

use std::collections::BTreeMap;

use super::Snapshot;
use crate::registry::command::tables::{Rows, rows};
use crate::registry::error::RegistryError;
use crate::registry::types::Address;

/// Rows of an index that one page reads.
const SCANNED_MAX: usize = 5_000;
/// Name servers by which domains are searched at once.
const SERVERS_MAX: usize = 50;
/// Sorts behind all that a stored name has: lower case, digits, `-`, `.`, `_`, `*`, `\`.
const BEHIND: char = '~';

/// What a name begins and ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Its beginning.
    pub prefix: String,
    /// Its end.
    pub suffix: String,
}

impl Names {
    fn has(&self, name: &str) -> bool {
        name.len() >= self.prefix.len() + self.suffix.len() && name.ends_with(&self.suffix)
    }

    /// Where such names begin and end in an index.
    fn range(&self) -> (String, String) {
        (self.prefix.clone(), format!("{}{BEHIND}", self.prefix))
    }
}

/// Names that were found, and how to go on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamePage {
    /// At most as many as were asked for.
    pub names: Vec<String>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// What was found, with what it can be sorted by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns that records have too")]
pub struct Candidate {
    pub id: i64,
    pub name: String,
    pub created_at: i64,
    pub updated_at: Option<i64>,
    pub transferred_at: Option<i64>,
    pub expires_at: Option<i64>,
    /// The first addresses of a host.
    pub v4: Option<Vec<u8>>,
    pub v6: Option<Vec<u8>>,
    /// The number of a registrar at IANA.
    pub iana_id: Option<i64>,
}

/// The last of these and of the next is 1 where the row is shown to the public: what is
/// not shown counts as read, so that a bound of rows is one of work.
type DomainRow = (i64, String, i64, Option<i64>, Option<i64>, Option<i64>, i64);
type HostRow = (
    i64,
    String,
    i64,
    Option<i64>,
    Option<i64>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    i64,
);

/// A row that may be one that the public does not see.
trait Shown {
    fn shown(self) -> Option<Candidate>;
}

impl Shown for DomainRow {
    fn shown(self) -> Option<Candidate> {
        let (id, name, created_at, updated_at, transferred_at, expires_at, is_shown) = self;
        (is_shown == 1).then(|| Candidate {
            id,
            name,
            created_at,
            updated_at,
            transferred_at,
            expires_at,
            ..Candidate::default()
        })
    }
}

impl Shown for HostRow {
    fn shown(self) -> Option<Candidate> {
        let (id, name, created_at, updated_at, transferred_at, v4, v6, is_shown) = self;
        (is_shown == 1).then(|| Candidate {
            id,
            name,
            created_at,
            updated_at,
            transferred_at,
            v4,
            v6,
            ..Candidate::default()
        })
    }
}

/// One more than may be read, so that too many are seen.
fn limit(most: usize) -> i64 {
    i64::try_from(most + 1).unwrap_or(i64::MAX)
}

/// All of them, if they are not too many.
fn within<T>(found: Vec<T>, most: usize) -> Option<Vec<T>> {
    Some(found).filter(|found| found.len() <= most)
}

impl Snapshot<'_> {
    /// Domains of these names, after `after`.
    pub async fn domains_by_name(
        &mut self,
        names: &Names,
        after: &str,
        most: usize,
    ) -> Result<NamePage, RegistryError> {
        let query = rows::<(String,)>(
            "SELECT d.name FROM domains d WHERE d.name >= $1 AND d.name > $2 AND d.name < $3 \
             ORDER BY d.name LIMIT $4",
        );
        self.by_name(query, names, after, most).await
    }

    /// The same of hosts.
    pub async fn hosts_by_name(
        &mut self,
        names: &Names,
        after: &str,
        most: usize,
    ) -> Result<NamePage, RegistryError> {
        let query = rows::<(String,)>(
            "SELECT h.name FROM hosts h WHERE h.name >= $1 AND h.name > $2 AND h.name < $3 \
             ORDER BY h.name LIMIT $4",
        );
        self.by_name(query, names, after, most).await
    }

    async fn by_name(
        &mut self,
        query: Rows<'_, (String,)>,
        names: &Names,
        after: &str,
        most: usize,
    ) -> Result<NamePage, RegistryError> {
        let (start, end) = names.range();
        let most_rows = i64::try_from(SCANNED_MAX).unwrap_or(i64::MAX);
        let query = query.bind(start).bind(after.to_owned());
        let scanned = self.tables().all(query.bind(end).bind(most_rows)).await?;
        let is_cut = scanned.len() == SCANNED_MAX;
        let last = scanned.last().map(|(name,)| name.clone());
        let mut found = scanned
            .into_iter()
            .map(|(name,)| name)
            .filter(|name| names.has(name));
        let names: Vec<_> = found.by_ref().take(most).collect();
        let next = match found.next() {
            Some(_) => names.last().cloned(),
            None => last.filter(|_| is_cut),
        };
        Ok(NamePage { names, next })
    }

    /// Hosts that have an address, after the one of this number.
    pub async fn hosts_by_address(
        &mut self,
        address: Address,
        after: &str,
        most: usize,
    ) -> Result<NamePage, RegistryError> {
        let after: i64 = after.parse().unwrap_or(0);
        let query = rows::<(i64, String)>(
            "SELECT a.host_id, h.name FROM host_addresses a JOIN hosts h ON h.id = a.host_id \
             WHERE a.address = $1 AND a.host_id > $2 ORDER BY a.host_id LIMIT $3",
        );
        let query = query.bind(address.rdata()).bind(after).bind(limit(most));
        let found = self.tables().all(query).await?;
        Ok(numbered(found, most))
    }

    /// Domains that name one of these hosts, after the one of this number.
    pub async fn domains_by_servers(
        &mut self,
        servers: &[i64],
        after: &str,
        most: usize,
    ) -> Result<NamePage, RegistryError> {
        let after: i64 = after.parse().unwrap_or(0);
        let mut found = BTreeMap::new();
        for server in servers {
            let query = rows::<(i64, String)>(
                "SELECT n.domain_id, d.name FROM delegations n JOIN domains d ON d.id = n.domain_id \
                 WHERE n.host_id = $1 AND n.domain_id > $2 ORDER BY n.domain_id LIMIT $3",
            );
            let query = query.bind(*server).bind(after).bind(limit(most));
            found.extend(self.tables().all(query).await?);
        }
        Ok(numbered(found.into_iter().collect(), most))
    }

    /// The host of this name, be it an attribute of domains.
    pub async fn server_named(&mut self, name: &str) -> Result<Vec<i64>, RegistryError> {
        let query = rows::<(i64,)>("SELECT h.id FROM hosts h WHERE h.name = $1");
        let found = self.tables().all(query.bind(name.to_owned())).await?;
        Ok(found.into_iter().map(|(id,)| id).collect())
    }

    /// Hosts of these names; `None` where they are too many.
    pub async fn servers_named(
        &mut self,
        names: &Names,
    ) -> Result<Option<Vec<i64>>, RegistryError> {
        let (start, end) = names.range();
        let query = rows::<(i64, String)>(
            "SELECT h.id, h.name FROM hosts h WHERE h.name >= $1 AND h.name < $2 \
             ORDER BY h.name LIMIT $3",
        );
        let query = query.bind(start).bind(end).bind(limit(SCANNED_MAX));
        let Some(mut found) = within(self.tables().all(query).await?, SCANNED_MAX) else {
            return Ok(None);
        };
        found.retain(|(_, name)| names.has(name));
        let found = found.into_iter().map(|(id, _)| id).collect();
        Ok(within(found, SERVERS_MAX))
    }

    /// Hosts that have an address; `None` where they are too many.
    pub async fn servers_at(
        &mut self,
        address: Address,
    ) -> Result<Option<Vec<i64>>, RegistryError> {
        let query = rows::<(i64,)>(
            "SELECT a.host_id FROM host_addresses a WHERE a.address = $1 \
             ORDER BY a.host_id LIMIT $2",
        );
        let query = query.bind(address.rdata()).bind(limit(SERVERS_MAX));
        let found = self.tables().all(query).await?;
        let found = found.into_iter().map(|(id,)| id).collect();
        Ok(within(found, SERVERS_MAX))
    }
}

/// All that is found, for counts and orders; `None` where it is too much.
impl Snapshot<'_> {
    /// Domains of these names.
    pub async fn all_domains_by_name(
        &mut self,
        names: &Names,
    ) -> Result<Option<Vec<Candidate>>, RegistryError> {
        let (start, end) = names.range();
        let query = rows::<DomainRow>(
            "SELECT d.id, d.name, d.created_at, d.updated_at, d.transferred_at, d.expires_at, \
             CAST(CASE WHEN z.state = 'active' AND z.stage = 'production' THEN 1 ELSE 0 END AS BIGINT) \
             FROM domains d LEFT JOIN zones z ON z.id = d.zone_id \
             WHERE d.name >= $1 AND d.name < $2 ORDER BY d.name LIMIT $3",
        );
        let query = query.bind(start).bind(end).bind(limit(SCANNED_MAX));
        let found = self.tables().all(query).await?;
        Ok(within(found, SCANNED_MAX).map(|found| candidates(found, names)))
    }

    /// Domains that name one of these hosts, by name.
    pub async fn all_domains_by_servers(
        &mut self,
        servers: &[i64],
    ) -> Result<Option<Vec<Candidate>>, RegistryError> {
        let mut all = BTreeMap::new();
        let mut left = SCANNED_MAX;
        for server in servers {
            let query = rows::<DomainRow>(
                "SELECT d.id, d.name, d.created_at, d.updated_at, d.transferred_at, d.expires_at, \
                 CAST(CASE WHEN z.state = 'active' AND z.stage = 'production' THEN 1 ELSE 0 END AS BIGINT) \
                 FROM delegations n JOIN domains d ON d.id = n.domain_id \
                 LEFT JOIN zones z ON z.id = d.zone_id WHERE n.host_id = $1 ORDER BY n.domain_id LIMIT $2",
            );
            let query = query.bind(*server).bind(limit(left));
            let Some(found) = within(self.tables().all(query).await?, left) else {
                return Ok(None);
            };
            left -= found.len();
            let shown = found.into_iter().filter_map(Shown::shown);
            all.extend(shown.map(|one| (one.name.clone(), one)));
        }
        Ok(Some(all.into_values().collect()))
    }

    /// Hosts of these names.
    pub async fn all_hosts_by_name(
        &mut self,
        names: &Names,
    ) -> Result<Option<Vec<Candidate>>, RegistryError> {
        let (start, end) = names.range();
        let query = rows::<HostRow>(
            "SELECT h.id, h.name, h.created_at, h.updated_at, h.transferred_at, \
             (SELECT a.address FROM host_addresses a WHERE a.host_id = h.id AND a.rtype = 1 \
              ORDER BY a.address LIMIT 1), \
             (SELECT a.address FROM host_addresses a WHERE a.host_id = h.id AND a.rtype = 28 \
              ORDER BY a.address LIMIT 1), \
             CAST(CASE WHEN h.attribute = 0 AND r.stage = 'production' THEN 1 ELSE 0 END AS BIGINT) \
             FROM hosts h LEFT JOIN registrars r ON r.id = h.registrar_id \
             WHERE h.name >= $1 AND h.name < $2 \
             ORDER BY h.name LIMIT $3",
        );
        let query = query.bind(start).bind(end).bind(limit(SCANNED_MAX));
        let found = self.tables().all(query).await?;
        Ok(within(found, SCANNED_MAX).map(|found| candidates(found, names)))
    }

    /// Hosts that have an address.
    pub async fn all_hosts_by_address(
        &mut self,
        address: Address,
    ) -> Result<Option<Vec<Candidate>>, RegistryError> {
        let query = rows::<HostRow>(
            "SELECT h.id, h.name, h.created_at, h.updated_at, h.transferred_at, \
             (SELECT a.address FROM host_addresses a WHERE a.host_id = h.id AND a.rtype = 1 \
              ORDER BY a.address LIMIT 1), \
             (SELECT a.address FROM host_addresses a WHERE a.host_id = h.id AND a.rtype = 28 \
              ORDER BY a.address LIMIT 1), \
             CAST(CASE WHEN h.attribute = 0 AND r.stage = 'production' THEN 1 ELSE 0 END AS BIGINT) \
             FROM host_addresses o JOIN hosts h ON h.id = o.host_id \
             LEFT JOIN registrars r ON r.id = h.registrar_id WHERE o.address = $1 \
             ORDER BY o.host_id LIMIT $2",
        );
        let query = query.bind(address.rdata()).bind(limit(SCANNED_MAX));
        let found = self.tables().all(query).await?;
        let found = within(found, SCANNED_MAX);
        Ok(found.map(|found| found.into_iter().filter_map(Shown::shown).collect()))
    }
}

fn candidates<R: Shown>(found: Vec<R>, names: &Names) -> Vec<Candidate> {
    let all = found.into_iter().filter_map(Shown::shown);
    all.filter(|one| names.has(&one.name)).collect()
}

/// A page of what is read in the order of numbers, with one more than fits.
fn numbered(mut found: Vec<(i64, String)>, most: usize) -> NamePage {
    let is_cut = found.len() > most;
    found.truncate(most);
    let last = found.last().map(|(id, _)| id.to_string());
    NamePage {
        names: found.into_iter().map(|(_, name)| name).collect(),
        next: last.filter(|_| is_cut),
    }
}
