//! `host create`.

use std::collections::BTreeSet;

use super::HostCreate;
use super::row::{Home, HostRow, find, home, insert_addresses};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::changes::ObjectKind;
use crate::registry::command::checks::{ADDRESSES_MAX, addresses, difference, sponsor};
use crate::registry::command::context::Context;
use crate::registry::command::past;
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
    let attribute = match find(&mut tables, name).await? {
        // Domains of other zones name it as their attribute: from now on it is an object.
        Some(row) if row.is_attribute() && is_external => Some(row),
        Some(row) if !row.is_attribute() => {
            return Err(rejected(ResultCode::ObjectExists, name, "there already"));
        }
        _ => None,
    };
    let superordinate = home.open_to(&acting, sponsor, name)?;
    check_addresses(name, &command.addresses, is_external, lab)?;
    let place = superordinate.map(|domain| (domain.domain_id, domain.zone_id));
    let new = New {
        name,
        place,
        sponsor,
        addresses: &command.addresses,
        is_attribute: false,
    };
    match attribute {
        Some(row) => adopt(context, &row, sponsor).await?,
        None => insert(context, &new).await?,
    }
    Ok(place.map(|(_, zone_id)| zone_id))
}

/// A host to be stored.
pub(super) struct New<'n> {
    pub(super) name: &'n super::HostName,
    /// The domain above it, and its zone.
    pub(super) place: Option<(i64, i64)>,
    pub(super) sponsor: i64,
    pub(super) addresses: &'n [super::Address],
    pub(super) is_attribute: bool,
}

/// Stores a host that was checked.
pub(super) async fn insert(
    context: &mut Context<'_, '_>,
    new: &New<'_>,
) -> Result<(), CommandError> {
    let (id, by) = (context.new_object(), context.acting.by.clone());
    let domain_id = new.place.map(|(domain_id, _)| domain_id);
    let insert = sqlx::query(
        "INSERT INTO hosts (id, name, domain_id, zone_id, registrar_id, statuses, created_at, \
         created_by, published, attribute, first_event) \
         VALUES ($1, $2, $3, $4, $5, '', $6, $7, 0, $8, $9)",
    )
    .bind(id)
    .bind(new.name.as_str())
    .bind(domain_id)
    .bind(new.place.map(|(_, zone_id)| zone_id))
    .bind(new.sponsor)
    .bind(context.at.0)
    .bind(by)
    .bind(i64::from(new.is_attribute))
    .bind(context.write.next_event());
    let mut tables = context.tables();
    tables.run(insert).await?;
    insert_addresses(&mut tables, id, new.addresses).await?;
    // Nobody names it yet, so nothing that is published changes but parking.
    Ok(refresh_parkable(context, domain_id).await?)
}

/// Makes an object of an attribute; the domains that name it go on to.
async fn adopt(
    context: &mut Context<'_, '_>,
    row: &HostRow,
    sponsor: i64,
) -> Result<(), CommandError> {
    past::keep(context, ObjectKind::Host, row.id).await?;
    let update = sqlx::query(
        "UPDATE hosts SET attribute = 0, registrar_id = $1, created_at = $2, created_by = $3 \
         WHERE id = $4",
    )
    .bind(sponsor)
    .bind(context.at.0)
    .bind(context.acting.by.clone())
    .bind(row.id);
    context.tables().run(update).await?;
    Ok(())
}

pub(super) fn check_addresses(
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
