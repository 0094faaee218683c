//! Frames of zones with other models of hosts and of DS, of warnings, and of the client's
//! templates, held against the schemas by xmllint.

use super::epp::validate;
use super::wanted;
use crate::epp::desk::Frame;
use crate::epp::{attributes, keys, notes};
use crate::support::Folder;

#[test]
fn frames_of_attributes_keys_and_warnings_validate() {
    if wanted(&["xmllint"]) {
        validate(&attributes::shown());
        validate(&keys::shown());
        validate(&notes::told());
    }
}

/// What stands for a key that a schema asks for more than a text.
const VALUES: [(&str, &str); 10] = [
    ("YEARS", "2"),
    ("TAG", "1"),
    ("ALGORITHM", "13"),
    ("TYPE", "2"),
    ("DIGEST", "ABCD"),
    ("EXPIRES", "2027-01-31"),
    ("STATUS", "clientHold"),
    ("FAMILY", "v4"),
    ("VOICE", "+31.201234567"),
    ("COUNTRY", "NL"),
];

#[test]
fn templates_of_the_client_validate() {
    if !wanted(&["xmllint"]) {
        return;
    }
    let folder = Folder::new();
    let list = folder.succeed(&["epp-client", "--templates"]);
    let frames: Vec<_> = list
        .lines()
        .map(|line| {
            let mut words = line.split_whitespace();
            let name = words.next().unwrap();
            let mut xml = folder.succeed(&["epp-client", "--templates", name]);
            for key in words {
                let value = VALUES.iter().find(|(known, _)| *known == key);
                let value = value.map_or("Some-text", |(_, value)| value);
                xml = xml.replace(&format!("{{{key}}}"), value);
            }
            let name = name.to_owned();
            Frame { name, xml }
        })
        .collect();
    assert!(frames.len() > 30, "{list}");
    validate(&frames);
}
