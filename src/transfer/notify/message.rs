//! A notice and what answers it (RFC 1996 section 3 and 4).

use std::io;
use std::sync::Arc;

use zone_compiler::Record;

use crate::transfer::key::Key;
use crate::transfer::message::{Message, NOTIFY, rcode};
use crate::transfer::tsig;

/// A notice as it is sent.
pub(super) struct Notice {
    wire: Vec<u8>,
    /// The key that signed it, its MAC, and when that was.
    signed: Option<(Arc<Key>, Vec<u8>)>,
    now: u64,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Accepted,
    Refused(u8),
    Nothing,
}

impl Notice {
    /// With the new SOA, which RFC 1996 section 3.7 calls a hint.
    pub(super) fn new(soa: &Record, key: Option<Arc<Key>>, now: u64) -> io::Result<Self> {
        let mut id = [0; 2];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| io::Error::other("no random octets"))?;
        let mut wire = id.to_vec();
        // Opcode NOTIFY, AA; a question and an answer.
        wire.extend_from_slice(&[NOTIFY << 3 | 0x04, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
        wire.extend_from_slice(soa.owner.as_wire());
        wire.extend_from_slice(&soa.rtype.0.to_be_bytes());
        wire.extend_from_slice(&[0, 1, 0xc0, 12]);
        wire.extend_from_slice(&soa.rtype.0.to_be_bytes());
        wire.extend_from_slice(&[0, 1]);
        wire.extend_from_slice(&soa.ttl.to_be_bytes());
        let length = u16::try_from(soa.rdata.len()).expect("RDATA has at most 65,535 octets");
        wire.extend_from_slice(&length.to_be_bytes());
        wire.extend_from_slice(&soa.rdata);
        let signed = key.map(|key| {
            let mac = tsig::sign_request(&mut wire, &key, now);
            (key, mac)
        });
        Ok(Self { wire, signed, now })
    }

    pub(super) fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// What a message says to this notice, if it is an answer to it.
    pub(super) fn hear(&self, wire: &[u8]) -> Option<Heard> {
        let message = Message::read(wire).ok()?;
        let own = Message::read(&self.wire).ok()?;
        let is_answer = wire[..2] == self.wire[..2]
            && wire[2] & 0x80 != 0
            && message.opcode == NOTIFY
            && message.qname.to_lowercase() == own.qname.to_lowercase()
            && message.qtype == own.qtype;
        if !is_answer {
            return None;
        }
        if let Some((key, mac)) = &self.signed
            && !tsig::is_signed_reply(&message, key, mac, self.now)
        {
            return None;
        }
        Some(match wire[3] & 0x0f {
            rcode::NOERROR => Heard::Accepted,
            other => Heard::Refused(other),
        })
    }
}
