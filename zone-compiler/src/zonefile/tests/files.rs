//! Zone files on disk: $INCLUDE, the source of a compile, the real root zone.

use std::collections::BTreeMap;
use std::fs;

use tempfile::TempDir;

use super::*;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// As `read`, with the folder cut from paths.
fn read_files(files: &[(&str, &str)]) -> Vec<String> {
    let folder = folder(files);
    let cut = format!("{}/", folder.path().display());
    let origin = Name::parse_absolute("example.").unwrap();
    Reader::open(&folder.path().join("zone"), Some(origin))
        .unwrap()
        .map(|result| match result {
            Ok(record) => record.to_string().replace('\t', " "),
            Err(fault) => fault.to_string().replace(&cut, ""),
        })
        .collect()
}

#[test]
fn include_changes_neither_origin_nor_owner_of_the_including_file() {
    let found = read_files(&[
        (
            "zone",
            "$TTL 1\na A 1.1.1.1\n$INCLUDE sub/one sub\n A 1.1.1.5\nb A 1.1.1.6\n",
        ),
        (
            "sub/one",
            " A 1.1.1.2\nb A 1.1.1.3\n$INCLUDE \"tw\\o\"\n$ORIGIN other.\n",
        ),
        ("sub/two", "c A 1.1.1.4"),
    ]);
    let expected = [
        "a.example. 1 IN A 1.1.1.1",
        "a.example. 1 IN A 1.1.1.2",
        "b.sub.example. 1 IN A 1.1.1.3",
        "c.sub.example. 1 IN A 1.1.1.4",
        "a.example. 1 IN A 1.1.1.5",
        "b.example. 1 IN A 1.1.1.6",
    ];
    assert_eq!(found, expected);
}

#[test]
fn faults_name_the_included_file_and_reading_goes_on() {
    let found = read_files(&[
        (
            "zone",
            "$INCLUDE one\na 1 A 1.1.1.1\n$INCLUDE none\n$INCLUDE .\n",
        ),
        ("one", "\n\nx 1 A 1\n"),
    ]);
    let expected = [
        "one:3:7: expected an IPv4 address, found `1`",
        "a.example. 1 IN A 1.1.1.1",
        "zone:3:10: cannot include `none`: No such file or directory (os error 2)",
        "zone:4:10: cannot include `.`: not a regular file",
    ];
    assert_eq!(found, expected);
}

#[test]
fn cycles_and_depth_are_bounded() {
    let found = read_files(&[("zone", "$INCLUDE one"), ("one", "$INCLUDE ./zone\n")]);
    assert_eq!(
        found,
        ["one:1:10: cannot include `./zone`: the file includes itself"]
    );
    let names: Vec<_> = (0..20).map(|number| format!("f{number}")).collect();
    let texts: Vec<_> = (1..21)
        .map(|number| format!("$INCLUDE f{number}"))
        .collect();
    let mut files: Vec<(&str, &str)> = vec![("zone", "$INCLUDE f0")];
    files.extend(
        names
            .iter()
            .zip(&texts)
            .map(|(name, text)| (name.as_str(), text.as_str())),
    );
    let message = "cannot include `f15`: more than 16 files inside each other";
    assert_eq!(read_files(&files), [format!("f14:1:10: {message}")]);
}

fn collect(source: &mut ZoneFileSource) -> Result<Vec<String>, String> {
    let mut records = Vec::new();
    let mut sink = |record: Record| {
        records.push(record.owner.to_string());
        Ok(())
    };
    source
        .for_each(&mut sink)
        .map_err(|error| error.to_string())?;
    Ok(records)
}

#[test]
fn a_source_finds_its_apex_and_reads_twice() {
    let folder = folder(&[(
        "zone",
        "$ORIGIN Tld.\n$TTL 1\na A 1.1.1.1\n@ SOA . . 1 2 3 4 5\n",
    )]);
    let mut source = ZoneFileSource::open(&folder.path().join("zone"), None).unwrap();
    assert_eq!(source.apex().to_string(), "Tld.");
    for _ in 0..2 {
        assert_eq!(collect(&mut source).unwrap(), ["a.Tld.", "Tld."]);
    }
}

#[test]
fn a_source_tells_all_faults_up_to_a_bound() {
    let soa = "@ 1 SOA . . 1 2 3 4 5\n";
    let folder = folder(&[
        ("two", &format!("{soa}a 1 A 1\na 1 A 1.1.1.1\nb 1 A 2\n")),
        (
            "many",
            &format!("{soa}{}", "a 1 A 1\n".repeat(FAULTS_MAX + 50)),
        ),
        ("none", "a 1 A 1.1.1.1"),
        ("bad", "a 1 A 1\nb 1 A 2"),
    ]);
    let path = |name: &str| folder.path().join(name);
    let cut = format!("{}/", folder.path().display());
    let open = |name| ZoneFileSource::open(&path(name), None);
    let faults = collect(&mut open("two").unwrap())
        .unwrap_err()
        .replace(&cut, "");
    assert_eq!(
        faults,
        "two:2:7: expected an IPv4 address, found `1`\ntwo:4:7: expected an IPv4 address, found `2`"
    );
    let faults = collect(&mut open("many").unwrap()).unwrap_err();
    assert_eq!(faults.lines().count(), FAULTS_MAX + 1);
    assert!(
        faults.ends_with("stopped after 100 faults, there may be more"),
        "{faults}"
    );
    let message = |name| open(name).unwrap_err().to_string().replace(&cut, "");
    assert_eq!(message("none"), "none:1:1: no SOA record in the file");
    assert_eq!(
        message("bad"),
        "bad:1:7: expected an IPv4 address, found `1`"
    );
    assert!(message("absent").ends_with("absent:1:1: No such file or directory (os error 2)"));
}

/// Counts from `awk '{print $4}' FILE | sort | uniq -c`, as named-checkzone and
/// ldns-read-zone read it too.
const ROOT_ZONE: [(RecordType, u64); 5] = [
    (RecordType::A, 4_227),
    (RecordType::NS, 7_350),
    (RecordType::SOA, 1),
    (RecordType::AAAA, 3_696),
    (RecordType::DS, 2_775),
];

#[test]
fn the_root_zone_is_read_whole_and_written_back() {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/reference");
    let reference = std::env::var("MERIDIAN_REFERENCE").unwrap_or_else(|_| default.to_owned());
    let path = Path::new(&reference).join("zones/root-2018-03-12.zone");
    if !path.exists() {
        #[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
        {
            eprintln!("SKIPPED: no {}, set MERIDIAN_REFERENCE", path.display());
        }
        return;
    }
    let mut source = ZoneFileSource::open(&path, None).unwrap();
    assert!(source.apex().is_root());
    let mut counts = BTreeMap::new();
    let mut text = String::new();
    let mut records = Vec::new();
    let mut sink = |record: Record| {
        *counts.entry(record.rtype).or_default() += 1;
        text.push_str(&format!("{record}\n"));
        records.push(record);
        Ok(())
    };
    source.for_each(&mut sink).unwrap();
    assert_eq!(counts, BTreeMap::from(ROOT_ZONE));
    let again: Vec<_> = reader(text.as_bytes()).collect::<Result<_, _>>().unwrap();
    assert_eq!(again, records);
}

/// The corpus of the fuzz target `zone_file`, with what the target checks.
#[test]
fn the_fuzz_corpus_as_a_plain_test() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fuzz/corpus/zone_file"
    );
    let mut records = 0;
    for file in fs::read_dir(corpus).unwrap() {
        let path = file.unwrap().path();
        for record in reader(&fs::read(&path).unwrap()).flatten() {
            assert_eq!(rdata::validate(record.rtype, &record.rdata), Ok(()));
            let written = record.to_string();
            let again: Vec<_> = reader(written.as_bytes()).collect();
            assert!(
                matches!(&again[..], [Ok(again)] if *again == record),
                "{written}"
            );
            records += 1;
        }
    }
    assert!(records > 100, "{records}");
}
