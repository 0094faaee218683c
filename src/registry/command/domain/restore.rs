//! `domain restore`: request and report (RFC 3915 section 4.2.5).

use serde::{Deserialize, Serialize};

use super::row::{DomainRow, existing, write_life};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{ZoneRow, active, not_prohibited, sponsorship, zone_of};
use crate::registry::command::context::Context;
use crate::registry::command::publication::{hosts_of, refresh_domain, refresh_hosts};
use crate::registry::command::{changes, lock};
use crate::registry::database::Timestamp;
use crate::registry::life::{Life, Phase};
use crate::registry::policy::ReportRule;
use crate::registry::types::{DomainName, Status};

/// Undoes a delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DomainRestore {
    /// Its name.
    pub name: DomainName,
    /// The report; without one it is the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<RestoreReport>,
}

/// Why a domain was restored, in the words of its registrar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RestoreReport {
    /// Its data before the delete.
    pub pre_data: String,
    /// Its data now.
    pub post_data: String,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// When it was restored.
    pub restored_at: Timestamp,
    /// Why.
    pub reason: String,
    /// That it is for nobody else's use, and that all this is true.
    pub statements: [String; 2],
    /// What else is to be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
}

/// Longest text of a report: it is kept with the event.
const TEXT_BYTES_MAX: usize = 8 * 1024;

impl RestoreReport {
    fn check(&self, name: &str) -> Result<(), CommandError> {
        let texts = [
            ("data before the delete", &self.pre_data),
            ("data now", &self.post_data),
            ("reason", &self.reason),
            ("first statement", &self.statements[0]),
            ("second statement", &self.statements[1]),
        ];
        if let Some((what, _)) = texts.iter().find(|(_, text)| text.trim().is_empty()) {
            let reason = format!("the report has no {what}");
            return Err(rejected(ResultCode::ParameterMissing, name, reason));
        }
        let other = self.other.iter().map(|text| ("other", text));
        let mut texts = texts.into_iter().chain(other);
        if let Some((what, _)) = texts.find(|(_, text)| text.len() > TEXT_BYTES_MAX) {
            let reason = format!("{what}: {TEXT_BYTES_MAX} octets at most");
            return Err(rejected(ResultCode::ParameterPolicy, name, reason));
        }
        Ok(())
    }
}

pub(super) async fn restore(
    context: &mut Context<'_, '_>,
    command: &DomainRestore,
) -> Result<i64, CommandError> {
    let name = command.name.as_str();
    let mut tables = context.tables();
    let row = existing(&mut tables, &command.name).await?;
    let zone = zone_of(&mut tables, row.zone_id).await?;
    let (statuses, life) = (row.statuses(&tables)?, row.life(&tables)?);
    sponsorship(&context.acting, row.registrar_id, name)?;
    active(&zone)?;
    let state = |reason| Err(rejected(ResultCode::StatusProhibits, name, reason));
    not_prohibited(&statuses, &[Status::ServerUpdateProhibited], name)?;
    changes::none_waits(context, row.id, name).await?;
    match (&command.report, life.phase) {
        (None, Phase::Redemption) if zone.policy.restore_report == ReportRule::Required => {
            let life = life.restoring(context.at, &zone.policy);
            write_life(context, &life, &statuses, &zone.policy).await?;
        }
        (None, Phase::Redemption) => finish(context, &row, &zone, life).await?,
        (Some(report), Phase::Restore) => {
            report.check(name)?;
            finish(context, &row, &zone, life).await?;
        }
        (None, _) => return state("only a domain in its redemption period is restored"),
        (Some(_), _) => return state("a report comes after the request to restore"),
    }
    Ok(row.zone_id)
}

async fn finish(
    context: &mut Context<'_, '_>,
    row: &DomainRow,
    zone: &ZoneRow,
    life: Life,
) -> Result<(), CommandError> {
    let mut statuses = row.statuses(&context.tables())?;
    statuses.end(Status::PendingDelete);
    lock::keep(context, row.id, &mut statuses).await?;
    write_life(context, &life.restored(), &statuses, &zone.policy).await?;
    refresh_domain(context, row.id, statuses.allow_publication()).await?;
    let hosts = hosts_of(context, row.id).await?;
    refresh_hosts(context, hosts).await?;
    Ok(())
}
