//! How names stand in the registry's columns: lower case, presentation format
//! with escapes, without the final dot; the root is `.`.

use zone_image::Name;

/// The stored form of a name.
pub(crate) fn stored(name: &Name) -> String {
    if name.is_root() {
        return ".".to_owned();
    }
    let mut text = String::with_capacity(name.as_wire().len());
    for label in name.labels() {
        if !text.is_empty() {
            text.push('.');
        }
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_*".contains(byte);
        if label.iter().all(plain) {
            text.extend(
                label
                    .iter()
                    .map(|byte| char::from(byte.to_ascii_lowercase())),
            );
        } else {
            // Rare: the escapes of a name are decided in one place only.
            let only = Name::root().child(label).expect("a label of a name is one");
            let escaped = only.to_lowercase().to_string();
            text.push_str(&escaped[..escaped.len() - 1]);
        }
    }
    text
}

/// The stored form of lower-case wire format.
pub(crate) fn stored_wire(wire: &[u8]) -> String {
    stored(&Name::from_wire(wire).expect("keys are names in wire format"))
}

/// What is left of a name in wire format without its leftmost `labels` labels.
pub(crate) fn suffix(wire: &[u8], labels: usize) -> &[u8] {
    (0..labels).fold(wire, |rest, _| &rest[1 + usize::from(rest[0])..])
}

#[cfg(test)]
mod tests {
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
            prop_assert_eq!(Name::parse_absolute(&text).unwrap().as_wire(), name.to_lowercase().as_wire());
            prop_assert_eq!(text == ".", name.is_root());
        }
    }
}
