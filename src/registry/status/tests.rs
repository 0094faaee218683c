//! What a status says of a registry with one zone.

use super::super::testing::{NOW, engines, test_database};
use super::*;

#[tokio::test]
async fn an_empty_registry_has_one_event() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let status = status(&mut test.database).await.unwrap();
        assert_eq!(status.schema_version, schema::VERSION);
        assert_eq!((status.last_event.number, status.epoch), (1, 1));
        assert_eq!(status.last_event.kind, "registry-init");
        assert_eq!(status.last_event.time, NOW.0);
        assert!(status.zones.is_empty() && status.bytes > 0);
    }
}

#[tokio::test]
async fn counts_are_those_of_the_zone() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let zone = "$ORIGIN tld.\n@ 60 IN SOA a. b. 9 2 3 4 5\n@ 60 NS ns.a\n@ 60 TXT x\n\
            a 60 NS ns.a\nns.a 60 A 192.0.2.1\nold.a 60 A 192.0.2.2\nb 60 NS ns.example.\n\
            b 60 DS 1 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";
        let report = test.import(zone).await.unwrap();
        let status = status(&mut test.database).await.unwrap();
        assert_eq!(status.last_event.number, report.event);
        assert_eq!(
            (status.registrars, status.contacts, status.hosts),
            (1, 0, 3)
        );
        let [zone] = status.zones.as_slice() else {
            panic!("{:?}", status.zones)
        };
        assert_eq!((zone.apex.as_str(), zone.state.as_str()), ("tld", "active"));
        assert_eq!(
            (
                zone.serial,
                zone.domains,
                zone.published,
                zone.hosts,
                zone.ds,
                zone.records
            ),
            (9, 2, 2, 2, 1, 2)
        );
        let json = serde_json::to_string(&status).unwrap();
        let word = match engine {
            Engine::Sqlite => "\"engine\":\"sqlite\"",
            Engine::Postgres => "\"engine\":\"postgres\"",
        };
        assert!(json.contains(word), "{json}");
    }
}

#[tokio::test]
async fn a_checkpoint_of_the_log_is_no_change() {
    let mut test = test_database(Engine::Sqlite).await;
    test.import("$ORIGIN tld.\n@ 60 IN SOA a. b. 9 2 3 4 5\n@ 60 NS ns.a\n")
        .await
        .unwrap();
    let mut log = test.folder.path().join("registry.db").into_os_string();
    log.push("-wal");
    let before = status(&mut test.database).await.unwrap();
    let logged = std::fs::metadata(&log).unwrap().len();
    assert!(logged > 0, "there is a log to be emptied");
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(test.database.connection())
        .await
        .unwrap();
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
    let after = status(&mut test.database).await.unwrap();
    assert_eq!(after.bytes, before.bytes);
    let file = std::fs::metadata(test.folder.path().join("registry.db"));
    assert_eq!(after.bytes, file.unwrap().len());
}
