//! What is no RDATA, with the message it gives: `refused_text.tsv` has type, text and
//! message, `refused_octets.tsv` type, octets in hex and message.

use super::{hex, rtype, scan_text};
use crate::rdata::validate;

const TEXTS: &str = include_str!("refused_text.tsv");
const OCTETS: &str = include_str!("refused_octets.tsv");

#[track_caller]
fn check(mnemonic: &str, text: &str, expected: &str) {
    match scan_text(rtype(mnemonic), text) {
        Ok(_) => panic!("{mnemonic} {text} is read"),
        Err(error) => assert_eq!(error.to_string(), expected, "{mnemonic} {text}"),
    }
}

#[track_caller]
fn check_octets(mnemonic: &str, wire: &str, expected: &str) {
    match validate(rtype(mnemonic), &hex(wire)) {
        Ok(()) => panic!("{mnemonic} {wire} is valid"),
        Err(error) => assert_eq!(error.to_string(), expected, "{mnemonic} {wire}"),
    }
}

/// The cases of a table, each of three columns.
fn cases(table: &'static str) -> impl Iterator<Item = [&'static str; 3]> {
    table.lines().map(|case| {
        let columns: Vec<_> = case.split('\t').collect();
        columns
            .try_into()
            .unwrap_or_else(|_| panic!("not three columns: {case}"))
    })
}

#[test]
fn texts() {
    for [mnemonic, text, message] in cases(TEXTS) {
        check(mnemonic, text, message);
    }
}

#[test]
fn octets() {
    for [mnemonic, wire, message] in cases(OCTETS) {
        check_octets(mnemonic, wire, message);
    }
}

#[test]
fn what_is_too_long_or_not_printable() {
    check("TXT", &"x".repeat(256), "string is longer than 255 octets");
    check(
        "TXT",
        &"x ".repeat(40_000),
        "record data is longer than 65535 octets",
    );
    check(
        "TXT",
        &" ".repeat(2 << 20),
        "record data is longer than 65535 octets",
    );
    check("NS", "\u{1}..", "`\\001..`: empty label");
    let (long, shown) = ("9".repeat(60), "9".repeat(40));
    check(
        "A",
        &long,
        &format!("expected an IPv4 address, found `{shown}...`"),
    );
}
