//! Folds segments on a thread of its own, one fold at a time, while publishes go on.
//!
//! The thread reads, copies and verifies; the publisher only carries the result over to
//! what is installed by then. A fold that fails changes nothing that is served: it is
//! counted, logged once for each reason, and tried again after a pause. What a fold takes
//! of memory is bounded by [`FOLD_BYTES_MAX`].

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::Duration;

use zone_image::writer::Fold;
use zone_image::{Generation, Memory};

use super::state::State;
use crate::background::Background;
use crate::dns::net::yield_to_workers;

/// Octets that are reached of the segments of one fold; so much is in memory twice. An
/// install writes no larger segment; one of an earlier version is folded alone.
const FOLD_BYTES_MAX: u64 = 256 << 20;
/// Pauses after a failure: the first, and the longest.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// Doublings after which the pause is at its limit.
const DOUBLINGS_MAX: u32 = 6;

type Outcome = Result<Fold, String>;

struct Request {
    base: Arc<Generation>,
    slots: BTreeSet<u16>,
}

/// The thread, and what is under way.
pub(super) struct Folder {
    /// Closed first, which ends the thread.
    requests: SyncSender<Request>,
    outcomes: Receiver<Outcome>,
    state: Arc<State>,
    is_busy: bool,
    /// The generation of which nothing was to be folded.
    looked_at: Option<u64>,
    failures: u32,
    failure: Option<String>,
    held_until: Duration,
    _thread: Background,
}

impl Folder {
    /// Starts the thread, which wakes the publisher when it has something.
    pub(super) fn spawn(
        directory: &Path,
        memory: Memory,
        state: &Arc<State>,
    ) -> std::io::Result<Self> {
        Fold::clean(directory);
        let (requests, inbox) = sync_channel::<Request>(1);
        let (results, outcomes) = sync_channel(1);
        let directory = directory.to_owned();
        let waker = Arc::clone(state);
        let work = move || {
            yield_to_workers();
            while let Ok(Request { base, slots }) = inbox.recv() {
                let make = std::panic::AssertUnwindSafe(|| {
                    Fold::make(&directory, &base, &slots, memory).map_err(|error| error.to_string())
                });
                let outcome = std::panic::catch_unwind(make);
                drop(base);
                let panicked = |_| Err("panic, see the log; please report it".to_owned());
                if results.send(outcome.unwrap_or_else(panicked)).is_err() {
                    return;
                }
                waker.wake();
            }
        };
        // A fold that goes on at the end is left behind, like one that is killed.
        let thread = Background::spawn("folder", Duration::ZERO, work)?;
        Ok(Self {
            requests,
            outcomes,
            state: Arc::clone(state),
            is_busy: false,
            looked_at: None,
            failures: 0,
            failure: None,
            held_until: Duration::ZERO,
            _thread: thread,
        })
    }

    /// Begins a fold where one is due and none is under way.
    pub(super) fn begin(&mut self, current: &Arc<Generation>, now: Duration) {
        let is_known = self.looked_at == Some(current.number());
        if self.is_busy || is_known || now < self.held_until {
            return;
        }
        let slots = current.worn_segments(FOLD_BYTES_MAX);
        if slots.is_empty() {
            self.looked_at = Some(current.number());
            return;
        }
        tracing::debug!(segments = slots.len(), "fold begins");
        let base = Arc::clone(current);
        match self.requests.try_send(Request { base, slots }) {
            Ok(()) => self.is_busy = true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.failed("its thread has ended", now);
            }
        }
    }

    /// A fold that is made and waits to be installed.
    pub(super) fn take(&mut self, now: Duration) -> Option<Fold> {
        let outcome = match self.outcomes.try_recv() {
            Ok(outcome) => outcome,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err("its thread has ended".to_owned()),
        };
        self.is_busy = false;
        outcome.map_err(|error| self.failed(&error, now)).ok()
    }

    /// One is installed.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        if let Some(after) = self.failure.take() {
            tracing::info!(after, "folds again");
        }
        self.state.folds.fetch_add(1, Ordering::Relaxed);
    }

    /// One came to nothing; the next one is begun after a pause.
    pub(super) fn failed(&mut self, error: &str, now: Duration) {
        let pause = RETRY_MIN * (1 << self.failures.min(DOUBLINGS_MAX));
        self.held_until = now + pause.min(RETRY_MAX);
        self.failures = self.failures.saturating_add(1);
        self.state.fold_failures.fetch_add(1, Ordering::Relaxed);
        if self.failure.as_deref() != Some(error) {
            tracing::error!(error, "segments not folded, tried again after a pause");
            self.failure = Some(error.to_owned());
        }
    }
}
