//! DNS over TCP (RFC 7766, RFC 9210), and over TLS on it (RFC 7858): pipelined,
//! bounded, polite at the end.
//!
//! A connection reads what is there, answers every whole message in order, each
//! from one generation, and writes the replies together. It has until the idle
//! limit to send a whole message, however it is split; sending single octets
//! gains no time. Buffers grow with what was received, never with what a length
//! field promises.

mod arrived;
mod connections;
mod stream;
mod transfers;

use std::io;
use std::net::TcpListener as StdTcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use tokio_rustls::server::TlsStream;

use self::connections::{Admission, Connections, Place};
pub use self::transfers::{Piece, Transfers};
use super::failure::Offences;
use super::tls::Tls;
use super::{Answer, Clock};
use crate::dns::counters::{Handshake, StreamCounters};
use crate::dns::generations::Generations;

/// Pause after the system gave us no connection, so that a want of descriptors
/// does not become a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Limits of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once.
    pub connections_max: usize,
    /// Connections open at once from one client network.
    pub connections_per_prefix_max: usize,
    /// Leading bits of an IPv4 address that make a client network.
    pub prefix_length_v4: u8,
    /// Leading bits of an IPv6 address that make a client network.
    pub prefix_length_v6: u8,
    /// Time for a whole message to arrive.
    pub idle_timeout: Duration,
    /// Time for the client to take what we wrote.
    pub write_timeout: Duration,
    /// Queries answered on one connection before it is closed.
    pub queries_per_connection_max: u64,
}

/// What every connection shares.
#[derive(Debug)]
pub struct Service<A> {
    /// The engine.
    pub engine: A,
    /// The generation in service.
    pub generations: Arc<Generations>,
    /// Counters.
    pub counters: Arc<StreamCounters>,
    /// Where messages that made the engine panic are kept.
    pub offences: Arc<Offences>,
    /// Limits.
    pub limits: Limits,
    /// Makes it DNS over TLS.
    pub tls: Option<Tls>,
    /// Answers requests for transfers; without it the engine refuses them.
    pub transfers: Option<Arc<dyn Transfers>>,
    /// The clock.
    pub clock: Clock,
}

impl<A> Service<A> {
    /// The name of the transport.
    fn name(&self) -> &'static str {
        if self.tls.is_some() { "tls" } else { "tcp" }
    }
}

/// Serves the listeners until `stop` turns true, then lets the connections
/// finish what they have for at most `drain`.
pub async fn serve<A: Answer>(
    service: Arc<Service<A>>,
    listeners: Vec<StdTcpListener>,
    stop: watch::Receiver<bool>,
    drain: Duration,
) -> io::Result<()> {
    let connections = Arc::new(Connections::new(service.limits));
    let mut acceptors = JoinSet::new();
    for listener in listeners {
        let listener = TcpListener::from_std(listener)?;
        let (service, connections) = (Arc::clone(&service), Arc::clone(&connections));
        acceptors.spawn(accept(listener, service, connections, stop.clone(), drain));
    }
    while acceptors.join_next().await.is_some() {}
    Ok(())
}

/// Takes connections from one listener until `stop`, then waits for them.
async fn accept<A: Answer>(
    listener: TcpListener,
    service: Arc<Service<A>>,
    connections: Arc<Connections>,
    stop: watch::Receiver<bool>,
    drain: Duration,
) {
    let mut tasks = JoinSet::new();
    let mut stopping = stop.clone();
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stopping) => break,
            Some(_) = tasks.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    if let Some(task) = admit(&service, &connections, stream, peer, &stop) {
                        tasks.spawn(task);
                    }
                }
                Err(_) => {
                    service.counters.accept_failed.add(1);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let finish = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(drain, finish).await.is_err() {
        // Dropping the set ends the rest.
        let transport = service.name();
        tracing::info!(transport, "connections cut off at the end of the drain");
    }
}

/// Ends when the server is to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Makes a connection's task, unless a limit forbids it.
fn admit<A: Answer>(
    service: &Arc<Service<A>>,
    connections: &Arc<Connections>,
    stream: TcpStream,
    peer: std::net::SocketAddr,
    stop: &watch::Receiver<bool>,
) -> Option<impl Future<Output = ()> + Send + use<A>> {
    let place = match Connections::admit(connections, peer.ip()) {
        Admission::Place(place) => place,
        Admission::Evicted(place) => {
            service.counters.evicted.add(1);
            place
        }
        Admission::Refused => {
            service.counters.refused.add(1);
            return None;
        }
    };
    service.counters.accepted.add(1);
    let (service, stop) = (Arc::clone(service), stop.clone());
    Some(async move {
        // Replies are written whole; waiting for more would only delay them.
        let _ = stream.set_nodelay(true);
        match &service.tls {
            None => stream::run(&service, stream, peer, &place, stop).await,
            Some(tls) => {
                if let Some(stream) = shake_hands(&service, tls, stream, &place, &stop).await {
                    stream::run(&service, stream, peer, &place, stop).await;
                }
            }
        }
        // The place is given back before it is said that the connection is closed.
        drop(place);
        service.counters.closed.add(1);
    })
}

/// The session on a new connection, which counts as idle until it is there: it has
/// its place, and may have to make room like any other.
async fn shake_hands<A>(
    service: &Service<A>,
    tls: &Tls,
    stream: TcpStream,
    place: &Place,
    stop: &watch::Receiver<bool>,
) -> Option<TlsStream<TcpStream>> {
    let mut stop = stop.clone();
    let shaken = tokio::select! {
        biased;
        () = place.sent_away() => Err(Handshake::Evicted),
        () = stopped(&mut stop) => Err(Handshake::Other),
        shaken = tls.shake_hands(stream) => shaken,
    };
    let end = shaken.as_ref().err().copied();
    service
        .counters
        .handshake(end.unwrap_or(Handshake::Completed));
    shaken.ok()
}

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
