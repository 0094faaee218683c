//! Registry lock: a domain that changes only if those named in its lock agree.
//!
//! A lock sets the server statuses that forbid update, delete and transfer, and lets a
//! change through that [`super::changes`] queued and enough of its approvers agreed to:
//! then its statuses are lifted for that one command and set again after it. It holds
//! against the registry's own operators as well, for hosts below the domain too. Only the
//! registry locks; to unlock is a change like others.

use serde::{Deserialize, Serialize};

use super::super::code::ResultCode;
use super::super::error::RegistryError;
use super::super::policy::Approvers;
use super::super::types::{DomainName, Status, Statuses};
use super::answer::rejected;
use super::changes::Panel;
use super::checks::registry_only;
use super::context::Context;
use super::tables::{Tables, rows};
use super::{Command, CommandError, domain};

/// What a lock forbids.
const STATUSES: [Status; 3] = [
    Status::ServerDeleteProhibited,
    Status::ServerTransferProhibited,
    Status::ServerUpdateProhibited,
];
/// Most approvals that a lock asks for.
const APPROVALS_MAX: u32 = 10;

/// Locks a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DomainLock {
    /// The domain.
    pub name: DomainName,
    /// How many have to agree to a change.
    pub approvals: u32,
    /// Of whom.
    pub approvers: Approvers,
}

/// Who has to agree to a change of a domain that is locked.
pub(super) async fn panel(
    tables: &mut Tables<'_>,
    domain_id: i64,
) -> Result<Option<Panel>, RegistryError> {
    use crate::registry::policy::Column as _;
    let query =
        rows::<(i64, String)>("SELECT approvals, approvers FROM locks WHERE domain_id = $1");
    let Some((approvals, approvers)) = tables.optional(query.bind(domain_id)).await? else {
        return Ok(None);
    };
    let bad = || tables.inconsistent(format!("lock of domain {domain_id}"));
    Ok(Some(Panel {
        approvals: u32::try_from(approvals).map_err(|_| bad())?,
        approvers: Approvers::from_column(&approvers).ok_or_else(bad)?,
    }))
}

/// Puts a lock on a domain. Returns its zone.
pub(super) async fn lock(
    context: &mut Context<'_, '_>,
    command: &DomainLock,
) -> Result<i64, CommandError> {
    let name = command.name.as_str();
    registry_only(&context.acting, name)?;
    let (id, zone_id, mut statuses) = domain::changeable(context, &command.name).await?;
    if panel(&mut context.tables(), id).await?.is_some() {
        let reason = "locked already; unlock it first";
        return Err(rejected(ResultCode::StatusProhibits, name, reason));
    }
    if !context.has_case {
        let reason = "a lock needs the number of its case";
        return Err(rejected(ResultCode::ParameterMissing, "case", reason));
    }
    let (approvals, named) = (command.approvals, command.approvers.count());
    if !(1..=APPROVALS_MAX).contains(&approvals) || approvals > named {
        let reason = format!(
            "{approvals} approvals of {named} approvers; from 1 to {APPROVALS_MAX}, and no more \
             than there are"
        );
        return Err(rejected(ResultCode::ParameterRange, name, reason));
    }
    let insert = sqlx::query(
        "INSERT INTO locks (domain_id, approvals, approvers, locked_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(id)
    .bind(i64::from(approvals))
    .bind(command.approvers.to_string())
    .bind(context.at.0);
    context.tables().run(insert).await?;
    context.write.has_reviews = true;
    add(&mut statuses);
    domain::store_statuses(context, id, &statuses).await?;
    domain::touch(context, id).await?;
    Ok(zone_id)
}

/// Takes the lock off a domain. Returns its zone.
pub(super) async fn unlock(
    context: &mut Context<'_, '_>,
    name: &DomainName,
) -> Result<i64, CommandError> {
    let (id, zone_id, mut statuses) = domain::changeable(context, name).await?;
    let delete = sqlx::query("DELETE FROM locks WHERE domain_id = $1").bind(id);
    if context.tables().run(delete).await? == 0 {
        let reason = "not locked";
        return Err(rejected(ResultCode::StatusProhibits, name, reason));
    }
    remove(&mut statuses);
    domain::store_statuses(context, id, &statuses).await?;
    domain::touch(context, id).await?;
    Ok(zone_id)
}

fn add(statuses: &mut Statuses) {
    for status in STATUSES {
        statuses.0.insert(status);
        // A pending action and what forbids it do not stand beside each other (RFC 5731
        // section 2.3); the lock is there nevertheless.
        if statuses.conflict().is_some() {
            statuses.0.remove(&status);
        }
    }
}

fn remove(statuses: &mut Statuses) {
    for status in STATUSES {
        statuses.0.remove(&status);
    }
}

/// Adds what a domain's lock forbids to statuses that are to be stored.
pub(super) async fn keep(
    context: &mut Context<'_, '_>,
    domain_id: i64,
    statuses: &mut Statuses,
) -> Result<(), RegistryError> {
    if context.write.has_reviews && panel(&mut context.tables(), domain_id).await?.is_some() {
        add(statuses);
    }
    Ok(())
}

/// Lifts what a lock forbids from the domain of a command that is let through.
pub(super) async fn lift(
    context: &mut Context<'_, '_>,
    command: &Command,
) -> Result<(), CommandError> {
    let Command::Domain(command) = command else {
        return Ok(());
    };
    let Some((id, mut statuses)) = domain::statuses_of(context, command.name()).await? else {
        return Ok(());
    };
    if panel(&mut context.tables(), id).await?.is_some() {
        remove(&mut statuses);
        domain::store_statuses(context, id, &statuses).await?;
    }
    Ok(())
}

/// Sets it again, where the domain and its lock are still there.
pub(super) async fn apply(
    context: &mut Context<'_, '_>,
    domain_id: i64,
) -> Result<(), CommandError> {
    if panel(&mut context.tables(), domain_id).await?.is_none() {
        return Ok(());
    }
    let query = rows::<(String,)>("SELECT statuses FROM domains WHERE id = $1");
    let mut tables = context.tables();
    let found = tables.optional(query.bind(domain_id)).await?;
    let (column,) = found.ok_or_else(|| tables.inconsistent("a lock of no domain"))?;
    let mut statuses = Statuses::from_column(&column)?;
    add(&mut statuses);
    domain::store_statuses(context, domain_id, &statuses).await
}
