//! Which code points IDNA2008 permits: the derived property of RFC 5892.
//!
//! Computed from the Unicode Character Database by section 3, so that a new version
//! of Unicode needs no new list here.

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{
    DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup, HangulSyllableType,
    JoinControl, NoncharacterCodePoint, WhiteSpace,
};
use icu_properties::{CodePointMapData, CodePointSetData};

/// What may be done with a code point (RFC 5892 section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Property {
    /// May stand in a label.
    Valid,
    /// A joiner; only where the letters around it ask for it.
    ContextJoiner,
    /// Only where a rule of appendix A lets it.
    ContextOther,
    /// Never.
    Disallowed,
    /// No character yet.
    Unassigned,
}

/// The property of one code point (RFC 5892 section 3).
pub(super) fn property(character: char) -> Property {
    if let Some(exception) = exception(character) {
        return exception;
    }
    if is_unassigned(character) {
        return Property::Unassigned;
    }
    if matches!(character, '-' | '0'..='9' | 'a'..='z') {
        return Property::Valid;
    }
    if CodePointSetData::new::<JoinControl>().contains(character) {
        return Property::ContextJoiner;
    }
    let is_disallowed = is_unstable(character)
        || is_ignorable(character)
        || is_old_hangul(character)
        || !is_letter_or_digit(character);
    if is_disallowed {
        Property::Disallowed
    } else {
        Property::Valid
    }
}

/// Section 2.6, the decisions by hand.
fn exception(character: char) -> Option<Property> {
    Some(match character {
        '\u{df}' | '\u{3c2}' | '\u{6fd}' | '\u{6fe}' | '\u{f0b}' | '\u{3007}' => Property::Valid,
        '\u{b7}' | '\u{375}' | '\u{5f3}' | '\u{5f4}' | '\u{30fb}' => Property::ContextOther,
        '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' => Property::ContextOther,
        '\u{640}' | '\u{7fa}' | '\u{302e}' | '\u{302f}' => Property::Disallowed,
        '\u{3031}'..='\u{3035}' | '\u{303b}' => Property::Disallowed,
        _ => return None,
    })
}

fn category(character: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(character)
}

/// Section 2.10.
fn is_unassigned(character: char) -> bool {
    category(character) == GeneralCategory::Unassigned
        && !CodePointSetData::new::<NoncharacterCodePoint>().contains(character)
}

/// Section 2.1.
fn is_letter_or_digit(character: char) -> bool {
    let letters = GeneralCategoryGroup::Letter
        .union(GeneralCategoryGroup::Mark)
        .union(GeneralCategory::DecimalNumber.into());
    let category = category(character);
    letters.contains(category)
        && category != GeneralCategory::TitlecaseLetter
        && category != GeneralCategory::EnclosingMark
}

/// Section 2.2: something else after normalisation and folding of case.
fn is_unstable(character: char) -> bool {
    let normal = ComposingNormalizerBorrowed::new_nfkc();
    let mut text = [0; 4];
    let text = character.encode_utf8(&mut text);
    let folded = CaseMapper::new()
        .fold_string(&normal.normalize(text))
        .into_owned();
    normal.normalize(&folded) != *text
}

/// Sections 2.3 and 2.4.
fn is_ignorable(character: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
        || CodePointSetData::new::<WhiteSpace>().contains(character)
        || CodePointSetData::new::<NoncharacterCodePoint>().contains(character)
        // Combining Diacritical Marks for Symbols, Musical Symbols, Ancient Greek
        // Musical Notation.
        || matches!(character,
            '\u{20d0}'..='\u{20ff}' | '\u{1d100}'..='\u{1d1ff}' | '\u{1d200}'..='\u{1d24f}')
}

/// Section 2.9: conjoining jamo.
fn is_old_hangul(character: char) -> bool {
    let kind = CodePointMapData::<HangulSyllableType>::new().get(character);
    [
        HangulSyllableType::LeadingJamo,
        HangulSyllableType::VowelJamo,
        HangulSyllableType::TrailingJamo,
    ]
    .contains(&kind)
}

#[cfg(test)]
mod tests;
