//! `zone update`.

use super::{GluePolicy, Row, ZoneUpdate, existing_active, records};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::keys::check_ttl;

/// Most name servers of a domain (the guide, rule 33).
const NS_COUNT_MAX: i64 = 13;

pub(super) async fn update(
    context: &mut Context<'_, '_>,
    command: &ZoneUpdate,
) -> Result<i64, CommandError> {
    let apex = &command.apex;
    if *command == ZoneUpdate::new(apex.clone()) {
        let reason = "an update of nothing";
        return Err(rejected(ResultCode::ParameterMissing, apex, reason));
    }
    let before = existing_active(&mut context.tables(), apex).await?;
    let after = changed(&before, command);
    if after.ns_count_min > after.ns_count_max || after.ns_count_max > NS_COUNT_MAX {
        let reason = format!("name servers: least, then most, up to {NS_COUNT_MAX}");
        return Err(rejected(ResultCode::ParameterRange, apex, reason));
    }
    if after != before {
        let ttls = [after.soa_ttl, after.ns_ttl, after.ds_ttl, after.glue_ttl];
        let longest = ttls.into_iter().max().unwrap_or_default();
        check_ttl(&mut context.tables(), before.id, apex, longest).await?;
        write(context, &after).await?;
        note(context, &before, &after, apex.as_str());
    }
    let (add, remove) = (&command.add, &command.remove);
    if !(add.is_empty() && remove.is_empty()) {
        records::change(context, before.id, apex, add, remove).await?;
    }
    context.touch(Touched::Zone, before.id).await?;
    Ok(before.id)
}

fn changed(before: &Row, command: &ZoneUpdate) -> Row {
    use crate::registry::types::{AnyName, Ttl};
    let name = |to: &Option<AnyName>, was: &String| {
        to.as_ref().map_or_else(|| was.clone(), ToString::to_string)
    };
    let number = |to: Option<Ttl>, was| to.map_or(was, Ttl::column);
    let count = |to: Option<u8>, was| to.map_or(was, i64::from);
    let glue_policy = match command.glue_policy {
        None => before.glue_policy.clone(),
        Some(GluePolicy::Narrow) => "narrow".to_owned(),
        Some(GluePolicy::Wide) => "wide".to_owned(),
    };
    Row {
        soa_mname: name(&command.mname, &before.soa_mname),
        soa_rname: name(&command.rname, &before.soa_rname),
        soa_refresh: number(command.refresh, before.soa_refresh),
        soa_retry: number(command.retry, before.soa_retry),
        soa_expire: number(command.expire, before.soa_expire),
        soa_minimum: number(command.minimum, before.soa_minimum),
        soa_ttl: number(command.soa_ttl, before.soa_ttl),
        ns_ttl: number(command.ns_ttl, before.ns_ttl),
        ds_ttl: number(command.ds_ttl, before.ds_ttl),
        glue_ttl: number(command.glue_ttl, before.glue_ttl),
        ns_count_min: count(command.ns_count_min, before.ns_count_min),
        ns_count_max: count(command.ns_count_max, before.ns_count_max),
        glue_policy,
        ..before.clone()
    }
}

/// Defaults of TTLs and policies are in every record; the SOA is at the apex.
fn note(context: &mut Context<'_, '_>, before: &Row, after: &Row, apex: &str) {
    let everywhere = |row: &Row| {
        let ttls = (row.ns_ttl, row.ds_ttl, row.glue_ttl);
        (ttls, row.glue_policy.clone())
    };
    let owner = if everywhere(before) == everywhere(after) {
        apex
    } else {
        ""
    };
    context.note_changed(before.id, owner);
}

async fn write(context: &mut Context<'_, '_>, row: &Row) -> Result<(), CommandError> {
    let update = sqlx::query(
        "UPDATE zones SET soa_mname = $1, soa_rname = $2, soa_refresh = $3, soa_retry = $4, \
         soa_expire = $5, soa_minimum = $6, soa_ttl = $7, ns_ttl = $8, ds_ttl = $9, \
         glue_ttl = $10, ns_count_min = $11, ns_count_max = $12, glue_policy = $13 \
         WHERE id = $14",
    )
    .bind(row.soa_mname.as_str())
    .bind(row.soa_rname.as_str())
    .bind(row.soa_refresh)
    .bind(row.soa_retry)
    .bind(row.soa_expire)
    .bind(row.soa_minimum)
    .bind(row.soa_ttl)
    .bind(row.ns_ttl)
    .bind(row.ds_ttl)
    .bind(row.glue_ttl)
    .bind(row.ns_count_min)
    .bind(row.ns_count_max)
    .bind(row.glue_policy.as_str())
    .bind(row.id);
    context.tables().run(update).await?;
    Ok(())
}
