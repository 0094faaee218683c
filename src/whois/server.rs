//! The listener, and what bounds a connection.
//!
//! A place, a line within its time, a question within its network's rate, an answer that
//! the client takes within its time; then the end. Nothing is read twice, and what a client
//! sends beyond its line is read and dropped for a moment, so that the answer arrives.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::answer::{answer, limited};
use super::question::LINE_BYTES_MAX;
use crate::lookup::Lookups;
use crate::lookup::counters::{Outcome, Service};
use crate::net::ending;
use crate::net::listen::bind;
use crate::net::places::{Place, Places};

/// Pause after the system gave us no connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Time that ending may take beyond the drain itself.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// What a server works with.
pub struct Settings {
    /// Who answers.
    pub lookups: Arc<Lookups>,
    /// Connections open at once.
    pub connections_max: usize,
    /// Of them from one client network, a /24 or /48.
    pub connections_per_prefix_max: usize,
    /// For the line to arrive.
    pub read_timeout: Duration,
    /// For a client to take the answer.
    pub write_timeout: Duration,
    /// Where the terms of use are; empty is nowhere.
    pub terms_url: String,
    /// Whether each question is noted in the log, without what was asked and by whom.
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
            .thread_name("whois")
            .on_thread_start(settings.prepare_thread)
            .enable_all()
            .build()?;
        let (stop, stopped) = watch::channel(false);
        let task = runtime.spawn(serve(Arc::new(settings), listeners, stopped));
        Ok(Self {
            addresses,
            runtime,
            stop,
            task,
        })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Answers what is under way, and ends.
    pub fn stop(self) {
        self.stop.send_replace(true);
        // It bounds itself by the drain; a panic in it was reported already.
        let _ = self.runtime.block_on(self.task);
        self.runtime.shutdown_timeout(SHUTDOWN);
    }
}

async fn serve(
    settings: Arc<Settings>,
    listeners: Vec<StdTcpListener>,
    stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Places::new(
        settings.connections_max,
        settings.connections_per_prefix_max,
    ));
    let mut acceptors = JoinSet::new();
    for listener in listeners {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                let (settings, places) = (Arc::clone(&settings), Arc::clone(&places));
                acceptors.spawn(accept(listener, settings, places, stop.clone()));
            }
            Err(error) => tracing::error!(%error, "WHOIS listener lost"),
        }
    }
    while acceptors.join_next().await.is_some() {}
}

async fn accept(
    listener: TcpListener,
    settings: Arc<Settings>,
    places: Arc<Places>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match Places::admit(&places, peer.ip()) {
                    Ok(place) => {
                        let settings = Arc::clone(&settings);
                        connections.spawn(connection(settings, stream, peer, place));
                    }
                    Err(_) => settings.lookups.counters().count(Service::Whois, Outcome::Full),
                },
                Err(error) => {
                    tracing::warn!(%error, "WHOIS connection not taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    if timeout(settings.drain, finish).await.is_err() {
        tracing::info!("WHOIS connections cut off at the end of the drain");
    }
}

/// Ends when the server is to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// One connection from its line to its end.
async fn connection(
    settings: Arc<Settings>,
    mut stream: TcpStream,
    peer: SocketAddr,
    _place: Place,
) {
    let counters = settings.lookups.counters();
    let _open = counters.open(Service::Whois);
    let line = match timeout(settings.read_timeout, read_line(&mut stream)).await {
        Ok(Ok(line)) => line,
        // Gone before it asked.
        Ok(Err(_)) => return,
        Err(_) => return counters.count(Service::Whois, Outcome::Slow),
    };
    let started = Instant::now();
    let (text, kind, outcome) = match settings.lookups.admit(peer.ip()) {
        Ok(()) => answer(&settings.lookups, &line, &settings.terms_url).await,
        Err(wait) => (limited(wait.as_secs() + 1), "none", Outcome::Limited),
    };
    let took = started.elapsed();
    counters.count(Service::Whois, outcome);
    counters.took(Service::Whois, took);
    if settings.access_log {
        let (outcome, microseconds) = (outcome.word(), took.as_micros());
        tracing::info!(target: "access", service = "whois", kind, outcome, microseconds);
    }
    match timeout(settings.write_timeout, write(&mut stream, text.as_bytes())).await {
        // What it sent behind its line must not take the answer along.
        Ok(Ok(())) => ending::linger(&mut stream, std::future::pending()).await,
        Ok(Err(_)) => {}
        Err(_) => counters.count(Service::Whois, Outcome::Slow),
    }
}

/// Octets up to the end of the line, of the stream, or of what a line may have.
async fn read_line(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(128);
    let mut piece = [0; 512];
    loop {
        let length = stream.read(&mut piece).await?;
        let end = piece[..length].iter().position(|octet| *octet == b'\n');
        line.extend_from_slice(&piece[..end.unwrap_or(length)]);
        if end.is_some() || length == 0 || line.len() > LINE_BYTES_MAX {
            break;
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

async fn write(stream: &mut TcpStream, text: &[u8]) -> io::Result<()> {
    stream.write_all(text).await?;
    stream.shutdown().await
}
