//! `zone lame` and `zone remind`: hosts of domains that are gone, and who still uses them.
//!
//! A host that was renamed goes on to work and so is easily forgotten. The report lists
//! those that are left; a reminder tells the sponsors again, of each host at most once in
//! [`REMINDER_DAYS`].

use std::collections::BTreeMap;

use serde::Serialize;

use super::{existing, existing_active};
use crate::registry::RegistryError;
use crate::registry::command::CommandError;
use crate::registry::command::answer::Info;
use crate::registry::command::context::Context;
use crate::registry::command::dependencies::affected;
use crate::registry::command::notices::{NAMES_MAX, Notice, NoticeKind, RenamedHost};
use crate::registry::command::tables::{Tables, from_row, rows};
use crate::registry::database::Timestamp;
use crate::registry::types::AnyName;

/// Days after which sponsors are told again.
pub const REMINDER_DAYS: i64 = 90;
const DAY_MICROSECONDS: i64 = 86_400_000_000;
/// Hosts that a report lists, and that one reminder is about; the next has the rest.
const HOSTS_MAX: i64 = 1000;

/// Hosts of domains that are gone, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct LameReport {
    /// The zone.
    pub apex: AnyName,
    /// How many there are.
    pub count: i64,
    /// The first of them.
    pub hosts: Vec<LameHost>,
}

/// A host whose domain is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct LameHost {
    /// Its name.
    pub name: String,
    /// What it was called before.
    pub was: String,
    /// Since when.
    pub since: Timestamp,
    /// Domains that name it; where there are none it can be removed.
    pub users: i64,
}

struct Row {
    id: i64,
    name: String,
    was: String,
    since: i64,
    users: i64,
}

from_row!(Row: id, name, was, since, users);

async fn hosts(
    tables: &mut Tables<'_>,
    zone_id: i64,
    told_until: i64,
) -> Result<Vec<Row>, RegistryError> {
    let query = rows::<Row>(
        "SELECT h.id, h.name, h.lame_of AS was, h.lame_since AS since, \
         (SELECT COUNT(*) FROM delegations n WHERE n.host_id = h.id) AS users FROM hosts h \
         WHERE h.lame_zone = $1 AND h.lame_told_at <= $2 ORDER BY h.lame_told_at, h.id LIMIT $3",
    );
    let query = query.bind(zone_id).bind(told_until).bind(HOSTS_MAX);
    tables.all(query).await
}

/// The report.
pub(in crate::registry::command) async fn report(
    tables: &mut Tables<'_>,
    apex: &AnyName,
) -> Result<Info, CommandError> {
    let zone = existing(tables, apex).await?;
    let count = rows::<(i64,)>("SELECT COUNT(*) FROM hosts WHERE lame_zone = $1");
    let count = tables.optional(count.bind(zone.id)).await?;
    let hosts = hosts(tables, zone.id, i64::MAX).await?.into_iter();
    let hosts = hosts.map(|row| LameHost {
        name: row.name,
        was: row.was,
        since: Timestamp(row.since),
        users: row.users,
    });
    Ok(Info::Lame(Box::new(LameReport {
        apex: apex.clone(),
        count: count.map_or(0, |(count,)| count),
        hosts: hosts.collect(),
    })))
}

/// Tells the sponsors of domains that still name such hosts.
pub(super) async fn remind(
    context: &mut Context<'_, '_>,
    apex: &AnyName,
) -> Result<i64, CommandError> {
    let zone = existing_active(&mut context.tables(), apex).await?;
    let at = context.at.0;
    let due = at - REMINDER_DAYS * DAY_MICROSECONDS;
    let mut told: BTreeMap<i64, Vec<RenamedHost>> = BTreeMap::new();
    for host in hosts(&mut context.tables(), zone.id, due).await? {
        for (registrar, renamed) in affected(context, host.id, &host.was, &host.name).await? {
            told.entry(registrar).or_default().push(renamed);
        }
        let mark = sqlx::query("UPDATE hosts SET lame_told_at = $1 WHERE id = $2");
        context.tables().run(mark.bind(at).bind(host.id)).await?;
    }
    for (registrar, mut renamed) in told {
        let kind = NoticeKind::NameServersLame;
        let object = renamed[0].domains.first().cloned().unwrap_or_default();
        let mut notice = Notice::new(registrar, kind, object);
        notice.changes = i64::try_from(renamed.len()).unwrap_or(i64::MAX);
        renamed.truncate(NAMES_MAX);
        notice.renamed = renamed;
        context.notices.push(notice);
    }
    Ok(zone.id)
}
