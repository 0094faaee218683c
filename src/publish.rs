//! The publisher: keeps what is served at the newest event of the registry.
//!
//! A thread of its own. It is woken by commits, by whoever waits, and by its own clock;
//! each time it asks for the newest event, so that a lost wake-up costs a poll and
//! nothing else. When changes have settled it compiles from one snapshot what the image
//! lacks, verifies the result, asks it canary queries, installs it and swaps it in.
//! Until then nothing changes for anybody: whatever fails, the old generation serves on,
//! the failure is counted, logged once, and tried again after a pause. Never writes to
//! the registry: serials were raised by the commits.

mod build;
pub mod canary;
mod fold;
mod follow;
mod gates;
mod history;
mod plan;
mod schedule;
mod state;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use zone_image::Generation;

use crate::background::Background;
use crate::clock::{unix_microseconds, unix_seconds};
use crate::dns::engine::Engine;
use crate::dns::generations::{Generations, InstallError};
use crate::dns::net::yield_to_workers;
use crate::keys::signers::Signers;
use crate::registry::Location;
use build::{Builder, Compiled};
use fold::Folder;
use follow::Follower;
use gates::Gates;
use schedule::Schedule;

pub use schedule::Timing;
pub use state::{Failure, PublishStatus, STEPS, State, Step};

/// Events whose latency is measured at a publish; of more, the oldest.
const LATENCIES_MAX: u32 = 1000;
/// Longest wait for the thread at the end; a compile that takes longer is left behind,
/// which is as good as being killed: nothing of it is installed.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// What a publisher publishes, and where.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The registry database.
    pub location: Location,
    /// The image directory.
    pub directory: PathBuf,
    /// When.
    pub timing: Timing,
    /// Share of a zone's delegations that may go in one publish.
    pub vanished_percent_max: u8,
    /// Who signs the zones that are signed here.
    pub signers: Option<Arc<Signers>>,
}

/// Compiles the registry and installs the result where there is no image to serve.
pub fn install_first(settings: &Settings) -> Result<(), Failure> {
    let mut builder = Builder::new(settings);
    let built = builder.build(None, &mut Gates::new(settings.vanished_percent_max))?;
    match built.staged.map(zone_image::writer::Staged::install) {
        Some(Ok(installed)) => {
            let (number, event) = (installed.number, built.event);
            tracing::info!(number, event, "first image compiled");
            Ok(())
        }
        Some(Err(error)) => Err(Failure::new(Step::Write, error.to_string())),
        None => Ok(()),
    }
}

/// The running publisher; dropped, it stops.
#[derive(Debug)]
pub struct Publisher {
    state: Arc<State>,
    stop: Arc<AtomicBool>,
    /// Told to end when this is dropped, before its own drop waits for it.
    _thread: Background,
}

impl Publisher {
    /// Starts the thread.
    pub fn spawn(
        settings: &Settings,
        generations: Arc<Generations>,
        engine: Engine,
    ) -> std::io::Result<Self> {
        let (wakeup, inbox) = sync_channel(1);
        let state = Arc::new(State::new(wakeup));
        let stop = Arc::new(AtomicBool::new(false));
        let memory = generations.memory();
        let work = Work {
            folder: Folder::spawn(&settings.directory, memory, &state)?,
            follower: Follower::new(settings.location.clone())?,
            builder: Builder::new(settings),
            schedule: Schedule::new(settings.timing),
            gates: Gates::new(settings.vanished_percent_max),
            engine,
            is_idle_work_due: false,
            number: generations.current().number(),
            generations,
            state: Arc::clone(&state),
            stop: Arc::clone(&stop),
            begin: Instant::now(),
        };
        let thread = Background::spawn("publisher", STOP_TIMEOUT, move || {
            yield_to_workers();
            work.run(&inbox);
        })?;
        Ok(Self {
            state,
            stop,
            _thread: thread,
        })
    }

    /// What can be seen of it, and how it is woken.
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.state.wake();
    }
}

/// What the thread owns.
struct Work {
    folder: Folder,
    follower: Follower,
    builder: Builder,
    schedule: Schedule,
    gates: Gates,
    /// For canary queries.
    engine: Engine,
    /// Whether there may be something to prepare.
    is_idle_work_due: bool,
    generations: Arc<Generations>,
    /// The generation that was served when we last looked.
    number: u64,
    state: Arc<State>,
    stop: Arc<AtomicBool>,
    begin: Instant,
}

impl Work {
    fn run(mut self, inbox: &Receiver<()>) {
        loop {
            let idle = self.schedule.idle(self.begin.elapsed());
            if inbox.recv_timeout(idle) == Err(RecvTimeoutError::Disconnected)
                || self.stop.load(Ordering::Acquire)
            {
                return;
            }
            if self.state.take_hurry() {
                self.schedule.hurry(self.begin.elapsed());
            }
            if self.schedule.is_held(self.begin.elapsed()) {
                continue;
            }
            // A defect of the compiler must not end what keeps everything else going.
            let step = std::panic::AssertUnwindSafe(|| self.step());
            let outcome = std::panic::catch_unwind(step).unwrap_or_else(|_| {
                let text = "panic in the publisher, see the log; please report it".to_owned();
                Err(Failure::new(Step::Compile, text))
            });
            if let Err(failure) = outcome {
                self.fail(failure);
            }
        }
    }

    /// Looks for news and publishes what has settled.
    fn step(&mut self) -> Result<(), Failure> {
        let (epoch, event) = self
            .follower
            .position()
            .map_err(|error| Failure::new(Step::Read, error.to_string()))?;
        self.state.saw(epoch, event);
        self.schedule.saw(event, self.begin.elapsed());
        let is_other_image = self.generations.current().number() != self.number;
        if self.follower.take_is_new() || is_other_image {
            // Somebody installed an image by hand, or restored the registry from a backup
            // that has as many events: what the registry says is to be served.
            self.builder.forget();
            self.schedule.look_again();
        }
        if self.schedule.failures() > 0 {
            self.schedule.look_again();
        }
        if self.schedule.is_due(self.begin.elapsed()) {
            self.publish()?;
        } else if std::mem::take(&mut self.is_idle_work_due) {
            // Makes what the next change of a large zone needs; there may be more zones.
            self.is_idle_work_due = self.builder.warm(&self.generations.current());
        }
        self.install_fold();
        let current = self.generations.current();
        self.folder.begin(&current, self.begin.elapsed());
        Ok(())
    }

    fn publish(&mut self) -> Result<(), Failure> {
        // Several may have been replaced since somebody last looked.
        self.generations.free_retired();
        let started = Instant::now();
        let current = self.generations.current();
        self.gates.accepted = self.state.accepted();
        if self.schedule.is_retry_due(self.begin.elapsed()) {
            self.builder.retry_unsigned();
        }
        let mut built = self.builder.build(Some(&current), &mut self.gates)?;
        drop(current);
        let staged = built.staged.take();
        let is_swap = staged.is_some();
        if let Some(staged) = staged {
            self.state.compile.observe(started.elapsed().as_secs_f64());
            self.count(&built.compiled, staged.segment_bytes());
            let names = &built.compiled.names;
            let signed = &built.compiled.signed;
            let apexes = Arc::clone(&self.builder.apexes);
            let check = |image: &Generation| {
                canary::check_zones(&self.engine, image, &apexes)?;
                canary::check_names(&self.engine, image, names)?;
                canary::check_signatures(&self.engine, image, signed, names, unix_seconds())
            };
            self.generations
                .install_staged_checked(staged, &check)
                .map_err(|error| install_failure(&error))?;
        }
        let swapped_at = unix_microseconds();
        let (event, refused) = (built.event, std::mem::take(&mut built.refused));
        let is_unsigned = built.is_unsigned;
        let image = self.generations.current();
        self.number = image.number();
        if self.state.served_event() == 0 {
            // Child zones of parked names have no event and no serial that is waited for.
            let zones = image.zones().into_iter().filter(|zone| zone.event > 0);
            let serials = zones.map(|zone| (zone.apex, zone.serial));
            self.state.serves_serials(swapped_at, serials);
        } else {
            let steps = built.compiled.steps.iter();
            let serials = steps.map(|step| (step.apex.clone(), step.serials.1));
            self.state.serves_serials(swapped_at, serials);
        }
        self.builder.installed(built, &image);
        self.state.has_zones(Arc::clone(&self.builder.apexes));
        self.is_idle_work_due = true;
        self.schedule.succeeded(event, self.begin.elapsed());
        if is_unsigned {
            self.schedule.retry_later(self.begin.elapsed());
        } else {
            self.schedule.retry_nothing();
        }
        if !refused.is_empty() {
            let zones: Vec<_> = refused.iter().take(3).map(ToString::to_string).collect();
            let text = format!(
                "{} zones refused ({}); see the log for their faults and mend them",
                refused.len(),
                zones.join(", ")
            );
            // The log has each of them; they are tried again when they change, and those
            // that could not be signed after a pause as well.
            self.state.fail(Failure::new(Step::Compile, text));
            return Ok(());
        }
        let before = self.state.served_event();
        if is_swap && before > 0 {
            self.measure(before, event, swapped_at);
        }
        self.state.serves(event);
        self.settle();
        Ok(())
    }

    fn count(&self, compiled: &Compiled, bytes: u64) {
        let counts = [
            (&self.state.changes, compiled.changes),
            (&self.state.whole, compiled.whole),
            (&self.state.names, compiled.names.len() as u64),
            (&self.state.written_bytes, bytes),
        ];
        for (counter, count) in counts {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Carries a fold that is made over to what is installed; what is served stays the same.
    fn install_fold(&mut self) {
        let Some(fold) = self.folder.take(self.begin.elapsed()) else {
            return;
        };
        let before = self.generations.current();
        let staged = match fold.stage(&before) {
            Ok(Some(staged)) => staged,
            // Other pages took the place of those that were folded.
            Ok(None) => return,
            Err(error) => return self.folder.failed(&error.to_string(), self.begin.elapsed()),
        };
        let bytes = staged.segment_bytes();
        if let Err(error) = self.generations.install_staged(staged) {
            return self.folder.failed(&error.to_string(), self.begin.elapsed());
        }
        self.state.written_bytes.fetch_add(bytes, Ordering::Relaxed);
        let after = self.generations.current();
        self.number = after.number();
        self.builder.folded(&before, &after);
        self.folder.succeeded();
    }

    /// Notes how long the events after `before` took to be served.
    fn measure(&mut self, before: u64, event: u64, swapped_at: i64) {
        match self.follower.event_times(before, event, LATENCIES_MAX) {
            Ok(times) => {
                for time in times {
                    let waited = u64::try_from(swapped_at - time.0).unwrap_or_default();
                    let waited = Duration::from_micros(waited);
                    self.state.latency.observe(waited.as_secs_f64());
                }
            }
            Err(error) => tracing::debug!(%error, "latency of a publish not measured"),
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.schedule.failed(self.begin.elapsed());
        let text = failure.text.clone();
        if self.state.fail(failure) {
            tracing::error!(
                error = text,
                "not published, the old generation stays in service"
            );
        }
    }

    /// Nothing is wrong any more.
    fn settle(&mut self) {
        if let Some(failure) = self.state.recover() {
            let event = self.state.served_event();
            tracing::info!(event, after = failure.text, "publishes again");
        }
    }
}

fn install_failure(error: &InstallError) -> Failure {
    let step = match error {
        InstallError::Check { .. } => Step::Canary,
        InstallError::Write(_) => Step::Write,
        _ => Step::Verify,
    };
    Failure::new(step, error.to_string())
}
