//! A registry database: where it is, how it is made and opened, how it is written.
//!
//! SQLite runs in WAL with `synchronous = FULL`: a commit that returned is on
//! disk, readers have snapshots, there is one writer. `Database::write` begins
//! every write: it takes the write lock, checks the fencing epoch, and gives out
//! event numbers and object ids, which therefore follow the order of commits.

use std::fmt;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use sqlx::{Connection as _, Row as _};

use super::audit::{self, Digest};
use super::command::tables::Tables;
use super::error::RegistryError;
use super::schema;

mod write;

pub(crate) use write::{Event, Write};

/// Milliseconds that we wait for another process's write lock: an import holds
/// SQLite's for seconds.
const SQLITE_LOCK_WAIT_MILLISECONDS: u32 = 10_000;
/// Shorter than a lease, so that who waits for somebody's lock can still renew his.
const POSTGRES_LOCK_WAIT_MILLISECONDS: u32 = 4_000;
/// Milliseconds after which the server ends a session that has stopped inside a
/// transaction: a process that hangs must not keep its rows from its successor.
const POSTGRES_IDLE_MILLISECONDS: u32 = 5_000;

/// Which database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Built in: one file.
    Sqlite,
    /// PostgreSQL 15 or later, and what speaks its protocol.
    Postgres,
}

/// Where a database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// An SQLite file.
    File(PathBuf),
    /// A PostgreSQL URL, which may hold a password: shown without it.
    Url(String),
}

impl Location {
    /// Takes `postgres://..` or a file name.
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Url(text.to_owned())
        } else {
            Self::File(PathBuf::from(text.strip_prefix("sqlite:").unwrap_or(text)))
        }
    }

    /// The engine behind it.
    pub fn engine(&self) -> Engine {
        match self {
            Self::File(_) => Engine::Sqlite,
            Self::Url(_) => Engine::Postgres,
        }
    }

    /// For the compiler, which reads the views of the same database.
    pub fn as_source(&self) -> zone_compiler::database::Location {
        match self {
            Self::File(path) => zone_compiler::database::Location::File(path.clone()),
            Self::Url(url) => zone_compiler::database::Location::Url(url.clone()),
        }
    }

    fn url(&self) -> Result<String, RegistryError> {
        match self {
            Self::Url(url) => Ok(url.clone()),
            Self::File(path) => {
                let path = std::path::absolute(path).map_err(|e| RegistryError::io(path, e))?;
                Ok(format!("sqlite://{}?mode=rw", percent_encoded(&path)))
            }
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(url) => f.write_str(&without_password(url)),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

/// Microseconds since 1970 in UTC. The clock is the caller's.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// An open registry database.
#[derive(Debug)]
pub struct Database {
    location: Location,
    place: String,
    connection: AnyConnection,
    epoch: i64,
}

impl Database {
    /// Makes an empty registry. An SQLite file gets mode 0600. Refuses a place
    /// where a registry or anything else is; goes on where an `init` was cut off.
    pub async fn init(location: &Location, now: Timestamp) -> Result<Self, RegistryError> {
        let place = location.to_string();
        if let Location::File(path) = location {
            create_file(path)?;
        }
        let mut connection = connect(location).await?;
        let engine = location.engine();
        let fault = |source| RegistryError::engine(engine, &place, source);
        match schema::version(engine, &mut connection)
            .await
            .map_err(fault)?
        {
            Some(_) => return Err(RegistryError::Exists { place }),
            None if engine == Engine::Sqlite => refuse_foreign(&mut connection, &place).await?,
            None => {}
        }
        if engine == Engine::Sqlite {
            // Stays with the file.
            execute(&mut connection, "PRAGMA journal_mode = WAL")
                .await
                .map_err(fault)?;
        }
        let made = create(engine, &mut connection, now).await;
        made.map_err(fault)?;
        connection.close().await.map_err(fault)?;
        if let Location::File(path) = location {
            sync_folder(path)?;
        }
        Self::open(location).await
    }

    /// Opens a registry, brought up to this program's schema if it is older.
    pub async fn open(location: &Location) -> Result<Self, RegistryError> {
        let place = location.to_string();
        if let Location::File(path) = location {
            let there = path.try_exists().map_err(|e| RegistryError::io(path, e))?;
            if !there {
                return Err(RegistryError::Missing { place });
            }
        }
        let mut connection = connect(location).await?;
        let engine = location.engine();
        let fault = |source| RegistryError::engine(engine, &place, source);
        let found = schema::version(engine, &mut connection)
            .await
            .map_err(fault)?;
        let known = schema::VERSION;
        match found {
            None => return Err(RegistryError::NotARegistry { place }),
            Some(found) if found > known => {
                return Err(RegistryError::NewerSchema {
                    place,
                    found,
                    known,
                });
            }
            Some(found) if found < known => {
                upgrade(engine, &mut connection).await.map_err(fault)?;
            }
            Some(_) => {}
        }
        let epoch = sqlx::query_scalar("SELECT epoch FROM registry")
            .fetch_one(&mut connection)
            .await
            .map_err(fault)?;
        Ok(Self {
            location: location.clone(),
            place,
            connection,
            epoch,
        })
    }

    /// Where it is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Which engine it runs on.
    pub fn engine(&self) -> Engine {
        self.location.engine()
    }

    /// Its name in messages.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// The epoch that its writes are checked against.
    pub(crate) fn epoch(&self) -> i64 {
        self.epoch
    }

    /// After this process has raised the epoch itself.
    pub(crate) fn set_epoch(&mut self, epoch: i64) {
        self.epoch = epoch;
    }

    /// Place and connection together.
    pub(crate) fn parts(&mut self) -> (&str, &mut AnyConnection) {
        (&self.place, &mut self.connection)
    }

    /// For the reads of commands.
    pub(crate) fn tables(&mut self) -> Tables<'_> {
        Tables::new(self.engine(), &self.place, &mut self.connection)
    }

    /// Connects anew after a fault. The epoch stays: who was deposed stays deposed.
    pub(crate) async fn reconnect(&mut self) -> Result<(), RegistryError> {
        let lost = std::mem::replace(&mut self.connection, connect(&self.location).await?);
        // What is left of a lost connection says nothing of use.
        let _ = lost.close_hard().await;
        Ok(())
    }

    /// For reads; a write goes through [`Self::write`].
    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }

    /// Sorts an engine's error, with this database as its place.
    pub(crate) fn fault(&self) -> impl Fn(sqlx::Error) -> RegistryError + use<> {
        let (engine, place) = (self.engine(), self.place.clone());
        move |source| RegistryError::engine(engine, &place, source)
    }

    /// Room for a long run of writes in this connection: SQLite's own cache of 2 MB
    /// makes a random key of a big index a read and a write each, and a log that is
    /// emptied every 4 MB writes the same pages again and again.
    pub(crate) async fn prepare_for_bulk(&mut self) -> Result<(), RegistryError> {
        const CACHE: &str = "PRAGMA cache_size = -262144";
        const LOG: &str = "PRAGMA wal_autocheckpoint = 32768";
        if self.engine() == Engine::Sqlite {
            for pragma in [CACHE, LOG] {
                let done = execute(&mut self.connection, pragma).await;
                done.map_err(self.fault())?;
            }
        }
        Ok(())
    }

    /// Tells PostgreSQL's planner what the tables hold after a bulk load: until its own
    /// maintenance comes by, it plans for tables that are nearly empty and reads whole
    /// ones for a single name.
    pub(crate) async fn refresh_statistics(&mut self) -> Result<(), RegistryError> {
        if self.engine() == Engine::Postgres {
            const ANALYZE: &str = "ANALYZE zones, registrars, contacts, domains, \
                 domain_contacts, ds, hosts, host_addresses, delegations";
            let done = execute(&mut self.connection, ANALYZE).await;
            done.map_err(self.fault())?;
        }
        Ok(())
    }

    /// Empties SQLite's log, which has pages as they were before, after something was
    /// erased. Where a reader is in the way, the next checkpoint does it.
    pub(crate) async fn forget(&mut self) -> Result<(), RegistryError> {
        if self.engine() == Engine::Sqlite {
            const TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
            let done = execute(&mut self.connection, TRUNCATE).await;
            done.map_err(self.fault())?;
        }
        Ok(())
    }

    /// Begins a write: takes the write lock and checks the epoch.
    pub(crate) async fn write(&mut self) -> Result<Write<'_>, RegistryError> {
        let (engine, place, own) = (self.engine(), self.place.clone(), self.epoch);
        let fault = self.fault();
        // IMMEDIATE takes SQLite's write lock at once: a lock that is asked for
        // later can fail without waiting. PostgreSQL waits at the UPDATE below.
        let begin = match engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        };
        let mut transaction = self.connection.begin_with(begin).await.map_err(&fault)?;
        let row: AnyRow = sqlx::query(
            "UPDATE registry SET epoch = epoch WHERE id = 1 RETURNING epoch, last_event, \
             next_object, last_digest, CASE WHEN \
             EXISTS (SELECT 1 FROM zones WHERE change_control <> 'auto') \
             OR EXISTS (SELECT 1 FROM zones WHERE registrant_change <> 'free') \
             OR EXISTS (SELECT 1 FROM locks) OR EXISTS (SELECT 1 FROM changes) \
             THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END",
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(&fault)?;
        let found: i64 = row.try_get(0).map_err(&fault)?;
        if found != own {
            return Err(RegistryError::Deposed { place, found, own });
        }
        let digest: Option<Vec<u8>> = row.try_get(3).map_err(&fault)?;
        let digest = digest.as_deref().and_then(Digest::from_column);
        let digest = digest.ok_or_else(|| RegistryError::Inconsistent {
            place: place.clone(),
            what: "the newest event has no digest".to_owned(),
        })?;
        Ok(Write {
            first_event: row.try_get(1).map_err(&fault)?,
            last_event: row.try_get(1).map_err(&fault)?,
            next_object: row.try_get(2).map_err(&fault)?,
            has_reviews: row.try_get::<i64, _>(4).map_err(&fault)? == 1,
            digest,
            engine,
            place,
            transaction,
            log: write::Log::default(),
            has_savepoint: false,
        })
    }
}

async fn connect(location: &Location) -> Result<AnyConnection, RegistryError> {
    sqlx::any::install_default_drivers();
    let engine = location.engine();
    let fault = |source| RegistryError::engine(engine, &location.to_string(), source);
    let mut connection = AnyConnection::connect(&location.url()?)
        .await
        .map_err(fault)?;
    let settings: &[String] = match engine {
        Engine::Sqlite => &[
            format!("PRAGMA busy_timeout = {SQLITE_LOCK_WAIT_MILLISECONDS}"),
            "PRAGMA foreign_keys = ON".to_owned(),
            "PRAGMA synchronous = FULL".to_owned(),
            // What is overwritten or deleted is overwritten in its page, so that what was
            // erased is gone from the file.
            "PRAGMA secure_delete = FAST".to_owned(),
        ],
        Engine::Postgres => &[
            format!("SET lock_timeout = {POSTGRES_LOCK_WAIT_MILLISECONDS}"),
            format!("SET idle_in_transaction_session_timeout = {POSTGRES_IDLE_MILLISECONDS}"),
            // A commit that was acknowledged is on disk, whatever the server's default.
            "SET synchronous_commit = on".to_owned(),
            // Machine code for a statement takes longer to make than the statement takes.
            "SET jit = off".to_owned(),
        ],
    };
    for setting in settings {
        let set = sqlx::query(sqlx::AssertSqlSafe(setting.as_str()));
        set.execute(&mut connection).await.map_err(fault)?;
    }
    Ok(connection)
}

async fn execute(connection: &mut AnyConnection, statement: &'static str) -> sqlx::Result<()> {
    sqlx::query(statement).execute(connection).await.map(drop)
}

/// Tables and the one row of `registry`, in one transaction.
async fn create(
    engine: Engine,
    connection: &mut AnyConnection,
    now: Timestamp,
) -> sqlx::Result<()> {
    let mut transaction = connection.begin().await?;
    schema::migrate(engine, &mut transaction, 0, schema::VERSION).await?;
    sqlx::query(
        "INSERT INTO registry (id, epoch, last_event, next_object, created_at) \
         VALUES (1, 1, 1, 1, $1)",
    )
    .bind(now.0)
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "INSERT INTO events (number, time, kind, actor) VALUES (1, $1, 'registry-init', 'system')",
    )
    .bind(now.0)
    .execute(&mut *transaction)
    .await?;
    audit::complete(engine, &mut transaction).await?;
    transaction.commit().await
}

/// Brings an older schema up to ours; another process may have done it meanwhile.
async fn upgrade(engine: Engine, connection: &mut AnyConnection) -> sqlx::Result<()> {
    let begin = match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgres => "BEGIN",
    };
    let mut transaction = connection.begin_with(begin).await?;
    if engine == Engine::Postgres {
        execute(&mut transaction, "LOCK TABLE schema_version").await?;
    }
    let found = schema::version(engine, &mut transaction).await?;
    let found = found.ok_or(sqlx::Error::RowNotFound)?;
    if found < schema::VERSION {
        schema::migrate(engine, &mut transaction, found, schema::VERSION).await?;
        audit::complete(engine, &mut transaction).await?;
        // An older program that still runs knows nothing of what is new.
        execute(&mut transaction, "UPDATE registry SET epoch = epoch + 1").await?;
    }
    transaction.commit().await
}

/// An SQLite file with tables of somebody else's is left alone.
async fn refuse_foreign(connection: &mut AnyConnection, place: &str) -> Result<(), RegistryError> {
    let objects: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master")
        .fetch_one(connection)
        .await
        .map_err(|source| RegistryError::engine(Engine::Sqlite, place, source))?;
    if objects == 0 {
        return Ok(());
    }
    let place = place.to_owned();
    Err(RegistryError::NotARegistry { place })
}

/// Only the owner may read: the file will hold contacts and credentials.
fn create_file(path: &Path) -> Result<(), RegistryError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path).and_then(|file| file.sync_all());
    file.map_err(|source| RegistryError::io(path, source))
}

/// A new file is there after a power cut only if its folder is synced too.
pub(crate) fn sync_folder(path: &Path) -> Result<(), RegistryError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| RegistryError::io(folder, source))
}

fn percent_encoded(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let mut text = String::new();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// `scheme://user:password@host/..` without the password.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split('?').next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}{path}")
        }
        None => format!("{scheme}://{authority}{path}"),
    }
}

#[cfg(test)]
mod tests;
