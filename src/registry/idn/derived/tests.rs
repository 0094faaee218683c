//! Examples of each step of RFC 5892 section 3; the whole of Unicode is compared with
//! another implementation in `tests/it/peers/idn.rs`.

use super::*;

#[test]
fn each_step_decides_its_code_points() {
    for (character, expected) in [
        ('ß', Property::Valid),
        ('·', Property::ContextOther),
        ('ـ', Property::Disallowed),
        ('\u{378}', Property::Unassigned),
        ('-', Property::Valid),
        ('\u{200d}', Property::ContextJoiner),
        ('A', Property::Disallowed),
        ('ﬁ', Property::Disallowed),
        ('\u{fe0f}', Property::Disallowed),
        ('\u{20dd}', Property::Disallowed),
        ('\u{1100}', Property::Disallowed),
        ('é', Property::Valid),
        ('한', Property::Valid),
        ('漢', Property::Valid),
        ('☃', Property::Disallowed),
        ('_', Property::Disallowed),
    ] {
        assert_eq!(property(character), expected, "U+{:04X}", character as u32);
    }
}
