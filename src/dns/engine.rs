//! From a request to an action, without IO, clock, lock or allocation.
//!
//! The one thing that changes is the table of rate limits: atomics, which the
//! engines of all workers share.

mod aside;
mod batch;
mod config;

use std::net::SocketAddr;
use std::sync::Arc;

use zone_image::{Generation, LookupName, Zone};

use super::ahead::{self, Ahead};
use super::answer::{self, Unanswered};
use super::chaos;
use super::cookie::Standing;
use super::denial::ApexProofs;
use super::edns::{Offered, extended_error};
use super::query::{self, Edns, Parsed, Query, rcode, rtype};
use super::rate::{Kind, RateLimit, Verdict};
use super::response::{MINIMAL_BYTES_MAX, Response, Size};

pub use aside::{Aside, Plain};
pub use batch::{Job, Names, TURNS};
pub use config::{EngineConfig, TEXT_BYTES_MAX};

/// Least octets of a buffer for replies over UDP: 512 and what an error reply
/// to the longest question takes.
pub const UDP_BUFFER_BYTES: usize = 4096;
/// Largest reply without EDNS (RFC 1035 section 4.2.1).
const PLAIN_BYTES_MAX: u16 = 512;
/// Largest reply over a stream (RFC 1035 section 4.2.2).
const STREAM_BYTES_MAX: usize = 65_535;
const CLASS_IN: u16 = 1;
const CLASS_ANY: u16 = 255;

const _: () = assert!(MINIMAL_BYTES_MAX <= PLAIN_BYTES_MAX as usize);

/// How a request came, which decides what may go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One datagram.
    Udp,
    /// A stream: replies may have up to 65,535 octets.
    Tcp,
    /// A stream that nobody else can read (RFC 7858).
    Tls,
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
    /// Over the rate limit: truncated, so that a real client comes over TCP.
    Slipped,
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
    /// Its reply would be over the rate limit.
    RateLimited,
}

/// The answering engine. Clones are the same engine.
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: EngineConfig,
    /// The agent domain of `config`, ready to be compared with apexes.
    agent: Option<LookupName>,
    /// Tenths of a second.
    keepalive: u16,
    rate: Option<RateLimit>,
}

impl Default for Engine {
    fn default() -> Self {
        Self::new(EngineConfig::default())
    }
}

/// A reply on its way.
struct Reply<'e, 'g, 'o> {
    response: Response<'o>,
    options: Offered<'e>,
    /// Whether its size or number needs no limit: nobody can forge who asked.
    proven: bool,
    zone: Option<Zone<'g>>,
}

impl Engine {
    /// An engine with a rate table of its own.
    pub fn new(config: EngineConfig) -> Self {
        let agent = config.report_channel.as_ref();
        let agent = agent.filter(|agent| !agent.is_root()).map(|agent| {
            LookupName::parse(agent.as_wire()).expect("a name is a name in wire format")
        });
        let tenths = config.stream_idle_timeout.as_millis() / 100;
        let rate = config.rate_limits;
        let shared = Shared {
            agent,
            keepalive: u16::try_from(tenths).unwrap_or(u16::MAX),
            rate: rate.map(|limits| RateLimit::new(limits, config.rate_key)),
            config,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Answers one request from one generation into `out`, which holds 65,535
    /// octets for a stream and at least [`UDP_BUFFER_BYTES`] for UDP.
    pub fn answer(&self, generation: &Generation, request: &Request<'_>, out: &mut [u8]) -> Action {
        let mut name = LookupName::ROOT;
        let (parsed, source) = self.begin(generation, request, &mut name, &mut None);
        let mut question = [None];
        if let (Parsed::Query(query), Source::Zone(zone)) = (&parsed, &source) {
            question[0] = Some(Ahead::new(*zone, query));
            ahead::bring_near(&mut question);
        }
        if let Some(action) = self.hand_aside(generation, request, &parsed, out) {
            return action;
        }
        let [question] = &mut question;
        let of_apex = &mut ApexProofs::default();
        self.conclude(request, &parsed, &source, question.as_ref(), of_apex, out)
    }

    /// Reads a request and finds what answers it. The name of its question goes to
    /// `name`; `nearest` is the zone of the question before.
    #[inline(always)]
    fn begin<'s, 'n>(
        &'s self,
        generation: &'s Generation,
        request: &Request<'_>,
        name: &'n mut LookupName,
        nearest: &mut Option<Zone<'s>>,
    ) -> (Parsed<'n>, Source<'s>) {
        let parsed = query::parse(request.wire, name);
        let source = match &parsed {
            Parsed::Query(query) => self.find_source(generation, query, nearest),
            _ => Source::Nothing,
        };
        (parsed, source)
    }

    /// Writes the reply to a request that was read.
    fn conclude<'g>(
        &self,
        request: &Request<'_>,
        parsed: &Parsed<'_>,
        source: &Source<'_>,
        question: Option<&Ahead<'g, '_>>,
        of_apex: &mut ApexProofs<'g>,
        out: &mut [u8],
    ) -> Action {
        if request.peer.port() == 0 {
            return Action::Drop(DropReason::PortZero);
        }
        match parsed {
            Parsed::Query(query) => {
                let question = question.map(|question| (question, of_apex));
                self.answer_query(request, query, source, question, out)
            }
            Parsed::Drop(reason) => Action::Drop(*reason),
            Parsed::Error {
                rcode,
                question_bytes,
                edns,
            } => {
                let mut reply = self.reply(request, *question_bytes, *edns, out);
                reply.response.rcode = *rcode;
                self.send(request, &mut reply, Ok(error_outcome(*rcode)))
            }
            Parsed::Cookie(edns) => self.answer_cookie(request, *edns, out),
        }
    }

    /// RFC 7873 section 5.4: a cookie alone is confirmed or replaced.
    fn answer_cookie(&self, request: &Request<'_>, edns: Edns, out: &mut [u8]) -> Action {
        let standing = self
            .judge_cookie(request, Some(edns))
            .map(|judged| judged.0);
        let mut reply = self.reply(request, 0, Some(edns), out);
        let (rcode, outcome) = match standing {
            Some(Standing::Unknown | Standing::Proven) => (rcode::NOERROR, Outcome::NoData),
            Some(Standing::Bad) => (rcode::BADCOOKIE, Outcome::Other),
            None => (rcode::FORMERR, Outcome::FormErr),
        };
        reply.response.rcode = rcode;
        self.send(request, &mut reply, Ok(outcome))
    }

    #[inline]
    fn answer_query<'g>(
        &self,
        request: &Request<'_>,
        query: &Query<'_>,
        source: &Source<'_>,
        question: Option<(&Ahead<'g, '_>, &mut ApexProofs<'g>)>,
        out: &mut [u8],
    ) -> Action {
        let question_bytes = query.name.length() + 4;
        let mut reply = self.reply(request, question_bytes, query.edns, out);
        let any_class = query.qclass == CLASS_ANY;
        let outcome = match (source, question) {
            (Source::Zone(zone), Some((question, of_apex))) => {
                self.note_zone(&mut reply, *zone, query.edns);
                answer::answer(question, query, &mut reply.response, of_apex)
            }
            (Source::Text(text), _) => {
                chaos::answer(text, &mut reply.response).map_err(Unanswered::from)
            }
            (Source::Refusal { rcode, explanation }, _) => {
                reply.response.rcode = *rcode;
                reply.options.extended_error = Some(*explanation);
                Ok(error_outcome(*rcode))
            }
            (Source::Zone(_) | Source::Nothing, _) => {
                unreachable!("a question has a source, and one to a zone is looked up")
            }
        };
        if reply.response.is_parked {
            // The version of the parent's zone says nothing of the child's (RFC 9660).
            reply.options.zone_version = None;
        }
        if any_class {
            // RFC 1035 section 3.2.5: a reply to QCLASS ANY is never authoritative.
            reply.response.authoritative = false;
        }
        self.send(request, &mut reply, outcome)
    }

    /// What answers a question.
    #[inline]
    fn find_source<'s>(
        &'s self,
        generation: &'s Generation,
        query: &Query<'_>,
        nearest: &mut Option<Zone<'s>>,
    ) -> Source<'s> {
        let refusal = |rcode, explanation| Source::Refusal { rcode, explanation };
        match query.qtype {
            // RFC 9824 section 3.5: NXNAME in a question is an error of the client.
            rtype::NXNAME => {
                return refusal(rcode::FORMERR, extended_error::INVALID_QUERY_TYPE);
            }
            rtype::OPT | rtype::TKEY | rtype::TSIG | rtype::MAILA | rtype::MAILB => {
                return refusal(rcode::NOTIMP, extended_error::NOT_SUPPORTED);
            }
            // Who may have a transfer is known aside; nobody gets one here.
            rtype::AXFR | rtype::IXFR => {
                return refusal(rcode::REFUSED, extended_error::NOT_SUPPORTED);
            }
            _ => {}
        }
        let found = match query.qclass {
            CLASS_IN | CLASS_ANY => answer::find_zone(generation, query, nearest).map(Source::Zone),
            chaos::CLASS_CHAOS => chaos::find(&self.shared.config, query).map(Source::Text),
            _ => None,
        };
        found.unwrap_or_else(|| refusal(rcode::REFUSED, extended_error::NOT_AUTHORITATIVE))
    }

    /// Starts a reply and the options that any reply may have.
    #[inline(always)]
    fn reply<'e, 'o>(
        &'e self,
        request: &Request<'_>,
        question_bytes: usize,
        edns: Option<Edns>,
        out: &'o mut [u8],
    ) -> Reply<'e, 'static, 'o> {
        let config = &self.shared.config;
        let judged = self.judge_cookie(request, edns);
        let asked = edns.map(|edns| edns.asked).unwrap_or_default();
        let stream = request.transport != Transport::Udp;
        let options = Offered {
            cookie: judged.map(|judged| judged.1),
            nsid: (asked.nsid && !config.nsid.is_empty()).then_some(config.nsid.as_bytes()),
            keepalive: (asked.keepalive && stream).then_some(self.shared.keepalive),
            // RFC 7830 section 6: without encryption there is nothing to hide.
            padded: asked.padding && request.transport == Transport::Tls,
            ..Offered::default()
        };
        let size = Size {
            bytes_max: self.bytes_max(request.transport, edns),
            options_bytes: options.reserved_bytes(),
            payload_bytes: config.udp_payload_bytes_max,
        };
        Reply {
            response: Response::new(request.wire, question_bytes, edns, size, out),
            options,
            proven: stream || judged.is_some_and(|judged| judged.0 == Standing::Proven),
            zone: None,
        }
    }

    fn bytes_max(&self, transport: Transport, edns: Option<Edns>) -> usize {
        match transport {
            // RFC 8906 section 3.2.7: the EDNS size is about UDP only.
            Transport::Tcp | Transport::Tls => STREAM_BYTES_MAX,
            Transport::Udp => {
                let asked = edns.map_or(PLAIN_BYTES_MAX, |edns| edns.payload_bytes);
                let most = self
                    .shared
                    .config
                    .udp_payload_bytes_max
                    .max(PLAIN_BYTES_MAX);
                // RFC 6891 section 6.2.3: less than 512 means 512.
                usize::from(asked.clamp(PLAIN_BYTES_MAX, most))
            }
        }
    }

    fn judge_cookie(
        &self,
        request: &Request<'_>,
        edns: Option<Edns>,
    ) -> Option<(Standing, [u8; super::cookie::COOKIE_BYTES])> {
        let cookie = edns?.asked.cookie?;
        let secrets = &self.shared.config.cookie_secrets;
        secrets.judge(&cookie, request.peer.ip(), request.now)
    }

    /// Notes what a reply says of the zone it comes from.
    fn note_zone<'e, 'g>(
        &'e self,
        reply: &mut Reply<'e, 'g, '_>,
        zone: Zone<'g>,
        edns: Option<Edns>,
    ) {
        reply.zone = Some(zone);
        if edns.is_some_and(|edns| edns.asked.zone_version) {
            // A name has at most 127 labels.
            let labels = u8::try_from(zone.apex_labels()).unwrap_or(u8::MAX);
            reply.options.zone_version = Some((labels, zone.serial()));
        }
        // RFC 9567 section 8: the agent must not lie in the zone that it is told of.
        if let Some(agent) = &self.shared.agent
            && !zone.holds(agent)
        {
            reply.options.report_channel = Some(agent.suffix(agent.labels()));
        }
    }

    /// Ends a reply, as far as rate limits let it go.
    #[inline]
    fn send(
        &self,
        request: &Request<'_>,
        reply: &mut Reply<'_, '_, '_>,
        outcome: Result<Outcome, Unanswered>,
    ) -> Action {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(Unanswered::Full) => Outcome::Truncated,
            Err(Unanswered::Collision) => {
                reply.response.fail();
                reply.options.extended_error = Some(extended_error::INVALID_DATA);
                Outcome::ServFail
            }
        };
        let verdict = match &self.shared.rate {
            Some(rate) if !reply.proven => {
                let apex = reply.zone.map_or(&[][..], |zone| zone.apex());
                let client = request.peer.ip();
                rate.judge(client, kind_of(outcome), apex, request.now)
            }
            _ => Verdict::Send,
        };
        let Reply {
            response, options, ..
        } = reply;
        let options = &*options;
        let (length, outcome) = match verdict {
            Verdict::Drop => return Action::Drop(DropReason::RateLimited),
            Verdict::Slip => (response.truncate(options), Outcome::Slipped),
            Verdict::Send if outcome == Outcome::Truncated => (response.truncate(options), outcome),
            Verdict::Send => (response.finish(options), outcome),
        };
        Action::Reply { length, outcome }
    }
}

/// What answers a question.
enum Source<'s> {
    /// Nothing: the message is no question.
    Nothing,
    /// A zone.
    Zone(Zone<'s>),
    /// A text about this server.
    Text(&'s [u8]),
    /// Nothing, for a reason.
    Refusal { rcode: u16, explanation: u16 },
}

fn kind_of(outcome: Outcome) -> Kind {
    match outcome {
        Outcome::Answer | Outcome::Truncated | Outcome::Slipped => Kind::Answer,
        Outcome::Referral => Kind::Referral,
        Outcome::NoData | Outcome::NxDomain => Kind::Negative,
        Outcome::Refused
        | Outcome::FormErr
        | Outcome::NotImp
        | Outcome::BadVers
        | Outcome::ServFail
        | Outcome::Other => Kind::Error,
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
