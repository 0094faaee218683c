//! Names as people ask for them, as A-labels or U-labels.
//!
//! What is asked is mapped as UTS 46 has it, so that capitals and other forms of a letter
//! find what is registered; a name of both kinds of labels is refused (ICANN's RDAP
//! technical guide, section 3.1), and so is an A-label that is none.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// Longest text that is looked at: a name of 253 octets in letters of four octets each.
const TEXT_BYTES_MAX: usize = 1_012;
const ACE_PREFIX: &str = "xn--";

/// A name that could be one of a domain or a host, in lower case and A-labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryName(String);

/// Why a text is no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameFault {
    /// A-labels and U-labels in one name.
    #[error("write all labels as A-labels or all as U-labels")]
    Mixed,
    /// Anything else.
    #[error("not a domain name of letters, digits and hyphens, or of U-labels")]
    Syntax,
}

impl QueryName {
    /// Reads a name, with or without its final dot.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() || text.len() > TEXT_BYTES_MAX {
            return Err(NameFault::Syntax);
        }
        let is_ace = |label: &str| {
            let start = label.get(..ACE_PREFIX.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(ACE_PREFIX))
        };
        if !text.is_ascii() && text.split('.').any(is_ace) {
            return Err(NameFault::Mixed);
        }
        let ascii = Uts46::new().to_ascii(
            text.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        );
        let ascii = ascii.map_err(|_| NameFault::Syntax)?;
        Ok(Self(ascii.into_owned()))
    }

    /// As the registry stores it.
    pub fn ascii(&self) -> &str {
        &self.0
    }
}

/// A name with its U-labels, where it has any.
pub fn unicode(ascii: &str) -> Option<String> {
    if !ascii.split('.').any(|label| label.starts_with(ACE_PREFIX)) {
        return None;
    }
    let (unicode, outcome) = Uts46::new().to_unicode(
        ascii.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
    );
    outcome.ok()?;
    Some(unicode.into_owned()).filter(|unicode| unicode != ascii)
}

#[cfg(test)]
mod tests;
