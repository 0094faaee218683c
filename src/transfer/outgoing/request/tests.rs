use super::{could_be_transfer, is_newer};
use crate::transfer::testing::question;

#[test]
fn serials_are_compared_as_rfc_1982_says() {
    for (serial, than, newer) in [
        (1, 0, true),
        (0, 1, false),
        (5, 5, false),
        (0, u32::MAX, true),
        (u32::MAX, 0, false),
        (1 << 31, 0, true),
        ((1 << 31) + 1, 0, false),
    ] {
        assert_eq!(is_newer(serial, than), newer, "{serial} {than}");
    }
}

#[test]
fn only_transfers_are_looked_at() {
    for (qtype, could) in [(252, true), (251, true), (6, false), (255, false)] {
        let wire = question("a.tld.", qtype, None);
        assert_eq!(could_be_transfer(&wire), could, "{qtype}");
        for length in 0..wire.len() - 2 {
            assert!(!could_be_transfer(&wire[..length]), "{length}");
        }
    }
}
