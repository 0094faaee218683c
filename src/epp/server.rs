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
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use self::accounts::Accounts;
use self::counters::{Counters, Refusal};
use self::sessions::Sessions;
use self::store::Store;
use super::services::Offer;
use crate::net::credentials::Credentials;
use crate::net::places::Full;
use crate::net::service::{self, Listeners, Serve, Service, Stop, Unshaken, shake_hands};
use crate::registry::command::domain::AskServers;
use crate::registry::{Location, Timestamp};

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
    service: Service,
    counters: Arc<Counters>,
    credentials: Arc<Credentials>,
    sessions: Arc<Sessions>,
    /// Keeps the right to write until `end`.
    keeper: JoinHandle<()>,
    end: watch::Sender<bool>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.service).finish()
    }
}

impl Server {
    /// Takes the addresses and serves them on threads of its own.
    pub fn start(settings: Settings, listen: &[SocketAddr]) -> io::Result<Self> {
        let listeners = Listeners::bind(listen)?;
        let limits = settings.limits;
        let mut service = Service::new(service::Settings {
            name: "EPP",
            threads: settings.threads,
            prepare_thread: || {},
            connections_max: limits.connections_max,
            connections_per_prefix_max: limits.connections_per_prefix_max,
            drain: settings.drain,
        })?;
        let counters = Arc::<Counters>::default();
        let credentials = Arc::clone(&settings.credentials);
        let sessions = Arc::<Sessions>::default();
        let shared = Arc::new(Shared {
            store: Store::new(settings.location.clone(), settings.ask.clone()),
            accounts: Arc::new(Accounts::new(
                limits.commands_per_second_max,
                limits.transforms_per_second_max,
            )),
            counters: Arc::clone(&counters),
            sessions: Arc::clone(&sessions),
            passwords: Semaphore::new(PASSWORDS_AT_ONCE),
            run: run_name((settings.clock)())?,
            transactions: AtomicU64::new(1),
            settings,
        });
        service.watch(&credentials);
        let held = service.block_on(shared.store.try_to_write());
        let (end, ended) = watch::channel(false);
        let keeping = Arc::clone(&shared);
        let keeper = service.spawn(async move { keeping.store.keep_writer(held, ended).await });
        service.open(listeners, &shared)?;
        Ok(Self {
            service,
            counters,
            credentials,
            sessions,
            keeper,
            end,
        })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.service.addresses()
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
        let (keeper, end) = (self.keeper, self.end);
        self.service.stop_before(async move {
            // Nobody writes any more: the registry is given back, so that another can take it.
            end.send_replace(true);
            let _ = keeper.await;
        });
    }
}

/// Start and a random number: two starts of one moment differ too.
fn run_name(started: i64) -> io::Result<String> {
    let mut random = [0; 4];
    let filled = aws_lc_rs::rand::fill(&mut random);
    filled.map_err(|_| io::Error::other("the system gave no random numbers"))?;
    Ok(format!("{started:x}-{:08x}", u32::from_be_bytes(random)))
}

impl Serve for Shared {
    /// One connection from its handshake to its end.
    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, mut stop: Stop) {
        let (credentials, limits) = (&self.settings.credentials, &self.settings.limits);
        match shake_hands(stream, credentials, limits.handshake_timeout, &mut stop).await {
            Ok(stream) => {
                let _open = self.counters.open();
                // An error is the client's business: it has gone, one way or another.
                let _ = session::run(&self, stream, peer, stop).await;
            }
            Err(Unshaken::Stopped) => {}
            Err(Unshaken::Failed) => self.counters.refuse(Refusal::Handshake),
            Err(Unshaken::Late) => self.counters.refuse(Refusal::HandshakeTime),
        }
    }

    fn refuse(&self, full: Full) {
        self.counters.refuse(match full {
            Full::All => Refusal::Full,
            Full::Prefix => Refusal::PrefixFull,
        });
    }
}
