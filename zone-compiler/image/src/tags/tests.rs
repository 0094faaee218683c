//! Both ways to compare tags against comparing one by one.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn finds_every_place_of_a_tag(tags in prop::array::uniform32(0u8..4), tag in 0u8..5) {
        let mut all = [0xff; PAGE_NAMES_MAX];
        all[..32].copy_from_slice(&tags);
        all[40..48].copy_from_slice(&tags[..8]);
        let expected = all
            .iter()
            .enumerate()
            .fold(0u64, |found, (at, own)| found | u64::from(*own == tag) << at);
        prop_assert_eq!(places(&all, tag), expected);
        prop_assert_eq!(plain(&all, tag), expected);
        prop_assert_eq!(places(&all, 0xff), plain(&all, 0xff));
    }
}
