//! `contact transfer` (RFC 5733 section 3.2.4): to another registrar, by authorization
//! information, with the consent of the one that has it or after a time without answer.
//!
//! Domains go on to name it, whoever sponsors them. Its authorization information is unset
//! (RFC 9154 section 5). A contact is in no zone, so the time to answer is one for all.

mod copy;

use serde::{Deserialize, Serialize};

use super::row::{ContactRow, existing};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::{Info, rejected};
use crate::registry::command::checks::{
    Acting, no_pending, not_prohibited, registrar, sponsorship,
};
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::domain::{
    TransferInfo, TransferOp, TransferState, gaining, handle_of, wrong_auth,
};
use crate::registry::command::notices::{Notice, NoticeKind};
use crate::registry::command::tables::{Tables, from_row, rows};
use crate::registry::database::Timestamp;
use crate::registry::error::RegistryError;
use crate::registry::life::after;
use crate::registry::types::{AuthInfo, Handle, Status, Statuses};

pub(in crate::registry::command) use copy::copy_contacts;

/// Seconds until a transfer that nobody answers is approved: as a zone's for domains, where
/// its policy says nothing else.
const WAIT_SECONDS: u32 = 432_000;

/// A step of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContactTransfer {
    /// The contact.
    pub handle: Handle,
    /// What is done.
    pub op: TransferOp,
    /// To whom, where the registry asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrar: Option<Handle>,
    /// What authorizes a request, or another's look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_info: Option<AuthInfo>,
}

/// A transfer that nobody answered in time: the timers' own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContactStep {
    /// The contact.
    pub handle: Handle,
    /// The moment that was stored for it.
    pub due_at: Timestamp,
}

struct Row {
    state: String,
    gaining: String,
    losing: String,
    requested_at: i64,
    acted_at: i64,
}

from_row!(Row: state, gaining, losing, requested_at, acted_at);

async fn last(tables: &mut Tables<'_>, contact_id: i64) -> Result<Option<Row>, RegistryError> {
    let query = rows::<Row>(
        "SELECT state, gaining, losing, requested_at, acted_at FROM contact_transfers \
         WHERE contact_id = $1",
    );
    tables.optional(query.bind(contact_id)).await
}

fn none_pending(handle: &Handle) -> CommandError {
    let reason = "no transfer is under way";
    rejected(ResultCode::NotPendingTransfer, handle, reason)
}

fn shown(handle: &Handle, transfer: Row) -> TransferInfo {
    TransferInfo {
        name: handle.to_string(),
        state: transfer.state,
        gaining: transfer.gaining,
        requested_at: Timestamp(transfer.requested_at),
        losing: transfer.losing,
        acted_at: Timestamp(transfer.acted_at),
        expires_at: None,
    }
}

/// Answers [`TransferOp::Query`].
pub(in crate::registry::command) async fn query(
    tables: &mut Tables<'_>,
    reader: &Acting,
    command: &ContactTransfer,
) -> Result<Info, CommandError> {
    let handle = &command.handle;
    super::change::offered(tables, reader, handle).await?;
    let row = existing(tables, handle).await?;
    let transfer = last(tables, row.id).await?;
    let is_party = reader.registrar.is_none_or(|own| {
        // Whoever gave it away may still see that it is gone.
        let mut sides = transfer.iter().flat_map(|row| [&row.gaining, &row.losing]);
        own == row.registrar_id || sides.any(|side| *side == reader.by)
    });
    match &command.auth_info {
        _ if is_party => {}
        Some(auth) if auth.matches(row.auth.as_deref()) => {}
        Some(_) => return Err(wrong_auth(handle)),
        None => {
            let reason = "neither side of the transfer";
            return Err(rejected(ResultCode::AuthorizationError, handle, reason));
        }
    }
    let never = || {
        let reason = "it was never transferred";
        rejected(ResultCode::NotPendingTransfer, handle, reason)
    };
    Ok(Info::ContactTransfer(shown(
        handle,
        transfer.ok_or_else(never)?,
    )))
}

pub(super) async fn transfer(
    context: &mut Context<'_, '_>,
    command: &ContactTransfer,
) -> Result<(), CommandError> {
    if command.op == TransferOp::Request {
        return request(context, command).await;
    }
    let handle = &command.handle;
    let acting = context.acting.clone();
    let mut tables = context.tables();
    super::change::offered(&mut tables, &acting, handle).await?;
    let row = existing(&mut tables, handle).await?;
    let waiting = waiting(&mut tables, row.id).await?;
    let is_registry = acting.registrar.is_none();
    let state = match (command.op, is_registry) {
        (TransferOp::Approve, true) => TransferState::ServerApproved,
        (TransferOp::Approve, false) => TransferState::ClientApproved,
        (_, true) => TransferState::ServerCancelled,
        (TransferOp::Reject, false) => TransferState::ClientRejected,
        (_, false) => TransferState::ClientCancelled,
    };
    if command.op == TransferOp::Cancel {
        let is_gaining = |transfer: &Row| transfer.gaining == acting.by;
        if !is_registry && !waiting.as_ref().is_none_or(is_gaining) {
            let reason = "asked for by another registrar";
            return Err(rejected(ResultCode::AuthorizationError, handle, reason));
        }
    } else {
        sponsorship(&acting, row.registrar_id, handle.as_str())?;
    }
    let waiting = waiting.ok_or_else(|| none_pending(handle))?;
    if command.op == TransferOp::Approve {
        hand_over(context, &row, &waiting).await?;
    }
    over(context, handle, &row, state).await
}

async fn waiting(tables: &mut Tables<'_>, contact_id: i64) -> Result<Option<Row>, RegistryError> {
    let last = last(tables, contact_id).await?;
    Ok(last.filter(|transfer| transfer.state == TransferState::Pending.name()))
}

async fn request(
    context: &mut Context<'_, '_>,
    command: &ContactTransfer,
) -> Result<(), CommandError> {
    const PROHIBIT: [Status; 2] = [
        Status::ClientTransferProhibited,
        Status::ServerTransferProhibited,
    ];
    let (handle, at) = (&command.handle, context.at);
    let acting = context.acting.clone();
    let is_registry = acting.registrar.is_none();
    if command.auth_info.is_none() && !is_registry {
        let reason = "authorization information is missing";
        return Err(rejected(ResultCode::ParameterMissing, handle, reason));
    }
    let mut tables = context.tables();
    super::change::offered(&mut tables, &acting, handle).await?;
    let row = existing(&mut tables, handle).await?;
    let mut statuses = row.statuses(&tables)?;
    let gaining = gaining(&mut tables, &acting, command.registrar.as_ref()).await?;
    let auth = command.auth_info.as_ref();
    let is_authorized = auth.map_or(is_registry, |auth| auth.matches(row.auth.as_deref()));
    if !is_authorized {
        return Err(wrong_auth(handle));
    }
    no_pending(&statuses, handle.as_str())?;
    row.not_erased(handle)?;
    not_prohibited(&statuses, &PROHIBIT, handle.as_str())?;
    if gaining.0 == row.registrar_id {
        let reason = "it is there already";
        return Err(rejected(ResultCode::NotTransferable, handle, reason));
    }
    let losing = handle_of(&mut tables, row.registrar_id).await?;
    let insert = sqlx::query(
        "INSERT INTO contact_transfers (contact_id, state, gaining, losing, requested_at, \
         acted_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (contact_id) DO UPDATE SET \
         state = excluded.state, gaining = excluded.gaining, losing = excluded.losing, \
         requested_at = excluded.requested_at, acted_at = excluded.acted_at",
    )
    .bind(row.id)
    .bind(TransferState::Pending.name())
    .bind(gaining.1)
    .bind(losing)
    .bind(at.0)
    .bind(after(at, WAIT_SECONDS).0);
    tables.run(insert).await?;
    statuses.begin(Status::PendingTransfer);
    store(context, row.id, &statuses).await?;
    context.is_pending = true;
    tell(context, handle, row.id, TransferState::Pending).await
}

async fn store(
    context: &mut Context<'_, '_>,
    id: i64,
    statuses: &Statuses,
) -> Result<(), RegistryError> {
    let update = sqlx::query("UPDATE contacts SET statuses = $1 WHERE id = $2");
    let update = update.bind(statuses.column()).bind(id);
    context.tables().run(update).await?;
    context.touch(Touched::Contact, id).await
}

/// Nobody answered in time.
pub(super) async fn step(
    context: &mut Context<'_, '_>,
    command: &ContactStep,
) -> Result<(), CommandError> {
    let handle = &command.handle;
    if !context.is_system {
        let reason = "only the registry's timers do this";
        return Err(rejected(ResultCode::AuthorizationError, handle, reason));
    }
    let mut tables = context.tables();
    let row = existing(&mut tables, handle).await?;
    let waiting = waiting(&mut tables, row.id).await?;
    let is_due = |transfer: &Row| transfer.acted_at == command.due_at.0;
    let Some(waiting) = waiting
        .filter(is_due)
        .filter(|_| command.due_at <= context.at)
    else {
        let reason = "no transfer of it is due";
        return Err(rejected(ResultCode::StatusProhibits, handle, reason));
    };
    hand_over(context, &row, &waiting).await?;
    over(context, handle, &row, TransferState::ServerApproved).await
}

/// The contact has another sponsor from now on; what authorized it is void.
async fn hand_over(
    context: &mut Context<'_, '_>,
    row: &ContactRow,
    transfer: &Row,
) -> Result<(), CommandError> {
    let at = context.at.0;
    let mut tables = context.tables();
    let gaining = Handle::parse(&transfer.gaining)?;
    let gaining = registrar(&mut tables, &gaining).await?;
    let (gaining, _) = gaining.ok_or_else(|| tables.inconsistent("a transfer to nobody"))?;
    let update = sqlx::query(
        "UPDATE contacts SET registrar_id = $1, transferred_at = $2, auth = NULL WHERE id = $3",
    );
    tables
        .run(update.bind(gaining).bind(at).bind(row.id))
        .await?;
    Ok(())
}

/// The transfer has its end, whichever.
async fn over(
    context: &mut Context<'_, '_>,
    handle: &Handle,
    row: &ContactRow,
    state: TransferState,
) -> Result<(), CommandError> {
    let update =
        sqlx::query("UPDATE contact_transfers SET state = $1, acted_at = $2 WHERE contact_id = $3");
    let update = update.bind(state.name()).bind(context.at.0).bind(row.id);
    let mut tables = context.tables();
    tables.run(update).await?;
    let mut statuses = row.statuses(&tables)?;
    statuses.end(Status::PendingTransfer);
    store(context, row.id, &statuses).await?;
    tell(context, handle, row.id, state).await
}

/// The sides hear of what they did not do themselves (RFC 5730 section 2.9.2.3).
async fn tell(
    context: &mut Context<'_, '_>,
    handle: &Handle,
    contact_id: i64,
    state: TransferState,
) -> Result<(), CommandError> {
    let kind = match state {
        TransferState::Pending => NoticeKind::ContactTransferRequested,
        TransferState::ClientApproved | TransferState::ServerApproved => {
            NoticeKind::ContactTransferApproved
        }
        TransferState::ClientRejected => NoticeKind::ContactTransferRejected,
        TransferState::ClientCancelled | TransferState::ServerCancelled => {
            NoticeKind::ContactTransferCancelled
        }
    };
    let own = context.acting.registrar;
    let mut tables = context.tables();
    let transfer = last(&mut tables, contact_id).await?;
    let transfer = transfer.ok_or_else(|| tables.inconsistent("a transfer without a row"))?;
    let mut sides = Vec::new();
    for side in [&transfer.losing, &transfer.gaining] {
        // A registrar that was removed meanwhile has no queue.
        if let Some((id, _)) = registrar(&mut tables, &Handle::parse(side)?).await? {
            sides.push(id);
        }
    }
    let state = serde_json::to_value(shown(handle, transfer));
    let state = state.map_err(|error| tables.inconsistent(error.to_string()))?;
    for side in sides.into_iter().filter(|side| own != Some(*side)) {
        let mut notice = Notice::new(side, kind, handle.as_str());
        notice.after = Some(state.clone());
        context.notices.push(notice);
    }
    Ok(())
}
