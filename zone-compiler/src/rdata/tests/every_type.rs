//! A check or more for every type that has fields: `every_type.tsv` has type, text,
//! octets, and how they are written (`=` where that is the text again). The octets
//! are those of BIND's named-rrchecker where it knows the type, else by hand.

use std::collections::BTreeSet;

use super::check;
use crate::RecordType;
use crate::rdata::table::{self, Form};

const CASES: &str = include_str!("every_type.tsv");

#[test]
fn every_type_both_ways() {
    for case in CASES.lines() {
        let [mnemonic, text, wire, printed] = case.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not four columns: {case}");
        };
        let printed = if printed == "=" { text } else { printed };
        check(mnemonic, text, wire, printed);
    }
}

#[test]
fn no_type_with_fields_is_left_out() {
    let checked: BTreeSet<_> = CASES
        .lines()
        .filter_map(|case| case.split('\t').next())
        .collect();
    for rtype in (0..=u16::MAX).map(RecordType) {
        if matches!(table::form(rtype), Form::Fields(_)) {
            let mnemonic = rtype.mnemonic().unwrap();
            assert!(checked.contains(mnemonic), "{mnemonic} has no case");
        }
    }
}
