//! What the registry itself does to an object is told to the object's sponsor.
//!
//! The object is looked at before the command and after it. What a registrar does to its
//! own objects is not looked at.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::answer::Info;
use super::super::context::Context;
use super::super::domain::DomainQuery;
use super::super::tables::rows;
use super::super::{Command, CommandError, DomainCommand, HostCommand, domain, host};
use super::{Notice, NoticeKind};
use crate::registry::code::ResultCode;
use crate::registry::life::Step;
use crate::registry::types::{DomainName, HostName};

/// An object that the registry is about to change.
pub(in super::super) struct Watch {
    object: Object,
    before: Option<State>,
}

enum Object {
    Domain(DomainName),
    Host(HostName),
}

struct State {
    sponsor: i64,
    shown: Value,
}

impl Watch {
    /// Nothing where a registrar acts, or where no object has a sponsor. What a contact does
    /// for itself its registrar hears like the registry's own.
    pub(in super::super) async fn begin(
        context: &mut Context<'_, '_>,
        command: &Command,
    ) -> Result<Option<Self>, CommandError> {
        let acting = &context.acting;
        if acting.registrar.is_some() && acting.contact.is_none() {
            return Ok(None);
        }
        let object = match command {
            // What servers said changes no object.
            Command::Domain(DomainCommand::Servers(_)) => return Ok(None),
            // Both sides are told of the transfer itself.
            Command::Domain(DomainCommand::Transfer(_) | DomainCommand::Move(_)) => {
                return Ok(None);
            }
            Command::Domain(DomainCommand::Step(step)) if step.step == Step::ApproveTransfer => {
                return Ok(None);
            }
            Command::Domain(command) => Object::Domain(command.name().clone()),
            Command::Host(command) => Object::Host(command.name().clone()),
            _ => return Ok(None),
        };
        let before = object.state(context).await?;
        Ok(Some(Self { object, before }))
    }

    /// Looks again and leaves the notice with the command: for the sponsor, and for who
    /// has been it.
    pub(in super::super) async fn end(
        self,
        context: &mut Context<'_, '_>,
        command: &Command,
    ) -> Result<(), CommandError> {
        // A renamed host is found by its new name.
        let object = match command {
            Command::Host(HostCommand::Update(update)) => match &update.new_name {
                Some(name) => Object::Host(name.clone()),
                None => self.object,
            },
            _ => self.object,
        };
        let (before, after) = (self.before, object.state(context).await?);
        let kind = object.kind(before.is_some(), after.is_some());
        let states = before.iter().chain(&after);
        let sponsors: BTreeSet<_> = states.map(|state| state.sponsor).collect();
        let shown = |state: Option<State>| state.map(|state| state.shown);
        let (before, after) = (shown(before), shown(after));
        for sponsor in sponsors {
            let mut notice = Notice::new(sponsor, kind, object.name());
            notice.before.clone_from(&before);
            notice.after.clone_from(&after);
            context.notices.push(notice);
        }
        Ok(())
    }
}

impl Object {
    fn name(&self) -> &str {
        match self {
            Self::Domain(name) => name.as_str(),
            Self::Host(name) => name.as_str(),
        }
    }

    /// What was done to it, by whether it was there and is.
    fn kind(&self, was_there: bool, is_there: bool) -> NoticeKind {
        match (self, was_there, is_there) {
            (Self::Domain(_), false, _) => NoticeKind::DomainCreated,
            (Self::Domain(_), true, true) => NoticeKind::DomainUpdated,
            (Self::Domain(_), true, false) => NoticeKind::DomainDeleted,
            (Self::Host(_), false, _) => NoticeKind::HostCreated,
            (Self::Host(_), true, true) => NoticeKind::HostUpdated,
            (Self::Host(_), true, false) => NoticeKind::HostDeleted,
        }
    }

    async fn state(&self, context: &mut Context<'_, '_>) -> Result<Option<State>, CommandError> {
        let at = context.at;
        let reader = context.acting.clone();
        let tables = &mut context.tables();
        let (text, info) = match self {
            Self::Domain(name) => (
                "SELECT registrar_id FROM domains WHERE name = $1",
                Box::pin(domain::info(tables, &reader, &DomainQuery::new(name), at)).await,
            ),
            Self::Host(name) => (
                "SELECT registrar_id FROM hosts WHERE name = $1",
                Box::pin(host::info(tables, name)).await,
            ),
        };
        let info = match info {
            Ok(info) => info,
            Err(error) if error.code() == ResultCode::ObjectDoesNotExist => return Ok(None),
            Err(error) => return Err(error),
        };
        let sponsor = tables
            .optional(rows::<(i64,)>(text).bind(self.name()))
            .await?;
        let shown = match &info {
            Info::Domain(info) => serde_json::to_value(info),
            Info::Host(info) => serde_json::to_value(info),
            _ => unreachable!("asked for a domain or a host"),
        };
        let shown = shown.map_err(|error| tables.inconsistent(error.to_string()))?;
        Ok(sponsor.map(|(sponsor,)| State { sponsor, shown }))
    }
}
