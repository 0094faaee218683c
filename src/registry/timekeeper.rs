//! The thread that looks whether something is due, where a server has the registry.
//!
//! It may run on every node: a step is taken once whoever sees it ([`super::timers`]).
//! A connection for each look, so that a file that was replaced is not read for ever.
//! What fails is logged once and tried again at the next look.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::background::Background;

use super::database::{Database, Location, Timestamp};
use super::error::RegistryError;
use super::timers::{Looked, Timers, changes_waiting};

/// Looks in a row while more is due: then the others have their turn.
const LOOKS_MAX: usize = 64;
/// Longest wait for the thread at the end.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// What a timekeeper works with.
pub struct Settings {
    /// The registry.
    pub location: Location,
    /// How often it looks.
    pub interval: Duration,
    /// Microseconds since 1970.
    pub clock: Box<dyn Fn() -> i64 + Send>,
    /// Wakes whoever publishes.
    pub wake: Box<dyn Fn() + Send>,
}

/// What can be seen of it.
#[derive(Debug, Default)]
pub struct TimersState {
    taken: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    stopped: AtomicU64,
    purges_held: AtomicU64,
    changes_waiting: AtomicU64,
}

/// The same, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimersSnapshot {
    /// Steps that this node took.
    pub taken: u64,
    /// Steps that were refused.
    pub refused: u64,
    /// Looks that failed.
    pub failed: u64,
    /// Whether nothing runs until an operator says so.
    pub is_stopped: bool,
    /// Whether purges wait for an operator.
    pub purges_held: bool,
    /// Changes that wait until somebody agrees.
    pub changes_waiting: u64,
}

impl TimersState {
    /// As it is now.
    pub fn snapshot(&self) -> TimersSnapshot {
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        TimersSnapshot {
            taken: load(&self.taken),
            refused: load(&self.refused),
            failed: load(&self.failed),
            is_stopped: load(&self.stopped) == 1,
            purges_held: load(&self.purges_held) == 1,
            changes_waiting: load(&self.changes_waiting),
        }
    }

    fn note(&self, looked: &Looked) {
        let add = |number: &AtomicU64, more: u32| number.fetch_add(more.into(), Ordering::Relaxed);
        add(&self.taken, looked.taken);
        add(&self.refused, looked.refused);
        let is_stopped = u64::from(looked.stopped.is_some());
        self.stopped.store(is_stopped, Ordering::Relaxed);
        let purges_held = u64::from(looked.purges_held);
        self.purges_held.store(purges_held, Ordering::Relaxed);
    }
}

/// The running timekeeper; dropped, it stops.
#[derive(Debug)]
pub struct Timekeeper {
    /// Dropped before the thread, which it tells to end.
    _stop: SyncSender<()>,
    _thread: Background,
    state: Arc<TimersState>,
}

impl Timekeeper {
    /// Starts the thread.
    pub fn spawn(settings: Settings) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = sync_channel(1);
        let state = Arc::new(TimersState::default());
        let mut work = Work {
            settings,
            runtime,
            state: Arc::clone(&state),
            timers: Timers::default(),
            started: Instant::now(),
            last_error: String::new(),
        };
        let thread = Background::spawn("timers", STOP_TIMEOUT, move || work.run(&stopped))?;
        Ok(Self {
            _stop: stop,
            _thread: thread,
            state,
        })
    }

    /// What can be seen of it.
    pub fn state(&self) -> Arc<TimersState> {
        Arc::clone(&self.state)
    }
}

struct Work {
    settings: Settings,
    runtime: Runtime,
    state: Arc<TimersState>,
    timers: Timers,
    started: Instant,
    last_error: String,
}

impl Work {
    fn run(&mut self, stopped: &Receiver<()>) {
        loop {
            let error = match self.look() {
                Ok(()) => String::new(),
                Err(error) => {
                    self.state.failed.fetch_add(1, Ordering::Relaxed);
                    error.to_string()
                }
            };
            if !error.is_empty() && error != self.last_error {
                tracing::error!(error, "timers not looked at");
            }
            self.last_error = error;
            match stopped.recv_timeout(self.settings.interval) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => return,
            }
        }
    }

    fn look(&mut self) -> Result<(), RegistryError> {
        let (settings, timers) = (&self.settings, &mut self.timers);
        let (state, started) = (&self.state, self.started);
        self.runtime.block_on(async {
            let mut database = Database::open(&settings.location).await?;
            let waiting = changes_waiting(&mut database).await?;
            state.changes_waiting.store(waiting, Ordering::Relaxed);
            for _ in 0..LOOKS_MAX {
                let now = Timestamp((settings.clock)());
                let looked = Box::pin(timers.look(&mut database, now, started.elapsed())).await?;
                state.note(&looked);
                if looked.taken > 0 {
                    tracing::info!(steps = looked.taken, "steps of registrations taken");
                    (settings.wake)();
                }
                if !looked.has_more || looked.stopped.is_some() {
                    break;
                }
            }
            Ok(())
        })
    }
}
