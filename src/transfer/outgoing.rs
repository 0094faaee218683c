//! Zones that others ask for: who may have them, and in which form.
//!
//! A transfer is made by a thread of its own that gives way to the workers, from one
//! generation, into a queue of few messages; so it needs memory for these and no more,
//! however large the zone. Over UDP there is at most the SOA (RFC 5936 section 4.2, RFC
//! 1995 section 2). Refused by default; signed requests get signed replies (RFC 8945).

mod changes;
mod request;
mod send;

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::mpsc;
use zone_image::{Generation, Name};

use self::request::Form;
pub(super) use self::request::is_newer;
use self::send::{Job, Permit};
use super::access::{Access, Client, Pin};
use super::counters::{Event, TransferCounters};
use super::history::History;
use super::key::Keys;
use super::message::{self, Head, Malformed, Message, Writer, rcode};
use super::records;
use super::tsig::{self, Judgement, Refusal, Signed};
use crate::dns::engine::{Action, Aside, Outcome, Plain, Request, Transport};
use crate::dns::net::Clock;
use crate::dns::net::tcp::{Piece, Transfers};

/// Messages that may wait for a client to read.
const QUEUE_MESSAGES: usize = 2;
/// Longest request that is read.
const REQUEST_BYTES_MAX: usize = 4096;

/// What transfers are told once.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Known keys.
    pub keys: Keys,
    /// Who may have which zone.
    pub access: Access,
    /// Most transfers at a time.
    pub concurrent_max: usize,
    /// Largest reply over UDP.
    pub udp_payload_bytes_max: u16,
}

/// Answers requests for transfers and whatever is signed.
#[derive(Debug)]
pub struct Outgoing {
    settings: Settings,
    counters: Arc<TransferCounters>,
    history: Arc<History>,
    clock: Clock,
}

/// A request that may have what it asks for.
struct Granted {
    apex: Name,
    generation: Arc<Generation>,
}

impl Outgoing {
    /// Transfers of what `history` has.
    pub fn new(settings: Settings, history: Arc<History>, clock: Clock) -> Self {
        Self {
            settings,
            counters: Arc::default(),
            history,
            clock,
        }
    }

    /// What was counted.
    pub fn counters(&self) -> Arc<TransferCounters> {
        Arc::clone(&self.counters)
    }

    /// Whether the client may have the zone, and from where; else the response code.
    fn grant(
        &self,
        message: &Message<'_>,
        address: IpAddr,
        signed: Option<&Signed>,
        certificate: Option<Pin>,
    ) -> Result<Granted, u8> {
        let apex = message.qname.to_lowercase();
        let client = Client {
            address,
            key: signed.map(|signed| signed.key.name()),
            certificate,
        };
        if !self.settings.access.allows(&apex, &client) {
            self.counters.note(Event::Refused);
            tracing::debug!(zone = %apex, %address, "transfer refused");
            return Err(rcode::REFUSED);
        }
        let generation = self.history.head();
        // RFC 5936 section 2.2.1: NOTAUTH where the server has no such zone.
        if generation.zone(apex.as_wire()).is_none() {
            self.counters.note(Event::NotHere);
            return Err(rcode::NOTAUTH);
        }
        Ok(Granted { apex, generation })
    }

    fn note_refusal(&self, refusal: &Refusal, address: IpAddr) {
        let event = match refusal.error {
            tsig::Error::Key => Event::BadKey,
            tsig::Error::Mac => Event::BadSig,
            tsig::Error::Time => Event::BadTime,
            tsig::Error::Truncation => Event::BadTrunc,
        };
        self.counters.note(event);
        // RFC 8945 section 5.2 asks for a line of log. Anybody can cause it, so that it is
        // not one of those that are written unasked; the counter is.
        let (error, key) = (refusal.error.name(), &refusal.name);
        tracing::debug!(error, %key, %address, "signature refused");
    }

    /// The pieces of a transfer, or the one message that says why there is none.
    fn transfer(&self, request: &Request<'_>, message: &Message<'_>, pin: Option<Pin>) -> Reply {
        let address = request.peer.ip();
        let head = Head::of(message);
        let signed = match tsig::judge(message, &self.settings.keys, request.now) {
            Judgement::Unsigned => None,
            Judgement::Good(signed) => Some(signed),
            Judgement::Malformed => {
                self.counters.note(Event::Malformed);
                return Reply::One(Arc::new(head).error(rcode::FORMERR));
            }
            Judgement::Bad(refusal) => {
                self.note_refusal(&refusal, address);
                let mut reply = Arc::new(head).error(Refusal::RCODE);
                refusal.finish(&mut reply);
                return Reply::One(reply);
            }
        };
        let failed = |rcode, signed: Option<Signed>| {
            let mut reply = Arc::new(head.clone()).error(rcode);
            if let Some(mut signed) = signed {
                signed.sign(&mut reply, request.now);
            }
            Reply::One(reply)
        };
        let granted = match self.grant(message, address, signed.as_ref(), pin) {
            Ok(granted) => granted,
            Err(rcode) => return failed(rcode, signed),
        };
        let form = match Form::of(message, &granted.generation, &granted.apex, &self.history) {
            Ok(form) => form,
            Err(Malformed) => {
                self.counters.note(Event::Malformed);
                return failed(rcode::FORMERR, signed);
            }
        };
        let Some(permit) = Permit::take(&self.counters, self.settings.concurrent_max) else {
            self.counters.note(Event::Busy);
            return failed(rcode::SERVFAIL, signed);
        };
        Reply::Many(Box::new(Job {
            permit,
            head,
            signed,
            expire: message.asks_expire(),
            peer: request.peer,
            generation: granted.generation,
            apex: granted.apex,
            form,
            clock: self.clock,
        }))
    }
}

/// What a request over a stream gets.
enum Reply {
    One(Vec<u8>),
    Many(Box<Job>),
}

impl Transfers for Outgoing {
    fn open(
        &self,
        request: &Request<'_>,
        certificate: Option<&[u8]>,
    ) -> Option<mpsc::Receiver<Piece>> {
        if request.wire.len() > REQUEST_BYTES_MAX || !request::could_be_transfer(request.wire) {
            return None;
        }
        let message = Message::read(request.wire).ok()?;
        if !message.is_transfer() {
            return None;
        }
        let (pieces, queue) = mpsc::channel(QUEUE_MESSAGES);
        match self.transfer(request, &message, certificate.map(Pin::of)) {
            Reply::One(message) => {
                self.counters.sent(message.len());
                for piece in [Piece::Message(message), Piece::End] {
                    pieces
                        .try_send(piece)
                        .expect("the queue is empty and has room for two");
                }
            }
            Reply::Many(job) => job.spawn(pieces),
        }
        Some(queue)
    }
}

impl Aside for Outgoing {
    fn answer(
        &self,
        _generation: &Generation,
        request: &Request<'_>,
        out: &mut [u8],
        plain: Plain<'_>,
    ) -> Action {
        let Ok(message) = Message::read(request.wire) else {
            // What is no message to us has no signature to us; it can be a question.
            return match request::has_signature(request.wire) {
                true => plain_error(request, out, plain, rcode::FORMERR),
                false => plain(request, out),
            };
        };
        let address = request.peer.ip();
        match tsig::judge(&message, &self.settings.keys, request.now) {
            Judgement::Unsigned => self.unsigned(request, &message, out, plain),
            Judgement::Malformed => plain_error(request, out, plain, rcode::FORMERR),
            Judgement::Bad(refusal) => {
                self.note_refusal(&refusal, address);
                let without = request::without_signature(&message, refusal.start);
                let asked = Request {
                    wire: &without,
                    ..*request
                };
                // Whether a forger's victim may get another reply is known there.
                if let Action::Drop(reason) = plain(&asked, out) {
                    return Action::Drop(reason);
                }
                let mut reply = Arc::new(Head::of(&message)).error(Refusal::RCODE);
                refusal.finish(&mut reply);
                put(&reply, out, Outcome::Other)
            }
            Judgement::Good(signed) => self.signed(request, &message, signed, out, plain),
        }
    }
}

impl Outgoing {
    /// Transfers and notices by one message, unsigned.
    fn unsigned(
        &self,
        request: &Request<'_>,
        message: &Message<'_>,
        out: &mut [u8],
        plain: Plain<'_>,
    ) -> Action {
        match self.datagram(request, message, None) {
            Some(reply) => put(&reply, out, Outcome::Answer),
            None => plain(request, out),
        }
    }

    /// The SOA for an IXFR over UDP, where the client may have the zone: it is to come over
    /// TCP for the rest (RFC 1995 section 2).
    fn datagram(
        &self,
        request: &Request<'_>,
        message: &Message<'_>,
        signed: Option<&Signed>,
    ) -> Option<Vec<u8>> {
        let is_wanted = message.is_transfer() && message.qtype == message::IXFR;
        if request.transport != Transport::Udp || !is_wanted {
            return None;
        }
        let granted = self.grant(message, request.peer.ip(), signed, None).ok()?;
        let zone = granted.generation.zone(granted.apex.as_wire())?;
        let mut writer = Writer::new(&Arc::new(Head::of(message)), 0);
        writer.push(&records::soa(zone));
        self.counters.note(Event::Current);
        let mut reply = writer.finish();
        let reserved = signed.map_or(0, |signed| tsig::reserved_bytes(&signed.key));
        if reply.len() + reserved > usize::from(self.datagram_bytes_max(message)) {
            // RFC 8945 section 5.3: a signed one then has only question and signature.
            reply = Arc::new(Head::of(message)).error(rcode::NOERROR);
            reply[2] |= 0x02;
        }
        Some(reply)
    }

    /// Octets that a reply over UDP may have.
    fn datagram_bytes_max(&self, message: &Message<'_>) -> u16 {
        let limit = self.settings.udp_payload_bytes_max.max(512);
        message.payload_bytes().min(limit)
    }

    /// Answers what is signed as if it were not, and signs the answer.
    fn signed(
        &self,
        request: &Request<'_>,
        message: &Message<'_>,
        mut signed: Signed,
        out: &mut [u8],
        plain: Plain<'_>,
    ) -> Action {
        let (mut reply, outcome) = match self.datagram(request, message, Some(&signed)) {
            Some(reply) => (reply, Outcome::Answer),
            None => {
                let without = request::without_signature(message, signed.start);
                let asked = Request {
                    wire: &without,
                    ..*request
                };
                let most = match request.transport {
                    Transport::Udp => usize::from(self.datagram_bytes_max(message)),
                    Transport::Tcp | Transport::Tls => message::MESSAGE_BYTES_MAX,
                };
                let most = most.min(out.len()) - tsig::reserved_bytes(&signed.key);
                match plain(&asked, &mut out[..most]) {
                    Action::Reply { length, outcome } => (out[..length].to_vec(), outcome),
                    Action::Drop(reason) => return Action::Drop(reason),
                }
            }
        };
        signed.sign(&mut reply, request.now);
        put(&reply, out, outcome)
    }
}

/// An error, where the plain answer would be sent.
fn plain_error(request: &Request<'_>, out: &mut [u8], plain: Plain<'_>, rcode: u8) -> Action {
    match plain(request, out) {
        Action::Reply { .. } => {
            let mut reply = request.wire[..message::HEADER_BYTES].to_vec();
            reply[2] = 0x80 | reply[2] & 0x79;
            reply[3] = rcode;
            reply[4..].fill(0);
            put(&reply, out, Outcome::FormErr)
        }
        dropped @ Action::Drop(_) => dropped,
    }
}

fn put(reply: &[u8], out: &mut [u8], outcome: Outcome) -> Action {
    out[..reply.len()].copy_from_slice(reply);
    Action::Reply {
        length: reply.len(),
        outcome,
    }
}

#[cfg(test)]
mod tests;
