//! `domain create`.

use std::collections::BTreeSet;

use super::DomainCreate;
use super::check::{Asked, registrable, unregistered};
use super::networks;
use super::row::{begin_grace, store_life, write_auth};
use super::servers;
use super::set::{check_count, check_ds, check_glue, find_hosts, insert_parts};
use crate::registry::calendar::add_years;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{StatusChange, ZoneRow, data_model, difference, sponsor};
use crate::registry::command::contact::{Links, find_contacts, write_links};
use crate::registry::command::context::Context;
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
    let (acting, at) = (context.acting.clone(), context.at);
    let mut tables = context.tables();
    let sponsor = sponsor(&mut tables, &acting, command.registrar.as_ref()).await?;
    unregistered(&mut tables, &command.name).await?;
    let found = find_hosts(&mut tables, &command.hosts).await?;
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
    };
    let (zone, admitted) = registrable(&mut tables, &acting, &command.name, asked).await?;
    check_period(&zone, command.period, name)?;
    let change = StatusChange {
        add: &command.statuses,
        remove: &[],
        is_all: false,
    };
    let statuses = change.apply(&Statuses::default(), &acting)?;
    difference(&mut BTreeSet::new(), &command.hosts, &[])?;
    difference(&mut BTreeSet::new(), &command.ds, &[])?;
    difference(&mut BTreeSet::new(), &command.contacts, &[])?;
    let model = data_model(&mut tables, &zone, sponsor).await?;
    links.check(&zone.policy, model, name)?;
    check_count(&zone, command.hosts.len(), name)?;
    check_glue(&command.hosts, &found)?;
    check_ds(&command.ds, command.ds.len(), name)?;
    let change = referral::Change {
        hosts: [Vec::new(), command.hosts.iter().collect()],
        ds: [Vec::new(), command.ds.iter().collect()],
    };
    referral::check(&mut tables, &zone, name, &change).await?;
    servers::check(context, &zone, &command.name, &command.hosts).await?;
    let parts = (command.hosts.len(), command.ds.len());
    check_unsigned(&mut context.tables(), zone.id, name, parts).await?;

    let id = context.new_object();
    let insert = sqlx::query(
        "INSERT INTO domains (id, zone_id, name, registrar_id, statuses, created_at, \
         created_by, published, first_event) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)",
    )
    .bind(id)
    .bind(zone.id)
    .bind(name)
    .bind(sponsor)
    .bind(statuses.column())
    .bind(at.0)
    .bind(acting.by.as_str())
    .bind(context.write.next_event());
    context.tables().run(insert).await?;
    begin(context, id, command.period, &statuses, &zone).await?;
    if let Some(auth) = &command.auth_info {
        write_auth(context, id, &command.name, auth).await?;
    }
    let mut tables = context.tables();
    let hosts: Vec<_> = found.values().map(|host| host.id).collect();
    write_links(&mut tables, id, &Links::default(), &links, &contacts).await?;
    insert_parts(&mut tables, id, hosts.iter().copied(), &command.ds).await?;
    idn::note(context, zone.id, id, &admitted).await?;
    refresh_domain(context, id, statuses.allow_publication()).await?;
    refresh_hosts(context, hosts).await?;
    networks::note(context, id, found.values()).await?;
    Ok(zone.id)
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
