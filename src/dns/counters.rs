//! What the data plane counts.
//!
//! Each UDP worker writes a block of its own, on cache lines of its own, so
//! that counting costs no bus traffic; whoever scrapes adds the blocks up. The
//! tasks of TCP share one block, and those of TLS another.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::dns::engine::{DropReason, Outcome};

/// The kinds of reply with the names that metrics give them.
pub const OUTCOMES: [(Outcome, &str); Outcome::Other as usize + 1] = [
    (Outcome::Answer, "answer"),
    (Outcome::Referral, "referral"),
    (Outcome::NoData, "nodata"),
    (Outcome::NxDomain, "nxdomain"),
    (Outcome::Truncated, "truncated"),
    (Outcome::Refused, "refused"),
    (Outcome::FormErr, "formerr"),
    (Outcome::NotImp, "notimp"),
    (Outcome::BadVers, "badvers"),
    (Outcome::ServFail, "servfail"),
    (Outcome::Slipped, "slipped"),
    (Outcome::Other, "other"),
];

/// Why the engine asks for silence, with names.
pub const DROPS: [(DropReason, &str); DropReason::RateLimited as usize + 1] = [
    (DropReason::Short, "short"),
    (DropReason::Response, "response"),
    (DropReason::PortZero, "port-zero"),
    (DropReason::RateLimited, "rate-limited"),
];

/// What the network side loses or survives by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Loss {
    /// The engine panicked; the sender got SERVFAIL.
    Panic,
    /// A datagram longer than any query.
    Oversize,
    /// The socket's send buffer was full.
    SendFull,
    /// The kernel refused a reply: no route, a bad address.
    SendFailed,
    /// The kernel refused a read.
    ReceiveFailed,
}

/// Losses with names.
pub const LOSSES: [(Loss, &str); Loss::ReceiveFailed as usize + 1] = [
    (Loss::Panic, "panic"),
    (Loss::Oversize, "oversize"),
    (Loss::SendFull, "send-full"),
    (Loss::SendFailed, "send-failed"),
    (Loss::ReceiveFailed, "receive-failed"),
];

/// How a TLS handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Handshake {
    /// The session is there.
    Completed,
    /// It took too long.
    TimedOut,
    /// The client went away.
    Gone,
    /// The connection had to make room for another.
    Evicted,
    /// What came is not TLS, or broken.
    NotTls,
    /// No version, suite or group in common.
    Incompatible,
    /// The client wants another protocol than DNS (RFC 7301 section 3.2).
    NoProtocol,
    /// The client refused, mostly for our certificate.
    Alert,
    /// Anything else.
    Other,
}

/// Ends of handshakes with names.
pub const HANDSHAKES: [(Handshake, &str); Handshake::Other as usize + 1] = [
    (Handshake::Completed, "completed"),
    (Handshake::TimedOut, "timed-out"),
    (Handshake::Gone, "gone"),
    (Handshake::Evicted, "evicted"),
    (Handshake::NotTls, "not-tls"),
    (Handshake::Incompatible, "incompatible"),
    (Handshake::NoProtocol, "no-protocol"),
    (Handshake::Alert, "alert"),
    (Handshake::Other, "other"),
];

const _: () = {
    let mut at = 0;
    while at < HANDSHAKES.len() {
        assert!(HANDSHAKES[at].0 as usize == at);
        at += 1;
    }
    at = 0;
    while at < OUTCOMES.len() {
        assert!(OUTCOMES[at].0 as usize == at);
        at += 1;
    }
    at = 0;
    while at < DROPS.len() {
        assert!(DROPS[at].0 as usize == at);
        at += 1;
    }
    at = 0;
    while at < LOSSES.len() {
        assert!(LOSSES[at].0 as usize == at);
        at += 1;
    }
};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds where only one thread ever adds: no locked instruction.
    #[inline]
    fn add_alone(&self, count: u64) {
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(count),
            Ordering::Relaxed,
        );
    }

    /// Adds where several threads may.
    #[inline]
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The number now.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one UDP worker. Only that worker writes; 128 octets, since
/// processors fetch lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct WorkerCounters(Tallies);

impl WorkerCounters {
    #[inline]
    pub(crate) fn queries(&self, count: u64) {
        self.0.queries.add_alone(count);
    }

    #[inline]
    pub(crate) fn reply(&self, outcome: Outcome) {
        self.0.outcomes[outcome as usize].add_alone(1);
    }

    #[inline]
    pub(crate) fn ignore(&self, reason: DropReason) {
        self.0.drops[reason as usize].add_alone(1);
    }

    #[inline]
    pub(crate) fn lose(&self, loss: Loss, count: u64) {
        self.0.losses[loss as usize].add_alone(count);
    }

    /// The numbers now.
    pub fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }
}

/// The counters of TCP or of TLS, which all its tasks write.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct StreamCounters {
    tallies: Tallies,
    /// Connections taken.
    pub accepted: Counter,
    /// Connections that ended, for whatever reason.
    pub closed: Counter,
    /// New connections refused at a limit where none was idle.
    pub refused: Counter,
    /// Idle connections closed to make room.
    pub evicted: Counter,
    /// Connections closed since no query came in time.
    pub timed_out: Counter,
    /// Connections closed since they had all the queries that one may have.
    pub exhausted: Counter,
    /// Connections closed since the client did not read in time.
    pub write_timed_out: Counter,
    /// Times the system gave us no connection, for want of descriptors mostly.
    pub accept_failed: Counter,
    /// Handshakes by [`HANDSHAKES`]; none where there is no TLS.
    handshakes: [Counter; HANDSHAKES.len()],
}

impl StreamCounters {
    pub(crate) fn query(&self) {
        self.tallies.queries.add(1);
    }

    pub(crate) fn reply(&self, outcome: Outcome) {
        self.tallies.outcomes[outcome as usize].add(1);
    }

    pub(crate) fn ignore(&self, reason: DropReason) {
        self.tallies.drops[reason as usize].add(1);
    }

    pub(crate) fn lose(&self, loss: Loss) {
        self.tallies.losses[loss as usize].add(1);
    }

    pub(crate) fn handshake(&self, end: Handshake) {
        self.handshakes[end as usize].add(1);
    }

    /// Handshakes that ended in one way.
    pub fn handshakes(&self, end: Handshake) -> u64 {
        self.handshakes[end as usize].value()
    }

    /// The numbers now.
    pub fn snapshot(&self) -> Snapshot {
        self.tallies.snapshot()
    }

    /// Connections that are open now.
    pub fn open(&self) -> u64 {
        // Closed first: it never runs ahead of what was accepted.
        let closed = self.closed.value();
        self.accepted.value().saturating_sub(closed)
    }
}

#[derive(Debug, Default)]
struct Tallies {
    queries: Counter,
    outcomes: [Counter; OUTCOMES.len()],
    drops: [Counter; DROPS.len()],
    losses: [Counter; LOSSES.len()],
}

impl Tallies {
    fn snapshot(&self) -> Snapshot {
        Snapshot {
            queries: self.queries.value(),
            outcomes: std::array::from_fn(|at| self.outcomes[at].value()),
            drops: std::array::from_fn(|at| self.drops[at].value()),
            losses: std::array::from_fn(|at| self.losses[at].value()),
        }
    }
}

/// Counters as they were at one moment; sums of blocks are snapshots as well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Messages received.
    pub queries: u64,
    /// Replies by [`OUTCOMES`].
    pub outcomes: [u64; OUTCOMES.len()],
    /// Messages dropped by the engine, by [`DROPS`].
    pub drops: [u64; DROPS.len()],
    /// What the network side lost, by [`LOSSES`].
    pub losses: [u64; LOSSES.len()],
}

impl std::iter::Sum for Snapshot {
    fn sum<I: Iterator<Item = Self>>(blocks: I) -> Self {
        blocks.fold(Self::default(), |mut sum, block| {
            sum.queries += block.queries;
            sum.outcomes
                .iter_mut()
                .zip(block.outcomes)
                .for_each(|(a, b)| *a += b);
            sum.drops
                .iter_mut()
                .zip(block.drops)
                .for_each(|(a, b)| *a += b);
            sum.losses
                .iter_mut()
                .zip(block.losses)
                .for_each(|(a, b)| *a += b);
            sum
        })
    }
}

impl Snapshot {
    /// Replies of one kind.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// Messages dropped for one reason.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.drops[reason as usize]
    }

    /// What was lost in one way.
    pub fn loss(&self, loss: Loss) -> u64 {
        self.losses[loss as usize]
    }
}
