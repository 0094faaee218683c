//! Commands on host objects (RFC 5732).
//!
//! A host is internal if a zone of this registry is at or above its name: then it
//! belongs to a registered domain, and its addresses are glue. Any other host is
//! external and has no addresses here. In zones whose policy says so, name servers are
//! attributes of domains instead (`attribute`), and no command here knows them.

mod attribute;
mod check;
mod create;
mod delete;
mod info;
mod review;
mod row;
mod update;

use serde::{Deserialize, Serialize};

use super::super::database::Timestamp;
use super::super::types::{Address, Handle, HostName, Status};
use super::CommandError;
use super::context::Context;

pub use attribute::HostAttribute;
pub(super) use attribute::{check_removed, make, of_domain, replace, sweep};
pub(super) use check::check;
pub(super) use info::info;
pub(super) use review::hold_name;

/// A command on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostCommand {
    /// Make it.
    Create(HostCreate),
    /// Change it.
    Update(HostUpdate),
    /// Remove it.
    Delete(HostName),
    /// Show it.
    Info(HostName),
    /// Say whether it could be made.
    Check(HostName),
}

impl HostCommand {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Create(_) => "host-create",
            Self::Update(_) => "host-update",
            Self::Delete(_) => "host-delete",
            Self::Info(_) => "host-info",
            Self::Check(_) => "host-check",
        }
    }

    pub(super) fn name(&self) -> &HostName {
        match self {
            Self::Create(create) => &create.name,
            Self::Update(update) => &update.name,
            Self::Delete(name) | Self::Info(name) | Self::Check(name) => name,
        }
    }
}

/// What a new host is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HostCreate {
    /// Its name.
    pub name: HostName,
    /// Its sponsor; a registrar's own account if it is not named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrar: Option<Handle>,
    /// Its addresses; an internal host has some, an external one none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
}

/// What is added to a host or removed from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct HostParts {
    /// Addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// Statuses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<Status>,
}

/// A change to a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HostUpdate {
    /// Its name.
    pub name: HostName,
    /// What comes.
    #[serde(default)]
    pub add: HostParts,
    /// What goes.
    #[serde(default)]
    pub remove: HostParts,
    /// What it is called from now on; domains that name it follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_name: Option<HostName>,
}

impl HostUpdate {
    /// A change of nothing, to be filled in.
    pub fn new(name: HostName) -> Self {
        Self {
            name,
            add: HostParts::default(),
            remove: HostParts::default(),
            new_name: None,
        }
    }
}

/// A host as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct HostInfo {
    /// Its name.
    pub name: HostName,
    /// Its number for ever.
    pub roid: String,
    /// Its sponsor.
    pub registrar: String,
    /// The domain that it is in, for an internal host.
    pub superordinate: Option<String>,
    /// As EPP shows them: those that were set, `linked`, or `ok`.
    pub statuses: Vec<String>,
    /// Its addresses.
    pub addresses: Vec<Address>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By which registrar, or the registry.
    pub created_by: Option<String>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// By whom.
    pub updated_by: Option<String>,
    /// When it came to its sponsor, with its domain.
    pub transferred_at: Option<Timestamp>,
    /// Whether a published domain names it.
    pub published: bool,
}

/// Runs a change; the zone it is about, if any.
pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &HostCommand,
) -> Result<Option<i64>, CommandError> {
    match command {
        HostCommand::Create(command) => create::create(context, command).await,
        HostCommand::Update(command) => update::update(context, command).await,
        HostCommand::Delete(name) => delete::delete(context, name).await,
        HostCommand::Info(_) | HostCommand::Check(_) => unreachable!("reads change nothing"),
    }
}
