//! A folder with a registry database, written by SQL as an operator would.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use meridian::clock::unix_microseconds;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use crate::support::{Folder, zone_text};

/// A folder whose server publishes its registry.
pub(super) struct Registry {
    pub(super) folder: Folder,
}

impl Registry {
    /// Without zones, image and server.
    pub(super) fn empty() -> Self {
        let folder = Folder::new();
        let path = folder.path("meridian.toml");
        let plain = std::fs::read_to_string(&path).unwrap();
        let database = folder.path("registry.db").display().to_string();
        let registry = format!(
            "[registry]\ndatabase = \"sqlite:{database}\"\n\
             [publish]\npoll-interval-milliseconds = 20\nretry-seconds-max = 1\n"
        );
        folder.write("meridian.toml", &(plain + &registry));
        folder.succeed(&["registry", "init"]);
        Self { folder }
    }

    /// With `example.` at `serial`, and neither image nor server.
    pub(super) fn with_zone(serial: u32) -> Self {
        let registry = Self::empty();
        registry.import("example.zone", &zone_text(serial));
        registry
    }

    pub(super) fn import(&self, file: &str, text: &str) {
        self.folder.write(file, text);
        self.folder
            .succeed(&["registry", "import", "--zone-file", file]);
    }

    /// Takes registry and publisher out of the configuration.
    pub(super) fn without_registry(&self) {
        let text = std::fs::read_to_string(self.folder.path("meridian.toml")).unwrap();
        let (plain, _) = text.split_once("[registry]").unwrap();
        self.folder.write("meridian.toml", plain);
    }

    /// Commits `statements` as an event that changes `zone`; gives its number.
    pub(super) fn change(&self, zone: &str, statements: &[&str]) -> u64 {
        let changed = [
            format!(
                "INSERT INTO changed_names SELECT r.last_event, z.id, '' \
                 FROM registry r, zones z WHERE z.apex = '{zone}'"
            ),
            format!("UPDATE zones SET serial = serial + 1 WHERE apex = '{zone}'"),
        ];
        let statements = statements.iter().copied();
        let all: Vec<_> = changed
            .iter()
            .map(String::as_str)
            .chain(statements)
            .collect();
        self.commit(&all)
    }

    /// An event that concerns no zone.
    pub(super) fn event_without_change(&self) -> u64 {
        self.commit(&[])
    }

    fn commit(&self, statements: &[&str]) -> u64 {
        let event = format!(
            "INSERT INTO events (number, time, kind, actor) \
             SELECT last_event, {}, 'test', 'test' FROM registry",
            unix_microseconds()
        );
        let before = [
            "BEGIN IMMEDIATE",
            "UPDATE registry SET last_event = last_event + 1",
            &event,
        ];
        let url = format!("sqlite://{}", self.folder.path("registry.db").display());
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(async {
            let mut database = SqliteConnection::connect(&url).await.unwrap();
            for statement in before.iter().chain(statements) {
                let query = sqlx::query(AssertSqlSafe(*statement));
                query.execute(&mut database).await.unwrap();
            }
            let row = sqlx::query("SELECT last_event FROM registry");
            let row = row.fetch_one(&mut database).await.unwrap();
            sqlx::query("COMMIT").execute(&mut database).await.unwrap();
            u64::try_from(row.get::<i64, _>(0)).unwrap()
        })
    }

    /// Waits until the registry's newest event is served; gives its number.
    #[track_caller]
    pub(super) fn wait(&self) -> u64 {
        let said = self.folder.succeed(&["--json", "registry", "wait"]);
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        said["event"].as_u64().unwrap()
    }

    /// The records of the installed image, sorted.
    pub(super) fn served(&self) -> Vec<String> {
        records(&self.folder.succeed(&["image", "dump"]))
    }

    /// The records of a full compile of the registry's last event, sorted.
    pub(super) fn compiled(&self) -> Vec<String> {
        let other = ["--image", "compiled"];
        self.folder.succeed(&[&["compile"], &other[..]].concat());
        records(
            &self
                .folder
                .succeed(&[&["image", "dump"], &other[..]].concat()),
        )
    }
}

fn records(dump: &str) -> Vec<String> {
    let mut records: Vec<_> = dump.lines().map(str::to_owned).collect();
    records.sort();
    assert!(!records.is_empty());
    records
}
