//! A transaction that writes: events, object ids, savepoints, commit.
//!
//! Numbers are given out under the write lock and stored with the commit, so that
//! they follow the order of commits and none is given out twice. Events and the names
//! they may have changed, and what objects were before them, wait in memory for the commit, which writes those of all
//! commands of a group in one statement each: a statement is a hand-off to another
//! thread or a turn of the network, and dearer than a row. Each event gets its digest there
//! (`audit`), after which it is never written again.

use super::super::audit::{Before, Digest, Entry, states_digest};
use super::super::error::RegistryError;
use super::super::sql::{BulkInsert, BulkRows};
use super::{Engine, Timestamp};

/// A write in progress; dropped without [`Write::commit`] it never happened.
pub(crate) struct Write<'d> {
    pub(crate) transaction: sqlx::Transaction<'d, sqlx::Any>,
    pub(super) engine: Engine,
    pub(super) place: String,
    /// The last event before this write.
    pub(super) first_event: i64,
    pub(super) last_event: i64,
    pub(super) next_object: i64,
    /// Of the last event before this write.
    pub(super) digest: Digest,
    /// What goes into the event log with the commit.
    pub(super) log: Log,
    pub(super) has_savepoint: bool,
    /// Whether some command may have to wait for somebody's consent: most registries need
    /// not ask for each.
    pub(crate) has_reviews: bool,
}

/// Events of a write and the names whose records they may have changed. A command has
/// them in memory anyway; a group bounds the commands.
#[derive(Debug, Default)]
pub(super) struct Log {
    events: Vec<Entry>,
    /// Event, zone and owner name.
    changed: Vec<(i64, i64, String)>,
    /// Event, and an object as it was before it.
    states: Vec<(i64, Before)>,
}

/// Where a command among several began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Savepoint {
    last_event: i64,
    next_object: i64,
    /// Entries of the log.
    events: usize,
    changed: usize,
    states: usize,
}

/// What happened, for the event log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'e> {
    pub(crate) time: Timestamp,
    pub(crate) kind: &'e str,
    pub(crate) actor: &'e str,
    pub(crate) zone_id: Option<i64>,
    pub(crate) object: Option<&'e str>,
    /// JSON: why.
    pub(crate) cause: Option<&'e str>,
    /// JSON: the command, without secrets.
    pub(crate) detail: Option<&'e str>,
}

impl Write<'_> {
    /// Runs a statement that is known to hold no data.
    pub(crate) async fn execute(
        &mut self,
        query: super::super::sql::AnyQuery<'_>,
    ) -> Result<u64, RegistryError> {
        let done = query.execute(&mut *self.transaction).await;
        done.map(|result| result.rows_affected())
            .map_err(|source| self.fault(source))
    }

    /// Sorts an engine's error, with this database as its place.
    pub(crate) fn fault(&self, source: sqlx::Error) -> RegistryError {
        RegistryError::engine(self.engine, &self.place, source)
    }

    /// Its name in messages.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// For the statements of commands.
    pub(crate) fn tables(&mut self) -> super::super::command::tables::Tables<'_> {
        super::super::command::tables::Tables::new(self.engine, &self.place, &mut self.transaction)
    }

    /// Marks a point to return to: the start of one command among several. What the
    /// command before it wrote is kept.
    pub(crate) async fn savepoint(&mut self) -> Result<Savepoint, RegistryError> {
        // One statement more a command would be a tenth of its time.
        let text = if self.has_savepoint {
            "RELEASE SAVEPOINT command; SAVEPOINT command"
        } else {
            "SAVEPOINT command"
        };
        let marked = sqlx::raw_sql(text).execute(&mut *self.transaction).await;
        marked.map_err(|source| self.fault(source))?;
        self.has_savepoint = true;
        Ok(self.here())
    }

    fn here(&self) -> Savepoint {
        Savepoint {
            last_event: self.last_event,
            next_object: self.next_object,
            events: self.log.events.len(),
            changed: self.log.changed.len(),
            states: self.log.states.len(),
        }
    }

    /// Undoes what was written since the last savepoint, numbers included.
    pub(crate) async fn undo(&mut self, savepoint: Savepoint) -> Result<(), RegistryError> {
        self.execute(sqlx::query("ROLLBACK TO SAVEPOINT command"))
            .await?;
        self.return_to(savepoint);
        Ok(())
    }

    /// Marks a point inside a command, for what is only tried; one at a time.
    pub(crate) async fn begin_trial(&mut self) -> Result<Savepoint, RegistryError> {
        self.execute(sqlx::query("SAVEPOINT trial")).await?;
        Ok(self.here())
    }

    /// Undoes what was tried, numbers included.
    pub(crate) async fn undo_trial(&mut self, savepoint: Savepoint) -> Result<(), RegistryError> {
        let back = "ROLLBACK TO SAVEPOINT trial; RELEASE SAVEPOINT trial";
        let done = sqlx::raw_sql(back).execute(&mut *self.transaction).await;
        done.map_err(|source| self.fault(source))?;
        self.return_to(savepoint);
        Ok(())
    }

    fn return_to(&mut self, savepoint: Savepoint) {
        self.last_event = savepoint.last_event;
        self.next_object = savepoint.next_object;
        self.log.events.truncate(savepoint.events);
        self.log.changed.truncate(savepoint.changed);
        self.log.states.truncate(savepoint.states);
    }

    /// Gives out `count` object ids in a row and returns the first.
    pub(crate) fn reserve_objects(&mut self, count: i64) -> i64 {
        let first = self.next_object;
        self.next_object += count;
        first
    }

    /// Gives back ids from `next` to `end` that were reserved and never used, unless
    /// somebody has reserved beyond them.
    pub(crate) fn return_objects(&mut self, next: i64, end: i64) {
        if self.next_object == end {
            self.next_object = next;
        }
    }

    /// The number that the next event will have.
    pub(crate) fn next_event(&self) -> i64 {
        self.last_event + 1
    }

    /// Appends an event and returns its number.
    pub(crate) fn append(&mut self, event: Event<'_>) -> i64 {
        self.last_event += 1;
        self.log.events.push(Entry {
            number: self.last_event,
            time: event.time.0,
            kind: event.kind.to_owned(),
            actor: event.actor.to_owned(),
            zone_id: event.zone_id,
            object: event.object.map(str::to_owned),
            cause: event.cause.map(str::to_owned),
            detail: event.detail.map(str::to_owned),
            states: None,
        });
        self.last_event
    }

    /// Whether it is noted what an object was before the next event.
    pub(crate) fn has_kept(&self, object_id: i64) -> bool {
        let next = self.next_event();
        let states = self.log.states.iter().rev();
        let mut of_next = states.take_while(|(event, _)| *event == next);
        of_next.any(|(_, before)| before.object_id == object_id)
    }

    /// Notes what an object is before the next event.
    pub(crate) fn keep(&mut self, before: Before) {
        let next = self.next_event();
        self.log.states.push((next, before));
    }

    /// Notes an owner name whose published records the last event may have changed; ''
    /// is the whole zone.
    pub(crate) fn note_changed(&mut self, zone_id: i64, owner: String) {
        self.log.changed.push((self.last_event, zone_id, owner));
    }

    /// Zones and owner names that were noted since a savepoint.
    pub(crate) fn changed_since(&self, savepoint: Savepoint) -> Vec<(i64, String)> {
        let changed = self.log.changed[savepoint.changed..].iter();
        changed
            .map(|(_, zone_id, owner)| (*zone_id, owner.clone()))
            .collect()
    }

    async fn write_log(&mut self) -> Result<(), RegistryError> {
        let log = std::mem::take(&mut self.log);
        let head =
            "events (number, time, kind, actor, zone_id, object, cause, detail, states, digest)";
        let mut rows = BulkRows::new(BulkInsert::new(self.engine, head));
        let mut states = log.states.iter().peekable();
        for mut event in log.events {
            let mut ended = Vec::new();
            while let Some((_, before)) = states.next_if(|(until, _)| *until == event.number) {
                ended.push(before);
            }
            event.states = states_digest(ended);
            self.digest = event.digest(self.digest);
            rows.bind(event.number).bind(event.time).bind(event.kind);
            rows.bind(event.actor).bind(event.zone_id);
            rows.bind(event.object).bind(event.cause).bind(event.detail);
            rows.bind(event.states.map(Digest::column));
            rows.bind(self.digest.column());
            self.log_row(&mut rows).await?;
        }
        self.log_rows(&mut rows).await?;
        let head = "changed_names (event, zone_id, owner)";
        let mut rows = BulkRows::new(BulkInsert::new(self.engine, head));
        for (event, zone_id, owner) in log.changed {
            rows.bind(event).bind(zone_id).bind(owner);
            self.log_row(&mut rows).await?;
        }
        self.log_rows(&mut rows).await?;
        self.write_states(log.states).await
    }

    async fn write_states(&mut self, states: Vec<(i64, Before)>) -> Result<(), RegistryError> {
        let head = "object_states (until_event, object_id, object_type, name, domain_id, \
                    first_event, created_at, state)";
        let mut rows = BulkRows::new(BulkInsert::new(self.engine, head));
        for (event, before) in states {
            rows.bind(event).bind(before.object_id);
            rows.bind(before.object_type).bind(before.name);
            rows.bind(before.domain_id).bind(before.first_event);
            rows.bind(before.created_at).bind(before.state);
            self.log_row(&mut rows).await?;
        }
        self.log_rows(&mut rows).await
    }

    async fn log_row(&mut self, rows: &mut BulkRows) -> Result<(), RegistryError> {
        rows.end_row();
        if rows.is_full() {
            self.log_rows(rows).await?;
        }
        Ok(())
    }

    /// A bulk statement leaves rows out that are there already: here, none may be.
    async fn log_rows(&mut self, rows: &mut BulkRows) -> Result<(), RegistryError> {
        let expected = rows.count() as u64;
        let Some(statement) = rows.take() else {
            return Ok(());
        };
        if self.execute(statement).await? == expected {
            return Ok(());
        }
        let place = self.place.clone();
        let what = format!("the event log goes beyond event {}", self.first_event);
        Err(RegistryError::Inconsistent { place, what })
    }

    /// Makes everything since the begin durable, all or nothing.
    pub(crate) async fn commit(mut self) -> Result<(), RegistryError> {
        self.write_log().await?;
        if self.last_event > self.first_event {
            let raise = sqlx::query(RAISE_SERIALS).bind(self.first_event);
            self.execute(raise).await?;
        }
        let counters = sqlx::query(
            "UPDATE registry SET last_event = $1, next_object = $2, last_digest = $3 WHERE id = 1",
        )
        .bind(self.last_event)
        .bind(self.next_object)
        .bind(self.digest.column());
        self.execute(counters).await?;
        let (engine, place) = (self.engine, self.place);
        let committed = self.transaction.commit().await;
        committed.map_err(|source| match source {
            // The server may have done it before it, or the way to it, was lost.
            sqlx::Error::Io(source) => RegistryError::InDoubt { place, source },
            source => RegistryError::engine(engine, &place, source),
        })
    }
}

/// The serial of each zone whose published data these events may have changed goes up
/// by one (RFC 1982 section 3.1), past zero, which some software takes for "none". So a
/// serial belongs to an event for ever, whoever compiles that event and how often. An
/// import that ends here brings the serial of its file along.
const RAISE_SERIALS: &str = "UPDATE zones \
    SET serial = CASE WHEN serial = 4294967295 THEN 1 ELSE serial + 1 END \
    WHERE id IN (SELECT c.zone_id FROM changed_names c WHERE c.event > $1) \
    AND NOT EXISTS (SELECT 1 FROM imports i WHERE i.zone_id = zones.id AND i.event > $1)";
