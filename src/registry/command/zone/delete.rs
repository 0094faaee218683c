//! `zone delete`.

use super::existing_active;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::context::Context;
use crate::registry::command::tables::rows;
use crate::registry::types::AnyName;

pub(super) async fn delete(
    context: &mut Context<'_, '_>,
    apex: &AnyName,
) -> Result<i64, CommandError> {
    let mut tables = context.tables();
    let row = existing_active(&mut tables, apex).await?;
    for used in [
        "SELECT id FROM domains WHERE zone_id = $1 LIMIT 1",
        "SELECT id FROM hosts WHERE zone_id = $1 LIMIT 1",
    ] {
        if tables.any(rows::<(i64,)>(used).bind(row.id)).await? {
            let reason = "domains or hosts are registered in it";
            return Err(rejected(ResultCode::AssociationProhibits, apex, reason));
        }
    }
    for statement in [
        "DELETE FROM made_signatures WHERE zone_id = $1",
        "DELETE FROM reserved_keys WHERE zone_id = $1",
        "DELETE FROM zone_keys WHERE zone_id = $1",
        "DELETE FROM signing_policies WHERE zone_id = $1",
        "DELETE FROM parking_servers WHERE zone_id = $1",
        "DELETE FROM parking_records WHERE zone_id = $1",
        "DELETE FROM zone_records WHERE zone_id = $1",
        "DELETE FROM held_labels WHERE zone_id = $1",
        "DELETE FROM idn_tables WHERE zone_id = $1",
        "DELETE FROM imports WHERE zone_id = $1",
        "DELETE FROM zones WHERE id = $1",
    ] {
        tables.run(sqlx::query(statement).bind(row.id)).await?;
    }
    context.note_changed(row.id, "");
    Ok(row.id)
}
