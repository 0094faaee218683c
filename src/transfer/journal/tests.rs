use std::path::Path;

use tempfile::TempDir;
use zone_image::Name;

use super::{Journal, Limits, read};
use crate::transfer::difference::{Difference, Flat};
use crate::transfer::key::parse_name;
use crate::transfer::testing::records;

const LIMITS: Limits = Limits {
    zone_bytes_max: 1 << 20,
    age_seconds_max: 1000,
};

fn apex() -> Name {
    parse_name("tld").unwrap()
}

/// From a serial to the next.
fn change(from: u32) -> Difference {
    let flat = |text: String| Flat::new(&records(&text)[0]);
    let soa = |serial| flat(format!("tld. 60 SOA a. b. {serial} 2 3 4 5"));
    let record = |number| flat(format!("n{number}.tld. 60 TXT \"{}\"", "x".repeat(50)));
    Difference {
        from: soa(from),
        to: soa(from.wrapping_add(1)),
        removed: [record(from)].into(),
        added: [record(from.wrapping_add(1))].into(),
    }
}

fn open(directory: &Path) -> Journal {
    Journal::open(directory, LIMITS).unwrap()
}

#[track_caller]
fn check_path(journal: &Journal, from: u32, to: u32, expected: Option<&[u32]>) {
    let path = journal.path(&apex(), from, to);
    let read = path.map(|(files, _)| {
        files
            .iter()
            .map(|file| read(file).unwrap())
            .collect::<Vec<_>>()
    });
    let expected = expected.map(|serials| serials.iter().map(|serial| change(*serial)).collect());
    assert_eq!(read, expected);
}

#[test]
fn changes_lead_from_one_serial_to_the_next_and_survive_a_restart() {
    let directory = TempDir::new().unwrap();
    let mut journal = open(directory.path());
    // Over the end of the numbers.
    let start = u32::MAX - 1;
    for step in 0..4 {
        journal
            .append(&apex(), &change(start.wrapping_add(step)), 5)
            .unwrap();
    }
    for journal in [journal, open(directory.path())] {
        assert_eq!(journal.serial(&apex()), Some(2));
        check_path(&journal, start, 2, Some(&[start, u32::MAX, 0, 1]));
        check_path(&journal, 1, 2, Some(&[1]));
        // No change leads there, or from there.
        check_path(&journal, start, 1, None);
        check_path(&journal, 2, 2, None);
        check_path(&journal, 77, 2, None);
        assert!(journal.path(&parse_name("other").unwrap(), 0, 1).is_none());
    }
}

#[test]
fn what_is_too_old_or_too_much_is_forgotten() {
    let directory = TempDir::new().unwrap();
    let mut journal = open(directory.path());
    for step in 0..3 {
        journal
            .append(&apex(), &change(step), u64::from(step) * 600)
            .unwrap();
    }
    check_path(&journal, 1, 3, Some(&[1, 2]));
    check_path(&journal, 0, 3, None);
    let each = journal.bytes() / 2;
    let limits = Limits {
        zone_bytes_max: 3 * each,
        ..LIMITS
    };
    let mut journal = Journal::open(directory.path(), limits).unwrap();
    for step in 3..10 {
        journal.append(&apex(), &change(step), 1200).unwrap();
        assert!(journal.bytes() <= 3 * each + 8, "{}", journal.bytes());
    }
    check_path(&journal, 8, 10, Some(&[8, 9]));
    let files = std::fs::read_dir(directory.path().join("03746c6400")).unwrap();
    assert!(files.count() <= 3);
}

#[test]
fn a_gap_forgets_what_was_before_it() {
    let directory = TempDir::new().unwrap();
    let mut journal = open(directory.path());
    for step in [0, 1, 5] {
        journal.append(&apex(), &change(step), 5).unwrap();
    }
    for journal in [journal, open(directory.path())] {
        check_path(&journal, 0, 6, None);
        check_path(&journal, 5, 6, Some(&[5]));
    }
    let mut journal = open(directory.path());
    journal.begin(&apex(), 6).unwrap();
    check_path(&journal, 5, 6, Some(&[5]));
    // The image was replaced while nobody looked.
    journal.begin(&apex(), 9).unwrap();
    assert_eq!(journal.serial(&apex()), None);
    assert_eq!(open(directory.path()).serial(&apex()), None);
}

/// Whoever is killed leaves a file without its name; a disk leaves what it will.
#[test]
fn broken_files_are_removed_and_so_is_what_led_to_them() {
    let directory = TempDir::new().unwrap();
    let mut journal = open(directory.path());
    for step in 0..4 {
        journal.append(&apex(), &change(step), 5).unwrap();
    }
    let folder = directory.path().join("03746c6400");
    std::fs::write(folder.join("00000000000000000009.new"), b"half").unwrap();
    let (files, _) = journal.path(&apex(), 1, 4).unwrap();
    let whole = std::fs::read(&files[0]).unwrap();
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 1;
        std::fs::write(&files[0], &broken).unwrap();
        assert!(read(&files[0]).is_err(), "octet {at}");
        std::fs::write(&files[0], &whole[..at]).unwrap();
        assert!(read(&files[0]).is_err(), "cut at {at}");
    }
    let journal = open(directory.path());
    check_path(&journal, 0, 4, None);
    check_path(&journal, 2, 4, Some(&[2, 3]));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
}
