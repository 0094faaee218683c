//! The queue of a registrar's messages (RFC 5730 section 2.9.2.3): read the oldest, and
//! acknowledge it, which removes it.
//!
//! A message stays until it is acknowledged, and nobody but its registrar, or the registry
//! in its name, can acknowledge it.

use serde::{Deserialize, Serialize};

use super::super::code::ResultCode;
use super::super::database::Timestamp;
use super::super::error::RegistryError;
use super::super::types::Handle;
use super::CommandError;
use super::answer::{Info, rejected};
use super::checks::{Acting, registrar};
use super::context::Context;
use super::notices::{Content, NoticeKind, ObjectType};
use super::tables::{Tables, from_row, rows};

/// A command on the queue of one registrar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PollCommand {
    /// Show the oldest message.
    Next {
        /// Whose; a registrar's own if it is not named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        registrar: Option<Handle>,
    },
    /// Remove a message that was read.
    Ack {
        /// Its number.
        id: i64,
        /// Whose; a registrar's own if it is not named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        registrar: Option<Handle>,
    },
}

impl PollCommand {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Next { .. } => "poll-next",
            Self::Ack { .. } => "poll-ack",
        }
    }

    pub(super) fn registrar(&self) -> Option<&Handle> {
        match self {
            Self::Next { registrar } | Self::Ack { registrar, .. } => registrar.as_ref(),
        }
    }
}

/// A queue as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct PollInfo {
    /// Messages that wait.
    pub count: i64,
    /// The oldest.
    pub message: Option<Message>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Message {
    /// Its number, for the acknowledgement.
    pub id: i64,
    /// The change that it tells of; of several, the last.
    pub event: i64,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// Its kind.
    pub kind: NoticeKind,
    /// What its object is.
    pub object_type: ObjectType,
    /// Name of its object.
    pub object: String,
    /// The operation (RFC 8590 section 2.1).
    pub operation: &'static str,
    /// The operation's `op` attribute.
    pub op: Option<&'static str>,
    /// Changes that it stands for.
    pub changes: i64,
    /// The rest.
    pub content: Content,
}

struct Row {
    id: i64,
    event: i64,
    queued_at: i64,
    kind: String,
    object: String,
    changes: i64,
    content: String,
}

from_row!(Row: id, event, queued_at, kind, object, changes, content);

/// Whose queue: a registrar's own, or the one that the registry names.
async fn whose(
    tables: &mut Tables<'_>,
    acting: &Acting,
    named: Option<&Handle>,
) -> Result<i64, CommandError> {
    let Some(handle) = named else {
        let reason = "name the registrar whose queue it is";
        let missing = || rejected(ResultCode::ParameterMissing, "registrar", reason);
        return acting.registrar.ok_or_else(missing);
    };
    let found = registrar(tables, handle).await?;
    match (found, acting.registrar) {
        (Some((id, _)), None) => Ok(id),
        (Some((id, _)), Some(own)) if id == own => Ok(id),
        (_, Some(_)) => {
            let reason = "another registrar's queue";
            Err(rejected(ResultCode::AuthorizationError, handle, reason))
        }
        (None, None) => {
            let reason = "no such registrar";
            Err(rejected(ResultCode::ObjectDoesNotExist, handle, reason))
        }
    }
}

/// The oldest message and how many wait.
pub(super) async fn info(
    tables: &mut Tables<'_>,
    acting: &Acting,
    command: &PollCommand,
) -> Result<Info, CommandError> {
    let registrar = whose(tables, acting, command.registrar()).await?;
    let count = rows::<(i64,)>("SELECT waiting FROM poll_queues WHERE registrar_id = $1");
    let count = tables.optional(count.bind(registrar)).await?;
    let oldest = rows::<Row>(
        "SELECT id, event, queued_at, kind, object, changes, content FROM poll_messages \
         WHERE registrar_id = $1 ORDER BY id LIMIT 1",
    );
    let message = match tables.optional(oldest.bind(registrar)).await? {
        Some(row) => Some(message(tables, row)?),
        None => None,
    };
    Ok(Info::Poll(Box::new(PollInfo {
        count: count.map_or(0, |(count,)| count),
        message,
    })))
}

fn message(tables: &Tables<'_>, row: Row) -> Result<Message, RegistryError> {
    let id = row.id;
    let kind = NoticeKind::parse(&row.kind);
    let kind = kind.ok_or_else(|| tables.inconsistent(format!("message {id}: unknown kind")))?;
    let content = serde_json::from_str(&row.content);
    let content = content.map_err(|e| tables.inconsistent(format!("message {id}: {e}")))?;
    let (operation, op) = kind.operation();
    Ok(Message {
        id,
        event: row.event,
        queued_at: Timestamp(row.queued_at),
        kind,
        object_type: kind.object_type(),
        object: row.object,
        operation,
        op,
        changes: row.changes,
        content,
    })
}

/// Acknowledges a message; queues are in no zone.
pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &PollCommand,
) -> Result<Option<i64>, CommandError> {
    let PollCommand::Ack { id, .. } = command else {
        unreachable!("reads change nothing")
    };
    let acting = context.acting.clone();
    let mut tables = context.tables();
    let registrar = whose(&mut tables, &acting, command.registrar()).await?;
    let remove = sqlx::query("DELETE FROM poll_messages WHERE id = $1 AND registrar_id = $2");
    if tables.run(remove.bind(*id).bind(registrar)).await? == 0 {
        let reason = "no such message";
        return Err(rejected(ResultCode::ObjectDoesNotExist, id, reason));
    }
    let count = sqlx::query("UPDATE poll_queues SET waiting = waiting - 1 WHERE registrar_id = $1");
    tables.run(count.bind(registrar)).await?;
    Ok(None)
}
