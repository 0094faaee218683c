//! What the scanner of name servers asks about and what it found.
//!
//! A pass goes over all published delegations in the order of their numbers, in pages that a
//! node takes for itself before it asks, so that several nodes share a pass and a restart
//! goes on with it. What was found is kept and reported and nothing else: no domain, host or
//! delegation is ever changed by it, and it is no event.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::command::tables::{Tables, from_row, rows};
use super::database::{Database, Timestamp, Write};
use super::error::RegistryError;
use super::types::{Address, AnyName, DomainName, HostName};

/// Domains that a node takes at once.
const PAGE: i64 = 16;
/// Longest fault that is kept.
const FAULT_CHARACTERS_MAX: usize = 200;

/// Domains that are to be asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The numbers after the first up to the last are this page's.
    bounds: (i64, i64),
    /// The domains, with their servers.
    pub domains: Vec<Delegated>,
}

/// A delegation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegated {
    id: i64,
    /// The domain.
    pub name: DomainName,
    /// Its servers.
    pub servers: Vec<DelegatedServer>,
}

/// A name server of a delegation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelegatedServer {
    id: i64,
    /// Its name.
    pub name: HostName,
    /// Its addresses, where the registry has some.
    pub addresses: Vec<Address>,
}

struct ScanRow {
    domain_id: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    domains: i64,
}

from_row!(ScanRow: domain_id, started_at, finished_at, domains);

async fn state(tables: &mut Tables<'_>) -> Result<ScanRow, RegistryError> {
    let query = rows::<ScanRow>("SELECT domain_id, started_at, finished_at, domains FROM scans");
    let row = tables.optional(query).await?;
    row.ok_or_else(|| tables.inconsistent("no row of scans"))
}

/// Takes the next page of the pass; nothing where the last pass began less than
/// `interval_seconds` ago and is over.
pub async fn take(
    database: &mut Database,
    now: Timestamp,
    interval_seconds: u32,
) -> Result<Option<Page>, RegistryError> {
    let interval = i64::from(interval_seconds) * 1_000_000;
    let is_rest = |row: &ScanRow| {
        row.domain_id == 0 && row.started_at.is_some_and(|at| now.0 - at < interval)
    };
    let row = state(&mut database.tables()).await?;
    if is_rest(&row) {
        return Ok(None);
    }
    let mut write = database.write().await?;
    // Another node may have taken a page, or the last one, meanwhile.
    let row = state(&mut write.tables()).await?;
    if is_rest(&row) {
        return Ok(None);
    }
    let page = page(&mut write.tables(), row.domain_id).await?;
    if row.domain_id == 0 {
        let begin = sqlx::query("UPDATE scans SET started_at = $1, domains = 0");
        write.execute(begin.bind(now.0)).await?;
    }
    match &page {
        Some(page) => {
            let count = i64::try_from(page.domains.len()).unwrap_or(i64::MAX);
            let next = sqlx::query("UPDATE scans SET domain_id = $1, domains = domains + $2");
            write.execute(next.bind(page.bounds.1).bind(count)).await?;
        }
        None => {
            let gone = sqlx::query("DELETE FROM lame_delegations WHERE domain_id > $1");
            write.execute(gone.bind(row.domain_id)).await?;
            let end = sqlx::query("UPDATE scans SET domain_id = 0, finished_at = $1");
            write.execute(end.bind(now.0)).await?;
        }
    }
    write.commit().await?;
    Ok(page)
}

async fn page(tables: &mut Tables<'_>, after: i64) -> Result<Option<Page>, RegistryError> {
    let query = rows::<(i64, String)>(
        "SELECT d.id, d.name FROM domains d WHERE d.published = 1 AND d.id > $1 \
         ORDER BY d.id LIMIT $2",
    );
    let found = tables.all(query.bind(after).bind(PAGE)).await?;
    let Some((last, _)) = found.last() else {
        return Ok(None);
    };
    let last = *last;
    let query = rows::<(i64, i64, String)>(
        "SELECT n.domain_id, h.id, h.name FROM delegations n JOIN hosts h ON h.id = n.host_id \
         WHERE n.domain_id > $1 AND n.domain_id <= $2 ORDER BY h.name",
    );
    let named = tables.all(query.bind(after).bind(last)).await?;
    let query = rows::<(i64, Vec<u8>)>(
        "SELECT a.host_id, a.address FROM host_addresses a WHERE a.host_id IN \
         (SELECT n.host_id FROM delegations n WHERE n.domain_id > $1 AND n.domain_id <= $2) \
         ORDER BY a.host_id, a.rtype, a.address",
    );
    let mut addresses: BTreeMap<i64, Vec<Address>> = BTreeMap::new();
    for (host, rdata) in tables.all(query.bind(after).bind(last)).await? {
        let bad = || tables.inconsistent("an address of no family");
        let address = Address::from_rdata(&rdata).ok_or_else(bad)?;
        addresses.entry(host).or_default().push(address);
    }
    let mut servers: BTreeMap<i64, Vec<DelegatedServer>> = BTreeMap::new();
    for (domain, id, name) in named {
        let bad = |e| tables.inconsistent(format!("host {name:?}: {e}"));
        let parsed = zone_image::Name::parse_absolute(&name).map_err(bad)?;
        servers.entry(domain).or_default().push(DelegatedServer {
            id,
            name: HostName::held(&parsed),
            addresses: addresses.get(&id).cloned().unwrap_or_default(),
        });
    }
    let domains = found.into_iter().map(|(id, name)| Delegated {
        id,
        name: DomainName::held(&name),
        servers: servers.remove(&id).unwrap_or_default(),
    });
    Ok(Some(Page {
        bounds: (after, last),
        domains: domains.collect(),
    }))
}

/// Keeps what the servers of a page do wrong: a fault or nothing for each, in its order.
pub async fn keep(
    database: &mut Database,
    page: &Page,
    faults: &[Vec<Option<String>>],
    now: Timestamp,
) -> Result<(), RegistryError> {
    let mut write = database.write().await?;
    let known = rows::<(i64, i64)>(
        "SELECT domain_id, host_id FROM lame_delegations \
         WHERE domain_id > $1 AND domain_id <= $2",
    );
    let known = known.bind(page.bounds.0).bind(page.bounds.1);
    let mut known: BTreeSet<_> = write.tables().all(known).await?.into_iter().collect();
    for (domain, faults) in page.domains.iter().zip(faults) {
        for (server, fault) in domain.servers.iter().zip(faults) {
            if let Some(fault) = fault {
                known.remove(&(domain.id, server.id));
                store(&mut write, (domain.id, server.id), fault, now).await?;
            }
        }
    }
    for (domain, host) in known {
        let gone =
            sqlx::query("DELETE FROM lame_delegations WHERE domain_id = $1 AND host_id = $2");
        write.execute(gone.bind(domain).bind(host)).await?;
    }
    write.commit().await
}

async fn store(
    write: &mut Write<'_>,
    pair: (i64, i64),
    fault: &str,
    now: Timestamp,
) -> Result<(), RegistryError> {
    let fault: String = fault.chars().take(FAULT_CHARACTERS_MAX).collect();
    let insert = sqlx::query(
        "INSERT INTO lame_delegations (domain_id, host_id, since, times, checked_at, fault) \
         VALUES ($1, $2, $3, 1, $3, $4) ON CONFLICT (domain_id, host_id) DO UPDATE SET \
         times = lame_delegations.times + 1, checked_at = excluded.checked_at, \
         fault = excluded.fault",
    );
    let insert = insert.bind(pair.0).bind(pair.1).bind(now.0).bind(fault);
    write.execute(insert).await.map(drop)
}

/// Pairs that were found, those of domains that have changed since among them.
pub async fn count(database: &mut Database) -> Result<u64, RegistryError> {
    let query = rows::<(i64,)>("SELECT COUNT(*) FROM lame_delegations");
    let found = database.tables().optional(query).await?;
    Ok(found.map_or(0, |(count,)| u64::try_from(count).unwrap_or_default()))
}

/// What the scanner found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ScanReport {
    /// When the pass under way, or the last one, began.
    pub started_at: Option<Timestamp>,
    /// When the last pass came to its end.
    pub finished_at: Option<Timestamp>,
    /// Domains of the pass that began last, as far as it is.
    pub domains: i64,
    /// Pairs of a domain and a server that does not answer for it.
    pub count: i64,
    /// The first of them, those longest so before others.
    pub lame: Vec<LameDelegation>,
}

/// A server that does not answer for a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct LameDelegation {
    /// The domain.
    pub domain: String,
    /// Its sponsor.
    pub registrar: String,
    /// The server.
    pub host: String,
    /// Whether it is a host outside of this registry.
    pub foreign: bool,
    /// What it does wrong.
    pub fault: String,
    /// Since when it was seen so.
    pub since: Timestamp,
    /// How often in a row.
    pub times: i64,
    /// When last.
    pub checked_at: Timestamp,
}

struct LameRow {
    domain: String,
    registrar: String,
    host: String,
    is_foreign: i64,
    fault: String,
    since: i64,
    times: i64,
    checked_at: i64,
}

from_row!(LameRow: domain, registrar, host, is_foreign, fault, since, times, checked_at);

/// What was found at least `times_min` times in a row, of one zone or of all; at most `most`.
pub async fn report(
    database: &mut Database,
    apex: Option<&AnyName>,
    times_min: u32,
    most: u32,
) -> Result<ScanReport, RegistryError> {
    /// Pairs whose delegation is there still.
    macro_rules! pairs {
        ($select:literal, $rest:literal) => {
            concat!(
                "SELECT ",
                $select,
                " FROM lame_delegations l \
                 JOIN delegations n ON n.domain_id = l.domain_id AND n.host_id = l.host_id \
                 JOIN domains d ON d.id = l.domain_id AND d.published = 1 \
                 JOIN hosts h ON h.id = l.host_id \
                 JOIN registrars r ON r.id = d.registrar_id JOIN zones z ON z.id = d.zone_id \
                 WHERE l.times >= $1 AND ($2 = '' OR z.apex = $2)",
                $rest
            )
        };
    }
    let apex = apex
        .map(|apex| apex.as_str().to_owned())
        .unwrap_or_default();
    let mut tables = database.tables();
    let state = state(&mut tables).await?;
    let count = rows::<(i64,)>(pairs!("COUNT(*)", ""));
    let count = count.bind(i64::from(times_min)).bind(apex.clone());
    let count = tables.optional(count).await?.map_or(0, |(count,)| count);
    let query = rows::<LameRow>(pairs!(
        "d.name AS domain, r.handle AS registrar, h.name AS host, \
         CASE WHEN h.domain_id IS NULL THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END \
         AS is_foreign, l.fault, l.since, l.times, l.checked_at",
        " ORDER BY l.since, d.name, h.name LIMIT $3"
    ));
    let query = query.bind(i64::from(times_min)).bind(apex);
    let found = tables.all(query.bind(i64::from(most))).await?;
    let lame = found.into_iter().map(|row| LameDelegation {
        domain: row.domain,
        registrar: row.registrar,
        host: row.host,
        foreign: row.is_foreign == 1,
        fault: row.fault,
        since: Timestamp(row.since),
        times: row.times,
        checked_at: Timestamp(row.checked_at),
    });
    Ok(ScanReport {
        started_at: state.started_at.map(Timestamp),
        finished_at: state.finished_at.map(Timestamp),
        domains: state.domains,
        count,
        lame: lame.collect(),
    })
}

#[cfg(test)]
mod tests;
