//! A change that waits, in and out of its row.

use super::object::ObjectKind;
use super::{Consent, Needs};
use crate::registry::code::ResultCode;
use crate::registry::command::answer::rejected;
use crate::registry::command::tables::{Tables, from_row, rows};
use crate::registry::command::{Actor, Command, CommandError, DomainCommand, Request};
use crate::registry::database::Timestamp;
use crate::registry::error::RegistryError;
use crate::registry::types::{AuthInfo, Statuses};

/// A row of `changes`, understood.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) id: i64,
    pub(super) event: i64,
    pub(super) kind: ObjectKind,
    pub(super) object: String,
    pub(super) object_id: i64,
    pub(super) registrar_id: Option<i64>,
    pub(super) asked_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) actor: Actor,
    pub(super) command: Command,
    pub(super) lab: bool,
    pub(super) needs: Needs,
    /// Before; nothing where only a name is held.
    pub(super) statuses: Option<Statuses>,
    /// What is kept of its authorization information.
    pub(super) auth: Option<Vec<u8>>,
    /// Drawn for it.
    pub(super) nonce: String,
}

struct Row {
    id: i64,
    event: i64,
    object_type: String,
    object: String,
    object_id: i64,
    registrar_id: Option<i64>,
    asked_at: i64,
    expires_at: i64,
    actor: String,
    command: String,
    auth: Option<Vec<u8>>,
    lab: i64,
    needs: String,
    statuses: Option<String>,
    nonce: String,
}

from_row!(Row: id, event, object_type, object, object_id, registrar_id, asked_at, expires_at, actor, command, auth, lab, needs, statuses, nonce);

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, event, object_type, object, object_id, registrar_id, asked_at, \
             expires_at, actor, command, auth, lab, needs, statuses, nonce FROM changes ",
            $rest
        )
    };
}

impl Waiting {
    fn read(tables: &Tables<'_>, row: Row) -> Result<Self, RegistryError> {
        let id = row.id;
        let bad = |what: String| tables.inconsistent(format!("change {id}: {what}"));
        let json = |error: serde_json::Error| bad(error.to_string());
        let mut command: Command = serde_json::from_str(&row.command).map_err(json)?;
        if let Some(auth) = auth_of(&mut command) {
            *auth = match &row.auth {
                Some(kept) => AuthInfo::from_kept(kept.clone()),
                None => AuthInfo::unset(),
            };
        }
        let statuses = row.statuses.as_deref().map(Statuses::from_column);
        Ok(Self {
            id,
            event: row.event,
            kind: ObjectKind::parse(&row.object_type)
                .ok_or_else(|| bad(format!("object {:?}", row.object_type)))?,
            object: row.object,
            object_id: row.object_id,
            registrar_id: row.registrar_id,
            asked_at: Timestamp(row.asked_at),
            expires_at: Timestamp(row.expires_at),
            actor: serde_json::from_str(&row.actor).map_err(json)?,
            command,
            lab: row.lab == 1,
            needs: serde_json::from_str(&row.needs).map_err(json)?,
            statuses: statuses
                .transpose()
                .map_err(|error| bad(error.to_string()))?,
            auth: row.auth,
            nonce: row.nonce,
        })
    }

    /// The command as it was asked for, at a later moment.
    pub(super) fn request(&self, at: Timestamp) -> Request {
        Request {
            actor: self.actor.clone(),
            at,
            lab: self.lab,
            command: self.command.clone(),
        }
    }
}

/// The authorization information in a command.
pub(super) fn auth_of(command: &mut Command) -> Option<&mut AuthInfo> {
    let Command::Domain(command) = command else {
        return None;
    };
    match command {
        DomainCommand::Create(create) => create.auth_info.as_mut(),
        DomainCommand::Update(update) => update.auth_info.as_mut(),
        DomainCommand::Transfer(transfer) => transfer.auth_info.as_mut(),
        _ => None,
    }
}

/// The change of this number, or 2303.
pub(super) async fn existing(tables: &mut Tables<'_>, id: i64) -> Result<Waiting, CommandError> {
    let row = tables
        .optional(rows::<Row>(select!("WHERE id = $1")).bind(id))
        .await?;
    let missing = || {
        let reason = "no change of this number waits";
        rejected(ResultCode::ObjectDoesNotExist, id, reason)
    };
    Ok(Waiting::read(tables, row.ok_or_else(missing)?)?)
}

/// The change that an object waits for.
pub(super) async fn of_object(
    tables: &mut Tables<'_>,
    object_id: i64,
) -> Result<Option<Waiting>, RegistryError> {
    let row = tables
        .optional(rows::<Row>(select!("WHERE object_id = $1")).bind(object_id))
        .await?;
    row.map(|row| Waiting::read(tables, row)).transpose()
}

/// The oldest changes, of one account or of all.
pub(super) async fn oldest(
    tables: &mut Tables<'_>,
    registrar: Option<i64>,
    most: i64,
) -> Result<Vec<Waiting>, RegistryError> {
    let found = match registrar {
        Some(registrar) => {
            let query = rows::<Row>(select!("WHERE registrar_id = $1 ORDER BY id LIMIT $2"));
            tables.all(query.bind(registrar).bind(most)).await?
        }
        None => {
            let query = rows::<Row>(select!("ORDER BY id LIMIT $1"));
            tables.all(query.bind(most)).await?
        }
    };
    let found = found.into_iter();
    found.map(|row| Waiting::read(tables, row)).collect()
}

/// How many wait, of one account or of all.
pub(super) async fn count(
    tables: &mut Tables<'_>,
    registrar: Option<i64>,
) -> Result<i64, RegistryError> {
    let found = match registrar {
        Some(registrar) => {
            let text = "SELECT COUNT(*) FROM changes WHERE registrar_id = $1";
            tables
                .optional(rows::<(i64,)>(text).bind(registrar))
                .await?
        }
        None => {
            let query = rows::<(i64,)>("SELECT COUNT(*) FROM changes");
            tables.optional(query).await?
        }
    };
    Ok(found.map_or(0, |(count,)| count))
}

/// Who agreed to a change, in order.
pub(super) async fn consents(
    tables: &mut Tables<'_>,
    id: i64,
) -> Result<Vec<Consent>, RegistryError> {
    let query = rows::<(String, String, i64, i64)>(
        "SELECT kind, who, at, event FROM consents WHERE change_id = $1 ORDER BY event, who",
    );
    let found = tables.all(query.bind(id)).await?;
    let read = |(kind, who, at, event)| Consent {
        kind,
        who,
        at: Timestamp(at),
        event,
    };
    Ok(found.into_iter().map(read).collect())
}
