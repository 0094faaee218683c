//! What is counted of sessions and commands, in the words of a registry's service levels:
//! session, query and transform commands.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;

use crate::epp::request::Class;

/// Seconds; agreements of registries speak of 2 and 4.
const SECONDS_BUCKETS: [f64; 12] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0,
];

macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal;)+) => {
        /// Why somebody was sent away, or not let in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Refusal {
            $($(#[doc = $doc])+ $name,)+
        }

        /// All reasons with their words.
        pub const REFUSALS: &[(Refusal, &str)] = &[$((Refusal::$name, $word),)+];
    };
}

refusals! {
    /// No connection is left.
    Full = "full";
    /// None is left for the client's network.
    PrefixFull = "prefix-full";
    /// The handshake failed.
    Handshake = "handshake";
    /// It was not done in time.
    HandshakeTime = "handshake-time";
    /// There was no login in time, or only other things.
    NoLogin = "no-login";
    /// A login was not authentic.
    Authentication = "authentication";
    /// A password or a certificate had expired.
    Expired = "expired";
    /// The registrar has all sessions that it may have.
    Sessions = "sessions";
    /// No whole frame came in time.
    Idle = "idle";
    /// The session was as long as one may be.
    Age = "age";
    /// A frame's length is none.
    Length = "length";
    /// A response was not taken in time.
    WriteTime = "write-time";
    /// An operator ended the session.
    Killed = "killed";
    /// More commands than the registrar may say.
    Rate = "rate";
}

/// The counters.
#[derive(Debug)]
pub struct Counters {
    connections: AtomicU64,
    logins: AtomicU64,
    logged_in: AtomicU64,
    refusals: [AtomicU64; REFUSALS.len()],
    /// From the last octet of a frame to the first of its response, by class.
    pub session: Histogram,
    /// The same of queries.
    pub query: Histogram,
    /// The same of transforms.
    pub transform: Histogram,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            connections: AtomicU64::new(0),
            logins: AtomicU64::new(0),
            logged_in: AtomicU64::new(0),
            refusals: std::array::from_fn(|_| AtomicU64::new(0)),
            session: Histogram::new(SECONDS_BUCKETS),
            query: Histogram::new(SECONDS_BUCKETS),
            transform: Histogram::new(SECONDS_BUCKETS),
        }
    }
}

/// One more while it lives.
pub(super) struct Open<'c>(&'c AtomicU64);

impl<'c> Open<'c> {
    fn new(gauge: &'c AtomicU64) -> Self {
        gauge.fetch_add(1, Ordering::Relaxed);
        Self(gauge)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counters {
    pub(super) fn refuse(&self, refusal: Refusal) {
        self.refusals[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn open(&self) -> Open<'_> {
        Open::new(&self.connections)
    }

    pub(super) fn login(&self) -> Open<'_> {
        self.logins.fetch_add(1, Ordering::Relaxed);
        Open::new(&self.logged_in)
    }

    pub(super) fn command(&self, class: Class, took: Duration) {
        let histogram = match class {
            Class::Session => &self.session,
            Class::Query => &self.query,
            Class::Transform => &self.transform,
        };
        histogram.observe(took.as_secs_f64());
    }

    /// How often this was the reason.
    pub fn refused(&self, refusal: Refusal) -> u64 {
        self.refusals[refusal as usize].load(Ordering::Relaxed)
    }

    /// Connections past their handshake.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Sessions that are logged in.
    pub fn logged_in(&self) -> u64 {
        self.logged_in.load(Ordering::Relaxed)
    }

    /// Logins until now.
    pub fn logins(&self) -> u64 {
        self.logins.load(Ordering::Relaxed)
    }
}
