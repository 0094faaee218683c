//! The edge's side: takes what the primary put out and serves it.
//!
//! Asks every source in turn for its manifest and takes the newest that is good; the
//! primary holds its answer until there is news. What is missing is fetched, verified and
//! staged as a publish does it, and then swapped in. Whatever goes wrong, what is served
//! stays, and it is tried again: an edge that cannot reach anybody serves for ever. The
//! manifest that was taken is kept beside the image, so that no older one is taken later.

mod fetch;
mod report;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use zone_image::writer::Staged;

use super::depot::{Access, Depot, DepotError, Fetched, Place};
use super::key::PublicKey;
use super::manifest::{Counter, Manifest, Refusal};
use super::state::{Failure, State, Trouble};
use crate::background::Background;
use crate::dns::generations::{Generations, InstallError};
use crate::dns::net::yield_to_workers;

pub use report::Report;

/// The manifest that was taken last, in the image directory.
const MANIFEST_FILE: &str = "manifest";
/// Pauses after a failure of a source: they double from the first to the last.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Longest wait for the thread at the end; what is fetched so far is on disk.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Whom an edge asks and believes.
pub struct Settings {
    /// Where manifests and packs are, the best first.
    pub sources: Vec<Place>,
    /// How they are reached.
    pub access: Access,
    /// Who may sign manifests.
    pub trusted: Vec<PublicKey>,
    /// The image directory.
    pub directory: PathBuf,
    /// Pause between two looks at sources that do not tell news by themselves.
    pub poll: Duration,
    /// How long the primary is asked to hold its answer.
    pub wait: Duration,
    /// This node's name in reports.
    pub node: String,
    /// How often it reports; zero is never.
    pub report_interval: Duration,
    /// Microseconds since 1970.
    pub clock: fn() -> i64,
}

/// The running thread; dropped, it stops.
#[derive(Debug)]
pub struct Edge {
    state: Arc<State>,
    stop: watch::Sender<bool>,
    _thread: Background,
}

impl Edge {
    /// Starts it.
    pub fn spawn(settings: Settings, generations: Arc<Generations>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let state = Arc::new(State::default());
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::clone(&state);
        let thread = Background::spawn("edge", STOP_TIMEOUT, move || {
            yield_to_workers();
            let mut work = Work::new(settings, generations, shared);
            runtime.block_on(async {
                let mut stopped = stopped;
                tokio::select! {
                    biased;
                    // A sender that is gone means the same.
                    _ = stopped.wait_for(|stop| *stop) => {}
                    () = work.run() => {}
                }
            });
        })?;
        Ok(Self {
            state,
            stop,
            _thread: thread,
        })
    }

    /// What can be seen of it.
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// A source with what was last heard of it.
struct Source {
    place: Place,
    depot: Option<Arc<Depot>>,
    /// Tells its last manifest from the next.
    tag: Option<String>,
    /// What was wrong with it, or with what it gave.
    failure: Option<Failure>,
    /// How long it is left alone after the next failure, and until when now.
    pause: Duration,
    due: Instant,
}

impl Source {
    fn new(place: Place) -> Self {
        Self {
            place,
            depot: None,
            tag: None,
            failure: None,
            pause: PAUSE_MIN,
            due: Instant::now(),
        }
    }

    fn succeeded(&mut self) {
        self.failure = None;
    }

    fn failed(&mut self, failure: Failure) {
        if self.failure.is_none() {
            self.pause = PAUSE_MIN;
        }
        self.failure = Some(failure.of(&self.place));
        // What it shows the next time is looked at again, also if it is the same.
        self.tag = None;
        self.due = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }
}

/// A manifest that may be installed.
struct Candidate {
    manifest: Manifest,
    octets: Vec<u8>,
    source: usize,
    /// What its source told it from others by.
    tag: Option<String>,
}

struct Work {
    settings: Settings,
    generations: Arc<Generations>,
    state: Arc<State>,
    sources: Vec<Source>,
    /// The highest that was taken: nothing below it ever is.
    floor: Counter,
    /// Generations that were refused whole: they would be again.
    refused: Option<[u8; 32]>,
    reporter: report::Reporter,
}

impl Work {
    fn new(settings: Settings, generations: Arc<Generations>, state: Arc<State>) -> Self {
        let sources = settings.sources.iter().cloned().map(Source::new);
        Self {
            sources: sources.collect(),
            reporter: report::Reporter::default(),
            floor: Counter::default(),
            refused: None,
            settings,
            generations,
            state,
        }
    }

    /// What was taken before this start: nothing older is taken now, and where the image
    /// could not be opened it is put together again from what is there.
    async fn recall(&mut self) {
        if let Err(error) = std::fs::create_dir_all(&self.settings.directory) {
            let text = format!("{}: {error}", self.settings.directory.display());
            self.state.fail(Failure::new(Trouble::Disk, text));
        }
        let Some(manifest) = self.kept() else { return };
        self.floor = manifest.counter;
        let served = self.generations.current();
        let is_whole = match served.file().is_empty() {
            false => manifest.generation.digest() == served.digest(),
            true => {
                let directory = &self.settings.directory;
                let there = fetch::all(directory, &manifest, &served, &[], &self.state).await;
                there.and_then(|()| self.install(&manifest)).is_ok()
            }
        };
        if is_whole {
            self.state.did(manifest.counter, manifest.expires_at);
        }
    }

    /// The manifest that was taken last. One that cannot be read, or whose key is trusted no
    /// more, binds to nothing, which is said.
    fn kept(&self) -> Option<Manifest> {
        let path = self.settings.directory.join(MANIFEST_FILE);
        let octets = match std::fs::read(&path) {
            Ok(octets) => octets,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => {
                let text = format!(
                    "{}: {error}; an older manifest may be taken",
                    path.display()
                );
                self.state.fail(Failure::new(Trouble::Disk, text));
                return None;
            }
        };
        match Manifest::verify(&octets, &self.settings.trusted) {
            Ok(manifest) => Some(manifest),
            Err(refusal) => {
                let text = format!("{}: {refusal}; an older one may be taken", path.display());
                self.state.fail(Failure::new(Trouble::Manifest, text));
                None
            }
        }
    }

    async fn run(&mut self) {
        self.recall().await;
        loop {
            let begun = Instant::now();
            let is_news = self.round().await;
            match self
                .sources
                .iter()
                .find_map(|source| source.failure.clone())
            {
                Some(failure) => self.state.fail(failure),
                None => self.state.recover(),
            }
            self.report();
            if is_news {
                continue;
            }
            let is_heard = self.sources.iter().any(|source| source.failure.is_none());
            let due = self.sources.iter().map(|source| source.due).min();
            match due.filter(|_| !is_heard) {
                Some(due) => sleep_until(due).await,
                // Whoever holds answers back has waited already.
                None => sleep_until(begun + self.settings.poll).await,
            }
        }
    }

    /// Asks all sources that are due once and installs the newest manifest; says whether it
    /// did. What goes wrong is noted at the source that it came from.
    async fn round(&mut self) -> bool {
        let mut best: Option<Candidate> = None;
        let mut offering = Vec::new();
        for number in 0..self.sources.len() {
            if self.sources[number].due > Instant::now() {
                continue;
            }
            match self.ask(number).await {
                Ok(None) => self.sources[number].succeeded(),
                Ok(Some(next)) => {
                    offering.push((number, next.tag.clone()));
                    let newest = best.as_ref().map(|best| best.manifest.counter);
                    if newest < Some(next.manifest.counter) {
                        best = Some(next);
                    }
                }
                Err(failure) => self.sources[number].failed(failure),
            }
        }
        let Some(best) = best else { return false };
        let from = best.source;
        let failure = self.take(best).await.err();
        let is_news = failure.is_none();
        // With what is our own fault no other source would have helped.
        let is_own = |trouble| matches!(trouble, Trouble::Disk | Trouble::Image);
        for (number, tag) in offering {
            let source = &mut self.sources[number];
            match &failure {
                None => {
                    // Only now it is known and need not be shown again.
                    source.tag = tag;
                    source.succeeded();
                }
                Some(failure) if number == from || is_own(failure.trouble) => {
                    source.failed(failure.clone());
                }
                // What it has is taken the next time.
                Some(_) => {}
            }
        }
        is_news
    }

    /// The manifest of one source, if it is news and may be installed.
    async fn ask(&mut self, number: usize) -> Result<Option<Candidate>, Failure> {
        let store = |error: DepotError| Failure::new(Trouble::Store, error);
        let source = &mut self.sources[number];
        let depot = match &source.depot {
            Some(depot) => Arc::clone(depot),
            None => {
                let depot = Depot::open(&source.place, &self.settings.access).map_err(store)?;
                Arc::clone(source.depot.insert(Arc::new(depot)))
            }
        };
        let fetched = depot
            .manifest(source.tag.as_deref(), self.settings.wait)
            .await
            .map_err(store)?;
        let Some(Fetched { octets, tag }) = fetched else {
            return Ok(None);
        };
        let place = &source.place;
        let refused =
            |refusal: Refusal| Failure::new(Trouble::Manifest, format!("{place}: {refusal}"));
        let manifest = Manifest::verify(&octets, &self.settings.trusted).map_err(refused)?;
        let now = u64::try_from((self.settings.clock)()).unwrap_or_default();
        manifest.check(self.floor, now).map_err(refused)?;
        let is_served = manifest.generation.digest() == self.generations.current().digest();
        if is_served && self.state.status().done == Some(manifest.counter) {
            source.tag = tag;
            return Ok(None);
        }
        self.state.knows(manifest.counter, now / 1_000_000);
        Ok(Some(Candidate {
            manifest,
            octets: octets.to_vec(),
            source: number,
            tag,
        }))
    }

    /// Fetches what is missing, installs, swaps.
    async fn take(&mut self, candidate: Candidate) -> Result<(), Failure> {
        let Candidate {
            manifest,
            octets,
            source,
            ..
        } = candidate;
        let digest = manifest.generation.digest();
        if self.generations.current().digest() == digest {
            // The same once more, with more time before it expires.
            self.keep(&manifest, &octets)?;
            self.state.did(manifest.counter, manifest.expires_at);
            return Ok(());
        }
        if self.refused == Some(digest) {
            let text = "the newest generation was refused before and did not change";
            return Err(Failure::new(Trouble::Image, text));
        }
        let directory = &self.settings.directory;
        let depots = self.sources[source..].iter().chain(&self.sources[..source]);
        let depots: Vec<_> = depots.filter_map(|one| one.depot.clone()).collect();
        let served = self.generations.current();
        fetch::all(directory, &manifest, &served, &depots, &self.state).await?;
        drop(served);
        self.keep(&manifest, &octets)?;
        self.install(&manifest)?;
        self.state.did(manifest.counter, manifest.expires_at);
        self.state.count_manifest();
        Ok(())
    }

    /// From now on nothing older is taken.
    fn keep(&mut self, manifest: &Manifest, octets: &[u8]) -> Result<(), Failure> {
        let path = self.settings.directory.join(MANIFEST_FILE);
        fetch::replace(&path, octets)
            .map_err(|error| Failure::new(Trouble::Disk, format!("{}: {error}", path.display())))?;
        self.floor = manifest.counter;
        Ok(())
    }

    fn install(&mut self, manifest: &Manifest) -> Result<(), Failure> {
        let file = manifest.generation.clone();
        let digest = file.digest();
        let staged = Staged::received(&self.settings.directory, file)
            .map_err(|error| Failure::new(Trouble::Disk, error))?;
        let installed = self.generations.install_staged(staged);
        self.generations.free_retired();
        match installed {
            Ok(_) => {
                self.refused = None;
                Ok(())
            }
            Err(error @ InstallError::Write(_)) => Err(Failure::new(Trouble::Disk, error)),
            Err(error) => {
                self.refused = Some(digest);
                Err(Failure::new(Trouble::Image, error))
            }
        }
    }

    /// Leaves a report where one is due, without waiting for it.
    fn report(&mut self) {
        let heard = self
            .sources
            .iter()
            .filter(|source| source.failure.is_none());
        let depots: Vec<_> = heard.filter_map(|source| source.depot.clone()).collect();
        let now = u64::try_from((self.settings.clock)()).unwrap_or_default() / 1_000_000;
        let report = Report {
            node: self.settings.node.clone(),
            at: now,
            event: self.generations.current().event(),
            status: self.state.status(),
        };
        self.reporter
            .leave(&report, self.settings.report_interval, depots);
    }
}

#[cfg(test)]
mod tests;
