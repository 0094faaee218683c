//! From a request to an action, without IO, clock, lock or allocation.

use std::net::SocketAddr;

use zone_image::Generation;

use super::answer::{self, Unanswered};
use super::query::{self, Edns, Parsed, Query, rcode, rtype};
use super::response::Response;

/// Least octets of a buffer for replies over UDP: 512 and what an error reply
/// to the longest question takes.
pub const UDP_BUFFER_BYTES: usize = 4096;
/// Largest reply without EDNS (RFC 1035 section 4.2.1).
const PLAIN_BYTES_MAX: u16 = 512;
/// Largest reply over a stream (RFC 1035 section 4.2.2).
const STREAM_BYTES_MAX: usize = 65_535;
const CLASS_IN: u16 = 1;
const CLASS_ANY: u16 = 255;

/// How a request came, which decides what may go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One datagram.
    Udp,
    /// A stream: replies may have up to 65,535 octets.
    Tcp,
}

/// One message from the network.
#[derive(Debug, Clone, Copy)]
pub struct Request<'m> {
    /// Who asks.
    pub peer: SocketAddr,
    /// How.
    pub transport: Transport,
    /// The message as received.
    pub wire: &'m [u8],
    /// Seconds since 1970, read once a batch.
    pub now: u64,
}

/// What to do with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send the first `length` octets of the out buffer.
    Reply {
        /// Octets of the reply.
        length: usize,
        /// What kind of answer it is, for the counters.
        outcome: Outcome,
    },
    /// Send nothing.
    Drop(DropReason),
}

/// The kinds of reply that are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// NOERROR with an answer.
    Answer,
    /// NOERROR with a delegation.
    Referral,
    /// NOERROR without data.
    NoData,
    /// NXDOMAIN.
    NxDomain,
    /// TC set: the client is to come back over TCP.
    Truncated,
    /// REFUSED: none of our zones.
    Refused,
    /// FORMERR.
    FormErr,
    /// NOTIMP.
    NotImp,
    /// BADVERS.
    BadVers,
    /// SERVFAIL.
    ServFail,
    /// Any other RCODE.
    Other,
}

/// Why a request gets no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum DropReason {
    /// Fewer than 12 octets.
    Short,
    /// A response (QR=1): answering could loop.
    Response,
    /// From port 0, which cannot be answered.
    PortZero,
}

/// The answering engine: its configuration and nothing that changes.
#[derive(Debug, Clone)]
pub struct Engine {
    /// Largest reply over UDP in octets (RFC 9715 section 3.1: 1232 by default).
    pub udp_payload_bytes_max: u16,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            udp_payload_bytes_max: 1232,
        }
    }
}

impl Engine {
    /// Answers one request from one generation into `out`, which holds 65,535
    /// octets for a stream and at least [`UDP_BUFFER_BYTES`] for UDP.
    pub fn answer(&self, generation: &Generation, request: &Request<'_>, out: &mut [u8]) -> Action {
        if request.peer.port() == 0 {
            return Action::Drop(DropReason::PortZero);
        }
        match query::parse(request.wire) {
            Parsed::Drop(reason) => Action::Drop(reason),
            Parsed::Error {
                rcode,
                question_bytes,
                edns,
            } => {
                let mut response = self.response(request, question_bytes, edns, out);
                response.rcode = rcode;
                Action::Reply {
                    length: response.finish(),
                    outcome: error_outcome(rcode),
                }
            }
            Parsed::Query(query) => self.answer_query(generation, request, query, out),
        }
    }

    fn answer_query(
        &self,
        generation: &Generation,
        request: &Request<'_>,
        query: Query,
        out: &mut [u8],
    ) -> Action {
        let question_bytes = query.name.length() + 4;
        let mut response = self.response(request, question_bytes, query.edns, out);
        let any_class = query.qclass == CLASS_ANY;
        let zone = refusal(&query).map_or_else(
            || answer::find_zone(generation, &query).ok_or(rcode::REFUSED),
            Err,
        );
        let outcome = match zone {
            Err(rcode) => {
                response.rcode = rcode;
                Ok(error_outcome(rcode))
            }
            Ok(zone) => answer::answer(zone, query, &mut response),
        };
        if any_class {
            // RFC 1035 section 3.2.5: a reply to QCLASS ANY is never authoritative.
            response.authoritative = false;
        }
        match outcome {
            Ok(outcome) => Action::Reply {
                length: response.finish(),
                outcome,
            },
            Err(Unanswered::Full) => Action::Reply {
                length: response.truncate(),
                outcome: Outcome::Truncated,
            },
            Err(Unanswered::Collision) => Action::Reply {
                length: response.fail(),
                outcome: Outcome::ServFail,
            },
        }
    }

    fn response<'o>(
        &self,
        request: &Request<'_>,
        question_bytes: usize,
        edns: Option<Edns>,
        out: &'o mut [u8],
    ) -> Response<'o> {
        let bytes_max = match request.transport {
            // RFC 8906 section 3.2.7: the EDNS size is about UDP only.
            Transport::Tcp => STREAM_BYTES_MAX,
            Transport::Udp => {
                let asked = edns.map_or(PLAIN_BYTES_MAX, |edns| edns.payload_bytes);
                // RFC 6891 section 6.2.3: less than 512 means 512.
                usize::from(asked.max(PLAIN_BYTES_MAX).min(self.udp_payload_bytes_max))
            }
        };
        let payload_bytes = self.udp_payload_bytes_max;
        Response::new(
            request.wire,
            question_bytes,
            edns,
            payload_bytes,
            bytes_max,
            out,
        )
    }
}

/// The RCODE for questions that no zone can answer.
fn refusal(query: &Query) -> Option<u16> {
    match query.qtype {
        // RFC 9824 section 3.5: NXNAME in a question is an error of the client.
        rtype::NXNAME => Some(rcode::FORMERR),
        rtype::OPT | rtype::TKEY | rtype::TSIG | rtype::MAILA | rtype::MAILB => Some(rcode::NOTIMP),
        // Zone transfer is not offered yet, and over UDP it never is (RFC 5936 section 4.2).
        rtype::AXFR | rtype::IXFR => Some(rcode::REFUSED),
        _ if !matches!(query.qclass, CLASS_IN | CLASS_ANY) => Some(rcode::REFUSED),
        _ => None,
    }
}

fn error_outcome(rcode: u16) -> Outcome {
    match rcode {
        rcode::FORMERR => Outcome::FormErr,
        rcode::SERVFAIL => Outcome::ServFail,
        rcode::NOTIMP => Outcome::NotImp,
        rcode::REFUSED => Outcome::Refused,
        rcode::BADVERS => Outcome::BadVers,
        _ => Outcome::Other,
    }
}

#[cfg(test)]
mod tests;
