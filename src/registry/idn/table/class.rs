//! Sets of code points: listed, by tag, by property, combined (RFC 7940 section 6.2).

use std::sync::Arc;

use icu_collections::codepointinvlist::{CodePointInversionList, CodePointInversionListBuilder};
use icu_collections::codepointtrie::TrieValue;
use icu_properties::props::{
    BidiClass, CanonicalCombiningClass, Deprecated, EnumeratedProperty, GeneralCategory,
    GeneralCategoryGroup, IndicSyllabicCategory, JoiningType, ParseableEnumeratedProperty, Script,
};
use icu_properties::{CodePointMapData, CodePointSetData, PropertyParser};

/// A class.
pub(super) type Class = CodePointInversionList<'static>;

/// Elements that combine classes.
pub(super) const COMBINATIONS: [&str; 5] = [
    "complement",
    "union",
    "intersection",
    "difference",
    "symmetric-difference",
];

/// Combines as an element of [`COMBINATIONS`] says; `None` when it takes another number
/// of classes.
pub(super) fn combine(element: &str, classes: &[Arc<Class>]) -> Option<Class> {
    let mut set = CodePointInversionListBuilder::new();
    set.add_set(classes.first()?);
    match (element, classes.len()) {
        ("complement", 1) => set.complement(),
        ("union", 2..) => classes[1..].iter().for_each(|class| set.add_set(class)),
        ("intersection", 2) => set.retain_set(&classes[1]),
        ("difference", 2) => set.remove_set(&classes[1]),
        ("symmetric-difference", 2) => set.complement_set(&classes[1]),
        _ => return None,
    }
    Some(set.build())
}

/// Code points and ranges in hexadecimal: `0061 0063-0065`.
pub(super) fn listed(text: &str) -> Result<Class, String> {
    let mut set = CodePointInversionListBuilder::new();
    for part in text.split_ascii_whitespace() {
        match part.split_once('-') {
            None => set.add_char(code_point(part)?),
            Some((first, last)) => {
                let (first, last) = (code_point(first)?, code_point(last)?);
                if first > last {
                    return Err(format!("range {part} ends before it begins"));
                }
                set.add_range(first..=last);
            }
        }
    }
    Ok(set.build())
}

/// Four hexadecimal digits at least, in upper case (section 5).
pub(super) fn code_point(text: &str) -> Result<char, String> {
    let is_hexadecimal = |c: u8| c.is_ascii_digit() || (b'A'..=b'F').contains(&c);
    let well_formed = (4..=6).contains(&text.len()) && text.bytes().all(is_hexadecimal);
    let value = well_formed.then(|| u32::from_str_radix(text, 16).ok());
    let character = value.flatten().and_then(char::from_u32);
    character.ok_or_else(|| format!("{text:?} is no code point; they are written as 0061 or 1F600"))
}

/// The code points whose Unicode property has a value: `sc:Grek`.
pub(super) fn with_property(text: &str) -> Result<Class, String> {
    let unknown = || format!("{text:?} is no value of a property that tables may name");
    let (name, value) = text.split_once(':').ok_or_else(unknown)?;
    let class = match name {
        "gc" => {
            let group = PropertyParser::<GeneralCategoryGroup>::new().get_strict(value);
            let category = CodePointMapData::<GeneralCategory>::new();
            group.map(|group| category.iter_ranges_for_group(group).collect())
        }
        "ccc" => {
            let class = value
                .parse()
                .ok()
                .map(CanonicalCombiningClass::try_from_u32);
            let class = class.and_then(Result::ok);
            let classes = CodePointMapData::<CanonicalCombiningClass>::new();
            class.map(|class| classes.iter_ranges_for_value(class).collect())
        }
        "sc" => with_value::<Script>(value),
        "bc" => with_value::<BidiClass>(value),
        "jt" => with_value::<JoiningType>(value),
        "InSC" => with_value::<IndicSyllabicCategory>(value),
        "Dep" => {
            let deprecated = CodePointSetData::new::<Deprecated>();
            match value {
                "Y" => Some(deprecated.iter_ranges().collect()),
                "N" => Some(deprecated.iter_ranges_complemented().collect()),
                _ => None,
            }
        }
        _ => None,
    };
    class.ok_or_else(unknown)
}

fn with_value<T>(value: &str) -> Option<Class>
where
    T: EnumeratedProperty + ParseableEnumeratedProperty,
{
    let value = PropertyParser::<T>::new().get_strict(value)?;
    Some(
        CodePointMapData::<T>::new()
            .iter_ranges_for_value(value)
            .collect(),
    )
}
