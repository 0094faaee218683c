//! Reading records out of messages: good ones and pointers that lead nowhere.

use super::*;

#[track_caller]
fn check(message: &[u8], at: usize, expected: Result<&str, usize>) {
    let read = read_name(message, at)
        .map(|(name, _)| name.to_string())
        .map_err(|fault| fault.0);
    assert_eq!(read, expected.map(str::to_owned));
}

#[test]
fn names_with_pointers() {
    let message = b"\x01a\x00\x01b\xc0\x00\xc0\x03";
    check(message, 0, Ok("a."));
    check(message, 3, Ok("b.a."));
    check(message, 7, Ok("b.a."));
}

#[test]
fn pointers_that_lead_nowhere() {
    check(b"\xc0\x00", 0, Err(0));
    check(b"\xc0\x05\x00", 0, Err(0));
    // The pointer leads back to a name that ends in the same pointer.
    check(b"\x01a\xc0\x00", 2, Err(2));
    check(b"\xc0", 0, Err(0));
    check(b"\x05ab", 0, Err(0));
    check(b"\x40a", 0, Err(0));
}

#[test]
fn records_that_are_cut_off() {
    let whole = b"\x00\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01";
    assert_eq!(
        read_record(whole, 0).unwrap().0.to_string(),
        ".\t60\tIN\tA\t192.0.2.1"
    );
    for length in 0..whole.len() {
        assert!(read_record(&whole[..length], 0).is_err(), "{length} octets");
    }
}
