//! Signing of zones: keys, policy, and the signatures and proofs of one name.
//!
//! Everything here is a function of its arguments: the clock, the keys and the
//! records come in, RDATA goes out. So a full compile (`compile`) and an incremental
//! one make the same records of the same input. Knows no key store and no key states:
//! who calls says which key is published and what it signs. RFC 4034, 4035, 5155,
//! 6605, 6840 section 5.1, 7344, 8080, 9276.

mod apex;
mod denial;
mod key;
mod key_file;
mod policy;
mod rrsig;
mod verify;

use std::sync::Arc;

pub use self::apex::{
    DigestType, cdnskey_delete_rdata, cds_delete_rdata, dnskey_rdata, ds_rdata, nsec3param_rdata,
};
pub use self::denial::{
    NameKind, needs_nsec3, nsec_rdata, nsec3_hash, nsec3_hash_of_owner, nsec3_owner, nsec3_rdata,
    proven_types,
};
pub use self::key::{
    Algorithm, KeyError, Pkcs8, RSA_BITS_DEFAULT, SignError, SigningKey, SoftwareKey,
    UnknownAlgorithm, key_tag, rsa_public_key,
};
pub use self::key_file::{KeyFileError, KeyFileFault, read_key, read_keys};
pub use self::policy::{
    Denial, INCEPTION_PERIOD_SECONDS, PolicyError, PolicyValues, SigningPolicy,
};
pub use self::rrsig::{RrsetSigner, RrsigFields, SignableRrset, Signatures, sign_between};
pub use self::verify::{VerifyError, rsa_components, verify_message, verify_rrsig};

use crate::RecordType;

/// Zone Key bit of DNSKEY flags (RFC 4034 section 2.1.1).
pub const FLAG_ZONE: u16 = 0x0100;
/// Secure Entry Point bit of DNSKEY flags (RFC 4034 section 2.1.1).
pub const FLAG_SEP: u16 = 0x0001;
/// Revoke bit of DNSKEY flags (RFC 5011 section 7).
pub const FLAG_REVOKE: u16 = 0x0080;

/// Most keys of one zone: a rollover has four, and DNSKEY must fit a UDP reply.
pub const KEYS_MAX: usize = 16;

/// A DNSKEY as its zone has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dnskey {
    /// Zone Key, SEP and Revoke bits.
    pub flags: u16,
    /// Algorithm.
    pub algorithm: Algorithm,
    /// The field Public Key of the RDATA.
    pub public_key: Box<[u8]>,
}

impl Dnskey {
    /// The RDATA (RFC 4034 section 2.1).
    pub fn rdata(&self) -> Vec<u8> {
        dnskey_rdata(self.flags, self.algorithm, &self.public_key)
    }

    /// The key tag (RFC 4034 appendix B).
    pub fn key_tag(&self) -> u16 {
        key_tag(&self.rdata())
    }
}

/// What a key signs while it is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// The RRsets DNSKEY, CDS and CDNSKEY of the apex (RFC 7344 section 4.1).
    pub keys: bool,
    /// All other RRsets.
    pub zone: bool,
}

impl Signs {
    /// A key-signing key.
    pub const KEYS: Self = Self {
        keys: true,
        zone: false,
    };
    /// A zone-signing key.
    pub const ZONE: Self = Self {
        keys: false,
        zone: true,
    };
    /// A combined signing key.
    pub const ALL: Self = Self {
        keys: true,
        zone: true,
    };
    /// A key that is there to be seen only.
    pub const NOTHING: Self = Self {
        keys: false,
        zone: false,
    };

    fn covers(self, rtype: RecordType) -> bool {
        if is_key_rrset(rtype) {
            self.keys
        } else {
            self.zone
        }
    }
}

/// Whether a key-signing key signs this RRset of the apex.
pub fn is_key_rrset(rtype: RecordType) -> bool {
    matches!(
        rtype,
        RecordType::DNSKEY | RecordType::CDS | RecordType::CDNSKEY
    )
}

/// A key of a zone at one moment: what is published of it and what it signs.
#[derive(Clone)]
pub struct ZoneKey {
    /// The DNSKEY.
    pub dnskey: Dnskey,
    /// Whether the DNSKEY is in the zone. One that is not may sign already, as an
    /// algorithm rollover needs (RFC 6781 section 4.1.4).
    pub published: bool,
    /// Whether the zone has CDS and CDNSKEY of it (RFC 7344).
    pub cds: bool,
    /// What it signs.
    pub signs: Signs,
    /// Makes the signatures. `None` for a key that only is published, and for an
    /// offline key-signing key, whose signatures come in [`Signing::made_elsewhere`].
    pub signer: Option<Arc<dyn SigningKey>>,
}

impl ZoneKey {
    /// A combined signing key that is published and active.
    pub fn combined(signer: Arc<dyn SigningKey>) -> Self {
        Self::active(signer, FLAG_ZONE | FLAG_SEP, Signs::ALL)
    }

    /// A published, active key with these flags.
    pub fn active(signer: Arc<dyn SigningKey>, flags: u16, signs: Signs) -> Self {
        Self {
            dnskey: Dnskey {
                flags,
                algorithm: signer.algorithm(),
                public_key: signer.public_key().into(),
            },
            published: true,
            cds: flags & FLAG_SEP != 0,
            signs,
            signer: Some(signer),
        }
    }

    /// The key tag of its DNSKEY.
    pub fn key_tag(&self) -> u16 {
        self.dnskey.key_tag()
    }
}

impl std::fmt::Debug for ZoneKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZoneKey")
            .field("algorithm", &self.dnskey.algorithm)
            .field("key_tag", &self.key_tag())
            .field("flags", &self.dnskey.flags)
            .field("published", &self.published)
            .field("cds", &self.cds)
            .field("signs", &self.signs)
            .field("has_signer", &self.signer.is_some())
            .finish()
    }
}

/// Everything that a zone is signed with, at one moment.
#[derive(Debug, Clone)]
pub struct Signing {
    policy: SigningPolicy,
    keys: Vec<ZoneKey>,
    made_elsewhere: Vec<Box<[u8]>>,
    cds_delete: bool,
    now_seconds: u64,
}

/// Why a set of keys cannot sign a zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// No signatures over the zone's data could be made.
    #[error("no key signs the zone; give an active zone-signing or combined key")]
    NoZoneKey,
    /// No signatures over DNSKEY could be made, and none were brought along.
    #[error("no key signs DNSKEY; give an active key-signing key or its signatures")]
    NoKeySigner,
    /// No DNSKEY would be in the zone.
    #[error("no key is published")]
    NothingPublished,
    /// More than [`KEYS_MAX`].
    #[error("{0} keys, at most {KEYS_MAX} are allowed")]
    TooManyKeys(usize),
    /// Two keys with one algorithm and tag: RRSIGs do not tell them apart.
    #[error("two keys have algorithm {algorithm} and tag {tag}; generate another one")]
    SameTag {
        /// Their algorithm.
        algorithm: Algorithm,
        /// Their tag.
        tag: u16,
    },
    /// RFC 4035 section 2.2: every algorithm of DNSKEY signs the whole zone.
    #[error(
        "algorithm {0} is published but signs nothing (RFC 4035 section 2.2); \
         let a key of it sign the zone first"
    )]
    AlgorithmWithoutSignatures(Algorithm),
    /// The DNSKEY flags lack the Zone Key bit.
    #[error("key {0} is not a zone key: its flags lack 256 (RFC 4034 section 2.1.1)")]
    NoZoneFlag(u16),
    /// It says that it signs and has no signer.
    #[error("key {0} is to sign the zone and has no private key here")]
    NoSigner(u16),
}

impl Signing {
    /// Keys and policy for one compile. `now_seconds` is the time since 1970.
    pub fn new(
        policy: SigningPolicy,
        keys: Vec<ZoneKey>,
        now_seconds: u64,
    ) -> Result<Self, SigningError> {
        Self::with_offline_keys(policy, keys, Vec::new(), now_seconds)
    }

    /// As [`Signing::new`] with RRSIGs over DNSKEY, CDS and CDNSKEY that were made
    /// elsewhere: RDATA in wire format. The compile checks them against the RRsets.
    pub fn with_offline_keys(
        policy: SigningPolicy,
        keys: Vec<ZoneKey>,
        made_elsewhere: Vec<Box<[u8]>>,
        now_seconds: u64,
    ) -> Result<Self, SigningError> {
        check_keys(&keys, !made_elsewhere.is_empty())?;
        Ok(Self {
            policy,
            keys,
            made_elsewhere,
            cds_delete: false,
            now_seconds,
        })
    }

    /// Publishes the CDS and CDNSKEY that ask the parent to remove its DS (RFC 8078
    /// section 4), in the place of those of the keys.
    #[must_use]
    pub fn asking_for_removal(mut self) -> Self {
        self.cds_delete = true;
        self
    }

    /// The policy.
    pub fn policy(&self) -> &SigningPolicy {
        &self.policy
    }

    /// The keys, in the order they came.
    pub fn keys(&self) -> &[ZoneKey] {
        &self.keys
    }

    /// RDATA of RRSIGs made by keys that are not here.
    pub fn made_elsewhere(&self) -> &[Box<[u8]>] {
        &self.made_elsewhere
    }

    /// Whether the zone asks its parent to remove the DS.
    pub fn asks_for_removal(&self) -> bool {
        self.cds_delete
    }

    /// The time of this compile, since 1970.
    pub fn now_seconds(&self) -> u64 {
        self.now_seconds
    }

    /// The records that signing adds to the apex but for signatures and proofs: type,
    /// TTL and RDATA of DNSKEY, CDS, CDNSKEY and NSEC3PARAM.
    pub fn apex_records(&self, apex: &zone_image::Name) -> Vec<(RecordType, u32, Vec<u8>)> {
        apex::records(self, apex)
    }
}

fn check_keys(keys: &[ZoneKey], made_elsewhere: bool) -> Result<(), SigningError> {
    if keys.len() > KEYS_MAX {
        return Err(SigningError::TooManyKeys(keys.len()));
    }
    let signs_zone = |key: &ZoneKey| key.signs.zone && key.signer.is_some();
    for (index, key) in keys.iter().enumerate() {
        let tag = key.key_tag();
        if key.dnskey.flags & FLAG_ZONE == 0 {
            return Err(SigningError::NoZoneFlag(tag));
        }
        if key.signs.zone && key.signer.is_none() {
            return Err(SigningError::NoSigner(tag));
        }
        let algorithm = key.dnskey.algorithm;
        let same = |other: &ZoneKey| other.dnskey.algorithm == algorithm && other.key_tag() == tag;
        if keys[..index].iter().any(same) {
            return Err(SigningError::SameTag { algorithm, tag });
        }
        let signed = |other: &ZoneKey| other.dnskey.algorithm == algorithm && signs_zone(other);
        if key.published && !keys.iter().any(signed) {
            return Err(SigningError::AlgorithmWithoutSignatures(algorithm));
        }
    }
    if !keys.iter().any(|key| key.published) {
        return Err(SigningError::NothingPublished);
    }
    if !keys.iter().any(|key| key.published && signs_zone(key)) {
        return Err(SigningError::NoZoneKey);
    }
    let signs_keys = |key: &ZoneKey| key.published && key.signs.keys && key.signer.is_some();
    if !made_elsewhere && !keys.iter().any(signs_keys) {
        return Err(SigningError::NoKeySigner);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
