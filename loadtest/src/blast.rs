//! Our load generator: UDP queries to loopback from one thread.
//!
//! The open loop sends on a fixed schedule whatever comes back, and measures each
//! reply from the moment its query was due: a pause of the server shows as it would
//! to resolvers, where a closed loop (dnsperf's way) just asks less meanwhile.
//! The closed loop keeps a fixed number of queries under way and so finds capacity.

mod histogram;
mod queries;
mod report;
mod run;
mod socket;
mod window;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::target::Target;

pub use histogram::Histogram;
pub use queries::Queries;
pub use report::{Latency, Report, Stamped};

/// Most sockets: each holds 65,536 ids.
pub const SOCKETS_MAX: usize = 64;
/// Most queries a second that are asked for.
pub const RATE_MAX: u64 = 5_000_000;

/// How queries are paced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// So many a second, on a schedule.
    Open {
        /// Queries a second.
        rate: u64,
    },
    /// So many under way at any time.
    Closed {
        /// Queries under way.
        outstanding: usize,
    },
}

/// One run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where to.
    pub target: Target,
    /// How fast.
    pub pace: Pace,
    /// For how long queries are sent.
    pub duration: Duration,
    /// How long a reply may take before its query counts as lost.
    pub timeout: Duration,
    /// Sockets to send from. A server with SO_REUSEPORT workers spreads load by
    /// source port, so one socket would load one worker only.
    pub sockets: usize,
    /// Loopback address to send from; the family's first one where none is given.
    pub source: Option<IpAddr>,
    /// CPU to pin the sending thread to.
    pub cpu: Option<usize>,
    /// Whether replies come from a stamped zone and are checked.
    pub stamps: bool,
    /// Set by whoever wants the run to end before its time.
    pub stop: Arc<AtomicBool>,
}

impl Plan {
    /// A plan with the usual timeout and sockets.
    pub fn new(target: Target, pace: Pace, duration: Duration) -> Self {
        Self {
            target,
            pace,
            duration,
            timeout: Duration::from_secs(1),
            sockets: 16,
            source: None,
            cpu: None,
            stamps: false,
            stop: Arc::default(),
        }
    }
}

/// Sends `queries` again and again as `plan` says and reports what came back.
pub fn blast(plan: &Plan, queries: &Queries) -> anyhow::Result<Report> {
    run::run(plan, queries)
}

#[cfg(test)]
mod tests;
