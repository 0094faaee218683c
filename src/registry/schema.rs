//! The schema's versions and how a database gets from one to the next.
//!
//! A migration is SQL text with a few words in braces for what the engines spell
//! differently. All steps of one upgrade run in one transaction: a database is at
//! its old version or at ours, never between. A newer one is refused unread.

use sqlx::AnyConnection;
use sqlx::AssertSqlSafe;

use super::database::Engine;

/// The migrations in order; version N is reached by the first N. Their own numbers tell when
/// they were begun, not when they came here.
const MIGRATIONS: [&str; 30] = [
    include_str!("migrations/0001_tables.sql"),
    include_str!("migrations/0002_views.sql"),
    include_str!("migrations/0003_lease.sql"),
    include_str!("migrations/0004_keys.sql"),
    include_str!("migrations/0005_changes.sql"),
    include_str!("migrations/0006_policy.sql"),
    include_str!("migrations/0007_audit.sql"),
    include_str!("migrations/0008_offline.sql"),
    include_str!("migrations/0009_poll.sql"),
    include_str!("migrations/0010_orphans.sql"),
    include_str!("migrations/0011_life.sql"),
    include_str!("migrations/0012_transfers.sql"),
    include_str!("migrations/0013_contacts.sql"),
    include_str!("migrations/0014_idn.sql"),
    include_str!("migrations/0015_changes.sql"),
    include_str!("migrations/0016_rights.sql"),
    include_str!("migrations/0017_premium.sql"),
    include_str!("migrations/0018_access.sql"),
    include_str!("migrations/0019_parking.sql"),
    include_str!("migrations/0020_states.sql"),
    include_str!("migrations/0021_contacts.sql"),
    include_str!("migrations/0022_scan.sql"),
    include_str!("migrations/0023_models.sql"),
    include_str!("migrations/0024_registrars.sql"),
    include_str!("migrations/0025_lookup.sql"),
    include_str!("migrations/0028_served_by.sql"),
    include_str!("migrations/0029_tokens.sql"),
    include_str!("migrations/0026_servers.sql"),
    include_str!("migrations/0027_parked.sql"),
    include_str!("migrations/0034_withdrawn.sql"),
];

/// The schema version that this program reads and writes.
pub const VERSION: i64 = MIGRATIONS.len().cast_signed() as i64;

/// In the header of an SQLite file ("Meri"): tells ours from others.
pub(crate) const APPLICATION_ID: i64 = 0x4d65_7269;

/// The words that the engines spell differently.
const WORDS: [(&str, &str, &str); 4] = [
    // An alias of SQLite's rowid; BIGINT would need an index of its own.
    (
        "{id}",
        "INTEGER NOT NULL PRIMARY KEY",
        "BIGINT NOT NULL PRIMARY KEY",
    ),
    // Names compare bytewise: SQLite's default, PostgreSQL's "C".
    ("{name}", "TEXT", "TEXT COLLATE \"C\""),
    ("{bytes}", "BLOB", "BYTEA"),
    // Rows live in the primary key; PostgreSQL has nothing alike.
    ("{clustered}", " WITHOUT ROWID", ""),
];

/// The version of a database; `None` where it has no version table.
pub(crate) async fn version(
    engine: Engine,
    connection: &mut AnyConnection,
) -> sqlx::Result<Option<i64>> {
    let there = match engine {
        Engine::Sqlite => {
            "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'"
        }
        Engine::Postgres => {
            "SELECT COUNT(*) FROM pg_class c WHERE c.oid = to_regclass('schema_version')"
        }
    };
    let tables: i64 = sqlx::query_scalar(there)
        .fetch_one(&mut *connection)
        .await?;
    if tables == 0 {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT version FROM schema_version")
        .fetch_optional(connection)
        .await
}

/// Runs the migrations after version `from` up to version `to` inside the
/// caller's transaction.
pub(crate) async fn migrate(
    engine: Engine,
    connection: &mut AnyConnection,
    from: i64,
    to: i64,
) -> sqlx::Result<()> {
    if from == 0 {
        let table = "CREATE TABLE schema_version (version BIGINT NOT NULL)";
        sqlx::query(table).execute(&mut *connection).await?;
        sqlx::query("INSERT INTO schema_version VALUES (0)")
            .execute(&mut *connection)
            .await?;
        if engine == Engine::Sqlite {
            let pragma = format!("PRAGMA application_id = {APPLICATION_ID}");
            sqlx::query(AssertSqlSafe(pragma))
                .execute(&mut *connection)
                .await?;
        }
    }
    for step in from..to {
        let index = usize::try_from(step).expect("versions count from 0");
        sqlx::raw_sql(AssertSqlSafe(text(engine, MIGRATIONS[index])))
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query("UPDATE schema_version SET version = $1")
        .bind(to)
        .execute(connection)
        .await?;
    Ok(())
}

fn text(engine: Engine, migration: &str) -> String {
    WORDS
        .iter()
        .fold(migration.to_owned(), |text, (word, sqlite, postgres)| {
            text.replace(
                word,
                match engine {
                    Engine::Sqlite => sqlite,
                    Engine::Postgres => postgres,
                },
            )
        })
}

#[cfg(test)]
mod tests;
