//! A step that became due by time alone: a command of the registry's own timers.
//!
//! It names the step and the moment that it saw due. Whoever comes second, another node
//! or a retry, finds another step or moment stored and is refused: each is taken once.

use serde::{Deserialize, Serialize};

use super::delete::begin_redemption;
use super::row::{DomainRow, begin_grace, existing, leaving, write_life};
use super::transfer::approve_unanswered;
use crate::registry::calendar::add_years;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{ZoneRow, active, zone_of};
use crate::registry::command::context::Context;
use crate::registry::command::dependencies::remove_domain;
use crate::registry::database::Timestamp;
use crate::registry::life::{Due, Grace, GraceKind, Life, Step, after};
use crate::registry::policy::Expiry;
use crate::registry::types::DomainName;

/// A step of a domain's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DomainStep {
    /// Its name.
    pub name: DomainName,
    /// The step.
    pub step: Step,
    /// The moment that was stored for it: later than it is due where it failed before.
    pub due_at: Timestamp,
}

impl DomainStep {
    /// Its name in the event log.
    pub(super) fn kind(&self) -> &'static str {
        match self.step {
            Step::Expire => "domain-expire",
            Step::ApproveTransfer => "domain-transfer-auto",
            Step::EndRedemption => "domain-redemption-end",
            Step::LapseRestore => "domain-restore-lapse",
            Step::Purge => "domain-purge-due",
        }
    }
}

pub(super) async fn step(
    context: &mut Context<'_, '_>,
    command: &DomainStep,
) -> Result<i64, CommandError> {
    let name = command.name.as_str();
    if !context.is_system {
        let reason = "only the registry's timers do this";
        return Err(rejected(ResultCode::AuthorizationError, name, reason));
    }
    let mut tables = context.tables();
    let row = existing(&mut tables, &command.name).await?;
    let zone = zone_of(&mut tables, row.zone_id).await?;
    let life = row.life(&tables)?;
    active(&zone)?;
    let is_stored = row.due_step.as_deref() == Some(command.step.name())
        && row.due_at == Some(command.due_at.0);
    let is_due = |due: &Due| due.step == command.step && due.at <= context.at;
    let next = life.next(&zone.policy).filter(is_due);
    let Some(seen) = next.filter(|_| is_stored) else {
        let reason = format!("step {} is not due", command.step);
        return Err(rejected(ResultCode::StatusProhibits, name, reason));
    };
    let statuses = row.statuses(&context.tables())?;
    let policy = &zone.policy;
    match seen.step {
        Step::Expire => expire(context, &row, &zone, life, seen.at).await?,
        Step::ApproveTransfer => {
            approve_unanswered(context, &command.name, &row, &zone).await?;
        }
        Step::EndRedemption => {
            let life = life.beyond_redemption(seen.at, policy);
            write_life(context, &life, &statuses, policy).await?;
        }
        Step::LapseRestore => write_life(context, &life.lapsed(), &statuses, policy).await?,
        Step::Purge => remove_domain(context, leaving(&row, name)).await?,
    }
    Ok(row.zone_id)
}

/// The end of a registration: another year, or its deletion.
async fn expire(
    context: &mut Context<'_, '_>,
    row: &DomainRow,
    zone: &ZoneRow,
    life: Life,
    at: Timestamp,
) -> Result<(), CommandError> {
    if zone.policy.expiry == Expiry::Delete {
        return begin_redemption(context, row, zone).await;
    }
    let grace = Grace {
        kind: GraceKind::AutoRenew,
        started_at: at,
        ends_at: after(at, zone.policy.auto_renew_grace),
        years: 1,
    };
    begin_grace(context, row.id, &grace).await?;
    let life = Life {
        expires_at: Some(add_years(at, 1)),
        ..life
    };
    let statuses = row.statuses(&context.tables())?;
    write_life(context, &life, &statuses, &zone.policy).await?;
    Ok(())
}
