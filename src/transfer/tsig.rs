//! Signatures over messages (RFC 8945): judging requests, signing replies of many messages.
//!
//! A key is found by its name in lower case; MACs are compared in constant time and taken
//! whole only, so a truncated one is BADTRUNC (section 5.2.4). No error is signed whose
//! request was not. Nothing here reads a clock.
//!
//! Deviation: the time of the last message of a key is not kept (section 5.2.3 asks for it
//! with SHOULD). What is signed here only reads, so a message that is sent again within its
//! fudge gains nothing that the first did not; later ones are BADTIME.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zone_compiler::wire::read_name;
use zone_image::Name;

use super::key::{Key, Keys};
use super::message::{Message, RawRecord, rcode};

/// Seconds by which clocks may differ (RFC 8945 section 10).
pub(super) const FUDGE_SECONDS: u16 = 300;
/// Shortest MAC that is no error of form (RFC 8945 section 5.2.2.1).
const MAC_BYTES_MIN: usize = 10;
/// Octets of RDATA beside algorithm, MAC and other data.
const FIXED_BYTES: usize = 16;
const TSIG: u16 = 250;
const CLASS_ANY: u16 = 255;

/// Errors of a TSIG (IANA "DNS RCODEs").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Error {
    /// BADSIG.
    Mac = 16,
    /// BADKEY.
    Key = 17,
    /// BADTIME.
    Time = 18,
    /// BADTRUNC.
    Truncation = 22,
}

impl Error {
    /// Its name, for logs and metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mac => "badsig",
            Self::Key => "badkey",
            Self::Time => "badtime",
            Self::Truncation => "badtrunc",
        }
    }
}

/// What a signature says of its message.
#[derive(Debug)]
pub(super) enum Judgement {
    /// There is none.
    Unsigned,
    /// It holds.
    Good(Signed),
    /// It does not; the reply is NOTAUTH and ends in what `Refusal` writes.
    Bad(Refusal),
    /// It is not where or what it should be: FORMERR, unsigned.
    Malformed,
}

/// A request whose signature holds.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) key: Arc<Key>,
    /// Of the request, or of the message signed last.
    mac: Vec<u8>,
    /// Where the TSIG began.
    pub(super) start: usize,
    original_id: [u8; 2],
    is_first: bool,
}

/// How an error is told.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: Error,
    /// The key's name as it came.
    pub(super) name: Name,
    algorithm: Name,
    time: u64,
    fudge: u16,
    original_id: [u8; 2],
    /// Signs the error where the request's MAC was good.
    signer: Option<(Arc<Key>, Vec<u8>)>,
    now: u64,
    pub(super) start: usize,
}

/// The fields of a TSIG.
struct Fields<'m> {
    name: Name,
    algorithm: Name,
    time: u64,
    fudge: u16,
    mac: &'m [u8],
    original_id: [u8; 2],
    error: u16,
    other: &'m [u8],
}

impl<'m> Fields<'m> {
    fn read(wire: &'m [u8], record: &RawRecord<'m>) -> Option<Self> {
        if record.class != CLASS_ANY || record.ttl != 0 {
            return None;
        }
        let (name, _) = read_name(wire, record.start).ok()?;
        // The algorithm is not compressed (RFC 8945 section 4.2), so it is read alone.
        let (algorithm, at) = read_name(record.rdata, 0).ok()?;
        let rest = record.rdata.get(at..)?;
        let (head, rest) = rest.split_first_chunk::<10>()?;
        let mac_bytes = usize::from(u16::from_be_bytes([head[8], head[9]]));
        let (mac, rest) = rest.split_at_checked(mac_bytes)?;
        let (tail, other) = rest.split_first_chunk::<6>()?;
        if other.len() != usize::from(u16::from_be_bytes([tail[4], tail[5]])) {
            return None;
        }
        let mut time = [0; 8];
        time[2..].copy_from_slice(&head[..6]);
        Some(Self {
            name: name.to_lowercase(),
            algorithm: algorithm.to_lowercase(),
            time: u64::from_be_bytes(time),
            fudge: u16::from_be_bytes([head[6], head[7]]),
            mac,
            original_id: [tail[0], tail[1]],
            error: u16::from_be_bytes([tail[2], tail[3]]),
            other,
        })
    }
}

/// Judges the signature of a request (RFC 8945 section 5.2).
pub(super) fn judge(message: &Message<'_>, keys: &Keys, now: u64) -> Judgement {
    let mut all = message.signatures();
    let Some(record) = all.next() else {
        return Judgement::Unsigned;
    };
    if all.next().is_some() || !record.is_additional || !record.is_last {
        return Judgement::Malformed;
    }
    let Some(fields) = Fields::read(message.wire, record) else {
        return Judgement::Malformed;
    };
    let refusal = |error, signer| {
        Judgement::Bad(Refusal {
            error,
            name: fields.name.clone(),
            algorithm: fields.algorithm.clone(),
            time: fields.time,
            fudge: fields.fudge,
            original_id: fields.original_id,
            signer,
            now,
            start: record.start,
        })
    };
    let key = keys.find(&fields.name);
    let Some(key) = key.filter(|key| key.algorithm().wire() == fields.algorithm.as_wire()) else {
        return refusal(Error::Key, None);
    };
    let whole = key.algorithm().mac_bytes();
    if fields.mac.len() > whole || fields.mac.len() < MAC_BYTES_MIN.max(whole / 2) {
        return Judgement::Malformed;
    }
    let unsigned = unsigned(message, record, fields.original_id);
    let variables = variables(key, &fields);
    let computed = mac_of(key, None, &[&unsigned, &variables]);
    let computed = &computed[..fields.mac.len()];
    if verify_slices_are_equal(computed, fields.mac).is_err() {
        return refusal(Error::Mac, None);
    }
    let signer = || Some((Arc::clone(key), fields.mac.to_vec()));
    if now.abs_diff(fields.time) > u64::from(fields.fudge) {
        return refusal(Error::Time, signer());
    }
    if fields.mac.len() < whole {
        return refusal(Error::Truncation, signer());
    }
    Judgement::Good(Signed {
        key: Arc::clone(key),
        mac: fields.mac.to_vec(),
        start: record.start,
        original_id: fields.original_id,
        is_first: true,
    })
}

/// The message as its sender signed it: without the TSIG, with the id it had there.
fn unsigned(message: &Message<'_>, record: &RawRecord<'_>, original_id: [u8; 2]) -> Vec<u8> {
    let mut octets = message.wire[..record.start].to_vec();
    octets[..2].copy_from_slice(&original_id);
    let additionals = u16::from_be_bytes([octets[10], octets[11]]) - 1;
    octets[10..12].copy_from_slice(&additionals.to_be_bytes());
    octets
}

/// RFC 8945 section 4.3.3.
fn variables(key: &Key, fields: &Fields<'_>) -> Vec<u8> {
    let mut octets = key.name().as_wire().to_vec();
    octets.extend_from_slice(&CLASS_ANY.to_be_bytes());
    octets.extend_from_slice(&[0; 4]);
    octets.extend_from_slice(key.algorithm().wire());
    octets.extend_from_slice(&timers(fields.time, fields.fudge));
    octets.extend_from_slice(&fields.error.to_be_bytes());
    let other = u16::try_from(fields.other.len()).expect("it was read with this length");
    octets.extend_from_slice(&other.to_be_bytes());
    octets.extend_from_slice(fields.other);
    octets
}

/// RFC 8945 section 4.2: 48 bits of seconds, then the fudge.
fn timers(time: u64, fudge: u16) -> [u8; 8] {
    let mut octets = [0; 8];
    octets[..6].copy_from_slice(&time.to_be_bytes()[2..]);
    octets[6..].copy_from_slice(&fudge.to_be_bytes());
    octets
}

fn mac_of(key: &Key, prior: Option<&[u8]>, parts: &[&[u8]]) -> Vec<u8> {
    let mut context = key.context();
    if let Some(prior) = prior {
        let length = u16::try_from(prior.len()).expect("a MAC has at most 64 octets");
        context.update(&length.to_be_bytes());
        context.update(prior);
    }
    for part in parts {
        context.update(part);
    }
    context.sign().as_ref().to_vec()
}

/// Octets that the TSIG of a key takes at the end of a message.
pub(super) fn reserved_bytes(key: &Key) -> usize {
    let algorithm = key.algorithm();
    let fixed = 10 + FIXED_BYTES + algorithm.wire().len() + algorithm.mac_bytes();
    key.name().as_wire().len() + fixed
}

/// Signs a request; gives its MAC, which the reply is to be checked with.
pub(super) fn sign_request(message: &mut Vec<u8>, key: &Key, now: u64) -> Vec<u8> {
    let fields = Fields {
        name: key.name().clone(),
        algorithm: Name::root(),
        time: now,
        fudge: FUDGE_SECONDS,
        mac: &[],
        original_id: [message[0], message[1]],
        error: 0,
        other: &[],
    };
    let mac = mac_of(key, None, &[message, &variables(key, &fields)]);
    let (name, algorithm) = (key.name().as_wire(), key.algorithm().wire());
    append(
        message,
        name,
        algorithm,
        &Fields {
            mac: &mac,
            ..fields
        },
    );
    mac
}

/// Whether a reply of one message has the signature of this key, for a request with this
/// MAC (RFC 8945 section 5.4).
pub(super) fn is_signed_reply(
    message: &Message<'_>,
    key: &Key,
    request_mac: &[u8],
    now: u64,
) -> bool {
    let mut all = message.signatures();
    let (Some(record), None) = (all.next(), all.next()) else {
        return false;
    };
    let Some(fields) = Fields::read(message.wire, record) else {
        return false;
    };
    let is_of_key = fields.name == *key.name()
        && fields.algorithm.as_wire() == key.algorithm().wire()
        && fields.error == 0
        && record.is_last;
    let unsigned = unsigned(message, record, fields.original_id);
    let mac = mac_of(
        key,
        Some(request_mac),
        &[&unsigned, &variables(key, &fields)],
    );
    is_of_key
        && verify_slices_are_equal(&mac, fields.mac).is_ok()
        && now.abs_diff(fields.time) <= u64::from(fields.fudge)
}

impl Signed {
    /// Signs the next message of the reply, which has room for it.
    pub(super) fn sign(&mut self, message: &mut Vec<u8>, now: u64) {
        let fields = Fields {
            name: self.key.name().clone(),
            algorithm: Name::root(),
            time: now,
            fudge: FUDGE_SECONDS,
            mac: &[],
            original_id: self.original_id,
            error: 0,
            other: &[],
        };
        // RFC 8945 section 5.3.1: behind the first message only the timers are signed.
        let variables = match self.is_first {
            true => variables(&self.key, &fields),
            false => timers(now, FUDGE_SECONDS).to_vec(),
        };
        self.is_first = false;
        self.mac = mac_of(&self.key, Some(&self.mac), &[message, &variables]);
        let id = [message[0], message[1]];
        let algorithm = self.key.algorithm().wire();
        let fields = Fields {
            mac: &self.mac,
            original_id: id,
            ..fields
        };
        append(message, self.key.name().as_wire(), algorithm, &fields);
    }
}

impl Refusal {
    /// The response code of the message.
    pub(super) const RCODE: u8 = rcode::NOTAUTH;

    /// Ends the reply that tells of the error.
    pub(super) fn finish(&self, message: &mut Vec<u8>) {
        let now = self.now.to_be_bytes();
        // RFC 8945 section 5.2.3: how late the server thinks it is.
        let other = match self.error {
            Error::Time => &now[2..],
            _ => &[],
        };
        let mut fields = Fields {
            name: self.name.clone(),
            algorithm: self.algorithm.clone(),
            time: self.time,
            fudge: self.fudge,
            mac: &[],
            original_id: self.original_id,
            error: self.error as u16,
            other,
        };
        let mac = self.signer.as_ref().map(|(key, prior)| {
            if self.error != Error::Time {
                fields.time = self.now;
            }
            let variables = variables(key, &fields);
            mac_of(key, Some(prior), &[message, &variables])
        });
        fields.mac = mac.as_deref().unwrap_or_default();
        let (name, algorithm) = (self.name.as_wire(), self.algorithm.as_wire());
        append(message, name, algorithm, &fields);
    }
}

fn append(message: &mut Vec<u8>, name: &[u8], algorithm: &[u8], fields: &Fields<'_>) {
    let length = algorithm.len() + FIXED_BYTES + fields.mac.len() + fields.other.len();
    let short = |length: usize| u16::try_from(length).expect("short by how it was made");
    message.extend_from_slice(name);
    message.extend_from_slice(&TSIG.to_be_bytes());
    message.extend_from_slice(&CLASS_ANY.to_be_bytes());
    message.extend_from_slice(&[0; 4]);
    message.extend_from_slice(&short(length).to_be_bytes());
    message.extend_from_slice(algorithm);
    message.extend_from_slice(&timers(fields.time, fields.fudge));
    message.extend_from_slice(&short(fields.mac.len()).to_be_bytes());
    message.extend_from_slice(fields.mac);
    message.extend_from_slice(&fields.original_id);
    message.extend_from_slice(&fields.error.to_be_bytes());
    message.extend_from_slice(&short(fields.other.len()).to_be_bytes());
    message.extend_from_slice(fields.other);
    let additionals = u16::from_be_bytes([message[10], message[11]]) + 1;
    message[10..12].copy_from_slice(&additionals.to_be_bytes());
}

#[cfg(test)]
pub(super) mod tests;
