//! `changes list` and `changes info`: what waits, and for whom.

use super::row::{Waiting, consents, count, existing, oldest};
use super::{ChangeInfo, ChangeList, LIST_MAX};
use crate::registry::audit::masked;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::{Info, rejected};
use crate::registry::command::checks::{Acting, registrar};
use crate::registry::command::tables::Tables;
use crate::registry::types::Handle;

/// Those of one account, or all.
pub(in crate::registry::command) async fn list(
    tables: &mut Tables<'_>,
    reader: &Acting,
    named: Option<&Handle>,
) -> Result<Info, CommandError> {
    let whose = match named {
        None => reader.registrar,
        Some(handle) => {
            let found = registrar(tables, handle).await?.map(|(id, _)| id);
            if reader.registrar.is_some() && found != reader.registrar {
                let reason = "another registrar's changes";
                return Err(rejected(ResultCode::AuthorizationError, handle, reason));
            }
            let missing = || rejected(ResultCode::ObjectDoesNotExist, handle, "no such registrar");
            Some(found.ok_or_else(missing)?)
        }
    };
    let count = count(tables, whose).await?;
    let mut changes = Vec::new();
    for waiting in oldest(tables, whose, LIST_MAX).await? {
        changes.push(shown(tables, waiting).await?);
    }
    Ok(Info::Changes(Box::new(ChangeList { count, changes })))
}

/// One.
pub(in crate::registry::command) async fn info(
    tables: &mut Tables<'_>,
    reader: &Acting,
    id: i64,
) -> Result<Info, CommandError> {
    let waiting = existing(tables, id).await?;
    if reader.registrar.is_some() && reader.registrar != waiting.registrar_id {
        let reason = "another registrar's change";
        return Err(rejected(ResultCode::AuthorizationError, id, reason));
    }
    Ok(Info::Change(Box::new(shown(tables, waiting).await?)))
}

async fn shown(tables: &mut Tables<'_>, waiting: Waiting) -> Result<ChangeInfo, CommandError> {
    let consents = consents(tables, waiting.id).await?;
    let command = serde_json::to_value(&waiting.command);
    let command = command.map_err(|error| tables.inconsistent(error.to_string()))?;
    Ok(ChangeInfo {
        id: waiting.id,
        kind: waiting.command.kind().to_owned(),
        object_type: waiting.kind.column().to_owned(),
        object: waiting.object,
        asked_by: waiting.actor.logged(),
        asked_at: waiting.asked_at,
        event: waiting.event,
        expires_at: waiting.expires_at,
        needs: waiting.needs,
        consents,
        command: masked(command),
    })
}
