//! Commands on zones: SOA, the zone's own records, policy. The registry's own.

pub(crate) mod create;
mod delete;
mod disclosure;
mod idn;
mod info;
mod labels;
mod lame;
mod orphans;
pub(in crate::registry::command) mod parking;
mod policy;
mod records;
mod update;

use serde::{Deserialize, Serialize};

use super::super::code::ResultCode;
use super::super::database::Timestamp;
use super::super::error::RegistryError;
use super::super::policy::RegistrationPolicy;
use super::super::types::{AnyName, Ttl, ZoneRecord};
use super::CommandError;
use super::answer::rejected;
use super::checks::registry_only;
use super::context::Context;
use super::tables::{Tables, from_row, rows};

pub(in crate::registry) use disclosure::policy_of;
pub use disclosure::{DisclosureRule, ZoneDisclosure};
pub use idn::{ZoneIdn, ZoneTableText};
pub(super) use info::info;
pub(super) use labels::held_label;
pub use labels::{HeldLabel, LabelKind, ZoneLabels};
pub(super) use lame::report;
pub use lame::{LameHost, LameReport, REMINDER_DAYS};
pub use orphans::ZoneOrphans;
pub use parking::ZoneParking;
pub use policy::ZonePolicy;

/// A command on one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneCommand {
    /// Make it, empty of registrations.
    Create(ZoneCreate),
    /// Change it.
    Update(Box<ZoneUpdate>),
    /// Change what may be registered in it.
    Policy(Box<ZonePolicy>),
    /// Hold labels back, or let them go.
    Labels(Box<ZoneLabels>),
    /// Change its IDN tables.
    Idn(Box<ZoneIdn>),
    /// Change what becomes of hosts of domains that are removed.
    Orphans(ZoneOrphans),
    /// Change what becomes of domains without name servers.
    Parking(Box<ZoneParking>),
    /// Change what the public is shown of the contacts of its domains.
    Disclosure(Box<ZoneDisclosure>),
    /// Show hosts of domains that are gone.
    Lame(AnyName),
    /// Tell the sponsors of domains that have named such hosts for long.
    Remind(AnyName),
    /// Remove it, once it is empty of registrations.
    Delete(AnyName),
    /// Show it.
    Info(AnyName),
}

impl ZoneCommand {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Create(_) => "zone-create",
            Self::Update(_) => "zone-update",
            Self::Policy(_) => "zone-policy",
            Self::Labels(_) => "zone-labels",
            Self::Idn(_) => "zone-idn",
            Self::Orphans(_) => "zone-orphans",
            Self::Parking(_) => "zone-parking",
            Self::Disclosure(_) => "zone-disclosure",
            Self::Lame(_) => "zone-lame",
            Self::Remind(_) => "zone-remind",
            Self::Delete(_) => "zone-delete",
            Self::Info(_) => "zone-info",
        }
    }

    pub(super) fn apex(&self) -> &AnyName {
        match self {
            Self::Create(create) => &create.apex,
            Self::Update(update) => &update.apex,
            Self::Policy(policy) => &policy.apex,
            Self::Labels(labels) => &labels.apex,
            Self::Idn(idn) => &idn.apex,
            Self::Orphans(orphans) => &orphans.apex,
            Self::Parking(parking) => &parking.apex,
            Self::Disclosure(disclosure) => &disclosure.apex,
            Self::Delete(apex) | Self::Info(apex) | Self::Lame(apex) | Self::Remind(apex) => apex,
        }
    }
}

/// What a new zone is to be. Its other fields have the usual values until an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ZoneCreate {
    /// Its apex.
    pub apex: AnyName,
    /// Primary name server of its SOA.
    pub mname: AnyName,
    /// Mailbox of its SOA, as a name.
    pub rname: AnyName,
    /// Its own records, NS at the apex among them.
    pub records: Vec<ZoneRecord>,
}

/// Whether glue of other domains' hosts goes into referrals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GluePolicy {
    /// Only of hosts below the domain.
    Narrow,
    /// Of all hosts of the zone.
    Wide,
}

/// A change to a zone; what is not named stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the fields of an SOA and the columns of a zone"
)]
pub struct ZoneUpdate {
    pub apex: AnyName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mname: Option<AnyName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rname: Option<AnyName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Ttl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Ttl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire: Option<Ttl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Ttl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soa_ttl: Option<Ttl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ns_ttl: Option<Ttl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ds_ttl: Option<Ttl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glue_ttl: Option<Ttl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ns_count_min: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ns_count_max: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glue_policy: Option<GluePolicy>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<ZoneRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<ZoneRecord>,
}

impl ZoneUpdate {
    /// A change of nothing, to be filled in.
    pub fn new(apex: AnyName) -> Self {
        Self {
            apex,
            mname: None,
            rname: None,
            refresh: None,
            retry: None,
            expire: None,
            minimum: None,
            soa_ttl: None,
            ns_ttl: None,
            ds_ttl: None,
            glue_ttl: None,
            ns_count_min: None,
            ns_count_max: None,
            glue_policy: None,
            add: Vec::new(),
            remove: Vec::new(),
        }
    }
}

/// A zone as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "the fields of an SOA and the columns of a zone"
)]
pub struct ZoneInfo {
    pub apex: AnyName,
    pub state: String,
    pub mname: String,
    pub rname: String,
    pub serial: i64,
    pub refresh: i64,
    pub retry: i64,
    pub expire: i64,
    pub minimum: i64,
    pub soa_ttl: i64,
    pub ns_ttl: i64,
    pub ds_ttl: i64,
    pub glue_ttl: i64,
    pub ns_count_min: i64,
    pub ns_count_max: i64,
    pub glue_policy: String,
    pub policy: RegistrationPolicy,
    /// What becomes of hosts of domains that are removed.
    pub host_orphan: String,
    pub own_hosts: String,
    pub lame_domain: Option<String>,
    /// Where domains without name servers are parked.
    pub parking_servers: Vec<String>,
    pub records: Vec<ZoneRecord>,
    pub held_labels: Vec<HeldLabel>,
    pub idn_tables: Vec<ZoneTableText>,
    /// What the public is shown of contacts, where that is not the default.
    pub disclosure: Vec<DisclosureRule>,
    pub created_at: Timestamp,
    pub updated_at: Option<Timestamp>,
}

/// A row of `zones`, as far as commands change it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    id: i64,
    state: String,
    soa_mname: String,
    soa_rname: String,
    serial: i64,
    soa_refresh: i64,
    soa_retry: i64,
    soa_expire: i64,
    soa_minimum: i64,
    soa_ttl: i64,
    ns_ttl: i64,
    ds_ttl: i64,
    glue_ttl: i64,
    ns_count_min: i64,
    ns_count_max: i64,
    glue_policy: String,
    created_at: i64,
    updated_at: Option<i64>,
}

from_row!(Row: id, state, soa_mname, soa_rname, serial, soa_refresh, soa_retry, soa_expire, soa_minimum, soa_ttl, ns_ttl, ds_ttl, glue_ttl, ns_count_min, ns_count_max, glue_policy, created_at, updated_at);

async fn find(tables: &mut Tables<'_>, apex: &AnyName) -> Result<Option<Row>, RegistryError> {
    let query = rows::<Row>(
        "SELECT id, state, soa_mname, soa_rname, serial, soa_refresh, soa_retry, soa_expire, \
         soa_minimum, soa_ttl, ns_ttl, ds_ttl, glue_ttl, ns_count_min, ns_count_max, \
         glue_policy, created_at, updated_at FROM zones WHERE apex = $1",
    );
    tables.optional(query.bind(apex.as_str())).await
}

async fn existing(tables: &mut Tables<'_>, apex: &AnyName) -> Result<Row, CommandError> {
    let missing = || rejected(ResultCode::ObjectDoesNotExist, apex, "no such zone");
    find(tables, apex).await?.ok_or_else(missing)
}

/// The zone, if it takes commands.
async fn existing_active(tables: &mut Tables<'_>, apex: &AnyName) -> Result<Row, CommandError> {
    let row = existing(tables, apex).await?;
    if row.state == "active" {
        return Ok(row);
    }
    let reason = "the import of this zone is unfinished";
    Err(rejected(ResultCode::StatusProhibits, apex, reason))
}

/// Runs a change; the zone it is about.
pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &ZoneCommand,
) -> Result<Option<i64>, CommandError> {
    registry_only(&context.acting, command.apex().as_str())?;
    match command {
        ZoneCommand::Create(command) => create::create(context, command).await.map(Some),
        ZoneCommand::Update(command) => update::update(context, command).await.map(Some),
        ZoneCommand::Policy(command) => policy::change(context, command).await.map(Some),
        ZoneCommand::Labels(command) => labels::change(context, command).await.map(Some),
        ZoneCommand::Idn(command) => Box::pin(idn::change(context, command)).await.map(Some),
        ZoneCommand::Orphans(command) => orphans::change(context, command).await.map(Some),
        ZoneCommand::Parking(command) => parking::change(context, command).await.map(Some),
        ZoneCommand::Disclosure(command) => disclosure::change(context, command).await.map(Some),
        ZoneCommand::Delete(apex) => delete::delete(context, apex).await.map(Some),
        ZoneCommand::Remind(apex) => lame::remind(context, apex).await.map(Some),
        ZoneCommand::Info(_) | ZoneCommand::Lame(_) => unreachable!("reads change nothing"),
    }
}
