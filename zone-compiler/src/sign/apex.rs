//! The records that a signer adds to the apex: DNSKEY, CDS, CDNSKEY, NSEC3PARAM.

use aws_lc_rs::digest;
use zone_image::Name;

use super::{Algorithm, Denial, Signing, key_tag};
use crate::RecordType;

/// The field Protocol of a DNSKEY, which has this one value (RFC 4034 section 2.1.2).
const PROTOCOL: u8 = 3;

/// Digests of DS and CDS (RFC 4509, RFC 6605 section 2); SHA-1 must not be made any
/// more (RFC 9904).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestType {
    /// Number 2, which everybody has.
    Sha256,
    /// Number 4.
    Sha384,
}

impl DigestType {
    /// Its number.
    pub fn number(self) -> u8 {
        match self {
            Self::Sha256 => 2,
            Self::Sha384 => 4,
        }
    }
}

/// RDATA of a DNSKEY or CDNSKEY (RFC 4034 section 2.1, RFC 7344 section 3.2).
pub fn dnskey_rdata(flags: u16, algorithm: Algorithm, public_key: &[u8]) -> Vec<u8> {
    let mut rdata = Vec::with_capacity(4 + public_key.len());
    rdata.extend(flags.to_be_bytes());
    rdata.extend([PROTOCOL, algorithm.number()]);
    rdata.extend_from_slice(public_key);
    rdata
}

/// RDATA of the DS or CDS of a DNSKEY (RFC 4034 section 5.1.4).
pub fn ds_rdata(apex: &Name, dnskey: &[u8], digest: DigestType) -> Vec<u8> {
    let mut context = digest::Context::new(match digest {
        DigestType::Sha256 => &digest::SHA256,
        DigestType::Sha384 => &digest::SHA384,
    });
    context.update(apex.to_lowercase().as_wire());
    context.update(dnskey);
    let mut rdata = Vec::with_capacity(4 + 48);
    rdata.extend(key_tag(dnskey).to_be_bytes());
    rdata.push(dnskey.get(3).copied().unwrap_or_default());
    rdata.push(digest.number());
    rdata.extend_from_slice(context.finish().as_ref());
    rdata
}

/// RDATA of the CDS that asks for the removal of all DS (RFC 8078 section 4).
pub fn cds_delete_rdata() -> Vec<u8> {
    vec![0, 0, 0, 0, 0]
}

/// RDATA of the CDNSKEY that asks for the removal of all DS (RFC 8078 section 4).
pub fn cdnskey_delete_rdata() -> Vec<u8> {
    vec![0, 0, PROTOCOL, 0, 0]
}

/// RDATA of NSEC3PARAM: SHA-1, no flags, no iterations, no salt (RFC 9276 section
/// 3.1). The opt-out flag is in the NSEC3 only (RFC 5155 section 4.1.2).
pub fn nsec3param_rdata() -> Vec<u8> {
    vec![1, 0, 0, 0, 0]
}

pub(super) fn records(signing: &Signing, apex: &Name) -> Vec<(RecordType, u32, Vec<u8>)> {
    let ttl = signing.policy().dnskey_ttl_seconds;
    let mut records = Vec::new();
    for key in signing.keys() {
        let rdata = key.dnskey.rdata();
        if key.cds && !signing.asks_for_removal() {
            let ds = ds_rdata(apex, &rdata, DigestType::Sha256);
            records.push((RecordType::CDS, ttl, ds));
            records.push((RecordType::CDNSKEY, ttl, rdata.clone()));
        }
        if key.published {
            records.push((RecordType::DNSKEY, ttl, rdata));
        }
    }
    if signing.asks_for_removal() {
        records.push((RecordType::CDS, ttl, cds_delete_rdata()));
        records.push((RecordType::CDNSKEY, ttl, cdnskey_delete_rdata()));
    }
    if signing.policy().denial != Denial::Nsec {
        records.push((RecordType::NSEC3PARAM, ttl, nsec3param_rdata()));
    }
    records
}
