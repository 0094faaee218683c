//! What the registry itself does to an object is told to the object's sponsor.
//!
//! The object is looked at before the command and after it. What a registrar does to its
//! own objects is not looked at.

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
    kind: NoticeKind,
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
    /// Nothing where a registrar acts, or where no object has a sponsor.
    pub(in super::super) async fn begin(
        context: &mut Context<'_, '_>,
        command: &Command,
    ) -> Result<Option<Self>, CommandError> {
        if context.acting.registrar.is_some() {
            return Ok(None);
        }
        let (object, kind) = match command {
            Command::Domain(command) => {
                let kind = match command {
                    DomainCommand::Create(_) => NoticeKind::DomainCreated,
                    DomainCommand::Delete(_) | DomainCommand::Purge(_) => NoticeKind::DomainDeleted,
                    DomainCommand::Step(step) if step.step == Step::Purge => {
                        NoticeKind::DomainDeleted
                    }
                    _ => NoticeKind::DomainUpdated,
                };
                (Object::Domain(command.name().clone()), kind)
            }
            Command::Host(command) => {
                let kind = match command {
                    HostCommand::Create(_) => NoticeKind::HostCreated,
                    HostCommand::Delete(_) => NoticeKind::HostDeleted,
                    _ => NoticeKind::HostUpdated,
                };
                (Object::Host(command.name().clone()), kind)
            }
            _ => return Ok(None),
        };
        let is_new = matches!(kind, NoticeKind::DomainCreated | NoticeKind::HostCreated);
        let before = match is_new {
            true => None,
            false => object.state(context).await?,
        };
        Ok(Some(Self {
            object,
            kind,
            before,
        }))
    }

    /// Looks again and leaves the notice with the command.
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
        let after = object.state(context).await?;
        let sponsor = after.as_ref().or(self.before.as_ref());
        let Some(sponsor) = sponsor.map(|state| state.sponsor) else {
            return Ok(());
        };
        let mut notice = Notice::new(sponsor, self.kind, object.name());
        notice.before = self.before.map(|state| state.shown);
        notice.after = after.map(|state| state.shown);
        context.notices.push(notice);
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
