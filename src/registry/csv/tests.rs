//! Folders of CSV files in and out, on every engine.

mod carried;
mod lives;
mod restart;

use std::collections::BTreeMap;
use std::path::Path;

use super::super::database::Engine;
use super::super::testing::{NOW, TestDatabase, engines, row_counts, test_database};
use super::super::{ImportOptions, import_zone_file};
use super::*;

/// A small registry with something in every file.
const FILES: [(&str, &str); 10] = [
    (
        "zones.csv",
        "apex,soa_mname,soa_rname,serial,ns_ttl,host_orphan,lame_domain\n\
         tld,ns1.nic.tld,hostmaster.nic.tld,4294967295,300,lame,Held.tld.\n\
         CO.tld.,ns1.nic.tld,hostmaster.nic.tld,7,,,\n",
    ),
    (
        "registrars.csv",
        "name,handle,status\n\"Registrar \"\"A\"\", Inc.\",reg-a,\nB,reg-b,suspended\n",
    ),
    (
        "contacts.csv",
        "handle,registrar,kind,name,street,email\n\
         c-1,reg-a,person,\"Ada, the first\",\"One Street\nSecond line\",ada@example\n",
    ),
    (
        "domains.csv",
        "name,zone,registrar,registrant,statuses,created_at,expires_at,ns_ttl\n\
         a.tld,,reg-a,c-1,,2020-02-29T23:59:59.5Z,2030-01-01T00:00:00Z,60\n\
         held.tld,,reg-b,,serverHold clientHold,,,\n\
         bare.tld,,reg-a,,,,,\n\
         x.co.tld,,reg-a,,,,,\n\
         nic.tld,tld,reg-a,,,,,\n",
    ),
    (
        "hosts.csv",
        "name,domain,registrar,created_at\n\
         ns1.a.tld,,reg-a,\nns2.a.tld,a.tld,reg-a,\nns.example,,reg-b,\n\
         ns1.nic.tld,,reg-a,\nns.held.tld,,reg-b,\n",
    ),
    (
        "delegations.csv",
        "domain,host\na.tld,ns1.a.tld\na.tld,ns.example\nheld.tld,ns.held.tld\n\
         x.co.tld,ns.example\nnic.tld,ns1.nic.tld\n",
    ),
    (
        "ds.csv",
        "domain,key_tag,algorithm,digest_type,digest\n\
         a.tld,1,13,2,0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF\n",
    ),
    (
        "addresses.csv",
        "host,address,ttl\nns1.a.tld,192.0.2.1,98\nns1.a.tld,2001:db8::1,\n\
         ns1.nic.tld,192.0.2.2,\nns.held.tld,192.0.2.3,\n",
    ),
    (
        "domain_contacts.csv",
        "domain,role,contact\na.tld,tech,c-1\n",
    ),
    (
        "records.csv",
        "zone,owner,type,ttl,data\ntld,tld,NS,300,ns1.nic.tld\nco.tld,co.tld,NS,300,ns1.nic.tld\n\
         tld,txt.tld,TXT,60,\"\"\"one, two\"\" \\\"\"three\\\"\"\"\n",
    ),
];

fn write_files(test: &TestDatabase, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = test.folder.path().join(name);
    std::fs::create_dir(&folder).unwrap();
    for (file, text) in files {
        std::fs::write(folder.join(file), text).unwrap();
    }
    folder
}

/// The sample with lines added to some files.
fn with_lines(test: &TestDatabase, lines: &[(&str, &str)]) -> PathBuf {
    let folder = write_files(test, "files", &FILES);
    for (file, line) in lines {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        std::fs::write(folder.join(file), format!("{text}{line}\n")).unwrap();
    }
    folder
}

async fn run(test: &mut TestDatabase, options: &CsvOptions) -> Result<CsvImport, RegistryError> {
    import_csv(&mut test.database, options, &mut |_| {}).await
}

async fn export(test: &mut TestDatabase, name: &str) -> BTreeMap<String, String> {
    let folder = test.folder.path().join(name);
    let report = export_csv(&mut test.database, &folder, &mut |_| {})
        .await
        .unwrap();
    let files = contents(&folder);
    let octets: usize = files.values().map(String::len).sum();
    assert_eq!(report.bytes, octets as u64);
    for (file, rows) in &report.rows {
        let mut reader = ::csv::Reader::from_reader(files[file].as_bytes());
        assert_eq!(reader.records().count() as u64, *rows, "{file}");
    }
    files
}

fn contents(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let read = |entry: std::fs::DirEntry| {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        (entry.file_name().into_string().unwrap(), text)
    };
    entries.map(read).collect()
}

#[tokio::test]
async fn what_is_imported_comes_out_as_it_went_in_from_engine_to_engine() {
    for engine in engines() {
        let mut first = test_database(engine).await;
        let folder = write_files(&first, "files", &FILES);
        let report = run(&mut first, &CsvOptions::new(&folder, NOW))
            .await
            .unwrap();
        assert_eq!((report.rejected, report.rejects_file.as_deref()), (0, None));
        assert_eq!(report.rows["domains.csv"], 5);
        let parkable = "SELECT name FROM domains WHERE parkable = 1";
        let parkable = sqlx::query_scalar::<_, String>(parkable);
        let parkable = parkable.fetch_all(first.database.connection()).await;
        assert_eq!(parkable.unwrap(), ["bare.tld"]);
        let exported = export(&mut first, "exported").await;
        for other in engines() {
            let mut second = test_database(other).await;
            let later = CsvOptions::new(first.folder.path().join("exported"), NOW);
            let report = run(&mut second, &later).await.unwrap();
            assert_eq!(report.rejected, 0);
            assert_eq!(export(&mut second, "again").await, exported);
            assert_eq!(second.published(), first.published());
        }
    }
}

/// Otherwise PostgreSQL plans for nearly empty tables until its own maintenance comes by.
#[tokio::test]
async fn the_planner_knows_what_was_imported() {
    for engine in engines() {
        if engine == Engine::Sqlite {
            continue;
        }
        let mut test = test_database(engine).await;
        let folder = write_files(&test, "files", &FILES);
        let imported = run(&mut test, &CsvOptions::new(&folder, NOW)).await;
        imported.unwrap();
        let rows = "SELECT CAST(reltuples AS BIGINT) FROM pg_class \
                    WHERE oid = CAST('domains' AS regclass)";
        let rows = sqlx::query_scalar::<_, i64>(rows);
        let rows = rows.fetch_one(test.database.connection()).await;
        assert_eq!(rows.unwrap(), 5);
    }
}

#[tokio::test]
async fn rows_become_what_is_published() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        let folder = write_files(&test, "files", &FILES);
        run(&mut test, &CsvOptions::new(&folder, NOW))
            .await
            .unwrap();
        let published: Vec<_> = test.published().into_iter().collect();
        let digest = "0123456789ABCDEF".repeat(4);
        let expected = [
            &format!("a.tld.\t3600\tIN\tDS\t1 13 2 {digest}"),
            "a.tld.\t60\tIN\tNS\tns.example.",
            "a.tld.\t60\tIN\tNS\tns1.a.tld.",
            "co.tld.\t300\tIN\tNS\tns1.nic.tld.",
            "co.tld.\t3600\tIN\tSOA\tns1.nic.tld. hostmaster.nic.tld. 7 7200 900 604800 900",
            "nic.tld.\t300\tIN\tNS\tns1.nic.tld.",
            "ns1.a.tld.\t3600\tIN\tAAAA\t2001:db8::1",
            "ns1.a.tld.\t98\tIN\tA\t192.0.2.1",
            "ns1.nic.tld.\t3600\tIN\tA\t192.0.2.2",
            "tld.\t300\tIN\tNS\tns1.nic.tld.",
            "tld.\t3600\tIN\tSOA\tns1.nic.tld. hostmaster.nic.tld. 4294967295 7200 900 604800 900",
            "txt.tld.\t60\tIN\tTXT\t\"one, two\" \"\\\"three\\\"\"",
            "x.co.tld.\t3600\tIN\tNS\tns.example.",
        ];
        let upper = |text: &String| text.replace("abcdef", "ABCDEF");
        assert_eq!(published.iter().map(upper).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn a_generated_registry_is_that_of_its_zone_file() {
    use loadtest::generate::{Parameters, Registry, write, write_csv};
    let registry = Registry::new(Parameters {
        apex: zone_image::Name::parse_absolute("example").unwrap(),
        domains: 3000,
        seed: 5,
        queries: 0,
        exponent: 1.0,
        signed: false,
    })
    .unwrap();
    for engine in engines() {
        let (mut rows, mut zone) = (test_database(engine).await, test_database(engine).await);
        let folder = rows.folder.path().join("rows");
        write_csv(&registry, &folder).unwrap();
        let options = CsvOptions {
            strict: true,
            ..CsvOptions::new(&folder, NOW)
        };
        run(&mut rows, &options).await.unwrap();
        let files = write(&registry, &zone.folder.path().join("zone")).unwrap();
        let options = ImportOptions::new(files.zone, NOW);
        import_zone_file(&mut zone.database, &options, &mut |_| {})
            .await
            .unwrap();
        assert_eq!(rows.published(), zone.published());
    }
}

/// Lines that are no good, and what is said of each.
const BAD: [(&str, &str, &str); 16] = [
    ("zones.csv", "tld,a,b,1,,,", "stands in this file before"),
    (
        "zones.csv",
        "other,a,b,4294967296,,,",
        "serial is not a number",
    ),
    ("registrars.csv", "Name,re,", "a handle has 3 to 16"),
    ("contacts.csv", "c-2,reg-z,person,,,", "no such registrar"),
    (
        "domains.csv",
        "a.tld,,reg-a,,,,,",
        "stands in this file before",
    ),
    ("domains.csv", "b.org,,reg-a,,,,,", "no zone of zones.csv"),
    ("domains.csv", "b.tld,,reg-a,,frozen,,,", "not a status"),
    (
        "domains.csv",
        "b.tld,,reg-a,,,2021-02-29T00:00:00Z,,",
        "no time such as",
    ),
    ("domains.csv", "b.tld,,reg-a", "3 fields, the header has 8"),
    (
        "hosts.csv",
        "ns.b.tld,a.tld,reg-a,",
        "not at or below its domain",
    ),
    ("delegations.csv", "b.tld,ns.example", "no such domain"),
    ("delegations.csv", "a.tld,ns9.example", "no such host"),
    ("ds.csv", "a.tld,1,13,2,0123", "digest"),
    (
        "addresses.csv",
        "ns.example,192.0.2.1,",
        "below no registered domain",
    ),
    ("domain_contacts.csv", "a.tld,owner,c-1", "none of admin"),
    (
        "records.csv",
        "tld,x.a.tld,TXT,60,hidden",
        "at or below a delegated domain",
    ),
];

#[tokio::test]
async fn bad_rows_are_told_with_file_line_and_reason_and_the_rest_is_taken() {
    let lines: Vec<_> = BAD.iter().map(|(file, line, _)| (*file, *line)).collect();
    for engine in engines() {
        let mut clean = test_database(engine).await;
        let folder = write_files(&clean, "files", &FILES);
        run(&mut clean, &CsvOptions::new(&folder, NOW))
            .await
            .unwrap();
        let mut test = test_database(engine).await;
        let folder = with_lines(&test, &lines);
        let report = run(&mut test, &CsvOptions::new(&folder, NOW))
            .await
            .unwrap();
        assert_eq!(report.rejected, BAD.len() as u64);
        let file = report.rejects_file.unwrap();
        assert_eq!(file, test.folder.path().join("files.rejects"));
        let mut rejects = ::csv::Reader::from_path(file).unwrap();
        let rejects: Vec<_> = rejects.records().map(Result::unwrap).collect();
        assert_eq!(rejects.len(), BAD.len());
        for (row, (file, line, part)) in rejects.iter().zip(BAD) {
            let text = std::fs::read_to_string(folder.join(file)).unwrap();
            let number = 1 + text.lines().position(|found| found == line).unwrap();
            assert_eq!((&row[0], &row[1]), (file, &*number.to_string()), "{line}");
            assert!(row[2].contains(part), "{row:?}");
            assert_eq!(&row[3], line);
        }
        let files = export(&mut test, "exported").await;
        assert_eq!(files, export(&mut clean, "exported").await);
    }
}

#[tokio::test]
async fn strict_stops_at_the_first_bad_row_and_changes_nothing() {
    for engine in engines() {
        for (file, line, part) in BAD {
            let mut test = test_database(engine).await;
            let before = row_counts(&mut test.database).await;
            let mut options = CsvOptions::new(with_lines(&test, &[(file, line)]), NOW);
            options.strict = true;
            let error = run(&mut test, &options).await.unwrap_err();
            assert!(matches!(error, RegistryError::Rejected { .. }), "{error}");
            let text = error.to_string();
            assert!(text.contains(file) && text.contains(part), "{text}");
            assert_eq!(row_counts(&mut test.database).await, before);
            assert!(!options.rejects_path().exists());
        }
    }
}

#[tokio::test]
async fn files_that_cannot_be_read_change_nothing() {
    let head = "apex,soa_mname,soa_rname,serial\n";
    for (files, part) in [
        (vec![], "zones.csv: No such file"),
        (vec![("zones.csv", head)], "zones.csv: no zone in it"),
        (
            vec![("zones.csv", "apex,soa_mname,serial\n")],
            "column \"soa_rname\" is missing",
        ),
        (vec![("zones.csv", "apex,nme\n")], "unknown column \"nme\""),
        (
            vec![("zones.csv", "apex,apex\n")],
            "column \"apex\" stands twice",
        ),
    ] {
        let mut test = test_database(Engine::Sqlite).await;
        let before = row_counts(&mut test.database).await;
        let folder = write_files(&test, "files", &files);
        let error = run(&mut test, &CsvOptions::new(&folder, NOW))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(row_counts(&mut test.database).await, before, "{part}");
    }
}

#[tokio::test]
async fn a_registry_with_something_in_it_is_not_filled() {
    for engine in engines() {
        let mut test = test_database(engine).await;
        test.import("$ORIGIN org.\n@ 1 SOA a b 1 2 3 4 5\n@ 1 NS a.example.\n")
            .await
            .unwrap();
        let before = row_counts(&mut test.database).await;
        let folder = write_files(&test, "files", &FILES);
        let error = run(&mut test, &CsvOptions::new(&folder, NOW))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("has zones already"), "{error}");
        assert_eq!(row_counts(&mut test.database).await, before);
    }
}

#[tokio::test]
async fn an_export_is_private_and_replaces_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut test = test_database(Engine::Sqlite).await;
    let folder = write_files(&test, "files", &FILES);
    run(&mut test, &CsvOptions::new(&folder, NOW))
        .await
        .unwrap();
    let error = export_csv(&mut test.database, &folder, &mut |_| {})
        .await
        .unwrap_err();
    assert!(error.to_string().contains("not empty"), "{error}");
    assert_eq!(contents(&folder).len(), FILES.len());
    export(&mut test, "exported").await;
    let exported = test.folder.path().join("exported");
    for path in [exported.clone(), exported.join("contacts.csv")] {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
    let names = std::fs::read_dir(test.folder.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(
        names
            .into_iter()
            .all(|name| !name.contains("meridian-export"))
    );
}

#[test]
fn every_column_is_in_the_help() {
    let help = columns_help();
    for table in Table::ALL {
        assert!(help.contains(&format!("\n{}\n", table.file())));
        for column in table.columns() {
            assert!(help.contains(column.name), "{}", column.name);
        }
    }
}
