//! Commands on domains (RFC 5731).
//!
//! One file a command. How far along its life a domain is (RFC 3915) stands in its row
//! (`row`); what is due by time alone is a command of the registry's timers (`step`).

mod check;
mod create;
mod delete;
mod info;
mod keys;
mod networks;
mod renew;
mod restore;
mod review;
mod row;
mod servers;
mod set;
mod step;
mod transfer;
mod update;

use serde::{Deserialize, Serialize};

use super::super::database::Timestamp;
use super::super::types::{
    AuthInfo, DnskeyData, DomainName, DsData, Handle, HostName, Status, Ttl, Years,
};
use super::CommandError;
use super::contact::{Change, DomainContact};
use super::context::Context;
use super::host::HostAttribute;
use super::lock::{self, DomainLock};

pub use check::Availability;
pub(super) use check::check;
pub(in crate::registry) use check::check_for_public;
pub(in crate::registry) use info::roid;
pub(super) use info::{info, names};
pub(in crate::registry) use keys::of_domain as keys_of;
pub use renew::DomainRenew;
pub use restore::{DomainRestore, RestoreReport};
pub(super) use review::{changeable, hold_name, kept_auth, statuses_of, store_statuses, touch};
pub(in crate::registry) use row::graces;
pub use servers::{AskServers, DomainServers, ServerResult, ServersToAsk};
pub use step::DomainStep;
pub(in crate::registry) use transfer::taker;
pub use transfer::{DomainMove, DomainTransfer, TransferInfo, TransferOp, TransferState};
pub(super) use transfer::{gaining, handle_of, query, wrong_auth};

/// A command on one domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DomainCommand {
    /// Register it.
    Create(Box<DomainCreate>),
    /// Change it.
    Update(Box<DomainUpdate>),
    /// Make its registration longer.
    Renew(DomainRenew),
    /// Bring it to another registrar.
    Transfer(Box<DomainTransfer>),
    /// Give it another sponsor without anybody's consent: the registry's own.
    Move(Box<DomainMove>),
    /// End it: at once in its add period, else after a while in which it can be restored.
    Delete(DomainName),
    /// Undo a delete.
    Restore(Box<DomainRestore>),
    /// Remove it at once, whatever it waits for: the registry's own.
    Purge(DomainName),
    /// Let it change only if those agree whom the lock names: the registry's own.
    Lock(Box<DomainLock>),
    /// Take its lock off, if they agree.
    Unlock(DomainName),
    /// Keep what its name servers said: of whoever asked them, for the registry.
    Servers(Box<DomainServers>),
    /// Take the step of its life that is due: the timers' own.
    Step(DomainStep),
    /// Show it.
    Info(DomainQuery),
    /// Say whether it can be registered.
    Check(DomainName),
    /// Say whether it can be registered with a token.
    CheckToken {
        /// Its name.
        name: DomainName,
        /// The token.
        token: AuthInfo,
    },
}

impl DomainCommand {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Create(_) => "domain-create",
            Self::Update(_) => "domain-update",
            Self::Renew(_) => "domain-renew",
            Self::Delete(_) => "domain-delete",
            Self::Restore(_) => "domain-restore",
            Self::Transfer(transfer) => match transfer.op {
                TransferOp::Request => "domain-transfer-request",
                TransferOp::Approve => "domain-transfer-approve",
                TransferOp::Reject => "domain-transfer-reject",
                TransferOp::Cancel => "domain-transfer-cancel",
                TransferOp::Query => "domain-transfer-query",
            },
            Self::Move(_) => "domain-move",
            Self::Purge(_) => "domain-purge",
            Self::Lock(_) => "domain-lock",
            Self::Unlock(_) => "domain-unlock",
            Self::Servers(_) => "domain-servers",
            Self::Step(step) => step.kind(),
            Self::Info(_) => "domain-info",
            Self::Check(_) | Self::CheckToken { .. } => "domain-check",
        }
    }

    /// Whether it changes nothing.
    pub(super) fn is_read(&self) -> bool {
        match self {
            Self::Info(_) | Self::Check(_) | Self::CheckToken { .. } => true,
            Self::Transfer(transfer) => transfer.op == TransferOp::Query,
            _ => false,
        }
    }

    pub(super) fn name(&self) -> &DomainName {
        match self {
            Self::Create(create) => &create.name,
            Self::Update(update) => &update.name,
            Self::Renew(renew) => &renew.name,
            Self::Restore(restore) => &restore.name,
            Self::Step(step) => &step.name,
            Self::Lock(lock) => &lock.name,
            Self::Servers(servers) => &servers.name,
            Self::Transfer(transfer) => &transfer.name,
            Self::Move(moved) => &moved.name,
            Self::Info(query) => &query.name,
            Self::CheckToken { name, .. } => name,
            Self::Delete(name) | Self::Purge(name) | Self::Check(name) | Self::Unlock(name) => name,
        }
    }
}

/// What a new domain is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DomainCreate {
    /// Its name.
    pub name: DomainName,
    /// Its sponsor; a registrar's own account if it is not named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrar: Option<Handle>,
    /// For how long.
    #[serde(default)]
    pub period: Years,
    /// Its name servers: host objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostName>,
    /// The same with their addresses, in a zone where they are attributes of domains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<HostAttribute>,
    /// Its delegation signers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ds: Vec<DsData>,
    /// Keys of which the registry makes them, in a zone that takes keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<DnskeyData>,
    /// Statuses it begins with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<Status>,
    /// Who holds it, where contacts are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrant: Option<Handle>,
    /// Its contacts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<DomainContact>,
    /// What lets another registrar have it; none, or empty, is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_info: Option<AuthInfo>,
    /// The IDN table of the zone that is to let its label in; the first that does where
    /// none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idn_tag: Option<String>,
    /// Agrees to the terms of a premium label, by repeating them as `domain check` says them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// The token of a label that is held (RFC 8495).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<AuthInfo>,
}

/// Which domain to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DomainQuery {
    /// Its name.
    pub name: DomainName,
    /// Shows another registrar what its sponsor sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_info: Option<AuthInfo>,
}

impl DomainCreate {
    /// A domain with nothing but a name.
    pub fn new(name: DomainName) -> Self {
        Self {
            name,
            registrar: None,
            period: Years::default(),
            hosts: Vec::new(),
            attributes: Vec::new(),
            ds: Vec::new(),
            keys: Vec::new(),
            statuses: Vec::new(),
            idn_tag: None,
            consent: None,
            token: None,
            registrant: None,
            contacts: Vec::new(),
            auth_info: None,
        }
    }
}

impl DomainQuery {
    /// Of a reader's own domain.
    pub fn new(name: &DomainName) -> Self {
        Self {
            name: name.clone(),
            auth_info: None,
        }
    }
}

/// What is added to a domain or removed from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct DomainParts {
    /// Name servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostName>,
    /// The same as attributes; with other addresses in `add` than in `remove`, those change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<HostAttribute>,
    /// Delegation signers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ds: Vec<DsData>,
    /// Keys of which they are made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<DnskeyData>,
    /// Statuses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<Status>,
    /// Contacts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<DomainContact>,
}

impl DomainParts {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A change to a TTL of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TtlChange {
    /// Its own from now on.
    Own(Ttl),
    /// The zone's again.
    Zone,
}

impl TtlChange {
    fn column(self) -> Option<i64> {
        match self {
            Self::Own(ttl) => Some(ttl.column()),
            Self::Zone => None,
        }
    }
}

/// A change to a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DomainUpdate {
    /// Its name.
    pub name: DomainName,
    /// What comes.
    #[serde(default)]
    pub add: DomainParts,
    /// What goes.
    #[serde(default)]
    pub remove: DomainParts,
    /// All delegation signers that are there go, before others come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remove_all_ds: bool,
    /// TTL of its NS records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ns_ttl: Option<TtlChange>,
    /// TTL of its DS records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ds_ttl: Option<TtlChange>,
    /// Who holds it from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrant: Option<Change<Handle>>,
    /// What lets another registrar have it from now on; empty is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_info: Option<AuthInfo>,
}

impl DomainUpdate {
    /// A change of nothing, to be filled in.
    pub fn new(name: DomainName) -> Self {
        Self {
            name,
            add: DomainParts::default(),
            remove: DomainParts::default(),
            remove_all_ds: false,
            ns_ttl: None,
            ds_ttl: None,
            registrant: None,
            auth_info: None,
        }
    }

    /// Whether it changes something beside what it adds and removes.
    fn changes_more(&self) -> bool {
        self.ns_ttl.is_some()
            || self.ds_ttl.is_some()
            || self.auth_info.is_some()
            || self.registrant.is_some()
            || self.remove_all_ds
    }
}

/// A domain as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct DomainInfo {
    /// Its name.
    pub name: DomainName,
    /// Its number for ever (RFC 5730 section 2.8).
    pub roid: String,
    /// Apex of its zone.
    pub zone: String,
    /// Its sponsor.
    pub registrar: String,
    /// As EPP shows them: those that were set, `inactive` without name servers, or
    /// `ok` alone.
    pub statuses: Vec<String>,
    /// Where it is in its life (RFC 3915 section 3.1), at the moment of asking.
    pub rgp_statuses: Vec<String>,
    /// Who holds it; shown to its sponsor, and with its authorization information.
    pub registrant: Option<String>,
    /// Its contacts, alike, as `ROLE:HANDLE`.
    pub contacts: Vec<String>,
    /// Its name servers.
    pub hosts: Vec<String>,
    /// The same with their addresses, where they are attributes of domains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Vec<HostAttribute>>,
    /// Hosts below it.
    pub subordinate_hosts: Vec<String>,
    /// Its delegation signers.
    pub ds: Vec<DsData>,
    /// The keys that these were made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<DnskeyData>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// By which registrar, or the registry.
    pub created_by: Option<String>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// By whom.
    pub updated_by: Option<String>,
    /// When it came to its sponsor.
    pub transferred_at: Option<Timestamp>,
    /// When it expires; imported domains never told.
    pub expires_at: Option<Timestamp>,
    /// What becomes of it by time alone.
    pub next_step: Option<String>,
    /// And when.
    pub next_step_at: Option<Timestamp>,
    /// TTL of its NS records, where it has its own.
    pub ns_ttl: Option<i64>,
    /// TTL of its DS records, where it has its own.
    pub ds_ttl: Option<i64>,
    /// Whether DNS knows it by name servers of its own.
    pub published: bool,
    /// Whether it is delegated to the registry's parking servers.
    pub parked: bool,
}

/// Runs a change; the zone it is about.
pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &DomainCommand,
) -> Result<Option<i64>, CommandError> {
    match command {
        DomainCommand::Create(command) => create::create(context, command).await.map(Some),
        DomainCommand::Update(command) => update::update(context, command).await.map(Some),
        DomainCommand::Renew(command) => renew::renew(context, command).await.map(Some),
        DomainCommand::Delete(name) => delete::delete(context, name).await.map(Some),
        DomainCommand::Restore(command) => restore::restore(context, command).await.map(Some),
        DomainCommand::Transfer(command) => transfer::transfer(context, command).await.map(Some),
        DomainCommand::Move(command) => transfer::move_over(context, command).await.map(Some),
        DomainCommand::Purge(name) => delete::purge(context, name).await.map(Some),
        DomainCommand::Step(command) => step::step(context, command).await.map(Some),
        DomainCommand::Lock(command) => lock::lock(context, command).await.map(Some),
        DomainCommand::Unlock(name) => lock::unlock(context, name).await.map(Some),
        DomainCommand::Servers(command) => servers::keep(context, command).await,
        DomainCommand::Info(_) | DomainCommand::Check(_) | DomainCommand::CheckToken { .. } => {
            unreachable!("reads change nothing")
        }
    }
}
