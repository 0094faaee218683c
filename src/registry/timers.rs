//! What becomes due by time alone: ends of registrations, of redemptions, purges.
//!
//! Each write stores a domain's next step and its moment, so a look is five look-ups by
//! index. A step is a command of the system and an event like every other; it holds
//! the moment that it saw due, so it is taken once however many nodes look, and a kill
//! leaves it taken or not. Time decides about deletions here, so a clock is not believed
//! blindly: one that jumps, or is far from when timers last ran, stops them all until an
//! operator says so, and so do more purges in an hour than are usual.

use std::time::Duration;

use super::command::tables::rows;
use super::command::timers::{TimersRow, load};
use super::command::{
    Actor, ChangesCommand, Command, CommandError, ContactCommand, DomainCommand, Request, Role,
    TimersCommand, change, contact::ContactStep, domain::DomainStep,
};
use super::database::{Database, Timestamp, Write};
use super::error::RegistryError;
use super::life::Step;
use super::types::{DomainName, Handle};

/// Steps of one kind taken in one transaction: bounds how long a look holds the lock.
const STEPS_MAX: i64 = 128;
/// How far the wall clock may go away from the time that has passed between two looks.
const JUMP_MAX: Duration = Duration::from_secs(60);
/// How far a clock may be behind what timers have seen before.
const BEHIND_MAX: Duration = Duration::from_secs(5 * 60);
/// How long no timer may have run: a longer absence looks like a wrong clock.
const ABSENCE_MAX: Duration = Duration::from_secs(7 * 86_400);
/// How often it is noted that timers run, where nothing is due.
const NOTE_INTERVAL: Duration = Duration::from_secs(3600);
/// When a step that was refused is tried again.
const RETRY: Duration = Duration::from_secs(3600);
const HOUR: i64 = 3_600_000_000;

/// What a node remembers between its looks.
#[derive(Debug, Default)]
pub struct Timers {
    /// Wall clock and time that passes steadily, at the last look.
    last: Option<(Timestamp, Duration)>,
}

/// What came of a look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    /// Steps that were taken.
    pub taken: u32,
    /// Steps that were refused, and are tried again later.
    pub refused: u32,
    /// Whether more are due at once.
    pub has_more: bool,
    /// Why nothing runs until an operator says so.
    pub stopped: Option<String>,
    /// Purges wait for an operator.
    pub purges_held: bool,
}

impl Timers {
    /// Takes what is due at `now`. `steady` is any clock that nobody sets.
    pub async fn look(
        &mut self,
        database: &mut Database,
        now: Timestamp,
        steady: Duration,
    ) -> Result<Looked, RegistryError> {
        let state = load(&mut database.tables()).await?;
        let last = self.last.replace((now, steady));
        if state.stopped.is_some() {
            return Ok(Looked {
                stopped: state.stopped,
                ..Looked::default()
            });
        }
        if let Some(reason) = doubt(&state, last, now, steady) {
            let stop = TimersCommand::Stop {
                reason: reason.clone(),
            };
            submit(database, now, stop).await?;
            tracing::error!(reason, "timers stopped; see meridian registry timers");
            return Ok(Looked {
                stopped: Some(reason),
                ..Looked::default()
            });
        }
        let mut looked = Looked::default();
        let due = gather(database, &state, now, &mut looked).await?;
        let is_quiet = |at: i64| now.0 - at < microseconds(NOTE_INTERVAL);
        if due.is_empty() && state.ran_at.is_some_and(is_quiet) {
            return Ok(looked);
        }
        take(database, &due, now, &mut looked).await?;
        Ok(looked)
    }
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Why the clock is not to be believed.
fn doubt(
    state: &TimersRow,
    last: Option<(Timestamp, Duration)>,
    now: Timestamp,
    steady: Duration,
) -> Option<String> {
    if let Some((wall, then)) = last {
        let passed = microseconds(steady.saturating_sub(then));
        let jump = (now.0 - wall.0).saturating_sub(passed);
        if jump.unsigned_abs() > microseconds(JUMP_MAX).unsigned_abs() {
            return Some(format!("the clock jumped by {} s", jump / 1_000_000));
        }
    }
    let away = now.0 - state.ran_at?;
    if away < -microseconds(BEHIND_MAX) {
        let seconds = -away / 1_000_000;
        return Some(format!("the clock is {seconds} s behind the last run"));
    }
    if away > microseconds(ABSENCE_MAX) {
        let days = away / 86_400_000_000;
        return Some(format!(
            "{days} days after the last run, or the clock is wrong"
        ));
    }
    None
}

/// What is due: a step of a domain's life, the transfer of a contact that nobody answered, or
/// the end of a change's wait.
enum Due {
    Step(DomainStep),
    Contact(ContactStep),
    Change { id: i64, expires_at: Timestamp },
}

impl Due {
    fn command(&self) -> Command {
        match self {
            Self::Step(step) => Command::Domain(DomainCommand::Step(step.clone())),
            Self::Contact(step) => Command::Contact(ContactCommand::Step(step.clone())),
            Self::Change { id, expires_at } => Command::Changes(ChangesCommand::Expire {
                id: *id,
                expires_at: *expires_at,
            }),
        }
    }
}

/// Changes that wait until somebody agrees: bounded for each account.
pub(super) async fn changes_waiting(database: &mut Database) -> Result<u64, RegistryError> {
    let query = rows::<(i64,)>("SELECT COUNT(*) FROM changes");
    let found = database.tables().optional(query).await?;
    Ok(found.map_or(0, |(count,)| u64::try_from(count).unwrap_or_default()))
}

/// What is due, in the order of kinds, without purges that have to be asked about. Changes
/// come first: time does to a domain what it does without them.
async fn gather(
    database: &mut Database,
    state: &TimersRow,
    now: Timestamp,
    looked: &mut Looked,
) -> Result<Vec<Due>, RegistryError> {
    let mut due = due_changes(database, now).await?;
    looked.has_more = i64::try_from(due.len()).is_ok_and(|found| found == STEPS_MAX);
    let contacts = due_contacts(database, now).await?;
    looked.has_more |= i64::try_from(contacts.len()).is_ok_and(|found| found == STEPS_MAX);
    due.extend(contacts);
    for (_, step) in Step::NAMES {
        let most = match step {
            Step::Purge if state.purges_held == 1 => {
                looked.purges_held = !due_steps(database, *step, now, 1).await?.is_empty();
                continue;
            }
            Step::Purge => {
                let allowed = allowed_purges(state, now);
                let asked = due_steps(database, *step, now, allowed + 1).await?;
                if i64::try_from(asked.len()).unwrap_or(i64::MAX) > allowed {
                    let due = u32::try_from(asked.len()).unwrap_or(u32::MAX);
                    submit(database, now, TimersCommand::HoldPurges { due }).await?;
                    tracing::error!(due, "purges held; see meridian registry timers");
                    looked.purges_held = true;
                    continue;
                }
                STEPS_MAX
            }
            _ => STEPS_MAX,
        };
        let found = due_steps(database, *step, now, most).await?;
        looked.has_more |= i64::try_from(found.len()).is_ok_and(|found| found == most);
        due.extend(found.into_iter().map(Due::Step));
    }
    Ok(due)
}

async fn due_changes(database: &mut Database, now: Timestamp) -> Result<Vec<Due>, RegistryError> {
    let query = rows::<(i64, i64)>(
        "SELECT id, expires_at FROM changes WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2",
    );
    let query = query.bind(now.0).bind(STEPS_MAX);
    let found = database.tables().all(query).await?.into_iter();
    let changes = found.map(|(id, expires_at)| Due::Change {
        id,
        expires_at: Timestamp(expires_at),
    });
    Ok(changes.collect())
}

async fn due_contacts(database: &mut Database, now: Timestamp) -> Result<Vec<Due>, RegistryError> {
    let query = rows::<(String, i64)>(
        "SELECT c.handle, t.acted_at FROM contact_transfers t \
         JOIN contacts c ON c.id = t.contact_id \
         WHERE t.state = 'pending' AND t.acted_at <= $1 ORDER BY t.acted_at LIMIT $2",
    );
    let found = database
        .tables()
        .all(query.bind(now.0).bind(STEPS_MAX))
        .await?;
    let mut due = Vec::with_capacity(found.len());
    for (handle, due_at) in found {
        due.push(Due::Contact(ContactStep {
            handle: Handle::parse(&handle)
                .map_err(CommandError::from)
                .map_err(fault)?,
            due_at: Timestamp(due_at),
        }));
    }
    Ok(due)
}

/// Purges that this hour still has.
fn allowed_purges(state: &TimersRow, now: Timestamp) -> i64 {
    let is_this_hour = now.0 - state.hour_at < HOUR;
    let purged = if is_this_hour { state.purged } else { 0 };
    (state.purges_max - purged).max(0)
}

async fn due_steps(
    database: &mut Database,
    step: Step,
    now: Timestamp,
    most: i64,
) -> Result<Vec<DomainStep>, RegistryError> {
    let query = rows::<(String, i64)>(
        "SELECT name, due_at FROM domains WHERE due_step = $1 AND due_at <= $2 \
         ORDER BY due_at LIMIT $3",
    );
    let query = query.bind(step.name()).bind(now.0).bind(most);
    let found = database.tables().all(query).await?;
    let steps = found.into_iter().map(|(name, due_at)| DomainStep {
        name: DomainName::held(&name),
        step,
        due_at: Timestamp(due_at),
    });
    Ok(steps.collect())
}

fn system(at: Timestamp, command: Command) -> Request {
    Request {
        actor: Actor {
            who: "timers".to_owned(),
            role: Role::System,
            cause: None,
            transaction: None,
        },
        at,
        lab: false,
        command,
    }
}

async fn submit(
    database: &mut Database,
    now: Timestamp,
    command: TimersCommand,
) -> Result<(), RegistryError> {
    let request = system(now, Command::Timers(command));
    match Box::pin(database.execute(&request)).await {
        Ok(_) => Ok(()),
        Err(error) => Err(fault(error)),
    }
}

fn fault(error: CommandError) -> RegistryError {
    match error {
        CommandError::Failed(error) => RegistryError::Group(error),
        CommandError::Rejected(rejection) => RegistryError::Inconsistent {
            place: "timers".to_owned(),
            what: rejection.to_string(),
        },
    }
}

/// One transaction; a step that is refused leaves the others as they are.
async fn take(
    database: &mut Database,
    due: &[Due],
    now: Timestamp,
    looked: &mut Looked,
) -> Result<(), RegistryError> {
    let mut write = database.write().await?;
    let mut purged = 0_i64;
    for due in due {
        let savepoint = write.savepoint().await?;
        let request = system(now, due.command());
        match Box::pin(change(&mut write, &request)).await {
            Ok(_) => {
                looked.taken += 1;
                let is_purge = matches!(due, Due::Step(step) if step.step == Step::Purge);
                purged += i64::from(is_purge);
            }
            Err(CommandError::Rejected(rejection)) => {
                write.undo(savepoint).await?;
                if postpone(&mut write, due, now).await? {
                    looked.refused += 1;
                    let step = request.command.kind();
                    tracing::error!(step, reason = %rejection, "step not taken");
                }
            }
            Err(CommandError::Failed(error)) => return Err(RegistryError::Group(error)),
        }
    }
    let note = sqlx::query(
        "UPDATE timers SET ran_at = $1, purged = CASE WHEN $1 - hour_at < $3 THEN purged + $2 \
         ELSE $2 END, hour_at = CASE WHEN $1 - hour_at < $3 THEN hour_at ELSE $1 END",
    );
    let note = note.bind(now.0).bind(purged).bind(HOUR);
    write.execute(note).await?;
    write.commit().await
}

/// Puts a step that was refused off; `false` where somebody else took it meanwhile.
async fn postpone(write: &mut Write<'_>, due: &Due, now: Timestamp) -> Result<bool, RegistryError> {
    let later = now.0 + microseconds(RETRY);
    let update = match due {
        Due::Step(step) => sqlx::query(
            "UPDATE domains SET due_at = $1 WHERE name = $2 AND due_step = $3 AND due_at = $4",
        )
        .bind(later)
        .bind(step.name.as_str())
        .bind(step.step.name())
        .bind(step.due_at.0),
        Due::Contact(step) => sqlx::query(
            "UPDATE contact_transfers SET acted_at = $1 WHERE state = 'pending' AND acted_at = $3 \
             AND contact_id = (SELECT id FROM contacts WHERE handle = $2)",
        )
        .bind(later)
        .bind(step.handle.as_str())
        .bind(step.due_at.0),
        Due::Change { id, expires_at } => {
            sqlx::query("UPDATE changes SET expires_at = $1 WHERE id = $2 AND expires_at = $3")
                .bind(later)
                .bind(*id)
                .bind(expires_at.0)
        }
    };
    Ok(write.execute(update).await? > 0)
}

#[cfg(test)]
mod tests;
