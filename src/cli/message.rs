//! Reading DNS messages for people: the records of a reply, or of an image's
//! bodies laid out as one.
//!
//! Only what our own engine wrote is read here; still, every offset is checked.

use zone_compiler::{Record, RecordType};
use zone_image::Name;
use zone_image::name::NAME_BYTES_MAX;

/// Octets of a DNS header (RFC 1035 section 4.1.1).
pub(super) const HEADER_BYTES: usize = 12;
/// Type, class, TTL and RDLENGTH (RFC 1035 section 4.1.3).
const FIXED_BYTES: usize = 10;
/// Most compression pointers followed in one name; each must go backwards.
const POINTERS_MAX: usize = 128;
/// The pseudo-record of EDNS.
pub(super) const OPT: u16 = 41;

/// A query for one name and type, with EDNS.
pub(super) fn query(name: &Name, rtype: RecordType, dnssec: bool) -> Vec<u8> {
    let mut message = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    message.extend_from_slice(name.as_wire());
    message.extend_from_slice(&rtype.0.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    let flags = if dnssec { 0x80 } else { 0 };
    message.extend_from_slice(&[0, 0, 41, 0x10, 0, 0, 0, flags, 0, 0, 0]);
    message
}

/// One of the counts of a header: questions, answer, authority, additional.
pub(super) fn count(message: &[u8], section: usize) -> u16 {
    let at = 4 + 2 * section;
    message
        .get(at..at + 2)
        .map_or(0, |octets| u16::from_be_bytes([octets[0], octets[1]]))
}

/// The name at `at`, pointers followed, and where what is after it starts.
pub(super) fn name(message: &[u8], at: usize) -> Option<(Name, usize)> {
    let mut wire = Vec::with_capacity(32);
    let (mut at, mut end) = (at, None);
    for _ in 0..POINTERS_MAX {
        loop {
            let length = *message.get(at)?;
            match length {
                0 => {
                    wire.push(0);
                    return Some((Name::from_wire(&wire).ok()?, end.unwrap_or(at + 1)));
                }
                1..=63 => {
                    let next = at + 1 + usize::from(length);
                    wire.extend_from_slice(message.get(at..next)?);
                    if wire.len() >= NAME_BYTES_MAX {
                        return None;
                    }
                    at = next;
                }
                _ => break,
            }
        }
        let octets = message.get(at..at + 2)?;
        let target = usize::from(u16::from_be_bytes([octets[0] & 0x3f, octets[1]]));
        end.get_or_insert(at + 2);
        if octets[0] < 0xc0 || target >= at {
            return None;
        }
        at = target;
    }
    None
}

/// The record at `at` and where the next one starts.
pub(super) fn record(message: &[u8], at: usize) -> Option<(Record, usize)> {
    let (owner, at) = name(message, at)?;
    let fixed = message.get(at..at + FIXED_BYTES)?;
    let rtype = RecordType(u16::from_be_bytes([fixed[0], fixed[1]]));
    let ttl = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
    let start = at + FIXED_BYTES;
    let end = start + usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
    let rdata = rdata(message.get(..end)?, rtype, start)?;
    Some((
        Record {
            owner,
            rtype,
            ttl,
            rdata,
        },
        end,
    ))
}

/// RDATA with its names written out. Only the types of RFC 1035 have names that
/// may be compressed (RFC 3597 section 4).
fn rdata(message: &[u8], rtype: RecordType, start: usize) -> Option<Box<[u8]>> {
    let (fixed, names) = match rtype.0 {
        // NS, MD, MF, CNAME, MB, MG, MR, PTR
        2..=5 | 7..=9 | 12 => (0, 1),
        // SOA, MINFO
        6 | 14 => (0, 2),
        // MX
        15 => (2, 1),
        _ => return Some(message.get(start..)?.into()),
    };
    let mut at = start + fixed;
    let mut rdata = message.get(start..at)?.to_vec();
    for _ in 0..names {
        let (target, next) = name(message, at)?;
        rdata.extend_from_slice(target.as_wire());
        at = next;
    }
    rdata.extend_from_slice(message.get(at..)?);
    Some(rdata.into())
}

#[cfg(test)]
mod tests;
