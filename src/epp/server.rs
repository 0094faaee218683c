//! EPP over TLS (RFC 5734): the listener, its sessions, and what bounds them.
//!
//! A connection has a place, then a handshake, a greeting and a login, each within its
//! time; then commands, one after the other. What a client does wrong ends its own session
//! and no other. A store that fails is answered with 2400 and the session stays. When the
//! server stops, commands under way are answered and nothing later is read.

mod accounts;
pub mod certificate;
pub mod counters;
mod login;
mod session;
pub mod sessions;
mod store;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use self::accounts::Accounts;
use self::counters::{Counters, Refusal};
use self::sessions::Sessions;
use self::store::{Store, Writing};
use super::services::Offer;
use crate::net::credentials::{Credentials, WATCH_INTERVAL};
use crate::net::listen::bind;
use crate::net::places::{Full, Place, Places};
use crate::registry::command::domain::AskServers;
use crate::registry::{Location, Timestamp};

/// Pause after the system gave us no connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Time that ending may take beyond the drain itself.
const SHUTDOWN: Duration = Duration::from_secs(1);
/// Passwords that are looked at together: each takes a processor and 19 MiB.
const PASSWORDS_AT_ONCE: usize = 2;

/// What bounds the sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once.
    pub connections_max: usize,
    /// Connections open at once from one client network, a /24 or /48.
    pub connections_per_prefix_max: usize,
    /// Commands of one registrar in a second, over all of its sessions.
    pub commands_per_second_max: u32,
    /// Those among them that change something.
    pub transforms_per_second_max: u32,
    /// Octets of a frame with its length.
    pub frame_bytes_max: usize,
    /// From the connection to the end of the handshake.
    pub handshake_timeout: Duration,
    /// From there to the login.
    pub login_timeout: Duration,
    /// For the next whole frame.
    pub idle_timeout: Duration,
    /// For a client to take a response.
    pub write_timeout: Duration,
    /// From the login to the end of a session, whatever is done in it.
    pub session_timeout: Duration,
}

/// How long what a registrar shows is good, and from when on it is told of its end
/// (RFC 8807).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Of a password since it was set; none is for ever.
    pub password: Option<Duration>,
    /// Before the end of a password.
    pub password_warning: Duration,
    /// Before the end of a certificate.
    pub certificate_warning: Duration,
}

/// What a server works with.
pub struct Settings {
    /// The registry.
    pub location: Location,
    /// What the greeting says of who this is: 3 to 64 characters.
    pub name: String,
    /// What is offered.
    pub offer: Offer,
    /// Certificate and key.
    pub credentials: Arc<Credentials>,
    /// What bounds the sessions.
    pub limits: Limits,
    /// How long passwords are good.
    pub expiry: Expiry,
    /// Take addresses that are set apart for documentation.
    pub lab: bool,
    /// Longest time to end sessions at the stop.
    pub drain: Duration,
    /// Threads.
    pub threads: usize,
    /// Microseconds since 1970.
    pub clock: fn() -> i64,
    /// Asks name servers before domains get them.
    pub ask: Arc<dyn AskServers>,
    /// Wakes whoever publishes.
    pub wake: Box<dyn Fn() + Send + Sync>,
}

/// What every session shares.
struct Shared {
    settings: Settings,
    store: Store,
    accounts: Arc<Accounts>,
    counters: Arc<Counters>,
    sessions: Arc<Sessions>,
    passwords: Semaphore,
    /// Tells the names of one run of the server from those of all others.
    run: String,
    transactions: AtomicU64,
}

impl Shared {
    fn now(&self) -> Timestamp {
        Timestamp((self.settings.clock)())
    }

    /// A name for what changes nothing: never the same twice.
    fn transaction(&self) -> String {
        let number = self.transactions.fetch_add(1, Ordering::Relaxed);
        format!("R-{}-{number}", self.run)
    }
}

/// A running server.
pub struct Server {
    addresses: Vec<SocketAddr>,
    counters: Arc<Counters>,
    credentials: Arc<Credentials>,
    sessions: Arc<Sessions>,
    runtime: Runtime,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Takes the addresses and serves them on threads of its own.
    pub fn start(settings: Settings, listen: &[SocketAddr]) -> io::Result<Self> {
        let bound: io::Result<Vec<_>> = listen.iter().map(|address| bind(*address)).collect();
        let (addresses, listeners): (Vec<_>, Vec<_>) = bound?.into_iter().unzip();
        let runtime = Builder::new_multi_thread()
            .worker_threads(settings.threads)
            .thread_name("epp")
            .enable_all()
            .build()?;
        let counters = Arc::<Counters>::default();
        let credentials = Arc::clone(&settings.credentials);
        let sessions = Arc::<Sessions>::default();
        let shared = Arc::new(Shared {
            store: Store::new(settings.location.clone(), settings.ask.clone()),
            accounts: Arc::new(Accounts::new(
                settings.limits.commands_per_second_max,
                settings.limits.transforms_per_second_max,
            )),
            counters: Arc::clone(&counters),
            sessions: Arc::clone(&sessions),
            passwords: Semaphore::new(PASSWORDS_AT_ONCE),
            run: run_name((settings.clock)())?,
            transactions: AtomicU64::new(1),
            settings,
        });
        let (stop, stopped) = watch::channel(false);
        runtime.spawn(Arc::clone(&credentials).watch(WATCH_INTERVAL, stopped.clone()));
        let held = runtime.block_on(shared.store.try_to_write());
        let task = runtime.spawn(serve(shared, listeners, held, stopped));
        Ok(Self {
            addresses,
            counters,
            credentials,
            sessions,
            runtime,
            stop,
            task,
        })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What it counts.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// The open connections.
    pub fn sessions(&self) -> Arc<Sessions> {
        Arc::clone(&self.sessions)
    }

    /// Its certificate and key.
    pub fn credentials(&self) -> Arc<Credentials> {
        Arc::clone(&self.credentials)
    }

    /// Answers what is under way, and ends.
    pub fn stop(self) {
        self.stop.send_replace(true);
        // It bounds itself by the drain; a panic in it was reported already.
        let _ = self.runtime.block_on(self.task);
        self.runtime.shutdown_timeout(SHUTDOWN);
    }
}

/// Start and a random number: two starts of one moment differ too.
fn run_name(started: i64) -> io::Result<String> {
    let mut random = [0; 4];
    let filled = aws_lc_rs::rand::fill(&mut random);
    filled.map_err(|_| io::Error::other("the system gave no random numbers"))?;
    Ok(format!("{started:x}-{:08x}", u32::from_be_bytes(random)))
}

async fn serve(
    shared: Arc<Shared>,
    listeners: Vec<StdTcpListener>,
    held: Option<Writing>,
    stop: watch::Receiver<bool>,
) {
    let limits = &shared.settings.limits;
    let places = Arc::new(Places::new(
        limits.connections_max,
        limits.connections_per_prefix_max,
    ));
    let (end, ended) = watch::channel(false);
    let keeper = {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { shared.store.keep_writer(held, ended).await })
    };
    let mut acceptors = JoinSet::new();
    for listener in listeners {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                let (shared, places) = (Arc::clone(&shared), Arc::clone(&places));
                acceptors.spawn(accept(listener, shared, places, stop.clone()));
            }
            Err(error) => tracing::error!(%error, "EPP listener lost"),
        }
    }
    while acceptors.join_next().await.is_some() {}
    // Nobody writes any more: the registry is given back, so that another can take it.
    end.send_replace(true);
    let _ = timeout(SHUTDOWN, keeper).await;
}

async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    places: Arc<Places>,
    mut stop: watch::Receiver<bool>,
) {
    let mut sessions = JoinSet::new();
    let stopping = stop.clone();
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            Some(_) = sessions.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match Places::admit(&places, peer.ip()) {
                    Ok(place) => {
                        let shared = Arc::clone(&shared);
                        let session = connect(shared, stream, peer, place, stopping.clone());
                        sessions.spawn(session);
                    }
                    Err(Full::All) => shared.counters.refuse(Refusal::Full),
                    Err(Full::Prefix) => shared.counters.refuse(Refusal::PrefixFull),
                },
                Err(error) => {
                    tracing::warn!(%error, "EPP connection not taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let finish = async { while sessions.join_next().await.is_some() {} };
    if timeout(shared.settings.drain, finish).await.is_err() {
        tracing::info!("EPP sessions cut off at the end of the drain");
    }
}

/// Ends when the server is to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// One connection from its handshake to its end.
async fn connect(
    shared: Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    _place: Place,
    mut stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let acceptor = TlsAcceptor::from(shared.settings.credentials.current());
    let shaken = tokio::select! {
        biased;
        () = stopped(&mut stop) => return,
        shaken = timeout(shared.settings.limits.handshake_timeout, acceptor.accept(stream)) => shaken,
    };
    match shaken {
        Ok(Ok(stream)) => {
            let _open = shared.counters.open();
            // An error is the client's business: it has gone, one way or another.
            let _ = session::run(&shared, stream, peer, stop).await;
        }
        Ok(Err(_)) => shared.counters.refuse(Refusal::Handshake),
        Err(_) => shared.counters.refuse(Refusal::HandshakeTime),
    }
}
