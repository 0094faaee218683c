//! `domain transfer` (RFC 5731 section 3.2.4): to another registrar, by authorization
//! information, with the consent of the one that has it or after a time without answer.
//!
//! A transfer takes the hosts below the domain along and unsets the authorization
//! information (RFC 9154 section 5). Statuses that the losing registrar set stay.

mod moved;
mod told;

use serde::{Deserialize, Serialize};

use super::row::{DomainRow, begin_grace, existing, graces, write_life};
use crate::registry::calendar::add_years;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::{Info, rejected};
use crate::registry::command::changes;
use crate::registry::command::checks::{
    Acting, ZoneRow, active, check_stage, no_pending, not_prohibited, registrar, sponsorship,
    zone_of,
};
use crate::registry::command::contact::copy_contacts;
use crate::registry::command::context::Context;
use crate::registry::command::lock;
use crate::registry::command::tables::{Tables, from_row, rows};
use crate::registry::database::Timestamp;
use crate::registry::error::RegistryError;
use crate::registry::life::{Grace, GraceKind, Life, after, is_too_long};
use crate::registry::policy::TransferContacts;
use crate::registry::signing::named;
use crate::registry::types::{AuthInfo, DomainName, Handle, Status, Years};

pub use moved::DomainMove;
pub(super) use moved::move_over;

named! {
    /// What is done about a transfer.
    TransferOp:
        /// Ask for it: the gaining registrar.
        Request = "request",
        /// Let it go: the losing one.
        Approve = "approve",
        /// Keep it: the losing one.
        Reject = "reject",
        /// Give it up: the gaining one.
        Cancel = "cancel",
        /// Show the last one.
        Query = "query",
}

named! {
    /// How a transfer stands (`trStatusType` of RFC 5730).
    TransferState:
        /// It waits for an answer.
        Pending = "pending",
        /// The losing registrar approved it.
        ClientApproved = "clientApproved",
        /// The losing registrar refused it.
        ClientRejected = "clientRejected",
        /// The gaining registrar gave it up.
        ClientCancelled = "clientCancelled",
        /// The registry approved it, or time did.
        ServerApproved = "serverApproved",
        /// The registry ended it.
        ServerCancelled = "serverCancelled",
}

/// A step of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DomainTransfer {
    /// The domain.
    pub name: DomainName,
    /// What is done.
    pub op: TransferOp,
    /// Years that a request adds; one if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Years>,
    /// To whom, where the registry asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrar: Option<Handle>,
    /// What authorizes a request, or another's look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_info: Option<AuthInfo>,
}

impl DomainTransfer {
    /// Whether it asks for the domain.
    pub(in crate::registry::command) fn is_request(&self) -> bool {
        self.op == TransferOp::Request
    }
}

/// The last transfer of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct TransferInfo {
    /// The domain.
    pub name: String,
    /// How it stands, in EPP's words.
    pub state: String,
    /// Who asked for it.
    pub gaining: String,
    /// When.
    pub requested_at: Timestamp,
    /// Who is to answer.
    pub losing: String,
    /// When it was answered, or is approved without an answer.
    pub acted_at: Timestamp,
    /// When the registration ends with it.
    pub expires_at: Option<Timestamp>,
}

struct Row {
    state: String,
    gaining: String,
    losing: String,
    years: i64,
    requested_at: i64,
    acted_at: i64,
    expires_at: Option<i64>,
}

from_row!(Row: state, gaining, losing, years, requested_at, acted_at, expires_at);

async fn last(tables: &mut Tables<'_>, domain_id: i64) -> Result<Option<Row>, RegistryError> {
    let query = rows::<Row>(
        "SELECT state, gaining, losing, years, requested_at, acted_at, expires_at \
         FROM transfers WHERE domain_id = $1",
    );
    tables.optional(query.bind(domain_id)).await
}

fn none_pending(name: &DomainName) -> CommandError {
    rejected(
        ResultCode::NotPendingTransfer,
        name,
        "no transfer is under way",
    )
}

/// Answers [`TransferOp::Query`].
pub(in crate::registry::command) async fn query(
    tables: &mut Tables<'_>,
    reader: &Acting,
    command: &DomainTransfer,
) -> Result<Info, CommandError> {
    let name = &command.name;
    let row = existing(tables, name).await?;
    let transfer = last(tables, row.id).await?;
    let is_party = match reader.registrar {
        None => true,
        Some(own) => {
            // Whoever gave it away may still see that it is gone.
            let sides = transfer.iter().flat_map(|row| [&row.gaining, &row.losing]);
            own == row.registrar_id || sides.into_iter().any(|side| *side == reader.by)
        }
    };
    match &command.auth_info {
        _ if is_party => {}
        Some(auth) if auth.matches(row.auth.as_deref()) => {}
        Some(_) => return Err(wrong_auth(name)),
        None => {
            let reason = "neither side of the transfer";
            return Err(rejected(ResultCode::AuthorizationError, name, reason));
        }
    }
    let never = || {
        rejected(
            ResultCode::NotPendingTransfer,
            name,
            "it was never transferred",
        )
    };
    let transfer = transfer.ok_or_else(never)?;
    Ok(Info::Transfer(shown(name, transfer)))
}

fn shown(name: &DomainName, transfer: Row) -> TransferInfo {
    TransferInfo {
        name: name.to_string(),
        state: transfer.state,
        gaining: transfer.gaining,
        requested_at: Timestamp(transfer.requested_at),
        losing: transfer.losing,
        acted_at: Timestamp(transfer.acted_at),
        expires_at: transfer.expires_at.map(Timestamp),
    }
}

pub(in crate::registry::command) fn wrong_auth(name: impl ToString) -> CommandError {
    let reason = "not its authorization information";
    rejected(ResultCode::InvalidAuthorization, name, reason)
}

pub(super) async fn transfer(
    context: &mut Context<'_, '_>,
    command: &DomainTransfer,
) -> Result<i64, CommandError> {
    if command.op == TransferOp::Request {
        return request(context, command).await;
    }
    let name = &command.name;
    let mut tables = context.tables();
    let row = existing(&mut tables, name).await?;
    let zone = zone_of(&mut tables, row.zone_id).await?;
    let waiting = last(&mut tables, row.id).await?;
    let waiting = waiting.filter(|transfer| transfer.state == TransferState::Pending.name());
    let is_registry = context.acting.registrar.is_none();
    let state = match command.op {
        TransferOp::Approve | TransferOp::Reject => {
            sponsorship(&context.acting, row.registrar_id, name.as_str())?;
            match (command.op, is_registry) {
                (TransferOp::Approve, true) => TransferState::ServerApproved,
                (TransferOp::Approve, false) => TransferState::ClientApproved,
                (_, true) => TransferState::ServerCancelled,
                (_, false) => TransferState::ClientRejected,
            }
        }
        _ => {
            let is_gaining = |transfer: &Row| transfer.gaining == context.acting.by;
            if !is_registry && !waiting.as_ref().is_none_or(is_gaining) {
                let reason = "asked for by another registrar";
                return Err(rejected(ResultCode::AuthorizationError, name, reason));
            }
            match is_registry {
                true => TransferState::ServerCancelled,
                false => TransferState::ClientCancelled,
            }
        }
    };
    active(&zone)?;
    // One that nobody was asked about yet is given up where it waits.
    let is_cancel = command.op == TransferOp::Cancel;
    if is_cancel && waiting.is_none() && changes::give_up_transfer(context, row.id).await? {
        return Ok(row.zone_id);
    }
    let waiting = waiting.ok_or_else(|| none_pending(name))?;
    match command.op {
        TransferOp::Approve => complete(context, &row, &zone, &waiting, state).await?,
        _ => end(context, &row, &zone, state).await?,
    }
    told::tell(context, name, row.id, state).await?;
    Ok(row.zone_id)
}

async fn request(
    context: &mut Context<'_, '_>,
    command: &DomainTransfer,
) -> Result<i64, CommandError> {
    const PROHIBIT: [Status; 2] = [
        Status::ClientTransferProhibited,
        Status::ServerTransferProhibited,
    ];
    let (name, at) = (&command.name, context.at);
    let is_registry = context.acting.registrar.is_none();
    if command.auth_info.is_none() && !is_registry {
        let reason = "authorization information is missing";
        return Err(rejected(ResultCode::ParameterMissing, name, reason));
    }
    let acting = context.acting.clone();
    let mut tables = context.tables();
    let row = existing(&mut tables, name).await?;
    let zone = zone_of(&mut tables, row.zone_id).await?;
    check_stage(&acting, &zone, name.as_str())?;
    let (mut statuses, life) = (row.statuses(&tables)?, row.life(&tables)?);
    let gaining = gaining(&mut tables, &acting, command.registrar.as_ref()).await?;
    let auth = command.auth_info.as_ref();
    let is_authorized = auth.map_or(is_registry, |auth| auth.matches(row.auth.as_deref()));
    if !is_authorized {
        return Err(wrong_auth(name));
    }
    active(&zone)?;
    no_pending(&statuses, name.as_str())?;
    not_prohibited(&statuses, &PROHIBIT, name.as_str())?;
    if gaining.0 == row.registrar_id {
        let reason = "it is there already";
        return Err(rejected(ResultCode::NotTransferable, name, reason));
    }
    let years = command.period.unwrap_or_default().count();
    let expires_at = expiry_after(&mut tables, &row, &life, years, at).await?;
    let most = zone.policy.years_max;
    if expires_at.is_some_and(|expires_at| is_too_long(at, expires_at, most)) {
        let reason = format!("it would be registered for more than {most} years");
        return Err(rejected(ResultCode::ParameterPolicy, name, reason));
    }
    let ends_at = after(at, zone.policy.transfer_wait);
    let losing = handle_of(&mut tables, row.registrar_id).await?;
    let transfer = Row {
        state: TransferState::Pending.name().to_owned(),
        gaining: gaining.1,
        losing,
        years: i64::from(years),
        requested_at: at.0,
        acted_at: ends_at.0,
        expires_at: expires_at.map(|at| at.0),
    };
    store(&mut tables, row.id, transfer).await?;
    statuses.begin(Status::PendingTransfer);
    let life = Life {
        transfer_ends_at: Some(ends_at),
        ..life
    };
    write_life(context, &life, &statuses, &zone.policy).await?;
    context.is_pending = true;
    told::tell(context, name, row.id, TransferState::Pending).await?;
    Ok(row.zone_id)
}

/// Keeps a transfer as the domain's last.
async fn store(
    tables: &mut Tables<'_>,
    domain_id: i64,
    transfer: Row,
) -> Result<(), RegistryError> {
    let insert = sqlx::query(
        "INSERT INTO transfers (domain_id, state, gaining, losing, years, requested_at, \
         acted_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (domain_id) DO UPDATE SET state = excluded.state, \
         gaining = excluded.gaining, losing = excluded.losing, years = excluded.years, \
         requested_at = excluded.requested_at, acted_at = excluded.acted_at, \
         expires_at = excluded.expires_at",
    )
    .bind(domain_id)
    .bind(transfer.state)
    .bind(transfer.gaining)
    .bind(transfer.losing)
    .bind(transfer.years)
    .bind(transfer.requested_at)
    .bind(transfer.acted_at)
    .bind(transfer.expires_at);
    tables.run(insert).await.map(drop)
}

/// Who gets it: the actor, or whom the registry names.
pub(in crate::registry::command) async fn gaining(
    tables: &mut Tables<'_>,
    acting: &Acting,
    named: Option<&Handle>,
) -> Result<(i64, String), CommandError> {
    let handle = match (acting.registrar, named) {
        (Some(own), None) => return Ok((own, acting.by.clone())),
        (Some(own), Some(handle)) if handle.as_str() == acting.by => {
            return Ok((own, acting.by.clone()));
        }
        (Some(_), Some(handle)) => {
            let reason = "a registrar asks for itself only";
            return Err(rejected(ResultCode::AuthorizationError, handle, reason));
        }
        (None, Some(handle)) => handle,
        (None, None) => {
            let reason = "name the gaining registrar";
            return Err(rejected(ResultCode::ParameterMissing, "registrar", reason));
        }
    };
    taker(tables, handle).await
}

/// A registrar that may get domains.
pub(in crate::registry) async fn taker(
    tables: &mut Tables<'_>,
    handle: &Handle,
) -> Result<(i64, String), CommandError> {
    match registrar(tables, handle).await? {
        Some((id, status)) if status == "active" => Ok((id, handle.to_string())),
        Some((_, status)) => {
            let reason = format!("the registrar is {status}");
            Err(rejected(ResultCode::StatusProhibits, handle, reason))
        }
        None => {
            let reason = "no such registrar";
            Err(rejected(ResultCode::ObjectDoesNotExist, handle, reason))
        }
    }
}

pub(in crate::registry::command) async fn handle_of(
    tables: &mut Tables<'_>,
    id: i64,
) -> Result<String, RegistryError> {
    let query = rows::<(String,)>("SELECT handle FROM registrars WHERE id = $1");
    let found = tables.optional(query.bind(id)).await?;
    let (handle,) = found.ok_or_else(|| tables.inconsistent(format!("no registrar {id}")))?;
    Ok(handle)
}

/// When the registration ends after a transfer that was asked for at `requested_at`. An
/// automatic renewal whose grace period held then is undone: its fee is the losing
/// registrar's, and is given back.
async fn expiry_after(
    tables: &mut Tables<'_>,
    row: &DomainRow,
    life: &Life,
    years: u8,
    requested_at: Timestamp,
) -> Result<Option<Timestamp>, RegistryError> {
    let Some(expires_at) = life.expires_at else {
        return Ok(None);
    };
    let graces = graces(tables, row.id).await?;
    let undone = graces
        .iter()
        .filter(|grace| grace.kind == GraceKind::AutoRenew && grace.ends_at > requested_at)
        .min_by_key(|grace| grace.started_at);
    // It began when the registration ended.
    let base = undone.map_or(expires_at, |grace| grace.started_at);
    Ok(Some(add_years(base, years)))
}

/// The domain goes over to the registrar that asked for it.
async fn complete(
    context: &mut Context<'_, '_>,
    row: &DomainRow,
    zone: &ZoneRow,
    transfer: &Row,
    state: TransferState,
) -> Result<(), CommandError> {
    let at = context.at;
    let mut tables = context.tables();
    let life = row.life(&tables)?;
    let years = u8::try_from(transfer.years).unwrap_or(Years::MAX);
    let requested_at = Timestamp(transfer.requested_at);
    let expires_at = expiry_after(&mut tables, row, &life, years, requested_at).await?;
    let gaining = Handle::parse(&transfer.gaining)?;
    let gaining = registrar(&mut tables, &gaining).await?;
    let (gaining, _) = gaining.ok_or_else(|| tables.inconsistent("a transfer to nobody"))?;
    moved::hand_over(context, row.id, gaining, at.0).await?;
    let grace = Grace {
        kind: GraceKind::Transfer,
        started_at: at,
        ends_at: after(at, zone.policy.transfer_grace),
        years,
    };
    begin_grace(context, row.id, &grace).await?;
    if zone.policy.transfer_contacts == TransferContacts::Copy {
        copy_contacts(context, row.id, gaining).await?;
    }
    let update = sqlx::query("UPDATE transfers SET expires_at = $1 WHERE domain_id = $2");
    let update = update.bind(expires_at.map(|at| at.0)).bind(row.id);
    context.tables().run(update).await?;
    let life = Life { expires_at, ..life };
    over(context, row, zone, life, state).await
}

/// It stays where it is.
async fn end(
    context: &mut Context<'_, '_>,
    row: &DomainRow,
    zone: &ZoneRow,
    state: TransferState,
) -> Result<(), CommandError> {
    let life = row.life(&context.tables())?;
    over(context, row, zone, life, state).await
}

async fn over(
    context: &mut Context<'_, '_>,
    row: &DomainRow,
    zone: &ZoneRow,
    life: Life,
    state: TransferState,
) -> Result<(), CommandError> {
    let update = sqlx::query("UPDATE transfers SET state = $1, acted_at = $2 WHERE domain_id = $3");
    let update = update.bind(state.name()).bind(context.at.0).bind(row.id);
    let mut tables = context.tables();
    tables.run(update).await?;
    let mut statuses = row.statuses(&tables)?;
    statuses.end(Status::PendingTransfer);
    lock::keep(context, row.id, &mut statuses).await?;
    let life = Life {
        transfer_ends_at: None,
        ..life
    };
    write_life(context, &life, &statuses, &zone.policy).await?;
    Ok(())
}

/// Nobody answered in time.
pub(super) async fn approve_unanswered(
    context: &mut Context<'_, '_>,
    name: &DomainName,
    row: &DomainRow,
    zone: &ZoneRow,
) -> Result<(), CommandError> {
    let waiting = last(&mut context.tables(), row.id).await?;
    let waiting = waiting.filter(|transfer| transfer.state == TransferState::Pending.name());
    let waiting = waiting.ok_or_else(|| none_pending(name))?;
    let state = TransferState::ServerApproved;
    complete(context, row, zone, &waiting, state).await?;
    told::tell(context, name, row.id, state).await
}
