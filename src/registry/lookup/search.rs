//! Searches by the beginning of a name and by address, in pages (RFC 9082 section 3.2).
//!
//! A page reads a range of an index and no more rows of it than a bound, whatever else is
//! asked for: what does not fit is left out, and the page says where the next begins.

use super::Snapshot;
use crate::registry::command::tables::{Rows, rows};
use crate::registry::error::RegistryError;
use crate::registry::types::Address;

/// Rows of an index that one page reads.
const SCANNED_MAX: usize = 5_000;
/// Sorts behind all that a stored name has: lower case, digits, `-`, `.`, `_`, `*`, `\`.
const BEHIND: char = '~';

/// Names that were found, and how to go on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamePage {
    /// At most as many as were asked for.
    pub names: Vec<String>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

impl Snapshot<'_> {
    /// Domains whose names begin with `prefix` and end with `suffix`, after `after`.
    pub async fn domains_by_name(
        &mut self,
        prefix: &str,
        suffix: &str,
        after: &str,
        most: usize,
    ) -> Result<NamePage, RegistryError> {
        let query = rows::<(String,)>(
            "SELECT d.name FROM domains d WHERE d.name >= $1 AND d.name > $2 AND d.name < $3 \
             ORDER BY d.name LIMIT $4",
        );
        self.by_name(query, prefix, suffix, after, most).await
    }

    /// The same of hosts.
    pub async fn hosts_by_name(
        &mut self,
        prefix: &str,
        suffix: &str,
        after: &str,
        most: usize,
    ) -> Result<NamePage, RegistryError> {
        let query = rows::<(String,)>(
            "SELECT h.name FROM hosts h WHERE h.name >= $1 AND h.name > $2 AND h.name < $3 \
             ORDER BY h.name LIMIT $4",
        );
        self.by_name(query, prefix, suffix, after, most).await
    }

    async fn by_name(
        &mut self,
        query: Rows<'_, (String,)>,
        prefix: &str,
        suffix: &str,
        after: &str,
        most: usize,
    ) -> Result<NamePage, RegistryError> {
        let end = format!("{prefix}{BEHIND}");
        let limit = i64::try_from(SCANNED_MAX).unwrap_or(i64::MAX);
        let query = query.bind(prefix.to_owned()).bind(after.to_owned());
        let scanned = self.tables().all(query.bind(end).bind(limit)).await?;
        let is_cut = scanned.len() == SCANNED_MAX;
        let last = scanned.last().map(|(name,)| name.clone());
        let least = prefix.len() + suffix.len();
        let mut found = scanned
            .into_iter()
            .map(|(name,)| name)
            .filter(|name| name.len() >= least && name.ends_with(suffix));
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
        let limit = i64::try_from(most + 1).unwrap_or(i64::MAX);
        let query = rows::<(i64, String)>(
            "SELECT a.host_id, h.name FROM host_addresses a JOIN hosts h ON h.id = a.host_id \
             WHERE a.address = $1 AND a.host_id > $2 ORDER BY a.host_id LIMIT $3",
        );
        let query = query.bind(address.rdata()).bind(after).bind(limit);
        let mut found = self.tables().all(query).await?;
        let is_cut = found.len() > most;
        found.truncate(most);
        let next = found
            .last()
            .map(|(id, _)| id.to_string())
            .filter(|_| is_cut);
        let names = found.into_iter().map(|(_, name)| name).collect();
        Ok(NamePage { names, next })
    }
}
