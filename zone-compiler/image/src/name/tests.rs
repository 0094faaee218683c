//! Names: presentation format both ways, order, ancestry.

use proptest::prelude::*;

use super::*;

fn name(text: &str) -> Name {
    Name::parse_absolute(text).unwrap()
}

#[track_caller]
fn check(text: &str, expected: Result<&str, NameError>) {
    let origin = name("example.");
    let parsed = Name::parse(text.as_bytes(), Some(&origin)).map(|name| name.to_string());
    assert_eq!(parsed, expected.map(str::to_owned), "{text}");
}

#[test]
fn presentation_format() {
    check(".", Ok("."));
    check("@", Ok("example."));
    check("www", Ok("www.example."));
    check("www.", Ok("www."));
    check("a\\.b.c.", Ok("a\\.b.c."));
    check("\\000\\032\\255.", Ok("\\000\\032\\255."));
    check("\\065b.", Ok("Ab."));
    check("a..b.", Err(NameError::EmptyLabel));
    check(".a.", Err(NameError::EmptyLabel));
    check("", Err(NameError::EmptyLabel));
    check("a\\", Err(NameError::BadEscape));
    check("a\\25.", Err(NameError::BadEscape));
    check("a\\256.", Err(NameError::BadEscape));
    check(
        &format!("{}.", "a".repeat(63)),
        Ok(&format!("{}.", "a".repeat(63))),
    );
    check(
        &format!("{}.", "a".repeat(64)),
        Err(NameError::LabelTooLong),
    );
    check(&"a.".repeat(127), Ok(&"a.".repeat(127)));
    check(&"a.".repeat(128), Err(NameError::NameTooLong));
}

#[test]
fn canonical_order_of_rfc_4034_section_6_1() {
    let sorted = [
        "example.",
        "a.example.",
        "yljkjljk.a.example.",
        "Z.a.example.",
        "zABC.a.EXAMPLE.",
        "z.example.",
        "\\001.z.example.",
        "*.z.example.",
        "\\200.z.example.",
    ];
    for pair in sorted.windows(2) {
        assert!(name(pair[0]) < name(pair[1]), "{pair:?}");
    }
}

#[test]
fn ancestry() {
    assert!(name("a.example.").is_at_or_below(&name("EXAMPLE.")));
    assert!(name("example.").is_at_or_below(&Name::root()));
    assert!(!name("badexample.").is_at_or_below(&name("example.")));
    assert!(!name("example.").is_below(&name("example.")));
    assert_eq!(name("a.b.").ancestors().count(), 3);
}

proptest! {
    #[test]
    fn display_and_parse_agree(labels in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..8)) {
        let mut original = Name::root();
        for label in &labels {
            original = original.child(label).unwrap();
        }
        let text = original.to_string();
        let again = Name::parse(text.as_bytes(), None).unwrap();
        prop_assert_eq!(again.as_wire(), original.as_wire());
        prop_assert_eq!(Name::from_wire(original.as_wire()).unwrap(), original);
    }

    #[test]
    fn any_bytes_are_a_name_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(length) = wire_length(&bytes) {
            prop_assert!(Name::from_wire(&bytes[..length]).is_ok());
        }
    }
}
