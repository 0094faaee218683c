//! Migrations from every version, and the plans of the views.

use std::collections::BTreeSet;

use sqlx::{Connection as _, Row as _};

use super::super::database::{Database, Location};
use super::super::testing::{NOW, empty_location, engines, test_database};
use super::*;
use crate::registry::RegistryError;

/// What the engine says the schema is.
async fn schema_of(engine: Engine, connection: &mut AnyConnection) -> Vec<String> {
    let text = match engine {
        Engine::Sqlite => "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name",
        Engine::Postgres => {
            "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable \
             || ' ' || COALESCE(collation_name, '') FROM information_schema.columns \
             WHERE table_schema = 'public' UNION ALL SELECT indexdef FROM pg_indexes \
             WHERE schemaname = 'public' UNION ALL SELECT viewname || ' ' || definition \
             FROM pg_views WHERE schemaname = 'public' ORDER BY 1"
        }
    };
    let rows = sqlx::query(text).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

#[tokio::test]
async fn every_older_version_is_migrated_to_the_same_schema() {
    for engine in engines() {
        let mut fresh = test_database(engine).await;
        let expected = schema_of(engine, fresh.database.connection()).await;
        assert!(expected.len() > 20, "{expected:?}");
        for from in 1..=VERSION {
            let folder = tempfile::tempdir().unwrap();
            let location = empty_location(engine, &folder);
            let url = match &location {
                Location::File(path) => format!("sqlite://{}?mode=rwc", path.display()),
                Location::Url(url) => url.clone(),
            };
            let mut old = AnyConnection::connect(&url).await.unwrap();
            let mut transaction = old.begin().await.unwrap();
            migrate(engine, &mut transaction, 0, from).await.unwrap();
            let row = "INSERT INTO registry (id, epoch, last_event, next_object, created_at) \
                       VALUES (1, 1, 0, 1, 0)";
            sqlx::query(row).execute(&mut *transaction).await.unwrap();
            transaction.commit().await.unwrap();
            old.close().await.unwrap();
            let mut database = Database::open(&location).await.unwrap();
            let connection = database.connection();
            assert_eq!(version(engine, connection).await.unwrap(), Some(VERSION));
            let found = schema_of(engine, connection).await;
            assert_eq!(found, expected, "from {from}");
        }
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    for engine in engines() {
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

/// How the compiler asks: for one name, and for one zone.
const LOOK_UPS: [&str; 25] = [
    "SELECT * FROM dns_zone WHERE apex = $1",
    "SELECT * FROM dns_apex WHERE zone_id = $1 AND owner = $2",
    "SELECT * FROM dns_delegation WHERE zone_id = $1 AND owner = $2",
    "SELECT * FROM dns_delegation WHERE host = $1",
    "SELECT owner FROM dns_delegation WHERE zone_id = $1 AND host = $2",
    "SELECT * FROM dns_parked WHERE zone_id = $1 AND owner = $2",
    "SELECT owner FROM dns_parked WHERE zone_id = $1 AND host = $2",
    "SELECT * FROM dns_parking_server WHERE zone_id = $1",
    "SELECT * FROM dns_parking_record WHERE zone_id = $1",
    "SELECT signed FROM dns_parking WHERE zone_id = $1",
    "SELECT owner FROM dns_below WHERE zone_id = $1 AND cut = $2",
    "SELECT owner FROM dns_changed WHERE zone_id = $1 AND event > $2",
    "SELECT time FROM dns_event_time WHERE event = $1",
    "SELECT * FROM dns_ds WHERE zone_id = $1 AND owner = $2",
    "SELECT * FROM dns_glue WHERE zone_id = $1 AND owner = $2",
    "SELECT * FROM dns_changed WHERE event > $1",
    "SELECT * FROM dns_changed WHERE event > $1 AND event <= $2 ORDER BY event",
    "SELECT * FROM dns_apex WHERE zone_id = $1",
    "SELECT * FROM dns_delegation WHERE zone_id = $1",
    "SELECT * FROM dns_ds WHERE zone_id = $1",
    "SELECT * FROM dns_parked WHERE zone_id = $1",
    "SELECT * FROM dns_glue WHERE zone_id = $1",
    "SELECT * FROM dns_signing WHERE zone_id = $1",
    "SELECT * FROM dns_key WHERE zone_id = $1",
    "SELECT * FROM dns_made_signature WHERE zone_id = $1",
];

/// A view that is not looked up here would be planned by nobody.
#[tokio::test]
async fn every_view_is_among_the_look_ups() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let views = match engine {
            Engine::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'view'",
            Engine::Postgres => {
                "SELECT CAST(viewname AS TEXT) FROM pg_views WHERE schemaname = 'public'"
            }
        };
        let views = sqlx::query(views).fetch_all(test.database.connection());
        let views: Vec<String> = views.await.unwrap().iter().map(|row| row.get(0)).collect();
        assert_eq!(views.len(), 16, "{views:?}");
        for view in views {
            let conditions: Vec<_> = LOOK_UPS
                .iter()
                .filter_map(|text| text.split_once(&format!(" FROM {view} WHERE ")))
                .map(|(_, condition)| condition)
                .collect();
            let by_name = match view.as_str() {
                // One row.
                "dns_event" => continue,
                "dns_zone" => "apex = $1",
                "dns_changed" => "event > $1",
                "dns_event_time" => "event = $1",
                "dns_signing" | "dns_key" | "dns_made_signature" => "zone_id = $1",
                "dns_parking" | "dns_parking_server" | "dns_parking_record" => "zone_id = $1",
                "dns_below" => "zone_id = $1 AND cut = $2",
                _ => "zone_id = $1 AND owner = $2",
            };
            assert!(conditions.contains(&by_name), "{view}: {conditions:?}");
        }
    }
}

/// One name's rows are found by an index on every table of the join, and so is one
/// zone's; no view groups, sorts or makes a table of its own.
#[tokio::test]
async fn views_find_one_name_without_a_scan() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let connection = test.database.connection();
        // PostgreSQL is asked for many names at once.
        let of_many = LOOK_UPS.iter().filter(|_| engine == Engine::Postgres);
        let of_many = of_many.map(|look_up| {
            ["owner", "host", "cut"]
                .iter()
                .fold((*look_up).to_owned(), |text, column| {
                    text.replace(&format!("{column} = $2"), &format!("{column} = ANY($2)"))
                })
        });
        let all: BTreeSet<_> = LOOK_UPS
            .iter()
            .map(|look_up| (*look_up).to_owned())
            .chain(of_many)
            .collect();
        for look_up in &all {
            let plan = match engine {
                Engine::Sqlite => sqlite_plan(connection, look_up).await,
                Engine::Postgres => postgres_plan(connection, look_up).await,
            };
            assert!(!plan.is_empty(), "{look_up}");
            for step in plan {
                let is_search = step.starts_with("SEARCH") || is_index_step(&step);
                let is_of_name = !look_up.contains("dns_below") || !step.contains("hosts_of_zone");
                assert!(is_of_name, "{engine:?}: {look_up}: {step}");
                assert!(is_search, "{engine:?}: {look_up}: {step}");
            }
        }
    }
}

/// Each write asks these: in a registry of many zones none may be read for it.
#[tokio::test]
async fn whether_anything_is_reviewed_is_asked_of_an_index() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let connection = test.database.connection();
        for (condition, index) in [
            ("change_control <> 'auto'", "zones_reviewed"),
            ("registrant_change <> 'free'", "zones_vetoed"),
        ] {
            let look_up = format!("SELECT 1 FROM zones WHERE {condition} LIMIT $1");
            let plan = match engine {
                Engine::Sqlite => sqlite_plan(connection, &look_up).await,
                Engine::Postgres => postgres_plan(connection, &look_up).await,
            };
            assert!(
                plan.iter().any(|step| step.contains(index)),
                "{look_up}: {plan:?}"
            );
        }
    }
}

async fn sqlite_plan(connection: &mut AnyConnection, look_up: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {look_up}"));
    let plan = sqlx::query(explain).fetch_all(connection).await.unwrap();
    plan.iter().map(|step| step.get("detail")).collect()
}

/// The plan that does without scans, where there is one: tables of a test are so
/// small that a scan would win. A scan that no index can replace shows all the same.
async fn postgres_plan(connection: &mut AnyConnection, look_up: &str) -> Vec<String> {
    for setting in [
        "SET enable_seqscan = off",
        "SET plan_cache_mode = force_generic_plan",
    ] {
        sqlx::query(setting)
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    let parameters: Vec<_> = (1..=3)
        .filter(|n| look_up.contains(&format!("${n}")))
        .collect();
    let nulls = vec!["NULL"; parameters.len()].join(", ");
    let prepare = format!("PREPARE look_up AS {look_up}");
    let explain = format!("EXPLAIN (COSTS OFF) EXECUTE look_up({nulls})");
    let prepare = sqlx::raw_sql(AssertSqlSafe(prepare));
    prepare.execute(&mut *connection).await.unwrap();
    let plan = sqlx::raw_sql(AssertSqlSafe(explain));
    let plan = plan.fetch_all(&mut *connection).await.unwrap();
    let done = sqlx::raw_sql("DEALLOCATE look_up");
    done.execute(&mut *connection).await.unwrap();
    plan.iter().map(|step| step.get(0)).collect()
}

/// A line of a plan that reads by an index, or says how lines below it are joined.
fn is_index_step(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("->").trim_start();
    let joins = [
        "Nested Loop",
        "Index Cond:",
        "Recheck Cond:",
        "Filter:",
        "Join Filter:",
        "Sort",
    ];
    let reads = [
        "Index Scan",
        "Index Only Scan",
        "Bitmap Heap Scan",
        "Bitmap Index Scan",
    ];
    joins
        .iter()
        .chain(&reads)
        .any(|word| line.starts_with(word))
}

/// A table that is made anew by a migration keeps its rows, and takes the new kind.
#[tokio::test]
async fn held_labels_outlive_the_upgrade_that_knows_premium_ones() {
    /// The version before that migration.
    const BEFORE: i64 = 16;
    sqlx::any::install_default_drivers();
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let location = empty_location(engine, &folder);
        let url = match &location {
            Location::File(path) => format!("sqlite://{}?mode=rwc", path.display()),
            Location::Url(url) => url.clone(),
        };
        let mut old = AnyConnection::connect(&url).await.unwrap();
        let mut transaction = old.begin().await.unwrap();
        migrate(engine, &mut transaction, 0, BEFORE).await.unwrap();
        for statement in [
            "INSERT INTO registry (id, epoch, last_event, next_object, created_at) \
             VALUES (1, 1, 0, 2, 0)",
            "INSERT INTO zones (id, apex, state, soa_mname, soa_rname, serial, soa_refresh, \
             soa_retry, soa_expire, soa_minimum, soa_ttl, ns_ttl, ds_ttl, glue_ttl, ns_count_min, \
             ns_count_max, glue_policy, parking, host_orphan, data_model, change_control, \
             created_at) VALUES (1, 'tld', 'active', 'a', 'b', 1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 13, \
             'narrow', 0, 'refuse', 'minimum', 'auto', 0)",
            "INSERT INTO held_labels VALUES (1, 'nic', 'reserved', 'the registry''s own')",
            "INSERT INTO held_labels VALUES (1, 'bad', 'blocked', 'an order')",
        ] {
            let statement = sqlx::query(statement).execute(&mut *transaction);
            statement.await.unwrap();
        }
        transaction.commit().await.unwrap();
        let premium = "INSERT INTO held_labels (zone_id, label, kind, reason) \
                       VALUES (1, 'gold', 'premium', '100 a year')";
        let early = sqlx::query(premium).execute(&mut old).await;
        assert!(early.is_err(), "{engine:?}: that kind is new");
        old.close().await.unwrap();
        let mut database = Database::open(&location).await.unwrap();
        let connection = database.connection();
        let insert = sqlx::query(premium).execute(&mut *connection).await;
        insert.unwrap();
        let labels: Vec<(i64, String, String, String)> =
            sqlx::query_as("SELECT zone_id, label, kind, reason FROM held_labels ORDER BY label")
                .fetch_all(&mut *connection)
                .await
                .unwrap();
        let row = |label: &str, kind: &str, reason: &str| {
            (1, label.to_owned(), kind.to_owned(), reason.to_owned())
        };
        let expected = [
            row("bad", "blocked", "an order"),
            row("gold", "premium", "100 a year"),
            row("nic", "reserved", "the registry's own"),
        ];
        assert_eq!(labels, expected, "{engine:?}");
        let other = "INSERT INTO held_labels (zone_id, label, kind, reason) \
                     VALUES (1, 'x', 'free', 'y')";
        let other = sqlx::query(other).execute(connection).await;
        assert!(other.is_err(), "{engine:?}: no kind");
    }
}
