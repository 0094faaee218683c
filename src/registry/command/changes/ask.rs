//! A command that has to wait: tried, undone, queued.

use super::object::{ObjectKind, find, hold, pending_status, write_statuses};
use super::row::{auth_of, count, of_object};
use super::{Needs, QUEUE_MAX};
use crate::registry::code::ResultCode;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::no_pending;
use crate::registry::command::contact::keys::have_keys;
use crate::registry::command::context::Context;
use crate::registry::command::domain;
use crate::registry::command::notices::{Notice, NoticeKind};
use crate::registry::command::tables::rows;
use crate::registry::command::{Command, CommandError, DomainCommand, Request, lock, perform};
use crate::registry::error::RegistryError;
use crate::registry::life::after;
use crate::registry::types::{Status, salt};

/// Octets of a change's own number that nobody can guess.
const NONCE_BYTES: usize = 16;

/// Queues a command that its needs let wait for so many seconds, or says what it would be
/// refused for.
pub(in crate::registry::command) async fn ask(
    context: &mut Context<'_, '_>,
    request: &Request,
    needs: &Needs,
    wait: u32,
) -> Result<(), CommandError> {
    let command = &request.command;
    let (Some(kind), Some(name)) = (ObjectKind::of(command), command.object()) else {
        return Err(context
            .tables()
            .inconsistent("a change of no object")
            .into());
    };
    let trial = context.write.begin_trial().await?;
    lock::lift(context, command).await?;
    let tried = Box::pin(perform(context.write, request, None)).await?;
    context.notes = tried.notes().to_vec();
    context.write.undo_trial(trial).await?;

    let found = find(context, kind, name).await?;
    if let Some((object_id, _)) = &found {
        none_waits(context, *object_id, name).await?;
    }
    can_wait(context, name, needs).await?;
    let (object_id, statuses) = match found {
        Some((object_id, before)) => {
            let mut shown = before.clone();
            // One that was deleted shows that it goes, and pending actions exclude each
            // other (RFC 5731 section 2.3): its row here says what else it waits for. Any
            // other pending action ends first: this is no part of it.
            let is_deleted = before.has(Status::PendingDelete);
            if !is_deleted {
                no_pending(&before, name)?;
            }
            if let Some(status) = pending_status(command).filter(|_| !is_deleted) {
                shown.begin(status);
            }
            if shown != before {
                write_statuses(context, kind, object_id, &shown).await?;
            }
            (object_id, Some(before.column()))
        }
        None => {
            let object_id = context.new_object();
            hold(context, command, object_id).await?;
            (object_id, None)
        }
    };
    let id = context.new_object();
    let expires_at = after(context.at, wait);
    let text = Texts::of(context, request, needs).await?;
    let insert = sqlx::query(
        "INSERT INTO changes (id, event, object_type, object, object_id, registrar_id, asked_at, \
         expires_at, actor, command, auth, lab, needs, statuses, nonce) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(id)
    .bind(context.write.next_event())
    .bind(kind.column())
    .bind(name)
    .bind(object_id)
    .bind(context.acting.registrar)
    .bind(context.at.0)
    .bind(expires_at.0)
    .bind(text.actor)
    .bind(text.command)
    .bind(text.auth)
    .bind(i64::from(request.lab))
    .bind(text.needs)
    .bind(statuses)
    .bind(text.nonce.clone());
    context.tables().run(insert).await?;
    context.asked = Some((id, text.nonce));
    context.is_pending = true;
    tell_sponsor(context, kind, name).await
}

/// No change of an object waits. Its statuses say so of all but a deleted domain, which shows
/// that it goes; a command that is for such a domain asks here, whether it has to wait itself
/// or not: the policy may have changed since the other was asked for.
pub(in crate::registry::command) async fn none_waits(
    context: &mut Context<'_, '_>,
    object_id: i64,
    object: &str,
) -> Result<(), CommandError> {
    let waiting = match context.write.has_reviews {
        true => of_object(&mut context.tables(), object_id).await?,
        false => None,
    };
    let Some(waiting) = waiting else {
        return Ok(());
    };
    let reason = format!("change {} of it waits", waiting.id);
    Err(rejected(ResultCode::StatusProhibits, object, reason))
}

/// Somebody can agree to it, and the queue has room.
async fn can_wait(
    context: &mut Context<'_, '_>,
    name: &str,
    needs: &Needs,
) -> Result<(), CommandError> {
    let signers: Vec<_> = needs.signers.iter().map(ToString::to_string).collect();
    if needs.signature && !have_keys(&mut context.tables(), &signers).await? {
        let reason = "nobody who could sign it has a key on file";
        return Err(rejected(ResultCode::ParameterPolicy, name, reason));
    }
    let registrar = context.acting.registrar;
    if count(&mut context.tables(), registrar).await? >= QUEUE_MAX {
        let reason = format!("{QUEUE_MAX} changes wait already; one has to be decided first");
        return Err(rejected(ResultCode::CommandFailed, name, reason));
    }
    Ok(())
}

/// A sponsor hears that somebody else asked for a change of its object.
async fn tell_sponsor(
    context: &mut Context<'_, '_>,
    kind: ObjectKind,
    name: &str,
) -> Result<(), CommandError> {
    let (text, notice) = match kind {
        ObjectKind::Domain => (
            "SELECT registrar_id FROM domains WHERE name = $1",
            NoticeKind::DomainChangeWaits,
        ),
        ObjectKind::Host => (
            "SELECT registrar_id FROM hosts WHERE name = $1",
            NoticeKind::HostChangeWaits,
        ),
        ObjectKind::Contact => (
            "SELECT registrar_id FROM contacts WHERE handle = $1",
            NoticeKind::ContactChangeWaits,
        ),
    };
    let query = rows::<(i64,)>(text).bind(name);
    let sponsor = context.tables().optional(query).await?;
    let sponsor = sponsor.map(|(id,)| id);
    let acting = &context.acting;
    let is_news = |sponsor: &i64| acting.registrar != Some(*sponsor) || acting.contact.is_some();
    if let Some(sponsor) = sponsor.filter(is_news) {
        context.notices.push(Notice::new(sponsor, notice, name));
    }
    Ok(())
}

/// What of a request is kept as text.
struct Texts {
    actor: String,
    command: String,
    auth: Option<Vec<u8>>,
    needs: String,
    nonce: String,
}

impl Texts {
    async fn of(
        context: &mut Context<'_, '_>,
        request: &Request,
        needs: &Needs,
    ) -> Result<Self, CommandError> {
        let mut command = request.command.clone();
        if let Command::Domain(DomainCommand::Create(create)) = &command
            && create.token.is_some()
        {
            let reason = "nothing is given out by token where registrations wait for consents";
            return Err(rejected(ResultCode::ParameterPolicy, &create.name, reason));
        }
        let is_transfer = matches!(command, Command::Domain(DomainCommand::Transfer(_)));
        let name = command.object().unwrap_or_default().to_owned();
        let mut tables = context.tables();
        let auth = match auth_of(&mut command) {
            None => None,
            // What it matched now has to be there still when it is made.
            Some(_) if is_transfer => domain::kept_auth(&mut tables, &name).await?,
            Some(auth) => {
                let salt = salt();
                let salt = salt.ok_or_else(|| tables.inconsistent("no random octets"))?;
                auth.kept(salt)
            }
        };
        let mut nonce = [0; NONCE_BYTES];
        let drawn = aws_lc_rs::rand::fill(&mut nonce);
        drawn.map_err(|_| tables.inconsistent("no random octets from the system"))?;
        let json = |error: serde_json::Error| -> RegistryError {
            tables.inconsistent(format!("a change cannot be written: {error}"))
        };
        Ok(Self {
            actor: serde_json::to_string(&request.actor).map_err(json)?,
            command: serde_json::to_string(&command).map_err(json)?,
            auth,
            needs: serde_json::to_string(needs).map_err(json)?,
            nonce: nonce.iter().map(|octet| format!("{octet:02x}")).collect(),
        })
    }
}
