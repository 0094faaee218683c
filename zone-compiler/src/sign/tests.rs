//! Keys, policies and signatures against the examples of the RFCs.

mod examples;
mod keys;
mod lifetimes;

use std::sync::Arc;

use zone_image::Name;

use super::*;

/// 2026-11-25 00:00:00 UTC.
pub(super) const NOW: u64 = 1_795_564_800;

pub(super) fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

pub(super) fn rdata(rtype: RecordType, text: &str) -> Box<[u8]> {
    crate::rdata::parse(rtype, text, None).expect("RDATA")
}

pub(super) fn key(algorithm: Algorithm) -> Arc<dyn SigningKey> {
    Arc::new(SoftwareKey::generate(algorithm).expect("a key").0)
}

pub(super) fn combined(policy: SigningPolicy) -> Signing {
    let key = ZoneKey::combined(key(Algorithm::EcdsaP256Sha256));
    Signing::new(policy, vec![key], NOW).expect("one key is enough")
}
