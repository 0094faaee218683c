//! Migrations from every version, and the plans of the views.

use sqlx::{Connection as _, Row as _};

use super::super::database::{Database, Location};
use super::super::testing::{ENGINES, NOW, test_database};
use super::*;
use crate::registry::RegistryError;

/// What the engine says the schema is.
async fn schema_of(connection: &mut AnyConnection) -> Vec<String> {
    let rows = sqlx::query("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        .fetch_all(connection)
        .await
        .unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

#[tokio::test]
async fn every_older_version_is_migrated_to_the_same_schema() {
    for engine in ENGINES {
        let mut fresh = test_database(engine).await;
        let expected = schema_of(fresh.database.connection()).await;
        for from in 1..=VERSION {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("old.db");
            let url = format!("sqlite://{}?mode=rwc", path.display());
            let mut old = AnyConnection::connect(&url).await.unwrap();
            let mut transaction = old.begin().await.unwrap();
            migrate(engine, &mut transaction, 0, from).await.unwrap();
            sqlx::query("INSERT INTO registry VALUES (1, 1, 0, 1, 0)")
                .execute(&mut *transaction)
                .await
                .unwrap();
            transaction.commit().await.unwrap();
            old.close().await.unwrap();
            let mut database = Database::open(&Location::File(path)).await.unwrap();
            let connection = database.connection();
            assert_eq!(version(engine, connection).await.unwrap(), Some(VERSION));
            assert_eq!(schema_of(connection).await, expected, "from {from}");
        }
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    for engine in ENGINES {
        let mut test = test_database(engine).await;
        sqlx::query("UPDATE schema_version SET version = version + 1")
            .execute(test.database.connection())
            .await
            .unwrap();
        drop(test.database);
        let error = Database::open(&test.location).await.unwrap_err();
        assert!(
            matches!(error, RegistryError::NewerSchema { found, known, .. } if found == known + 1),
            "{error}"
        );
        let again = Database::init(&test.location, NOW).await.unwrap_err();
        assert!(matches!(again, RegistryError::Exists { .. }), "{again}");
    }
}

#[test]
fn every_word_is_replaced_for_both_engines() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        for migration in MIGRATIONS {
            let text = text(engine, migration);
            let left = text.lines().find(|line| line.contains('{'));
            assert_eq!(left, None, "{engine:?}");
        }
    }
}

/// One name's rows are found by an index on every table of the join, and so is one
/// zone's; no view groups, sorts or makes a table of its own.
#[tokio::test]
async fn views_find_one_name_without_a_scan() {
    const LOOK_UPS: [&str; 12] = [
        "SELECT * FROM dns_zone WHERE apex = $1",
        "SELECT * FROM dns_apex WHERE zone_id = $1 AND owner = $2",
        "SELECT * FROM dns_delegation WHERE zone_id = $1 AND owner = $2",
        "SELECT * FROM dns_delegation WHERE host = $1",
        "SELECT * FROM dns_ds WHERE zone_id = $1 AND owner = $2",
        "SELECT * FROM dns_glue WHERE zone_id = $1 AND owner = $2",
        "SELECT * FROM dns_changed WHERE event > $1",
        "SELECT * FROM dns_changed WHERE event > $1 AND event <= $2 ORDER BY event",
        "SELECT * FROM dns_apex WHERE zone_id = $1",
        "SELECT * FROM dns_delegation WHERE zone_id = $1",
        "SELECT * FROM dns_ds WHERE zone_id = $1",
        "SELECT * FROM dns_glue WHERE zone_id = $1",
    ];
    let mut test = test_database(Engine::Sqlite).await;
    for look_up in LOOK_UPS {
        let explain = format!("EXPLAIN QUERY PLAN {look_up}");
        let plan = sqlx::query(AssertSqlSafe(explain))
            .fetch_all(test.database.connection())
            .await
            .unwrap();
        assert!(!plan.is_empty(), "{look_up}");
        for step in plan {
            let step: String = step.get("detail");
            assert!(step.starts_with("SEARCH"), "{look_up}: {step}");
        }
    }
}
