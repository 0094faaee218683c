//! A domain's row, its life and its grace periods, in and out.

use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::context::{Context, Touched};
use crate::registry::command::dependencies::Leaving;
use crate::registry::command::lock;
use crate::registry::command::tables::{Tables, from_row, rows};
use crate::registry::database::Timestamp;
use crate::registry::error::RegistryError;
use crate::registry::life::{Grace, GraceKind, Life, Phase};
use crate::registry::policy::RegistrationPolicy;
use crate::registry::types::{AuthInfo, DomainName, Status, Statuses, salt};

/// A row of `domains`.
#[derive(Debug, Clone)]
pub(super) struct DomainRow {
    pub(super) id: i64,
    pub(super) zone_id: i64,
    pub(super) registrar_id: i64,
    statuses: String,
    pub(super) created_at: i64,
    pub(super) created_by: Option<String>,
    pub(super) updated_at: Option<i64>,
    pub(super) updated_by: Option<String>,
    pub(super) transferred_at: Option<i64>,
    expires_at: Option<i64>,
    phase: String,
    phase_ends_at: Option<i64>,
    redemption_ends_at: Option<i64>,
    transfer_ends_at: Option<i64>,
    pub(super) auth: Option<Vec<u8>>,
    pub(super) due_step: Option<String>,
    pub(super) due_at: Option<i64>,
    pub(super) ns_ttl: Option<i64>,
    pub(super) ds_ttl: Option<i64>,
    pub(super) published: i64,
    pub(super) parkable: i64,
}

from_row!(DomainRow: id, zone_id, registrar_id, statuses, created_at, created_by, updated_at, updated_by, transferred_at, expires_at, phase, phase_ends_at, redemption_ends_at, transfer_ends_at, auth, due_step, due_at, ns_ttl, ds_ttl, published, parkable);

impl DomainRow {
    pub(super) fn statuses(&self, tables: &Tables<'_>) -> Result<Statuses, RegistryError> {
        Statuses::from_column(&self.statuses)
            .map_err(|error| tables.inconsistent(format!("statuses of a domain: {error}")))
    }

    pub(super) fn life(&self, tables: &Tables<'_>) -> Result<Life, RegistryError> {
        let phase = Phase::parse(&self.phase);
        let bad = || tables.inconsistent(format!("phase {:?} of a domain", self.phase));
        Ok(Life {
            id: self.id,
            phase: phase.ok_or_else(bad)?,
            phase_ends_at: self.phase_ends_at.map(Timestamp),
            redemption_ends_at: self.redemption_ends_at.map(Timestamp),
            expires_at: self.expires_at.map(Timestamp),
            transfer_ends_at: self.transfer_ends_at.map(Timestamp),
            is_kept: self.statuses(tables)?.has(Status::ServerDeleteProhibited),
        })
    }
}

macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT id, zone_id, registrar_id, statuses, created_at, created_by, updated_at, \
             updated_by, transferred_at, expires_at, phase, phase_ends_at, redemption_ends_at, \
             transfer_ends_at, auth, due_step, due_at, ns_ttl, ds_ttl, published, parkable \
             FROM domains \
             WHERE ",
            $condition
        )
    };
}

/// The domain, or 2303.
pub(super) async fn existing(
    tables: &mut Tables<'_>,
    name: &DomainName,
) -> Result<DomainRow, CommandError> {
    let query = rows::<DomainRow>(select!("name = $1"));
    let row = tables.optional(query.bind(name.as_str())).await?;
    let missing = || rejected(ResultCode::ObjectDoesNotExist, name, "no such domain");
    row.ok_or_else(missing)
}

/// The domain of this number, if it is there.
pub(super) async fn existing_by_id(
    tables: &mut Tables<'_>,
    id: i64,
) -> Result<Option<DomainRow>, RegistryError> {
    let query = rows::<DomainRow>(select!("id = $1"));
    tables.optional(query.bind(id)).await
}

/// As the dependency engine takes it.
pub(super) fn leaving<'n>(row: &DomainRow, name: &'n str) -> Leaving<'n> {
    Leaving {
        id: row.id,
        zone_id: row.zone_id,
        name,
    }
}

/// As [`store_life`], and says that the domain was changed.
pub(super) async fn write_life(
    context: &mut Context<'_, '_>,
    life: &Life,
    statuses: &Statuses,
    policy: &RegistrationPolicy,
) -> Result<(), RegistryError> {
    store_life(context, life, statuses, policy).await?;
    context.touch(Touched::Domain, life.id).await
}

/// Writes where a domain is in its life, with the statuses that go with it and the step
/// that is due next.
pub(super) async fn store_life(
    context: &mut Context<'_, '_>,
    life: &Life,
    statuses: &Statuses,
    policy: &RegistrationPolicy,
) -> Result<(), RegistryError> {
    // While a delete of a locked domain waits, its statuses show that instead of the lock,
    // which holds all the same: time does not do what nobody has agreed to.
    let is_locked =
        context.write.has_reviews && lock::panel(&mut context.tables(), life.id).await?.is_some();
    let life = Life {
        is_kept: is_locked || statuses.has(Status::ServerDeleteProhibited),
        ..*life
    };
    let due = life.next(policy);
    let at = |at: Option<Timestamp>| at.map(|at| at.0);
    let update = sqlx::query(
        "UPDATE domains SET statuses = $1, phase = $2, phase_ends_at = $3, \
         redemption_ends_at = $4, expires_at = $5, transfer_ends_at = $6, due_step = $7, \
         due_at = $8 WHERE id = $9",
    )
    .bind(statuses.column())
    .bind(life.phase.name())
    .bind(at(life.phase_ends_at))
    .bind(at(life.redemption_ends_at))
    .bind(at(life.expires_at))
    .bind(at(life.transfer_ends_at))
    .bind(due.map(|due| due.step.name()))
    .bind(due.map(|due| due.at.0))
    .bind(life.id);
    context.tables().run(update).await.map(drop)
}

/// The grace periods of a domain, those that are over among them.
pub(in crate::registry) async fn graces(
    tables: &mut Tables<'_>,
    domain_id: i64,
) -> Result<Vec<Grace>, RegistryError> {
    let query = rows::<(String, i64, i64, i64)>(
        "SELECT kind, started_at, ends_at, years FROM grace_periods WHERE domain_id = $1 \
         ORDER BY started_at",
    );
    let found = tables.all(query.bind(domain_id)).await?;
    let read = |(kind, started_at, ends_at, years): (String, i64, i64, i64)| {
        let bad = || tables.inconsistent(format!("grace period {kind:?} of a domain"));
        Ok(Grace {
            kind: GraceKind::parse(&kind).ok_or_else(bad)?,
            started_at: Timestamp(started_at),
            ends_at: Timestamp(ends_at),
            years: u8::try_from(years).map_err(|_| bad())?,
        })
    };
    found.into_iter().map(read).collect()
}

/// What a domain's last sponsor paid is its own.
pub(super) async fn clear_graces(
    tables: &mut Tables<'_>,
    domain_id: i64,
) -> Result<(), RegistryError> {
    let delete = sqlx::query("DELETE FROM grace_periods WHERE domain_id = $1");
    tables.run(delete.bind(domain_id)).await.map(drop)
}

/// Sets or unsets what authorizes a transfer.
pub(super) async fn write_auth(
    context: &mut Context<'_, '_>,
    domain_id: i64,
    name: &DomainName,
    auth: &AuthInfo,
) -> Result<(), CommandError> {
    if let Some(reason) = auth.weakness() {
        return Err(rejected(ResultCode::ParameterPolicy, name, reason));
    }
    let mut tables = context.tables();
    let salt = salt().ok_or_else(|| tables.inconsistent("no random octets from the system"))?;
    let update = sqlx::query("UPDATE domains SET auth = $1 WHERE id = $2");
    tables
        .run(update.bind(auth.kept(salt)).bind(domain_id))
        .await?;
    Ok(())
}

/// Begins a grace period. Those that were over by then go, so that a domain that lives
/// long keeps few.
pub(super) async fn begin_grace(
    context: &mut Context<'_, '_>,
    domain_id: i64,
    grace: &Grace,
) -> Result<(), RegistryError> {
    let mut tables = context.tables();
    let over = sqlx::query("DELETE FROM grace_periods WHERE domain_id = $1 AND ends_at <= $2");
    tables
        .run(over.bind(domain_id).bind(grace.started_at.0))
        .await?;
    let insert = sqlx::query(
        "INSERT INTO grace_periods (domain_id, kind, started_at, ends_at, years) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (domain_id, kind, started_at) \
         DO UPDATE SET years = grace_periods.years + excluded.years",
    )
    .bind(domain_id)
    .bind(grace.kind.name())
    .bind(grace.started_at.0)
    .bind(grace.ends_at.0)
    .bind(i64::from(grace.years));
    tables.run(insert).await.map(drop)
}
