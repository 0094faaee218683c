//! The scanner: asks the name servers of all published delegations, over and over, at a
//! bounded rate, and leaves what they do wrong with the registry as a report.
//!
//! Off unless it is configured. What is counted against the rate is the most that an address
//! can be asked: by UDP and TCP, each twice. A domain takes seconds where nothing answers, so
//! those of a page are asked beside each other. Never changes an object; a page that was not
//! asked to its end, at a stop, is left for the next pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use zone_image::Name;

use super::places;
use crate::background::Background;
use crate::exchange::authority::{Server, faults};
use crate::registry::scan::{self, Delegated, Page};
use crate::registry::{Database, Location, RegistryError, Timestamp};

/// Questions that an address is asked at most.
const QUESTIONS_EACH: usize = 4;
/// Pause while no pass is due, and after a fault.
const PAUSE: Duration = Duration::from_secs(60);
/// Longest wait for the thread at the end.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// What a scanner works with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The registry.
    pub location: Location,
    /// Questions a second at most.
    pub questions_per_second_max: u32,
    /// Time between the starts of two passes.
    pub interval_seconds: u32,
    /// Ask addresses that are set apart for documentation.
    pub lab: bool,
    /// Microseconds since 1970.
    pub clock: fn() -> i64,
}

/// What can be seen of it.
#[derive(Debug, Default)]
pub struct ScanState {
    domains: AtomicU64,
    faults: AtomicU64,
    failures: AtomicU64,
    lame: AtomicU64,
}

/// The same, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanSnapshot {
    /// Domains whose servers were asked.
    pub domains: u64,
    /// Servers that did wrong, each time counted.
    pub faults: u64,
    /// Looks at the registry that failed.
    pub failures: u64,
    /// Pairs of domain and server in the report, after the last page.
    pub lame: u64,
}

impl ScanState {
    /// As it is now.
    pub fn snapshot(&self) -> ScanSnapshot {
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        ScanSnapshot {
            domains: load(&self.domains),
            faults: load(&self.faults),
            failures: load(&self.failures),
            lame: load(&self.lame),
        }
    }
}

/// The running scanner; dropped, it stops.
#[derive(Debug)]
pub struct Scanner {
    /// Dropped before the thread, which it tells to end.
    _stop: oneshot::Sender<()>,
    _thread: Background,
    state: Arc<ScanState>,
}

impl Scanner {
    /// Starts the thread.
    pub fn spawn(settings: Settings) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let state = Arc::new(ScanState::default());
        let seen = Arc::clone(&state);
        let body = move || run(runtime, &settings, &seen, stopped);
        let thread = Background::spawn("scan", STOP_TIMEOUT, body)?;
        Ok(Self {
            _stop: stop,
            _thread: thread,
            state,
        })
    }

    /// What can be seen of it.
    pub fn state(&self) -> Arc<ScanState> {
        Arc::clone(&self.state)
    }
}

fn run(runtime: Runtime, settings: &Settings, state: &ScanState, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async {
        tokio::select! {
            _ = stopped => {}
            () = for_ever(settings, state) => {}
        }
    });
    // A resolver that hangs is not waited for.
    runtime.shutdown_background();
}

async fn for_ever(settings: &Settings, state: &ScanState) {
    let mut pace = Pace::new(settings.questions_per_second_max);
    let mut last_error = String::new();
    loop {
        let done = step(settings, settings.interval_seconds, &mut pace, state).await;
        let (is_idle, error) = match done {
            Ok(is_more) => (!is_more, String::new()),
            Err(error) => {
                state.failures.fetch_add(1, Ordering::Relaxed);
                (true, error.to_string())
            }
        };
        if !error.is_empty() && error != last_error {
            tracing::error!(error, "name servers not scanned");
        }
        last_error = error;
        if is_idle {
            sleep(PAUSE).await;
        }
    }
}

/// One whole pass; `told` hears how many domains were asked about.
pub async fn pass(settings: &Settings, told: &mut dyn FnMut(u64)) -> Result<(), RegistryError> {
    let (mut pace, state) = (
        Pace::new(settings.questions_per_second_max),
        ScanState::default(),
    );
    // The pass begins now, and the one after it not at all.
    let mut interval_seconds = 0;
    while step(settings, interval_seconds, &mut pace, &state).await? {
        interval_seconds = u32::MAX;
        told(state.snapshot().domains);
    }
    Ok(())
}

/// One page; `false` where none is due.
async fn step(
    settings: &Settings,
    interval_seconds: u32,
    pace: &mut Pace,
    state: &ScanState,
) -> Result<bool, RegistryError> {
    let now = || Timestamp((settings.clock)());
    let mut database = Database::open(&settings.location).await?;
    let taken = scan::take(&mut database, now(), interval_seconds).await?;
    let Some(page) = taken else {
        return Ok(false);
    };
    let found = ask_page(&page, settings.lab, pace).await;
    scan::keep(&mut database, &page, &found, now()).await?;
    let wrong = found.iter().flatten().flatten().count();
    let add = |number: &AtomicU64, more: usize| {
        number.fetch_add(more as u64, Ordering::Relaxed);
    };
    add(&state.domains, page.domains.len());
    add(&state.faults, wrong);
    let lame = scan::count(&mut database).await?;
    state.lame.store(lame, Ordering::Relaxed);
    Ok(true)
}

/// What the servers of each domain do wrong, in the order of the page.
async fn ask_page(page: &Page, lab: bool, pace: &mut Pace) -> Vec<Vec<Option<String>>> {
    let mut found: Vec<_> = page
        .domains
        .iter()
        .map(|domain| vec![None; domain.servers.len()])
        .collect();
    let mut jobs = JoinSet::new();
    for (index, domain) in page.domains.iter().enumerate() {
        let servers = resolve(domain, lab).await;
        let addresses: usize = servers.iter().map(|server| server.addresses.len()).sum();
        pace.wait(addresses * QUESTIONS_EACH).await;
        let name = Name::parse_absolute(domain.name.as_str());
        let name = name.expect("names of domains are names");
        jobs.spawn(async move { (index, faults(&name, &servers).await) });
    }
    while let Some(done) = jobs.join_next().await {
        if let Ok((index, faults)) = done {
            found[index] = faults;
        }
    }
    found
}

async fn resolve(domain: &Delegated, lab: bool) -> Vec<Server> {
    let mut servers = Vec::with_capacity(domain.servers.len());
    for server in &domain.servers {
        servers.push(Server {
            name: server.name.to_string(),
            addresses: places(&server.name, &server.addresses, lab).await,
        });
    }
    servers
}

/// Lets so many questions through in a second.
struct Pace {
    per_second: f64,
    next: Instant,
}

impl Pace {
    fn new(questions_per_second_max: u32) -> Self {
        Self {
            per_second: f64::from(questions_per_second_max.max(1)),
            next: Instant::now(),
        }
    }

    /// When these may begin: after those before them. Time in which nobody asked is no credit.
    fn begin(&mut self, now: Instant, questions: usize) -> Instant {
        let begin = self.next.max(now);
        let seconds = questions as f64 / self.per_second;
        self.next = begin + Duration::from_secs_f64(seconds);
        begin
    }

    async fn wait(&mut self, questions: usize) {
        let begin = self.begin(Instant::now(), questions);
        sleep_until(begin).await;
    }
}

#[cfg(test)]
mod tests;
