//! `domain create`.

use std::collections::BTreeSet;

use super::DomainCreate;
use super::check::{Asked, permitted, registrable, unregistered};
use super::keys::{signers, store};
use super::networks;
use super::row::{begin_grace, store_life, write_auth};
use super::servers;
use super::set::{
    check_count, check_ds, check_glue, check_model, find_hosts, insert_parts, names_of,
};
use crate::registry::calendar::add_years;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{
    StatusChange, ZoneRow, ancestry, closest_zone, data_model, difference, sponsor,
};
use crate::registry::command::contact::{Links, find_contacts, write_links};
use crate::registry::command::context::Context;
use crate::registry::command::host::make;
use crate::registry::command::idn;
use crate::registry::command::publication::{refresh_domain, refresh_hosts};
use crate::registry::command::referral;
use crate::registry::command::zone::parking::check_unsigned;
use crate::registry::life::{Grace, GraceKind, Life, after};
use crate::registry::types::{Statuses, Years};

pub(super) async fn create(
    context: &mut Context<'_, '_>,
    command: &DomainCreate,
) -> Result<i64, CommandError> {
    let name = command.name.as_str();
    let acting = context.acting.clone();
    let mut tables = context.tables();
    let sponsor = sponsor(&mut tables, &acting, command.registrar.as_ref()).await?;
    let closest = closest_zone(&mut tables, &ancestry(name)).await?;
    permitted(&acting, closest.as_ref(), &command.name)?;
    unregistered(&mut tables, &command.name).await?;
    let mut found = find_hosts(&mut tables, &command.hosts).await?;
    let links = Links {
        registrant: command.registrant.clone(),
        contacts: command.contacts.iter().cloned().collect(),
    };
    let handles = command.contacts.iter().map(|link| &link.contact);
    let handles = handles.chain(&command.registrant);
    let contacts = find_contacts(&mut tables, handles, sponsor).await?;
    let asked = Asked {
        idn_tag: command.idn_tag.as_deref(),
        consent: command.consent.as_deref(),
        token: command.token.as_ref(),
    };
    let (zone, admitted) = registrable(&mut tables, &acting, closest, &command.name, asked).await?;
    check_period(&zone, command.period, name)?;
    let change = StatusChange {
        add: &command.statuses,
        remove: &[],
        is_all: false,
    };
    let statuses = change.apply(&Statuses::default(), &acting)?;
    check_model(&zone, &command.hosts, &command.attributes)?;
    let hosts = names_of(&command.hosts, &command.attributes);
    difference(&mut BTreeSet::new(), &hosts, &[])?;
    let ds = signers(&zone, &command.name, &command.ds, &command.keys)?;
    difference(&mut BTreeSet::new(), &ds, &[])?;
    difference(&mut BTreeSet::new(), &command.contacts, &[])?;
    let model = data_model(&mut tables, &zone, sponsor).await?;
    links.check(&zone.policy, model, name)?;
    check_count(&zone, hosts.len(), name)?;
    let id = insert(context, command, &zone, sponsor, &statuses).await?;
    if !command.attributes.is_empty() {
        make(context, &command.attributes, sponsor).await?;
        found = find_hosts(&mut context.tables(), &hosts).await?;
    }
    check_glue(&hosts, &found)?;
    check_ds(&ds, ds.len(), name)?;
    let change = referral::Change {
        hosts: [Vec::new(), hosts.iter().collect()],
        ds: [Vec::new(), ds.iter().collect()],
    };
    referral::check(&mut context.tables(), &zone, name, &change).await?;
    servers::check(context, &zone, &command.name, &hosts).await?;
    let parts = (hosts.len(), ds.len());
    check_unsigned(&mut context.tables(), zone.id, name, parts).await?;

    begin(context, id, command.period, &statuses, &zone).await?;
    if let Some(auth) = &command.auth_info {
        write_auth(context, id, &command.name, auth).await?;
    }
    let mut tables = context.tables();
    let hosts: Vec<_> = found.values().map(|host| host.id).collect();
    write_links(&mut tables, id, &Links::default(), &links, &contacts).await?;
    insert_parts(&mut tables, id, hosts.iter().copied(), &ds).await?;
    store(&mut tables, id, &command.keys, &[], false).await?;
    idn::note(context, zone.id, id, &admitted).await?;
    refresh_domain(context, id, statuses.allow_publication()).await?;
    refresh_hosts(context, hosts).await?;
    networks::note(context, id, found.values()).await?;
    Ok(zone.id)
}

/// The domain itself, which its name servers can then be below. A command that is refused
/// later leaves nothing of it.
async fn insert(
    context: &mut Context<'_, '_>,
    command: &DomainCreate,
    zone: &ZoneRow,
    sponsor: i64,
    statuses: &Statuses,
) -> Result<i64, CommandError> {
    let (id, by) = (context.new_object(), context.acting.by.clone());
    let insert = sqlx::query(
        "INSERT INTO domains (id, zone_id, name, registrar_id, statuses, created_at, \
         created_by, published, first_event) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)",
    )
    .bind(id)
    .bind(zone.id)
    .bind(command.name.as_str())
    .bind(sponsor)
    .bind(statuses.column())
    .bind(context.at.0)
    .bind(by)
    .bind(context.write.next_event());
    context.tables().run(insert).await?;
    Ok(id)
}

/// The first day of a registration.
async fn begin(
    context: &mut Context<'_, '_>,
    id: i64,
    period: Years,
    statuses: &Statuses,
    zone: &ZoneRow,
) -> Result<(), CommandError> {
    let (at, years) = (context.at, period.count());
    let grace = Grace {
        kind: GraceKind::Add,
        started_at: at,
        ends_at: after(at, zone.policy.add_grace),
        years,
    };
    begin_grace(context, id, &grace).await?;
    let life = Life::new(id, add_years(at, years));
    Ok(store_life(context, &life, statuses, &zone.policy).await?)
}

/// Years that the zone's policy allows.
fn check_period(zone: &ZoneRow, period: Years, name: &str) -> Result<(), CommandError> {
    let (years, policy) = (u32::from(period.count()), &zone.policy);
    let (least, most) = (policy.years_min, policy.years_max);
    if (least..=most).contains(&years) {
        return Ok(());
    }
    let reason = format!("{years} years; {least} to {most} here");
    Err(rejected(ResultCode::ParameterPolicy, name, reason))
}
