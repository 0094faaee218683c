//! `host create`.

use std::collections::BTreeSet;

use super::HostCreate;
use super::row::{Home, find, home, insert_addresses};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{ADDRESSES_MAX, addresses, difference, sponsor};
use crate::registry::command::context::Context;
use crate::registry::command::publication::refresh_parkable;

pub(super) async fn create(
    context: &mut Context<'_, '_>,
    command: &HostCreate,
) -> Result<Option<i64>, CommandError> {
    let name = &command.name;
    let (acting, lab) = (context.acting.clone(), context.lab);
    let mut tables = context.tables();
    let home = home(&mut tables, name).await?;
    let is_external = matches!(home, Home::External);
    if !is_external && command.addresses.is_empty() {
        let reason = "a host of this registry needs an address";
        return Err(rejected(ResultCode::ParameterMissing, name, reason));
    }
    let sponsor = sponsor(&mut tables, &acting, command.registrar.as_ref()).await?;
    if find(&mut tables, name).await?.is_some() {
        return Err(rejected(ResultCode::ObjectExists, name, "there already"));
    }
    let superordinate = home.open_to(&acting, sponsor, name)?;
    check_addresses(name, &command.addresses, is_external, lab)?;
    let zone_id = superordinate.map(|domain| domain.zone_id);
    let domain_id = superordinate.map(|domain| domain.domain_id);
    let id = context.new_object();
    let insert = sqlx::query(
        "INSERT INTO hosts (id, name, domain_id, zone_id, registrar_id, statuses, created_at, \
         created_by, published, first_event) VALUES ($1, $2, $3, $4, $5, '', $6, $7, 0, $8)",
    )
    .bind(id)
    .bind(name.as_str())
    .bind(domain_id)
    .bind(zone_id)
    .bind(sponsor)
    .bind(context.at.0)
    .bind(acting.by.as_str())
    .bind(context.write.next_event());
    let mut tables = context.tables();
    tables.run(insert).await?;
    insert_addresses(&mut tables, id, &command.addresses).await?;
    // Nobody names it yet, so nothing that is published changes but parking.
    refresh_parkable(context, domain_id).await?;
    Ok(zone_id)
}

fn check_addresses(
    name: &super::HostName,
    added: &[super::Address],
    is_external: bool,
    lab: bool,
) -> Result<(), CommandError> {
    if is_external && !added.is_empty() {
        let reason = "a host outside this registry has no addresses here";
        return Err(rejected(ResultCode::ParameterPolicy, name, reason));
    }
    if added.len() > ADDRESSES_MAX {
        let reason = format!("{} addresses, {ADDRESSES_MAX} at most", added.len());
        return Err(rejected(ResultCode::ParameterPolicy, name, reason));
    }
    difference(&mut BTreeSet::new(), added, &[])?;
    addresses(added, lab)
}
