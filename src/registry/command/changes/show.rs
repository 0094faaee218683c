//! `changes list` and `changes info`: what waits, and for whom.

use super::row::{Waiting, consents, count, existing, oldest};
use super::text::text_of;
use super::{ChangeInfo, ChangeList, ChangeText, LIST_MAX};
use crate::registry::audit::masked;
use crate::registry::code::ResultCode;
use crate::registry::command::answer::{Info, rejected};
use crate::registry::command::checks::{Acting, registrar};
use crate::registry::command::tables::{Tables, rows};
use crate::registry::command::{Command, CommandError, Role};
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
    let mut count = count(tables, whose).await?;
    let own = contact(tables, reader).await?;
    let mut changes = Vec::new();
    for waiting in oldest(tables, whose, LIST_MAX).await? {
        match own.as_deref().is_none_or(|own| concerns(&waiting, own)) {
            true => changes.push(shown(tables, waiting).await?),
            // What is another contact's is not to be counted either.
            false => count -= 1,
        }
    }
    Ok(Info::Changes(Box::new(ChangeList { count, changes })))
}

/// One.
pub(in crate::registry::command) async fn info(
    tables: &mut Tables<'_>,
    reader: &Acting,
    id: i64,
) -> Result<Info, CommandError> {
    let waiting = readable(tables, reader, id).await?;
    Ok(Info::Change(Box::new(shown(tables, waiting).await?)))
}

/// What of it is signed.
pub(in crate::registry::command) async fn text(
    tables: &mut Tables<'_>,
    reader: &Acting,
    id: i64,
) -> Result<Info, CommandError> {
    let waiting = readable(tables, reader, id).await?;
    let text = text_of(&waiting)?;
    Ok(Info::ChangeText(ChangeText { id, text }))
}

async fn readable(
    tables: &mut Tables<'_>,
    reader: &Acting,
    id: i64,
) -> Result<Waiting, CommandError> {
    let waiting = existing(tables, id).await?;
    let is_others = match contact(tables, reader).await? {
        Some(own) => !concerns(&waiting, &own),
        None => reader.registrar.is_some() && reader.registrar != waiting.registrar_id,
    };
    if is_others {
        let reason = "another's change";
        return Err(rejected(ResultCode::AuthorizationError, id, reason));
    }
    Ok(waiting)
}

/// The command that waits, if it does.
pub(in crate::registry::command) async fn waiting_command(
    tables: &mut Tables<'_>,
    id: i64,
) -> Result<Option<Command>, CommandError> {
    match existing(tables, id).await {
        Ok(waiting) => Ok(Some(waiting.command)),
        Err(CommandError::Rejected(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a contact asked for it or is asked about it.
fn concerns(waiting: &Waiting, contact: &str) -> bool {
    let needs = &waiting.needs;
    let mut asked = needs.registrant.iter().chain(&needs.signers);
    let is_own = matches!(&waiting.actor.role, Role::Contact(own) if own.as_str() == contact);
    is_own || asked.any(|handle| handle.as_str() == contact)
}

/// The handle of the contact that reads.
async fn contact(tables: &mut Tables<'_>, reader: &Acting) -> Result<Option<String>, CommandError> {
    let Some(id) = reader.contact else {
        return Ok(None);
    };
    let query = rows::<(String,)>("SELECT handle FROM contacts WHERE id = $1");
    let found = tables.optional(query.bind(id)).await?;
    Ok(found.map(|(handle,)| handle))
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
