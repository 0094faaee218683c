//! Commands on the keys of a zone: policy, new keys, steps of their states. The
//! registry's own.
//!
//! What a step may be was decided by whoever sends it; here it is written only onto the
//! revision that it was decided on, so that two who decide at once cannot mix. A sealed
//! private key goes in and is neither logged nor shown.

mod info;
mod policy;
mod reserve;
mod rows;
mod write;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::code::ResultCode;
use super::super::database::Timestamp;
use super::super::signing::{KeyId, KeyRole, PolicyChange, SigningPolicy, Timeline};
use super::super::types::{AnyName, DnskeyData};
use super::CommandError;
use super::answer::rejected;
use super::checks::registry_only;
use super::context::Context;

pub(super) use info::info;
pub use info::{load, made_signatures, reserved_keys, sealed_keys, signed_zones};
pub(super) use rows::check_ttl;

/// In the place of an owner that changed: signatures are to be looked at. The compiler's
/// word for it; no name is written so.
pub(in crate::registry) const SIGNATURES: &str = "..signatures";

/// A command on the keys of one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeysCommand {
    /// Change how the zone is signed; the first time with the usual values.
    Policy(Box<KeysPolicy>),
    /// Add a key that was made.
    Add(Box<KeysAdd>),
    /// Keep a key for later; nothing of it is published.
    Reserve(Box<KeysAdd>),
    /// Write the next states.
    Step(Box<KeysStep>),
    /// Publish the zone again, so that signatures that end soon are replaced.
    Resign(KeysResign),
    /// Take signatures that were made on another machine.
    Signatures(Box<KeysSignatures>),
    /// Show policy and keys.
    Info(AnyName),
}

impl KeysCommand {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Policy(_) => "keys-policy",
            Self::Add(_) => "keys-add",
            Self::Reserve(_) => "keys-reserve",
            Self::Step(_) => "keys-step",
            Self::Resign(_) => "keys-resign",
            Self::Signatures(_) => "keys-signatures",
            Self::Info(_) => "keys-info",
        }
    }

    pub(super) fn apex(&self) -> &AnyName {
        match self {
            Self::Policy(policy) => &policy.apex,
            Self::Add(add) | Self::Reserve(add) => &add.apex,
            Self::Step(step) => &step.apex,
            Self::Signatures(made) => &made.apex,
            Self::Resign(resign) => &resign.apex,
            Self::Info(apex) => apex,
        }
    }
}

/// A change of a zone's policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeysPolicy {
    /// The zone.
    pub apex: AnyName,
    /// What changes.
    pub change: PolicyChange,
}

/// A private key that is sealed; its octets are nobody's business.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}

/// A key that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeysAdd {
    /// Its zone.
    pub apex: AnyName,
    /// What for.
    pub role: KeyRole,
    /// The public half.
    pub dnskey: DnskeyData,
    /// Keys whose place it takes: from now on they are to go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retires: Vec<KeyId>,
    /// Whether it signs the zone already and every cache knows it.
    #[serde(default)]
    pub in_use: bool,
    /// "database", "offline", or the label of a token.
    pub store: String,
    /// The key was kept for this, under that id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<KeyId>,
    /// The private key, where `store` is "database". Not in the event log.
    #[serde(skip)]
    pub sealed: Option<Sealed>,
}

/// A key that is kept for later.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in the commands")]
pub struct ReservedKey {
    pub id: KeyId,
    pub role: KeyRole,
    pub dnskey: DnskeyData,
    pub store: String,
}

/// How much of the zone changes with the states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// Nothing.
    Nothing,
    /// Records of the apex.
    Apex,
    /// Signatures of every name.
    Zone,
}

/// The next states of a zone's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeysStep {
    /// The zone.
    pub apex: AnyName,
    /// The revision that it was decided on.
    pub revision: i64,
    /// All keys that stay.
    pub timeline: Timeline,
    /// Keys that go; their private halves with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<KeyId>,
    /// What has to be published.
    pub extent: Extent,
}

/// A look at every signature of a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeysResign {
    /// The zone.
    pub apex: AnyName,
    /// The last such look whose outcome is known to be served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshed_at: Option<Timestamp>,
}

/// RRSIG records over the key sets of an apex, each checked by whoever sends them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeysSignatures {
    /// The zone.
    pub apex: AnyName,
    /// RRSIG data as in a zone file; they take the place of all before.
    pub signatures: Vec<RrsigData>,
}

/// The data of an RRSIG record with its times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RrsigData {
    /// Seconds since 1970.
    pub inception: i64,
    /// Seconds since 1970.
    pub expiration: i64,
    /// RDATA in hexadecimal.
    pub rdata: String,
}

/// A key for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in the commands and the states")]
pub struct KeyInfo {
    pub id: KeyId,
    pub role: KeyRole,
    pub key_tag: u16,
    pub dnskey: DnskeyData,
    pub store: String,
    pub created_at: Timestamp,
}

/// How a zone is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in the commands and the states")]
pub struct ZoneKeys {
    pub apex: AnyName,
    pub policy: SigningPolicy,
    pub revision: i64,
    pub resigned_at: Timestamp,
    pub refreshed_at: Option<Timestamp>,
    pub keys: Vec<KeyInfo>,
    pub timeline: Timeline,
}

impl ZoneKeys {
    /// One of its keys.
    pub fn key(&self, id: KeyId) -> Option<&KeyInfo> {
        self.keys.iter().find(|key| key.id == id)
    }
}

/// Runs a change; the zone it is about.
pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &KeysCommand,
) -> Result<Option<i64>, CommandError> {
    let apex = command.apex();
    registry_only(&context.acting, apex.as_str())?;
    let zone_id = rows::zone_id(&mut context.tables(), apex).await?;
    match command {
        KeysCommand::Policy(command) => policy::change(context, zone_id, command).await?,
        KeysCommand::Add(command) => write::add(context, zone_id, command).await?,
        KeysCommand::Reserve(command) => reserve::keep(context, zone_id, command).await?,
        KeysCommand::Step(command) => write::step(context, zone_id, command).await?,
        KeysCommand::Signatures(command) => write::signatures(context, zone_id, command).await?,
        KeysCommand::Resign(command) => {
            rows::policy(&mut context.tables(), zone_id, apex).await?;
            if let Some(at) = command.refreshed_at {
                write::refreshed(context, zone_id, at).await?;
            }
            write::resign(context, zone_id, SIGNATURES).await?;
        }
        KeysCommand::Info(_) => unreachable!("reads change nothing"),
    }
    Ok(Some(zone_id))
}

/// The zone has no policy.
fn unsigned(apex: &AnyName) -> CommandError {
    let reason = "the zone is not signed; `meridian keys policy` or `keys generate` begins it";
    rejected(ResultCode::ObjectDoesNotExist, apex, reason)
}

#[cfg(test)]
mod tests;
