//! A transaction that writes: events, object ids, savepoints, commit.
//!
//! Numbers are given out under the write lock and stored with the commit, so that
//! they follow the order of commits and none is given out twice.

use super::super::error::RegistryError;
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
}

/// Where a command among several began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Savepoint {
    last_event: i64,
    next_object: i64,
}

/// What happened, for the event log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'e> {
    pub(crate) time: Timestamp,
    pub(crate) kind: &'e str,
    pub(crate) actor: &'e str,
    pub(crate) zone_id: Option<i64>,
    pub(crate) object: Option<&'e str>,
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

    /// Marks a point to return to: the start of one command among several.
    pub(crate) async fn savepoint(&mut self) -> Result<Savepoint, RegistryError> {
        self.execute(sqlx::query("SAVEPOINT command")).await?;
        Ok(Savepoint {
            last_event: self.last_event,
            next_object: self.next_object,
        })
    }

    /// Keeps what was written since the savepoint.
    pub(crate) async fn release(&mut self) -> Result<(), RegistryError> {
        let release = sqlx::query("RELEASE SAVEPOINT command");
        self.execute(release).await.map(drop)
    }

    /// Undoes what was written since the savepoint, numbers included.
    pub(crate) async fn undo(&mut self, savepoint: Savepoint) -> Result<(), RegistryError> {
        self.execute(sqlx::query("ROLLBACK TO SAVEPOINT command"))
            .await?;
        self.last_event = savepoint.last_event;
        self.next_object = savepoint.next_object;
        self.release().await
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

    /// Appends an event and returns its number.
    pub(crate) async fn append(&mut self, event: Event<'_>) -> Result<i64, RegistryError> {
        self.last_event += 1;
        let insert = sqlx::query(
            "INSERT INTO events (number, time, kind, actor, zone_id, object, detail) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(self.last_event)
        .bind(event.time.0)
        .bind(event.kind)
        .bind(event.actor)
        .bind(event.zone_id)
        .bind(event.object)
        .bind(event.detail);
        self.execute(insert).await?;
        Ok(self.last_event)
    }

    /// Makes everything since the begin durable, all or nothing.
    pub(crate) async fn commit(mut self) -> Result<(), RegistryError> {
        if self.last_event > self.first_event {
            let raise = sqlx::query(RAISE_SERIALS).bind(self.first_event);
            self.execute(raise).await?;
        }
        let counters =
            sqlx::query("UPDATE registry SET last_event = $1, next_object = $2 WHERE id = 1")
                .bind(self.last_event)
                .bind(self.next_object);
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
