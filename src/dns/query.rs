//! Reading a query (RFC 1035 section 4.1, RFC 6891, RFC 7873, RFC 9619).
//!
//! Never trusts a length, never follows a pointer in the question, and looks at
//! no more additional records than a client has a reason to send.

use zone_image::LookupName;
use zone_image::name::wire_length;

use super::edns::Asked;
use super::engine::DropReason;

/// Octets of a message header.
pub(super) const HEADER_BYTES: usize = 12;
/// Most additional records that are looked at: OPT, TSIG and some to spare.
const ADDITIONAL_MAX: u16 = 8;

/// Response codes (IANA "DNS RCODEs").
pub(super) mod rcode {
    pub(in crate::dns) const NOERROR: u16 = 0;
    pub(in crate::dns) const FORMERR: u16 = 1;
    pub(in crate::dns) const SERVFAIL: u16 = 2;
    pub(in crate::dns) const NXDOMAIN: u16 = 3;
    pub(in crate::dns) const NOTIMP: u16 = 4;
    pub(in crate::dns) const REFUSED: u16 = 5;
    pub(in crate::dns) const YXDOMAIN: u16 = 6;
    pub(in crate::dns) const NOTAUTH: u16 = 9;
    pub(in crate::dns) const BADVERS: u16 = 16;
    pub(in crate::dns) const BADCOOKIE: u16 = 23;
}

/// Record and question types (IANA "Resource Record (RR) TYPEs").
pub(super) mod rtype {
    pub(in crate::dns) const NS: u16 = 2;
    pub(in crate::dns) const CNAME: u16 = 5;
    pub(in crate::dns) const SOA: u16 = 6;
    pub(in crate::dns) const TXT: u16 = 16;
    pub(in crate::dns) const DNAME: u16 = 39;
    pub(in crate::dns) const OPT: u16 = 41;
    pub(in crate::dns) const DS: u16 = 43;
    pub(in crate::dns) const RRSIG: u16 = 46;
    pub(in crate::dns) const NSEC: u16 = 47;
    pub(in crate::dns) const NXNAME: u16 = 128;
    pub(in crate::dns) const TKEY: u16 = 249;
    pub(in crate::dns) const TSIG: u16 = 250;
    pub(in crate::dns) const IXFR: u16 = 251;
    pub(in crate::dns) const AXFR: u16 = 252;
    pub(in crate::dns) const MAILB: u16 = 253;
    pub(in crate::dns) const MAILA: u16 = 254;
    pub(in crate::dns) const ANY: u16 = 255;
}

const OPCODE_QUERY: u8 = 0;
pub(super) const OPCODE_NOTIFY: u8 = 4;

/// What the client said of EDNS (RFC 6891 section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edns {
    pub(super) payload_bytes: u16,
    pub(super) version: u8,
    pub(super) dnssec_ok: bool,
    /// Nothing where the options could not be read.
    pub(super) asked: Asked,
}

/// A question that can be answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<'n> {
    pub(super) name: &'n LookupName,
    pub(super) qtype: u16,
    pub(super) qclass: u16,
    pub(super) edns: Option<Edns>,
    /// Whether there is a TSIG in it, wherever.
    pub(super) is_signed: bool,
}

/// What a message turned out to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Parsed<'n> {
    /// A question.
    Query(Query<'n>),
    /// No question, but a cookie to be judged (RFC 7873 section 5.4).
    Cookie(Edns),
    /// No reply.
    Drop(DropReason),
    /// An error; the question is echoed where it could be read.
    Error {
        rcode: u16,
        question_bytes: usize,
        edns: Option<Edns>,
    },
}

/// Reads a message. The name of its question goes to `name`.
pub(super) fn parse<'n>(message: &[u8], name: &'n mut LookupName) -> Parsed<'n> {
    if message.len() < HEADER_BYTES {
        return Parsed::Drop(DropReason::Short);
    }
    if message[2] & 0x80 != 0 {
        return Parsed::Drop(DropReason::Response);
    }
    let error = |rcode, question_bytes, edns| Parsed::Error {
        rcode,
        question_bytes,
        edns,
    };
    match message[2] >> 3 & 0x0f {
        OPCODE_QUERY => {}
        // RFC 1996 section 3.10 leaves the reply to us: we are no secondary of that zone.
        OPCODE_NOTIFY => return error(rcode::NOTAUTH, 0, None),
        _ => return error(rcode::NOTIMP, 0, None),
    }
    let count = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
    let (questions, answers, authorities, additionals) = (count(4), count(6), count(8), count(10));
    match questions {
        1 => {}
        0 if answers == 0 && authorities == 0 && additionals <= ADDITIONAL_MAX => {
            return parse_without_question(&message[HEADER_BYTES..], additionals);
        }
        // RFC 9619 section 4: a query has one question.
        _ => return error(rcode::FORMERR, 0, None),
    }
    if name.read(&message[HEADER_BYTES..]).is_err() {
        return error(rcode::FORMERR, 0, None);
    }
    let name = &*name;
    let fixed = HEADER_BYTES + name.length();
    let Some(&[type_high, type_low, class_high, class_low]) = message.get(fixed..fixed + 4) else {
        return error(rcode::FORMERR, 0, None);
    };
    let qtype = u16::from_be_bytes([type_high, type_low]);
    let question_bytes = name.length() + 4;
    // RFC 1995 section 3: an IXFR query carries the client's SOA.
    let authorities_allowed = u16::from(qtype == rtype::IXFR);
    if answers > 0 || authorities > authorities_allowed || additionals > ADDITIONAL_MAX {
        return error(rcode::FORMERR, question_bytes, None);
    }
    let rest = &message[fixed + 4..];
    let mut is_signed = false;
    let edns = match find_opt(rest, authorities, additionals, &mut is_signed) {
        Ok(edns) => edns,
        Err(edns) => return error(rcode::FORMERR, question_bytes, edns),
    };
    if edns.is_some_and(|edns| edns.version > 0) {
        return error(rcode::BADVERS, question_bytes, edns);
    }
    let qclass = u16::from_be_bytes([class_high, class_low]);
    Parsed::Query(Query {
        name,
        qtype,
        qclass,
        edns,
        is_signed,
    })
}

/// A message without a question can only be about a cookie.
fn parse_without_question(rest: &[u8], additionals: u16) -> Parsed<'static> {
    let (rcode, edns) = match find_opt(rest, 0, additionals, &mut false) {
        Ok(Some(edns)) if edns.version > 0 => (rcode::BADVERS, Some(edns)),
        Ok(Some(edns)) if edns.asked.cookie.is_some() => return Parsed::Cookie(edns),
        Ok(edns) | Err(edns) => (rcode::FORMERR, edns),
    };
    Parsed::Error {
        rcode,
        question_bytes: 0,
        edns,
    }
}

/// Finds the OPT record, and whether there is a TSIG. The error carries what could be read of it, since a
/// FORMERR to an EDNS query has an OPT as well (RFC 6891 section 7).
fn find_opt(
    records: &[u8],
    authorities: u16,
    additionals: u16,
    is_signed: &mut bool,
) -> Result<Option<Edns>, Option<Edns>> {
    if additionals == 1 && authorities == 0 {
        // What nearly every client sends: a root owner, no options, nothing behind.
        if let [0, 0, 41, high, low, _, version, flags, _, 0, 0] = *records {
            return Ok(Some(Edns {
                payload_bytes: u16::from_be_bytes([high, low]),
                version,
                dnssec_ok: flags & 0x80 != 0,
                asked: Asked::default(),
            }));
        }
    }
    let mut rest = records;
    let mut edns = None;
    for index in 0..authorities + additionals {
        let record = RecordHead::read(rest).ok_or(edns)?;
        *is_signed |= record.rtype == rtype::TSIG;
        if record.rtype == rtype::OPT {
            let mut own = record.edns();
            // Other versions may have other options (RFC 6891 section 6.1.3).
            let asked = match own.version {
                0 => Asked::parse(record.rdata),
                _ => Ok(Asked::default()),
            };
            own.asked = asked.unwrap_or_default();
            // RFC 6891 section 6.1.1: at most one, owned by the root, in the additional section.
            let misplaced = edns.is_some() || !record.root_owner || index < authorities;
            edns = edns.or(Some(own));
            if misplaced || asked.is_err() {
                return Err(edns);
            }
        }
        rest = record.rest;
    }
    Ok(edns)
}

/// A record of the query, read as far as we need it.
struct RecordHead<'m> {
    root_owner: bool,
    rtype: u16,
    class: u16,
    ttl: [u8; 4],
    rdata: &'m [u8],
    rest: &'m [u8],
}

impl<'m> RecordHead<'m> {
    fn read(records: &'m [u8]) -> Option<Self> {
        let owner_bytes = owner_length(records)?;
        let (head, rest) = records[owner_bytes..].split_at_checked(10)?;
        let length = usize::from(u16::from_be_bytes([head[8], head[9]]));
        let (rdata, rest) = rest.split_at_checked(length)?;
        Some(Self {
            root_owner: owner_bytes == 1,
            rtype: u16::from_be_bytes([head[0], head[1]]),
            class: u16::from_be_bytes([head[2], head[3]]),
            ttl: [head[4], head[5], head[6], head[7]],
            rdata,
            rest,
        })
    }

    fn edns(&self) -> Edns {
        Edns {
            payload_bytes: self.class,
            version: self.ttl[1],
            dnssec_ok: self.ttl[2] & 0x80 != 0,
            asked: Asked::default(),
        }
    }
}

/// Octets of an owner name that may end in a pointer, which is not followed.
fn owner_length(records: &[u8]) -> Option<usize> {
    if let Ok(length) = wire_length(records) {
        return Some(length);
    }
    let mut at = 0;
    loop {
        match *records.get(at)? {
            0xc0.. => return records.get(at + 1).map(|_| at + 2),
            length @ 1..64 => at += 1 + usize::from(length),
            _ => return None,
        }
    }
}
