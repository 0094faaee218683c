//! `registry import --csv` and `export --csv` from outside: what they print, and that
//! an import which is killed is finished by running it again.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use loadtest::generate::{self, Parameters};
use zone_image::Name;

use super::{Place, Registry, postgres};

/// Domains of the registry that is imported.
const DOMAINS: u64 = 20_000;

fn files(folder: &Path) {
    let parameters = Parameters {
        apex: Name::parse_absolute("example").unwrap(),
        domains: DOMAINS,
        seed: 3,
        queries: 0,
        exponent: 1.0,
        signed: false,
    };
    let registry = generate::Registry::new(parameters).unwrap();
    generate::write_csv(&registry, folder).unwrap();
}

fn contents(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let read = |entry: std::fs::DirEntry| {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        (entry.file_name().into_string().unwrap(), text)
    };
    entries.map(read).collect()
}

/// Without zone and registrar.
fn empty(place: Place) -> Option<Registry> {
    let folder = tempfile::tempdir().unwrap();
    let database = match place {
        Place::Sqlite => folder.path().join("registry.db").display().to_string(),
        Place::Postgres => {
            postgres::server()?;
            postgres::new_database()
        }
    };
    let registry = Registry { folder, database };
    registry.succeed(&["init"]);
    Some(registry)
}

#[test]
fn a_killed_import_is_finished_by_the_next() {
    let rows = tempfile::tempdir().unwrap();
    files(rows.path());
    let first = empty(Place::Sqlite).unwrap();
    let printed = first.succeed(&["import", "--csv", &rows.path().display().to_string()]);
    assert!(printed.contains("  20000 of domains.csv\n"), "{printed}");
    // What was exported has every time in it: an import of it is the same at any time.
    first.succeed(&["export", "--csv", "rows"]);
    let rows = first.folder.path().join("rows");
    let expected = contents(&rows);
    let rows = rows.display().to_string();
    for place in [Place::Sqlite, Place::Postgres] {
        let Some(killed) = empty(place) else {
            continue;
        };
        for looks in [1, 20, 60] {
            let mut import = killed.command(&["import", "--csv", &rows]);
            import.stdout(Stdio::null()).stderr(Stdio::null());
            let mut import = import.spawn().unwrap();
            // Each look takes a few milliseconds: a moment that differs from round to
            // round, in the scan, in a batch, or after the end.
            for _ in 0..looks {
                let _: Vec<i64> = killed.query("SELECT COUNT(*) FROM imports");
            }
            import.kill().unwrap();
            import.wait().unwrap();
        }
        killed.succeed(&["import", "--csv", &rows]);
        killed.succeed(&["export", "--csv", "out"]);
        let exported = contents(&killed.folder.path().join("out"));
        assert!(exported == expected, "{place:?}: another registry");
    }
}

#[test]
fn faults_of_the_files_are_told_in_one_line() {
    let registry = empty(Place::Sqlite).unwrap();
    let (_, fault) = registry.fail(&["import", "--csv", "nowhere"]);
    assert!(fault.contains("nowhere/zones.csv: No such file"), "{fault}");
    let rows = registry.folder.path().join("rows");
    files(&rows);
    let domains = std::fs::read_to_string(rows.join("domains.csv")).unwrap();
    std::fs::write(rows.join("domains.csv"), domains + "a.org,reg-000,,\n").unwrap();
    let (_, fault) = registry.fail(&["import", "--csv", "rows", "--strict"]);
    let expected = "rows/domains.csv:20002: no zone of zones.csv is above it; nothing was changed";
    assert!(fault.contains(expected), "{fault}");
    let printed = registry.succeed(&["import", "--csv", "rows"]);
    assert!(
        printed.contains("1 rows rejected, see rows.rejects"),
        "{printed}"
    );
    let printed = registry.succeed(&["import", "--csv", "rows"]);
    assert!(printed.contains("imported before"), "{printed}");
    let help = registry.succeed_plain(&["import", "--help"]);
    assert!(help.contains("domain_contacts.csv"), "{help}");
}
