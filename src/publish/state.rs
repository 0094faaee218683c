//! What can be seen of the publisher, and how others wake it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::histogram::Histogram;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use zone_image::Name;

/// Upper bounds in seconds: what an operator promises lies between them.
const SECONDS_BUCKETS: [f64; 14] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0,
];

/// Zones whose serials are followed.
const SERIALS_MAX: usize = 1000;

/// What a publish does, as far as it can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reading the registry.
    Read,
    /// Compiling: a zone was refused.
    Compile,
    /// Writing the image.
    Write,
    /// Opening and verifying it.
    Verify,
    /// Canary queries.
    Canary,
    /// A gate: the change would take back a serial or too many delegations.
    Gate,
}

/// Every step with its name in metrics.
pub const STEPS: [(Step, &str); 6] = [
    (Step::Read, "read"),
    (Step::Compile, "compile"),
    (Step::Write, "write"),
    (Step::Verify, "verify"),
    (Step::Canary, "canary"),
    (Step::Gate, "gate"),
];

/// A publish that did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// Where it failed.
    pub step: Step,
    /// Why, and the way out.
    pub text: String,
}

impl Failure {
    pub(super) fn new(step: Step, text: String) -> Self {
        Self { step, text }
    }
}

/// The publisher in the document of `meridian status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PublishStatus {
    /// The registry's newest event, 0 while it is not known.
    pub registry_event: u64,
    /// The event up to which everything is served, 0 while it is not known.
    pub served_event: u64,
    /// Failures since the start.
    pub failures: u64,
    /// Why it does not go on now.
    pub failure: Option<String>,
}

/// The state of a running publisher, shared with whoever asks for it.
#[derive(Debug)]
pub struct State {
    wakeup: SyncSender<()>,
    hurry: AtomicBool,
    served: watch::Sender<u64>,
    registry_event: AtomicU64,
    epoch: AtomicU64,
    failures: [AtomicU64; STEPS.len()],
    failure: Mutex<Option<Failure>>,
    accepted: AtomicU64,
    serials: Mutex<BTreeMap<Name, (u32, i64)>>,
    zones: Mutex<Arc<[Name]>>,
    /// Zones that were compiled by their changes.
    pub changes: AtomicU64,
    /// Zones that were compiled whole.
    pub whole: AtomicU64,
    /// Entries that incremental compiles wrote.
    pub names: AtomicU64,
    /// Octets of segments that were written.
    pub written_bytes: AtomicU64,
    /// Folds.
    pub folds: AtomicU64,
    /// Folds that came to nothing.
    pub fold_failures: AtomicU64,
    /// Seconds from accepting an event to serving it.
    pub latency: Histogram,
    /// Seconds that builds took: reading, compiling, writing.
    pub compile: Histogram,
}

impl State {
    pub(super) fn new(wakeup: SyncSender<()>) -> Self {
        Self {
            wakeup,
            hurry: AtomicBool::new(false),
            served: watch::Sender::new(0),
            registry_event: AtomicU64::new(0),
            epoch: AtomicU64::new(0),
            failures: Default::default(),
            failure: Mutex::default(),
            accepted: AtomicU64::new(0),
            serials: Mutex::default(),
            zones: Mutex::default(),
            changes: AtomicU64::new(0),
            whole: AtomicU64::new(0),
            names: AtomicU64::new(0),
            written_bytes: AtomicU64::new(0),
            folds: AtomicU64::new(0),
            fold_failures: AtomicU64::new(0),
            latency: Histogram::new(SECONDS_BUCKETS),
            compile: Histogram::new(SECONDS_BUCKETS),
        }
    }

    /// Says that something was committed. A wake-up that is lost costs a poll.
    pub fn wake(&self) {
        // A full queue wakes it already; without a receiver it has ended.
        let _ = self.wakeup.try_send(());
    }

    /// Says that somebody waits: a pause after a failure ends.
    pub fn hurry(&self) {
        self.hurry.store(true, Ordering::Release);
        self.wake();
    }

    /// Says that what a gate holds is meant, up to this event.
    pub fn accept(&self, event: u64) {
        self.accepted.fetch_max(event, Ordering::AcqRel);
        self.hurry();
    }

    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Acquire)
    }

    /// Notes the serials that are served, at a time in microseconds since 1970.
    pub(super) fn serves_serials(&self, now: i64, zones: impl Iterator<Item = (Name, u32)>) {
        let mut serials = self.serials.lock().unwrap_or_else(PoisonError::into_inner);
        for (apex, serial) in zones {
            let is_new = serials.get(&apex).is_none_or(|kept| kept.0 != serial);
            if is_new && (serials.len() < SERIALS_MAX || serials.contains_key(&apex)) {
                serials.insert(apex, (serial, now));
            }
        }
    }

    pub(super) fn has_zones(&self, zones: Arc<[Name]>) {
        *self.zones.lock().unwrap_or_else(PoisonError::into_inner) = zones;
    }

    /// The registry's zones at the last publish, in order; none before the first.
    pub fn zones(&self) -> Arc<[Name]> {
        let zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&zones)
    }

    /// Zones with the time at which their serial came into service.
    pub fn serial_times(&self) -> Vec<(Name, i64)> {
        let serials = self.serials.lock().unwrap_or_else(PoisonError::into_inner);
        let times = serials
            .iter()
            .map(|(apex, (_, time))| (apex.clone(), *time));
        times.collect()
    }

    pub(super) fn take_hurry(&self) -> bool {
        self.hurry.swap(false, Ordering::AcqRel)
    }

    /// The event up to which everything is served, as it changes.
    pub fn served(&self) -> watch::Receiver<u64> {
        self.served.subscribe()
    }

    /// The event up to which everything is served; 0 while it is not known.
    pub fn served_event(&self) -> u64 {
        *self.served.borrow()
    }

    /// The registry's newest event; 0 while it is not known.
    pub fn registry_event(&self) -> u64 {
        self.registry_event.load(Ordering::Relaxed)
    }

    /// The registry's epoch; 0 while it is not known.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// Failures since the start, in the order of [`STEPS`].
    pub fn failures(&self) -> [u64; STEPS.len()] {
        self.failures
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed))
    }

    /// Why it does not go on now.
    pub fn failure(&self) -> Option<Failure> {
        self.lock().clone()
    }

    /// For `meridian status`.
    pub fn status(&self) -> PublishStatus {
        PublishStatus {
            registry_event: self.registry_event(),
            served_event: self.served_event(),
            failures: self.failures().iter().sum(),
            failure: self.failure().map(|failure| failure.text),
        }
    }

    pub(super) fn saw(&self, epoch: u64, event: u64) {
        self.epoch.store(epoch, Ordering::Relaxed);
        self.registry_event.store(event, Ordering::Relaxed);
    }

    pub(super) fn serves(&self, event: u64) {
        self.served.send_replace(event);
    }

    /// Counts a failure and keeps it; says whether it is another one than before.
    pub(super) fn fail(&self, failure: Failure) -> bool {
        self.failures[failure.step as usize].fetch_add(1, Ordering::Relaxed);
        let mut kept = self.lock();
        let is_news = kept.as_ref() != Some(&failure);
        *kept = Some(failure);
        is_news
    }

    /// All is well; gives what was not.
    pub(super) fn recover(&self) -> Option<Failure> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Failure>> {
        // What it holds is whole at every moment.
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
