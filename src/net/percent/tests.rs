use proptest::prelude::*;

use super::{decode, encode};

#[test]
fn escapes_are_undone_once() {
    for (text, expected) in [
        ("example.tld", Some("example.tld")),
        ("a%20b", Some("a b")),
        ("%62%C3%BCcher", Some("bücher")),
        ("%2541", Some("%41")),
        ("a+b", Some("a+b")),
        ("%", None),
        ("%2", None),
        ("%zz", None),
        ("%C3", None),
        ("%00", None),
        ("a%0ab", None),
        ("a\u{85}b", None),
    ] {
        assert_eq!(decode(text).as_deref(), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_escaped_comes_back_and_is_plain(text in "\\PC*") {
        let encoded = encode(&text);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~%".contains(c);
        prop_assert!(encoded.chars().all(is_plain), "{encoded}");
        let has_control = text.chars().any(char::is_control);
        prop_assert_eq!(decode(&encoded), (!has_control).then_some(text));
    }
}
