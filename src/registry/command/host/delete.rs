//! `host delete`.

use super::row::{existing, is_linked};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{no_pending, not_prohibited, sponsorship};
use crate::registry::command::context::Context;
use crate::registry::command::publication::refresh_parkable;
use crate::registry::types::{HostName, Status};

pub(super) async fn delete(
    context: &mut Context<'_, '_>,
    name: &HostName,
) -> Result<Option<i64>, CommandError> {
    const PROHIBIT: [Status; 2] = [
        Status::ClientDeleteProhibited,
        Status::ServerDeleteProhibited,
    ];
    let mut tables = context.tables();
    let row = existing(&mut tables, name).await?;
    let statuses = row.statuses(&tables)?;
    let object = name.as_str();
    sponsorship(&context.acting, row.registrar_id, object)?;
    no_pending(&statuses, object)?;
    not_prohibited(&statuses, &PROHIBIT, object)?;
    let mut tables = context.tables();
    if is_linked(&mut tables, row.id).await? {
        let reason = "a name server of a domain";
        return Err(rejected(ResultCode::AssociationProhibits, object, reason));
    }
    for statement in [
        "DELETE FROM host_addresses WHERE host_id = $1",
        "DELETE FROM hosts WHERE id = $1",
    ] {
        tables.run(sqlx::query(statement).bind(row.id)).await?;
    }
    refresh_parkable(context, row.domain_id).await?;
    if let Some(zone_id) = row.zone_id {
        context.note_changed(zone_id, object);
    }
    Ok(row.zone_id)
}
