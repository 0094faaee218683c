//! The contract as the reader sees it: tables in the place of the registry's views.

use std::path::Path;

use rusqlite::Connection;

use super::*;

const VIEWS: &str = "
    CREATE TABLE dns_event (event BIGINT, contract BIGINT);
    INSERT INTO dns_event VALUES (7, 1);
    CREATE TABLE dns_zone (zone_id BIGINT, apex TEXT, state TEXT, soa_mname TEXT,
        soa_rname TEXT, serial BIGINT, soa_refresh BIGINT, soa_retry BIGINT, soa_expire BIGINT,
        soa_minimum BIGINT, soa_ttl BIGINT);
    INSERT INTO dns_zone VALUES (1, 'tld', 'active', 'ns.nic.tld', 'x.tld', 4294967295, 2, 3, 4, 5, 6);
    INSERT INTO dns_zone VALUES (2, '.', 'active', 'a', 'b', 1, 2, 3, 4, 5, 6);
    CREATE TABLE dns_apex (zone_id BIGINT, owner TEXT, rtype BIGINT, ttl BIGINT, rdata BLOB);
    INSERT INTO dns_apex VALUES (1, 'tld', 2, 60, x'026e73036e696303746c6400');
    INSERT INTO dns_apex VALUES (2, '.', 16, 60, x'0161');
    CREATE TABLE dns_delegation (zone_id BIGINT, owner TEXT, ttl BIGINT, host TEXT);
    INSERT INTO dns_delegation VALUES (1, 'a.tld', 61, 'ns.a.tld'), (1, 'a.tld', 61, 'ns.example');
    CREATE TABLE dns_ds (zone_id BIGINT, owner TEXT, ttl BIGINT, rdata BLOB);
    INSERT INTO dns_ds VALUES (1, 'a.tld', 62, x'000102030405');
    CREATE TABLE dns_changed (event BIGINT, zone_id BIGINT, owner TEXT);
    INSERT INTO dns_changed VALUES (5, 2, ''), (6, 1, 'a.tld'), (6, 1, 'b.tld'), (7, 1, 'a.tld');
    CREATE TABLE dns_glue (zone_id BIGINT, owner TEXT, rtype BIGINT, ttl BIGINT, rdata BLOB);
    INSERT INTO dns_glue VALUES (1, 'ns.a.tld', 1, 63, x'c0000201');
    CREATE TABLE dns_below (zone_id BIGINT, cut TEXT, owner TEXT);
    INSERT INTO dns_below VALUES (1, 'a.tld', 'ns.a.tld'), (1, 'b.tld', 'ns.b.tld');
    CREATE TABLE dns_parked (zone_id BIGINT, owner TEXT, ttl BIGINT, host TEXT);
    CREATE TABLE dns_parking_server (zone_id BIGINT, host TEXT);
    CREATE TABLE dns_parking_record (zone_id BIGINT, owner TEXT, rtype BIGINT, ttl BIGINT, rdata BLOB);
    CREATE TABLE dns_event_time (event BIGINT, time BIGINT);
    INSERT INTO dns_event_time VALUES (6, 600), (7, 700);
";

struct Registry {
    folder: tempfile::TempDir,
    connection: Connection,
}

impl Registry {
    /// The views, changed by `statements`.
    fn with(statements: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("db")).unwrap();
        connection
            .pragma_update(None, "journal_mode", "wal")
            .unwrap();
        connection.execute_batch(VIEWS).unwrap();
        connection.execute_batch(statements).unwrap();
        Self { folder, connection }
    }

    fn open(&self) -> Result<Snapshot, DatabaseError> {
        Snapshot::open(&Location::File(self.folder.path().join("db")))
    }
}

fn read(snapshot: &Snapshot, apex: &str) -> Result<Vec<String>, SourceError> {
    let mut records = Vec::new();
    let mut source = snapshot.source(&Name::parse_absolute(apex).unwrap())?;
    source.for_each(&mut |record| {
        records.push(record.to_string());
        Ok(())
    })?;
    Ok(records)
}

#[test]
fn every_zone_is_read_with_its_own_rows() {
    let registry = Registry::with("");
    let snapshot = registry.open().unwrap();
    assert_eq!(snapshot.event(), 7);
    let zones: Vec<_> = snapshot.zones().iter().map(|zone| zone.serial).collect();
    assert_eq!(zones, [1, u32::MAX]);
    assert_eq!(
        read(&snapshot, "tld").unwrap(),
        [
            "tld.\t6\tIN\tSOA\tns.nic.tld. x.tld. 4294967295 2 3 4 5",
            "tld.\t60\tIN\tNS\tns.nic.tld.",
            "a.tld.\t61\tIN\tNS\tns.a.tld.",
            "a.tld.\t61\tIN\tNS\tns.example.",
            "a.tld.\t62\tIN\tDS\t\\# 6 000102030405",
            "ns.a.tld.\t63\tIN\tA\t192.0.2.1",
        ]
    );
    assert_eq!(read(&snapshot, ".").unwrap().len(), 2);
    assert_eq!(snapshot.sources().unwrap().len(), 2);
}

#[test]
fn a_snapshot_stays_at_its_event() {
    let registry = Registry::with("");
    let snapshot = registry.open().unwrap();
    let before = read(&snapshot, "tld").unwrap();
    let change =
        "UPDATE dns_event SET event = 8; DELETE FROM dns_glue; UPDATE dns_zone SET serial = 9";
    registry.connection.execute_batch(change).unwrap();
    assert_eq!(read(&snapshot, "tld").unwrap(), before);
    let after = registry.open().unwrap();
    assert_eq!(after.event(), 8);
    assert_eq!(read(&after, "tld").unwrap().len(), before.len() - 1);
}

#[test]
fn zones_with_changes_after_an_event_are_named_once() {
    let registry = Registry::with("");
    let snapshot = registry.open().unwrap();
    let changed = |since| {
        let mut zones = snapshot.changed_since(since).unwrap();
        zones.sort();
        let zones = zones.iter();
        zones
            .map(|(apex, event)| format!("{apex} {event}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(changed(0), [". 5", "tld. 7"]);
    assert_eq!(changed(5), ["tld. 7"]);
    assert_eq!(changed(7), [""; 0]);
    assert_eq!(changed(u64::MAX), [""; 0]);
}

#[track_caller]
fn check(statements: &str, expected: &str) {
    let registry = Registry::with(statements);
    let outcome = registry
        .open()
        .map_err(SourceError::from)
        .and_then(|snapshot| read(&snapshot, "tld"));
    let error = outcome.expect_err(statements).to_string();
    let place = registry.folder.path().join("db").display().to_string();
    assert!(error.starts_with(&place), "{error}");
    assert!(error.contains(expected), "{error}");
}

#[test]
fn bad_databases_are_refused_with_place_and_way_out() {
    check(
        "UPDATE dns_event SET contract = 2",
        "its views have version 2",
    );
    check("DROP TABLE dns_event", "not a registry database");
    check("DROP TABLE dns_ds", "not a registry database");
    check(
        "DELETE FROM dns_zone",
        "no zone tld.; `meridian registry status`",
    );
    check(
        "UPDATE dns_zone SET state = 'importing'",
        "import of zone tld. is unfinished",
    );
    check(
        "UPDATE dns_zone SET serial = -1 WHERE zone_id = 1",
        "SOA: -1",
    );
    check(
        "UPDATE dns_zone SET soa_mname = 'a..b'",
        "\"a..b\": empty label",
    );
    check("UPDATE dns_ds SET ttl = -5", "TTL -5; restore");
    check("UPDATE dns_glue SET rtype = 70000", "type 70000");
    check(
        "UPDATE dns_delegation SET host = 'a..b'",
        "host \"a..b\": empty label",
    );
    check("UPDATE dns_delegation SET owner = ''", "empty label");
}

#[test]
fn missing_files_and_other_files_are_refused() {
    let error = Snapshot::open(&Location::File(Path::new("/nonexistent/db").into())).unwrap_err();
    assert!(
        error.to_string().contains("meridian registry init"),
        "{error}"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text");
    std::fs::write(&path, vec![b'x'; 8192]).unwrap();
    let error = Snapshot::open(&Location::File(path)).unwrap_err();
    assert!(
        matches!(error, DatabaseError::NotARegistry { .. }),
        "{error}"
    );
    assert!(!format!("{:?}", Location::Url("postgres://a:secret@h/".into())).contains("secret"));
}

#[test]
fn an_error_of_the_sink_ends_the_reading() {
    let registry = Registry::with("");
    let snapshot = registry.open().unwrap();
    let mut source = snapshot
        .source(&Name::parse_absolute("tld").unwrap())
        .unwrap();
    let mut seen = 0;
    let outcome = source.for_each(&mut |_| {
        seen += 1;
        if seen == 3 {
            Err("enough".into())
        } else {
            Ok(())
        }
    });
    assert_eq!(
        (outcome.unwrap_err().to_string().as_str(), seen),
        ("enough", 3)
    );
}

#[test]
fn changes_are_read_by_name() {
    use crate::ChangeSource;
    let registry = Registry::with("INSERT INTO dns_apex VALUES (1, 'x.a.tld', 1, 9, x'01020304')");
    let snapshot = registry.open().unwrap();
    let name = |text: &str| Name::parse_absolute(text).unwrap();
    let texts = |names: Vec<Name>| names.iter().map(Name::to_string).collect::<Vec<_>>();
    let mut source = snapshot.changes(&name("tld"), 5).unwrap();
    let changed = source.changed().unwrap().unwrap();
    assert_eq!(
        texts(changed.names.into_iter().collect()),
        ["a.tld.", "b.tld."]
    );
    assert!(!changed.resigns);
    let mut records = Vec::new();
    let owners = ["tld", "a.tld", "ns.a.tld", "c.tld"].map(name);
    source
        .records_of(&owners, &mut |record| records.push(record.to_string()))
        .unwrap();
    records.sort();
    let mut expected = read(&snapshot, "tld").unwrap();
    expected.retain(|record| !record.starts_with("x.a"));
    expected.sort();
    assert_eq!(records, expected);
    assert_eq!(
        texts(
            source
                .delegations_to(&["NS.a.tld", "x.tld"].map(name))
                .unwrap()
        ),
        ["a.tld."]
    );
    assert_eq!(
        texts(source.names_below(&["a.tld", "x.tld"].map(name)).unwrap()),
        ["ns.a.tld.", "x.a.tld."]
    );
    let mut root = snapshot.changes(&name("."), 4).unwrap();
    assert_eq!(root.changed().unwrap(), None, "all of it may have changed");
    assert_eq!(snapshot.event_time(7).unwrap(), Some(700));
    assert_eq!(snapshot.event_time(8).unwrap(), None);
}
