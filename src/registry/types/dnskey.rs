//! DNSKEY data (RFC 4034 section 2).

use std::fmt;

use serde::{Deserialize, Serialize};
use zone_compiler::{RecordType, rdata};

use super::{ValueError, text_value};

/// Octets before the public key: flags, protocol, algorithm.
const HEAD: usize = 4;

/// A DNSKEY record's data: flags, protocol, algorithm, public key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DnskeyData(Box<[u8]>);

impl DnskeyData {
    /// Reads `FLAGS 3 ALGORITHM KEY`, as in a zone file.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let bad = |reason: String| ValueError::syntax(text, reason);
        let data = rdata::parse(RecordType::DNSKEY, text, None);
        let data = data.map_err(|error| bad(error.to_string()))?;
        Self::from_rdata(&data).ok_or_else(|| bad("the public key is missing".to_owned()))
    }

    /// Takes RDATA that holds a key.
    pub fn from_rdata(rdata: &[u8]) -> Option<Self> {
        (rdata.len() > HEAD && rdata[2] == 3).then(|| Self(rdata.into()))
    }

    /// The RDATA.
    pub fn rdata(&self) -> &[u8] {
        &self.0
    }

    /// Zone Key, SEP and Revoke bits.
    pub fn flags(&self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }

    /// Number of its algorithm.
    pub fn algorithm(&self) -> u8 {
        self.0[3]
    }

    /// The public key.
    pub fn public_key(&self) -> &[u8] {
        &self.0[HEAD..]
    }

    /// The public key in base64.
    pub fn public_key_text(&self) -> String {
        // It may be written in several words, behind three of numbers.
        let text = self.to_string();
        text.split_ascii_whitespace().skip(3).collect()
    }

    /// Its key tag.
    pub fn key_tag(&self) -> u16 {
        zone_compiler::sign::key_tag(&self.0)
    }
}

impl fmt::Display for DnskeyData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        rdata::display(RecordType::DNSKEY, &self.0).fmt(f)
    }
}

text_value!(DnskeyData);
