//! What a command comes to.

use std::sync::Arc;

use serde::Serialize;

use super::super::code::ResultCode;
use super::super::error::RegistryError;
use super::super::types::ValueError;
use super::changes::{ChangeInfo, ChangeList, ChangeText};
use super::contact::ContactInfo;
use super::domain::{Availability, DomainInfo, TransferInfo};
use super::host::HostInfo;
use super::keys::ZoneKeys;
use super::poll::PollInfo;
use super::registrar::RegistrarInfo;
use super::timers::TimersInfo;
use super::zone::{LameReport, ZoneInfo};

/// A command that was obeyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// Something changed, at this event.
    Changed {
        /// Its number: what is served once it is at or beyond it has the change.
        event: i64,
        /// What whoever asked should know although it was done.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        notes: Vec<String>,
    },
    /// Something was begun at this event; its end is still to come.
    Pending {
        /// Its number.
        event: i64,
        /// As of a change.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        notes: Vec<String>,
    },
    /// What was asked for.
    Read(Box<Info>),
}

impl Outcome {
    /// The event of a change.
    pub fn event(&self) -> Option<i64> {
        match self {
            Self::Changed { event, .. } | Self::Pending { event, .. } => Some(*event),
            Self::Read(_) => None,
        }
    }

    /// Warnings that go with it.
    pub fn notes(&self) -> &[String] {
        match self {
            Self::Changed { notes, .. } | Self::Pending { notes, .. } => notes,
            Self::Read(_) => &[],
        }
    }

    /// Its code.
    pub fn code(&self) -> ResultCode {
        match self {
            Self::Read(info) => match &**info {
                Info::Poll(poll) if poll.message.is_some() => ResultCode::DoneMessage,
                Info::Poll(_) => ResultCode::DoneNoMessages,
                _ => ResultCode::Done,
            },
            Self::Pending { .. } => ResultCode::DonePending,
            Self::Changed { .. } => ResultCode::Done,
        }
    }
}

/// An object as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Info {
    /// A domain.
    Domain(Box<DomainInfo>),
    /// Whether a name can be registered.
    Availability(Availability),
    /// The last transfer of a domain.
    Transfer(TransferInfo),
    /// The last transfer of a contact.
    ContactTransfer(TransferInfo),
    /// A contact.
    Contact(Box<ContactInfo>),
    /// A host.
    Host(HostInfo),
    /// A registrar.
    Registrar(RegistrarInfo),
    /// A zone.
    Zone(Box<ZoneInfo>),
    /// Policy and keys of a zone.
    Keys(Box<ZoneKeys>),
    /// Hosts of domains that are gone.
    Lame(Box<LameReport>),
    /// Messages that wait.
    Poll(Box<PollInfo>),
    /// The timers.
    Timers(TimersInfo),
    /// A change that waits.
    Change(Box<ChangeInfo>),
    /// Changes that wait.
    Changes(Box<ChangeList>),
    /// What of a change is signed.
    ChangeText(ChangeText),
}

/// Why a command was not obeyed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The rules forbid it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store did not take it ([`ResultCode::CommandFailed`]).
    #[error(transparent)]
    Failed(Arc<RegistryError>),
}

impl CommandError {
    /// Its code.
    pub fn code(&self) -> ResultCode {
        match self {
            Self::Rejected(rejection) => rejection.code,
            Self::Failed(_) => ResultCode::CommandFailed,
        }
    }
}

impl From<RegistryError> for CommandError {
    fn from(error: RegistryError) -> Self {
        Self::Failed(Arc::new(error))
    }
}

/// What the rules say against a command; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{value}: {reason} ({})", code.number())]
pub struct Rejection {
    /// The code to answer.
    pub code: ResultCode,
    /// The value that it is about.
    pub value: String,
    /// Why.
    pub reason: String,
}

impl From<ValueError> for Rejection {
    fn from(error: ValueError) -> Self {
        Self {
            code: error.code,
            value: error.value,
            reason: error.reason,
        }
    }
}

impl From<ValueError> for CommandError {
    fn from(error: ValueError) -> Self {
        Self::Rejected(error.into())
    }
}

/// A rejection, for `return Err(..)`.
pub(crate) fn rejected(
    code: ResultCode,
    value: impl ToString,
    reason: impl Into<String>,
) -> CommandError {
    CommandError::Rejected(Rejection {
        code,
        value: value.to_string(),
        reason: reason.into(),
    })
}
