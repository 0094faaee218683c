//! Every frame that the tests of EPP read or write is held against the schemas by xmllint.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod changed;

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{reference, wanted};
use crate::epp::desk::Frame;
use crate::epp::{examples, life, recorder, rst};

/// Frames that one run of xmllint is given.
const BATCH: usize = 500;
/// Fewest frames that the live tests say and hear.
const LIVE_MIN: usize = 2000;

/// Validates all frames; those that do not are shown.
pub(super) fn validate(frames: &[Frame]) {
    let folder = tempfile::tempdir().unwrap();
    for (number, frame) in frames.iter().enumerate() {
        let file = format!("{number:05}-{}.xml", frame.name);
        std::fs::write(folder.path().join(file), &frame.xml).unwrap();
    }
    assert_eq!(validate_folder(folder.path()), frames.len());
}

/// Validates the files of a folder whose names end in `.xml`; how many they are.
pub(super) fn validate_folder(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "xml"));
    files.sort();
    if let Some(schema) = reference("xsd/all.xsd") {
        files
            .chunks(BATCH)
            .for_each(|files| validate_files(&schema, files));
    }
    files.len()
}

fn validate_files(schema: &Path, files: &[PathBuf]) {
    let mut command = Command::new("xmllint");
    command
        .args(["--noout", "--nonet", "--schema"])
        .arg(schema)
        .args(files);
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
    assert_eq!(valid, files.len());
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

/// They ran before: `tests/run` keeps what they say and hear.
#[test]
fn frames_of_the_live_tests_validate() {
    if !wanted(&["xmllint"]) {
        return;
    }
    let Some(folder) = std::env::var_os(recorder::FOLDER) else {
        eprintln!("SKIPPED: tests/run --peers keeps frames, and says where");
        return;
    };
    let count = validate_folder(Path::new(&folder));
    eprintln!("{count} frames of live tests");
    // A developer may have run few of them.
    let is_whole = std::env::var_os("CI").is_some();
    assert!(!is_whole || count >= LIVE_MIN, "{count}");
}

#[test]
fn examples_that_are_read_validate() {
    if wanted(&["xmllint"])
        && let Some(frames) = examples::accepted()
        && let Some(one) = reference("examples/rfc5730-01.xml")
    {
        assert_eq!(frames.len(), 48);
        validate(&frames);
        // And so do those that only servers say, or that are of what is not offered.
        assert_eq!(validate_folder(one.parent().unwrap()), 189);
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
