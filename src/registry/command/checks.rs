//! Checks that several commands share, each with its one code.

use std::collections::BTreeSet;

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use zone_image::Name;

use super::super::code::ResultCode;
use super::super::error::RegistryError;
use super::super::names::stored;
use super::super::policy::{DataModel, RegistrationPolicy, Stage};
use super::super::types::{Address, AddressFault, Handle, Status, Statuses};
use super::answer::rejected;
use super::tables::{Rows, Tables, rows, rows_in};
use super::{Actor, CommandError, Role};

/// Most addresses of a host.
pub(super) const ADDRESSES_MAX: usize = 13;
/// Most DS records of a domain.
pub(super) const DS_MAX: usize = 13;

/// An actor whose account was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acting {
    /// The registrar that it acts for; `None` for the registry itself.
    pub(crate) registrar: Option<i64>,
    /// As objects say who changed them: its handle, or "registry".
    pub(crate) by: String,
    /// The contact that acts, by way of its registrar.
    pub(crate) contact: Option<i64>,
    /// Whether its account is for tests; nothing for the registry itself.
    pub(crate) stage: Option<Stage>,
}

/// Looks the account up: an unknown or suspended registrar may do nothing.
pub(crate) async fn acting(tables: &mut Tables<'_>, actor: &Actor) -> Result<Acting, CommandError> {
    let handle = match &actor.role {
        Role::Registrar(handle) => handle,
        Role::Contact(handle) => return contact(tables, handle).await,
        Role::Operator | Role::System => {
            return Ok(Acting {
                registrar: None,
                by: "registry".to_owned(),
                contact: None,
                stage: None,
            });
        }
    };
    let query =
        rows::<(i64, String, String)>("SELECT id, status, stage FROM registrars WHERE handle = $1");
    match tables.optional(query.bind(handle.as_str())).await? {
        Some((id, status, stage)) if status == "active" => Ok(Acting {
            registrar: Some(id),
            by: handle.to_string(),
            contact: None,
            stage: Stage::parse(&stage),
        }),
        Some((_, status, _)) => {
            let reason = format!("the registrar is {status}");
            Err(rejected(ResultCode::AuthorizationError, handle, reason))
        }
        None => {
            let reason = "no such registrar";
            Err(rejected(ResultCode::AuthorizationError, handle, reason))
        }
    }
}

/// A contact acts on what its registrar sponsors; [`super::rights`] says what of it.
async fn contact(tables: &mut Tables<'_>, handle: &Handle) -> Result<Acting, CommandError> {
    let query = rows::<(i64, i64, String, String, String)>(
        "SELECT c.id, r.id, r.handle, r.status, r.stage FROM contacts c \
         JOIN registrars r ON r.id = c.registrar_id WHERE c.handle = $1 AND c.erased_at IS NULL",
    );
    match tables.optional(query.bind(handle.as_str())).await? {
        Some((id, registrar, by, status, stage)) if status == "active" => Ok(Acting {
            registrar: Some(registrar),
            by,
            contact: Some(id),
            stage: Stage::parse(&stage),
        }),
        Some((_, _, _, status, _)) => {
            let reason = format!("its registrar is {status}");
            Err(rejected(ResultCode::AuthorizationError, handle, reason))
        }
        None => {
            let reason = "no such contact";
            Err(rejected(ResultCode::AuthorizationError, handle, reason))
        }
    }
}

/// Id and status of a registrar.
pub(crate) async fn registrar(
    tables: &mut Tables<'_>,
    handle: &Handle,
) -> Result<Option<(i64, String)>, RegistryError> {
    let query = rows("SELECT id, status FROM registrars WHERE handle = $1");
    tables.optional(query.bind(handle.as_str())).await
}

/// The sponsor of a new object: a registrar's own account, or whom the registry
/// names.
pub(super) async fn sponsor(
    tables: &mut Tables<'_>,
    acting: &Acting,
    named: Option<&Handle>,
) -> Result<i64, CommandError> {
    let found = match named {
        None => None,
        Some(handle) => {
            let found = registrar(tables, handle).await?;
            let missing = || rejected(ResultCode::ObjectDoesNotExist, handle, "no such registrar");
            Some((found.ok_or_else(missing)?, handle))
        }
    };
    match (acting.registrar, found) {
        (Some(own), None) => Ok(own),
        (Some(own), Some(((id, _), _))) if id == own => Ok(own),
        (Some(_), Some((_, handle))) => {
            let reason = "a registrar registers for itself only";
            Err(rejected(ResultCode::AuthorizationError, handle, reason))
        }
        (None, Some(((id, status), _))) if status == "active" => Ok(id),
        (None, Some(((_, status), handle))) => {
            let reason = format!("the registrar is {status}");
            Err(rejected(ResultCode::StatusProhibits, handle, reason))
        }
        (None, None) => {
            let reason = "name the sponsoring registrar";
            Err(rejected(ResultCode::ParameterMissing, "registrar", reason))
        }
    }
}

/// Whether contacts of a registrar's domains are kept here.
pub(super) async fn data_model(
    tables: &mut Tables<'_>,
    zone: &ZoneRow,
    registrar: i64,
) -> Result<DataModel, RegistryError> {
    if zone.policy.data_model != DataModel::PerRegistrar {
        return Ok(zone.policy.data_model);
    }
    let query = rows::<(Option<String>,)>("SELECT data_model FROM registrars WHERE id = $1");
    let found = tables.optional(query.bind(registrar)).await?;
    let said = found.and_then(|(model,)| DataModel::parse(&model?));
    Ok(said.unwrap_or(DataModel::Minimum))
}

/// Only the sponsor changes an object, and the registry.
pub(super) fn sponsorship(acting: &Acting, sponsor: i64, object: &str) -> Result<(), CommandError> {
    match acting.registrar {
        Some(own) if own != sponsor => {
            let reason = "sponsored by another registrar";
            Err(rejected(ResultCode::AuthorizationError, object, reason))
        }
        _ => Ok(()),
    }
}

/// Test accounts are for the zones of the sandbox, and only they are.
pub(super) fn check_stage(
    acting: &Acting,
    zone: &ZoneRow,
    object: &str,
) -> Result<(), CommandError> {
    let reason = match (acting.stage, zone.policy.stage) {
        (Some(Stage::Production), Stage::Sandbox) => "a zone of the sandbox; use a test account",
        (Some(Stage::Sandbox), Stage::Production) => "a test account, for zones of the sandbox",
        _ => return Ok(()),
    };
    Err(rejected(ResultCode::AuthorizationError, object, reason))
}

/// Only the registry itself may do this.
pub(super) fn registry_only(acting: &Acting, object: &str) -> Result<(), CommandError> {
    match acting.registrar {
        Some(_) => {
            let reason = "only the registry may do this";
            Err(rejected(ResultCode::AuthorizationError, object, reason))
        }
        None => Ok(()),
    }
}

/// Nothing may be done to an object with an unfinished action.
pub(super) fn no_pending(statuses: &Statuses, object: &str) -> Result<(), CommandError> {
    match statuses.iter().find(|status| status.is_pending()) {
        Some(Status::PendingTransfer) => {
            let reason = "waiting for a transfer";
            Err(rejected(ResultCode::PendingTransfer, object, reason))
        }
        Some(status) => {
            let reason = format!("status {status} forbids it");
            Err(rejected(ResultCode::StatusProhibits, object, reason))
        }
        None => Ok(()),
    }
}

/// None of these statuses is set.
pub(super) fn not_prohibited(
    statuses: &Statuses,
    by: &[Status],
    object: &str,
) -> Result<(), CommandError> {
    match statuses.first_of(by) {
        Some(status) => {
            let reason = format!("status {status} forbids it");
            Err(rejected(ResultCode::StatusProhibits, object, reason))
        }
        None => Ok(()),
    }
}

/// What an update does to the statuses of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct StatusChange<'s> {
    pub(super) add: &'s [Status],
    pub(super) remove: &'s [Status],
    /// Whether the update changes nothing but statuses.
    pub(super) is_all: bool,
}

impl StatusChange<'_> {
    /// An update that is forbidden may still lift exactly the status that forbids it.
    pub(super) fn permitted(&self, statuses: &Statuses, object: &str) -> Result<(), CommandError> {
        const PROHIBIT: [Status; 2] = [
            Status::ClientUpdateProhibited,
            Status::ServerUpdateProhibited,
        ];
        let lifts = self.is_all && self.add.is_empty();
        if let [lifted] = self.remove
            && lifts
            && PROHIBIT.contains(lifted)
        {
            let others = PROHIBIT.iter().copied().filter(|other| other != lifted);
            return not_prohibited(statuses, &others.collect::<Vec<_>>(), object);
        }
        not_prohibited(statuses, &PROHIBIT, object)
    }

    /// The statuses afterwards.
    pub(super) fn apply(
        &self,
        statuses: &Statuses,
        acting: &Acting,
    ) -> Result<Statuses, CommandError> {
        for status in self.add.iter().chain(self.remove) {
            let allowed = match acting.registrar {
                Some(_) => status.is_client(),
                None => status.is_client() || status.is_server(),
            };
            if !allowed {
                let reason = "not a status that you may set or remove";
                return Err(rejected(ResultCode::ParameterPolicy, status, reason));
            }
        }
        let mut after = statuses.clone();
        difference(&mut after.0, self.add, self.remove)?;
        if let Some((one, other)) = after.conflict() {
            let reason = format!("not beside {other}");
            return Err(rejected(ResultCode::ParameterPolicy, one, reason));
        }
        Ok(after)
    }
}

/// Adds and removes; what is there may not be added, what is not may not be
/// removed, and nothing may be in both.
pub(super) fn difference<T: Ord + Clone + ToString>(
    set: &mut BTreeSet<T>,
    add: &[T],
    remove: &[T],
) -> Result<(), CommandError> {
    let policy = |value: &T, reason| {
        Err(rejected(
            ResultCode::ParameterPolicy,
            value.to_string(),
            reason,
        ))
    };
    if let Some(both) = add.iter().find(|value| remove.contains(value)) {
        return policy(both, "both added and removed");
    }
    for value in remove {
        if !set.remove(value) {
            return policy(value, "not there, or removed twice");
        }
    }
    for value in add {
        if !set.insert(value.clone()) {
            return policy(value, "there already, or added twice");
        }
    }
    Ok(())
}

/// Addresses that may be published.
pub(super) fn addresses(addresses: &[Address], lab: bool) -> Result<(), CommandError> {
    for address in addresses {
        let reason = match address.fault() {
            Some(AddressFault::NotGlobal) => "not an address that others can reach",
            Some(AddressFault::Documentation) if !lab => "an address for documentation",
            _ => continue,
        };
        return Err(rejected(ResultCode::ParameterPolicy, address, reason));
    }
    Ok(())
}

/// A zone as far as commands decide by it.
#[derive(Debug, Clone)]
pub(super) struct ZoneRow {
    pub(super) id: i64,
    pub(super) apex: String,
    pub(super) state: String,
    pub(super) ns_count_min: i64,
    pub(super) ns_count_max: i64,
    /// How many IDN tables it has.
    pub(super) idn_tables: i64,
    /// How it proves absence, where it is signed.
    pub(super) denial: Option<String>,
    /// Signatures of an RRset in it, one for each algorithm, and their octets.
    pub(super) signatures: [i64; 2],
    pub(super) policy: RegistrationPolicy,
}

impl<'r> sqlx::FromRow<'r, AnyRow> for ZoneRow {
    fn from_row(row: &'r AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            apex: row.try_get("apex")?,
            state: row.try_get("state")?,
            ns_count_min: row.try_get("ns_count_min")?,
            ns_count_max: row.try_get("ns_count_max")?,
            idn_tables: row.try_get("idn_tables")?,
            denial: row.try_get("denial")?,
            signatures: [row.try_get("signatures")?, row.try_get("signature_bytes")?],
            policy: RegistrationPolicy::from_row(row)?,
        })
    }
}

/// What a [`ZoneRow`] is read by, up to its condition.
pub(super) fn select_zones() -> String {
    let policy = RegistrationPolicy::COLUMNS.join(", ");
    format!(
        "SELECT id, apex, state, ns_count_min, ns_count_max, \
         (SELECT COUNT(*) FROM idn_tables t WHERE t.zone_id = zones.id) AS idn_tables, \
         {}, {policy} FROM zones",
        super::referral::COLUMNS
    )
}

/// The zone of an object.
pub(super) async fn zone_of(tables: &mut Tables<'_>, id: i64) -> Result<ZoneRow, RegistryError> {
    let text = format!("{} WHERE id = $1", select_zones());
    let query: Rows<'_, ZoneRow> = sqlx::query_as(AssertSqlSafe(text));
    let row = tables.optional(query.bind(id)).await?;
    row.ok_or_else(|| tables.inconsistent(format!("no zone {id}, which an object is in")))
}

/// The names at and above `name`, as stored, itself first and the root last.
pub(super) fn ancestry(name: &str) -> Vec<String> {
    let name = Name::parse_absolute(name).expect("stored names are names");
    name.ancestors().map(|name| stored(&name)).collect()
}

/// The closest of the zones whose apexes are among `ancestry`, which begins with
/// the longest name.
pub(super) async fn closest_zone(
    tables: &mut Tables<'_>,
    ancestry: &[String],
) -> Result<Option<ZoneRow>, RegistryError> {
    let text = format!("{} WHERE apex IN ({{list}})", select_zones());
    let query = rows_in::<ZoneRow>(&text, ancestry);
    let zones = tables.all(query).await?;
    let place = |zone: &ZoneRow| ancestry.iter().position(|name| *name == zone.apex);
    Ok(zones.into_iter().min_by_key(place))
}

/// A zone under import takes no commands.
pub(super) fn active(zone: &ZoneRow) -> Result<(), CommandError> {
    if zone.state == "active" {
        return Ok(());
    }
    let reason = "the import of this zone is unfinished";
    Err(rejected(ResultCode::StatusProhibits, &zone.apex, reason))
}
