//! How a zone is signed: proofs, lifetimes, and when a signature is made anew.
//!
//! Every signature of a zone is valid for at least `refresh_seconds` at any moment,
//! if the compiler runs; expiry is spread over `jitter_seconds`, so that the work of
//! refreshing is too. RFC 6781 section 4.4, RFC 9276 (0 iterations, no salt).

use std::ops::Deref;

/// Inceptions are rounded down to this, so that signatures made close together have one
/// lifetime, and a compile repeated soon makes the same fields.
pub const INCEPTION_PERIOD_SECONDS: u32 = 3600;

/// Longest validity that anybody should want; RRSIG times wrap at 2^31 (RFC 4034
/// section 3.1.5).
const VALIDITY_SECONDS_MAX: u32 = 366 * 86_400;
/// Largest TTL of the apex's key records.
const TTL_SECONDS_MAX: u32 = 7 * 86_400;

/// How a zone proves that something is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// NSEC: everybody can list the zone (RFC 4034 section 4).
    Nsec,
    /// NSEC3 without salt and additional iterations (RFC 9276 section 3.1).
    Nsec3 {
        /// Leaves out the delegations that have no DS (RFC 5155 section 6).
        opt_out: bool,
    },
}

impl Denial {
    /// From what a command line says.
    pub fn of(nsec: bool, opt_out: bool) -> Self {
        if nsec {
            Self::Nsec
        } else {
            Self::Nsec3 { opt_out }
        }
    }
}

/// The values of a policy, before they are checked against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyValues {
    /// NSEC or NSEC3.
    pub denial: Denial,
    /// Longest life of a signature from now on.
    pub validity_seconds: u32,
    /// A signature is made anew when less than this is left of it.
    pub refresh_seconds: u32,
    /// The lives of signatures are shortened by up to this, each by its own share.
    pub jitter_seconds: u32,
    /// How far before now a signature starts to be valid, for clocks that are slow.
    pub inception_offset_seconds: u32,
    /// TTL of DNSKEY, CDS, CDNSKEY and NSEC3PARAM.
    pub dnskey_ttl_seconds: u32,
    /// Whether the zone has a digest of itself (RFC 8976, SIMPLE with SHA-384).
    pub zonemd: bool,
}

impl Default for PolicyValues {
    fn default() -> Self {
        Self {
            denial: Denial::Nsec3 { opt_out: true },
            validity_seconds: 14 * 86_400,
            refresh_seconds: 7 * 86_400,
            jitter_seconds: 5 * 86_400,
            inception_offset_seconds: 3600,
            dnskey_ttl_seconds: 3600,
            zonemd: false,
        }
    }
}

/// Why a policy cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Signatures would be renewed as soon as they are made.
    #[error(
        "validity of {validity} s must be longer than refresh {refresh} s and jitter {jitter} s \
         and an hour together; lower one of these"
    )]
    Validity {
        /// Of the policy.
        validity: u32,
        /// Of the policy.
        refresh: u32,
        /// Of the policy.
        jitter: u32,
    },
    /// Longer than a year.
    #[error("validity of {0} s passes a year; lower it")]
    TooLong(u32),
    /// A cache could hold a signature for longer than it is valid.
    #[error(
        "DNSKEY TTL of {ttl} s must be at most a week and at most the refresh of {refresh} s \
         (RFC 6781 section 4.4.1)"
    )]
    Ttl {
        /// Of the policy.
        ttl: u32,
        /// Of the policy.
        refresh: u32,
    },
    /// Backdated by more than a day.
    #[error("inception offset of {0} s passes a day; lower it")]
    Inception(u32),
}

/// A policy whose values go together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SigningPolicy(PolicyValues);

impl SigningPolicy {
    /// Checks the values.
    pub fn new(values: PolicyValues) -> Result<Self, PolicyError> {
        let PolicyValues {
            validity_seconds: validity,
            refresh_seconds: refresh,
            jitter_seconds: jitter,
            ..
        } = values;
        if validity > VALIDITY_SECONDS_MAX {
            return Err(PolicyError::TooLong(validity));
        }
        let spent = u64::from(refresh) + u64::from(jitter) + u64::from(INCEPTION_PERIOD_SECONDS);
        if u64::from(validity) <= spent {
            return Err(PolicyError::Validity {
                validity,
                refresh,
                jitter,
            });
        }
        let ttl = values.dnskey_ttl_seconds;
        if ttl > refresh || ttl > TTL_SECONDS_MAX {
            return Err(PolicyError::Ttl { ttl, refresh });
        }
        if values.inception_offset_seconds > 86_400 {
            return Err(PolicyError::Inception(values.inception_offset_seconds));
        }
        Ok(Self(values))
    }

    /// The least that is left of a signature when it is made.
    pub fn shortest_life_seconds(&self) -> u32 {
        self.validity_seconds - self.jitter_seconds - INCEPTION_PERIOD_SECONDS
    }
}

impl Deref for SigningPolicy {
    type Target = PolicyValues;

    fn deref(&self) -> &PolicyValues {
        &self.0
    }
}
