//! HTTP/1.1 and HTTP/2: listeners, connections, headers.
//!
//! A connection has its place before its handshake, and an end of its own: a client that
//! reads slowly, or sends one octet at a time, costs a place for a bounded time and nothing
//! else. Bodies of requests are not read. Without TLS it listens on loopback only, for a
//! proxy on the same machine, whose word about its clients is then taken.

pub(super) mod certificate;
mod connection;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use self::certificate::H2;
use self::connection::{Client, serve_stream};
use super::Responder;
use crate::lookup::counters::{Outcome, Service};
use crate::net::credentials::{Credentials, WATCH_INTERVAL};
use crate::net::listen::bind;
use crate::net::places::{Place, Places};

/// Pause after the system gave us no connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Time that ending may take beyond the drain itself.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// What a server works with.
pub struct Settings {
    /// Who answers.
    pub responder: Responder,
    /// Certificate and key, where it is served over TLS.
    pub credentials: Option<Arc<Credentials>>,
    /// Connections open at once.
    pub connections_max: usize,
    /// Of them from one client network, a /24 or /48.
    pub connections_per_prefix_max: usize,
    /// For a handshake, and for the head of a request.
    pub read_timeout: Duration,
    /// From its handshake to the end of a connection, whatever is done on it.
    pub connection_timeout: Duration,
    /// How long others may keep an answer.
    pub cache_seconds: u32,
    /// Whether each request is noted in the log, without what was asked and by whom.
    pub access_log: bool,
    /// Longest time to end at the stop.
    pub drain: Duration,
    /// Threads.
    pub threads: usize,
    /// Run at the start of each thread.
    pub prepare_thread: fn(),
}

/// A running server.
pub struct Server {
    addresses: Vec<SocketAddr>,
    tls_addresses: Vec<SocketAddr>,
    runtime: Runtime,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addresses", &self.addresses)
            .field("tls_addresses", &self.tls_addresses)
            .finish_non_exhaustive()
    }
}

/// Addresses that were taken, before anything is served on them.
#[derive(Debug)]
pub struct Bound {
    plain: Vec<(SocketAddr, StdTcpListener)>,
    tls: Vec<(SocketAddr, StdTcpListener)>,
}

impl Bound {
    /// Takes the addresses without TLS, which have to be of this machine alone, and those
    /// with it.
    pub fn bind(plain: &[SocketAddr], tls: &[SocketAddr]) -> io::Result<Self> {
        if let Some(address) = plain.iter().find(|address| !address.ip().is_loopback()) {
            let what = format!("{address}: without TLS it listens on loopback only");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let all = |addresses: &[SocketAddr]| addresses.iter().map(|one| bind(*one)).collect();
        let (plain, tls): (io::Result<Vec<_>>, io::Result<Vec<_>>) = (all(plain), all(tls));
        Ok(Self {
            plain: plain?,
            tls: tls?,
        })
    }

    /// The first address: where the service is, if nothing else was said of it.
    pub fn first(&self) -> Option<SocketAddr> {
        let first = self.plain.first().or_else(|| self.tls.first());
        first.map(|(address, _)| *address)
    }
}

impl Server {
    /// Serves what was bound on threads of its own.
    pub fn start(settings: Settings, bound: Bound) -> io::Result<Self> {
        let addresses = bound.plain.iter().map(|(address, _)| *address).collect();
        let tls_addresses = bound.tls.iter().map(|(address, _)| *address).collect();
        let runtime = Builder::new_multi_thread()
            .worker_threads(settings.threads)
            .thread_name("rdap")
            .on_thread_start(settings.prepare_thread)
            .enable_all()
            .build()?;
        let (stop, stopped) = watch::channel(false);
        if let Some(credentials) = settings.credentials.clone() {
            runtime.spawn(credentials.watch(WATCH_INTERVAL, stopped.clone()));
        }
        let task = runtime.spawn(serve(Arc::new(settings), bound, stopped));
        Ok(Self {
            addresses,
            tls_addresses,
            runtime,
            stop,
            task,
        })
    }

    /// Where it listens without TLS.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where it listens with TLS.
    pub fn tls_addresses(&self) -> &[SocketAddr] {
        &self.tls_addresses
    }

    /// Answers what is under way, and ends.
    pub fn stop(self) {
        self.stop.send_replace(true);
        // It bounds itself by the drain; a panic in it was reported already.
        let _ = self.runtime.block_on(self.task);
        self.runtime.shutdown_timeout(SHUTDOWN);
    }
}

async fn serve(settings: Arc<Settings>, bound: Bound, stop: watch::Receiver<bool>) {
    let places = Arc::new(Places::new(
        settings.connections_max,
        settings.connections_per_prefix_max,
    ));
    let mut acceptors = JoinSet::new();
    let plain = bound
        .plain
        .into_iter()
        .map(|(_, listener)| (listener, false));
    let tls = bound.tls.into_iter().map(|(_, listener)| (listener, true));
    for (listener, has_tls) in plain.chain(tls) {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                let (settings, places) = (Arc::clone(&settings), Arc::clone(&places));
                acceptors.spawn(accept(listener, has_tls, settings, places, stop.clone()));
            }
            Err(error) => tracing::error!(%error, "RDAP listener lost"),
        }
    }
    while acceptors.join_next().await.is_some() {}
}

async fn accept(
    listener: TcpListener,
    has_tls: bool,
    settings: Arc<Settings>,
    places: Arc<Places>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let stopping = stop.clone();
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match Places::admit(&places, peer.ip()) {
                    Ok(place) => {
                        let client = Client { peer: peer.ip(), has_tls };
                        let settings = Arc::clone(&settings);
                        let stop = stopping.clone();
                        connections.spawn(connect(settings, stream, client, place, stop));
                    }
                    Err(_) => count(&settings, Outcome::Full),
                },
                Err(error) => {
                    tracing::warn!(%error, "RDAP connection not taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    if timeout(settings.drain, finish).await.is_err() {
        tracing::info!("RDAP connections cut off at the end of the drain");
    }
}

/// Ends when the server is to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn count(settings: &Settings, outcome: Outcome) {
    let counters = settings.responder.lookups.counters();
    counters.count(Service::Rdap, outcome);
}

/// One connection from its handshake to its end.
async fn connect(
    settings: Arc<Settings>,
    stream: TcpStream,
    client: Client,
    _place: Place,
    stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    if !client.has_tls {
        return serve_stream(settings, stream, client, false, stop).await;
    }
    let Some(credentials) = &settings.credentials else {
        return;
    };
    let acceptor = TlsAcceptor::from(credentials.current());
    match timeout(settings.read_timeout, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let is_h2 = stream.get_ref().1.alpn_protocol() == Some(H2);
            serve_stream(settings, stream, client, is_h2, stop).await;
        }
        Ok(Err(_)) => count(&settings, Outcome::Malformed),
        Err(_) => count(&settings, Outcome::Slow),
    }
}
