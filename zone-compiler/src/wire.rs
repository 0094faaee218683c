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
/// hashes. Glue comes once with each delegation that it serves.
pub fn each_record<E>(
    zone: Zone<'_>,
    sink: &mut dyn FnMut(Part, Record) -> Result<(), E>,
) -> Result<(), E> {
    let mut result = Ok(());
    zone.each_entry(&mut |entry| {
        if result.is_ok() {
            result = each_record_of(zone, entry, sink);
        }
    });
    result
}

/// Calls `sink` for every NSEC3 of a zone and its signatures.
pub fn each_nsec3<E>(
    zone: Zone<'_>,
    sink: &mut dyn FnMut(Record) -> Result<(), E>,
) -> Result<(), E> {
    let mut result = Ok(());
    zone.each_nsec3(&mut |proof| {
        if result.is_ok() {
            result = proof_records(zone, proof)
                .into_iter()
                .try_for_each(&mut *sink);
        }
    });
    result
}

fn each_record_of<E>(
    zone: Zone<'_>,
    entry: Entry<'_>,
    sink: &mut dyn FnMut(Part, Record) -> Result<(), E>,
) -> Result<(), E> {
    let owner = entry.name();
    let lead = entry.bodies().find(|body| body.rtype() == RecordType::NS.0);
    for body in entry.bodies() {
        // Glue points into the NS body, so that has to stand before it.
        let needs_lead = !matches!(body.part(), Part::Records | Part::Signatures);
        let lead = lead.filter(|_| needs_lead);
        for record in read_body(zone, owner.as_wire(), lead, body) {
            sink(body.part(), record)?;
        }
    }
    Ok(())
}

/// One RRset of a name, or its signatures.
pub fn entry_records(
    zone: Zone<'_>,
    entry: Entry<'_>,
    rtype: RecordType,
    part: Part,
) -> Vec<Record> {
    let body = entry.body(rtype.0, part);
    body.map_or_else(Vec::new, |body| {
        read_body(zone, entry.name().as_wire(), None, body)
    })
}

/// An NSEC3 and its signatures.
pub fn proof_records(zone: Zone<'_>, proof: BodyRef<'_>) -> Vec<Record> {
    read_body(zone, zone.apex(), None, proof)
}

/// The records of a body whose owner is `owner`, after the body it points into.
fn read_body(
    zone: Zone<'_>,
    owner: &[u8],
    lead: Option<BodyRef<'_>>,
    body: BodyRef<'_>,
) -> Vec<Record> {
    let mut at = HEADER_BYTES + owner.len();
    let place = |at| u16::try_from(at).expect("a name has 255 octets");
    let bases = Bases {
        owner: place(HEADER_BYTES),
        apex: place(at - zone.apex().len()),
        lead: place(at),
    };
    let lead_length = lead.map_or(0, |lead| lead.length());
    let mut message = vec![0; at + lead_length + body.length()];
    message[HEADER_BYTES..at].copy_from_slice(owner);
    for body in lead.into_iter().chain([body]) {
        let end = body.write(&mut message, at, bases);
        let end = end.expect("the buffer was sized for it");
        if end == message.len() {
            break;
        }
        at = end;
    }
    let mut records = Vec::with_capacity(usize::from(body.records()));
    while at < message.len() {
        let (record, next) = read_record(&message, at).expect("the verifier read the body");
        records.push(record);
        at = next;
    }
    records
}

#[cfg(test)]
mod tests;
