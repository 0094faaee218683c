//! The stored form is read back as the same name.

use proptest::prelude::*;

use super::*;

#[test]
fn stored_form() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(stored(&Name::parse_absolute(text).unwrap()), expected);
    }
    check(".", ".");
    check("Example.TLD.", "example.tld");
    check("*.tld", "*.tld");
    check("_dmarc.A-b.tld", "_dmarc.a-b.tld");
    check("a\\.b.tld", "a\\.b.tld");
    check("A\\000\\255.tld", "a\\000\\255.tld");
}

proptest! {
    #[test]
    fn stored_form_is_read_back(
        labels in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..9), 0..6),
    ) {
        let mut name = Name::root();
        for label in &labels {
            name = name.child(label).unwrap();
        }
        let text = stored(&name);
        let again = Name::parse_absolute(&text).unwrap();
        let lower = name.to_lowercase();
        prop_assert_eq!(again.as_wire(), lower.as_wire());
        prop_assert_eq!(text == ".", name.is_root());
    }
}
