//! What is counted of look-ups, in the words of service levels: round trips and whether
//! the service was there. Nothing of it says what was asked, or by whom.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;

/// Seconds; agreements of registries speak of 2 and 4.
const SECONDS_BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 2.0, 4.0,
];

macro_rules! words {
    ($(#[doc = $type_doc:literal])+ $type:ident in $table:ident: $($(#[doc = $doc:literal])+ $name:ident = $word:literal;)+) => {
        $(#[doc = $type_doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $type {
            $($(#[doc = $doc])+ $name,)+
        }

        /// All of them with their words.
        pub const $table: &[($type, &str)] = &[$(($type::$name, $word),)+];

        impl $type {
            /// Its word.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

words! {
    /// Who answers.
    Service in SERVICES:
    /// WHOIS.
    Whois = "whois";
    /// RDAP.
    Rdap = "rdap";
    /// Web pages.
    Web = "web";
}

words! {
    /// What came of a question or a connection.
    Outcome in OUTCOMES:
    /// It was answered.
    Found = "found";
    /// What was asked for is not there.
    Missing = "missing";
    /// It was no question.
    Malformed = "malformed";
    /// Its network asked too often.
    Limited = "limited";
    /// It could not be answered.
    Failed = "failed";
    /// There was no place for the connection.
    Full = "full";
    /// The client took too long.
    Slow = "slow";
}

/// The counters.
#[derive(Debug)]
pub struct Counters {
    outcomes: [[AtomicU64; OUTCOMES.len()]; SERVICES.len()],
    connections: [AtomicU64; SERVICES.len()],
    /// From a whole question to its answer, by service.
    pub seconds: [Histogram; SERVICES.len()],
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            outcomes: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
            connections: std::array::from_fn(|_| AtomicU64::new(0)),
            seconds: std::array::from_fn(|_| Histogram::new(SECONDS_BUCKETS)),
        }
    }
}

/// A connection that is counted while it lives.
#[derive(Debug)]
pub struct Open<'c>(&'c AtomicU64);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counters {
    /// Counts a connection while it is open.
    pub fn open(&self, service: Service) -> Open<'_> {
        let connections = &self.connections[service as usize];
        connections.fetch_add(1, Ordering::Relaxed);
        Open(connections)
    }

    /// Counts what came of something.
    pub fn count(&self, service: Service, outcome: Outcome) {
        self.outcomes[service as usize][outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Notes how long an answer took.
    pub fn took(&self, service: Service, time: Duration) {
        self.seconds[service as usize].observe(time.as_secs_f64());
    }

    /// How often something came of it.
    pub fn counted(&self, service: Service, outcome: Outcome) -> u64 {
        self.outcomes[service as usize][outcome as usize].load(Ordering::Relaxed)
    }

    /// Connections that are open.
    pub fn connections(&self, service: Service) -> u64 {
        self.connections[service as usize].load(Ordering::Relaxed)
    }
}
