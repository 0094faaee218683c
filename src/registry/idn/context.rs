//! Code points that IDNA2008 permits in some surroundings only (RFC 5892 appendix A).
//!
//! The joiners of A.1 and A.2 are checked with the bidi rule, by the library.

use icu_properties::CodePointMapData;
use icu_properties::props::Script;

/// The rule that the code point at `place` of a label breaks, if it does.
pub(super) fn broken_rule(label: &[char], place: usize) -> Option<&'static str> {
    let before = place.checked_sub(1).map(|before| label[before]);
    let after = label.get(place + 1).copied();
    let has = |range: std::ops::RangeInclusive<char>| label.iter().any(|c| range.contains(c));
    let (kept, rule) = match label[place] {
        // A.3
        '\u{b7}' => (
            before == Some('l') && after == Some('l'),
            "a middle dot stands between two letters l",
        ),
        // A.4
        '\u{375}' => (
            after.is_some_and(|c| script(c) == Script::Greek),
            "a Greek lower numeral sign stands before a Greek letter",
        ),
        // A.5 and A.6
        '\u{5f3}' | '\u{5f4}' => (
            before.is_some_and(|c| script(c) == Script::Hebrew),
            "a geresh or gershayim stands after a Hebrew letter",
        ),
        // A.7
        '\u{30fb}' => (
            label.iter().any(|c| is_japanese(*c)),
            "a Katakana middle dot needs a Hiragana, Katakana or Han character in the label",
        ),
        // A.8 and A.9
        '\u{660}'..='\u{669}' => (
            !has('\u{6f0}'..='\u{6f9}'),
            "Arabic-Indic digits do not stand beside extended ones",
        ),
        '\u{6f0}'..='\u{6f9}' => (
            !has('\u{660}'..='\u{669}'),
            "extended Arabic-Indic digits do not stand beside plain ones",
        ),
        _ => return None,
    };
    (!kept).then_some(rule)
}

fn script(character: char) -> Script {
    CodePointMapData::<Script>::new().get(character)
}

fn is_japanese(character: char) -> bool {
    [Script::Hiragana, Script::Katakana, Script::Han].contains(&script(character))
}
