//! One label in both its forms (RFC 5890 section 2.3.2.1, RFC 5891 section 4).

use std::borrow::Cow;
use std::fmt;

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use super::context;
use super::derived::{Property, property};

/// The mark of an A-label.
const ACE_PREFIX: &str = "xn--";

/// A label that IDNA2008 lets a registry register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdnLabel {
    ascii: String,
    unicode: Vec<char>,
}

/// Why a text is no such label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelFault {
    /// An A-label whose U-label has another A-label, or none.
    #[error("{0} is no A-label; RFC 5891 section 4.2.1 asks for lower case and the shortest form")]
    NotAscii(String),
    /// Something of it would have to be mapped.
    #[error("only what is in lower case and normal form C can be registered, such as {0}")]
    NotMapped(String),
    /// A code point that no label may have.
    #[error("U+{code:04X} is not permitted in a label (RFC 5892)", code = *.0 as u32)]
    CodePoint(char),
    /// A code point where it must not be.
    #[error("{0} (RFC 5892 appendix A)")]
    Context(&'static str),
    /// A mark where no letter carries it.
    #[error("a label does not begin with a combining mark (RFC 5891 section 4.2.3.2)")]
    LeadingMark,
    /// Hyphens, joiners, order of writing, or length.
    #[error(
        "hyphens at an end or at places 3 and 4, a joiner out of place, letters of both \
         directions (RFC 5893), or more than 63 octets as an A-label"
    )]
    Form,
}

impl IdnLabel {
    /// Reads an A-label or a U-label below `apex`, in which letters that are written
    /// from right to left put all labels under the rule of RFC 5893.
    ///
    /// # Errors
    ///
    /// See [`LabelFault`].
    pub fn parse(text: &str, apex: &str) -> Result<Self, LabelFault> {
        if text.contains('.') || text.is_empty() {
            return Err(LabelFault::Form);
        }
        let unicode = match text.strip_prefix(ACE_PREFIX) {
            Some(encoded) => decode(text, encoded)?,
            None => text.chars().collect(),
        };
        check(&unicode)?;
        let label: String = unicode.iter().collect();
        let ascii = to_ascii(&label, apex)?;
        if text.starts_with(ACE_PREFIX) && text != ascii {
            return Err(LabelFault::NotAscii(text.into()));
        }
        Ok(Self { ascii, unicode })
    }

    /// As the DNS has it.
    pub fn as_ascii(&self) -> &str {
        &self.ascii
    }

    /// As people write it.
    pub fn as_unicode(&self) -> &[char] {
        &self.unicode
    }
}

impl fmt::Display for IdnLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.unicode.iter().try_for_each(|c| write!(f, "{c}"))
    }
}

fn decode(text: &str, encoded: &str) -> Result<Vec<char>, LabelFault> {
    let wrong = || LabelFault::NotAscii(text.into());
    // Otherwise a long text would cost its square.
    if text.len() > 63 {
        return Err(LabelFault::Form);
    }
    let decoded = idna::punycode::decode(encoded).ok_or_else(wrong)?;
    if decoded.iter().all(char::is_ascii) {
        return Err(wrong());
    }
    Ok(decoded)
}

/// What the library does not check, since it serves those who look names up.
fn check(label: &[char]) -> Result<(), LabelFault> {
    for (place, &character) in label.iter().enumerate() {
        match property(character) {
            Property::Valid | Property::ContextJoiner => {}
            Property::ContextOther => {
                if let Some(rule) = context::broken_rule(label, place) {
                    return Err(LabelFault::Context(rule));
                }
            }
            Property::Disallowed | Property::Unassigned => {
                return Err(match mapped(label) {
                    Some(other) => LabelFault::NotMapped(other),
                    None => LabelFault::CodePoint(character),
                });
            }
        }
    }
    let category = CodePointMapData::<GeneralCategory>::new();
    let is_mark = |c: &char| GeneralCategoryGroup::Mark.contains(category.get(*c));
    match label.first() {
        Some(first) if is_mark(first) => Err(LabelFault::LeadingMark),
        _ => Ok(()),
    }
}

/// The label that somebody may have meant.
fn mapped(label: &[char]) -> Option<String> {
    let text: String = label.iter().collect();
    let (other, outcome) =
        Uts46::new().to_unicode(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    outcome.ok()?;
    (other != text).then(|| other.into_owned())
}

/// The A-label, if the label is in normal form and keeps the rules of the whole name.
fn to_ascii(label: &str, apex: &str) -> Result<String, LabelFault> {
    let apex = apex.trim_end_matches('.');
    let name = match apex {
        "" => Cow::Borrowed(label),
        _ => Cow::Owned(format!("{label}.{apex}")),
    };
    let engine = Uts46::new();
    let ascii = engine
        .to_ascii(
            name.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::Check,
            DnsLength::Verify,
        )
        .map_err(|_| LabelFault::Form)?;
    let ascii = ascii.split('.').next().unwrap_or_default();
    let (back, outcome) = engine.to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    outcome.map_err(|_| LabelFault::Form)?;
    if back == label {
        Ok(ascii.to_owned())
    } else {
        Err(LabelFault::NotMapped(back.into_owned()))
    }
}

#[cfg(test)]
mod tests;
