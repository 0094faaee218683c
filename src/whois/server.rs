//! A connection of WHOIS, and what bounds it.
//!
//! A place, a line within its time, a question within its network's rate, an answer that
//! the client takes within its time; then the end. Nothing is read twice, and what a client
//! sends beyond its line is read and dropped for a moment, so that the answer arrives.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::{answer, limited};
use super::question::LINE_BYTES_MAX;
use crate::lookup::Lookups;
use crate::lookup::counters::{Outcome, Service as Counted};
use crate::net::ending;
use crate::net::places::Full;
use crate::net::service::{self, Listeners, Serve, Service, Stop};

/// What a server works with.
pub struct Settings {
    /// Who answers.
    pub lookups: Arc<Lookups>,
    /// Name, threads and places.
    pub service: service::Settings,
    /// For the line to arrive.
    pub read_timeout: Duration,
    /// For a client to take the answer.
    pub write_timeout: Duration,
    /// Where the terms of use are; empty is nowhere.
    pub terms_url: String,
    /// Whether each question is noted in the log, without what was asked and by whom.
    pub access_log: bool,
}

/// Takes the addresses and serves them on threads of its own.
pub fn serve(settings: Settings, listen: &[SocketAddr]) -> io::Result<Service> {
    let listeners = Listeners::bind(listen)?;
    let mut service = Service::new(settings.service.clone())?;
    service.open(listeners, &Arc::new(settings))?;
    Ok(service)
}

impl Serve for Settings {
    /// One connection from its line to its end.
    async fn serve(self: Arc<Self>, mut stream: TcpStream, peer: SocketAddr, _: Stop) {
        let counters = self.lookups.counters();
        let _open = counters.open(Counted::Whois);
        let line = match timeout(self.read_timeout, read_line(&mut stream)).await {
            Ok(Ok(line)) => line,
            // Gone before it asked.
            Ok(Err(_)) => return,
            Err(_) => return counters.count(Counted::Whois, Outcome::Slow),
        };
        let started = Instant::now();
        let (text, kind, outcome) = match self.lookups.admit(peer.ip()) {
            Ok(()) => answer(&self.lookups, &line, &self.terms_url).await,
            Err(wait) => (limited(wait.as_secs() + 1), "none", Outcome::Limited),
        };
        let took = started.elapsed();
        counters.count(Counted::Whois, outcome);
        counters.took(Counted::Whois, took);
        if self.access_log {
            let (outcome, microseconds) = (outcome.word(), took.as_micros());
            tracing::info!(target: "access", service = "whois", kind, outcome, microseconds);
        }
        match timeout(self.write_timeout, write(&mut stream, text.as_bytes())).await {
            // What it sent behind its line must not take the answer along.
            Ok(Ok(())) => ending::linger(&mut stream, std::future::pending()).await,
            Ok(Err(_)) => {}
            Err(_) => counters.count(Counted::Whois, Outcome::Slow),
        }
    }

    fn refuse(&self, _: Full) {
        self.lookups.counters().count(Counted::Whois, Outcome::Full);
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
