//! How a zone is signed: what an operator decides once and timers then follow.
//!
//! Times are seconds. TTLs here are promises that timings rest on: a zone whose
//! records live longer than `zone_ttl_max` says can lose its chain in caches.

use serde::{Deserialize, Serialize};
use zone_compiler::sign::{PolicyError, PolicyValues};

use super::{KeyRole, named};

named! {
    /// Which keys a zone has.
    Layout:
        /// One key for everything.
        Csk = "csk",
        /// One for the DNSKEY set and one for the zone.
        Split = "split",
}

named! {
    /// Whether a zone is signed.
    SigningMode:
        /// It is, or on its way there.
        Signed = "signed",
        /// It is on its way to be unsigned: first the DS record goes, then the rest.
        Unsigned = "unsigned",
}

named! {
    /// What changes first when a key with a DS record is replaced (RFC 7583 section 2.2).
    KskMethod:
        /// The DNSKEY record, then the DS record.
        DoubleKsk = "double-ksk",
        /// The DS record, then the DNSKEY record: the DNSKEY set stays small.
        DoubleDs = "double-ds",
}

named! {
    /// How the zone proves that something is not there.
    Denial:
        /// Hashed names: without iterations and salt (RFC 9276 section 3.1).
        Nsec3 = "nsec3",
        /// The same, without records for delegations that are not signed.
        Nsec3OptOut = "nsec3-opt-out",
        /// Names in the clear.
        Nsec = "nsec",
}

/// The policy of a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SigningPolicy {
    /// Whether it is signed.
    pub mode: SigningMode,
    /// Number of the algorithm of new keys.
    pub algorithm: u8,
    /// Which keys it has.
    pub layout: Layout,
    /// Whether keys are replaced when they have lived long enough.
    pub automatic: bool,
    /// Life of a key with a DS record; 0 is for ever.
    pub ksk_lifetime: u32,
    /// Life of a key without; 0 is for ever.
    pub zsk_lifetime: u32,
    /// What changes first.
    pub ksk_method: KskMethod,
    /// TTL of DNSKEY, CDS and CDNSKEY.
    pub dnskey_ttl: u32,
    /// Longest TTL in the zone.
    pub zone_ttl_max: u32,
    /// Until every server of the zone has a change.
    pub propagation: u32,
    /// TTL of the DS set at the parent.
    pub ds_ttl: u32,
    /// Until every server of the parent has a change.
    pub parent_propagation: u32,
    /// Added to every wait.
    pub safety: u32,
    /// How it proves absence.
    pub denial: Denial,
    /// Life of a signature.
    pub signature_validity: u32,
    /// Rest of its life at which a signature is replaced.
    pub signature_refresh: u32,
    /// Spread of the ends of signatures.
    pub signature_jitter: u32,
    /// Servers that are asked for the DS set: addresses with port, parted by spaces.
    pub parent_servers: String,
    /// Where new keys are kept: "database", or the label of a token.
    pub store: String,
    /// Where new keys with a DS record are kept: empty is as the others, "offline" is
    /// another machine.
    pub ksk_store: String,
}

/// ECDSA on P-256 with SHA-256 (RFC 6605), the default.
pub const ALGORITHM_DEFAULT: u8 = 13;

const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;

impl Default for SigningPolicy {
    fn default() -> Self {
        Self {
            mode: SigningMode::Signed,
            algorithm: ALGORITHM_DEFAULT,
            layout: Layout::Csk,
            automatic: true,
            ksk_lifetime: 0,
            zsk_lifetime: 90 * DAY,
            ksk_method: KskMethod::DoubleKsk,
            dnskey_ttl: HOUR,
            zone_ttl_max: DAY,
            propagation: 5 * 60,
            ds_ttl: DAY,
            parent_propagation: HOUR,
            safety: HOUR,
            denial: Denial::Nsec3OptOut,
            signature_validity: 21 * DAY,
            signature_refresh: 8 * DAY,
            signature_jitter: DAY,
            parent_servers: String::new(),
            store: "database".to_owned(),
            ksk_store: String::new(),
        }
    }
}

/// Algorithms that may sign a zone (RFC 9904 section 2): RSA with SHA-256, ECDSA on P-256
/// and P-384, Ed25519.
pub const ALGORITHMS: [u8; 4] = [8, 13, 14, 15];

impl SigningPolicy {
    /// What is wrong with it.
    pub fn fault(&self) -> Option<String> {
        const TTL_MAX: u32 = 7 * DAY;
        if !ALGORITHMS.contains(&self.algorithm) {
            let all = ALGORITHMS.map(|number| number.to_string()).join(", ");
            return Some(format!("algorithm {} is none of {all}", self.algorithm));
        }
        let offline = super::OFFLINE;
        if self.store == offline {
            return Some(
                "only keys of --ksk-store can be offline: others sign all the time".into(),
            );
        }
        if self.ksk_store == offline && self.layout == Layout::Csk {
            return Some("an offline KSK needs --layout split: a CSK signs all the time".into());
        }
        let waits = [
            ("dnskey-ttl", self.dnskey_ttl),
            ("zone-ttl-max", self.zone_ttl_max),
            ("propagation", self.propagation),
            ("ds-ttl", self.ds_ttl),
            ("parent-propagation", self.parent_propagation),
            ("safety", self.safety),
        ];
        if let Some((name, value)) = waits.iter().find(|(_, value)| *value > TTL_MAX) {
            return Some(format!("{name} {value} is more than {TTL_MAX} seconds"));
        }
        if let Err(error) = self.signatures() {
            return Some(error.to_string());
        }
        // A signature must not end while a cache may still hold it.
        if self.signature_refresh <= self.zone_ttl_max {
            return Some("signature-refresh is not more than zone-ttl-max".to_owned());
        }
        let least = self.rollover_seconds();
        for (name, life) in [
            ("ksk-lifetime", self.ksk_lifetime),
            ("zsk-lifetime", self.zsk_lifetime),
        ] {
            if life > 0 && u64::from(life) < 2 * least {
                return Some(format!(
                    "{name} {life} is less than two rollovers of {least} seconds"
                ));
            }
        }
        None
    }

    /// What of it concerns signatures, as the compiler checks it.
    pub(super) fn signatures(&self) -> Result<zone_compiler::sign::SigningPolicy, PolicyError> {
        zone_compiler::sign::SigningPolicy::new(PolicyValues {
            validity_seconds: self.signature_validity,
            refresh_seconds: self.signature_refresh,
            jitter_seconds: self.signature_jitter,
            dnskey_ttl_seconds: self.dnskey_ttl,
            ..PolicyValues::default()
        })
    }

    /// Where a new key of a role is kept.
    pub fn store_of(&self, role: KeyRole) -> &str {
        match role {
            KeyRole::Ksk if !self.ksk_store.is_empty() => &self.ksk_store,
            KeyRole::Csk | KeyRole::Ksk | KeyRole::Zsk => &self.store,
        }
    }

    /// How often every signature is looked at: often enough that none has much less than
    /// its refresh left, and so that the work is spread.
    pub fn resign_interval_seconds(&self) -> u32 {
        (self.signature_refresh / 24).clamp(60, 6 * HOUR)
    }

    /// How long a rollover takes without what the parent needs.
    pub fn rollover_seconds(&self) -> u64 {
        let key = u64::from(self.dnskey_ttl) + u64::from(self.propagation);
        let zone = u64::from(self.zone_ttl_max) + u64::from(self.propagation);
        let parent = u64::from(self.ds_ttl) + u64::from(self.parent_propagation);
        2 * key + zone.max(parent) + 3 * u64::from(self.safety)
    }
}

/// A change of a policy; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the fields of a policy")]
pub struct PolicyChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<SigningMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatic: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ksk_lifetime: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zsk_lifetime: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ksk_method: Option<KskMethod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dnskey_ttl: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone_ttl_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub propagation: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ds_ttl: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_propagation: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denial: Option<Denial>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_validity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_refresh: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_jitter: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_servers: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ksk_store: Option<String>,
}

impl PolicyChange {
    /// The policy after the change.
    pub fn apply(&self, before: &SigningPolicy) -> SigningPolicy {
        let mut after = before.clone();
        macro_rules! take {
            ($($field:ident),+) => {
                $(if let Some(value) = &self.$field { after.$field.clone_from(value); })+
            };
        }
        take!(
            mode,
            algorithm,
            layout,
            automatic,
            ksk_lifetime,
            zsk_lifetime,
            ksk_method,
            dnskey_ttl,
            zone_ttl_max,
            propagation,
            ds_ttl,
            parent_propagation,
            safety,
            denial,
            signature_validity,
            signature_refresh,
            signature_jitter,
            parent_servers,
            store,
            ksk_store
        );
        after
    }
}
