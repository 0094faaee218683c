//! Resource records in wire format (RFC 1035 section 3.2.1), class IN, and their
//! types. Both have the presentation format that zone files use; what `Display`
//! writes, the reader of zone files reads back as the identical record.

use std::fmt;
use std::str::FromStr;

use zone_image::Name;

use crate::rdata::{self, table};

/// A resource record. Its RDATA is in wire format without compression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Owner name, case kept.
    pub owner: Name,
    /// Type.
    pub rtype: RecordType,
    /// Time to live in seconds.
    pub ttl: u32,
    /// RDATA, names in it uncompressed.
    pub rdata: Box<[u8]>,
}

impl fmt::Display for Record {
    /// One line of master format without its line end; every name is absolute.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\t{}\tIN\t{}\t{}",
            self.owner,
            self.ttl,
            self.rtype,
            rdata::display(self.rtype, &self.rdata)
        )
    }
}

/// A record type by number (IANA "Resource Record (RR) TYPEs").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordType(pub u16);

/// A text that is no record type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a record type, write its mnemonic or TYPE and its number")]
pub struct UnknownType;

impl RecordType {
    /// Reads a mnemonic in any case, or `TYPE` and a number (RFC 3597 section 5).
    pub fn from_mnemonic(text: &[u8]) -> Result<Self, UnknownType> {
        if let Some(entry) = table::entry_of_mnemonic(text) {
            return Ok(entry.rtype);
        }
        let (prefix, digits) = text.split_at_checked(4).ok_or(UnknownType)?;
        let digits = std::str::from_utf8(digits).map_err(|_| UnknownType)?;
        if !prefix.eq_ignore_ascii_case(b"TYPE") || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(UnknownType);
        }
        digits.parse().map(Self).map_err(|_| UnknownType)
    }

    /// The mnemonic, if IANA has given the type one.
    pub fn mnemonic(self) -> Option<&'static str> {
        table::entry(self).map(|entry| entry.mnemonic)
    }

    /// Whether it is a question or message type, of which no zone holds records
    /// (RFC 6895 section 3.1).
    pub fn is_meta(self) -> bool {
        matches!(table::form(self), table::Form::Meta)
    }
}

impl FromStr for RecordType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, UnknownType> {
        Self::from_mnemonic(text.as_bytes())
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mnemonic() {
            Some(mnemonic) => f.write_str(mnemonic),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

impl fmt::Debug for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
