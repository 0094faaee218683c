//! Changes that wait until somebody agrees: operators of a zone whose changes are verified,
//! and those that a locked domain names (RFC 5731 section 3.3 calls it offline review).
//!
//! A command that has to wait is tried first, so that whatever it would be refused for is
//! said at once; then everything of the trial is undone and the command is queued. Its
//! object shows the pending status and takes no other change. The last consent runs the
//! very same command, by whom asked for it, in the transaction of the consent: all checks
//! again, and where one fails nothing happens, the consent neither. The queue is bounded
//! for each account, what waits too long is given up, and who asked is told.

mod ask;
mod decide;
mod gate;
mod object;
mod row;
mod show;
mod text;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::super::database::Timestamp;
use super::super::policy::{Approvers, Silence};
use super::super::types::Handle;
use super::CommandError;
use super::context::Context;

pub(super) use ask::{ask, none_waits};
pub(super) use decide::{abandon, give_up_transfer, run_now};
pub(super) use gate::needs;
pub(super) use object::ObjectKind;
pub(super) use show::{info, list, text, waiting_command};

/// Changes of one account that wait; who asks for more is told to wait.
pub const QUEUE_MAX: i64 = 1000;
/// Changes that a list shows, the oldest first.
pub const LIST_MAX: i64 = 1000;

/// A command on changes that wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangesCommand {
    /// Agree to one: the last that is needed makes it.
    Approve(i64),
    /// End one, for a reason that the actor gives.
    Reject(i64),
    /// Give one up: whoever asked for it.
    Withdraw(i64),
    /// Agree to one by the signature of a contact.
    Sign(Box<ChangeSignature>),
    /// End one that has waited too long: the timers' own.
    Expire {
        /// Its number.
        id: i64,
        /// The moment that was stored for it.
        expires_at: Timestamp,
    },
    /// Show those that wait.
    List {
        /// Of one account; a registrar sees its own only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        registrar: Option<Handle>,
    },
    /// Show one.
    Info(i64),
    /// Show what of one is signed.
    Text(i64),
}

/// A signature over the text of a change; whoever has it may hand it in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ChangeSignature {
    /// Number of the change.
    pub id: i64,
    /// Whose key it is by.
    pub contact: Handle,
    /// In hexadecimal digits: 64 octets of Ed25519, or a detached signature of OpenPGP.
    pub signature: String,
}

impl ChangesCommand {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Approve(_) => "change-approve",
            Self::Reject(_) => "change-reject",
            Self::Withdraw(_) => "change-withdraw",
            Self::Sign(_) => "change-sign",
            Self::Expire { .. } => "change-expire",
            Self::List { .. } => "change-list",
            Self::Info(_) => "change-info",
            Self::Text(_) => "change-text",
        }
    }

    pub(super) fn is_read(&self) -> bool {
        matches!(self, Self::List { .. } | Self::Info(_) | Self::Text(_))
    }

    /// The change that it would make.
    pub(super) fn makes(&self) -> Option<i64> {
        match self {
            Self::Approve(id) => Some(*id),
            Self::Sign(signature) => Some(signature.id),
            _ => None,
        }
    }
}

/// Some of these have to agree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Panel {
    /// How many.
    pub approvals: u32,
    /// Of whom.
    pub approvers: Approvers,
}

/// Who has to agree to a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Needs {
    /// Of each of these, enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub panels: Vec<Panel>,
    /// Whether one of `signers` has to sign it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub signature: bool,
    /// Contacts whose signature counts.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub signers: BTreeSet<Handle>,
    /// The registrant, who may forbid it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrant: Option<Handle>,
    /// What it means that the registrant says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
}

/// Somebody who agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Consent {
    /// As what.
    pub kind: String,
    /// Who.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// By which event.
    pub event: i64,
}

impl Needs {
    /// Whether nobody has to.
    fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether somebody's approval counts.
    fn ask_for(&self, who: &str) -> bool {
        self.panels.iter().any(|panel| panel.approvers.has(who))
    }

    /// Whether these are enough.
    fn are_met(&self, consents: &[Consent]) -> bool {
        let approved = |panel: &Panel| {
            let counts =
                |consent: &&Consent| consent.kind == APPROVER && panel.approvers.has(&consent.who);
            consents.iter().filter(counts).count() >= panel.approvals as usize
        };
        let has = |kind: &str, who: &Handle| {
            let mut found = consents.iter();
            found.any(|consent| consent.kind == kind && consent.who == who.as_str())
        };
        self.panels.iter().all(approved)
            && (!self.signature || self.signers.iter().any(|who| has(SIGNATURE, who)))
            && self.registrant.iter().all(|who| has(REGISTRANT, who))
    }
}

/// Kinds of consent: an approver's, by a signature, the registrant's.
const APPROVER: &str = "approver";
const SIGNATURE: &str = "signature";
const REGISTRANT: &str = "registrant";

/// A change that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ChangeInfo {
    /// Its number.
    pub id: i64,
    /// What the command is, as the event log has it.
    pub kind: String,
    /// `domain`, `host` or `contact`.
    pub object_type: String,
    /// Name of the object.
    pub object: String,
    /// Who asked for it.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// By which event.
    pub event: i64,
    /// When it is given up.
    pub expires_at: Timestamp,
    /// Who has to agree.
    pub needs: Needs,
    /// Who did.
    pub consents: Vec<Consent>,
    /// The command, without secrets.
    pub command: serde_json::Value,
}

/// The changes that wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ChangeList {
    /// How many.
    pub count: i64,
    /// At most [`LIST_MAX`] of them.
    pub changes: Vec<ChangeInfo>,
}

/// What of a change is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ChangeText {
    /// Its number.
    pub id: i64,
    /// Its octets.
    pub text: String,
}

/// What became of a change, as its notice says it (RFC 5731 section 3.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Review {
    /// Its number.
    pub change: i64,
    /// What the command was.
    pub command: String,
    /// The event by which it was asked for: the transaction that the notice answers.
    pub event: i64,
    /// What whoever asked called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_transaction: Option<String>,
    /// Whether it was made.
    pub approved: bool,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Why it was not, where no person says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Decides about a change; queues are in no zone.
pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &ChangesCommand,
) -> Result<Option<i64>, CommandError> {
    match command {
        ChangesCommand::Approve(id) => decide::approve(context, *id).await?,
        ChangesCommand::Reject(id) => decide::reject(context, *id).await?,
        ChangesCommand::Withdraw(id) => decide::withdraw(context, *id).await?,
        ChangesCommand::Sign(signature) => decide::sign(context, signature).await?,
        ChangesCommand::Expire { id, expires_at } => {
            decide::expire(context, *id, *expires_at).await?;
        }
        ChangesCommand::List { .. } | ChangesCommand::Info(_) | ChangesCommand::Text(_) => {
            unreachable!("reads change nothing")
        }
    }
    Ok(None)
}
