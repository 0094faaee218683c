//! Names as they come in queries.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_name_of_any_case_is_read_in_lower_case(
        labels in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
        behind in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        let mut wire = Vec::new();
        for label in &labels {
            wire.push(u8::try_from(label.len()).unwrap());
            wire.extend_from_slice(label);
        }
        wire.push(0);
        let lower = wire.to_ascii_lowercase();
        let message = [&wire[..], &behind].concat();
        let name = LookupName::parse(&message).unwrap();
        prop_assert_eq!(name.suffix(labels.len()), &lower[..]);
        prop_assert_eq!(name.labels(), labels.len());
        for count in 0..=labels.len() {
            let skipped: usize = labels[..labels.len() - count].iter().map(|own| own.len() + 1).sum();
            prop_assert_eq!(name.suffix(count), &lower[skipped..]);
        }
    }
}
