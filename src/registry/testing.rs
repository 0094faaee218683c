//! Databases for tests: every test runs on the engine it is given.

use tempfile::TempDir;

use super::database::{Database, Engine, Location, Timestamp};

/// The engines that the suite runs on. PostgreSQL joins with its own issue.
pub(crate) const ENGINES: [Engine; 1] = [Engine::Sqlite];

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
        Engine::Postgres => unimplemented!("not in ENGINES yet"),
    };
    let database = Database::init(&location, NOW).await.unwrap();
    TestDatabase {
        folder,
        location,
        database,
    }
}
