//! What changes that wait for somebody's consent, and locks, need of a domain's row.

use super::DomainCreate;
use super::row::{existing, existing_by_id, store_life};
use crate::registry::command::changes::ObjectKind;
use crate::registry::command::checks::{
    active, ancestry, closest_zone, no_pending, sponsor, sponsorship, zone_of,
};
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::tables::{Tables, rows};
use crate::registry::command::{CommandError, past};
use crate::registry::error::RegistryError;
use crate::registry::types::{DomainName, Status, Statuses};

/// Holds a name: a domain that waits to be created has a row with its status and nothing
/// else, so nobody else gets the name and its number stays.
pub(in crate::registry::command) async fn hold_name(
    context: &mut Context<'_, '_>,
    command: &DomainCreate,
    id: i64,
) -> Result<(), CommandError> {
    let acting = context.acting.clone();
    let mut tables = context.tables();
    let sponsor = sponsor(&mut tables, &acting, command.registrar.as_ref()).await?;
    let above = ancestry(command.name.as_str());
    let zone = closest_zone(&mut tables, &above).await?;
    let zone = zone.ok_or_else(|| tables.inconsistent("a domain outside every zone"))?;
    let mut statuses = Statuses::default();
    statuses.begin(Status::PendingCreate);
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
    .bind(acting.by)
    .bind(context.write.next_event());
    context.tables().run(insert).await?;
    Ok(())
}

/// Writes statuses, and what is due with them; whether it is published stays.
pub(in crate::registry::command) async fn store_statuses(
    context: &mut Context<'_, '_>,
    id: i64,
    statuses: &Statuses,
) -> Result<(), CommandError> {
    let mut tables = context.tables();
    let Some(row) = existing_by_id(&mut tables, id).await? else {
        return Ok(());
    };
    let zone = zone_of(&mut tables, row.zone_id).await?;
    let life = row.life(&tables)?;
    past::keep(context, ObjectKind::Domain, id).await?;
    Ok(store_life(context, &life, statuses, &zone.policy).await?)
}

/// Says that a domain was changed now.
pub(in crate::registry::command) async fn touch(
    context: &mut Context<'_, '_>,
    id: i64,
) -> Result<(), RegistryError> {
    context.touch(Touched::Domain, id).await
}

/// Id and statuses, if it is there.
pub(in crate::registry::command) async fn statuses_of(
    context: &mut Context<'_, '_>,
    name: &DomainName,
) -> Result<Option<(i64, Statuses)>, CommandError> {
    let query = rows::<(i64, String)>("SELECT id, statuses FROM domains WHERE name = $1");
    let found = context.tables().optional(query.bind(name.as_str())).await?;
    let read = |(id, column): (i64, String)| Ok((id, Statuses::from_column(&column)?));
    found.map(read).transpose()
}

/// Id, zone and statuses of a domain that the actor may change and that waits for nothing.
pub(in crate::registry::command) async fn changeable(
    context: &mut Context<'_, '_>,
    name: &DomainName,
) -> Result<(i64, i64, Statuses), CommandError> {
    let mut tables = context.tables();
    let row = existing(&mut tables, name).await?;
    let zone = zone_of(&mut tables, row.zone_id).await?;
    let statuses = row.statuses(&tables)?;
    sponsorship(&context.acting, row.registrar_id, name.as_str())?;
    active(&zone)?;
    no_pending(&statuses, name.as_str())?;
    Ok((row.id, row.zone_id, statuses))
}

/// What authorizes a transfer, as it is kept.
pub(in crate::registry::command) async fn kept_auth(
    tables: &mut Tables<'_>,
    name: &str,
) -> Result<Option<Vec<u8>>, RegistryError> {
    let query = rows::<(Option<Vec<u8>>,)>("SELECT auth FROM domains WHERE name = $1");
    let found = tables.optional(query.bind(name)).await?;
    Ok(found.and_then(|(auth,)| auth))
}
