//! `tests/rdapct.md` has every code of the conformance tool, and names tests that are there.

use std::path::Path;

use crate::peers::reference;

const TABLE: &str = include_str!("../../rdapct.md");

/// Pairs of first and last code of the table.
fn ranges() -> Vec<(u32, u32)> {
    let number = |text: &str| text.trim().trim_start_matches('-').parse().unwrap();
    let cells = TABLE
        .lines()
        .filter_map(|line| line.strip_prefix("| -")?.split('|').next());
    let mut ranges = Vec::new();
    for part in cells.flat_map(|cell| cell.split(',')) {
        let (first, last) = part.split_once(" to ").unwrap_or((part, part));
        ranges.push((number(first), number(last)));
    }
    ranges
}

#[test]
fn every_code_of_the_conformance_tool_is_in_the_table() {
    let Some(file) = reference("rdap/rdapct-codes.md") else {
        return;
    };
    let list = std::fs::read_to_string(file).unwrap();
    let codes = list
        .lines()
        .filter_map(|line| line.strip_prefix("- `-")?.split('`').next());
    let codes: Vec<u32> = codes.filter_map(|code| code.parse().ok()).collect();
    assert!(codes.len() > 300, "{}", codes.len());
    let ranges = ranges();
    let is_there = |code: &u32| {
        ranges
            .iter()
            .any(|(first, last)| (first..=last).contains(&code))
    };
    let missing: Vec<_> = codes.iter().filter(|code| !is_there(code)).collect();
    assert_eq!(missing, [] as [&u32; 0]);
}

#[test]
fn every_test_that_the_table_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = String::new();
    for file in [
        "src/rdap/tests.rs",
        "src/rdap/path/tests.rs",
        "src/lookup/tests.rs",
        "src/lookup/names/tests.rs",
        "src/registry/types/contact/tests.rs",
        "tests/it/lookup.rs",
        "tests/it/lookup/rst.rs",
        "tests/it/peers/lookup.rs",
    ] {
        tests.push_str(&std::fs::read_to_string(root.join(file)).unwrap());
    }
    let mut named = 0;
    for name in TABLE.split('`').skip(1).step_by(2) {
        let is_test = name.contains('_') && !name.contains([':', '/', ' ']);
        if is_test {
            named += 1;
            assert!(tests.contains(&format!("fn {name}()")), "{name}");
        }
    }
    assert!(named > 50, "{named}");
}
