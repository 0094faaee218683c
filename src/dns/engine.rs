//! From a request to an action, without IO, clock, lock or allocation.

use std::net::SocketAddr;

use zone_image::Generation;

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
    /// octets for a stream and at least `udp_payload_bytes_max` for UDP.
    pub fn answer(
        &self,
        _generation: &Generation,
        request: &Request<'_>,
        out: &mut [u8],
    ) -> Action {
        // Replaced by the real answer path.
        if request.wire.len() < 12 {
            return Action::Drop(DropReason::Short);
        }
        out[..12].copy_from_slice(&request.wire[..12]);
        out[2] |= 0x80;
        out[3] = 5;
        out[4..12].fill(0);
        Action::Reply {
            length: 12,
            outcome: Outcome::Refused,
        }
    }
}
