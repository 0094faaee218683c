//! The 74 sharp cases of DNS answers: each has a test that names its row, or stands
//! below as open.
//!
//! A test names rows at the start of its name: `row_7_..`, `rows_5_and_6_..`,
//! `rows_39_to_42_..`. Which case a row is stands in the list of expected answers that
//! the project keeps beside its reference data.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Rows of the list.
const ROWS: u32 = 74;

/// Rows without any test, and why.
const OPEN: [(u32, &str); 4] = [
    (67, "DNS over QUIC is not there"),
    (69, "nothing is served as a secondary, so no zone expires"),
    (70, "nothing watches how long signatures are still valid"),
    (72, "there is no XDP path, the kernel reassembles"),
];

/// Rows with a test of a part, and what the rest waits for.
const PARTLY: [(u32, &str); 3] = [
    (
        31,
        "IXFR is refused; its single SOA comes with zone transfer",
    ),
    (73, "a connection sees each swap whole; AXFR is not there"),
    (
        74,
        "RDATA keeps its case; the signer's canonical form has its own tests",
    ),
];

/// The rows that the name of a test starts with.
fn rows(name: &str) -> BTreeSet<u32> {
    let Some(rest) = name
        .strip_prefix("row_")
        .or_else(|| name.strip_prefix("rows_"))
    else {
        return BTreeSet::new();
    };
    let (mut found, mut last, mut range) = (BTreeSet::new(), 0, false);
    for word in rest.split('_') {
        match (word.parse(), word) {
            (Ok(number), _) if range => {
                found.extend(last..=number);
                range = false;
            }
            (Ok(number), _) => {
                found.insert(number);
                last = number;
            }
            (_, "to") => range = true,
            (_, "and") => {}
            _ => break,
        }
    }
    found
}

/// Calls `visit` with every Rust file below a folder.
fn each_source(folder: &Path, visit: &mut dyn FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_source(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            visit(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn names_of_tests_are_read() {
    let check = |name, expected: &[u32]| {
        assert_eq!(
            rows(name).into_iter().collect::<Vec<_>>(),
            expected,
            "{name}"
        );
    };
    check("row_7_a_cookie_without_a_question", &[7]);
    check("rows_5_and_6_question_counts", &[5, 6]);
    check("rows_51_and_54_to_56_wildcards", &[51, 54, 55, 56]);
    check("rows_22_to_24_cookies", &[22, 23, 24]);
    check("rowing", &[]);
}

#[test]
fn every_row_has_a_test_or_a_reason() {
    let mut covered = BTreeSet::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "tests/it", "zone-compiler/src"] {
        each_source(&root.join(folder), &mut |text| {
            let mut lines = text.lines().map(str::trim);
            while let Some(line) = lines.next() {
                let is_test = line == "#[test]" || line == "#[tokio::test]";
                let name = is_test
                    .then(|| lines.find(|line| !line.starts_with("#[")))
                    .flatten()
                    .and_then(|line| line.trim_start_matches("async ").strip_prefix("fn "))
                    .and_then(|rest| rest.split('(').next());
                covered.extend(name.map(rows).unwrap_or_default());
            }
        });
    }
    let open: BTreeSet<_> = OPEN.iter().map(|(row, _)| *row).collect();
    let all: BTreeSet<_> = (1..=ROWS).collect();
    let lost: Vec<_> = all
        .iter()
        .filter(|row| !covered.contains(row) && !open.contains(row))
        .collect();
    assert!(lost.is_empty(), "rows without test or reason: {lost:?}");
    let done: Vec<_> = open.intersection(&covered).collect();
    assert!(done.is_empty(), "rows that are no longer open: {done:?}");
    for (row, reason) in PARTLY {
        assert!(covered.contains(&row), "{row} has no test at all: {reason}");
    }
}
