//! `host update`: addresses, statuses, and a new name.
//!
//! A renamed host keeps its id, so every domain that names it follows without a
//! write of its own; their names are noted, since their NS records change.

use std::collections::BTreeSet;

use super::row::{
    Home, HostRow, addresses_of, existing, find, home, insert_addresses, is_linked, users,
};
use super::{HostParts, HostUpdate};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{
    ADDRESSES_MAX, StatusChange, addresses, difference, no_pending, sponsorship,
};
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::publication::{note_dependents, refresh_parkable};
use crate::registry::command::referral;
use crate::registry::command::tables::rows;
use crate::registry::types::{Address, HostName};

pub(super) async fn update(
    context: &mut Context<'_, '_>,
    command: &HostUpdate,
) -> Result<Option<i64>, CommandError> {
    let none = HostParts::default();
    if command.add == none && command.remove == none && command.new_name.is_none() {
        let reason = "an update of nothing";
        return Err(rejected(
            ResultCode::ParameterMissing,
            &command.name,
            reason,
        ));
    }
    let row = existing(&mut context.tables(), &command.name).await?;
    change_row(context, command, row).await
}

/// Changes a host, object or attribute, that was found.
pub(super) async fn change_row(
    context: &mut Context<'_, '_>,
    command: &HostUpdate,
    row: HostRow,
) -> Result<Option<i64>, CommandError> {
    let object = command.name.as_str();
    let mut tables = context.tables();
    let statuses = row.statuses(&tables)?;
    let is_linked = is_linked(&mut tables, row.id).await?;
    let to = match &command.new_name {
        Some(name) => Some((name, free_home(&mut tables, name).await?)),
        None => None,
    };
    sponsorship(&context.acting, row.registrar_id, object)?;
    if let Some((name, home)) = &to {
        home.open_to(&context.acting, row.registrar_id, name)?;
    }
    no_pending(&statuses, object)?;
    let quiet = command.add.addresses.is_empty() && command.remove.addresses.is_empty();
    let change = StatusChange {
        add: &command.add.statuses,
        remove: &command.remove.statuses,
        is_all: quiet && to.is_none(),
    };
    change.permitted(&statuses, object)?;
    let odd = command
        .add
        .statuses
        .iter()
        .find(|status| !status.is_for_hosts());
    if let Some(status) = odd {
        let reason = "not a status of hosts";
        return Err(rejected(ResultCode::ParameterPolicy, status, reason));
    }
    let after = change.apply(&statuses, &context.acting)?;
    let ends_external = match &to {
        Some((_, home)) => matches!(home, Home::External),
        None => row.domain_id.is_none(),
    };
    let before = addresses_of(&mut context.tables(), row.id).await?;
    let kept = check_addresses(context, command, &before, ends_external, is_linked).await?;
    if to.is_some() {
        may_rename(context, &row, ends_external, object).await?;
    }

    let update = sqlx::query("UPDATE hosts SET statuses = $1 WHERE id = $2");
    let update = update.bind(after.column()).bind(row.id);
    let mut tables = context.tables();
    tables.run(update).await?;
    let clear = sqlx::query("DELETE FROM host_addresses WHERE host_id = $1");
    if !quiet || ends_external {
        tables.run(clear.bind(row.id)).await?;
        insert_addresses(&mut tables, row.id, &kept).await?;
    }
    context.touch(Touched::Host, row.id).await?;
    if let (Some(zone_id), false) = (row.zone_id, quiet && to.is_none()) {
        context.note_changed(zone_id, object);
    }
    let zone_id = match &to {
        Some((name, home)) => rename(context, &row, name, home).await?,
        None => row.zone_id,
    };
    if is_linked {
        check_referrals(context, command, &row, &before).await?;
    }
    Ok(zone_id)
}

/// Whether the domains that name the host can still be told in a datagram.
async fn check_referrals(
    context: &mut Context<'_, '_>,
    command: &HostUpdate,
    row: &HostRow,
    before: &[Address],
) -> Result<(), CommandError> {
    let (name, to) = (command.name.as_str(), command.new_name.as_ref());
    if to.is_none() && command.add.addresses.is_empty() {
        return Ok(());
    }
    let count = |rtype| before.iter().filter(|a| a.rtype() == rtype).count();
    let former = referral::Former {
        id: row.id,
        now: to.map_or(name, HostName::as_str),
        name,
        v4: count(1),
        v6: count(28),
        domain: row.domain_id.filter(|_| to.is_none()),
    };
    referral::check_users(&mut context.tables(), &former).await
}

/// Where a new name belongs, if nobody has it.
async fn free_home(
    tables: &mut crate::registry::command::tables::Tables<'_>,
    name: &HostName,
) -> Result<Home, CommandError> {
    if find(tables, name).await?.is_some() {
        return Err(rejected(ResultCode::ObjectExists, name, "there already"));
    }
    home(tables, name).await
}

/// The addresses afterwards.
async fn check_addresses(
    context: &mut Context<'_, '_>,
    command: &HostUpdate,
    before: &[Address],
    ends_external: bool,
    is_linked: bool,
) -> Result<Vec<Address>, CommandError> {
    let (object, lab) = (command.name.as_str(), context.lab);
    let mut after: BTreeSet<_> = before.iter().cloned().collect();
    difference(
        &mut after,
        &command.add.addresses,
        &command.remove.addresses,
    )?;
    addresses(&command.add.addresses, lab)?;
    if after.len() > ADDRESSES_MAX {
        let reason = format!("{} addresses, {ADDRESSES_MAX} at most", after.len());
        return Err(rejected(ResultCode::ParameterPolicy, object, reason));
    }
    if ends_external {
        if !command.add.addresses.is_empty() {
            let reason = "a host outside this registry has no addresses here";
            return Err(rejected(ResultCode::ParameterPolicy, object, reason));
        }
        // Addresses that a rename leaves behind are dropped with it.
        return Ok(Vec::new());
    }
    if after.is_empty() && is_linked {
        let reason = "a name server of a domain needs an address in this registry";
        return Err(rejected(ResultCode::AssociationProhibits, object, reason));
    }
    Ok(after.into_iter().collect())
}

/// A host that another registrar's domains use does not leave the registry (RFC
/// 9874), and an external one keeps its name (RFC 5732 section 3.2.5).
async fn may_rename(
    context: &mut Context<'_, '_>,
    row: &HostRow,
    ends_external: bool,
    object: &str,
) -> Result<(), CommandError> {
    let begins_external = row.domain_id.is_none();
    if !begins_external && !ends_external {
        return Ok(());
    }
    let users = users(&mut context.tables(), row.id).await?;
    // An attribute does not follow what is done to an object.
    let attribute_of = rows::<(i64,)>(
        "SELECT d.id FROM delegations n JOIN domains d ON d.id = n.domain_id \
         JOIN zones z ON z.id = d.zone_id WHERE n.host_id = $1 \
         AND z.host_model = 'attributes' LIMIT 1",
    );
    let is_attribute = context.tables().any(attribute_of.bind(row.id)).await?;
    if !is_attribute && users.iter().all(|user| *user == row.registrar_id) {
        return Ok(());
    }
    let reason = "a name server of another registrar's domains, or an attribute of one's own";
    Err(rejected(ResultCode::AssociationProhibits, object, reason))
}

async fn rename(
    context: &mut Context<'_, '_>,
    row: &HostRow,
    name: &HostName,
    home: &Home,
) -> Result<Option<i64>, CommandError> {
    let place = match home {
        Home::Internal(domain) => Some((domain.domain_id, domain.zone_id)),
        _ => None,
    };
    let zone_id = place.map(|(_, zone_id)| zone_id);
    let update =
        sqlx::query("UPDATE hosts SET name = $1, domain_id = $2, zone_id = $3 WHERE id = $4")
            .bind(name.as_str())
            .bind(place.map(|(domain_id, _)| domain_id))
            .bind(zone_id)
            .bind(row.id);
    context.tables().run(update).await?;
    if let Some(zone_id) = zone_id {
        context.note_changed(zone_id, name.as_str());
    }
    note_dependents(context, row.id).await?;
    refresh_parkable(context, row.domain_id).await?;
    refresh_parkable(context, place.map(|(domain_id, _)| domain_id)).await?;
    Ok(zone_id.or(row.zone_id))
}
