//! Records of a zone's own: apex NS, TXT, the registry's hosts.

use std::fmt;

use serde::{Deserialize, Serialize};
use zone_compiler::{Record, RecordType, rdata};
use zone_image::Name;

use super::{ValueError, text_value};
use crate::registry::names::stored;

/// Types that the registry makes itself or keeps elsewhere: SOA is the zone's
/// fields, DS a domain's, the rest the signer's.
const OURS: [u16; 8] = [6, 43, 46, 47, 48, 50, 51, 63];

/// One authoritative record that is no registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ZoneRecord(Record);

impl ZoneRecord {
    /// Reads `OWNER TTL TYPE RDATA`, all names absolute with or without final dot.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let bad = |reason: String| ValueError::syntax(text, reason);
        let mut words = text.splitn(4, |c: char| c.is_ascii_whitespace());
        let mut word = |what: &str| {
            let word = words.next().filter(|word| !word.is_empty());
            word.ok_or_else(|| bad(format!("{what} is missing; write OWNER TTL TYPE DATA")))
        };
        let owner = Name::parse_absolute(word("owner")?).map_err(|e| bad(e.to_string()))?;
        let ttl: u32 = word("TTL")?
            .parse()
            .map_err(|_| bad("TTL is not a number of seconds".into()))?;
        let ttl = super::Ttl::new(ttl)?.seconds();
        let rtype: RecordType = word("type")?
            .parse()
            .map_err(|_| bad("not a record type".into()))?;
        if OURS.contains(&rtype.0) || rtype.is_meta() {
            return Err(bad(format!("{rtype} records are not kept as zone data")));
        }
        let data = rdata::parse(rtype, word("data")?, Some(&Name::root()));
        let rdata = data.map_err(|e| bad(e.to_string()))?;
        Ok(Self(Record {
            owner,
            rtype,
            ttl,
            rdata,
        }))
    }

    /// Makes one of parts that are known to be good.
    pub(crate) fn new(record: Record) -> Self {
        Self(record)
    }

    pub(crate) fn record(&self) -> &Record {
        &self.0
    }

    /// Owner as the registry stores it.
    pub(crate) fn owner(&self) -> String {
        stored(&self.0.owner)
    }
}

impl fmt::Display for ZoneRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Record {
            owner,
            rtype,
            ttl,
            rdata,
        } = &self.0;
        let data = rdata::display(*rtype, rdata);
        write!(f, "{owner} {ttl} {rtype} {data}")
    }
}

text_value!(ZoneRecord);
