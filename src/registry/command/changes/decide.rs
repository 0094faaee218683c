//! What becomes of a change that waits.

use super::object::{ObjectKind, release, write_statuses};
use super::row::{Waiting, consents, existing, of_object};
use super::text::text_of;
use super::{APPROVER, ChangeSignature, Consent, REGISTRANT, Review, SIGNATURE};
use crate::registry::code::ResultCode;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::registry_only;
use crate::registry::command::contact::keys::{keys_of, signature};
use crate::registry::command::context::Context;
use crate::registry::command::notices::{Notice, NoticeKind};
use crate::registry::command::{
    Command, CommandError, DomainCommand, Outcome, Role, lock, perform,
};
use crate::registry::database::Timestamp;
use crate::registry::openpgp::NO_SIGNATURE;
use crate::registry::policy::Silence;
use crate::registry::types::Statuses;

/// An operator or the registrant agrees; the last one that is needed makes the change.
pub(super) async fn approve(context: &mut Context<'_, '_>, id: i64) -> Result<(), CommandError> {
    let waiting = load(context, id).await?;
    let kind = asked_as(context, &waiting)?;
    let who = context.who.clone();
    agree(context, &waiting, kind, who).await
}

/// A contact agrees by a signature, whoever hands it in.
pub(super) async fn sign(
    context: &mut Context<'_, '_>,
    command: &ChangeSignature,
) -> Result<(), CommandError> {
    let (id, contact) = (command.id, &command.contact);
    let waiting = load(context, id).await?;
    if context.acting.registrar.is_some() && context.acting.registrar != waiting.registrar_id {
        let reason = "another registrar's change";
        return Err(rejected(ResultCode::AuthorizationError, id, reason));
    }
    if !waiting.needs.signers.contains(contact) {
        let reason = "not a contact whose signature it needs";
        return Err(rejected(ResultCode::AuthorizationError, contact, reason));
    }
    let signature = signature(&command.signature)?;
    let text = text_of(&waiting)?;
    let keys = keys_of(&mut context.tables(), contact.as_str()).await?;
    let mut refusal = NO_SIGNATURE;
    let agrees = keys.iter().any(|key| {
        let agreed = key.agrees(&text, &signature, context.at);
        match agreed {
            // Of several keys what is wrong with the one that it is by.
            Err(reason) if refusal == NO_SIGNATURE => refusal = reason,
            _ => {}
        }
        agreed.is_ok()
    });
    if !agrees {
        let code = ResultCode::InvalidAuthorization;
        return Err(rejected(code, contact, refusal));
    }
    agree(context, &waiting, SIGNATURE, contact.to_string()).await
}

async fn load(context: &mut Context<'_, '_>, id: i64) -> Result<Waiting, CommandError> {
    let waiting = existing(&mut context.tables(), id).await?;
    context.about = Some(waiting.object.clone());
    Ok(waiting)
}

/// Counts a consent; the last that is needed makes the change.
async fn agree(
    context: &mut Context<'_, '_>,
    waiting: &Waiting,
    kind: &'static str,
    who: String,
) -> Result<(), CommandError> {
    let own = Consent {
        kind: kind.to_owned(),
        who,
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
        let done = make(context, waiting).await?;
        context.made = done.event();
        context.notes = done.notes().to_vec();
        tell(context, waiting, true, None);
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

/// As what the actor is asked: nobody is about a change of his own.
fn asked_as(context: &Context<'_, '_>, waiting: &Waiting) -> Result<&'static str, CommandError> {
    let refuse = |reason| {
        let code = ResultCode::AuthorizationError;
        Err(rejected(code, waiting.id, reason))
    };
    let who = context.who.as_str();
    if context.acting.contact.is_some() {
        let registrant = waiting.needs.registrant.as_ref();
        return match registrant.is_some_and(|handle| handle.as_str() == who) {
            true => Ok(REGISTRANT),
            false => refuse(format!("{who} is not the registrant that it is taken from")),
        };
    }
    registry_only(&context.acting, "changes")?;
    if context.is_system || !waiting.needs.ask_for(who) {
        return refuse(format!("{who} is none of its approvers"));
    }
    if waiting.actor.role == Role::Operator && waiting.actor.who == who {
        return refuse(format!("{who} asked for it"));
    }
    Ok(APPROVER)
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

/// An operator or registrant that is asked ends it, and says why.
///
/// Where no operator is asked, any may end it: the registry has the last word about what it
/// is not to do.
pub(super) async fn reject(context: &mut Context<'_, '_>, id: i64) -> Result<(), CommandError> {
    let waiting = load(context, id).await?;
    let is_registrys = context.acting.registrar.is_none() && !context.is_system;
    if !is_registrys || !waiting.needs.panels.is_empty() {
        asked_as(context, &waiting)?;
    }
    if !context.has_reason {
        let reason = "say why";
        return Err(rejected(ResultCode::ParameterMissing, "reason", reason));
    }
    unwait(context, &waiting, false).await?;
    tell(context, &waiting, false, None);
    Ok(())
}

/// Whoever asked gives it up.
pub(super) async fn withdraw(context: &mut Context<'_, '_>, id: i64) -> Result<(), CommandError> {
    let waiting = load(context, id).await?;
    let is_others = match (&waiting.actor.role, context.acting.contact) {
        (Role::Contact(handle), Some(_)) => handle.as_str() != context.who,
        (_, Some(_)) => true,
        (_, None) => context.acting.registrar != waiting.registrar_id,
    };
    if is_others || context.is_system {
        let reason = "somebody else asked for it";
        return Err(rejected(ResultCode::AuthorizationError, id, reason));
    }
    unwait(context, &waiting, false).await?;
    Ok(())
}

/// The gaining registrar gives up a transfer that waits to be asked for; whether there was
/// one.
pub(in crate::registry::command) async fn give_up_transfer(
    context: &mut Context<'_, '_>,
    domain_id: i64,
) -> Result<bool, CommandError> {
    let waiting = match context.write.has_reviews {
        true => of_object(&mut context.tables(), domain_id).await?,
        false => None,
    };
    let is_transfer = |waiting: &Waiting| {
        matches!(
            &waiting.command,
            Command::Domain(DomainCommand::Transfer(_))
        )
    };
    let Some(waiting) = waiting.filter(is_transfer) else {
        return Ok(false);
    };
    if context.acting.registrar != waiting.registrar_id {
        let reason = "asked for by another registrar";
        return Err(rejected(
            ResultCode::AuthorizationError,
            &waiting.object,
            reason,
        ));
    }
    unwait(context, &waiting, false).await?;
    Ok(true)
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
    let mut reason = "nobody decided in time".to_owned();
    if is_consented(context, &waiting).await? {
        let trial = context.write.begin_trial().await?;
        match Box::pin(make(context, &waiting)).await {
            Ok(done) => {
                context.made = done.event();
                tell(context, &waiting, true, None);
                return Ok(());
            }
            // What cannot be done now ends: nobody is there to say what else.
            Err(CommandError::Rejected(rejection)) => reason = rejection.to_string(),
            Err(error) => return Err(error),
        }
        context.write.undo_trial(trial).await?;
    }
    unwait(context, &waiting, false).await?;
    tell(context, &waiting, false, Some(reason));
    Ok(())
}

/// Whether nobody is missing but a registrant whose silence is consent.
async fn is_consented(
    context: &mut Context<'_, '_>,
    waiting: &Waiting,
) -> Result<bool, CommandError> {
    let (Some(registrant), Some(Silence::Approve)) =
        (&waiting.needs.registrant, waiting.needs.silence)
    else {
        return Ok(false);
    };
    let mut agreed = consents(&mut context.tables(), waiting.id).await?;
    agreed.push(Consent {
        kind: REGISTRANT.to_owned(),
        who: registrant.to_string(),
        at: context.at,
        event: context.write.next_event(),
    });
    Ok(waiting.needs.are_met(&agreed))
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
    let reason = "its object was removed or deleted meanwhile".to_owned();
    tell(context, &waiting, false, Some(reason));
    Ok(waiting.statuses)
}

/// Who asked hears what came of it (RFC 5731 section 3.3).
fn tell(context: &mut Context<'_, '_>, waiting: &Waiting, approved: bool, reason: Option<String>) {
    let Some(registrar) = waiting.registrar_id else {
        return;
    };
    let kind = match (waiting.kind, approved) {
        (ObjectKind::Domain, true) => NoticeKind::DomainChangeApproved,
        (ObjectKind::Domain, false) => NoticeKind::DomainChangeRefused,
        (ObjectKind::Host, true) => NoticeKind::HostChangeApproved,
        (ObjectKind::Host, false) => NoticeKind::HostChangeRefused,
        (ObjectKind::Contact, true) => NoticeKind::ContactChangeApproved,
        (ObjectKind::Contact, false) => NoticeKind::ContactChangeRefused,
    };
    let mut notice = Notice::new(registrar, kind, waiting.object.as_str());
    notice.review = Some(Review {
        change: waiting.id,
        command: waiting.command.kind().to_owned(),
        event: waiting.event,
        client_transaction: waiting.actor.transaction.clone(),
        approved,
        decided_at: context.at,
        reason,
    });
    context.notices.push(notice);
}
