//! RDATA: presentation format to wire format and back, checks, and the names inside.
//!
//! One table of types and fields drives all of it (`table`). Whatever [`parse`]
//! gives, [`validate`] accepts; whatever [`validate`] accepts, [`display`] writes so
//! that [`parse`] reads the same octets again. A type that is not in the table is
//! handled as RFC 3597 says, and `\# length hex` is read for every type.

use std::fmt;

use zone_image::{Name, NameError};

use crate::RecordType;

mod bitmap;
mod encoding;
mod location;
mod measure;
mod prefixes;
mod print;
mod scan;
mod service;
pub(crate) mod table;
mod time;
pub(crate) mod words;

pub use self::measure::{NameAt, NamesIn};
pub(crate) use self::scan::{period, read_name, scan};
pub use self::service::{ServiceError, ShownKey};
pub use self::table::NameUse;
pub use self::words::SyntaxError;

/// Longest RDATA: RDLENGTH has 16 bits.
pub const RDATA_BYTES_MAX: usize = 65_535;

/// Longest text of RDATA: every octet as `\DDD` is a quarter of it, the rest is for
/// quotes, blanks and comments.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// Why some text is no RDATA of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RdataError {
    /// The text ends before a field.
    #[error("expected {expected}, but the record ends here")]
    Missing {
        /// The field.
        expected: &'static str,
    },
    /// A word that is not what the field needs.
    #[error("expected {expected}, found `{found}`")]
    Expected {
        /// The field.
        expected: &'static str,
        /// The word, cut to a readable length.
        found: String,
    },
    /// Quotes where the field has none.
    #[error("expected {expected} without quotes")]
    Quoted {
        /// The field.
        expected: &'static str,
    },
    /// A word after the last field.
    #[error("`{found}` after the last field of the record")]
    Extra {
        /// The word, cut to a readable length.
        found: String,
    },
    /// A word that is no domain name.
    #[error("`{found}`: {reason}")]
    Name {
        /// The word, cut to a readable length.
        found: String,
        /// What is wrong with it.
        reason: NameError,
    },
    /// A `<character-string>` of more than 255 octets.
    #[error("string is longer than 255 octets")]
    StringTooLong,
    /// `\` without three digits up to 255 or a character after it.
    #[error("bad escape, write \\DDD with three digits up to 255 or \\X")]
    BadEscape,
    /// RDATA of more than 65535 octets.
    #[error("record data is longer than 65535 octets")]
    TooLong,
    /// The length in `\# length hex` is not that of the hex.
    #[error("`\\#` announces {announced} octets, {found} follow")]
    GenericLength {
        /// What the text says.
        announced: usize,
        /// What follows.
        found: usize,
    },
    /// A type without a presentation format.
    #[error("{rtype} has no text form, write `\\# length hex` (RFC 3597)")]
    Opaque {
        /// The type.
        rtype: RecordType,
    },
    /// A type of which no zone holds records.
    #[error("{rtype} is a question or message type, no zone holds records of it")]
    Meta {
        /// The type.
        rtype: RecordType,
    },
    /// Service parameters that contradict each other.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Octets that are not RDATA of the type.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Quotes, parentheses or escapes.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
}

/// Why some octets are no RDATA of their type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The octets end within a field.
    #[error("record data ends within a field, after {at} octets")]
    Truncated {
        /// Where the field starts.
        at: usize,
    },
    /// Octets after the last field.
    #[error("{octets} octets after the last field of the record data")]
    Trailing {
        /// How many.
        octets: usize,
    },
    /// A name that is none, or is compressed.
    #[error("domain name in record data: {0}")]
    Name(#[from] NameError),
    /// A field with a value that its type does not have.
    #[error("{0}")]
    Value(&'static str),
    /// Service parameters.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A type of which no zone holds records.
    #[error("a question or message type, no zone holds records of it")]
    Meta,
    /// More than 65535 octets.
    #[error("record data is longer than 65535 octets")]
    TooLong,
}

/// Reads the RDATA of one record, for columns of a database and the command line.
/// Names without a final dot are completed by `origin`.
pub fn parse(
    rtype: RecordType,
    text: &str,
    origin: Option<&Name>,
) -> Result<Box<[u8]>, RdataError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(RdataError::TooLong);
    }
    let mut sentence = words::Sentence::default();
    sentence.text_mut().extend_from_slice(text.as_bytes());
    sentence.split().map_err(|(error, _)| error)?;
    if sentence.is_open() {
        return Err(SyntaxError::OpenParenthesis.into());
    }
    let mut rdata = Vec::new();
    scan(rtype, &mut sentence.words(), origin, &mut rdata)?;
    Ok(rdata.into())
}

/// Text with its escapes undone.
pub(crate) fn unescaped(text: &[u8]) -> Result<Vec<u8>, RdataError> {
    let mut octets = Vec::new();
    encoding::unescape(text, &mut octets)?;
    Ok(octets)
}

/// Checks wire format: every field is there with a possible value, nothing is left
/// over, no name is compressed. RDATA of an unknown type may be anything.
pub fn validate(rtype: RecordType, rdata: &[u8]) -> Result<(), WireError> {
    measure::validate(rtype, rdata)
}

/// The domain names inside valid RDATA, in order.
pub fn names_in(rtype: RecordType, rdata: &[u8]) -> NamesIn<'_> {
    measure::names_in(rtype, rdata)
}

/// The presentation format of RDATA. What is not valid is written as
/// `\# length hex`, which the reader of zone files then refuses.
pub fn display(rtype: RecordType, rdata: &[u8]) -> impl fmt::Display + '_ {
    print::Presentation { rtype, rdata }
}

/// RDATA in canonical form: lower case in the names that RFC 4034 section 6.2, as
/// corrected by RFC 6840 section 5.1, says.
pub fn to_canonical(rtype: RecordType, rdata: &[u8]) -> Box<[u8]> {
    let mut canonical: Box<[u8]> = rdata.into();
    for name in names_in(rtype, rdata) {
        if name.usage != NameUse::Kept {
            // Length octets are at most 63 and so never look like letters.
            canonical[name.at..name.at + name.length].make_ascii_lowercase();
        }
    }
    canonical
}

/// The octets of base64 with its padding and without blanks.
pub(crate) fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() / 4 * 3);
    encoding::base64(text, &mut octets)?;
    Some(octets)
}

/// The octets of hexadecimal digits without blanks.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() / 2);
    for pair in text.as_bytes().chunks(2) {
        let [high, low] = pair else { return None };
        octets.push(encoding::hex_digit(*high)? << 4 | encoding::hex_digit(*low)?);
    }
    Some(octets)
}

/// Appends the type bit maps of sorted types (RFC 4034 section 4.1.2).
pub(crate) fn append_bitmap(types: &[RecordType], out: &mut Vec<u8>) {
    bitmap::append(types, out);
}

#[cfg(test)]
mod tests;
