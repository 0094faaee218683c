//! What is a value of a contact and what is none.

use super::*;

#[test]
fn values_are_checked_where_they_are_made() {
    let good = |is_good: bool, text: &str| assert!(is_good, "{text:?}");
    for text in ["+1.7035555555", "+49.1", "+999.12345678901234"] {
        good(PhoneNumber::parse(text).is_ok(), text);
    }
    for text in [
        "17035555555",
        "+1",
        "+1.",
        "+.1",
        "+1234.1",
        "+1.123456789012345",
        "+1.7-5",
    ] {
        good(PhoneNumber::parse(text).is_err(), text);
    }
    for text in [
        "a@b.example",
        "first.last+tag@x-y.example",
        "j\u{f6}rg@b\u{fc}ro.example",
    ] {
        good(Email::parse(text).is_ok(), text);
    }
    for text in [
        "a",
        "@b.example",
        "a@b",
        "a@@b.example",
        "a b@c.example",
        ".a@b.example",
        "a@-b.example",
        "a@b..example",
        "a@b.example\n",
        "\"a\"@b.example",
    ] {
        good(Email::parse(text).is_err(), text);
    }
    good(
        CountryCode::parse("DE").is_ok() && CountryCode::parse("de").is_err(),
        "DE",
    );
    good(
        CountryCode::parse("XX").is_err() && CountryCode::parse("").is_err(),
        "XX",
    );
    good(Line::parse(&"x".repeat(255)).is_ok(), "255");
    for text in ["", " ", "a\tb", &"x".repeat(256)] {
        good(Line::parse(text).is_err(), text);
    }
    good(
        PostalCode::parse("12345-6789").is_ok() && PostalCode::parse(&"1".repeat(17)).is_err(),
        "16",
    );
    assert_eq!(COUNTRIES.split_ascii_whitespace().count(), 249);
}
