//! What can go wrong in the registry, said once, with place and way out.
//!
//! Engine errors are sorted by what an operator does about them: wait, make
//! room, restore, give rights. The engine's own words stay as the source.

use std::path::{Path, PathBuf};

use super::database::Engine;

/// Why a registry operation did not happen. Nothing was changed unless the
/// variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is no database.
    #[error("{place}: no database there; make one with `meridian registry init`")]
    Missing {
        /// Where it was looked for.
        place: String,
    },
    /// `init` where there is something already.
    #[error("{place}: already a registry database; nothing was changed")]
    Exists {
        /// The database.
        place: String,
    },
    /// A database or file that is none of ours.
    #[error(
        "{place}: not a registry database; name another place, or make one with `meridian registry init`"
    )]
    NotARegistry {
        /// The database.
        place: String,
    },
    /// Written by a newer program.
    #[error(
        "{place}: schema version {found}, this program knows up to {known}; use the newer program"
    )]
    NewerSchema {
        /// The database.
        place: String,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Somebody else holds the write lock for longer than we wait.
    #[error("{place}: locked by another process; try again when it has finished")]
    Locked {
        /// The database.
        place: String,
        /// The engine's words.
        source: sqlx::Error,
    },
    /// No room to write.
    #[error("{place}: disk full or file size limit reached; make room and run it again")]
    DiskFull {
        /// The database.
        place: String,
        /// The engine's words.
        source: sqlx::Error,
    },
    /// The file is damaged.
    #[error("{place}: database file is damaged; restore it from a backup")]
    Corrupt {
        /// The database.
        place: String,
        /// The engine's words.
        source: sqlx::Error,
    },
    /// No right to read or write.
    #[error(
        "{place}: no permission to use the database; check owner and mode of the file and its folder"
    )]
    Denied {
        /// The database.
        place: String,
        /// The engine's words.
        source: sqlx::Error,
    },
    /// Another process has taken over.
    #[error(
        "{place}: another process has taken over (epoch {found}, ours is {own}); nothing was written"
    )]
    Deposed {
        /// The database.
        place: String,
        /// Epoch of the database.
        found: i64,
        /// Epoch at which we opened it.
        own: i64,
    },
    /// Another process has the right to write.
    #[error(
        "{place}: {holder} writes it; stop that, or start with --standby to take over after it"
    )]
    Held {
        /// The database.
        place: String,
        /// Who.
        holder: String,
    },
    /// The server does not answer.
    #[error(
        "{place}: no connection to the server ({source}); it is tried again with the next command"
    )]
    Unreachable {
        /// The database.
        place: String,
        /// The engine's words.
        source: sqlx::Error,
    },
    /// The connection was lost while a commit was under way.
    #[error(
        "{place}: connection lost during the commit ({source}); whether the change was made is not known: look before trying again"
    )]
    InDoubt {
        /// The database.
        place: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The task that writes has ended.
    #[error("the writer has ended; its log says why")]
    WriterEnded,
    /// A command that changes nothing was queued for writing.
    #[error("a command that changes nothing does not go through the writer")]
    NotAWrite,
    /// A fault that hit all commands of one commit; none of them was written.
    #[error(transparent)]
    Group(std::sync::Arc<Self>),
    /// Anything else that the engine says.
    #[error("{place}: {source}")]
    Engine {
        /// The database.
        place: String,
        /// The engine's words.
        source: sqlx::Error,
    },
    /// A row that no write of ours makes.
    #[error("{place}: {what}; restore it from a backup")]
    Inconsistent {
        /// The database.
        place: String,
        /// What was found.
        what: String,
    },
    /// A file beside the database: zone file, rejects, export.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that cannot be imported at all.
    #[error("{file}: {reason}")]
    ImportFile {
        /// The file.
        file: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A record that `strict` stops at.
    #[error("{file}:{line}: {reason}; nothing was changed")]
    Rejected {
        /// The file.
        file: String,
        /// Its line.
        line: u64,
        /// Why.
        reason: String,
    },
    /// An import into a zone that has data.
    #[error(
        "zone {apex} is in the registry already; import into another database, or export it and compare"
    )]
    ZoneExists {
        /// Its apex.
        apex: String,
    },
    /// CSV files for a registry that has something in it.
    #[error(
        "{place}: has {what} already, and CSV files fill an empty registry; make one with `meridian registry init`"
    )]
    NotEmpty {
        /// The database.
        place: String,
        /// What it has.
        what: &'static str,
    },
    /// A zone that is not there.
    #[error("no zone {apex} in the registry; `meridian registry status` lists the zones")]
    NoZone {
        /// Its apex.
        apex: String,
    },
    /// Several zones and none named.
    #[error("the registry has {count} zones; name one with --zone")]
    WhichZone {
        /// How many.
        count: usize,
    },
    /// A zone whose import was cut off.
    #[error(
        "import of zone {apex} from {file} is unfinished; run it again with the same file to finish it"
    )]
    Unfinished {
        /// Its apex.
        apex: String,
        /// The file it was started with.
        file: String,
    },
    /// Rows could not be read by the compiler's reader.
    #[error(transparent)]
    Source(#[from] zone_compiler::database::DatabaseError),
}

impl RegistryError {
    /// An error of a file beside the database.
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// Sorts an engine's error by what to do about it.
    pub(crate) fn engine(engine: Engine, place: &str, source: sqlx::Error) -> Self {
        let place = place.to_owned();
        if is_lost(&source) {
            return Self::Unreachable { place, source };
        }
        let code = source
            .as_database_error()
            .and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        match kind(engine, code.as_deref()) {
            Kind::Locked => Self::Locked { place, source },
            Kind::Full => Self::DiskFull { place, source },
            Kind::Corrupt => Self::Corrupt { place, source },
            Kind::Denied => Self::Denied { place, source },
            Kind::Foreign => Self::NotARegistry { place },
            Kind::Other => Self::Engine { place, source },
        }
    }
}

/// Whether the connection is gone, or never was: by the system's word, or by the
/// server's (SQLSTATE classes 08 and 57P: shutdown, crash, session ended; and a
/// session ended for standing idle in a transaction).
fn is_lost(source: &sqlx::Error) -> bool {
    match source {
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| code.len() == 5 && is_lost_state(&code)),
        _ => false,
    }
}

fn is_lost_state(code: &str) -> bool {
    code.starts_with("08") || code.starts_with("57P") || code == "25P03"
}

/// What an operator does about an engine's error.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Locked,
    Full,
    Corrupt,
    Denied,
    Foreign,
    Other,
}

fn kind(engine: Engine, code: Option<&str>) -> Kind {
    match engine {
        Engine::Sqlite => sqlite_kind(code),
        Engine::Postgres => postgres_kind(code),
    }
}

/// SQLite's result codes; the low octet is the primary code.
fn sqlite_kind(code: Option<&str>) -> Kind {
    const IOERR_WRITE: u32 = 778;
    const IOERR_FSYNC: u32 = 1034;
    const IOERR_TRUNCATE: u32 = 1546;
    const IOERR_SHMSIZE: u32 = 4874;
    let Some(code) = code.and_then(|code| code.parse::<u32>().ok()) else {
        return Kind::Other;
    };
    match code {
        // A file size limit or quota shows as a failed write, not as "full".
        IOERR_WRITE | IOERR_FSYNC | IOERR_TRUNCATE | IOERR_SHMSIZE => Kind::Full,
        _ => match code & 0xff {
            5 | 6 => Kind::Locked,
            13 => Kind::Full,
            11 => Kind::Corrupt,
            3 | 8 | 14 | 23 => Kind::Denied,
            26 => Kind::Foreign,
            _ => Kind::Other,
        },
    }
}

/// PostgreSQL's SQLSTATE.
fn postgres_kind(code: Option<&str>) -> Kind {
    match code {
        Some("55P03" | "57014") => Kind::Locked,
        Some("53100" | "53000") => Kind::Full,
        Some("XX001" | "XX002") => Kind::Corrupt,
        Some("42501" | "28000" | "28P01" | "25006") => Kind::Denied,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests;
