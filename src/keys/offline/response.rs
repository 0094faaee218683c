//! Checks a signed key response before anything of it is used.
//!
//! A signature counts only if it is one by a key of the zone that is on another machine,
//! over a set that the zone's keys will have; and each of these sets must be signed for
//! its whole turn. Half a response is no response.

use zone_compiler::rdata::from_hex;
use zone_compiler::sign::RrsigFields;

use super::request::Response;
use super::{PlannedSets, coverage, windows};
use crate::registry::Timestamp;
use crate::registry::command::keys::{KeysSignatures, RrsigData, ZoneKeys};
use crate::registry::types::AnyName;

/// Why a response is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// Not a file of this form.
    #[error("not a signed key response: {0}")]
    Syntax(String),
    /// Of another zone.
    #[error("the response is for zone {0}")]
    OtherZone(AnyName),
    /// Its period is over.
    #[error("the period of the response is over; make another request")]
    Over,
    /// A set is not signed when it is its turn.
    #[error(
        "the sets with keys {tags:?} are not signed from {from} to {until} (seconds since \
         1970); make the request anew"
    )]
    Gap {
        /// Tags of the DNSKEY set.
        tags: Vec<u16>,
        /// Begin of its turn.
        from: i64,
        /// End of its turn.
        until: i64,
    },
}

impl Response {
    /// Reads a file.
    pub fn parse(text: &str) -> Result<Self, ResponseError> {
        serde_json::from_str(text).map_err(|error| ResponseError::Syntax(error.to_string()))
    }

    /// Checks it against what the zone's keys will publish; `planned` is their plan from
    /// now until the end of its period. Signatures over other sets, whose turn is over
    /// perhaps, are left out.
    pub fn check(
        self,
        keys: &ZoneKeys,
        planned: &[PlannedSets],
        now: Timestamp,
    ) -> Result<KeysSignatures, ResponseError> {
        if self.zone != keys.apex {
            return Err(ResponseError::OtherZone(self.zone));
        }
        let now = now.0 / 1_000_000;
        if self.until <= now {
            return Err(ResponseError::Over);
        }
        let ttl = keys.policy.dnskey_ttl;
        let apex = keys.apex.to_name();
        let fits = |signature: &RrsigData| {
            let mut planned = planned.iter();
            is_told(signature) && planned.any(|planned| fits(&apex, planned, ttl, signature))
        };
        let mut signatures = self.signatures;
        signatures.retain(fits);
        for planned in planned {
            let found = coverage(&apex, &planned.sets, ttl, &signatures, planned.from);
            let is_whole = found
                .is_some_and(|found| found.from <= planned.from && found.until >= planned.until);
            if !is_whole {
                let tags = planned.sets.dnskey.iter();
                return Err(ResponseError::Gap {
                    tags: tags.map(|key| key.key_tag()).collect(),
                    from: planned.from,
                    until: planned.until,
                });
            }
        }
        Ok(KeysSignatures {
            apex: keys.apex.clone(),
            signatures,
        })
    }
}

/// Whether the times beside a signature are its own.
fn is_told(signature: &RrsigData) -> bool {
    let Some(octets) = from_hex(&signature.rdata) else {
        return false;
    };
    RrsigFields::parse(&octets).is_some_and(|fields| {
        i64::from(fields.inception) == signature.inception
            && i64::from(fields.expiration) == signature.expiration
    })
}

fn fits(apex: &zone_image::Name, planned: &PlannedSets, ttl: u32, signature: &RrsigData) -> bool {
    let one = std::slice::from_ref(signature);
    let sets = planned.sets.rrsets(apex);
    sets.iter().any(|(rtype, rdata)| {
        let mut signers = planned.sets.signers.iter();
        signers.any(|signer| !windows(apex, signer, (*rtype, ttl, rdata), one).is_empty())
    })
}
