//! Rows that wait for the next commit.
//!
//! In the order of their foreign keys: domains, hosts, then what refers to them.

use super::super::super::database::{Engine, Write};
use super::super::super::error::RegistryError;
use super::super::super::sql::{AnyQuery, BulkInsert};

/// Rows of a batch at which it is committed: about 40 MB. Names come in no order that
/// an index likes, so that every batch writes most pages of the indexes of names;
/// with a quarter of this a million domains take twice as long.
pub(super) const ROWS_MAX: usize = 200_000;

pub(super) struct DomainRow {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) ns_ttl: Option<i64>,
    pub(super) ds_ttl: Option<i64>,
}

pub(super) struct HostRow {
    pub(super) id: i64,
    pub(super) name: String,
    /// Its superordinate domain; with it, the zone keeps its addresses.
    pub(super) domain_id: Option<i64>,
    pub(super) published: i64,
}

pub(super) struct AddressRow {
    pub(super) host_id: i64,
    pub(super) rtype: i64,
    pub(super) ttl: Option<i64>,
    pub(super) address: Box<[u8]>,
}

pub(super) struct RecordRow {
    pub(super) owner: String,
    pub(super) rtype: i64,
    pub(super) ttl: i64,
    pub(super) rdata: Box<[u8]>,
}

#[derive(Default)]
pub(super) struct Batch {
    pub(super) domains: Vec<DomainRow>,
    pub(super) hosts: Vec<HostRow>,
    /// Hosts that the repository had before, which now belong to more.
    pub(super) known_hosts: Vec<HostRow>,
    pub(super) addresses: Vec<AddressRow>,
    pub(super) delegations: Vec<(i64, i64)>,
    pub(super) ds: Vec<(i64, Box<[u8]>)>,
    pub(super) records: Vec<RecordRow>,
}

/// The statements of a batch.
pub(super) struct Inserts {
    domains: BulkInsert,
    hosts: BulkInsert,
    addresses: BulkInsert,
    delegations: BulkInsert,
    ds: BulkInsert,
    records: BulkInsert,
}

impl Inserts {
    pub(super) fn new(engine: Engine) -> Self {
        let insert = |head| BulkInsert::new(engine, head);
        Self {
            domains: insert(
                "domains (id, zone_id, name, registrar_id, statuses, created_at, ns_ttl, ds_ttl, \
                 published)",
            ),
            hosts: insert(
                "hosts (id, name, domain_id, zone_id, registrar_id, statuses, created_at, \
                 published)",
            ),
            addresses: insert("host_addresses (host_id, rtype, address, ttl)"),
            delegations: insert("delegations (domain_id, host_id)"),
            ds: insert("ds (domain_id, rdata)"),
            records: insert("zone_records (zone_id, owner, rtype, ttl, rdata)"),
        }
    }
}

impl Batch {
    pub(super) fn rows(&self) -> usize {
        self.domains.len()
            + self.hosts.len()
            + self.known_hosts.len()
            + self.addresses.len()
            + self.delegations.len()
            + self.ds.len()
            + self.records.len()
    }

    pub(super) fn clear(&mut self) {
        self.domains.clear();
        self.hosts.clear();
        self.known_hosts.clear();
        self.addresses.clear();
        self.delegations.clear();
        self.ds.clear();
        self.records.clear();
    }

    pub(super) async fn write(
        &self,
        write: &mut Write<'_>,
        inserts: &Inserts,
        zone_id: i64,
        registrar_id: i64,
        created_at: i64,
    ) -> Result<(), RegistryError> {
        insert(write, &inserts.domains, &self.domains, |query, row| {
            query
                .bind(row.id)
                .bind(zone_id)
                .bind(row.name.as_str())
                .bind(registrar_id)
                .bind("")
                .bind(created_at)
                .bind(row.ns_ttl)
                .bind(row.ds_ttl)
                .bind(1_i64)
        })
        .await?;
        insert(write, &inserts.hosts, &self.hosts, |query, row| {
            query
                .bind(row.id)
                .bind(row.name.as_str())
                .bind(row.domain_id)
                .bind(row.domain_id.map(|_| zone_id))
                .bind(registrar_id)
                .bind("")
                .bind(created_at)
                .bind(row.published)
        })
        .await?;
        for row in &self.known_hosts {
            write.execute(adoption(row, zone_id)).await?;
        }
        insert(write, &inserts.addresses, &self.addresses, |query, row| {
            query
                .bind(row.host_id)
                .bind(row.rtype)
                .bind(row.address.as_ref())
                .bind(row.ttl)
        })
        .await?;
        insert(
            write,
            &inserts.delegations,
            &self.delegations,
            |query, row| query.bind(row.0).bind(row.1),
        )
        .await?;
        insert(write, &inserts.ds, &self.ds, |query, row| {
            query.bind(row.0).bind(row.1.as_ref())
        })
        .await?;
        insert(write, &inserts.records, &self.records, |query, row| {
            query
                .bind(zone_id)
                .bind(row.owner.as_str())
                .bind(row.rtype)
                .bind(row.ttl)
                .bind(row.rdata.as_ref())
        })
        .await
    }
}

/// A host that was there before gets what this zone adds and loses nothing.
fn adoption(row: &HostRow, zone_id: i64) -> AnyQuery<'static> {
    sqlx::query(
        "UPDATE hosts SET domain_id = COALESCE(domain_id, $1), zone_id = COALESCE(zone_id, $2), \
         published = CASE WHEN $3 = 1 THEN 1 ELSE published END WHERE id = $4",
    )
    .bind(row.domain_id)
    .bind(row.domain_id.map(|_| zone_id))
    .bind(row.published)
    .bind(row.id)
}

async fn insert<R>(
    write: &mut Write<'_>,
    insert: &BulkInsert,
    rows: &[R],
    bind: impl Fn(AnyQuery<'static>, &R) -> AnyQuery<'static>,
) -> Result<(), RegistryError> {
    for chunk in rows.chunks(insert.rows_max()) {
        let query = chunk.iter().fold(insert.statement(chunk.len()), &bind);
        write.execute(query).await?;
    }
    Ok(())
}
