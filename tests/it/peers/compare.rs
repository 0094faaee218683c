//! Two replies side by side, and lists of questions for the root zone.

use std::collections::BTreeSet;
use std::path::Path;

use hickory_proto::rr::RecordType;

use super::client::{Question, Reply};

/// Differences shown of each kind; more only say how many they are.
pub(super) const SHOWN_MAX: usize = 10;

/// What differs between two replies to one question, one line each.
pub(super) fn differences(one: &Reply, two: &Reply) -> Vec<String> {
    let mut found = Vec::new();
    let mut flag = |name: &str, one: String, two: String| {
        if one != two {
            found.push(format!("{name} {one} / {two}"));
        }
    };
    flag("rcode", one.rcode.to_string(), two.rcode.to_string());
    flag(
        "AA",
        one.authoritative.to_string(),
        two.authoritative.to_string(),
    );
    flag("TC", one.truncated.to_string(), two.truncated.to_string());
    flag("OPT", one.edns.to_string(), two.edns.to_string());
    let sections = [
        ("answer", &one.answers, &two.answers),
        ("authority", &one.authorities, &two.authorities),
        ("additional", &one.additionals, &two.additionals),
    ];
    for (name, one, two) in sections {
        let lines = |set: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<String> {
            set.difference(other).cloned().collect()
        };
        let (more, less) = (lines(one, two), lines(two, one));
        if !more.is_empty() || !less.is_empty() {
            found.push(format!(
                "{name} only first: {more:?}, only second: {less:?}"
            ));
        }
    }
    found
}

/// The TLDs of the root zone file: owners with one label that have NS records.
pub(super) fn top_level_domains(zone_file: &Path) -> anyhow::Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(zone_file)?;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if let (Some(owner), Some("NS")) = (words.next(), words.nth(2))
            && owner.matches('.').count() == 1
            && owner != "."
        {
            found.insert(owner.to_owned());
        }
    }
    Ok(found)
}

/// For each TLD its NS, its DS and the address of a name below it.
pub(super) fn questions(tlds: &BTreeSet<String>, payload: Option<u16>) -> Vec<Question> {
    let of = |tld: &String| {
        [
            Question {
                name: tld.clone(),
                rtype: RecordType::NS,
                payload,
            },
            Question {
                name: tld.clone(),
                rtype: RecordType::DS,
                payload,
            },
            Question {
                name: format!("name.below.{tld}"),
                rtype: RecordType::A,
                payload,
            },
        ]
    };
    tlds.iter().flat_map(of).collect()
}
