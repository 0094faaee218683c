//! The example frames of the RFCs: what a registrar may say is read, the rest is refused
//! for what it is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use meridian::epp::{Request, xml};

use super::desk::Frame;
use crate::peers::reference;

/// Commands among the examples that are of objects or extensions which this server does
/// not offer, by the RFC that has them, with the code that says so.
const NOT_OFFERED: [(&str, u16, &str); 12] = [
    ("rfc8334", 2103, "launch phases: their place is kept"),
    ("rfc8543", 2307, "organizations as objects"),
    ("rfc8544", 2103, "organizations of domains"),
    ("rfc8748", 2103, "fees: their place is kept"),
    ("rfc9167", 2307, "maintenance: its place is kept"),
    ("rfc9803", 2103, "TTL: its place is kept"),
    ("rfc9873", 2103, "a second e-mail address"),
    ("rfc5910-04", 2102, "lives of signatures"),
    ("rfc5910-05", 2102, "lives of signatures"),
    ("rfc5910-08", 2102, "lives of signatures"),
    ("rfc5910-09", 2102, "lives of signatures"),
    ("rfc5910-12", 2102, "urgent changes"),
];

/// All examples by name.
pub(crate) fn all() -> Option<BTreeMap<String, Vec<u8>>> {
    let one: PathBuf = reference("examples/rfc5730-01.xml")?;
    let files = std::fs::read_dir(one.parent().unwrap()).unwrap();
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read(path).unwrap())
    };
    Some(files.map(read).collect())
}

/// Whether a client says it.
fn is_of_client(octets: &[u8]) -> bool {
    let root = xml::read(octets).unwrap();
    root.is_epp("epp")
        && ["hello", "command"]
            .iter()
            .any(|name| root.child(name).is_some())
}

/// Those that were read, for the schemas.
pub(crate) fn accepted() -> Option<Vec<Frame>> {
    let examples = all()?.into_iter();
    let read = examples.filter(|(_, octets)| Request::read(octets).is_ok());
    let frame = |(name, octets)| Frame {
        name,
        xml: String::from_utf8(octets).unwrap(),
    };
    Some(read.map(frame).collect())
}

#[test]
fn every_example_is_read_or_is_of_something_that_is_not_offered() {
    let Some(examples) = all() else {
        return;
    };
    assert_eq!(examples.len(), 189);
    let (mut read, mut refused, mut of_servers) = (0, 0, 0);
    let mut faults = Vec::new();
    for (name, octets) in &examples {
        if !is_of_client(octets) {
            of_servers += 1;
            continue;
        }
        match Request::read(octets) {
            Ok(_) => read += 1,
            Err(refusal) => {
                refused += 1;
                let code = refusal.fault.code.number();
                let is_expected = |(start, expected, _): &&(&str, u16, &str)| {
                    name.starts_with(start) && *expected == code
                };
                if !NOT_OFFERED.iter().any(|listed| is_expected(&listed)) {
                    faults.push(format!("{name}: {}", refusal.fault));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    eprintln!("{read} commands read, {refused} not offered, {of_servers} frames of servers");
}
