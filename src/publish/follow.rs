//! Follows the registry's event log: one look-up by primary key each time.
//!
//! Keeps one connection. A file that was replaced, as a restore does it, is opened
//! anew: the old one would be read for ever. Waiting for a database is bounded.

use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::registry::{self, Database, Location, RegistryError, Timestamp};

/// Longest wait for a database to open or to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// Why the log cannot be read now.
#[derive(Debug, thiserror::Error)]
pub(super) enum FollowError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("{place}: no answer within {} s", ANSWER_TIMEOUT.as_secs())]
    Silent { place: Location },
}

/// Device and inode of a database file.
type FileId = (u64, u64);

pub(super) struct Follower {
    location: Location,
    runtime: Runtime,
    open: Option<(Database, Option<FileId>)>,
    is_new: bool,
}

impl Follower {
    pub(super) fn new(location: Location) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            location,
            runtime,
            open: None,
            is_new: false,
        })
    }

    /// The epoch and the number of the newest event.
    pub(super) fn position(&mut self) -> Result<(u64, u64), FollowError> {
        self.with_database(async |database| registry::position(database).await)
    }

    /// Whether the database was opened since the last call: it may be another one now.
    pub(super) fn take_is_new(&mut self) -> bool {
        std::mem::take(&mut self.is_new)
    }

    /// When events after `after` up to `last` were accepted, at most `rows_max` of them.
    pub(super) fn event_times(
        &mut self,
        after: u64,
        last: u64,
        rows_max: u32,
    ) -> Result<Vec<Timestamp>, FollowError> {
        self.with_database(async |database| {
            registry::event_times(database, after, last, rows_max).await
        })
    }

    /// Runs one query; after an error the next one starts with a new connection.
    fn with_database<T>(
        &mut self,
        query: impl AsyncFnOnce(&mut Database) -> Result<T, RegistryError>,
    ) -> Result<T, FollowError> {
        let file = file_id(&self.location);
        let kept = self.open.take().filter(|(_, opened)| *opened == file);
        self.is_new |= kept.is_none();
        let location = &self.location;
        let work = async {
            let (mut database, opened) = match kept {
                Some(kept) => kept,
                None => (Database::open(location).await?, file_id(location)),
            };
            let answer = query(&mut database).await?;
            Ok((answer, (database, opened)))
        };
        let done = self
            .runtime
            .block_on(async { timeout(ANSWER_TIMEOUT, work).await });
        let silent = |_| FollowError::Silent {
            place: location.clone(),
        };
        let (answer, open) = done.map_err(silent)?.map_err(FollowError::Registry)?;
        self.open = Some(open);
        Ok(answer)
    }
}

/// `None` where there is no file, and for a database that is none.
fn file_id(location: &Location) -> Option<FileId> {
    match location {
        Location::File(path) => {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.dev(), metadata.ino()))
        }
        Location::Url(_) => None,
    }
}
