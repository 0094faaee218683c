//! `domain update`.

use std::collections::{BTreeMap, BTreeSet};

use super::DomainUpdate;
use super::keys::{signers, store};
use super::networks;
use super::row::{DomainRow, existing, write_auth, write_life};
use super::servers;
use super::set::{
    NameServer, check_count, check_ds, check_glue, check_model, find_hosts, insert_parts, names_of,
};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{
    StatusChange, ZoneRow, active, data_model, difference, no_pending, sponsorship, zone_of,
};
use crate::registry::command::contact::{Change, Links, contacts_of, find_contacts, write_links};
use crate::registry::command::context::Context;
use crate::registry::command::host::{HostAttribute, check_removed, make, replace, sweep};
use crate::registry::command::keys::check_ttl;
use crate::registry::command::publication::{refresh_domain, refresh_hosts};
use crate::registry::command::referral;
use crate::registry::command::tables::{Tables, rows};
use crate::registry::command::zone::parking::check_unsigned;
use crate::registry::error::RegistryError;
use crate::registry::policy::RegistrationPolicy;
use crate::registry::types::{DsData, Handle, HostName, Statuses};

pub(super) async fn update(
    context: &mut Context<'_, '_>,
    command: &DomainUpdate,
) -> Result<i64, CommandError> {
    let name = command.name.as_str();
    let (add, remove) = (&command.add, &command.remove);
    let changes = command.changes_more();
    if add.is_empty() && remove.is_empty() && !changes {
        let reason = "an update of nothing";
        return Err(rejected(ResultCode::ParameterMissing, name, reason));
    }
    let mut tables = context.tables();
    let row = existing(&mut tables, &command.name).await?;
    let zone = zone_of(&mut tables, row.zone_id).await?;
    let found = find_hosts(&mut tables, &add.hosts).await?;
    let come = come(&mut tables, command, row.registrar_id).await?;
    let statuses = row.statuses(&tables)?;
    sponsorship(&context.acting, row.registrar_id, name)?;
    active(&zone)?;
    no_pending(&statuses, name)?;
    let others = |parts: &super::DomainParts| {
        parts.hosts.is_empty()
            && parts.attributes.is_empty()
            && parts.ds.is_empty()
            && parts.keys.is_empty()
            && parts.contacts.is_empty()
    };
    let change = StatusChange {
        add: &add.statuses,
        remove: &remove.statuses,
        is_all: !changes && others(add) && others(remove),
    };
    change.permitted(&statuses, name)?;
    let after = change.apply(&statuses, &context.acting)?;
    let links = links(context, command, &row, &zone).await?;
    let before = name_servers(context, row.id).await?;
    let moves = moves(context, command, &row, &zone).await?;
    let found = match add.attributes.is_empty() {
        true => found,
        false => find_hosts(&mut context.tables(), &moves.come).await?,
    };
    let servers = Servers {
        before: &before,
        moves: &moves,
        found: &found,
    };
    let removed_ds = check_delegation(context, command, &row, &zone, &servers).await?;
    // Only what is signed is timed by keys: NS sets of delegations are not.
    if let Some(super::TtlChange::Own(ttl)) = command.ds_ttl {
        check_ttl(&mut context.tables(), row.zone_id, name, ttl.column()).await?;
    }

    if let Some(auth) = &command.auth_info {
        write_auth(context, row.id, &command.name, auth).await?;
    }
    if let Some((before, after)) = &links {
        write_links(&mut context.tables(), row.id, before, after, &come).await?;
    }
    write_row(context, command, &row, &after, &zone.policy).await?;
    let allowed = after.allow_publication();
    write_delegation(context, command, row.id, &servers, &removed_ds, allowed).await?;
    Ok(row.zone_id)
}

/// Writes the name servers and DS that come and go, and what is published then.
async fn write_delegation(
    context: &mut Context<'_, '_>,
    command: &DomainUpdate,
    id: i64,
    servers: &Servers<'_>,
    removed_ds: &[DsData],
    allowed: bool,
) -> Result<(), CommandError> {
    let Servers {
        before,
        moves,
        found,
    } = servers;
    let removed = before.iter().filter(|(name, _)| moves.go.contains(name));
    let removed: Vec<_> = removed.map(|(_, id)| *id).collect();
    remove_parts(context, id, &removed, removed_ds).await?;
    let added: Vec<_> = found.values().map(|host| host.id).collect();
    let mut tables = context.tables();
    insert_parts(&mut tables, id, added.iter().copied(), &moves.come_ds).await?;
    let (add, remove) = (&command.add.keys, &command.remove.keys);
    store(&mut tables, id, add, remove, command.remove_all_ds).await?;
    refresh_domain(context, id, allowed).await?;
    // A hold, or its end, concerns every name server, not only those that moved.
    let all: BTreeSet<_> = before.iter().map(|(_, id)| *id).chain(added).collect();
    refresh_hosts(context, all).await?;
    if !command.remove.attributes.is_empty() {
        sweep(context, removed).await?;
    }
    networks::note(context, id, found.values()).await
}

/// Name servers and DS that a domain gets and loses.
struct Moves {
    come: Vec<HostName>,
    go: Vec<HostName>,
    come_ds: Vec<DsData>,
    go_ds: Vec<DsData>,
}

/// All that is known of them.
struct Servers<'s> {
    before: &'s [(HostName, i64)],
    moves: &'s Moves,
    found: &'s BTreeMap<String, NameServer>,
}

/// Which these are, by the zone's model of hosts. Attributes are made here, and get other
/// addresses where the update both removes and adds them.
async fn moves(
    context: &mut Context<'_, '_>,
    command: &DomainUpdate,
    row: &DomainRow,
    zone: &ZoneRow,
) -> Result<Moves, CommandError> {
    let (add, remove) = (&command.add, &command.remove);
    for parts in [add, remove] {
        check_model(zone, &parts.hosts, &parts.attributes)?;
    }
    check_removed(&mut context.tables(), &remove.attributes).await?;
    let is_removed = |attribute: &&HostAttribute| {
        let has_addresses = !attribute.addresses.is_empty();
        has_addresses
            && remove
                .attributes
                .iter()
                .any(|one| one.name == attribute.name)
    };
    let (kept, new): (Vec<_>, Vec<_>) = add.attributes.iter().partition(is_removed);
    let is_kept = |name: &HostName| kept.iter().any(|attribute| attribute.name == *name);
    let mut go = names_of(&remove.hosts, &remove.attributes);
    go.retain(|name| !is_kept(name));
    let new: Vec<_> = new.into_iter().cloned().collect();
    make(context, &new, row.registrar_id).await?;
    for attribute in &kept {
        if !names(context, row.id, &attribute.name).await? {
            let reason = "not a name server of the domain";
            let code = ResultCode::ParameterPolicy;
            return Err(rejected(code, &attribute.name, reason));
        }
        replace(context, attribute).await?;
    }
    Ok(Moves {
        come: names_of(&add.hosts, &new),
        go,
        come_ds: signers(zone, &command.name, &add.ds, &add.keys)?,
        go_ds: signers(zone, &command.name, &remove.ds, &remove.keys)?,
    })
}

/// Whether a domain names a host.
async fn names(
    context: &mut Context<'_, '_>,
    domain_id: i64,
    host: &HostName,
) -> Result<bool, RegistryError> {
    let query = rows::<(i64,)>(
        "SELECT h.id FROM delegations n JOIN hosts h ON h.id = n.host_id \
         WHERE n.domain_id = $1 AND h.name = $2",
    );
    let query = query.bind(domain_id).bind(host.as_str());
    context.tables().any(query).await
}

/// What the rules say of the name servers and the DS after an update; gives the DS that go.
async fn check_delegation(
    context: &mut Context<'_, '_>,
    command: &DomainUpdate,
    row: &DomainRow,
    zone: &ZoneRow,
    servers: &Servers<'_>,
) -> Result<Vec<DsData>, CommandError> {
    let name = command.name.as_str();
    let Servers {
        before,
        moves:
            Moves {
                come,
                go,
                come_ds,
                go_ds,
            },
        found,
    } = servers;
    let mut names = before.iter().map(|(name, _)| name.clone()).collect();
    difference(&mut names, come, go)?;
    let former = former_ds(context, row.id).await?;
    let (mut signers, mut removed) = (former.clone(), go_ds.clone());
    if command.remove_all_ds {
        // RFC 5910 section 5.2.5: what goes is gone before others come.
        removed.extend(std::mem::take(&mut signers));
    }
    difference(&mut signers, come_ds, go_ds)?;
    if !(come.is_empty() && go.is_empty()) {
        check_count(zone, names.len(), name)?;
    }
    check_glue(come, found)?;
    check_ds(come_ds, signers.len(), name)?;
    if !(come_ds.is_empty() && go.is_empty()) {
        let parts = (names.len(), signers.len());
        check_unsigned(&mut context.tables(), row.zone_id, name, parts).await?;
    }
    if come.is_empty() && come_ds.is_empty() {
        return Ok(removed);
    }
    let change = referral::Change {
        hosts: [
            before.iter().map(|(name, _)| name).collect(),
            names.iter().collect(),
        ],
        ds: [former.iter().collect(), signers.iter().collect()],
    };
    referral::check(&mut context.tables(), zone, name, &change).await?;
    servers::check(context, zone, &command.name, come).await?;
    Ok(removed)
}

/// Contacts that the update names anew.
async fn come(
    tables: &mut Tables<'_>,
    command: &DomainUpdate,
    sponsor: i64,
) -> Result<BTreeMap<Handle, i64>, CommandError> {
    let registrant = match &command.registrant {
        Some(Change::Set(handle)) => Some(handle),
        Some(Change::Remove) | None => None,
    };
    let handles = command.add.contacts.iter().map(|link| &link.contact);
    find_contacts(tables, handles.chain(registrant), sponsor).await
}

/// Contacts before and after, where the update is about them. Others are not looked at: a
/// domain that came before its zone's policy can still change its name servers.
async fn links(
    context: &mut Context<'_, '_>,
    command: &DomainUpdate,
    row: &DomainRow,
    zone: &ZoneRow,
) -> Result<Option<(Links, Links)>, CommandError> {
    let (add, remove) = (&command.add.contacts, &command.remove.contacts);
    if add.is_empty() && remove.is_empty() && command.registrant.is_none() {
        return Ok(None);
    }
    let mut tables = context.tables();
    let before = contacts_of(&mut tables, row.id).await?;
    let mut after = before.clone();
    difference(&mut after.contacts, add, remove)?;
    match &command.registrant {
        Some(Change::Set(handle)) => after.registrant = Some(handle.clone()),
        Some(Change::Remove) => after.registrant = None,
        None => {}
    }
    let model = data_model(&mut tables, zone, row.registrar_id).await?;
    after.check(&zone.policy, model, command.name.as_str())?;
    Ok(Some((before, after)))
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

async fn former_ds(
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
    policy: &RegistrationPolicy,
) -> Result<(), RegistryError> {
    let own =
        |change: Option<super::TtlChange>, before| change.map_or(before, super::TtlChange::column);
    let update = sqlx::query("UPDATE domains SET ns_ttl = $1, ds_ttl = $2 WHERE id = $3")
        .bind(own(command.ns_ttl, row.ns_ttl))
        .bind(own(command.ds_ttl, row.ds_ttl))
        .bind(row.id);
    context.tables().run(update).await?;
    let life = row.life(&context.tables())?;
    write_life(context, &life, statuses, policy).await
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
