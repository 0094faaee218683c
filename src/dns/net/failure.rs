//! Queries of death: what happens when a message makes the engine panic.
//!
//! The worker goes on, the sender gets SERVFAIL, and the message is kept for
//! the report. The next site of an anycast service would get the same message,
//! so none may fall to it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use zone_image::{Generation, name};

use super::Answer;
use crate::dns::engine::{Action, DropReason, Outcome, Request, Transport};

/// Most messages kept for the report; the first ones tell most.
pub const OFFENCES_MAX: usize = 16;
/// Octets of a DNS header (RFC 1035 section 4.1.1).
const HEADER_BYTES: usize = 12;

/// A message that made the engine panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offence {
    /// When, in seconds since 1970.
    pub at: u64,
    /// From where.
    pub peer: SocketAddr,
    /// How it came.
    pub transport: Transport,
    /// The message.
    pub wire: Box<[u8]>,
}

/// The messages kept, for people to look at.
#[derive(Debug, Default)]
pub struct Offences {
    kept: Mutex<VecDeque<Offence>>,
}

impl Offences {
    /// Keeps a message unless the same one or enough of them are kept.
    fn keep(&self, request: &Request<'_>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= OFFENCES_MAX || kept.iter().any(|offence| *offence.wire == *request.wire) {
            return;
        }
        kept.push_back(Offence {
            at: request.now,
            peer: request.peer,
            transport: request.transport,
            wire: request.wire.into(),
        });
    }

    /// The messages kept so far.
    pub fn list(&self) -> Vec<Offence> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().cloned().collect()
    }
}

/// Answers one message; a panic becomes SERVFAIL. Says whether it panicked.
pub(crate) fn answer_guarded<A: Answer>(
    engine: &A,
    generation: &Generation,
    request: &Request<'_>,
    out: &mut [u8],
    offences: &Offences,
) -> (Action, bool) {
    // A panic leaves nothing behind that is looked at again: the engine and the
    // generation are immutable and `out` is written anew.
    let answer = AssertUnwindSafe(|| engine.answer(generation, request, &mut *out));
    match catch_unwind(answer) {
        Ok(action) => (action, false),
        Err(_) => {
            offences.keep(request);
            (servfail(request.wire, out), true)
        }
    }
}

/// SERVFAIL with the question where one can be read, else the header alone.
fn servfail(wire: &[u8], out: &mut [u8]) -> Action {
    const QR: u8 = 0x80;
    const OPCODE_AND_RD: u8 = 0x79;
    const SERVFAIL: u8 = 2;
    let Some(header) = wire.get(..HEADER_BYTES) else {
        return Action::Drop(DropReason::Short);
    };
    if header[2] & QR != 0 {
        return Action::Drop(DropReason::Response);
    }
    let question = question_bytes(wire).unwrap_or_default();
    let length = HEADER_BYTES + question.len();
    let Some(reply) = out.get_mut(..length) else {
        return Action::Drop(DropReason::Short);
    };
    reply[..2].copy_from_slice(&header[..2]);
    reply[2] = QR | (header[2] & OPCODE_AND_RD);
    reply[3] = SERVFAIL;
    reply[4..HEADER_BYTES].fill(0);
    reply[5] = u8::from(!question.is_empty());
    reply[HEADER_BYTES..].copy_from_slice(question);
    Action::Reply {
        length,
        outcome: Outcome::ServFail,
    }
}

/// The octets of the question of a message that says it has exactly one.
fn question_bytes(wire: &[u8]) -> Option<&[u8]> {
    let body = wire.get(HEADER_BYTES..)?;
    if wire[4..6] != [0, 1] {
        return None;
    }
    let name = name::wire_length(body).ok()?;
    body.get(..name + 4)
}

#[cfg(test)]
mod tests;
