use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;

/// A certificate that rcgen makes ends when it was told to.
#[track_caller]
fn check(year: i32, month: u8, day: u8) {
    let mut params = CertificateParams::new(vec!["ns.example".to_owned()]).unwrap();
    params.not_before = date_time_ymd(1971, 2, 3);
    params.not_after = date_time_ymd(year, month, day);
    let expected = u64::try_from(params.not_after.unix_timestamp()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let found = expires_at(certificate.der());
    assert_eq!(found, Some(expected), "{year}-{month}-{day}");
}

#[test]
fn both_kinds_of_time_and_leap_days() {
    for (year, month, day) in [
        (1999, 12, 31),
        (2000, 2, 29),
        (2026, 1, 1),
        (2028, 2, 29),
        (2049, 12, 31),
        (2050, 1, 1),
        (2100, 3, 1),
        (9999, 12, 31),
    ] {
        check(year, month, day);
    }
}

#[test]
fn whatever_is_cut_or_changed_is_no_reason_to_panic() {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["ns.example".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let der = certificate.der().to_vec();
    assert!(expires_at(&der).is_some());
    for length in 0..der.len() {
        assert_eq!(expires_at(&der[..length]), None, "{length} octets");
    }
    for at in 0..der.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut changed = der.clone();
            changed[at] ^= flip;
            expires_at(&changed);
        }
    }
}

#[test]
fn times_that_are_none() {
    for text in [
        "1301000000Z",
        "0132000000Z",
        "0101240000Z",
        "0101000000",
        "010100000xZ",
    ] {
        assert_eq!(seconds(2026, text.as_bytes()), None, "{text}");
    }
    assert_eq!(seconds(1960, b"0101000000Z"), Some(0));
}
