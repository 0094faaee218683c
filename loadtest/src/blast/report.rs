//! What a run found, as JSON and as text.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::Histogram;

/// Result of one run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Seconds from the first query to the last.
    pub seconds: f64,
    /// Queries sent.
    pub sent: u64,
    /// Replies to them.
    pub received: u64,
    /// Queries without a reply in time.
    pub lost: u64,
    /// Queries that our own socket did not take; not among those sent.
    pub unsent: u64,
    /// Datagrams that answer no query under way, or repeat another question.
    pub stray: u64,
    /// Replies with TC set.
    pub truncated: u64,
    /// Replies a second.
    pub rate: f64,
    /// Octets of a reply on average.
    pub reply_octets_mean: f64,
    /// Latency from the moment a query was due.
    pub latency: Latency,
    /// Longest time between two replies one after the other, in microseconds.
    pub gap_microseconds_max: f64,
    /// How late the schedule was kept at worst, in microseconds: our own pauses, that
    /// also stand in latency and gap.
    pub lag_microseconds_max: f64,
    /// Datagrams that the kernel dropped for want of room in a socket buffer, on either
    /// side, on the whole machine.
    pub buffer_drops: u64,
    /// Replies by RCODE.
    pub rcodes: BTreeMap<u8, u64>,
    /// What the stamps said, where they were checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stamps: Option<Stamped>,
}

/// Latency in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    /// Half are faster.
    pub p50: f64,
    /// One of a hundred is slower.
    pub p99: f64,
    /// One of a thousand is slower.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

/// Stamps of all replies.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Stamped {
    /// Replies that hold two generations.
    pub mixed: u64,
    /// Replies without any stamp.
    pub unstamped: u64,
    /// Replies that could not be read.
    pub malformed: u64,
    /// Replies of an older generation than one that came before on the same socket:
    /// several workers change over one after the other, each goes forward only.
    pub backwards: u64,
    /// Replies of each generation.
    pub generations: BTreeMap<u16, u64>,
}

impl Latency {
    pub(super) fn from_histogram(histogram: &Histogram) -> Self {
        Self {
            p50: microseconds(histogram.quantile(500)),
            p99: microseconds(histogram.quantile(990)),
            p999: microseconds(histogram.quantile(999)),
            max: microseconds(histogram.max()),
        }
    }
}

pub(super) fn microseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1000.0
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "sent      {} in {:.3} s", self.sent, self.seconds)?;
        writeln!(f, "received  {} ({:.0} a second)", self.received, self.rate)?;
        let per_mille = self.lost as f64 * 1000.0 / self.sent.max(1) as f64;
        writeln!(f, "lost      {} ({per_mille:.3} per mille)", self.lost)?;
        writeln!(
            f,
            "aside     {} unsent, {} stray, {} truncated, {} dropped by socket buffers",
            self.unsent, self.stray, self.truncated, self.buffer_drops
        )?;
        let Latency {
            p50,
            p99,
            p999,
            max,
        } = self.latency;
        writeln!(
            f,
            "latency   p50 {p50:.1} us, p99 {p99:.1}, p99.9 {p999:.1}, max {max:.1}"
        )?;
        writeln!(
            f,
            "gap       {:.1} us between replies at most; schedule late by {:.1} us at most",
            self.gap_microseconds_max, self.lag_microseconds_max
        )?;
        write!(f, "rcodes   ")?;
        for (rcode, count) in &self.rcodes {
            write!(f, " {rcode}: {count}")?;
        }
        if let Some(stamps) = &self.stamps {
            write!(
                f,
                "\nstamps    {} mixed, {} unstamped, {} malformed, {} backwards, {} generations",
                stamps.mixed,
                stamps.unstamped,
                stamps.malformed,
                stamps.backwards,
                stamps.generations.len()
            )?;
        }
        Ok(())
    }
}
