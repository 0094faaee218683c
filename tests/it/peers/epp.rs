//! Every frame that the tests of EPP read or write is held against the schemas by xmllint.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::process::Command;

use super::{reference, wanted};
use crate::epp::desk::Frame;
use crate::epp::{examples, life, rst};

/// Frames that one run of xmllint is given.
const BATCH: usize = 500;

/// Validates all frames; those that do not are shown.
fn validate(frames: &[Frame]) {
    let Some(schema) = reference("xsd/all.xsd") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for frames in frames.chunks(BATCH) {
        let mut command = Command::new("xmllint");
        command
            .args(["--noout", "--nonet", "--schema"])
            .arg(&schema);
        for (number, frame) in frames.iter().enumerate() {
            let file = folder.path().join(format!("{number}-{}.xml", frame.name));
            std::fs::write(&file, &frame.xml).unwrap();
            command.arg(file);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let faults: Vec<_> = said
            .lines()
            .filter(|line| !line.ends_with(" validates"))
            .collect();
        assert!(output.status.success() && faults.is_empty(), "{faults:#?}");
        let valid = said
            .lines()
            .filter(|line| line.ends_with(" validates"))
            .count();
        assert_eq!(valid, frames.len());
    }
}

#[test]
fn frames_of_a_life_validate() {
    if wanted(&["xmllint"]) {
        validate(&life::run());
    }
}

#[test]
fn frames_of_the_vectors_validate() {
    if wanted(&["xmllint"])
        && let Some((_, frames)) = rst::run()
    {
        validate(&frames);
    }
}

#[test]
fn examples_that_are_read_validate() {
    if wanted(&["xmllint"])
        && let Some(frames) = examples::accepted()
    {
        assert_eq!(frames.len(), 46);
        validate(&frames);
    }
}

#[test]
fn what_is_read_as_xml_is_well_formed() {
    if !wanted(&["xmllint"]) {
        return;
    }
    let is_read = |frame: &Vec<u8>| meridian::epp::xml::read(frame).is_ok();
    let read: Vec<_> = crate::fuzz::changed_frames(20_000)
        .filter(is_read)
        .collect();
    assert!(read.len() > 500, "{}", read.len());
    let folder = tempfile::tempdir().unwrap();
    let mut faults = Vec::new();
    for frames in read.chunks(BATCH) {
        let mut command = Command::new("xmllint");
        command.args(["--noout", "--nonet"]);
        for (number, frame) in frames.iter().enumerate() {
            let file = folder.path().join(format!("{number}.xml"));
            std::fs::write(&file, frame).unwrap();
            command.arg(file);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        // That a namespace is a URI is no rule of XML, and no such one is of EPP.
        let errors = said.lines().filter(|line| line.contains("parser error"));
        faults.extend(errors.map(str::to_owned));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
