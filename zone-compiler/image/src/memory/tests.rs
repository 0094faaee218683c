use std::io::Write;

use super::*;

/// A file of three huge pages less an octet, no two pages of it alike.
fn file() -> (File, Vec<u8>) {
    let octets: Vec<u8> = (0..3 * HUGE_PAGE - 1)
        .map(|at| (at % 251).to_le_bytes()[0] ^ (at >> 12).to_le_bytes()[0])
        .collect();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&octets).unwrap();
    (file, octets)
}

#[test]
fn a_memfd_and_anonymous_memory_hold_the_file() {
    let (file, octets) = file();
    for sealed in [
        Sealed::copy_to_memfd(&file, octets.len(), Team::ALONE).unwrap(),
        Sealed::copy_to_anonymous(&file, octets.len(), Team::ALONE).unwrap(),
        Sealed::copy_to_memfd(&file, octets.len(), Team::of(3)).unwrap(),
        Sealed::copy_to_anonymous(&file, octets.len(), Team::of(3)).unwrap(),
        Sealed::copy(&file, Team::of(2)).unwrap(),
    ] {
        assert!(sealed.as_slice() == octets);
        assert!(sealed.as_slice().as_ptr().addr().is_multiple_of(HUGE_PAGE));
        let huge_page = HUGE_PAGE as u64;
        assert!(sealed.huge_bytes <= 3 * huge_page);
        assert!(sealed.huge_bytes.is_multiple_of(huge_page));
    }
}

#[test]
fn what_is_served_does_not_shrink_with_its_file() {
    let (file, octets) = file();
    let sealed = Sealed::copy(&file, Team::of(2)).unwrap();
    file.set_len(0).unwrap();
    assert!(sealed.as_slice() == octets);
}

#[test]
fn an_empty_file_is_an_empty_slice() {
    let file = tempfile::tempfile().unwrap();
    assert!(
        Sealed::copy(&file, Team::of(2))
            .unwrap()
            .as_slice()
            .is_empty()
    );
}
