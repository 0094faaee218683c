//! Our reader of commands beside the schemas: examples of the RFCs are changed, one part
//! each, and what the one takes the other has to take.
//!
//! What we refuse is another matter where it is a value (2005 and others): policy and the
//! registry's own types ask for more than the schemas do. What we call malformed (2001) the
//! schemas must not have.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use meridian::epp::{Code, Request};
use roxmltree::{Document, Node};

use super::super::{reference, wanted};
use super::BATCH;
use crate::epp::examples;

/// Elements whose type the schemas leave open, so that they might have anything; nothing
/// says what it would mean.
const OPEN: [&str; 6] = ["email", "fax", "hello", "logout", "null", "voice"];
/// Texts that take the place of another.
const TEXTS: [&str; 6] = ["", "x", " ", "0", "-1", "a b"];
/// What may stand in no command at any place.
const FOREIGN: &str = "<x xmlns=\"urn:x\"/>";

/// A document with some of its octets exchanged.
fn with(xml: &str, range: Range<usize>, text: &str) -> String {
    format!("{}{text}{}", &xml[..range.start], &xml[range.end..])
}

/// Where what is in an element stands.
fn content(node: Node<'_, '_>) -> Option<Range<usize>> {
    Some(node.first_child()?.range().start..node.last_child()?.range().end)
}

/// Every document that differs in one part.
fn changes(xml: &str) -> Vec<String> {
    let document = Document::parse(xml).unwrap();
    let mut changed = Vec::new();
    for node in document.descendants().filter(Node::is_element) {
        let range = node.range();
        let own = &xml[range.clone()];
        if node != document.root_element() {
            changed.push(with(xml, range.clone(), ""));
            changed.push(with(xml, range.clone(), &own.repeat(2)));
        }
        if let Some(next) = node.next_sibling_element() {
            let other = &xml[next.range()];
            let between = &xml[range.end..next.range().start];
            let swapped = format!("{other}{between}{own}");
            changed.push(with(xml, range.start..next.range().end, &swapped));
        }
        let name_end = range.start + own.find([' ', '>', '/', '\n']).unwrap();
        changed.push(with(xml, name_end..name_end, " z=\"z\""));
        if let Some(content) = content(node) {
            changed.push(with(xml, content.start..content.start, FOREIGN));
            changed.push(with(xml, content.end..content.end, FOREIGN));
            let texts = TEXTS.iter().map(|text| with(xml, content.clone(), text));
            changed.extend(texts);
            changed.push(with(xml, content, &"x".repeat(300)));
        }
        for attribute in node.attributes() {
            changed.push(with(xml, attribute.range(), ""));
            let texts = TEXTS.iter();
            changed.extend(texts.map(|text| with(xml, attribute.range_value(), text)));
        }
    }
    changed
}

/// Which of the documents validate.
fn verdicts(folder: &Path, frames: &[String]) -> Option<BTreeMap<usize, bool>> {
    let schema = reference("xsd/all.xsd")?;
    let mut verdicts = BTreeMap::new();
    let numbers: Vec<_> = (0..frames.len()).collect();
    for numbers in numbers.chunks(BATCH) {
        let mut command = Command::new("xmllint");
        command.current_dir(folder);
        command
            .args(["--noout", "--nonet", "--schema"])
            .arg(&schema);
        for number in numbers {
            std::fs::write(folder.join(number.to_string()), &frames[*number]).unwrap();
            command.arg(number.to_string());
        }
        let said = command.output().unwrap().stderr;
        for line in String::from_utf8_lossy(&said).lines() {
            let ends = [(" validates", true), (" fails to validate", false)];
            for (end, is_valid) in ends {
                let number = line.strip_suffix(end).and_then(|file| file.parse().ok());
                verdicts.extend(number.map(|number: usize| (number, is_valid)));
            }
        }
    }
    Some(verdicts)
}

#[test]
fn reader_and_schemas_agree_about_changed_examples() {
    if !wanted(&["xmllint"]) {
        return;
    }
    let Some(examples) = examples::accepted() else {
        return;
    };
    let changed = examples.iter().flat_map(|example| changes(&example.xml));
    let changed: Vec<_> = changed.collect();
    let folder = tempfile::tempdir().unwrap();
    let Some(verdicts) = verdicts(folder.path(), &changed) else {
        return;
    };
    assert_eq!(verdicts.len(), changed.len());
    let (mut faults, mut taken, mut malformed) = (Vec::new(), 0, 0);
    for (frame, is_valid) in changed.iter().zip(verdicts.values()) {
        match Request::read(frame.as_bytes()) {
            Ok(_) if *is_valid => taken += 1,
            Ok(_) => faults.push(format!("taken, and does not validate: {frame}")),
            Err(refused) if refused.fault.code == Code::CommandSyntax => match is_valid {
                true if OPEN.contains(&&*refused.fault.element) => {}
                true => faults.push(format!("{}, and validates: {frame}", refused.fault)),
                false => malformed += 1,
            },
            Err(_) => {}
        }
    }
    eprintln!(
        "{} frames: {taken} taken, {malformed} malformed",
        changed.len()
    );
    assert!(
        faults.is_empty(),
        "{}",
        faults.join(
            "
"
        )
    );
    assert!(taken > 800 && malformed > 4000, "{taken} {malformed}");
}
