//! `domain create`.

use std::collections::BTreeSet;

use super::DomainCreate;
use super::set::{check_count, check_ds, check_glue, find_hosts, insert_parts};
use crate::registry::calendar::add_years;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{
    StatusChange, ZoneRow, active, ancestry, closest_zone, difference, sponsor,
};
use crate::registry::command::context::Context;
use crate::registry::command::publication::{refresh_domain, refresh_hosts};
use crate::registry::command::tables::{Tables, rows, rows_in};
use crate::registry::types::Statuses;

pub(super) async fn create(
    context: &mut Context<'_, '_>,
    command: &DomainCreate,
) -> Result<i64, CommandError> {
    let name = command.name.as_str();
    let above = ancestry(name);
    let (acting, at) = (context.acting.clone(), context.at);
    let mut tables = context.tables();
    let sponsor = sponsor(&mut tables, &acting, command.registrar.as_ref()).await?;
    let taken = rows::<(i64,)>("SELECT id FROM domains WHERE name = $1").bind(name);
    if tables.any(taken).await? {
        return Err(rejected(
            ResultCode::ObjectExists,
            name,
            "registered already",
        ));
    }
    let found = find_hosts(&mut tables, &command.hosts).await?;
    let zone = zone(&mut tables, name, &above).await?;
    let change = StatusChange {
        add: &command.statuses,
        remove: &[],
        is_all: false,
    };
    let statuses = change.apply(&Statuses::default(), &acting)?;
    difference(&mut BTreeSet::new(), &command.hosts, &[])?;
    difference(&mut BTreeSet::new(), &command.ds, &[])?;
    check_count(&zone, command.hosts.len(), name)?;
    check_glue(&command.hosts, &found)?;
    check_ds(&command.ds, command.ds.len(), name)?;
    unoccupied(&mut tables, &zone, name, &above).await?;

    let id = context.new_object();
    let expires_at = add_years(at, command.period.count());
    let insert = sqlx::query(
        "INSERT INTO domains (id, zone_id, name, registrar_id, statuses, created_at, expires_at, \
         published) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
    )
    .bind(id)
    .bind(zone.id)
    .bind(name)
    .bind(sponsor)
    .bind(statuses.column())
    .bind(at.0)
    .bind(expires_at.0);
    let mut tables = context.tables();
    tables.run(insert).await?;
    let hosts: Vec<_> = found.values().map(|host| host.id).collect();
    insert_parts(&mut tables, id, hosts.iter().copied(), &command.ds).await?;
    refresh_domain(context, id, statuses.allow_publication()).await?;
    refresh_hosts(context, hosts).await?;
    Ok(zone.id)
}

/// The zone that the name is registered in: one label above it.
async fn zone(
    tables: &mut Tables<'_>,
    name: &str,
    above: &[String],
) -> Result<ZoneRow, CommandError> {
    let policy = |reason: String| Err(rejected(ResultCode::ParameterPolicy, name, reason));
    let Some(zone) = closest_zone(tables, above).await? else {
        return policy("in no zone of this registry".into());
    };
    active(&zone)?;
    match above.iter().position(|name| *name == zone.apex) {
        Some(1) => Ok(zone),
        Some(0) => policy("the zone itself".into()),
        _ => policy(format!("more than one label below {}", zone.apex)),
    }
}

/// A delegation must not hide records of the zone's own, nor be hidden by one.
async fn unoccupied(
    tables: &mut Tables<'_>,
    zone: &ZoneRow,
    name: &str,
    above: &[String],
) -> Result<(), CommandError> {
    const DNAME: i64 = 39;
    // Addresses below a cut may be glue. The zone's own records are few, and no index
    // knows what is below a name.
    let below = rows::<(i64,)>(
        "SELECT rtype FROM zone_records WHERE zone_id = $1 AND (owner = $2 \
         OR (owner LIKE $3 ESCAPE '!' AND rtype NOT IN (1, 28))) LIMIT 1",
    );
    let pattern = format!("%.{name}");
    let below = below.bind(zone.id).bind(name).bind(pattern);
    let owners: Vec<_> = above[1..].to_vec();
    let dname = rows_in::<(i64, i64)>(
        "SELECT zone_id, rtype FROM zone_records WHERE owner IN ({list})",
        &owners,
    );
    let hidden = tables.all(dname).await?.contains(&(zone.id, DNAME));
    if hidden || tables.any(below).await? {
        let reason = "the zone has records of its own there";
        return Err(rejected(ResultCode::ParameterPolicy, name, reason));
    }
    Ok(())
}
