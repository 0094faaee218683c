//! How names stand in the registry's columns.
//!
//! Lower case, presentation format with escapes, without the final dot; the root is
//! `.`. Both engines compare such text bytewise, and one name has one form.

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
mod tests;
