//! Who may write for longer than one command.
//!
//! A long-lived writer takes the registry by raising its epoch; whoever had it
//! before can write nothing from then on, since every write checks the epoch. So a
//! lease only decides when to take over, never whether a write is safe.
//!
//! SQLite: a lock on a file beside the database, which goes away with its process;
//! there is no other machine to take over. PostgreSQL: an advisory lock of the
//! holder's session, which goes away with its connection, and a time in the row
//! `registry` that the holder renews: a holder that hangs loses it when that is
//! [`LEASE`] old. Times are the database server's, so clocks need not agree.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command::tables::{Tables, rows};
use super::database::{Database, Engine, Location};
use super::error::RegistryError;

/// Age at which a lease that was not renewed may be taken.
pub const LEASE: Duration = Duration::from_secs(6);
/// How often a holder renews.
pub const RENEWAL: Duration = Duration::from_secs(1);
/// How often who waits looks again.
pub const LOOK: Duration = Duration::from_millis(500);
/// Key of the advisory lock ("Meri").
const LOCK_KEY: i64 = 0x4d65_7269;

/// The right to write, as long as nobody raises the epoch.
#[derive(Debug)]
pub(crate) struct Lease {
    /// SQLite: locked until dropped.
    _file: Option<File>,
}

/// What came of asking for it.
#[derive(Debug)]
pub(crate) enum Taken {
    /// We have it, at a new epoch.
    Ours(Lease),
    /// Somebody else has it.
    Held {
        /// Who, in its own words.
        holder: String,
    },
}

/// Asks for the lease once.
pub(crate) async fn take(database: &mut Database, holder: &str) -> Result<Taken, RegistryError> {
    let file = match database.location().clone() {
        Location::File(path) => match lock_file(&path)? {
            Some(file) => Some(file),
            None => return held(database).await,
        },
        Location::Url(_) => {
            if !take_session_lock(database).await? && !depose_hanging(database).await? {
                return held(database).await;
            }
            None
        }
    };
    raise_epoch(database, holder).await?;
    Ok(Taken::Ours(Lease { _file: file }))
}

/// Says that the holder is there; `Deposed` where it is no more the holder.
pub(crate) async fn renew(database: &mut Database) -> Result<(), RegistryError> {
    let engine = database.engine();
    if engine == Engine::Sqlite {
        // The lock says it.
        return Ok(());
    }
    let own = database.epoch();
    let place = database.place().to_owned();
    let query = rows::<(i64,)>(
        "UPDATE registry SET renewed_at = CASE WHEN epoch = $1 THEN \
         CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) ELSE renewed_at END \
         RETURNING epoch",
    );
    let found = tables(database).optional(query.bind(own)).await?;
    match found {
        Some((found,)) if found == own => Ok(()),
        Some((found,)) => Err(RegistryError::Deposed { place, found, own }),
        None => Err(RegistryError::NotARegistry { place }),
    }
}

/// Takes the session's lock again after its connection was lost.
pub(crate) async fn retake(database: &mut Database) -> Result<(), RegistryError> {
    if database.engine() == Engine::Postgres {
        // The server may not have noticed yet that our old session is gone; the epoch
        // protects us meanwhile, and the lease row says that we are there.
        take_session_lock(database).await?;
    }
    renew(database).await
}

fn tables(database: &mut Database) -> Tables<'_> {
    let engine = database.engine();
    let (place, connection) = database.parts();
    Tables::new(engine, place, connection)
}

async fn held(database: &mut Database) -> Result<Taken, RegistryError> {
    let query = rows::<(Option<String>,)>("SELECT holder FROM registry");
    let found = tables(database).optional(query).await?;
    let holder = found.and_then(|(holder,)| holder);
    let holder = holder.unwrap_or_else(|| "another process".to_owned());
    Ok(Taken::Held { holder })
}

/// Where the lock of a database file is.
fn lock_path(path: &Path) -> PathBuf {
    let mut lock = path.to_owned().into_os_string();
    lock.push("-writer");
    lock.into()
}

fn lock_file(path: &Path) -> Result<Option<File>, RegistryError> {
    let path = lock_path(path);
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    let file = options
        .open(&path)
        .map_err(|source| RegistryError::io(&path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(RegistryError::io(&path, source)),
    }
}

async fn take_session_lock(database: &mut Database) -> Result<bool, RegistryError> {
    // Not taken twice: the locks of one session are counted.
    let query = rows::<(bool,)>(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' \
         AND objsubid = 1 AND CAST(objid AS BIGINT) = $1 AND pid = pg_backend_pid() AND granted \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) \
         THEN TRUE ELSE pg_try_advisory_lock($1) END",
    );
    let taken = tables(database).optional(query.bind(LOCK_KEY)).await?;
    Ok(taken == Some((true,)))
}

/// Ends the session of a holder that has not renewed for too long, and takes its
/// lock. It ends at once even where it holds rows, so that we need not wait for it.
async fn depose_hanging(database: &mut Database) -> Result<bool, RegistryError> {
    let query = rows::<(i64,)>(
        "SELECT CAST(COALESCE(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 - renewed_at, 0) \
         AS BIGINT) FROM registry",
    );
    let age = tables(database).optional(query).await?;
    let age = age.map_or(0, |(microseconds,)| microseconds);
    if u128::try_from(age).unwrap_or_default() < LEASE.as_micros() {
        return Ok(false);
    }
    let end = rows::<(bool,)>(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' \
         AND objsubid = 1 AND CAST(objid AS BIGINT) = $1 AND granted AND pid <> pg_backend_pid() \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    tables(database).all(end.bind(LOCK_KEY)).await?;
    // The session may take a moment to end: the next look finds the lock free.
    take_session_lock(database).await
}

/// From here on every other process is deposed.
async fn raise_epoch(database: &mut Database, holder: &str) -> Result<(), RegistryError> {
    let text = match database.engine() {
        Engine::Sqlite => {
            "UPDATE registry SET epoch = epoch + 1, holder = $1, renewed_at = NULL \
             RETURNING epoch"
        }
        Engine::Postgres => {
            "UPDATE registry SET epoch = epoch + 1, holder = $1, renewed_at = \
             CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) RETURNING epoch"
        }
    };
    let query = rows::<(i64,)>(text).bind(holder);
    let raised = tables(database).optional(query).await?;
    let place = database.place().to_owned();
    let (epoch,) = raised.ok_or(RegistryError::NotARegistry { place })?;
    database.set_epoch(epoch);
    Ok(())
}
