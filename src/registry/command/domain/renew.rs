//! `domain renew` (RFC 5731 section 3.2.3).

use serde::{Deserialize, Serialize};

use super::row::{begin_grace, existing, write_life};
use crate::registry::calendar::add_years;
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{active, no_pending, not_prohibited, sponsorship, zone_of};
use crate::registry::command::context::Context;
use crate::registry::life::{Grace, GraceKind, Life, after, is_too_long};
use crate::registry::types::{CalendarDate, DomainName, Status, Years};

/// A longer registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DomainRenew {
    /// Its name.
    pub name: DomainName,
    /// The day on which it expires now: a command that is sent twice renews once.
    pub current_expiry: CalendarDate,
    /// How much longer.
    #[serde(default)]
    pub period: Years,
}

pub(super) async fn renew(
    context: &mut Context<'_, '_>,
    command: &DomainRenew,
) -> Result<i64, CommandError> {
    const PROHIBIT: [Status; 2] = [Status::ClientRenewProhibited, Status::ServerRenewProhibited];
    let (name, at) = (command.name.as_str(), context.at);
    let mut tables = context.tables();
    let row = existing(&mut tables, &command.name).await?;
    let zone = zone_of(&mut tables, row.zone_id).await?;
    let (statuses, life) = (row.statuses(&tables)?, row.life(&tables)?);
    sponsorship(&context.acting, row.registrar_id, name)?;
    active(&zone)?;
    no_pending(&statuses, name)?;
    not_prohibited(&statuses, &PROHIBIT, name)?;
    let policy = |reason: String| Err(rejected(ResultCode::ParameterPolicy, name, reason));
    let Some(before) = life.expires_at else {
        let reason = "it does not expire";
        return Err(rejected(ResultCode::NotRenewable, name, reason));
    };
    let current = CalendarDate::of(before);
    if current != command.current_expiry {
        return policy(format!("it expires on {current}"));
    }
    let expires_at = add_years(before, command.period.count());
    let most = zone.policy.years_max;
    if is_too_long(at, expires_at, most) {
        let last = CalendarDate::of(add_years(at, u8::try_from(most).unwrap_or(Years::MAX)));
        return policy(format!(
            "to {}; {most} years from now end on {last}",
            CalendarDate::of(expires_at)
        ));
    }
    let grace = Grace {
        kind: GraceKind::Renew,
        started_at: at,
        ends_at: after(at, zone.policy.renew_grace),
        years: command.period.count(),
    };
    begin_grace(context, row.id, &grace).await?;
    let life = Life {
        expires_at: Some(expires_at),
        ..life
    };
    write_life(context, &life, &statuses, &zone.policy).await?;
    Ok(row.zone_id)
}
