//! Databases for tests: every test runs on the engine it is given.
//!
//! Nothing outside this file decides what a test database is, so that another
//! engine joins the whole suite by being named in [`ENGINES`].

mod postgres;

use std::collections::BTreeSet;
use std::path::PathBuf;

use tempfile::TempDir;
use zone_compiler::ZoneSource as _;
use zone_compiler::database::Snapshot;

use super::database::{Database, Engine, Location, Timestamp};
use super::error::RegistryError;
use super::import::{ImportOptions, ImportReport, import_zone_file};

/// The engines that the suite runs on: both, where PostgreSQL is installed.
pub(crate) fn engines() -> Vec<Engine> {
    match postgres::server() {
        Some(_) => vec![Engine::Sqlite, Engine::Postgres],
        None => vec![Engine::Sqlite],
    }
}

/// A moment for tests.
pub(crate) const NOW: Timestamp = Timestamp(1_520_850_000_000_000);

/// A database that goes away with its folder.
pub(crate) struct TestDatabase {
    pub(crate) folder: TempDir,
    pub(crate) location: Location,
    pub(crate) database: Database,
}

/// An empty registry on `engine`.
pub(crate) async fn test_database(engine: Engine) -> TestDatabase {
    let folder = tempfile::tempdir().unwrap();
    let location = match engine {
        Engine::Sqlite => Location::File(folder.path().join("registry.db")),
        Engine::Postgres => Location::Url(postgres::new_database()),
    };
    let database = Database::init(&location, NOW).await.unwrap();
    TestDatabase {
        folder,
        location,
        database,
    }
}

/// A second database like `test`'s, without a registry in it.
pub(crate) fn empty_location(engine: Engine, folder: &TempDir) -> Location {
    match engine {
        Engine::Sqlite => Location::File(folder.path().join("empty.db")),
        Engine::Postgres => Location::Url(postgres::new_database()),
    }
}

impl TestDatabase {
    /// Gives zone `tld` a key that signs it, as far as the registry can tell.
    pub(crate) async fn sign_tld(&mut self) {
        const KEY: &str = "INSERT INTO zone_keys (id, zone_id, role, algorithm, flags, key_tag, \
             public_key, store, goal, dnskey_state, dnskey_since, key_signature_state, \
             key_signature_since, zone_signatures_state, zone_signatures_since, ds_state, \
             ds_since, created_at) SELECT 1, id, 'csk', 15, 257, 1, $1, 'database', 'present', \
             'omnipresent', 0, 'omnipresent', 0, 'omnipresent', 0, 'hidden', 0, 0 \
             FROM zones WHERE apex = 'tld'";
        let insert = sqlx::query(KEY).bind(vec![0_u8; 32]);
        let done = insert.execute(self.database.connection()).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    }

    /// A file of this name beside the database.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Imports a zone file of this text with the default options.
    pub(crate) async fn import(&mut self, text: &str) -> Result<ImportReport, RegistryError> {
        let options = ImportOptions::new(self.file("zone", text), NOW);
        import_zone_file(&mut self.database, &options, &mut |_| {}).await
    }

    /// What the compiler reads, all zones together, one record a line.
    pub(crate) fn published(&self) -> BTreeSet<String> {
        published(&self.location)
    }
}

/// What the compiler reads from a database, one record a line.
pub(crate) fn published(location: &Location) -> BTreeSet<String> {
    let snapshot = Snapshot::open(&location.as_source()).unwrap();
    let mut all = BTreeSet::new();
    for mut source in snapshot.sources().unwrap() {
        let mut records = BTreeSet::new();
        let read = source.for_each(&mut |record| {
            let text = record.to_string();
            assert!(records.insert(text.clone()), "twice: {text}");
            Ok(())
        });
        read.unwrap();
        all.append(&mut records);
    }
    all
}

/// Rows of every table, to show that nothing was changed.
pub(crate) async fn row_counts(database: &mut Database) -> Vec<(String, i64)> {
    const TABLES: [&str; 33] = [
        "zones",
        "zone_records",
        "registrars",
        "contacts",
        "domains",
        "domain_contacts",
        "hosts",
        "host_addresses",
        "delegations",
        "ds",
        "events",
        "changed_names",
        "imports",
        "held_labels",
        "idn_tables",
        "idn_texts",
        "variant_labels",
        "poll_messages",
        "poll_queues",
        "grace_periods",
        "transfers",
        "changes",
        "consents",
        "locks",
        "contact_keys",
        "server_checks",
        "object_states",
        "data_keys",
        "contact_transfers",
        "lame_delegations",
        "registrar_prefixes",
        "domain_keys",
        "disclosure_rules",
    ];
    let mut counts = Vec::new();
    for table in TABLES {
        let count =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}")));
        let count: i64 = count.fetch_one(database.connection()).await.unwrap();
        counts.push((table.to_owned(), count));
    }
    counts
}
