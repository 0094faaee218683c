//! The one way to change anything: a command, by an actor, at a time.
//!
//! Command line, EPP and web all say a [`Request`] and get an [`Outcome`] or a
//! reason. Checks come in one order, so that the same mistake has the same answer
//! everywhere: syntax (done where a value is made), permission, existence,
//! sponsorship, pending actions, statuses, policy, associations. A command is
//! atomic: rows, event, changed names and the stored decision what is published
//! are written together or not at all.

mod answer;
pub mod changes;
pub(crate) mod checks;
pub mod contact;
mod context;
pub mod dependencies;
pub mod domain;
pub mod host;
mod idn;
pub mod keys;
pub mod lock;
pub mod notices;
pub mod past;
pub mod poll;
mod publication;
mod referral;
pub mod registrar;
pub mod rights;
pub(crate) mod tables;
pub mod timers;
pub mod zone;

use serde::{Deserialize, Serialize};

use super::audit::masked;
use super::database::{Database, Event, Timestamp, Write};
use super::error::RegistryError;
use super::personal;
use super::types::Handle;
use context::Context;
use notices::Watch;

pub(in crate::registry) use answer::rejected;
pub use answer::{CommandError, Info, Outcome, Rejection};
pub use changes::ChangesCommand;
pub use contact::ContactCommand;
pub use domain::DomainCommand;
pub use host::HostCommand;
pub use keys::KeysCommand;
pub use poll::PollCommand;
pub(in crate::registry) use publication::SET_PARKABLE;
pub use registrar::RegistrarCommand;
pub use timers::TimersCommand;
pub use zone::ZoneCommand;

/// What is to be done or looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// With a domain.
    Domain(DomainCommand),
    /// With a contact.
    Contact(ContactCommand),
    /// With a host object.
    Host(HostCommand),
    /// With a registrar.
    Registrar(RegistrarCommand),
    /// With a zone.
    Zone(ZoneCommand),
    /// With the keys of a zone.
    Keys(KeysCommand),
    /// With the messages that wait for a registrar.
    Poll(PollCommand),
    /// With the timers.
    Timers(TimersCommand),
    /// With changes that wait for somebody's consent.
    Changes(ChangesCommand),
}

impl Command {
    /// Whether it changes nothing.
    pub fn is_read(&self) -> bool {
        if let Self::Domain(command) = self {
            return command.is_read();
        }
        if let Self::Contact(ContactCommand::Transfer(transfer)) = self {
            return transfer.op == domain::TransferOp::Query;
        }
        if let Self::Changes(command) = self {
            return command.is_read();
        }
        matches!(
            self,
            Self::Contact(ContactCommand::Info(_))
                | Self::Host(HostCommand::Info(_) | HostCommand::Check(_))
                | Self::Registrar(RegistrarCommand::Info(_))
                | Self::Zone(ZoneCommand::Info(_) | ZoneCommand::Lame(_))
                | Self::Keys(KeysCommand::Info(_))
                | Self::Poll(PollCommand::Next { .. })
                | Self::Timers(TimersCommand::Info)
        )
    }

    /// Whether what it takes away must not be found in the file any more.
    pub(crate) fn is_erasure(&self) -> bool {
        matches!(self, Self::Contact(ContactCommand::Erase(_)))
    }

    /// Its name in the event log.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Domain(command) => command.kind(),
            Self::Contact(command) => command.kind(),
            Self::Host(command) => command.kind(),
            Self::Registrar(command) => command.kind(),
            Self::Zone(command) => command.kind(),
            Self::Keys(command) => command.kind(),
            Self::Poll(command) => command.kind(),
            Self::Timers(command) => command.kind(),
            Self::Changes(command) => command.kind(),
        }
    }

    /// The object that it names.
    fn object(&self) -> Option<&str> {
        Some(match self {
            Self::Domain(command) => command.name().as_str(),
            Self::Contact(command) => command.handle().as_str(),
            Self::Host(command) => command.name().as_str(),
            Self::Registrar(command) => command.handle().as_str(),
            Self::Zone(command) => command.apex().as_str(),
            Self::Keys(command) => command.apex().as_str(),
            Self::Timers(_) => "timers",
            Self::Changes(_) => return None,
            Self::Poll(command) => return command.registrar().map(Handle::as_str),
        })
    }
}

/// In which role somebody acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// For a registrar: may change what it sponsors.
    Registrar(Handle),
    /// A contact for itself: may change what it is registrant or contact of, as far as its
    /// role there goes.
    Contact(Handle),
    /// For the registry: may change everything, but is bound by the same rules.
    Operator,
    /// Nobody: timers and start-up.
    System,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Account or person, for the event log.
    pub who: String,
    /// In which role.
    pub role: Role,
    /// Why, where somebody asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The actor's own name for what it asks, to be told what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
}

/// Why something is done that the sponsor did not ask for (RFC 8590 sections 2.1 to 2.4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cause {
    /// In words, for the sponsor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Number of the case, such as a court's or a dispute's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
}

impl Actor {
    /// The registry's operator.
    pub fn operator(who: impl Into<String>) -> Self {
        Self {
            who: who.into(),
            role: Role::Operator,
            cause: None,
            transaction: None,
        }
    }

    /// A part of this program that acts by itself.
    pub fn system(part: impl Into<String>) -> Self {
        Self {
            who: part.into(),
            role: Role::System,
            cause: None,
            transaction: None,
        }
    }

    /// A registrar's account.
    pub fn registrar(handle: Handle) -> Self {
        Self {
            who: handle.to_string(),
            role: Role::Registrar(handle),
            cause: None,
            transaction: None,
        }
    }

    /// A contact that was authenticated as such.
    pub fn contact(handle: Handle) -> Self {
        Self {
            who: handle.to_string(),
            role: Role::Contact(handle),
            cause: None,
            transaction: None,
        }
    }

    /// As the event log has it.
    fn logged(&self) -> String {
        match &self.role {
            Role::Registrar(handle) if self.who == handle.as_str() => format!("registrar:{handle}"),
            Role::Registrar(handle) => format!("registrar:{handle}:{}", self.who),
            Role::Contact(handle) => format!("contact:{handle}"),
            Role::Operator => format!("operator:{}", self.who),
            Role::System => format!("system:{}", self.who),
        }
    }
}

/// A command with all that decides about it beside the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who.
    pub actor: Actor,
    /// When; the clock is the caller's.
    pub at: Timestamp,
    /// Take addresses that are set apart for documentation, for labs and tests.
    pub lab: bool,
    /// What.
    pub command: Command,
}

impl Database {
    /// Runs one request in a transaction of its own.
    pub async fn execute(&mut self, request: &Request) -> Result<Outcome, CommandError> {
        if request.command.is_read() {
            return self.read(request).await;
        }
        let mut write = self.write().await?;
        // Dropped with an error, the transaction is rolled back as a whole.
        let outcome = Box::pin(change(&mut write, request)).await?;
        write.commit().await?;
        if request.command.is_erasure() {
            self.forget_or_say().await;
        }
        Ok(outcome)
    }

    /// What was committed is done, whether or not its former pages can go at once.
    pub(crate) async fn forget_or_say(&mut self) {
        if let Err(error) = self.forget().await {
            tracing::warn!(%error, "former pages stay until the next checkpoint");
        }
    }

    /// Answers a request that changes nothing, without a lock.
    pub(crate) async fn read(&mut self, request: &Request) -> Result<Outcome, CommandError> {
        let mut tables = self.tables();
        let reader = checks::acting(&mut tables, &request.actor).await?;
        rights::may_read(&mut tables, &reader, &request.command).await?;
        let info = match &request.command {
            Command::Domain(DomainCommand::Info(query)) => {
                domain::info(&mut tables, &reader, query, request.at).await?
            }
            Command::Domain(DomainCommand::Transfer(command)) => {
                domain::query(&mut tables, &reader, command).await?
            }
            Command::Domain(DomainCommand::Check(name)) => {
                domain::check(&mut tables, &reader, name, None).await?
            }
            Command::Domain(DomainCommand::CheckToken { name, token }) => {
                domain::check(&mut tables, &reader, name, Some(token)).await?
            }
            Command::Contact(ContactCommand::Info(handle)) => {
                contact::info(&mut tables, &reader, handle).await?
            }
            Command::Contact(ContactCommand::Transfer(command)) => {
                contact::query(&mut tables, &reader, command).await?
            }
            Command::Host(HostCommand::Info(name)) => host::info(&mut tables, name).await?,
            Command::Host(HostCommand::Check(name)) => host::check(&mut tables, name).await?,
            Command::Registrar(RegistrarCommand::Info(handle)) => {
                registrar::info(&mut tables, &reader, handle).await?
            }
            Command::Zone(ZoneCommand::Info(apex)) => {
                Box::pin(zone::info(&mut tables, apex)).await?
            }
            Command::Zone(ZoneCommand::Lame(apex)) => zone::report(&mut tables, apex).await?,
            Command::Keys(KeysCommand::Info(apex)) => {
                Box::pin(keys::info(&mut tables, apex)).await?
            }
            Command::Poll(command) => poll::info(&mut tables, &reader, command).await?,
            Command::Timers(TimersCommand::Info) => {
                timers::info(&mut tables, &reader, request.at).await?
            }
            Command::Changes(ChangesCommand::List { registrar }) => {
                changes::list(&mut tables, &reader, registrar.as_ref()).await?
            }
            Command::Changes(ChangesCommand::Info(id)) => {
                changes::info(&mut tables, &reader, *id).await?
            }
            Command::Changes(ChangesCommand::Text(id)) => {
                changes::text(&mut tables, &reader, *id).await?
            }
            _ => unreachable!("changes are not read"),
        };
        Ok(Outcome::Read(Box::new(info)))
    }
}

/// Runs one change inside a transaction, or queues it where somebody has to agree first:
/// rows, then its event with the names whose records it may have changed. After an error
/// the caller rolls back.
pub(crate) async fn change(
    write: &mut Write<'_>,
    request: &Request,
) -> Result<Outcome, CommandError> {
    let mut context = Context::begin(write, request).await?;
    let zone_id = match &request.command {
        Command::Changes(command) => Box::pin(changes::change(&mut context, command)).await?,
        command => match Box::pin(changes::needs(&mut context, command)).await? {
            None => return Box::pin(obey(context, request)).await,
            Some((needs, wait)) => {
                Box::pin(changes::ask(&mut context, request, &needs, wait)).await?;
                None
            }
        },
    };
    Box::pin(finish(context, request, zone_id)).await
}

/// Runs a change that nobody is asked about any more. `reserved` is the number of an object
/// that it makes, where that was given out before.
async fn perform(
    write: &mut Write<'_>,
    request: &Request,
    reserved: Option<i64>,
) -> Result<Outcome, CommandError> {
    let mut context = Context::begin(write, request).await?;
    context.reserved = reserved;
    Box::pin(obey(context, request)).await
}

/// Runs a change as if everybody had agreed who has to, and gives its notes; the caller
/// undoes it.
pub(crate) async fn attempt(
    write: &mut Write<'_>,
    request: &Request,
) -> Result<Vec<String>, CommandError> {
    let mut context = Context::begin(write, request).await?;
    if let Command::Changes(command) = &request.command
        && let Some(id) = command.makes()
    {
        Box::pin(changes::run_now(&mut context, id)).await?;
        return Ok(Vec::new());
    }
    let needs = Box::pin(changes::needs(&mut context, &request.command)).await?;
    let done = match needs {
        None => {
            drop(context);
            Box::pin(change(write, request)).await?
        }
        Some(_) => {
            lock::lift(&mut context, &request.command).await?;
            Box::pin(obey(context, request)).await?
        }
    };
    Ok(done.notes().to_vec())
}

async fn obey(mut context: Context<'_, '_>, request: &Request) -> Result<Outcome, CommandError> {
    let acting = context.acting.clone();
    rights::may_change(&mut context.tables(), &acting, &request.command).await?;
    let watch = Watch::begin(&mut context, &request.command).await?;
    Box::pin(past::keep_named(&mut context, &request.command)).await?;
    let zone_id = match &request.command {
        Command::Domain(command) => Box::pin(domain::change(&mut context, command)).await?,
        Command::Contact(command) => Box::pin(contact::change(&mut context, command)).await?,
        Command::Host(command) => Box::pin(host::change(&mut context, command)).await?,
        Command::Registrar(command) => Box::pin(registrar::change(&mut context, command)).await?,
        Command::Zone(command) => Box::pin(zone::change(&mut context, command)).await?,
        Command::Keys(command) => Box::pin(keys::change(&mut context, command)).await?,
        Command::Poll(command) => poll::change(&mut context, command).await?,
        Command::Timers(command) => timers::change(&mut context, command).await?,
        Command::Changes(_) => unreachable!("decisions are no changes of objects"),
    };
    if let Some(watch) = watch {
        Box::pin(watch.end(&mut context, &request.command)).await?;
    }
    Box::pin(finish(context, request, zone_id)).await
}

/// Queues what registrars are to be told and appends the event.
async fn finish(
    mut context: Context<'_, '_>,
    request: &Request,
    zone_id: Option<i64>,
) -> Result<Outcome, CommandError> {
    notices::queue(&mut context, &request.actor).await?;
    let Context {
        write,
        changed,
        is_pending,
        asked,
        made,
        about,
        person,
        notes,
        ..
    } = context;
    let command = &request.command;
    let (kind, detail) = match (asked, made) {
        (Some(id), _) => {
            // What is said of a person is logged once, where it is done.
            let asked = match command {
                Command::Contact(command) => serde_json::json!({ "contact": command.handle() }),
                command => serde_json::json!(command),
            };
            let detail = serde_json::json!({ "change": id.0, "number": id.1, "asked": asked });
            ("change-ask", logged(write, &detail)?)
        }
        (None, Some(event)) => {
            let detail = serde_json::json!({ "decided": command, "made": event });
            (command.kind(), logged(write, &detail)?)
        }
        (None, None) => match command {
            Command::Contact(_) => (command.kind(), sealed(write, command, person).await?),
            command => (command.kind(), logged(write, command)?),
        },
    };
    let cause = match &request.actor.cause {
        Some(cause) => Some(logged(write, cause)?),
        None => None,
    };
    let event = write.append(Event {
        time: request.at,
        kind,
        actor: &request.actor.logged(),
        zone_id,
        object: about.as_deref().or_else(|| command.object()),
        cause: cause.as_deref(),
        detail: Some(&detail),
    });
    for (zone_id, owner) in changed {
        write.note_changed(zone_id, owner);
    }
    Ok(match is_pending {
        true => Outcome::Pending { event, notes },
        false => Outcome::Changed { event, notes },
    })
}

/// As JSON for the event log, without secrets.
fn logged(write: &Write<'_>, value: &impl Serialize) -> Result<String, RegistryError> {
    Ok(json(write, value)?.to_string())
}

fn json(write: &Write<'_>, value: &impl Serialize) -> Result<serde_json::Value, RegistryError> {
    let value = serde_json::to_value(value);
    value.map(masked).map_err(|error| unloggable(write, error))
}

fn unloggable(write: &Write<'_>, why: impl std::fmt::Display) -> RegistryError {
    let what = format!("command cannot be logged: {why}");
    let place = write.place().to_owned();
    RegistryError::Inconsistent { place, what }
}

/// As [`logged`], with what a contact's command says of a person sealed.
async fn sealed(
    write: &mut Write<'_>,
    command: &Command,
    person: Option<i64>,
) -> Result<String, RegistryError> {
    let key = match (person, command.object()) {
        (Some(id), Some(handle)) => personal::key_for(&mut write.tables(), id, handle).await?,
        _ => None,
    };
    let value = json(write, command)?;
    let value = personal::sealed(value, key.as_ref());
    let value = value.ok_or_else(|| unloggable(write, "it cannot be sealed"))?;
    Ok(value.to_string())
}

#[cfg(test)]
pub(in crate::registry) mod tests;
