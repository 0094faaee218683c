//! What a command would publish, without publishing it.
//!
//! The command runs as it would, the records of the names that it notes are read, the
//! command is undone, and they are read again; then the transaction is rolled back. So
//! the answer is exact for the registry at that moment, and takes the write lock for as
//! long. Never leaves an event, a number or a row.

use std::collections::BTreeSet;

use sqlx::AssertSqlSafe;
use zone_compiler::{Record, RecordType};
use zone_image::Name;

use super::command::tables::{Rows, Tables};
use super::command::{CommandError, Request, attempt};
use super::database::Database;
use super::error::RegistryError;

/// The records that a command would add and remove, in master format. The serial goes
/// up besides, where there are any.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Rehearsal {
    /// Records that would come.
    pub added: BTreeSet<String>,
    /// Records that would go.
    pub removed: BTreeSet<String>,
    /// What whoever asks should know.
    pub notes: Vec<String>,
}

/// The views of RDATA, and the type where the view has only one.
const VIEWS: [(&str, &str); 3] = [
    ("dns_apex", "v.rtype"),
    ("dns_ds", "CAST(43 AS BIGINT)"),
    ("dns_glue", "v.rtype"),
];

/// The views of host names: delegations to servers of their own, and to parking servers.
const DELEGATIONS: [&str; 2] = ["dns_delegation", "dns_parked"];

impl Database {
    /// Runs a change and takes it back; one that has to wait, or does, as if everybody had
    /// agreed to it.
    pub async fn rehearse(&mut self, request: &Request) -> Result<Rehearsal, CommandError> {
        if request.command.is_read() {
            return Ok(Rehearsal::default());
        }
        let mut write = self.write().await?;
        let savepoint = write.savepoint().await?;
        let notes = Box::pin(attempt(&mut write, request)).await?;
        let changed = write.changed_since(savepoint);
        let after = Box::pin(published(&mut write.tables(), &changed)).await?;
        write.undo(savepoint).await?;
        let before = Box::pin(published(&mut write.tables(), &changed)).await?;
        // Dropped without a commit, nothing of this happened.
        drop(write);
        Ok(Rehearsal {
            added: after.difference(&before).cloned().collect(),
            removed: before.difference(&after).cloned().collect(),
            notes,
        })
    }
}

/// The records of these names; '' stands for all of a zone.
async fn published(
    tables: &mut Tables<'_>,
    names: &[(i64, String)],
) -> Result<BTreeSet<String>, RegistryError> {
    let mut records = BTreeSet::new();
    for (zone_id, owner) in names {
        let one = if owner.is_empty() {
            ""
        } else {
            " AND v.owner = $2"
        };
        let of_zone = format!(" v WHERE v.zone_id = $1{one}");
        for (view, rtype) in VIEWS {
            let text = format!("SELECT v.owner, {rtype}, v.ttl, v.rdata FROM {view}{of_zone}");
            let query: Rows<'_, (String, i64, i64, Vec<u8>)> =
                sqlx::query_as(AssertSqlSafe(text)).bind(*zone_id);
            let query = if one.is_empty() {
                query
            } else {
                query.bind(owner.as_str())
            };
            for (owner, rtype, ttl, rdata) in tables.all(query).await? {
                records.insert(line(tables, &owner, rtype, ttl, rdata)?);
            }
        }
        for view in DELEGATIONS {
            let text = format!("SELECT v.owner, v.ttl, v.host FROM {view}{of_zone}");
            let query: Rows<'_, (String, i64, String)> =
                sqlx::query_as(AssertSqlSafe(text)).bind(*zone_id);
            let query = if one.is_empty() {
                query
            } else {
                query.bind(owner.as_str())
            };
            for (owner, ttl, host) in tables.all(query).await? {
                let rdata = name(tables, &host)?.as_wire().to_vec();
                records.insert(line(
                    tables,
                    &owner,
                    i64::from(RecordType::NS.0),
                    ttl,
                    rdata,
                )?);
            }
        }
    }
    Ok(records)
}

fn name(tables: &Tables<'_>, text: &str) -> Result<Name, RegistryError> {
    Name::parse_absolute(text).map_err(|error| tables.inconsistent(format!("{text:?}: {error}")))
}

fn line(
    tables: &Tables<'_>,
    owner: &str,
    rtype: i64,
    ttl: i64,
    rdata: Vec<u8>,
) -> Result<String, RegistryError> {
    let bad = |_| tables.inconsistent(format!("type or TTL of {owner:?}"));
    let record = Record {
        owner: name(tables, owner)?,
        rtype: RecordType(u16::try_from(rtype).map_err(bad)?),
        ttl: u32::try_from(ttl).map_err(bad)?,
        rdata: rdata.into(),
    };
    Ok(record.to_string())
}
