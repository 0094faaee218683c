//! What a look-up by the public reads: objects as they are, each from one snapshot.
//!
//! A reader has a connection of its own that cannot write, and its snapshots are short:
//! they hold up no writer on either engine. Each is of one event, which is told with its
//! time, so that "last update" is exact. Every read goes by an index and has a bound. Zones
//! and accounts for tests are not shown. Personal data stands in what is read here:
//! `crate::disclosure` decides what of it goes on, and nobody else may take it.

mod contact;
mod domain;
mod host;
mod registrar;
mod search;

use std::sync::Arc;

use sqlx::{Any, Connection as _, Transaction};

use super::command::domain::{Availability, check_for_public};
use super::command::tables::{Tables, rows};
use super::command::{CommandError, Rejection};
use super::database::{Database, Engine, Location, Timestamp};
use super::error::RegistryError;
use super::types::DomainName;

pub use contact::{ContactLink, ContactRecord};
pub use domain::DomainRecord;
pub use host::{HostRecord, ServerRecord};
pub use registrar::RegistrarRecord;
pub use search::{Candidate, NamePage, Names};

/// The newest event of a snapshot: what was accepted later is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastUpdate {
    /// Its number.
    pub event: i64,
    /// When it was accepted.
    pub at: Timestamp,
}

/// A connection that only reads.
#[derive(Debug)]
pub struct Reader {
    database: Database,
}

impl Reader {
    /// Connects.
    pub async fn open(location: &Location) -> Result<Self, RegistryError> {
        let mut database = Database::open(location).await?;
        let settings: &[&'static str] = match database.engine() {
            Engine::Sqlite => &["PRAGMA query_only = ON"],
            Engine::Postgres => &[
                "SET default_transaction_read_only = on",
                // Nothing that is asked here takes longer on a machine that works.
                "SET statement_timeout = 2000",
            ],
        };
        for setting in settings {
            let mut tables = database.tables();
            tables.run(sqlx::query(*setting)).await?;
        }
        Ok(Self { database })
    }

    /// Takes a snapshot.
    pub async fn snapshot(&mut self) -> Result<Snapshot<'_>, RegistryError> {
        let (engine, fault) = (self.database.engine(), self.database.fault());
        let (place, connection) = self.database.parts();
        let begin = match engine {
            Engine::Sqlite => "BEGIN",
            Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        };
        let transaction = connection.begin_with(begin).await.map_err(fault)?;
        let mut snapshot = Snapshot {
            engine,
            place,
            transaction,
            last_update: LastUpdate {
                event: 0,
                at: Timestamp(0),
            },
        };
        let query =
            rows::<(i64, i64)>("SELECT number, time FROM events ORDER BY number DESC LIMIT 1");
        let mut tables = snapshot.tables();
        let newest = tables.optional(query).await?;
        let newest = newest.ok_or_else(|| tables.inconsistent("no event"))?;
        snapshot.last_update = LastUpdate {
            event: newest.0,
            at: Timestamp(newest.1),
        };
        Ok(snapshot)
    }
}

/// The registry at one event.
pub struct Snapshot<'r> {
    engine: Engine,
    place: &'r str,
    transaction: Transaction<'r, Any>,
    last_update: LastUpdate,
}

impl std::fmt::Debug for Snapshot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("last_update", &self.last_update)
            .finish_non_exhaustive()
    }
}

impl Snapshot<'_> {
    /// Which event it is.
    pub fn last_update(&self) -> LastUpdate {
        self.last_update
    }

    fn tables(&mut self) -> Tables<'_> {
        Tables::new(self.engine, self.place, &mut self.transaction)
    }

    /// Whether anybody could register a name now, or what is said against asking.
    pub async fn availability(
        &mut self,
        name: &DomainName,
    ) -> Result<Result<Availability, Rejection>, RegistryError> {
        let place = self.place.to_owned();
        match Box::pin(check_for_public(&mut self.tables(), name)).await {
            Ok(availability) => Ok(Ok(availability)),
            Err(CommandError::Rejected(rejection)) => Ok(Err(rejection)),
            Err(CommandError::Failed(error)) => {
                Err(Arc::try_unwrap(error).unwrap_or_else(|error| {
                    let what = error.to_string();
                    RegistryError::Inconsistent { place, what }
                }))
            }
        }
    }

    /// Ends it: the connection is good for the next.
    pub async fn end(self) -> Result<(), RegistryError> {
        let (engine, place) = (self.engine, self.place);
        let ended = self.transaction.rollback().await;
        ended.map_err(|source| RegistryError::engine(engine, place, source))
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::{break_connection, try_to_write};
