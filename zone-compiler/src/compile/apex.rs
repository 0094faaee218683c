//! The apex: SOA, NS, and the bodies that every negative answer has.

use zone_image::layout::Part;
use zone_image::writer::BodyBytes;

use super::encode::{Encoder, Scope};
use super::fault::Findings;
use super::rrset::Rrsets;
use super::table::Table;
use crate::record::RecordType;

/// What the apex says of its zone.
pub(crate) struct ApexData {
    pub(crate) serial: u32,
    /// For how long a secondary serves without hearing of its primary.
    pub(crate) expire: u32,
    pub(crate) soa_ttl: u32,
    /// How long a miss is cached.
    pub(crate) negative_ttl: u32,
    /// SOA and its RRSIGs for negative answers.
    pub(crate) negative: Vec<(Part, BodyBytes)>,
}

/// Checks SOA and NS of the apex; `None` where there is no single SOA.
pub(crate) fn read(table: &Table, apex: &[u8], faults: &mut Findings) -> Option<ApexData> {
    let Some(group) = table.find(apex) else {
        faults.push(
            apex,
            "no SOA and no other data at the apex; is this the zone's name?",
        );
        return None;
    };
    let rrsets = Rrsets::of(table, group, &mut Findings::default());
    if rrsets.get(RecordType::NS).is_none() {
        faults.push(apex, "no NS at the apex; add the zone's name servers");
    }
    let Some(soa) = rrsets.get(RecordType::SOA) else {
        faults.push(apex, "no SOA at the apex; add one");
        return None;
    };
    let [rdata] = soa.rdata[..] else {
        faults.push(apex, "more than one SOA (RFC 1035 section 5.2); keep one");
        return None;
    };
    // After two names: serial, refresh, retry, expire, minimum (RFC 1035 section 3.3.13).
    let field = |from_end: usize| {
        let bytes = rdata
            .len()
            .checked_sub(from_end)
            .and_then(|at| rdata.get(at..at + 4));
        bytes.map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    };
    let (Some(serial), Some(expire), Some(minimum)) = (field(20), field(8), field(4)) else {
        faults.push(apex, "the SOA is cut off; write it again");
        return None;
    };
    // RFC 2308 section 5: the lower of both bounds how long a miss is cached.
    let ttl = soa.ttl.min(minimum);
    let scope = Scope {
        owner: apex,
        apex,
        point_to_owner: false,
    };
    let body_of = |rtype, rdata: &[&[u8]]| {
        let mut encoder = Encoder::new(scope);
        rdata
            .iter()
            .for_each(|rdata| encoder.apex_record(rtype, ttl, rdata));
        encoder.finish()
    };
    let mut negative = vec![(Part::Records, body_of(RecordType::SOA, &soa.rdata)?)];
    if let Some(signatures) = rrsets.signatures.get(&RecordType::SOA) {
        negative.push((
            Part::Signatures,
            body_of(RecordType::RRSIG, &signatures.rdata)?,
        ));
    }
    Some(ApexData {
        serial,
        expire,
        soa_ttl: soa.ttl,
        negative_ttl: ttl,
        negative,
    })
}
