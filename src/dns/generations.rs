//! The generation in service, and how a newer one takes its place.
//!
//! Workers read a pointer once a batch. Everything slow happens on the
//! installer's thread: opening and verifying an image, the check before a swap,
//! and freeing a generation after the last worker let go of it. An image that
//! is refused changes nothing that is served.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use arc_swap::{ArcSwap, Guard};
use tokio::sync::{oneshot, watch};
use zone_image::writer::Staged;
use zone_image::{GENERATION_FILE, Generation, Memory, OpenError, WriteError};

use super::counters::Counter;
use super::net::{Clock, Wake, yield_to_workers};

/// How often the directory is looked at for a newer image.
const WATCH_INTERVAL: Duration = Duration::from_millis(200);
/// Reloads that may wait for the installer; they all would do the same.
const REQUESTS_MAX: usize = 16;
/// Replaced generations kept for workers that still hold them. More would mean
/// that a worker is stuck; their memory is then not ours to give away anyway.
const RETIRED_WARN: usize = 8;

/// What a new generation must pass before it is swapped in; the text says what
/// it failed.
pub type Check = Box<dyn Fn(&Generation) -> Result<(), String> + Send + Sync>;

/// Where images come from and how they are opened.
pub struct Source {
    /// The image directory.
    pub directory: PathBuf,
    /// Where pages live in memory.
    pub memory: Memory,
    /// Canary queries.
    pub check: Check,
    /// The clock, for the time of installs.
    pub clock: Clock,
}

/// Why an image is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// It cannot be opened.
    #[error("{}: {error}", directory.display())]
    Open {
        /// The image directory.
        directory: PathBuf,
        /// Why.
        error: OpenError,
    },
    /// The check before the swap refused it.
    #[error("{}: image refused by its canary queries: {reason}", directory.display())]
    Check {
        /// The image directory.
        directory: PathBuf,
        /// What failed.
        reason: String,
    },
    /// It is good and cannot be given its name.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The installer has more to do than it keeps.
    #[error("{REQUESTS_MAX} reloads are waiting already; try again when one is done")]
    Busy,
    /// The installer has ended with the server.
    #[error("the server is stopping")]
    Stopped,
}

/// What a reload did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Installed {
    /// The generation's number.
    pub number: u64,
    /// The registry event it stands at.
    pub event: u64,
    /// Whether it is another one than before.
    pub changed: bool,
}

/// The outcome of the last install, for status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstallStatus {
    /// When a generation was last swapped in, in seconds since 1970.
    pub installed_at: u64,
    /// Why the last image was refused; `None` when it was not.
    pub error: Option<String>,
    /// When it was refused.
    pub error_at: u64,
}

/// The generation in service and everything known about installs.
pub struct Generations {
    current: Arc<ArcSwap<Generation>>,
    source: Source,
    /// One install at a time, so that a slow one does not put back what is older.
    installing: Mutex<()>,
    /// The generation file as it was just before what is served was opened.
    served: Mutex<Option<Stamp>>,
    wakes: Mutex<Vec<Arc<Wake>>>,
    retired: Mutex<Vec<Arc<Generation>>>,
    swaps: watch::Sender<u64>,
    status: Mutex<InstallStatus>,
    /// Installs that swapped.
    pub installs: Counter,
    /// Images that were refused.
    pub failures: Counter,
}

impl Generations {
    /// Opens and checks what is installed now. Without a good image there is
    /// nothing to serve.
    pub fn open(source: Source) -> Result<Self, InstallError> {
        let served = installed_stamp(&source.directory);
        let first = open_checked(&source, None)?;
        Ok(Self::begin(source, first, served))
    }

    /// Serves no zone until something is installed: where images come from elsewhere.
    pub fn empty(source: Source) -> Self {
        Self::begin(source, Generation::empty(), None)
    }

    fn begin(source: Source, first: Generation, served: Option<Stamp>) -> Self {
        let status = InstallStatus {
            installed_at: (source.clock)(),
            ..Default::default()
        };
        Self {
            current: Arc::new(ArcSwap::from_pointee(first)),
            source,
            installing: Mutex::default(),
            served: Mutex::new(served),
            wakes: Mutex::default(),
            retired: Mutex::default(),
            swaps: watch::Sender::new(0),
            status: Mutex::new(status),
            installs: Counter::default(),
            failures: Counter::default(),
        }
    }

    /// The pointer that workers cache.
    pub fn handle(&self) -> Arc<ArcSwap<Generation>> {
        Arc::clone(&self.current)
    }

    /// The generation in service.
    pub fn current(&self) -> Arc<Generation> {
        self.current.load_full()
    }

    /// Where pages of what it opens live.
    pub fn memory(&self) -> Memory {
        self.source.memory
    }

    /// The generation in service for as long as one answer takes.
    pub fn load(&self) -> Guard<Arc<Generation>> {
        self.current.load()
    }

    /// Wakes `wake` after every swap, so that idle workers let go of what was
    /// replaced.
    pub fn wake_on_swap(&self, wake: Arc<Wake>) {
        lock(&self.wakes).push(wake);
    }

    /// Counts swaps, for who follows them.
    pub fn swaps(&self) -> watch::Receiver<u64> {
        self.swaps.subscribe()
    }

    /// The last install.
    pub fn status(&self) -> InstallStatus {
        lock(&self.status).clone()
    }

    /// Generations that were replaced and are still held by somebody.
    pub fn retired(&self) -> usize {
        lock(&self.retired).len()
    }

    /// Swaps in a generation that is open and checked.
    pub fn install(&self, generation: Generation) {
        let (number, event) = (generation.number(), generation.event());
        let (zones, bytes) = (generation.zones_count(), generation.bytes());
        let old = self.current.swap(Arc::new(generation));
        // The last reference stays here: freeing gigabytes takes a while, and
        // must not happen between two packets.
        let retired = {
            let mut retired = lock(&self.retired);
            retired.push(old);
            retired.len()
        };
        if retired > RETIRED_WARN {
            tracing::warn!(retired, "replaced generations are still held");
        }
        for wake in lock(&self.wakes).iter() {
            wake.wake();
        }
        self.installs.add(1);
        self.swaps.send_modify(|swaps| *swaps += 1);
        let mut status = lock(&self.status);
        status.installed_at = (self.source.clock)();
        status.error = None;
        tracing::info!(number, event, zones, bytes, "image installed");
    }

    /// Opens what is in the directory now and swaps it in when it is another
    /// one than is served. Blocks for as long as that takes.
    pub fn reload(&self) -> Result<Installed, InstallError> {
        let _alone = lock(&self.installing);
        let previous = self.current();
        let stamp = installed_stamp(&self.source.directory);
        let generation =
            open_checked(&self.source, Some(&previous)).inspect_err(|error| self.refuse(error))?;
        let (number, event) = (generation.number(), generation.event());
        // A directory that was made anew counts from 1 again; its file tells.
        let changed = std::mem::replace(&mut *lock(&self.served), stamp) != stamp
            || (number, event) != (previous.number(), previous.event());
        drop(previous);
        if changed {
            self.install(generation);
        } else {
            lock(&self.status).error = None;
        }
        Ok(Installed {
            number,
            event,
            changed,
        })
    }

    /// Opens and checks a generation that is on disk beside the installed one, and
    /// only then installs it and swaps it in.
    pub fn install_staged(&self, staged: Staged) -> Result<Installed, InstallError> {
        self.install_staged_checked(staged, &|_| Ok(()))
    }

    /// The same, with a check of the caller's own.
    pub fn install_staged_checked(
        &self,
        staged: Staged,
        check: &dyn Fn(&Generation) -> Result<(), String>,
    ) -> Result<Installed, InstallError> {
        let _alone = lock(&self.installing);
        let previous = self.current();
        let opened = staged.open(self.source.memory, Some(&previous));
        drop(previous);
        let stamp = stamp(staged.path());
        let generation = checked(&self.source, opened)
            .and_then(|generation| {
                check(&generation).map_err(|reason| InstallError::Check {
                    directory: self.source.directory.clone(),
                    reason,
                })?;
                staged.install()?;
                Ok(generation)
            })
            .inspect_err(|error| self.refuse(error))?;
        *lock(&self.served) = stamp;
        let (number, event) = (generation.number(), generation.event());
        self.install(generation);
        Ok(Installed {
            number,
            event,
            changed: true,
        })
    }

    fn refuse(&self, error: &InstallError) {
        self.failures.add(1);
        let mut status = lock(&self.status);
        status.error = Some(error.to_string());
        status.error_at = (self.source.clock)();
        tracing::error!(%error, "image refused, the old one stays in service");
    }

    /// Frees the replaced generations that nobody else holds any more.
    pub fn free_retired(&self) {
        // Our reference is the only one left once the count is one: the
        // pointer was replaced, so that nobody can get a new one.
        let free: Vec<_> = lock(&self.retired)
            .extract_if(.., |old| Arc::strong_count(old) == 1)
            .collect();
        // Freed here, outside the lock.
        drop(free);
    }
}

impl std::fmt::Debug for Generations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generations")
            .field("directory", &self.source.directory)
            .finish_non_exhaustive()
    }
}

/// Opens what is installed; segments that `previous` has are shared with it.
fn open_checked(
    source: &Source,
    previous: Option<&Generation>,
) -> Result<Generation, InstallError> {
    let opened = Generation::open_after(&source.directory, source.memory, previous);
    checked(source, opened)
}

fn checked(
    source: &Source,
    opened: Result<Generation, OpenError>,
) -> Result<Generation, InstallError> {
    let directory = || source.directory.clone();
    let generation = opened.map_err(|error| InstallError::Open {
        directory: directory(),
        error,
    })?;
    (source.check)(&generation).map_err(|reason| InstallError::Check {
        directory: directory(),
        reason,
    })?;
    Ok(generation)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these mutexes hold is whole at every moment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the installer's thread is asked.
enum Message {
    Reload(Option<oneshot::Sender<Result<Installed, InstallError>>>),
    Stop,
}

/// The thread that opens, installs and frees generations.
#[derive(Debug)]
pub struct Installer {
    requests: SyncSender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl Installer {
    /// Starts the thread; it also watches the directory.
    pub fn spawn(generations: Arc<Generations>) -> io::Result<Self> {
        let (requests, inbox) = sync_channel(REQUESTS_MAX);
        let thread = std::thread::Builder::new()
            .name("installer".into())
            .spawn(move || {
                yield_to_workers();
                install_loop(&generations, &inbox);
            })?;
        Ok(Self {
            requests,
            thread: Some(thread),
        })
    }

    /// Something that can ask for reloads.
    pub fn reloader(&self) -> Reloader {
        Reloader {
            requests: self.requests.clone(),
        }
    }
}

impl Drop for Installer {
    fn drop(&mut self) {
        // A full queue is emptied first: its senders get their answers.
        let _ = self.requests.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Asks the installer for reloads, from wherever a reload is asked for.
#[derive(Debug, Clone)]
pub struct Reloader {
    requests: SyncSender<Message>,
}

impl Reloader {
    /// Asks for a reload and waits for its outcome.
    pub async fn reload(&self) -> Result<Installed, InstallError> {
        let (reply, outcome) = oneshot::channel();
        self.requests
            .try_send(Message::Reload(Some(reply)))
            .map_err(|error| match error {
                TrySendError::Full(_) => InstallError::Busy,
                TrySendError::Disconnected(_) => InstallError::Stopped,
            })?;
        outcome.await.map_err(|_| InstallError::Stopped)?
    }
}

fn install_loop(generations: &Generations, inbox: &Receiver<Message>) {
    let directory = &generations.source.directory;
    let mut seen = *lock(&generations.served);
    loop {
        match inbox.recv_timeout(WATCH_INTERVAL) {
            Ok(Message::Reload(reply)) => {
                seen = installed_stamp(directory);
                let outcome = generations.reload();
                if let Some(reply) = reply {
                    // Whoever asked may have gone.
                    let _ = reply.send(outcome);
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                let now = installed_stamp(directory);
                // What was installed from within is served already.
                if now != seen && now != *lock(&generations.served) && now.is_some() {
                    seen = now;
                    // Refusals are logged and counted by `reload`.
                    let _ = generations.reload();
                }
            }
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        }
        generations.free_retired();
    }
}

/// Inode, time and length of the generation file.
type Stamp = (u64, SystemTime, u64);

/// What changes when an image is installed: the generation file, which is
/// renamed into place last.
fn installed_stamp(directory: &Path) -> Option<Stamp> {
    stamp(&directory.join(GENERATION_FILE))
}

fn stamp(file: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.ino(), metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests;
