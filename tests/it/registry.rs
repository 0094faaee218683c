//! The registry's commands from outside: what they print, and that nothing which
//! was acknowledged is lost, whoever is killed or stopped.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod apply;
mod bulk;
mod changes;
mod commands;
mod csv;
pub(crate) mod failover;
mod faults;
mod full;
pub(crate) mod kills;
mod past;
#[path = "../../src/registry/testing/postgres.rs"]
pub(crate) mod postgres;
mod referrals;
mod servers;
pub(crate) mod timed;

use sqlx::{AnyConnection, Connection as _};
use tempfile::TempDir;

/// On which engine.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    Sqlite,
    Postgres,
}

/// A registry with zone `tld`, registrar `reg-a` and two external hosts.
struct Registry {
    folder: TempDir,
    /// As `--database` takes it.
    database: String,
}

impl Registry {
    fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("registry.db").display().to_string();
        Self { folder, database }.filled()
    }

    /// Nothing where there is no such engine.
    fn at(place: Place) -> Option<Self> {
        match place {
            Place::Sqlite => Some(Self::on_sqlite()),
            Place::Postgres => Self::on_postgres(),
        }
    }

    /// Nothing where there is no PostgreSQL.
    fn on_postgres() -> Option<Self> {
        postgres::server()?;
        let folder = tempfile::tempdir().unwrap();
        let database = postgres::new_database();
        Some(Self { folder, database }.filled())
    }

    fn filled(self) -> Self {
        self.succeed(&["init"]);
        self.succeed(&[
            "zone",
            "create",
            "tld",
            "--mname",
            "ns1.ext.example",
            "--rname",
            "h.ext.example",
            "--record",
            "tld. 3600 NS ns1.ext.example.",
        ]);
        self.succeed(&["registrar", "create", "reg-a", "--name", "Registrar A"]);
        for host in ["ns1.ext.example", "ns2.ext.example"] {
            self.succeed(&["host", "create", host, "--registrar", "reg-a"]);
        }
        self
    }

    /// As `registry.database` in a configuration.
    fn configured(&self) -> String {
        let scheme = match self.database.starts_with("postgres") {
            true => "",
            false => "sqlite:",
        };
        format!("[registry]\ndatabase = \"{scheme}{}\"\n", self.database)
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_meridian"));
        command.current_dir(self.folder.path()).arg("registry");
        command.args(arguments).args(["--database", &self.database]);
        command
    }

    fn audit_command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_meridian"));
        command.args(["audit", "verify"]).args(arguments);
        command.args(["--database", &self.database]);
        command
    }

    /// Verifies the event log, which must hold.
    #[track_caller]
    fn audit(&self, arguments: &[&str]) -> String {
        let output = self.audit_command(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Without `--database`.
    fn succeed_plain(&self, arguments: &[&str]) -> String {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_meridian"));
        let output = command.arg("registry").args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Must end with status 1; gives what it printed and its last line of fault.
    #[track_caller]
    fn fail(&self, arguments: &[&str]) -> (String, String) {
        let output = self.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        let last = error.lines().last().unwrap_or_default().to_owned();
        (String::from_utf8(output.stdout).unwrap(), last)
    }

    /// Runs a query of one column of numbers or names straight at the database.
    fn query<T>(&self, text: &str) -> Vec<T>
    where
        T: Send + Unpin + 'static,
        for<'r> (T,): sqlx::FromRow<'r, sqlx::any::AnyRow>,
    {
        let url = match self.database.starts_with("postgres") {
            true => self.database.clone(),
            false => format!("sqlite://{}", self.database),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            sqlx::any::install_default_drivers();
            let mut connection = AnyConnection::connect(&url).await.unwrap();
            let text = sqlx::AssertSqlSafe(text.to_owned());
            let rows = sqlx::query_as::<_, (T,)>(text).fetch_all(&mut connection);
            let rows = rows.await.unwrap();
            connection.close().await.unwrap();
            rows.into_iter().map(|(value,)| value).collect()
        })
    }

    /// Runs `body` while somebody else holds the lock that every write takes.
    fn while_locked<T>(&self, body: impl FnOnce() -> T) -> T {
        let (url, lock) = match self.database.starts_with("postgres") {
            true => (
                self.database.clone(),
                ["BEGIN", "LOCK TABLE registry IN EXCLUSIVE MODE"],
            ),
            false => (
                format!("sqlite://{}", self.database),
                ["PRAGMA busy_timeout = 30000", "BEGIN IMMEDIATE"],
            ),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.unwrap();
        let mut connection = runtime.block_on(async {
            sqlx::any::install_default_drivers();
            let mut connection = AnyConnection::connect(&url).await.unwrap();
            for statement in lock {
                sqlx::query(statement)
                    .execute(&mut connection)
                    .await
                    .unwrap();
            }
            connection
        });
        let result = body();
        runtime.block_on(async {
            let unlock = sqlx::query("ROLLBACK");
            unlock.execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
        result
    }

    /// Ends all sessions of the database and lets no new ones in, or lets them in again.
    fn let_in(&self, is_open: bool) {
        let_in(&self.database, is_open);
    }
}

/// The same for a database of PostgreSQL by its URL.
pub(crate) fn let_in(database: &str, is_open: bool) {
    let (server, name) = database.rsplit_once('/').unwrap();
    let statement =
        format!("UPDATE pg_database SET datallowconn = {is_open} WHERE datname = '{name}'");
    let end =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        sqlx::any::install_default_drivers();
        let url = format!("{server}/postgres");
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        for statement in [statement, end].iter().take(if is_open { 1 } else { 2 }) {
            let statement = sqlx::query(sqlx::AssertSqlSafe(statement.clone()));
            statement.execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
    });
}
