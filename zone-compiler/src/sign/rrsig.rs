//! RRSIGs of one RRset: made, or kept while they are good.
//!
//! What is signed is the canonical form of RFC 4034 section 6 with the corrections of
//! RFC 6840 section 5.1. Lifetimes are those of the policy: inception goes back by an
//! offset, expiry comes forward by a share of the jitter that follows from owner, type
//! and key alone, so that two compiles of one moment make the same fields.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;
use zone_image::Name;

use super::{
    Algorithm, INCEPTION_PERIOD_SECONDS, SignError, Signing, SigningKey, Signs, is_key_rrset,
    verify_rrsig,
};
use crate::RecordType;
use crate::rdata::to_canonical;

/// Octets of RRSIG RDATA before the signer's name (RFC 4034 section 3.1).
const FIXED_BYTES: usize = 18;
/// Class IN.
const CLASS_IN: u16 = 1;

/// An RRset to be signed or checked.
#[derive(Debug, Clone, Copy)]
pub struct SignableRrset<'r> {
    /// Owner in wire format and lower case.
    pub owner: &'r [u8],
    /// Type.
    pub rtype: RecordType,
    /// TTL, which becomes the original TTL.
    pub ttl: u32,
    /// RDATA in any order and in the case that it is served.
    pub rdata: &'r [&'r [u8]],
}

/// The RRSIGs of one RRset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signatures {
    /// RDATA, one of each key that signs the type.
    pub rdata: Vec<Box<[u8]>>,
    /// How many of them are new.
    pub made: u32,
}

/// The fields of an RRSIG (RFC 4034 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RrsigFields<'r> {
    /// Type covered.
    pub rtype: RecordType,
    /// Algorithm number.
    pub algorithm: u8,
    /// Labels of the owner without the root and a leading `*`.
    pub labels: u8,
    /// TTL of the RRset in its zone.
    pub original_ttl: u32,
    /// Seconds since 1970 modulo 2^32.
    pub expiration: u32,
    /// Seconds since 1970 modulo 2^32.
    pub inception: u32,
    /// Tag of the key.
    pub key_tag: u16,
    /// Apex of the zone, in the case it has.
    pub signer: &'r [u8],
    /// The signature.
    pub signature: &'r [u8],
}

impl<'r> RrsigFields<'r> {
    /// Reads RDATA; `None` where it is cut off.
    pub fn parse(rdata: &'r [u8]) -> Option<Self> {
        let (fixed, rest) = rdata.split_first_chunk::<FIXED_BYTES>()?;
        let length = zone_image::name::wire_length(rest).ok()?;
        let (signer, signature) = rest.split_at(length);
        let u16_at = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let u32_at = |at: usize| {
            u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]])
        };
        Some(Self {
            rtype: RecordType(u16_at(0)),
            algorithm: fixed[2],
            labels: fixed[3],
            original_ttl: u32_at(4),
            expiration: u32_at(8),
            inception: u32_at(12),
            key_tag: u16_at(16),
            signer,
            signature,
        })
    }

    /// Seconds until it expires, negative when it has; by the arithmetic of RFC 1982
    /// (RFC 4034 section 3.1.5).
    pub fn seconds_left(&self, now_seconds: u64) -> i64 {
        i64::from(
            self.expiration
                .wrapping_sub(wrapped(now_seconds))
                .cast_signed(),
        )
    }

    /// Whether it is valid at this time.
    pub fn is_valid_at(&self, now_seconds: u64) -> bool {
        let since = wrapped(now_seconds)
            .wrapping_sub(self.inception)
            .cast_signed();
        since >= 0 && self.seconds_left(now_seconds) >= 0
    }
}

/// Times of RRSIG have 32 bits and wrap.
fn wrapped(seconds: u64) -> u32 {
    u32::try_from(seconds & u64::from(u32::MAX)).expect("masked to 32 bits")
}

/// A key that signs now.
struct ActiveKey<'s> {
    algorithm: Algorithm,
    key_tag: u16,
    signs: Signs,
    signer: &'s dyn SigningKey,
}

/// Signs the RRsets of one zone. Cheap to make, and free to use from many threads.
pub struct RrsetSigner<'s> {
    signing: &'s Signing,
    /// Wire format, lower case.
    apex: Box<[u8]>,
    keys: Vec<ActiveKey<'s>>,
    period_start_seconds: u64,
}

impl<'s> RrsetSigner<'s> {
    /// A signer of the zone `apex`.
    pub fn new(signing: &'s Signing, apex: &Name) -> Self {
        let keys = signing.keys().iter().filter_map(|key| {
            Some(ActiveKey {
                algorithm: key.dnskey.algorithm,
                key_tag: key.key_tag(),
                signs: key.signs,
                signer: &**key.signer.as_ref()?,
            })
        });
        let now = signing.now_seconds();
        Self {
            signing,
            apex: apex.to_lowercase().as_wire().into(),
            keys: keys.collect(),
            period_start_seconds: now - now % u64::from(INCEPTION_PERIOD_SECONDS),
        }
    }

    /// The RRSIGs of an RRset that has none yet.
    pub fn sign(&self, rrset: &SignableRrset<'_>) -> Result<Signatures, SignError> {
        self.sign_or_keep(rrset, &[])
    }

    /// As [`RrsetSigner::sign`], keeping those of `before` that are good for longer than
    /// the policy's refresh. `before` has RRSIGs over exactly these records, by keys
    /// that still are the ones of their tags: the caller has made sure of both.
    pub fn sign_or_keep(
        &self,
        rrset: &SignableRrset<'_>,
        before: &[&[u8]],
    ) -> Result<Signatures, SignError> {
        let mut signatures = Signatures::default();
        let mut message = Vec::new();
        for key in self.keys.iter().filter(|key| key.signs.covers(rrset.rtype)) {
            let kept = before.iter().find(|rdata| self.is_good(key, rrset, rdata));
            if let Some(rdata) = kept {
                signatures.rdata.push((*rdata).into());
                continue;
            }
            if message.is_empty() {
                message = self.message(rrset);
            }
            let mut rdata = self.fields(key, rrset);
            message[..rdata.len()].copy_from_slice(&rdata);
            rdata.extend(key.signer.sign(&message)?);
            signatures.rdata.push(rdata.into());
            signatures.made += 1;
        }
        if is_key_rrset(rrset.rtype) {
            self.made_elsewhere(rrset, &mut signatures.rdata)?;
        }
        Ok(signatures)
    }

    fn is_good(&self, key: &ActiveKey<'_>, rrset: &SignableRrset<'_>, rdata: &[u8]) -> bool {
        let Some(fields) = RrsigFields::parse(rdata) else {
            return false;
        };
        let policy = self.signing.policy();
        let now = self.signing.now_seconds();
        let left = fields.seconds_left(now);
        fields.rtype == rrset.rtype
            && fields.algorithm == key.algorithm.number()
            && fields.key_tag == key.key_tag
            && fields.original_ttl == rrset.ttl
            && fields.labels == labels(rrset.owner)
            && *fields.signer == *self.apex
            && fields.is_valid_at(now)
            && left > i64::from(policy.refresh_seconds)
            && left <= i64::from(policy.validity_seconds)
    }

    /// The signatures of keys that are not here (RFC 6781 section 3.4.3 has such keys
    /// offline): the newest valid one of each, checked against the records.
    fn made_elsewhere(
        &self,
        rrset: &SignableRrset<'_>,
        rdata: &mut Vec<Box<[u8]>>,
    ) -> Result<(), SignError> {
        let offline = self
            .signing
            .keys()
            .iter()
            .filter(|key| key.published && key.signs.keys && key.signer.is_none());
        for key in offline {
            let key_tag = key.key_tag();
            let newest = self
                .signing
                .made_elsewhere()
                .iter()
                .filter_map(|rdata| Some((RrsigFields::parse(rdata)?, rdata)))
                .filter(|(fields, _)| fields.rtype == rrset.rtype && fields.key_tag == key_tag)
                .filter(|(_, rdata)| {
                    let now = self.signing.now_seconds();
                    verify_rrsig(&self.apex, &key.dnskey, rrset, rdata, now).is_ok()
                })
                .max_by_key(|(fields, _)| fields.seconds_left(self.signing.now_seconds()));
            let Some((_, signature)) = newest else {
                return Err(SignError::MadeElsewhere {
                    key_tag,
                    rtype: rrset.rtype,
                });
            };
            rdata.push(signature.clone());
        }
        Ok(())
    }

    /// RDATA without the signature.
    fn fields(&self, key: &ActiveKey<'_>, rrset: &SignableRrset<'_>) -> Vec<u8> {
        let policy = self.signing.policy();
        let start = self.period_start_seconds;
        let inception = start.saturating_sub(u64::from(policy.inception_offset_seconds));
        let jitter = self.jitter(key, rrset);
        let expiration = start + u64::from(policy.validity_seconds) - jitter;
        unsigned(
            &self.apex,
            rrset,
            (key.algorithm, key.key_tag),
            (inception, expiration),
        )
    }

    /// Seconds by which this signature's life is shortened: spread evenly, and the same
    /// whenever it is asked for in one period.
    fn jitter(&self, key: &ActiveKey<'_>, rrset: &SignableRrset<'_>) -> u64 {
        let mut hasher = SipHasher13::new();
        hasher.write_u64(self.period_start_seconds);
        hasher.write_u16(rrset.rtype.0);
        hasher.write_u16(key.key_tag);
        hasher.write_u8(key.algorithm.number());
        hasher.write(rrset.owner);
        let span = u64::from(self.signing.policy().jitter_seconds) + 1;
        hasher.finish() % span
    }

    /// What is signed, with room for the fields in front.
    fn message(&self, rrset: &SignableRrset<'_>) -> Vec<u8> {
        let mut message = vec![0; FIXED_BYTES + self.apex.len()];
        append_records(rrset, rrset.owner, &mut message);
        message
    }
}

/// RDATA of an RRSIG that is valid between two moments (seconds since 1970), by a key whose
/// signatures are made ahead. `apex` is the signer's name.
pub fn sign_between(
    apex: &Name,
    key: &dyn SigningKey,
    key_tag: u16,
    rrset: &SignableRrset<'_>,
    inception_seconds: u64,
    expiration_seconds: u64,
) -> Result<Vec<u8>, SignError> {
    let apex = apex.to_lowercase();
    let times = (inception_seconds, expiration_seconds);
    let mut rdata = unsigned(apex.as_wire(), rrset, (key.algorithm(), key_tag), times);
    let mut message = rdata.clone();
    append_records(rrset, rrset.owner, &mut message);
    rdata.extend(key.sign(&message)?);
    Ok(rdata)
}

/// RDATA without the signature: by a key of this algorithm and tag, from inception to
/// expiration.
fn unsigned(
    apex: &[u8],
    rrset: &SignableRrset<'_>,
    (algorithm, key_tag): (Algorithm, u16),
    (inception, expiration): (u64, u64),
) -> Vec<u8> {
    let mut rdata = Vec::with_capacity(FIXED_BYTES + apex.len() + 64);
    rdata.extend(rrset.rtype.0.to_be_bytes());
    rdata.extend([algorithm.number(), labels(rrset.owner)]);
    rdata.extend(rrset.ttl.to_be_bytes());
    rdata.extend(wrapped(expiration).to_be_bytes());
    rdata.extend(wrapped(inception).to_be_bytes());
    rdata.extend(key_tag.to_be_bytes());
    rdata.extend_from_slice(apex);
    rdata
}

/// The field Labels: without the root and a leading `*` (RFC 4034 section 3.1.3).
pub(super) fn labels(owner: &[u8]) -> u8 {
    let (mut at, mut count) = (0, 0);
    while owner[at] != 0 {
        at += 1 + usize::from(owner[at]);
        count += 1;
    }
    count - u8::from(owner.starts_with(b"\x01*"))
}

/// Appends the records in canonical form and order (RFC 4034 sections 6.2 and 6.3),
/// without duplicates.
pub(super) fn append_records(rrset: &SignableRrset<'_>, owner: &[u8], message: &mut Vec<u8>) {
    let mut canonical: Vec<Box<[u8]>> = rrset
        .rdata
        .iter()
        .map(|rdata| to_canonical(rrset.rtype, rdata))
        .collect();
    canonical.sort_unstable();
    canonical.dedup();
    for rdata in canonical {
        message.extend_from_slice(owner);
        message.extend(rrset.rtype.0.to_be_bytes());
        message.extend(CLASS_IN.to_be_bytes());
        message.extend(rrset.ttl.to_be_bytes());
        let length = u16::try_from(rdata.len()).expect("RDATA has 16 bits of length");
        message.extend(length.to_be_bytes());
        message.extend_from_slice(&rdata);
    }
}
