//! A host that waits to be created: its name is held, and nothing else.

use super::HostCreate;
use super::row::{Home, home};
use crate::registry::command::CommandError;
use crate::registry::command::checks::sponsor;
use crate::registry::command::context::Context;
use crate::registry::types::{Status, Statuses};

/// Holds a name. Without an address the host is nobody's name server (2306).
pub(in crate::registry::command) async fn hold_name(
    context: &mut Context<'_, '_>,
    command: &HostCreate,
    id: i64,
) -> Result<(), CommandError> {
    let acting = context.acting.clone();
    let mut tables = context.tables();
    let sponsor = sponsor(&mut tables, &acting, command.registrar.as_ref()).await?;
    let place = match home(&mut tables, &command.name).await? {
        Home::Internal(domain) => Some((domain.domain_id, domain.zone_id)),
        Home::External | Home::Nowhere => None,
    };
    let mut statuses = Statuses::default();
    statuses.begin(Status::PendingCreate);
    let insert = sqlx::query(
        "INSERT INTO hosts (id, name, domain_id, zone_id, registrar_id, statuses, created_at, \
         created_by, published, first_event) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)",
    )
    .bind(id)
    .bind(command.name.as_str())
    .bind(place.map(|(domain_id, _)| domain_id))
    .bind(place.map(|(_, zone_id)| zone_id))
    .bind(sponsor)
    .bind(statuses.column())
    .bind(context.at.0)
    .bind(acting.by)
    .bind(context.write.next_event());
    context.tables().run(insert).await?;
    Ok(())
}
