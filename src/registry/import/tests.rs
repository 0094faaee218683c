//! Importing: what becomes what, strictness, restarts, hosts of several zones.

mod restart;
mod roles;
mod round_trip;

use super::super::database::Engine;
use super::super::testing::{NOW, TestDatabase, engines, row_counts, test_database};
use super::*;

/// Starts every zone of these tests.
const HEAD: &str = "$ORIGIN tld.\n$TTL 300\n\
    @ IN SOA ns1.nic hostmaster.nic 4294967295 1800 900 604800 86400\n\
    @ IN NS ns1.nic\n\
    ns1.nic IN A 192.0.2.53\n";

fn zone(rest: &str) -> String {
    format!("{HEAD}{rest}\n")
}

async fn run(
    test: &mut TestDatabase,
    options: &ImportOptions,
) -> Result<ImportReport, RegistryError> {
    import_zone_file(&mut test.database, options, &mut |_| {}).await
}

#[tokio::test]
async fn serial_soa_and_ttls_are_carried_on() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let report = test
            .import(&zone(
                "a 7200 NS ns.example.\na 60 DS 1 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n\
                 b 7200 NS ns.example.\nc 99 NS ns.c\nns.c 98 A 192.0.2.1\nns.c 97 AAAA 2001:db8::1",
            ))
            .await
            .unwrap();
        assert_eq!(report.serial, u32::MAX);
        let expected = [
            "a.tld.\t60\tIN\tDS\t1 13 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF",
            "a.tld.\t7200\tIN\tNS\tns.example.",
            "b.tld.\t7200\tIN\tNS\tns.example.",
            "c.tld.\t99\tIN\tNS\tns.c.tld.",
            "ns.c.tld.\t97\tIN\tAAAA\t2001:db8::1",
            "ns.c.tld.\t98\tIN\tA\t192.0.2.1",
            "ns1.nic.tld.\t300\tIN\tA\t192.0.2.53",
            "tld.\t300\tIN\tNS\tns1.nic.tld.",
            "tld.\t300\tIN\tSOA\tns1.nic.tld. hostmaster.nic.tld. 4294967295 1800 900 604800 86400",
        ];
        let published: Vec<_> = test.published().into_iter().collect();
        let upper = |text: &String| text.replace("abcdef", "ABCDEF");
        assert_eq!(published.iter().map(upper).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn strict_stops_at_the_first_bad_record_and_changes_nothing() {
    #[track_caller]
    fn check(error: &RegistryError, line: u64, part: &str) {
        let text = error.to_string();
        assert!(matches!(error, RegistryError::Rejected { .. }), "{text}");
        assert!(text.contains(&format!("zone:{line}: ")), "{text}");
        assert!(text.contains(part), "{text}");
    }
    for engine in engines() {
        let mut test = test_database(engine).await;
        let before = row_counts(&mut test.database).await;
        for (rest, line, part) in [
            ("a NS ns.example.\nb A not-an-address", 7, ""),
            (
                "a NS ns.example.\nx.a TXT hidden",
                7,
                "hidden below a delegation",
            ),
            (
                "a NS ns.example.\nelsewhere.example. A 192.0.2.1",
                7,
                "outside the zone",
            ),
            (
                "a DS 1 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                6,
                "DS without",
            ),
        ] {
            let mut options = ImportOptions::new(test.file("zone", &zone(rest)), NOW);
            options.strict = true;
            let error = run(&mut test, &options).await.unwrap_err();
            check(&error, line, part);
            assert_eq!(row_counts(&mut test.database).await, before, "{rest}");
            assert!(!options.rejects_path().exists());
        }
    }
}

#[tokio::test]
async fn bad_records_go_to_the_rejects_file_with_their_place() {
    let mut test = test_database(Engine::Sqlite).await;
    let text = zone("a NS ns.example.\nb A not-an-address\nx.a 77 TXT hidden\nc NS ns.example.");
    let report = test.import(&text).await.unwrap();
    assert_eq!((report.rejected, report.domains, report.records), (2, 2, 7));
    let rejects = std::fs::read_to_string(report.rejects_file.unwrap()).unwrap();
    let lines: Vec<_> = rejects.lines().collect();
    assert_eq!(lines.len(), 3, "{rejects}");
    assert!(
        lines[0].starts_with("; ") && lines[0].contains("zone:7:"),
        "{rejects}"
    );
    assert!(lines[1].ends_with("zone:8: hidden below a delegation; only glue may stand there"));
    assert_eq!(lines[2], "x.a.tld.\t77\tIN\tTXT\t\"hidden\"");
    // The next import has none, and the old file goes.
    let mut next = test_database(Engine::Sqlite).await;
    let file = test.file("zone", &zone("a NS ns.example."));
    let report = run(&mut next, &ImportOptions::new(&file, NOW))
        .await
        .unwrap();
    assert_eq!(report.rejects_file, None);
    assert!(!ImportOptions::new(&file, NOW).rejects_path().exists());
}

#[tokio::test]
async fn files_that_are_no_zone_change_nothing() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let before = row_counts(&mut test.database).await;
        let mut other = ImportOptions::new(test.file("other", &zone("")), NOW);
        other.zone = Some(Name::parse_absolute("example").unwrap());
        for (options, part) in [
            (
                ImportOptions::new(test.file("empty", ""), NOW),
                "empty: no SOA record",
            ),
            (
                ImportOptions::new(test.file("no-soa", "a. 1 NS b.\n"), NOW),
                "no SOA record",
            ),
            (
                ImportOptions::new(test.folder.path().join("missing"), NOW),
                "missing: ",
            ),
            (ImportOptions::new(test.folder.path(), NOW), "irectory"),
            (other, "SOA is of tld., not of example."),
        ] {
            let error = run(&mut test, &options).await.unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
            assert_eq!(row_counts(&mut test.database).await, before, "{part}");
        }
    }
}

#[tokio::test]
async fn a_zone_is_not_imported_over() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let first = test.import(&zone("a NS ns.example.")).await.unwrap();
        let again = test.import(&zone("a NS ns.example.")).await.unwrap();
        assert!(again.already);
        assert_eq!((again.event, again.domains), (first.event, first.domains));
        let counts = row_counts(&mut test.database).await;
        let error = test.import(&zone("b NS ns.example.")).await.unwrap_err();
        assert!(matches!(error, RegistryError::ZoneExists { .. }), "{error}");
        assert_eq!(row_counts(&mut test.database).await, counts);
    }
}

#[tokio::test]
async fn zones_share_hosts_and_each_keeps_its_glue() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let parent = ". 60 IN SOA a. b. 1 2 3 4 5\n. 60 NS ns.nic.tld.\ntld. 60 NS ns.nic.tld.\n\
            tld. 60 NS ns.example.\nns.nic.tld. 61 A 192.0.2.1\nother. 60 NS ns.child.tld.\n\
            ns.child.tld. 60 A 192.0.2.9\n";
        test.import(parent).await.unwrap();
        let child = "$ORIGIN tld.\n@ 60 IN SOA a. b. 7 2 3 4 5\n@ 60 NS ns.nic\nnic 60 NS ns.nic\n\
            ns.nic 62 A 192.0.2.1\nx 60 NS ns.example.\nns.nic 62 AAAA 2001:db8::1\n";
        let report = test.import(child).await.unwrap();
        assert_eq!((report.glue, report.glue_shared), (0, 2));
        let published = test.published();
        for record in [
            "ns.nic.tld.\t61\tIN\tA\t192.0.2.1",
            "ns.nic.tld.\t62\tIN\tA\t192.0.2.1",
            "ns.nic.tld.\t62\tIN\tAAAA\t2001:db8::1",
            "ns.child.tld.\t60\tIN\tA\t192.0.2.9",
        ] {
            assert!(published.contains(record), "{record}: {published:?}");
        }
        let hosts: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM hosts")
            .fetch_one(test.database.connection())
            .await
            .unwrap();
        assert_eq!(hosts, 3);
    }
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_one_and_the_import_can_be_finished() {
    let mut text = zone("");
    for number in 0..20_000 {
        text.push_str(&format!("domain{number} NS ns{}.example.\n", number % 7));
    }
    let mut test = test_database(Engine::Sqlite).await;
    sqlx::query("PRAGMA max_page_count = 200")
        .execute(test.database.connection())
        .await
        .unwrap();
    let error = test.import(&text).await.unwrap_err();
    assert!(matches!(error, RegistryError::DiskFull { .. }), "{error}");
    let error = zone_compiler::database::Snapshot::open(&test.location.as_source())
        .and_then(|snapshot| snapshot.sources().map(drop))
        .unwrap_err();
    assert!(error.to_string().contains("is unfinished"), "{error}");
    test.database = Database::open(&test.location).await.unwrap();
    let report = test.import(&text).await.unwrap();
    assert_eq!((report.domains, report.already), (20_000, false));
}
