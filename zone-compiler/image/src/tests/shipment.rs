//! An image that another machine made: put together from its files, it is the same; with
//! anything wrong in them it is not installed.

use super::*;
use crate::shipment::{GenerationFile, check_segment_file, segment_file_name};
use crate::writer::Staged;

/// Copies the segments of one directory into another.
fn ship(from: &Path, to: &Path) -> GenerationFile {
    let file = GenerationFile::read(from).unwrap();
    for segment in file.segments() {
        let name = segment_file_name(&segment.digest);
        std::fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
    file
}

#[test]
fn what_was_received_is_what_was_sent() {
    let sent = limited_image(&[("example.", 7, 3000)], 100_000);
    let original = open(sent.path()).unwrap();
    let directory = TempDir::new().unwrap();
    let file = ship(sent.path(), directory.path());
    assert_eq!(file.digest(), original.digest());
    assert_eq!(file.octets(), original.file());
    assert_eq!((file.number(), file.event()), (1, 7));
    for segment in file.segments() {
        let octets = original.segment_octets(&segment.digest).unwrap();
        assert_eq!(octets.len() as u64, segment.bytes);
        let path = sent.path().join(segment_file_name(&segment.digest));
        assert_eq!(octets, std::fs::read(path).unwrap());
    }
    let staged = Staged::received(directory.path(), file).unwrap();
    // A generation without anything is no hindrance to one with something.
    let empty = Generation::empty();
    let opened = staged.open(Memory::Sealed, Some(&empty)).unwrap();
    assert_eq!(
        look(&opened, "d17.example."),
        look(&original, "d17.example.")
    );
    staged.install().unwrap();
    assert_eq!(open(directory.path()).unwrap().digest(), original.digest());
}

#[test]
fn nothing_is_installed_without_its_segments() {
    let sent = image(&[("example.", 7, 30)]);
    let file = GenerationFile::read(sent.path()).unwrap();
    let directory = image(&[("other.", 1, 3)]);
    let staged = Staged::received(directory.path(), file).unwrap();
    assert!(matches!(
        staged.open(Memory::Mapped, None),
        Err(OpenError::Io { .. })
    ));
    drop(staged);
    assert_eq!(open(directory.path()).unwrap().event(), 1);
}

#[test]
fn an_empty_generation_answers_for_nothing() {
    let empty = Generation::empty();
    assert_eq!(
        (empty.zones_count(), empty.bytes(), empty.file()),
        (0, 0, &[][..])
    );
    assert!(empty.zones().is_empty());
    let name = LookupName::parse(&wire("www.example.")).unwrap();
    assert!(empty.find_zone(&name, name.labels()).is_none());
    assert!(empty.zone(&wire("example.")).is_none());
}

#[test]
fn a_segment_file_is_right_or_refused() {
    let directory = image(&[("example.", 7, 300)]);
    let file = GenerationFile::read(directory.path()).unwrap();
    let segment = &file.segments()[0];
    let path = directory.path().join(segment_file_name(&segment.digest));
    check_segment_file(&path, segment).unwrap();
    let good = std::fs::read(&path).unwrap();
    let bad = directory.path().join("bad");
    let flip = |at: usize| {
        let mut octets = good.clone();
        octets[at] ^= 0x10;
        octets
    };
    let mut longer = good.clone();
    longer.push(0);
    let short = good[..good.len() - 1].to_vec();
    let all = (0..good.len())
        .step_by(97)
        .map(flip)
        .chain([longer, short, Vec::new()]);
    for octets in all {
        std::fs::write(&bad, octets).unwrap();
        assert!(check_segment_file(&bad, segment).is_err());
    }
    let mut octets = file.octets().to_vec();
    for at in 0..octets.len() {
        octets[at] ^= 1;
        assert!(GenerationFile::parse(octets.clone()).is_err(), "at {at}");
        octets[at] ^= 1;
    }
    assert!(GenerationFile::parse(octets).is_ok());
}
