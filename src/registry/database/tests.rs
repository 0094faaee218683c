//! Making, opening and writing a database, and what goes wrong there.

use std::os::unix::fs::PermissionsExt as _;

use super::super::testing::{NOW, engines, test_database};
use super::*;

fn event(kind: &str) -> Event<'_> {
    Event {
        time: NOW,
        kind,
        actor: "test",
        zone_id: None,
        object: None,
        cause: None,
        detail: None,
    }
}

async fn last_event(database: &mut Database) -> i64 {
    sqlx::query_scalar("SELECT MAX(number) FROM events")
        .fetch_one(database.connection())
        .await
        .unwrap()
}

#[tokio::test]
async fn init_makes_a_private_file_in_wal_with_full_sync() {
    let mut test = test_database(Engine::Sqlite).await;
    let Location::File(path) = &test.location else {
        unreachable!()
    };
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.clone().into_os_string();
        file.push(suffix);
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    let connection = test.database.connection();
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(mode, "wal");
    for (pragma, expected) in [("PRAGMA synchronous", 2), ("PRAGMA foreign_keys", 1)] {
        let value: i64 = sqlx::query_scalar(pragma)
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        assert_eq!(value, expected, "{pragma}");
    }
}

#[tokio::test]
async fn a_second_init_changes_nothing() {
    for engine in engines() {
        let test = test_database(engine).await;
        let error = Database::init(&test.location, NOW).await.unwrap_err();
        assert!(matches!(error, RegistryError::Exists { .. }), "{error}");
        let place = test.location.to_string();
        assert!(error.to_string().starts_with(&place), "{error}");
    }
}

#[tokio::test]
async fn init_goes_on_where_it_was_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half made.db");
    std::fs::write(&path, b"").unwrap();
    let location = Location::File(path);
    let missing = Database::open(&location).await.unwrap_err();
    assert!(
        matches!(missing, RegistryError::NotARegistry { .. }),
        "{missing}"
    );
    Database::init(&location, NOW).await.unwrap();
    Database::open(&location).await.unwrap();
}

/// What is no registry is refused by every command and keeps its bytes.
#[tokio::test]
async fn files_of_others_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other");
    let url = format!("sqlite://{}?mode=rwc", path.display());
    sqlx::any::install_default_drivers();
    let mut other = AnyConnection::connect(&url).await.unwrap();
    execute(&mut other, "CREATE TABLE other (id BIGINT)")
        .await
        .unwrap();
    other.close().await.unwrap();
    let database = std::fs::read(&path).unwrap();
    let text = vec![b'x'; 8192];
    for content in [database, text] {
        std::fs::write(&path, &content).unwrap();
        let location = Location::File(path.clone());
        let opened = Database::open(&location).await.unwrap_err();
        assert!(
            matches!(opened, RegistryError::NotARegistry { .. }),
            "{opened}"
        );
        let made = Database::init(&location, NOW).await.unwrap_err();
        assert!(matches!(made, RegistryError::NotARegistry { .. }), "{made}");
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
}

#[tokio::test]
async fn a_missing_database_says_how_to_make_one() {
    let location = Location::parse("/nonexistent/registry.db");
    let error = Database::open(&location).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "/nonexistent/registry.db: no database there; make one with `meridian registry init`"
    );
    let error = Database::init(&location, NOW).await.unwrap_err();
    assert!(
        error.to_string().starts_with("/nonexistent/registry.db: "),
        "{error}"
    );
}

#[tokio::test]
async fn a_damaged_file_is_said_to_be_damaged() {
    let mut test = test_database(Engine::Sqlite).await;
    execute(
        test.database.connection(),
        "PRAGMA wal_checkpoint(TRUNCATE)",
    )
    .await
    .unwrap();
    test.database.connection.close().await.unwrap();
    let Location::File(path) = &test.location else {
        unreachable!()
    };
    let mut content = std::fs::read(path).unwrap();
    let end = content.len();
    content[4096..end].fill(0xa5);
    std::fs::write(path, &content).unwrap();
    let error = Database::open(&test.location).await.unwrap_err();
    assert!(matches!(error, RegistryError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn what_was_undone_leaves_no_event_no_name_and_no_number() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let first = last_event(&mut test.database).await;
        let mut write = test.database.write().await.unwrap();
        write.savepoint().await.unwrap();
        write.append(event("kept"));
        write.note_changed(7, "kept.tld".into());
        let undone = write.savepoint().await.unwrap();
        write.append(event("undone"));
        write.note_changed(7, "undone.tld".into());
        write.undo(undone).await.unwrap();
        write.savepoint().await.unwrap();
        assert_eq!(write.append(event("kept too")), first + 2);
        write.commit().await.unwrap();
        let rows: Vec<(i64, String, Option<String>)> = sqlx::query_as(
            "SELECT e.number, e.kind, c.owner FROM events e \
             LEFT JOIN changed_names c ON c.event = e.number WHERE e.number > $1 ORDER BY 1",
        )
        .bind(first)
        .fetch_all(test.database.connection())
        .await
        .unwrap();
        let expected = [
            (first + 1, "kept".to_owned(), Some("kept.tld".to_owned())),
            (first + 2, "kept too".to_owned(), None),
        ];
        assert_eq!(rows, expected, "{engine:?}");
    }
}

#[tokio::test]
async fn events_and_objects_count_on_in_commit_order() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let first = last_event(&mut test.database).await;
        let mut write = test.database.write().await.unwrap();
        let object = write.reserve_objects(10);
        assert_eq!(write.append(event("one")), first + 1);
        assert_eq!(write.append(event("two")), first + 2);
        write.commit().await.unwrap();
        let mut dropped = test.database.write().await.unwrap();
        assert_eq!(dropped.reserve_objects(5), object + 10);
        dropped.append(event("never"));
        drop(dropped);
        let mut write = test.database.write().await.unwrap();
        assert_eq!(write.reserve_objects(1), object + 10);
        assert_eq!(write.append(event("three")), first + 3);
        write.commit().await.unwrap();
        assert_eq!(last_event(&mut test.database).await, first + 3);
    }
}

/// The serial after one commit that changes `owners` of a zone at `before`.
async fn serial_after(engine: Engine, before: i64, owners: &[&str]) -> i64 {
    let mut test = test_database(engine).await;
    test.import(
        "$ORIGIN tld.\n$TTL 60\n@ SOA ns1 x 7 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n\
         a NS ns1\na NS ns2.example.\n",
    )
    .await
    .unwrap();
    let sql = "UPDATE zones SET serial = $1";
    let set = sqlx::query(sql).bind(before);
    set.execute(test.database.connection()).await.unwrap();
    let mut write = test.database.write().await.unwrap();
    for owner in owners {
        let number = write.append(event("change"));
        let sql = "INSERT INTO changed_names SELECT $1, id, $2 FROM zones";
        let changed = sqlx::query(sql).bind(number).bind(*owner);
        write.execute(changed).await.unwrap();
    }
    write.append(event("nothing of DNS"));
    write.commit().await.unwrap();
    sqlx::query_scalar("SELECT serial FROM zones")
        .fetch_one(test.database.connection())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_commit_raises_the_serial_of_what_it_changed_once() {
    for engine in engines() {
        assert_eq!(serial_after(engine, 7, &[]).await, 7, "imported as it was");
        assert_eq!(serial_after(engine, 7, &["a.tld"]).await, 8);
        assert_eq!(serial_after(engine, 7, &["a.tld", "", "b.tld"]).await, 8);
        assert_eq!(serial_after(engine, 0xffff_fffe, &[""]).await, 0xffff_ffff);
        assert_eq!(serial_after(engine, 0xffff_ffff, &[""]).await, 1, "not 0");
    }
}

/// RFC 1982 section 3.2, as it is written there.
fn is_greater(one: u32, other: u32) -> bool {
    const HALF: u32 = 1 << 31;
    one != other && (one < other && other - one > HALF || one > other && one - other < HALF)
}

/// Whatever the serial was, a secondary takes the one after it for newer.
#[tokio::test]
async fn a_raised_serial_is_greater_by_serial_arithmetic() {
    assert!(is_greater(0, 255 << 24) && !is_greater(255 << 24, 0));
    let mut serials = vec![
        0,
        1,
        0x7fff_fffe,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_fffe,
        u32::MAX,
    ];
    // And some without a reason, the same each time.
    let mut drawn = 1u32;
    serials.extend((0..20).map(|_| {
        drawn = drawn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        drawn
    }));
    for engine in engines() {
        for &before in &serials {
            let after = serial_after(engine, before.into(), &["a.tld"]).await;
            let after = u32::try_from(after).expect("32 bits");
            assert!(
                is_greater(after, before) && after != 0,
                "{before} to {after}"
            );
        }
    }
}

#[tokio::test]
async fn a_deposed_process_writes_nothing() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let mut successor = Database::open(&test.location).await.unwrap();
        sqlx::query("UPDATE registry SET epoch = epoch + 1")
            .execute(successor.connection())
            .await
            .unwrap();
        let Err(error) = test.database.write().await else {
            panic!("an old epoch may not write");
        };
        assert!(matches!(error, RegistryError::Deposed { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_held_lock_is_said_to_be_one() {
    let mut test = test_database(Engine::Sqlite).await;
    let mut second = Database::open(&test.location).await.unwrap();
    execute(second.connection(), "PRAGMA busy_timeout = 20")
        .await
        .unwrap();
    let write = test.database.write().await.unwrap();
    let Err(error) = second.write().await else {
        panic!("two writers at once");
    };
    assert!(matches!(error, RegistryError::Locked { .. }), "{error}");
    drop(write);
}

#[test]
fn passwords_are_never_shown() {
    #[track_caller]
    fn check(url: &str, expected: &str) {
        assert_eq!(Location::parse(url).to_string(), expected);
        assert!(!format!("{:?}", Location::parse(url)).contains("secret"));
    }
    check("postgres://me:secret@host/db", "postgres://me@host/db");
    check("postgres://host/db?password=secret", "postgres://host/db");
    check("postgresql://me@host:5432", "postgresql://me@host:5432");
    check("/var/lib/registry.db", "/var/lib/registry.db");
}

#[tokio::test]
async fn odd_file_names_are_taken_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b?c#d%20é.db");
    Database::init(&Location::File(path.clone()), NOW)
        .await
        .unwrap();
    assert!(path.exists());
    assert_eq!(
        std::fs::read_dir(folder.path())
            .unwrap()
            .filter(|entry| {
                entry
                    .as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|e| e == "db")
            })
            .count(),
        1
    );
}
