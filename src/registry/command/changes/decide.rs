//! What becomes of a change that waits.

use super::object::{ObjectKind, release, write_statuses};
use super::row::{Waiting, consents, existing, of_object};
use super::{APPROVER, Consent, Review};
use crate::registry::code::ResultCode;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::registry_only;
use crate::registry::command::context::Context;
use crate::registry::command::notices::{Notice, NoticeKind};
use crate::registry::command::{CommandError, Outcome, Role, lock, perform};
use crate::registry::database::Timestamp;
use crate::registry::types::Statuses;

/// An operator agrees; the last one that is needed makes the change.
pub(super) async fn approve(context: &mut Context<'_, '_>, id: i64) -> Result<(), CommandError> {
    registry_only(&context.acting, "changes")?;
    let waiting = load(context, id).await?;
    approver(context, &waiting)?;
    agree(context, &waiting, APPROVER).await
}

async fn load(context: &mut Context<'_, '_>, id: i64) -> Result<Waiting, CommandError> {
    let waiting = existing(&mut context.tables(), id).await?;
    context.about = Some(waiting.object.clone());
    Ok(waiting)
}

/// Counts the actor's consent; the last that is needed makes the change.
async fn agree(
    context: &mut Context<'_, '_>,
    waiting: &Waiting,
    kind: &'static str,
) -> Result<(), CommandError> {
    let own = Consent {
        kind: kind.to_owned(),
        who: context.who.clone(),
        at: context.at,
        event: context.write.next_event(),
    };
    let mut agreed = consents(&mut context.tables(), waiting.id).await?;
    let is_his = |consent: &Consent| consent.kind == own.kind && consent.who == own.who;
    if agreed.iter().any(is_his) {
        let reason = format!("{} agreed already", own.who);
        return Err(rejected(ResultCode::ParameterPolicy, waiting.id, reason));
    }
    agreed.push(own.clone());
    if waiting.needs.are_met(&agreed) {
        context.made = make(context, waiting).await?.event();
        tell(context, waiting, true);
        return Ok(());
    }
    context.is_pending = true;
    let insert = sqlx::query(
        "INSERT INTO consents (change_id, kind, who, at, event) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(waiting.id)
    .bind(kind)
    .bind(own.who)
    .bind(own.at.0)
    .bind(own.event);
    context.tables().run(insert).await?;
    Ok(())
}

/// Whoever is asked, and nobody for a change of his own.
fn approver(context: &Context<'_, '_>, waiting: &Waiting) -> Result<(), CommandError> {
    let refuse = |reason| {
        let code = ResultCode::AuthorizationError;
        Err(rejected(code, waiting.id, reason))
    };
    let who = context.who.as_str();
    if context.is_system || !waiting.needs.ask_for(who) {
        return refuse(format!("{who} is none of its approvers"));
    }
    if waiting.actor.role == Role::Operator && waiting.actor.who == who {
        return refuse(format!("{who} asked for it"));
    }
    Ok(())
}

/// Runs the command that was asked for, now.
async fn make(context: &mut Context<'_, '_>, waiting: &Waiting) -> Result<Outcome, CommandError> {
    let held = unwait(context, waiting, true).await?;
    lock::lift(context, &waiting.command).await?;
    let request = waiting.request(context.at);
    let done = Box::pin(perform(context.write, &request, held)).await?;
    lock::apply(context, waiting.object_id).await?;
    Ok(done)
}

/// Tries a change that waits as if everybody had agreed; the caller undoes it.
pub(in crate::registry::command) async fn run_now(
    context: &mut Context<'_, '_>,
    id: i64,
) -> Result<(), CommandError> {
    let waiting = load(context, id).await?;
    make(context, &waiting).await.map(drop)
}

/// The object is what it was, and the change is in no queue. The id of an object that was
/// only a name.
async fn unwait(
    context: &mut Context<'_, '_>,
    waiting: &Waiting,
    is_kept: bool,
) -> Result<Option<i64>, CommandError> {
    let delete = sqlx::query("DELETE FROM changes WHERE id = $1").bind(waiting.id);
    context.tables().run(delete).await?;
    match &waiting.statuses {
        Some(statuses) => {
            write_statuses(context, waiting.kind, waiting.object_id, statuses).await?;
            Ok(None)
        }
        None => {
            release(context, waiting.kind, waiting.object_id).await?;
            Ok(is_kept.then_some(waiting.object_id))
        }
    }
}

/// An operator that is asked ends it, and says why.
pub(super) async fn reject(context: &mut Context<'_, '_>, id: i64) -> Result<(), CommandError> {
    registry_only(&context.acting, "changes")?;
    let waiting = load(context, id).await?;
    approver(context, &waiting)?;
    if !context.has_reason {
        let reason = "say why";
        return Err(rejected(ResultCode::ParameterMissing, "reason", reason));
    }
    unwait(context, &waiting, false).await?;
    tell(context, &waiting, false);
    Ok(())
}

/// Whoever asked gives it up.
pub(super) async fn withdraw(context: &mut Context<'_, '_>, id: i64) -> Result<(), CommandError> {
    let waiting = load(context, id).await?;
    if context.acting.registrar != waiting.registrar_id || context.is_system {
        let reason = "somebody else asked for it";
        return Err(rejected(ResultCode::AuthorizationError, id, reason));
    }
    unwait(context, &waiting, false).await?;
    Ok(())
}

/// Nobody decided in time.
pub(super) async fn expire(
    context: &mut Context<'_, '_>,
    id: i64,
    expires_at: Timestamp,
) -> Result<(), CommandError> {
    if !context.is_system {
        let reason = "only the registry's timers do this";
        return Err(rejected(ResultCode::AuthorizationError, id, reason));
    }
    let waiting = load(context, id).await?;
    if waiting.expires_at != expires_at || expires_at > context.at {
        let reason = "it has not waited too long";
        return Err(rejected(ResultCode::StatusProhibits, id, reason));
    }
    unwait(context, &waiting, false).await?;
    tell(context, &waiting, false);
    Ok(())
}

/// The object goes, or enters what nothing can wait in: its change is given up. The
/// statuses that it had before.
pub(in crate::registry::command) async fn abandon(
    context: &mut Context<'_, '_>,
    object_id: i64,
) -> Result<Option<Statuses>, CommandError> {
    let waiting = match context.write.has_reviews {
        true => of_object(&mut context.tables(), object_id).await?,
        false => None,
    };
    let Some(waiting) = waiting else {
        return Ok(None);
    };
    let delete = sqlx::query("DELETE FROM changes WHERE id = $1").bind(waiting.id);
    context.tables().run(delete).await?;
    if let Some(statuses) = &waiting.statuses {
        write_statuses(context, waiting.kind, object_id, statuses).await?;
    }
    tell(context, &waiting, false);
    Ok(waiting.statuses)
}

/// Who asked hears what came of it (RFC 5731 section 3.3).
fn tell(context: &mut Context<'_, '_>, waiting: &Waiting, approved: bool) {
    let Some(registrar) = waiting.registrar_id else {
        return;
    };
    let kind = match (waiting.kind, approved) {
        (ObjectKind::Domain, true) => NoticeKind::DomainChangeApproved,
        (ObjectKind::Domain, false) => NoticeKind::DomainChangeRefused,
        (ObjectKind::Host, true) => NoticeKind::HostChangeApproved,
        (ObjectKind::Host, false) => NoticeKind::HostChangeRefused,
    };
    let mut notice = Notice::new(registrar, kind, waiting.object.as_str());
    notice.review = Some(Review {
        change: waiting.id,
        command: waiting.command.kind().to_owned(),
        event: waiting.event,
        approved,
        decided_at: context.at,
    });
    context.notices.push(notice);
}
