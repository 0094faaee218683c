//! The object of a change that waits, and what it shows meanwhile.

use crate::registry::command::context::Context;
use crate::registry::command::tables::rows;
use crate::registry::command::{
    Command, CommandError, DomainCommand, HostCommand, domain, host, past,
};
use crate::registry::error::RegistryError;
use crate::registry::types::{Status, Statuses};

/// An object that a command changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry::command) enum ObjectKind {
    Domain,
    Host,
    Contact,
}

impl ObjectKind {
    pub(in crate::registry::command) fn column(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Host => "host",
            Self::Contact => "contact",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Domain, Self::Host, Self::Contact]
            .into_iter()
            .find(|kind| kind.column() == text)
    }

    pub(super) fn of(command: &Command) -> Option<Self> {
        match command {
            Command::Domain(_) => Some(Self::Domain),
            Command::Host(_) => Some(Self::Host),
            Command::Contact(_) => Some(Self::Contact),
            _ => None,
        }
    }
}

/// What an object shows while a command on it waits (RFC 5731 section 2.3). A restore has
/// none of its own: its object shows `pendingDelete` already.
pub(super) fn pending_status(command: &Command) -> Option<Status> {
    match command {
        Command::Domain(command) => match command {
            DomainCommand::Create(_) => Some(Status::PendingCreate),
            DomainCommand::Delete(_) | DomainCommand::Purge(_) => Some(Status::PendingDelete),
            DomainCommand::Renew(_) => Some(Status::PendingRenew),
            DomainCommand::Transfer(_) | DomainCommand::Move(_) => Some(Status::PendingTransfer),
            DomainCommand::Update(_) | DomainCommand::Unlock(_) => Some(Status::PendingUpdate),
            _ => None,
        },
        Command::Host(command) => match command {
            HostCommand::Create(_) => Some(Status::PendingCreate),
            HostCommand::Delete(_) => Some(Status::PendingDelete),
            _ => Some(Status::PendingUpdate),
        },
        Command::Contact(_) => Some(Status::PendingUpdate),
        _ => None,
    }
}

/// Id and statuses of an object, if it is there.
pub(super) async fn find(
    context: &mut Context<'_, '_>,
    kind: ObjectKind,
    name: &str,
) -> Result<Option<(i64, Statuses)>, RegistryError> {
    let text = match kind {
        ObjectKind::Domain => "SELECT id, statuses FROM domains WHERE name = $1",
        ObjectKind::Host => "SELECT id, statuses FROM hosts WHERE name = $1",
        ObjectKind::Contact => "SELECT id, statuses FROM contacts WHERE handle = $1",
    };
    let mut tables = context.tables();
    let found = tables
        .optional(rows::<(i64, String)>(text).bind(name))
        .await?;
    let Some((id, statuses)) = found else {
        return Ok(None);
    };
    let statuses = Statuses::from_column(&statuses);
    let statuses = statuses.map_err(|error| tables.inconsistent(format!("{name}: {error}")))?;
    Ok(Some((id, statuses)))
}

/// Writes the statuses of an object, which is published or not as before.
pub(super) async fn write_statuses(
    context: &mut Context<'_, '_>,
    kind: ObjectKind,
    id: i64,
    statuses: &Statuses,
) -> Result<(), CommandError> {
    past::keep(context, kind, id).await?;
    match kind {
        ObjectKind::Domain => domain::store_statuses(context, id, statuses).await,
        ObjectKind::Host => {
            let update = sqlx::query("UPDATE hosts SET statuses = $1 WHERE id = $2");
            let update = update.bind(statuses.column()).bind(id);
            context.tables().run(update).await?;
            Ok(())
        }
        ObjectKind::Contact => {
            let update = sqlx::query("UPDATE contacts SET statuses = $1 WHERE id = $2");
            let update = update.bind(statuses.column()).bind(id);
            context.tables().run(update).await?;
            Ok(())
        }
    }
}

/// Holds the name of an object that is not there yet.
pub(super) async fn hold(
    context: &mut Context<'_, '_>,
    command: &Command,
    id: i64,
) -> Result<(), CommandError> {
    match command {
        Command::Domain(DomainCommand::Create(create)) => {
            domain::hold_name(context, create, id).await
        }
        Command::Host(HostCommand::Create(create)) => host::hold_name(context, create, id).await,
        _ => unreachable!("only a create has no object"),
    }
}

/// Lets a name that is held go.
pub(super) async fn release(
    context: &mut Context<'_, '_>,
    kind: ObjectKind,
    id: i64,
) -> Result<(), RegistryError> {
    past::keep(context, kind, id).await?;
    let text = match kind {
        ObjectKind::Domain => "DELETE FROM domains WHERE id = $1",
        ObjectKind::Host => "DELETE FROM hosts WHERE id = $1",
        ObjectKind::Contact => unreachable!("no contact waits to be created"),
    };
    let delete = sqlx::query(text).bind(id);
    context.tables().run(delete).await.map(drop)
}
