//! Messages of a transfer: reading a request and writing replies (RFC 5936 section 2).
//!
//! A request is read as far as a transfer needs it, within bounds; nothing of it is
//! trusted before its signature was looked at. Replies name the zone in their question, so
//! that every owner can end in a pointer to it.

use std::sync::Arc;

use zone_compiler::wire::read_name;
use zone_compiler::{Record, RecordType};
use zone_image::Name;

/// Octets of a header.
pub(super) const HEADER_BYTES: usize = 12;
/// Longest message over a stream.
pub(super) const MESSAGE_BYTES_MAX: usize = 65_535;
/// Most records of a request: the SOA of IXFR, OPT, TSIG and some to spare.
const RECORDS_MAX: u16 = 16;
/// The last place that a compression pointer can name.
const POINTER_MAX: usize = 0x3fff;
/// Octets of an OPT with EXPIRE in it.
const OPT_BYTES_MAX: usize = 11 + 8;
/// What we say of ourselves in an OPT.
const PAYLOAD_BYTES: u16 = 1232;

/// Question types.
pub(super) const IXFR: u16 = 251;
pub(super) const AXFR: u16 = 252;
/// Record types that are read here.
const OPT: u16 = 41;
const TSIG: u16 = 250;
const CLASS_IN: u16 = 1;
/// The option EXPIRE (RFC 7314).
const EXPIRE: u16 = 9;

/// Opcodes.
pub(super) const QUERY: u8 = 0;
pub(super) const NOTIFY: u8 = 4;

/// Response codes.
pub(super) mod rcode {
    pub(in crate::transfer) const NOERROR: u8 = 0;
    pub(in crate::transfer) const FORMERR: u8 = 1;
    pub(in crate::transfer) const SERVFAIL: u8 = 2;
    pub(in crate::transfer) const REFUSED: u8 = 5;
    pub(in crate::transfer) const NOTAUTH: u8 = 9;
}

/// The message is not what RFC 1035 section 4.1 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// A record in a message, its owner as it stands there.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawRecord<'m> {
    /// Where it begins.
    pub(super) start: usize,
    pub(super) rtype: u16,
    pub(super) class: u16,
    pub(super) ttl: u32,
    pub(super) rdata: &'m [u8],
    /// Whether it is in the additional section.
    pub(super) is_additional: bool,
    /// Whether it is the message's last.
    pub(super) is_last: bool,
}

/// A message with one question.
#[derive(Debug)]
pub(super) struct Message<'m> {
    pub(super) wire: &'m [u8],
    pub(super) opcode: u8,
    pub(super) qname: Name,
    pub(super) qtype: u16,
    pub(super) qclass: u16,
    /// Where the question ends.
    pub(super) question_end: usize,
    pub(super) records: Vec<RawRecord<'m>>,
}

impl<'m> Message<'m> {
    /// Reads header, question and where the records are.
    pub(super) fn read(wire: &'m [u8]) -> Result<Self, Malformed> {
        let header = wire.first_chunk::<HEADER_BYTES>().ok_or(Malformed)?;
        let count = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let (answers, authorities, additionals) = (count(6), count(8), count(10));
        let records = answers.checked_add(authorities);
        let records = records.and_then(|sum| sum.checked_add(additionals));
        let records_count = records.filter(|sum| *sum <= RECORDS_MAX).ok_or(Malformed)?;
        if count(4) != 1 {
            return Err(Malformed);
        }
        let (qname, at) = read_name(wire, HEADER_BYTES).map_err(|_| Malformed)?;
        let fixed = wire.get(at..at + 4).ok_or(Malformed)?;
        let question_end = at + 4;
        let mut at = question_end;
        let mut records = Vec::with_capacity(usize::from(records_count));
        for index in 0..records_count {
            let is_additional = index >= answers + authorities;
            let is_last = index + 1 == records_count;
            let (record, end) = read_record(wire, at, is_additional, is_last)?;
            records.push(record);
            at = end;
        }
        // Octets behind the last record are nobody's.
        if at != wire.len() {
            return Err(Malformed);
        }
        Ok(Self {
            wire,
            opcode: header[2] >> 3 & 0x0f,
            qname,
            qtype: u16::from_be_bytes([fixed[0], fixed[1]]),
            qclass: u16::from_be_bytes([fixed[2], fixed[3]]),
            question_end,
            records,
        })
    }

    /// Whether it is a request for a zone of the Internet, whole or what changed.
    pub(super) fn is_transfer(&self) -> bool {
        // A response is nobody's question, whatever stands in it.
        self.wire[2] & 0x80 == 0
            && self.opcode == QUERY
            && matches!(self.qtype, AXFR | IXFR)
            && self.qclass == CLASS_IN
    }

    /// Whether it has an OPT.
    pub(super) fn has_edns(&self) -> bool {
        self.opt().is_some()
    }

    /// The largest datagram that its sender takes, by what it says.
    pub(super) fn payload_bytes(&self) -> u16 {
        self.opt().map_or(512, |opt| opt.class.max(512))
    }

    /// Whether it asks when the zone expires.
    pub(super) fn asks_expire(&self) -> bool {
        let mut options = self.opt().map_or(&[][..], |opt| opt.rdata);
        while let Some((head, rest)) = options.split_first_chunk::<4>() {
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            if u16::from_be_bytes([head[0], head[1]]) == EXPIRE {
                return true;
            }
            options = rest.get(length..).unwrap_or_default();
        }
        false
    }

    fn opt(&self) -> Option<&RawRecord<'m>> {
        let mut records = self.records.iter();
        records.find(|record| record.rtype == OPT && record.is_additional)
    }

    /// The serial that the client of an IXFR has: that of the SOA in the authority
    /// section (RFC 1995 section 3).
    pub(super) fn client_serial(&self) -> Option<u32> {
        let count = u16::from_be_bytes([self.wire[8], self.wire[9]]);
        let mut records = self.records.iter();
        let soa = records.find(|record| record.rtype == RecordType::SOA.0)?;
        if count != 1 || soa.is_additional {
            return None;
        }
        let (owner, _) = read_name(self.wire, soa.start).ok()?;
        if owner.to_lowercase() != self.qname.to_lowercase() {
            return None;
        }
        let (record, _) = zone_compiler::wire::read_record(self.wire, soa.start).ok()?;
        soa_serial(&record.rdata)
    }

    /// All records that claim to be signatures.
    pub(super) fn signatures(&self) -> impl Iterator<Item = &RawRecord<'m>> {
        self.records.iter().filter(|record| record.rtype == TSIG)
    }
}

fn read_record(
    wire: &[u8],
    start: usize,
    is_additional: bool,
    is_last: bool,
) -> Result<(RawRecord<'_>, usize), Malformed> {
    let (_, at) = read_name(wire, start).map_err(|_| Malformed)?;
    let head = wire.get(at..at + 10).ok_or(Malformed)?;
    let end = at + 10 + usize::from(u16::from_be_bytes([head[8], head[9]]));
    let rdata = wire.get(at + 10..end).ok_or(Malformed)?;
    let record = RawRecord {
        start,
        rtype: u16::from_be_bytes([head[0], head[1]]),
        class: u16::from_be_bytes([head[2], head[3]]),
        ttl: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
        rdata,
        is_additional,
        is_last,
    };
    Ok((record, end))
}

/// The five numbers that end the RDATA of a SOA: serial, refresh, retry, expire, minimum.
fn soa_number(rdata: &[u8], at: usize) -> Option<u32> {
    let numbers = rdata.last_chunk::<20>()?;
    let octets = numbers.get(4 * at..4 * at + 4)?;
    Some(u32::from_be_bytes(octets.try_into().ok()?))
}

/// The serial of a SOA.
pub(super) fn soa_serial(rdata: &[u8]) -> Option<u32> {
    soa_number(rdata, 0)
}

/// The seconds after which a secondary gives a zone up.
pub(super) fn soa_expire(rdata: &[u8]) -> Option<u32> {
    soa_number(rdata, 3)
}

/// What all messages of one reply have in common.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// Id, opcode and RD of the request.
    id: [u8; 2],
    flags: u8,
    /// Question as it was asked.
    question: Vec<u8>,
    /// The zone, lower case, where the question has it so.
    apex: Vec<u8>,
    /// Whether there is an OPT.
    edns: bool,
    /// What EXPIRE says in the first message.
    pub(super) expire: Option<u32>,
}

impl Head {
    /// That of a reply to `message`, with AA where it is the zone's own word.
    pub(super) fn of(message: &Message<'_>) -> Self {
        // Owners end in a pointer to the question only where it has the zone's own letters.
        let asked = message.qname.as_wire();
        let apex = match *asked == *message.qname.to_lowercase().as_wire() {
            true => asked.to_vec(),
            false => Vec::new(),
        };
        Self {
            id: [message.wire[0], message.wire[1]],
            // QR, and opcode and RD as they came (RFC 5936 section 2.2.1).
            flags: 0x80 | message.wire[2] & 0x79,
            question: message.wire[HEADER_BYTES..message.question_end].to_vec(),
            apex,
            edns: message.has_edns(),
            expire: None,
        }
    }

    /// A reply that only has a response code.
    pub(super) fn error(self: &Arc<Self>, rcode: u8) -> Vec<u8> {
        let mut writer = Writer::new(self, 0);
        writer.out[2] &= !0x04;
        writer.out[3] = rcode;
        writer.finish()
    }
}

/// A message of a reply on its way.
pub(super) struct Writer {
    head: Arc<Head>,
    out: Vec<u8>,
    /// Where records must end.
    limit: usize,
    answers: u16,
    /// The owner before, and where it stands.
    owner: Option<(Name, usize)>,
}

impl Writer {
    /// Starts a message that leaves `reserved_bytes` free for a signature.
    pub(super) fn new(head: &Arc<Head>, reserved_bytes: usize) -> Self {
        let mut out = Vec::with_capacity(MESSAGE_BYTES_MAX);
        out.extend_from_slice(&head.id);
        // The zone's own word: AA.
        out.extend_from_slice(&[head.flags | 0x04, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        out.extend_from_slice(&head.question);
        Self {
            head: Arc::clone(head),
            out,
            limit: MESSAGE_BYTES_MAX - OPT_BYTES_MAX - reserved_bytes,
            answers: 0,
            owner: None,
        }
    }

    /// Whether nothing is in it yet.
    pub(super) fn is_empty(&self) -> bool {
        self.answers == 0
    }

    /// Appends a record; says `false` and leaves the message as it was where it does not
    /// fit.
    pub(super) fn push(&mut self, record: &Record) -> bool {
        let start = self.out.len();
        // An owner, ten octets, RDATA: none is longer than it is uncompressed.
        let most = record.owner.as_wire().len() + 10 + record.rdata.len();
        if start + most > self.limit || self.answers == u16::MAX {
            return false;
        }
        match &self.owner {
            Some((owner, at)) if *owner == record.owner => self.pointer(*at),
            _ => {
                self.name(record.owner.as_wire());
                self.owner = (start <= POINTER_MAX).then(|| (record.owner.clone(), start));
            }
        }
        self.out.extend_from_slice(&record.rtype.0.to_be_bytes());
        self.out.extend_from_slice(&CLASS_IN.to_be_bytes());
        self.out.extend_from_slice(&record.ttl.to_be_bytes());
        let length_at = self.out.len();
        self.out.extend_from_slice(&[0, 0]);
        if record.rtype == RecordType::NS {
            self.name(&record.rdata);
        } else {
            self.out.extend_from_slice(&record.rdata);
        }
        let length = self.out.len() - length_at - 2;
        let length = u16::try_from(length).expect("RDATA has at most 65,535 octets");
        self.out[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
        self.answers += 1;
        true
    }

    /// A name; what ends in the zone's apex ends in a pointer to the question.
    fn name(&mut self, wire: &[u8]) {
        let apex = self.head.apex.as_slice();
        let mut at = 0;
        while wire[at] != 0 && wire.len() - at > apex.len() {
            at += 1 + usize::from(wire[at]);
        }
        if apex.len() > 1 && wire[at..] == *apex {
            self.out.extend_from_slice(&wire[..at]);
            self.pointer(HEADER_BYTES);
        } else {
            self.out.extend_from_slice(wire);
        }
    }

    fn pointer(&mut self, at: usize) {
        let at = u16::try_from(at).expect("a pointer's place was looked at");
        self.out.extend_from_slice(&(0xc000 | at).to_be_bytes());
    }

    /// Ends the message. Its signature, if it gets one, comes behind.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out[6..8].copy_from_slice(&self.answers.to_be_bytes());
        if self.head.edns {
            let option = self.head.expire.map(u32::to_be_bytes);
            self.out.extend_from_slice(&[0, 0, 41]);
            self.out.extend_from_slice(&PAYLOAD_BYTES.to_be_bytes());
            self.out.extend_from_slice(&[0; 4]);
            match option {
                Some(seconds) => {
                    self.out.extend_from_slice(&[0, 8, 0, 9, 0, 4]);
                    self.out.extend_from_slice(&seconds);
                }
                None => self.out.extend_from_slice(&[0, 0]),
            }
            self.out[11] = 1;
        }
        self.out
    }
}

#[cfg(test)]
mod tests;
