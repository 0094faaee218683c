//! HTTP/1.1 and HTTP/2 (RFC 9110, 9112, 9113) for services that are asked by a path alone.
//!
//! A connection has its place before its handshake, and an end of its own: a client that
//! reads slowly, or sends one octet at a time, costs a place for a bounded time and nothing
//! else. Bodies of requests are not read. Without TLS it listens on loopback only, for a
//! proxy on the same machine, whose word about its clients is then taken.

mod certificate;
mod connection;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::http::request::Parts;

pub use self::certificate::over_tls;
use self::connection::Http;
use super::credentials::Credentials;
use super::service::{self, Listeners, Service};

/// What requests are answered by.
pub(crate) trait Respond: Send + Sync + 'static {
    /// The answer to a request, of which this is all that is read.
    fn respond(
        &self,
        client: IpAddr,
        request: &Parts,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send;

    /// Counts a connection as long as what it gives is kept.
    fn open(&self) -> impl Send;

    /// Notes a connection on which nothing was asked.
    fn refuse(&self, refusal: Refusal);
}

/// Why nothing was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There was no place.
    Full,
    /// The handshake of TLS failed.
    Handshake,
    /// It was not done in time.
    Late,
}

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// For a handshake, and for the head of a request.
    pub read_timeout: Duration,
    /// From its handshake to the end of a connection, whatever is done on it.
    pub connection_timeout: Duration,
}

/// What a server works with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name, threads and places.
    pub service: service::Settings,
    /// Certificate and key, where it is served over TLS.
    pub credentials: Option<Arc<Credentials>>,
    /// What its clients may take.
    pub times: Times,
}

/// Addresses that were taken, before anything is served on them.
#[derive(Debug)]
pub struct Bound {
    plain: Listeners,
    tls: Listeners,
}

impl Bound {
    /// Takes the addresses without TLS, which have to be of this machine alone, and those
    /// with it.
    pub fn bind(plain: &[SocketAddr], tls: &[SocketAddr]) -> io::Result<Self> {
        if let Some(address) = plain.iter().find(|address| !address.ip().is_loopback()) {
            return Err(invalid(format!(
                "{address}: without TLS it listens on loopback only"
            )));
        }
        Ok(Self {
            plain: Listeners::bind(plain)?,
            tls: Listeners::bind(tls)?,
        })
    }

    /// Where the service is, if nothing else was said of it.
    pub fn url(&self) -> Option<String> {
        let (plain, tls) = (self.plain.addresses(), self.tls.addresses());
        let first = plain.first().map(|address| format!("http://{address}/"));
        first.or_else(|| tls.first().map(|address| format!("https://{address}/")))
    }
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    service: Service,
    /// How many of its addresses are without TLS; they come first.
    plain_count: usize,
}

impl Server {
    /// Serves what was bound on threads of its own.
    pub(crate) fn start(
        settings: Settings,
        bound: Bound,
        responder: impl Respond,
    ) -> io::Result<Self> {
        let (responder, times) = (Arc::new(responder), settings.times);
        let mut service = Service::new(settings.service)?;
        let plain = Http {
            responder: Arc::clone(&responder),
            times,
            credentials: None,
        };
        service.open(bound.plain, &Arc::new(plain))?;
        let plain_count = service.addresses().len();
        if let Some(credentials) = settings.credentials {
            service.watch(&credentials);
            let tls = Http {
                responder,
                times,
                credentials: Some(credentials),
            };
            service.open(bound.tls, &Arc::new(tls))?;
        } else if let Some(address) = bound.tls.addresses().first() {
            return Err(invalid(format!("{address}: TLS needs a certificate")));
        }
        Ok(Self {
            service,
            plain_count,
        })
    }

    /// Where it listens without TLS.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.service.addresses()[..self.plain_count]
    }

    /// Where it listens with TLS.
    pub fn tls_addresses(&self) -> &[SocketAddr] {
        &self.service.addresses()[self.plain_count..]
    }

    /// Answers what is under way, and ends.
    pub fn stop(self) {
        self.service.stop();
    }
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

#[cfg(test)]
mod tests;
