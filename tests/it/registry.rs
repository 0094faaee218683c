//! The registry's commands from outside: what they print, and that nothing which
//! was acknowledged is lost, whoever is killed or stopped.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod apply;
mod commands;
mod failover;
mod kills;
#[path = "../../src/registry/testing/postgres.rs"]
mod postgres;

use sqlx::{AnyConnection, Connection as _};
use tempfile::TempDir;

/// How many rounds a test does: few by themselves, as many as asked for by hand.
fn rounds(few: u64) -> u64 {
    let asked = std::env::var("MERIDIAN_ROUNDS").ok();
    asked.map_or(few, |text| text.parse().unwrap())
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

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_meridian"));
        command.current_dir(self.folder.path()).arg("registry");
        command.args(arguments).args(["--database", &self.database]);
        command
    }

    #[track_caller]
    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
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
}
