//! How far a long job has come, for people who wait for it.
//!
//! A job calls back at most every [`RECORDS_BETWEEN_REPORTS`] records, so that a
//! callback may draw a line on a terminal without slowing the job.

use std::time::Instant;

use serde::Serialize;

/// Records between two calls of a progress callback.
pub const RECORDS_BETWEEN_REPORTS: u64 = 20_000;

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Phase {
    /// Reading the file for cuts and hosts; nothing is written yet.
    Scan,
    /// Reading it again for faults, before anything is written (`strict`).
    Check,
    /// Writing to the database.
    Write,
    /// Writing a zone file.
    Export,
}

/// A moment of a job.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Records of the phase that are done.
    pub records_done: u64,
    /// Octets of the file that are done.
    pub bytes_done: u64,
    /// Octets of the file, where known. With `$INCLUDE` more may come.
    pub bytes_total: Option<u64>,
    /// Seconds since the phase began.
    pub elapsed_seconds: f64,
    /// Records a second since the phase began.
    pub records_per_second: f64,
    /// Seconds that the rest of the phase will take at this rate, where known.
    pub remaining_seconds: Option<f64>,
}

/// Who is told about progress.
pub type ProgressSink<'s> = &'s mut (dyn FnMut(&Progress) + Send);

/// Counts the records of one phase and tells the sink now and then.
pub(crate) struct Meter<'s> {
    sink: ProgressSink<'s>,
    phase: Phase,
    started: Instant,
    bytes_total: Option<u64>,
    done: u64,
}

impl<'s> Meter<'s> {
    pub(crate) fn start(sink: ProgressSink<'s>, phase: Phase, bytes_total: Option<u64>) -> Self {
        Self {
            sink,
            phase,
            started: Instant::now(),
            bytes_total,
            done: 0,
        }
    }

    /// One more record is done, up to octet `bytes`.
    pub(crate) fn step(&mut self, bytes: u64) {
        self.done += 1;
        if self.done.is_multiple_of(RECORDS_BETWEEN_REPORTS) {
            self.report(bytes);
        }
    }

    pub(crate) fn done(&self) -> u64 {
        self.done
    }

    /// Tells the sink now; at the end of a phase, for instance.
    pub(crate) fn report(&mut self, bytes: u64) {
        let elapsed = self.started.elapsed().as_secs_f64().max(1e-6);
        let remaining = self.bytes_total.filter(|_| bytes > 0).map(|total| {
            let rest = total.saturating_sub(bytes);
            as_f64(rest) * elapsed / as_f64(bytes)
        });
        (self.sink)(&Progress {
            phase: self.phase,
            records_done: self.done,
            bytes_done: bytes,
            bytes_total: self.bytes_total,
            elapsed_seconds: elapsed,
            records_per_second: as_f64(self.done) / elapsed,
            remaining_seconds: remaining,
        });
    }
}

/// Counts are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "rates for people")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
