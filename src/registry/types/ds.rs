//! Delegation signer data (RFC 4034 section 5).

use std::fmt;

use serde::{Deserialize, Serialize};
use zone_compiler::{RecordType, rdata};

use super::{ValueError, text_value};

/// Algorithms that validators know (IANA "DNS Security Algorithm Numbers"; RSA/MD5,
/// DSA and GOST are not to be used any more, RFC 8624 section 3.1).
const ALGORITHMS: [u8; 8] = [5, 7, 8, 10, 13, 14, 15, 16];
/// Digest types and the octets of their digests.
const DIGESTS: [(u8, usize); 3] = [(1, 20), (2, 32), (4, 48)];

/// A DS record's data: key tag, algorithm, digest type, digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DsData(Box<[u8]>);

impl DsData {
    /// Reads `KEYTAG ALGORITHM DIGESTTYPE DIGEST`, as in a zone file.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        // Not the reader of zone files: it refuses a digest of the wrong length, which
        // is policy here and has its own place in the order of checks.
        let bad = |reason: &str| ValueError::syntax(text, reason);
        let mut words = text.split_ascii_whitespace();
        let mut number = |most: u16| {
            let number = words.next().and_then(|word| word.parse::<u16>().ok());
            let number = number.filter(|number| *number <= most);
            number.ok_or_else(|| bad("write KEYTAG ALGORITHM DIGESTTYPE DIGEST"))
        };
        let tag = number(u16::MAX)?;
        let mut rdata = tag.to_be_bytes().to_vec();
        for _ in 0..2 {
            let octet = number(u16::from(u8::MAX))?;
            rdata.push(u8::try_from(octet).expect("at most 255 here"));
        }
        let digest: String = words.collect();
        let octets = digest.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.len() == 2);
            let is_hex = |pair: &&str| pair.bytes().all(|b| b.is_ascii_hexdigit());
            pair.filter(is_hex)
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        });
        let octets: Option<Vec<u8>> = octets.collect();
        rdata.extend(octets.ok_or_else(|| bad("the digest is not in hexadecimal"))?);
        Self::from_rdata(&rdata).ok_or_else(|| bad("the digest is missing"))
    }

    /// Takes RDATA that holds a digest.
    pub(crate) fn from_rdata(rdata: &[u8]) -> Option<Self> {
        (rdata.len() > 4).then(|| Self(rdata.into()))
    }

    pub(crate) fn rdata(&self) -> &[u8] {
        &self.0
    }

    /// Its key tag.
    pub fn key_tag(&self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }

    /// Number of its algorithm.
    pub fn algorithm(&self) -> u8 {
        self.0[2]
    }

    /// Number of its digest's type.
    pub fn digest_type(&self) -> u8 {
        self.0[3]
    }

    /// Its digest.
    pub fn digest(&self) -> &[u8] {
        &self.0[4..]
    }

    /// What speaks against publishing it.
    pub fn fault(&self) -> Option<&'static str> {
        let (algorithm, digest_type, digest) = (self.0[2], self.0[3], &self.0[4..]);
        if !ALGORITHMS.contains(&algorithm) {
            return Some("algorithm is not one of 5, 7, 8, 10, 13, 14, 15, 16");
        }
        match DIGESTS.iter().find(|(known, _)| *known == digest_type) {
            None => Some("digest type is not one of 1, 2, 4"),
            Some((_, length)) if *length != digest.len() => {
                Some("the digest's length is not that of its type")
            }
            Some(_) => None,
        }
    }
}

impl fmt::Display for DsData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        rdata::display(RecordType::DS, &self.0).fmt(f)
    }
}

text_value!(DsData);
