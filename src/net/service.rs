//! A service over TCP: its addresses, its threads, a task for each connection, and an end
//! within a bounded time.
//!
//! What is done on a connection is the `Serve` of whoever opens the service; here are the
//! limits around it. A connection has its place before anything is read of it. At the stop
//! no more are taken, those that are open are told, and what is open still at the end of
//! the drain is cut off. Counts nothing: what is refused is told.

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
use tokio_rustls::server::TlsStream;

use super::credentials::{Credentials, WATCH_INTERVAL};
use super::places::{Full, Places};

/// Pause after the system gave us no connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Time that ending may take beyond the drain itself.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// What bounds a service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The service for people; its threads have the name in lower case.
    pub name: &'static str,
    /// Threads.
    pub threads: usize,
    /// Run at the start of each thread.
    pub prepare_thread: fn(),
    /// Connections open at once.
    pub connections_max: usize,
    /// Of them from one client network, a /24 or /48.
    pub connections_per_prefix_max: usize,
    /// Longest time to end at the stop.
    pub drain: Duration,
}

/// Becomes true when a service is to stop; one whose sender is gone is to stop as well.
pub(crate) type Stop = watch::Receiver<bool>;

/// What is done with the connections of a service.
pub(crate) trait Serve: Send + Sync + 'static {
    /// Serves a connection to its end, which has to come soon after `stop`.
    fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        stop: Stop,
    ) -> impl Future<Output = ()> + Send;

    /// Notes a connection that had no place.
    fn refuse(&self, full: Full);
}

/// Addresses that were taken, before anything is served on them.
#[derive(Debug, Default)]
pub(crate) struct Listeners(Vec<(SocketAddr, StdTcpListener)>);

impl Listeners {
    /// Takes all of them, with their real ports; an error names the one that it is of.
    pub(crate) fn bind(addresses: &[SocketAddr]) -> io::Result<Self> {
        let all = addresses.iter().map(|address| {
            let bound = StdTcpListener::bind(address).and_then(|listener| {
                listener.set_nonblocking(true)?;
                Ok((listener.local_addr()?, listener))
            });
            bound.map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
        });
        Ok(Self(all.collect::<io::Result<_>>()?))
    }

    /// Where they are.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(|(address, _)| *address).collect()
    }
}

/// A service that runs.
pub struct Service {
    settings: Settings,
    addresses: Vec<SocketAddr>,
    places: Arc<Places>,
    runtime: Runtime,
    stop: watch::Sender<bool>,
    acceptors: JoinSet<()>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("name", &self.settings.name)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl Service {
    /// Its threads; nothing is served yet.
    pub(crate) fn new(settings: Settings) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(settings.threads)
            .thread_name(settings.name.to_ascii_lowercase())
            .on_thread_start(settings.prepare_thread)
            .enable_all()
            .build()?;
        let (all, of_prefix) = (
            settings.connections_max,
            settings.connections_per_prefix_max,
        );
        Ok(Self {
            places: Arc::new(Places::new(all, of_prefix)),
            settings,
            addresses: Vec::new(),
            runtime,
            stop: watch::Sender::new(false),
            acceptors: JoinSet::new(),
        })
    }

    /// Serves connections to these addresses. All of a service share its places.
    pub(crate) fn open(
        &mut self,
        listeners: Listeners,
        handler: &Arc<impl Serve>,
    ) -> io::Result<()> {
        let _within = self.runtime.enter();
        for (address, listener) in listeners.0 {
            let door = Door {
                listener: TcpListener::from_std(listener)?,
                places: Arc::clone(&self.places),
                settings: self.settings.clone(),
                stop: self.stop.subscribe(),
            };
            let accepting = door.accept(Arc::clone(handler));
            self.acceptors.spawn_on(accepting, self.runtime.handle());
            self.addresses.push(address);
        }
        Ok(())
    }

    /// Where it listens, in the order in which that was opened.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Reads certificate and key again when their files change.
    pub(crate) fn watch(&self, credentials: &Arc<Credentials>) {
        let watching = Arc::clone(credentials).watch(WATCH_INTERVAL, self.stop.subscribe());
        self.runtime.spawn(watching);
    }

    /// Does something with its timers and sockets, and waits for it.
    pub(crate) fn block_on<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    /// Does something on its threads.
    pub(crate) fn spawn(&self, what: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.runtime.spawn(what)
    }

    /// Answers what is under way, and ends.
    pub fn stop(self) {
        self.stop_before(std::future::ready(()));
    }

    /// Answers what is under way, does what is last, for which it has a second, and ends.
    pub(crate) fn stop_before(mut self, last: impl Future<Output = ()>) {
        self.stop.send_replace(true);
        self.runtime.block_on(async {
            // They bound themselves by the drain; a panic in one was reported already.
            while self.acceptors.join_next().await.is_some() {}
            let _ = timeout(SHUTDOWN, last).await;
        });
        self.runtime.shutdown_timeout(SHUTDOWN);
    }
}

/// One address of a service.
struct Door {
    listener: TcpListener,
    places: Arc<Places>,
    settings: Settings,
    stop: Stop,
}

impl Door {
    async fn accept(mut self, handler: Arc<impl Serve>) {
        let service = self.settings.name;
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut self.stop) => break,
                Some(_) = connections.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => match Places::admit(&self.places, peer.ip()) {
                        Ok(place) => {
                            let (handler, stop) = (Arc::clone(&handler), self.stop.clone());
                            connections.spawn(async move {
                                let _place = place;
                                let _ = stream.set_nodelay(true);
                                handler.serve(stream, peer, stop).await;
                            });
                        }
                        Err(full) => handler.refuse(full),
                    },
                    Err(error) => {
                        tracing::warn!(service, %error, "connection not taken");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.listener);
        let finish = async { while connections.join_next().await.is_some() {} };
        if timeout(self.settings.drain, finish).await.is_err() {
            tracing::info!(service, "connections cut off at the end of the drain");
        }
    }
}

/// Ends when something is to stop.
pub(crate) async fn stopped(stop: &mut Stop) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Why there is no session of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unshaken {
    /// The service stops.
    Stopped,
    /// The client speaks something else, or does not like us.
    Failed,
    /// It was not done in time.
    Late,
}

/// The handshake of TLS, with the certificate in service now.
pub(crate) async fn shake_hands(
    stream: TcpStream,
    credentials: &Credentials,
    limit: Duration,
    stop: &mut Stop,
) -> Result<TlsStream<TcpStream>, Unshaken> {
    let acceptor = TlsAcceptor::from(credentials.current());
    tokio::select! {
        biased;
        () = stopped(stop) => Err(Unshaken::Stopped),
        shaken = timeout(limit, acceptor.accept(stream)) => match shaken {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(_)) => Err(Unshaken::Failed),
            Err(_) => Err(Unshaken::Late),
        },
    }
}

#[cfg(test)]
mod tests;
