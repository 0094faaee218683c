//! Commands on the registry's timers: what they share, and who lets them go on.
//!
//! Timers stop themselves where the clock is not to be believed, and hold purges where
//! there are more than usual. Only an operator lets them go on.

use serde::{Deserialize, Serialize};

use super::super::code::ResultCode;
use super::super::database::Timestamp;
use super::super::error::RegistryError;
use super::CommandError;
use super::answer::{Info, rejected};
use super::checks::{Acting, registry_only};
use super::context::Context;
use super::tables::{Tables, from_row, rows};

/// A command on the timers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimersCommand {
    /// Nothing more becomes due by itself.
    Stop {
        /// Why.
        reason: String,
    },
    /// No more purges until somebody says so.
    HoldPurges {
        /// How many are due, as far as it was counted.
        due: u32,
    },
    /// Go on, with a new hour of purges.
    Resume {
        /// Purges in an hour that nobody is asked about, from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        purges_max: Option<u32>,
    },
    /// Show them.
    Info,
}

impl TimersCommand {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Stop { .. } => "timers-stop",
            Self::HoldPurges { .. } => "timers-hold-purges",
            Self::Resume { .. } => "timers-resume",
            Self::Info => "timers-info",
        }
    }
}

/// The timers as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct TimersInfo {
    /// Why nothing runs.
    pub stopped: Option<String>,
    /// Whether purges wait for an operator.
    pub purges_held: bool,
    /// Purges in an hour that nobody is asked about.
    pub purges_max: i64,
    /// Purges of this hour.
    pub purged: i64,
    /// When they last ran or looked.
    pub ran_at: Option<Timestamp>,
    /// Steps that are due and not taken.
    pub overdue: i64,
    /// The oldest of them, or the next to come.
    pub next_at: Option<Timestamp>,
}

/// The row that all nodes share.
#[derive(Debug, Clone)]
pub(crate) struct TimersRow {
    pub(crate) ran_at: Option<i64>,
    pub(crate) stopped: Option<String>,
    pub(crate) purges_max: i64,
    pub(crate) purges_held: i64,
    pub(crate) hour_at: i64,
    pub(crate) purged: i64,
}

from_row!(TimersRow: ran_at, stopped, purges_max, purges_held, hour_at, purged);

pub(crate) async fn load(tables: &mut Tables<'_>) -> Result<TimersRow, RegistryError> {
    let query = rows::<TimersRow>(
        "SELECT ran_at, stopped, purges_max, purges_held, hour_at, purged FROM timers",
    );
    let row = tables.optional(query).await?;
    row.ok_or_else(|| tables.inconsistent("no row of timers"))
}

pub(super) async fn info(
    tables: &mut Tables<'_>,
    reader: &Acting,
    at: Timestamp,
) -> Result<Info, CommandError> {
    registry_only(reader, "timers")?;
    let row = load(tables).await?;
    let (mut overdue, mut next) = (0, None);
    for (step, _) in super::super::life::Step::NAMES {
        let query =
            rows::<(i64,)>("SELECT COUNT(*) FROM domains WHERE due_step = $1 AND due_at <= $2");
        let count = tables.optional(query.bind(*step).bind(at.0)).await?;
        overdue += count.map_or(0, |(count,)| count);
        let query = rows::<(Option<i64>,)>("SELECT MIN(due_at) FROM domains WHERE due_step = $1");
        let first = tables.optional(query.bind(*step)).await?;
        next = next.into_iter().chain(first.and_then(|(at,)| at)).min();
    }
    let contacts = rows::<(i64, Option<i64>)>(
        "SELECT COUNT(CASE WHEN acted_at <= $1 THEN 1 END), MIN(acted_at) FROM contact_transfers \
         WHERE state = 'pending'",
    );
    if let Some((due, first)) = tables.optional(contacts.bind(at.0)).await? {
        overdue += due;
        next = next.into_iter().chain(first).min();
    }
    Ok(Info::Timers(TimersInfo {
        stopped: row.stopped,
        purges_held: row.purges_held == 1,
        purges_max: row.purges_max,
        purged: row.purged,
        ran_at: row.ran_at.map(Timestamp),
        overdue,
        next_at: next.map(Timestamp),
    }))
}

pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &TimersCommand,
) -> Result<Option<i64>, CommandError> {
    /// More than anybody purges in an hour, and far from overflow.
    const PURGES_MAX: u32 = 100_000_000;
    registry_only(&context.acting, "timers")?;
    let at = context.at.0;
    match command {
        TimersCommand::Stop { reason } => {
            let update = sqlx::query("UPDATE timers SET stopped = $1");
            context.tables().run(update.bind(reason.as_str())).await?;
        }
        TimersCommand::HoldPurges { .. } => {
            let update = sqlx::query("UPDATE timers SET purges_held = 1");
            context.tables().run(update).await?;
        }
        TimersCommand::Resume { purges_max } => {
            if purges_max.is_some_and(|most| most > PURGES_MAX) {
                let reason = format!("{PURGES_MAX} an hour at most");
                return Err(rejected(ResultCode::ParameterRange, "timers", reason));
            }
            let update = sqlx::query(
                "UPDATE timers SET stopped = NULL, purges_held = 0, ran_at = $1, hour_at = $1, \
                 purged = 0, purges_max = COALESCE($2, purges_max)",
            )
            .bind(at)
            .bind(purges_max.map(i64::from));
            context.tables().run(update).await?;
        }
        TimersCommand::Info => unreachable!("reads change nothing"),
    }
    Ok(None)
}
