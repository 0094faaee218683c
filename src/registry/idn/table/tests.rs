//! Tables of our own, made after the cases of RFC 7940, and what they say of labels.

mod faults;
mod judging;
mod properties;

use super::*;

/// A table of these inner parts.
fn xml(data: &str, rules: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<lgr xmlns="urn:ietf:params:xml:ns:lgr-1.0">
<meta><version>3</version><language>und-Test</language><unicode-version>6.3.0</unicode-version></meta>
<data>{data}</data>
<rules>{rules}</rules>
</lgr>"#
    )
}

#[track_caller]
fn table(data: &str, rules: &str) -> Table {
    match Table::parse(&xml(data, rules)) {
        Ok(table) => table,
        Err(fault) => panic!("{fault}"),
    }
}

fn judge(table: &Table, label: &str) -> Result<String, String> {
    let label: Vec<char> = label.chars().collect();
    table.judge(&label).map_err(|refusal| refusal.to_string())
}

#[track_caller]
fn takes(table: &Table, labels: &[&str]) {
    for label in labels {
        assert!(
            judge(table, label).is_ok(),
            "{label}: {:?}",
            judge(table, label)
        );
    }
}

#[track_caller]
fn refuses(table: &Table, labels: &[&str], reason: &str) {
    for label in labels {
        let refusal = judge(table, label).expect_err(label);
        assert!(refusal.contains(reason), "{label}: {refusal}");
    }
}
