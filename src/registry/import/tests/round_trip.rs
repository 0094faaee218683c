//! Import, export, import: the same records; and they are those of the file.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::super::export::{ExportOptions, export_zone_file};
use super::*;

/// The records of a zone file, one a line, names in lower case.
fn records_of(file: &Path) -> BTreeSet<String> {
    let reader = Reader::open(file, Some(Name::root())).unwrap();
    reader.map(|record| lower(&record.unwrap())).collect()
}

fn lower(record: &Record) -> String {
    let mut record = record.clone();
    record.owner = record.owner.to_lowercase();
    if record.rtype == RecordType::NS || record.rtype == RecordType::SOA {
        let rdata = match record.rtype {
            RecordType::NS => record.rdata.to_ascii_lowercase(),
            _ => record.rdata.to_vec(),
        };
        record.rdata = rdata.into();
    }
    record.to_string()
}

/// Imports, exports and imports again; returns the records of the first import.
async fn round_trip(file: &Path) -> (BTreeSet<String>, ImportReport) {
    let engine = Engine::Sqlite;
    let mut first = test_database(engine).await;
    let report = run(&mut first, &ImportOptions::new(file, NOW))
        .await
        .unwrap();
    let exported = first.folder.path().join("exported");
    let options = ExportOptions {
        file: exported.clone(),
        zone: None,
    };
    let export = export_zone_file(&mut first.database, &options, &mut |_| {})
        .await
        .unwrap();
    let published = first.published();
    assert_eq!(export.records, published.len() as u64);
    assert_eq!(export.bytes, std::fs::metadata(&exported).unwrap().len());
    assert_eq!(records_of(&exported), published);
    let mut second = test_database(engine).await;
    let again = run(&mut second, &ImportOptions::new(&exported, NOW))
        .await
        .unwrap();
    assert_eq!(again.rejected, 0);
    assert_eq!(second.published(), published);
    assert_eq!(
        (again.domains, again.delegations, again.ds),
        (report.domains, report.delegations, report.ds)
    );
    let leftovers = std::fs::read_dir(first.folder.path()).unwrap();
    let is_temporary = |name: std::ffi::OsString| name.to_string_lossy().ends_with(".tmp");
    assert!(
        !leftovers
            .into_iter()
            .any(|entry| is_temporary(entry.unwrap().file_name()))
    );
    (published, report)
}

#[tokio::test]
async fn the_real_root_zone_comes_out_as_it_went_in() {
    let reference =
        std::env::var("MERIDIAN_REFERENCE").unwrap_or_else(|_| "../shared/reference".to_owned());
    let file = Path::new(&reference).join("zones/root-2018-03-12.zone");
    if !file.exists() {
        assert!(
            std::env::var_os("CI").is_none(),
            "{} is missing",
            file.display()
        );
        eprintln!(
            "SKIPPED: {} is missing, set MERIDIAN_REFERENCE",
            file.display()
        );
        return;
    }
    let (published, report) = round_trip(&file).await;
    assert_eq!(
        (report.domains, report.rejected, report.glue_unused),
        (1544, 0, 0)
    );
    assert_eq!(published, records_of(&file));
}

#[derive(Debug, Clone)]
struct Line {
    owner: usize,
    rtype: usize,
    value: u8,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let line = (0..OWNERS.len(), 0..7_usize, 0..4_u8).prop_map(|(owner, rtype, value)| Line {
        owner,
        rtype,
        value,
    });
    prop::collection::vec(line, 0..40)
}

const OWNERS: [&str; 11] = [
    "@",
    "a",
    "B",
    "ns.a",
    "ns.b",
    "x.ns.a",
    "deep.co",
    "co",
    "*.w",
    "ns.deep.co",
    "_x.y",
];

impl Line {
    fn text(&self) -> String {
        // One TTL for each RRset.
        let ttl = 100 + self.owner * 10 + self.rtype;
        let owner = OWNERS[self.owner];
        let value = self.value;
        let data = match self.rtype {
            0..=2 => format!(
                "NS {}",
                ["ns.a", "ns.b", "ns.deep.co", "ns.example."][usize::from(value)]
            ),
            3 => format!("A 192.0.2.{value}"),
            4 => format!("AAAA 2001:db8::{value}"),
            5 => format!("DS {value} 13 2 {}", "0123456789abcdef".repeat(4)),
            _ => format!("TXT \"{value} \\\\ \\000\""),
        };
        let ttl = if self.rtype <= 2 {
            100 + self.owner * 10
        } else {
            ttl
        };
        format!("{owner} {ttl} {data}\n")
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is published is the file without what was dropped, rejected or unused.
    #[test]
    fn small_zones_keep_their_records(lines in lines()) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("zone");
        // A record that stands twice is one record.
        let text: BTreeSet<String> = lines.iter().map(Line::text).collect();
        let text: String = text.into_iter().collect();
        std::fs::write(&file, zone(&text)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (published, _) = runtime.block_on(round_trip(&file));
        let options = ImportOptions::new(&file, NOW);
        let survey = Survey::of_file(&options, &mut |_| {}).unwrap();
        let mut input = Input::open(&options).unwrap();
        let mut expected = BTreeSet::new();
        let mut key = Vec::new();
        while let Some(read) = input.next().unwrap() {
            let record = read.unwrap();
            lower_key(&record.owner, &mut key);
            match classify(&survey, &key, record.rtype) {
                Role::Rejected(_) | Role::Signer | Role::Glue(Glue::Unused, _) => {}
                _ => drop(expected.insert(lower(&record))),
            }
        }
        prop_assert_eq!(published, expected);
    }
}
