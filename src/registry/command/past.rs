//! What objects were: noted before each event that changes one, shown for any moment.
//!
//! A command that changes or removes an object first notes what it is (`keep`), in its own
//! transaction; the event's digest covers it. An object that never changed has nothing noted:
//! it is what it was when it was made. So imports and registrations cost nothing, and a host
//! that a hundred thousand domains name is one note when it is renamed: domains note
//! numbers of hosts, whose names are looked up for the moment that is asked about. Never
//! notes a secret, and of a person only what is sealed (`registry::personal`).

mod domain;
mod host;
mod show;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::changes::ObjectKind;
use super::context::Context;
use super::tables::{Tables, rows};
use super::{Command, ContactCommand, DomainCommand, HostCommand, contact};
use crate::registry::audit::Before;
use crate::registry::error::RegistryError;

pub use show::{Moment, Past, PastObject, show};

/// How an object is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key<'k> {
    Id(i64),
    Name(&'k str),
}

/// A statement with its condition, for either key.
macro_rules! by_key {
    ($key:expr, $select:literal, $id:literal, $name:literal) => {
        match $key {
            crate::registry::command::past::Key::Id(id) => {
                crate::registry::command::tables::rows(concat!($select, " WHERE ", $id, " = $1"))
                    .bind(id)
            }
            crate::registry::command::past::Key::Name(name) => {
                crate::registry::command::tables::rows(concat!($select, " WHERE ", $name, " = $1"))
                    .bind(name)
            }
        }
    };
}
use by_key;

/// An object as it is now, if it is there.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    kind: ObjectKind,
    key: Key<'_>,
) -> Result<Option<Before>, RegistryError> {
    match kind {
        ObjectKind::Domain => domain::load(tables, key).await,
        ObjectKind::Host => host::load(tables, key).await,
        ObjectKind::Contact => contact::before_of(tables, key).await,
    }
}

pub(super) fn to_json(
    tables: &Tables<'_>,
    state: &impl Serialize,
) -> Result<String, RegistryError> {
    let text = serde_json::to_string(state);
    text.map_err(|error| tables.inconsistent(format!("a state that is no JSON: {error}")))
}

pub(super) fn from_json<T: DeserializeOwned>(
    tables: &Tables<'_>,
    before: &Before,
) -> Result<T, RegistryError> {
    let read = serde_json::from_str(&before.state);
    read.map_err(|error| {
        let (kind, name) = (&before.object_type, &before.name);
        tables.inconsistent(format!("what {kind} {name} was: {error}"))
    })
}

/// Notes what an object is before the event under way changes it; once for each event.
pub(super) async fn keep(
    context: &mut Context<'_, '_>,
    kind: ObjectKind,
    id: i64,
) -> Result<(), RegistryError> {
    if context.write.has_kept(id) {
        return Ok(());
    }
    let found = load(&mut context.tables(), kind, Key::Id(id)).await?;
    note(context, found);
    Ok(())
}

/// As [`keep`], for the object that a command names.
pub(super) async fn keep_named(
    context: &mut Context<'_, '_>,
    command: &Command,
) -> Result<(), RegistryError> {
    let (kind, name) = match command {
        // What servers said is no part of the domain.
        Command::Domain(DomainCommand::Create(_) | DomainCommand::Servers(_)) => return Ok(()),
        Command::Host(HostCommand::Create(_)) | Command::Contact(ContactCommand::Create(_)) => {
            return Ok(());
        }
        Command::Domain(command) => (ObjectKind::Domain, command.name().as_str()),
        Command::Host(command) => (ObjectKind::Host, command.name().as_str()),
        Command::Contact(command) => (ObjectKind::Contact, command.handle().as_str()),
        _ => return Ok(()),
    };
    let found = load(&mut context.tables(), kind, Key::Name(name)).await?;
    note(context, found);
    Ok(())
}

/// What this very event made was nothing before it.
fn note(context: &mut Context<'_, '_>, found: Option<Before>) {
    let next = context.write.next_event();
    let Some(before) = found.filter(|before| before.first_event != next) else {
        return;
    };
    if !context.write.has_kept(before.object_id) {
        context.write.keep(before);
    }
}

/// As [`keep`], for the hosts below a domain.
pub(super) async fn keep_below(
    context: &mut Context<'_, '_>,
    domain_id: i64,
) -> Result<(), RegistryError> {
    let query = rows::<(i64,)>("SELECT id FROM hosts WHERE domain_id = $1 ORDER BY id");
    for (id,) in context.tables().all(query.bind(domain_id)).await? {
        keep(context, ObjectKind::Host, id).await?;
    }
    Ok(())
}
