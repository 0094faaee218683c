//! `zone create`.

use super::{ZoneCreate, find, records};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::context::Context;
use crate::registry::command::tables::rows;

/// Refresh, retry, expire and minimum of a new SOA, then its TTL. A secondary goes on for a
/// week, less than signatures have left by the usual policy, and misses are cached for a
/// quarter of an hour.
pub(crate) const SOA: [i64; 5] = [7200, 900, 604_800, 900, 3600];
/// TTL of NS, DS and glue.
pub(crate) const TTL: i64 = 3600;
/// Least and most name servers of a domain that has any.
pub(crate) const NS_COUNT: (i64, i64) = (2, 13);

pub(super) async fn create(
    context: &mut Context<'_, '_>,
    command: &ZoneCreate,
) -> Result<i64, CommandError> {
    let apex = &command.apex;
    let mut tables = context.tables();
    if find(&mut tables, apex).await?.is_some() {
        return Err(rejected(ResultCode::ObjectExists, apex, "there already"));
    }
    let registered = rows::<(i64,)>("SELECT id FROM domains WHERE name = $1");
    if tables.any(registered.bind(apex.as_str())).await? {
        let reason = "registered as a domain";
        return Err(rejected(ResultCode::ObjectExists, apex, reason));
    }
    let id = context.new_object();
    let mut insert = sqlx::query(
        "INSERT INTO zones (id, apex, state, soa_mname, soa_rname, serial, soa_refresh, \
         soa_retry, soa_expire, soa_minimum, soa_ttl, ns_ttl, ds_ttl, glue_ttl, ns_count_min, \
         ns_count_max, created_at, glue_policy, parking, host_orphan, data_model, \
         change_control, expiry) VALUES ($1, $2, 'active', $3, $4, 1, $5, $6, $7, $8, $9, $10, $10, \
         $10, $11, $12, $13, 'narrow', 0, 'refuse', 'minimum', 'auto', \
         'auto-renew')",
    )
    .bind(id)
    .bind(apex.as_str())
    .bind(command.mname.as_str())
    .bind(command.rname.as_str());
    for number in SOA {
        insert = insert.bind(number);
    }
    let insert = insert
        .bind(TTL)
        .bind(NS_COUNT.0)
        .bind(NS_COUNT.1)
        .bind(context.at.0);
    context.tables().run(insert).await?;
    records::change(context, id, apex, &command.records, &[]).await?;
    context.note_changed(id, "");
    Ok(id)
}
