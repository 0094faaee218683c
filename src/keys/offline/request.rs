//! The key signing request: what a machine without a database needs to sign key sets
//! ahead, and the signed key response that it gives back.
//!
//! The signing side computes CDS and CDNSKEY itself and signs no set with a key-signing
//! key that it was not given, so a request cannot make it vouch for a stranger's. Both
//! sides show a digest of the request for people to compare.

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use zone_compiler::sign::{FLAG_SEP, SignError, SignableRrset, SigningKey, sign_between};

use super::{KeySets, PlannedSets};
use crate::registry::Timestamp;
use crate::registry::command::keys::RrsigData;
use crate::registry::signing::SigningPolicy;
use crate::registry::types::{AnyName, DnskeyData};

/// Version of both files.
const VERSION: u32 = 1;
/// Sets of one request.
const SETS_MAX: usize = 256;
/// Windows of one set.
const WINDOWS_MAX: usize = 512;
/// Longest window: what is signed ahead cannot be taken back.
const WINDOW_SECONDS_MAX: i64 = 366 * 86_400;
/// Signatures begin before their turn, for clocks that are slow.
const INCEPTION_OFFSET_SECONDS: i64 = 3600;

/// The life of one signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Window {
    /// Seconds since 1970.
    pub inception: i64,
    /// Seconds since 1970.
    pub expiration: i64,
}

/// Key sets and when they are to be signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RequestedSets {
    /// The DNSKEY set.
    pub dnskey: Vec<DnskeyData>,
    /// Those that CDS and CDNSKEY name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parent: Vec<DnskeyData>,
    /// Whether CDS and CDNSKEY ask for the removal of the DS set.
    #[serde(default)]
    pub asks_for_removal: bool,
    /// Keys that sign.
    pub signers: Vec<DnskeyData>,
    /// Lives of the signatures.
    pub windows: Vec<Window>,
}

/// A key signing request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Request {
    /// Version of the form.
    pub key_signing_request: u32,
    /// The zone.
    pub zone: AnyName,
    /// TTL of the sets.
    pub ttl: u32,
    /// End of the period, in seconds since 1970.
    pub until: i64,
    /// The sets, in the order in which they are to be served.
    pub sets: Vec<RequestedSets>,
}

/// A signed key response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Response {
    /// Version of the form.
    pub signed_key_response: u32,
    /// The zone.
    pub zone: AnyName,
    /// Digest of the request.
    pub request: String,
    /// End of the period, in seconds since 1970.
    pub until: i64,
    /// The signatures.
    pub signatures: Vec<RrsigData>,
}

/// Why a request is not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Not a file of this form.
    #[error("not a key signing request of version {VERSION}: {0}")]
    Syntax(String),
    /// Larger than any that is made.
    #[error(
        "more than {SETS_MAX} sets, or {WINDOWS_MAX} windows of one, or windows longer than a year"
    )]
    TooLarge,
    /// A key-signing key that was not given.
    #[error(
        "the request has key-signing key {0}, which was not given by --ksk; sign it only \
         if you know whose it is, and then give it too"
    )]
    Stranger(u16),
    /// A key that was given is not asked for.
    #[error("the request does not ask for key {0}; was it another zone's?")]
    NotAsked(u16),
    /// A signer that is not in its set.
    #[error("key {0} is to sign a set that it is not in")]
    NotInSet(u16),
    /// A signature was not made.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl Request {
    /// Asks for what was planned: each set for its turn and `refresh` seconds before and
    /// after it, by signatures of which at least `refresh` is left at any moment.
    pub fn new(
        zone: &AnyName,
        policy: &SigningPolicy,
        planned: Vec<PlannedSets>,
        now: Timestamp,
        until: Timestamp,
    ) -> Self {
        let now = now.0 / 1_000_000;
        let until = until.0 / 1_000_000;
        let sets = planned.into_iter().map(|planned| RequestedSets {
            windows: windows(policy, &planned, now),
            dnskey: planned.sets.dnskey,
            parent: planned.sets.parent,
            asks_for_removal: planned.sets.asks_for_removal,
            signers: planned.sets.signers,
        });
        Self {
            key_signing_request: VERSION,
            zone: zone.clone(),
            ttl: policy.dnskey_ttl,
            until,
            sets: sets.collect(),
        }
    }

    /// Reads a file.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        let syntax = |error: serde_json::Error| RequestError::Syntax(error.to_string());
        let request: Self = serde_json::from_str(text).map_err(syntax)?;
        if request.key_signing_request != VERSION {
            let version = request.key_signing_request;
            return Err(RequestError::Syntax(format!("version {version}")));
        }
        let is_long = |window: &Window| window.expiration - window.inception > WINDOW_SECONDS_MAX;
        let is_large = |sets: &RequestedSets| {
            sets.windows.len() > WINDOWS_MAX || sets.windows.iter().any(is_long)
        };
        if request.sets.len() > SETS_MAX || request.sets.iter().any(is_large) {
            return Err(RequestError::TooLarge);
        }
        Ok(request)
    }

    /// What people compare: SHA-256 of the contents, in hexadecimal.
    pub fn digest(&self) -> String {
        let text = serde_json::to_vec(self).expect("a request is plain data");
        let digest = digest::digest(&digest::SHA256, &text);
        digest
            .as_ref()
            .iter()
            .fold(String::new(), |mut text, octet| {
                text.push_str(&format!("{octet:02x}"));
                text
            })
    }

    /// Signs everything that is asked for with these keys.
    pub fn sign(&self, keys: &[&dyn SigningKey]) -> Result<Response, RequestError> {
        let own: Vec<(DnskeyData, &dyn SigningKey)> = keys
            .iter()
            .map(|key| {
                let flags = crate::registry::signing::KeyRole::Ksk;
                (super::super::vault::dnskey_of(flags, *key), *key)
            })
            .collect();
        for (dnskey, _) in &own {
            if !self.sets.iter().any(|sets| sets.signers.contains(dnskey)) {
                return Err(RequestError::NotAsked(dnskey.key_tag()));
            }
        }
        let mut signatures = Vec::new();
        for sets in &self.sets {
            self.sign_sets(sets, &own, &mut signatures)?;
        }
        Ok(Response {
            signed_key_response: VERSION,
            zone: self.zone.clone(),
            request: self.digest(),
            until: self.until,
            signatures,
        })
    }

    fn sign_sets(
        &self,
        requested: &RequestedSets,
        own: &[(DnskeyData, &dyn SigningKey)],
        signatures: &mut Vec<RrsigData>,
    ) -> Result<(), RequestError> {
        let entries = requested.dnskey.iter().chain(&requested.parent);
        let mut strangers = entries
            .filter(|key| key.flags() & FLAG_SEP != 0)
            .filter(|key| own.iter().all(|(dnskey, _)| dnskey != *key));
        if let Some(stranger) = strangers.next() {
            return Err(RequestError::Stranger(stranger.key_tag()));
        }
        let sets = KeySets {
            dnskey: requested.dnskey.clone(),
            parent: requested.parent.clone(),
            asks_for_removal: requested.asks_for_removal,
            signers: requested.signers.clone(),
        };
        let apex = self.zone.to_name();
        let owner = apex.to_lowercase();
        for signer in &requested.signers {
            let tag = signer.key_tag();
            let found = own.iter().find(|(dnskey, _)| dnskey == signer);
            let (_, key) = found.ok_or(RequestError::Stranger(tag))?;
            if !requested.dnskey.contains(signer) {
                return Err(RequestError::NotInSet(tag));
            }
            for (rtype, rdata) in sets.rrsets(&apex) {
                let rdata: Vec<&[u8]> = rdata.iter().map(Vec::as_slice).collect();
                let rrset = SignableRrset {
                    owner: owner.as_wire(),
                    rtype,
                    ttl: self.ttl,
                    rdata: &rdata,
                };
                for window in &requested.windows {
                    let seconds = |time: i64| u64::try_from(time).unwrap_or_default();
                    let (from, until) = (seconds(window.inception), seconds(window.expiration));
                    let made = sign_between(&apex, *key, tag, &rrset, from, until)?;
                    let hex = made.iter().map(|octet| format!("{octet:02x}"));
                    signatures.push(RrsigData {
                        inception: window.inception,
                        expiration: window.expiration,
                        rdata: hex.collect(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// Windows that overlap by the policy's refresh, from a little before a turn to a little
/// after it.
fn windows(policy: &SigningPolicy, planned: &PlannedSets, now: i64) -> Vec<Window> {
    let (life, slack) = (
        i64::from(policy.signature_validity),
        i64::from(policy.signature_refresh),
    );
    let begin = (planned.from - slack).max(now);
    let end = planned.until + slack;
    let step = life - slack;
    let mut windows = Vec::new();
    let mut at = begin;
    while at < end && windows.len() < WINDOWS_MAX {
        windows.push(Window {
            inception: at - INCEPTION_OFFSET_SECONDS,
            expiration: at + life,
        });
        at += step;
    }
    windows
}
