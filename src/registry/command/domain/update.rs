//! `domain update`.

use std::collections::BTreeSet;

use super::DomainUpdate;
use super::set::{
    DomainRow, check_count, check_ds, check_glue, existing, find_hosts, insert_parts,
};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{
    StatusChange, active, difference, no_pending, sponsorship, zone_of,
};
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::keys::check_ttl;
use crate::registry::command::publication::{refresh_domain, refresh_hosts};
use crate::registry::command::tables::rows;
use crate::registry::error::RegistryError;
use crate::registry::types::{DsData, HostName, Statuses};

pub(super) async fn update(
    context: &mut Context<'_, '_>,
    command: &DomainUpdate,
) -> Result<i64, CommandError> {
    let name = command.name.as_str();
    let (add, remove) = (&command.add, &command.remove);
    let ttls = command.ns_ttl.is_some() || command.ds_ttl.is_some();
    if add.is_empty() && remove.is_empty() && !ttls {
        let reason = "an update of nothing";
        return Err(rejected(ResultCode::ParameterMissing, name, reason));
    }
    let mut tables = context.tables();
    let row = existing(&mut tables, &command.name).await?;
    let zone = zone_of(&mut tables, row.zone_id).await?;
    let found = find_hosts(&mut tables, &add.hosts).await?;
    let statuses = row.statuses(&tables)?;
    sponsorship(&context.acting, row.registrar_id, name)?;
    active(&zone)?;
    no_pending(&statuses, name)?;
    let others = |parts: &super::DomainParts| parts.hosts.is_empty() && parts.ds.is_empty();
    let change = StatusChange {
        add: &add.statuses,
        remove: &remove.statuses,
        is_all: !ttls && others(add) && others(remove),
    };
    change.permitted(&statuses, name)?;
    let after = change.apply(&statuses, &context.acting)?;
    let before = name_servers(context, row.id).await?;
    let mut names = before.iter().map(|(name, _)| name.clone()).collect();
    difference(&mut names, &add.hosts, &remove.hosts)?;
    let mut signers = signers(context, row.id).await?;
    difference(&mut signers, &add.ds, &remove.ds)?;
    if !(add.hosts.is_empty() && remove.hosts.is_empty()) {
        check_count(&zone, names.len(), name)?;
    }
    check_glue(&add.hosts, &found)?;
    check_ds(&add.ds, signers.len(), name)?;
    // Only what is signed is timed by keys: NS sets of delegations are not.
    if let Some(super::TtlChange::Own(ttl)) = command.ds_ttl {
        check_ttl(&mut context.tables(), row.zone_id, name, ttl.column()).await?;
    }

    let removed: Vec<_> = before
        .iter()
        .filter(|(name, _)| remove.hosts.contains(name))
        .map(|(_, id)| *id)
        .collect();
    write_row(context, command, &row, &after).await?;
    remove_parts(context, row.id, &removed, &remove.ds).await?;
    let added: Vec<_> = found.values().map(|host| host.id).collect();
    insert_parts(
        &mut context.tables(),
        row.id,
        added.iter().copied(),
        &add.ds,
    )
    .await?;
    refresh_domain(context, row.id, after.allow_publication()).await?;
    // A hold, or its end, concerns every name server, not only those that moved.
    let all: BTreeSet<_> = before.iter().map(|(_, id)| *id).chain(added).collect();
    refresh_hosts(context, all).await?;
    Ok(row.zone_id)
}

async fn name_servers(
    context: &mut Context<'_, '_>,
    domain_id: i64,
) -> Result<Vec<(HostName, i64)>, RegistryError> {
    let query = rows::<(String, i64)>(
        "SELECT h.name, h.id FROM delegations n JOIN hosts h ON h.id = n.host_id \
         WHERE n.domain_id = $1",
    );
    let mut tables = context.tables();
    let found = tables.all(query.bind(domain_id)).await?;
    let parse = |(name, id): (String, i64)| {
        let parsed = zone_image::Name::parse_absolute(&name);
        let parsed = parsed.map_err(|e| tables.inconsistent(format!("host {name:?}: {e}")));
        parsed.map(|name| (HostName::held(&name), id))
    };
    found.into_iter().map(parse).collect()
}

async fn signers(
    context: &mut Context<'_, '_>,
    domain_id: i64,
) -> Result<BTreeSet<DsData>, RegistryError> {
    let query = rows::<(Vec<u8>,)>("SELECT rdata FROM ds WHERE domain_id = $1");
    let mut tables = context.tables();
    let found = tables.all(query.bind(domain_id)).await?;
    let parse = |(rdata,): (Vec<u8>,)| {
        DsData::from_rdata(&rdata).ok_or_else(|| tables.inconsistent("a DS without a digest"))
    };
    found.into_iter().map(parse).collect()
}

async fn write_row(
    context: &mut Context<'_, '_>,
    command: &DomainUpdate,
    row: &DomainRow,
    statuses: &Statuses,
) -> Result<(), RegistryError> {
    let own =
        |change: Option<super::TtlChange>, before| change.map_or(before, super::TtlChange::column);
    let update =
        sqlx::query("UPDATE domains SET statuses = $1, ns_ttl = $2, ds_ttl = $3 WHERE id = $4")
            .bind(statuses.column())
            .bind(own(command.ns_ttl, row.ns_ttl))
            .bind(own(command.ds_ttl, row.ds_ttl))
            .bind(row.id);
    context.tables().run(update).await?;
    context.touch(Touched::Domain, row.id).await
}

async fn remove_parts(
    context: &mut Context<'_, '_>,
    domain_id: i64,
    hosts: &[i64],
    ds: &[DsData],
) -> Result<(), RegistryError> {
    let mut tables = context.tables();
    for host_id in hosts {
        let delete = sqlx::query("DELETE FROM delegations WHERE domain_id = $1 AND host_id = $2");
        tables.run(delete.bind(domain_id).bind(*host_id)).await?;
    }
    for ds in ds {
        let delete = sqlx::query("DELETE FROM ds WHERE domain_id = $1 AND rdata = $2");
        tables.run(delete.bind(domain_id).bind(ds.rdata())).await?;
    }
    Ok(())
}
