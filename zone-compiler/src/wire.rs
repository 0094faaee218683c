//! Reading records back out of messages and images, for people and for tests.
//!
//! Undoes name compression (RFC 1035 section 4.1.4), which occurs in owner names
//! and in the RDATA of the types of RFC 1035. Never follows a pointer forward,
//! so that every name ends.

use zone_image::layout::Part;
use zone_image::name::NAME_BYTES_MAX;
use zone_image::{Bases, BodyRef, Entry, Name, Zone};

use crate::{Record, RecordType};

/// The message is not what RFC 1035 section 4.1 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed message at octet {0}")]
pub struct Malformed(pub usize);

/// Octets of a message header.
const HEADER_BYTES: usize = 12;
/// Octets of an NSEC3 hash, which is SHA-1 (RFC 5155 section 11).
const HASH_BYTES: usize = 20;

/// Reads the record at `at` of a message; returns it and where it ends.
pub fn read_record(message: &[u8], at: usize) -> Result<(Record, usize), Malformed> {
    let (owner, at) = read_name(message, at)?;
    let fixed = message.get(at..at + 10).ok_or(Malformed(at))?;
    let rtype = RecordType(u16::from_be_bytes([fixed[0], fixed[1]]));
    let ttl = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
    let start = at + 10;
    let end = start + usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
    if end > message.len() {
        return Err(Malformed(at));
    }
    let rdata = read_rdata(message, rtype, start, end)?.into();
    Ok((
        Record {
            owner,
            rtype,
            ttl,
            rdata,
        },
        end,
    ))
}

/// Reads the name at `at`; returns it and where it ends there.
pub fn read_name(message: &[u8], at: usize) -> Result<(Name, usize), Malformed> {
    let mut wire = Vec::new();
    let mut end = None;
    let mut cursor = at;
    let mut lowest = at;
    loop {
        let length = *message.get(cursor).ok_or(Malformed(cursor))?;
        match length {
            0xc0.. => {
                let low = *message.get(cursor + 1).ok_or(Malformed(cursor))?;
                let target = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                end.get_or_insert(cursor + 2);
                if target >= lowest {
                    return Err(Malformed(cursor));
                }
                (cursor, lowest) = (target, target);
            }
            64..0xc0 => return Err(Malformed(cursor)),
            _ => {
                let next = cursor + 1 + usize::from(length);
                wire.extend_from_slice(message.get(cursor..next).ok_or(Malformed(cursor))?);
                cursor = next;
                if length == 0 {
                    break;
                }
                if wire.len() > NAME_BYTES_MAX {
                    return Err(Malformed(cursor));
                }
            }
        }
    }
    let name = Name::from_wire(&wire).map_err(|_| Malformed(at))?;
    Ok((name, end.unwrap_or(cursor)))
}

fn read_rdata(
    message: &[u8],
    rtype: RecordType,
    start: usize,
    end: usize,
) -> Result<Vec<u8>, Malformed> {
    let (fixed, names) = crate::compile::compressible_names(rtype);
    if names == 0 {
        return Ok(message[start..end].to_vec());
    }
    let mut rdata = message
        .get(start..start + fixed)
        .ok_or(Malformed(start))?
        .to_vec();
    let mut at = start + fixed;
    for _ in 0..names {
        let (name, after) = read_name(message, at)?;
        rdata.extend_from_slice(name.as_wire());
        at = after;
    }
    rdata.extend_from_slice(message.get(at..end).ok_or(Malformed(at))?);
    Ok(rdata)
}

/// The sections of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sections {
    /// Answer, authority and additional, OPT included.
    pub records: [Vec<Record>; 3],
}

/// Reads the records of a whole message.
pub fn read_sections(message: &[u8]) -> Result<Sections, Malformed> {
    let count = |at: usize| {
        let bytes = message.get(at..at + 2).ok_or(Malformed(at))?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let mut at = HEADER_BYTES;
    for _ in 0..count(4)? {
        at = read_name(message, at)?.1 + 4;
    }
    let mut records = [Vec::new(), Vec::new(), Vec::new()];
    for (section, count_at) in records.iter_mut().zip([6, 8, 10]) {
        for _ in 0..count(count_at)? {
            let (record, end) = read_record(message, at)?;
            section.push(record);
            at = end;
        }
    }
    Ok(Sections { records })
}

/// Calls `sink` for every record of a zone, name by name in the order of their
/// hashes, then NSEC3 by NSEC3. Glue, and what signs addresses, comes once with each
/// NS set that it serves.
pub fn each_record<E>(
    zone: Zone<'_>,
    sink: &mut dyn FnMut(Part, Record) -> Result<(), E>,
) -> Result<(), E> {
    let mut result = Ok(());
    zone.any_entry(&mut |entry| {
        result = each_record_of(zone, entry, sink);
        result.is_err()
    });
    result?;
    each_proof(zone, sink)
}

/// Calls `sink` for the records of the chain of NSEC3, from its first hash on.
pub fn each_proof<E>(
    zone: Zone<'_>,
    sink: &mut dyn FnMut(Part, Record) -> Result<(), E>,
) -> Result<(), E> {
    // The last of the chain covers what is before the first, and so names the first.
    let covering = zone.nsec3(&[0; HASH_BYTES]);
    let covering = covering.map(|proof| read_proof(zone, proof.body));
    let mut next = covering.and_then(|records| records.iter().find_map(next_hash));
    while let Some(hash) = next {
        let Some(proof) = zone.nsec3(&hash) else {
            break;
        };
        let records = read_proof(zone, proof.body);
        // Hashes grow until the chain is back at its start, so this ends.
        next = records.iter().find_map(next_hash).filter(|own| *own > hash);
        for record in records {
            sink(Part::Proof, record)?;
        }
    }
    Ok(())
}

/// The records of an NSEC3 with its RRSIGs.
pub fn read_proof(zone: Zone<'_>, body: BodyRef<'_>) -> Vec<Record> {
    read_body(zone, zone.apex(), body)
}

/// One RRset of a name, or its signatures.
pub fn read_rrset(zone: Zone<'_>, entry: Entry<'_>, rtype: RecordType, part: Part) -> Vec<Record> {
    let body = entry.body(rtype.0, part);
    body.map_or_else(Vec::new, |body| {
        read_body(zone, entry.name().as_wire(), body)
    })
}

/// The records of a body that points to no other body.
fn read_body(zone: Zone<'_>, owner: &[u8], body: BodyRef<'_>) -> Vec<Record> {
    let mut message = vec![0; HEADER_BYTES];
    message.extend_from_slice(owner);
    let mut at = message.len();
    let place = |at| u16::try_from(at).expect("a name has 255 octets");
    let bases = Bases {
        owner: place(HEADER_BYTES),
        apex: place(at - zone.apex().len()),
        ..Bases::default()
    };
    message.resize(at + body.length(), 0);
    let end = body
        .write(&mut message, at, bases)
        .expect("the buffer was sized for it");
    let mut records = Vec::with_capacity(usize::from(body.records()));
    while at < end {
        let (record, next) = read_record(&message, at).expect("the verifier read the body");
        records.push(record);
        at = next;
    }
    records
}

/// The next hashed owner of an NSEC3 (RFC 5155 section 3.2).
fn next_hash(record: &Record) -> Option<[u8; HASH_BYTES]> {
    if record.rtype != RecordType::NSEC3 {
        return None;
    }
    let salt_bytes = usize::from(*record.rdata.get(4)?);
    let start = 5 + salt_bytes + 1;
    record.rdata.get(start..start + HASH_BYTES)?.try_into().ok()
}

/// Hands every record of one entry to `sink`, glue under the name of its host.
pub fn each_record_of<E>(
    zone: Zone<'_>,
    entry: Entry<'_>,
    sink: &mut dyn FnMut(Part, Record) -> Result<(), E>,
) -> Result<(), E> {
    let owner = entry.name();
    let start = HEADER_BYTES + owner.as_wire().len();
    let mut message = vec![0; HEADER_BYTES];
    message.extend_from_slice(owner.as_wire());
    let place = |at| u16::try_from(at).expect("a name has 255 octets");
    let mut bases = Bases {
        owner: place(HEADER_BYTES),
        apex: place(start - zone.apex().len()),
        lead: place(start),
    };
    let lead = entry.bodies().find(|body| body.rtype() == RecordType::NS.0);
    for body in entry.bodies() {
        message.truncate(start);
        let mut at = start;
        // Glue points into the NS body, so that has to stand before it.
        let needs_lead = matches!(
            body.part(),
            Part::RequiredGlue | Part::SiblingGlue | Part::AddressSignatures
        );
        if let Some(lead) = lead.filter(|_| needs_lead) {
            message.resize(at + lead.length(), 0);
            at = lead
                .write(&mut message, at, bases)
                .expect("the buffer was sized for it");
            bases.lead = place(start);
        }
        message.resize(at + body.length(), 0);
        let end = body
            .write(&mut message, at, bases)
            .expect("the buffer was sized for it");
        while at < end {
            let (record, next) = read_record(&message, at).expect("the verifier read the body");
            sink(body.part(), record)?;
            at = next;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
