//! What the registry says of a zone's keys and signatures, at the event of a snapshot.
//!
//! Who has the private keys is not in the views: whoever compiles brings them along,
//! named by the ids of their rows.

use std::sync::Arc;

use zone_image::Name;

use super::{Backend, DatabaseError, Snapshot};
use crate::sign::{
    Algorithm, Denial, Dnskey, PolicyValues, Signing, SigningError, SigningKey, SigningPolicy,
    Signs, ZoneKey,
};

/// A row of `dns_signing`.
#[derive(Debug)]
pub(super) struct PolicyRow {
    pub(super) mode: String,
    pub(super) denial: String,
    // TTL, validity, refresh, jitter.
    pub(super) numbers: [i64; 4],
}

/// A row of `dns_key`.
#[derive(Debug)]
pub(super) struct KeyRow {
    // Id, flags, algorithm, published, signs keys, signs zone, CDS.
    pub(super) numbers: [i64; 7],
    pub(super) public_key: Vec<u8>,
}

/// A row of `dns_made_signature`.
#[derive(Debug)]
pub(super) struct MadeRow {
    pub(super) rdata: Vec<u8>,
    pub(super) inception: i64,
    pub(super) expiration: i64,
}

pub(super) const POLICY: &str = "SELECT mode, denial, dnskey_ttl, signature_validity, \
    signature_refresh, signature_jitter FROM dns_signing WHERE zone_id = $1";
pub(super) const KEYS: &str = "SELECT key_id, flags, algorithm, \
    CAST(published AS BIGINT) AS published, CAST(signs_keys AS BIGINT) AS signs_keys, \
    CAST(signs_zone AS BIGINT) AS signs_zone, CAST(cds AS BIGINT) AS cds, public_key \
    FROM dns_key WHERE zone_id = $1 ORDER BY key_id";
pub(super) const MADE: &str =
    "SELECT rdata, inception, expiration FROM dns_made_signature WHERE zone_id = $1";

/// How a zone is to be signed, without private keys.
#[derive(Debug)]
pub struct ZoneSigning {
    policy: SigningPolicy,
    asks_for_removal: bool,
    keys: Vec<StoredKey>,
    made: Vec<MadeRow>,
}

/// A key of a zone.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// The id of its row.
    pub id: i64,
    /// What is published of it and what it signs; without its signer.
    pub key: ZoneKey,
}

impl ZoneSigning {
    /// Its keys.
    pub fn keys(&self) -> &[StoredKey] {
        &self.keys
    }

    /// Puts the private keys in place; `None` for one that is on another machine.
    pub fn with_signers<E>(
        self,
        now_seconds: u64,
        mut signer: impl FnMut(&StoredKey) -> Result<Option<Arc<dyn SigningKey>>, E>,
    ) -> Result<Result<Signing, SigningError>, E> {
        let mut keys = Vec::with_capacity(self.keys.len());
        for stored in self.keys {
            let signer = if stored.key.signs == Signs::NOTHING {
                None
            } else {
                signer(&stored)?
            };
            keys.push(ZoneKey {
                signer,
                ..stored.key
            });
        }
        let now = i64::try_from(now_seconds).unwrap_or(i64::MAX);
        let is_valid = |made: &&MadeRow| (made.inception..made.expiration).contains(&now);
        let made = self.made.iter().filter(is_valid);
        let made = made.map(|made| made.rdata.clone().into()).collect();
        let signing = Signing::with_offline_keys(self.policy, keys, made, now_seconds);
        Ok(signing.map(|signing| {
            if self.asks_for_removal {
                signing.asking_for_removal()
            } else {
                signing
            }
        }))
    }
}

impl Snapshot {
    /// How a zone is to be signed; `None` for one that is not, or not yet.
    pub fn signing(&self, apex: &Name) -> Result<Option<ZoneSigning>, DatabaseError> {
        let Some(zone) = self.zones.iter().find(|zone| zone.apex == *apex) else {
            return Ok(None);
        };
        let (policy, keys, made) = match &self.backend {
            Backend::Sqlite(reader) => reader.signing(zone.id)?,
            Backend::Postgres(reader) => reader.signing(zone.id)?,
        };
        let bad = |reason: String| DatabaseError::BadRow {
            place: self.place.clone(),
            owner: apex.to_string(),
            reason,
        };
        let Some(row) = policy else { return Ok(None) };
        let asks_for_removal = row.mode == "unsigned" && keys.iter().all(|key| key.numbers[6] == 0);
        let policy = read_policy(&row).map_err(&bad)?;
        let keys = keys.into_iter().map(read_key);
        let keys: Vec<_> = keys.collect::<Result<_, String>>().map_err(bad)?;
        let is_used =
            |stored: &StoredKey| stored.key.published || stored.key.signs != Signs::NOTHING;
        if !keys.iter().any(is_used) {
            return Ok(None);
        }
        Ok(Some(ZoneSigning {
            policy,
            asks_for_removal,
            keys: keys.into_iter().filter(is_used).collect(),
            made,
        }))
    }
}

fn read_policy(row: &PolicyRow) -> Result<SigningPolicy, String> {
    let number = |value: i64| u32::try_from(value).map_err(|_| format!("signing: {value}"));
    let denial = match row.denial.as_str() {
        "nsec" => Denial::Nsec,
        "nsec3" => Denial::Nsec3 { opt_out: false },
        "nsec3-opt-out" => Denial::Nsec3 { opt_out: true },
        other => return Err(format!("signing: {other:?}")),
    };
    let values = PolicyValues {
        denial,
        dnskey_ttl_seconds: number(row.numbers[0])?,
        validity_seconds: number(row.numbers[1])?,
        refresh_seconds: number(row.numbers[2])?,
        jitter_seconds: number(row.numbers[3])?,
        ..PolicyValues::default()
    };
    SigningPolicy::new(values).map_err(|error| error.to_string())
}

fn read_key(row: KeyRow) -> Result<StoredKey, String> {
    let [id, flags, algorithm, published, signs_keys, signs_zone, cds] = row.numbers;
    let bad = |what: &str, value: i64| format!("key {id}: {what} {value}");
    let number = u8::try_from(algorithm).map_err(|_| bad("algorithm", algorithm))?;
    Ok(StoredKey {
        id,
        key: ZoneKey {
            dnskey: Dnskey {
                flags: u16::try_from(flags).map_err(|_| bad("flags", flags))?,
                algorithm: Algorithm::from_number(number)
                    .map_err(|error| format!("key {id}: {error}"))?,
                public_key: row.public_key.into(),
            },
            published: published == 1,
            cds: cds == 1,
            signs: Signs {
                keys: signs_keys == 1,
                zone: signs_zone == 1,
            },
            signer: None,
        },
    })
}

/// Rows of the three views.
pub(super) type Rows = (Option<PolicyRow>, Vec<KeyRow>, Vec<MadeRow>);
