//! The primary's own address for edges: HTTPS, HTTP/1.1.
//!
//! Gives the manifest as soon as there is another one, and packs out of the store; takes
//! reports. Who shows no token gets nothing: segments hold the key of the name hash. Bodies
//! go through piece by piece, so that nobody who reads slowly has a pack in our memory.

mod patience;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::StreamExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use zeroize::Zeroizing;

use self::patience::Patience;
use super::depot::{Access, Depot, DepotError, Place, REPORT_BYTES_MAX, unhex};
use super::distributor::Current;
use crate::net::credentials::{Credentials, Use};
use crate::net::http::over_tls;
use crate::net::places::Full as NoPlace;
use crate::net::service::{self, Listeners, Serve, Service, Stop, shake_hands, stopped};

/// Longest time for a handshake, and for the head of a request.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time for an edge to take the next octets of what it asked for.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest time that a manifest is waited for.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// Octets of a request's head.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Octets of a node's name.
const NODE_BYTES_MAX: usize = 63;

/// What it makes of a certificate.
pub const EDGES: Use = over_tls("distribution");

/// What it gives, and to whom.
pub struct Settings {
    /// Name, threads and places.
    pub service: service::Settings,
    /// Certificate and key; without them it listens on loopback only.
    pub credentials: Option<Arc<Credentials>>,
    /// One of these is to be shown; none lets everybody in.
    pub tokens: Vec<Zeroizing<String>>,
    /// What was put out last.
    pub current: watch::Receiver<Option<Current>>,
    /// The store that packs are read from.
    pub place: Place,
    /// How it is reached.
    pub access: Access,
}

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A running server.
#[derive(Debug)]
pub struct Server(Service);

impl Server {
    /// Serves these addresses.
    pub fn start(settings: Settings, listen: &[SocketAddr]) -> io::Result<Self> {
        let is_open = settings.credentials.is_none();
        if let Some(address) = listen.iter().find(|one| is_open && !one.ip().is_loopback()) {
            let what = format!("{address}: without TLS it listens on loopback only");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let listeners = Listeners::bind(listen)?;
        let mut service = Service::new(settings.service)?;
        let depot = Depot::open(&settings.place, &settings.access).map_err(io::Error::other)?;
        let tokens = settings.tokens.iter();
        let desk = Desk {
            credentials: settings.credentials.clone(),
            tokens: tokens.map(|token| blake3::hash(token.as_bytes())).collect(),
            current: settings.current,
            depot,
        };
        if let Some(credentials) = &settings.credentials {
            service.watch(credentials);
        }
        service.open(listeners, &Arc::new(desk))?;
        Ok(Self(service))
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.0.addresses()
    }

    /// Answers what is under way, and ends.
    pub fn stop(self) {
        self.0.stop();
    }
}

struct Desk {
    credentials: Option<Arc<Credentials>>,
    /// Digests, so that comparing them tells nothing by its time.
    tokens: Vec<blake3::Hash>,
    current: watch::Receiver<Option<Current>>,
    depot: Depot,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("depot", &self.depot)
            .finish_non_exhaustive()
    }
}

impl Serve for Desk {
    async fn serve(self: Arc<Self>, stream: TcpStream, _: SocketAddr, mut stop: Stop) {
        let Some(credentials) = self.credentials.clone() else {
            return self.talk(stream, stop).await;
        };
        if let Ok(stream) = shake_hands(stream, &credentials, READ_TIMEOUT, &mut stop).await {
            self.talk(stream, stop).await;
        }
    }

    fn refuse(&self, _: NoPlace) {}
}

impl Desk {
    async fn talk<S>(self: Arc<Self>, stream: S, mut stop: Stop)
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let stopping = stop.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let (desk, stop) = (Arc::clone(&self), stopping.clone());
            async move { Ok::<_, std::convert::Infallible>(desk.answer(request, stop).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .max_buf_size(HEAD_BYTES_MAX)
            .header_read_timeout(READ_TIMEOUT)
            .serve_connection(TokioIo::new(Patience::new(stream, WRITE_TIMEOUT)), service);
        let mut connection = pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            () = stopped(&mut stop) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(READ_TIMEOUT, connection).await;
    }

    async fn answer(&self, request: Request<Incoming>, stop: Stop) -> Response<Body> {
        if !self.is_known(&request) {
            let mut response = status(StatusCode::UNAUTHORIZED);
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
            return response;
        }
        let path = request.uri().path().to_owned();
        let words: Vec<_> = path.split('/').skip(1).collect();
        match (request.method(), &words[..]) {
            (&Method::GET, ["manifest"]) => self.manifest(&request, stop).await,
            (&Method::GET, ["packs", name]) => self.pack(&request, name).await,
            (&Method::PUT, ["nodes", name]) => self.report(name, request).await,
            (&Method::GET, ["nodes"]) => self.reports().await,
            _ => status(StatusCode::NOT_FOUND),
        }
    }

    fn is_known(&self, request: &Request<Incoming>) -> bool {
        let shown = request.headers().get(header::AUTHORIZATION);
        let shown = shown.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let shown = shown.map(|token| blake3::hash(token.as_bytes()));
        self.tokens.is_empty() || shown.is_some_and(|shown| self.tokens.contains(&shown))
    }

    /// RFC 9110 section 13.1.2, and RFC 7240 section 4.3 for the wait.
    async fn manifest(&self, request: &Request<Incoming>, mut stop: Stop) -> Response<Body> {
        const PREFER: HeaderName = HeaderName::from_static("prefer");
        let header = |name: HeaderName| request.headers().get(name)?.to_str().ok();
        let known = header(header::IF_NONE_MATCH);
        let wait = header(PREFER).and_then(|prefer| prefer.strip_prefix("wait=")?.parse().ok());
        let wait = Duration::from_secs(wait.unwrap_or_default()).min(WAIT_MAX);
        let mut current = self.current.clone();
        let is_news = |current: &Option<Current>| {
            current
                .as_ref()
                .is_some_and(|current| known != Some(current.tag.as_str()))
        };
        let found = tokio::select! {
            biased;
            found = timeout(wait, current.wait_for(is_news)) => match found {
                // A sender that is gone has nothing more to say.
                Ok(found) => found.ok().and_then(|found| found.clone()),
                Err(_) => None,
            },
            () = stopped(&mut stop) => None,
        };
        match found {
            Some(found) => {
                let mut response = full(Bytes::from_owner(found.octets));
                if let Ok(tag) = HeaderValue::from_str(&found.tag) {
                    response.headers_mut().insert(header::ETAG, tag);
                }
                response
            }
            None if known.is_some() => status(StatusCode::NOT_MODIFIED),
            None => status(StatusCode::NOT_FOUND),
        }
    }

    async fn pack(&self, request: &Request<Incoming>, name: &str) -> Response<Body> {
        let range = request.headers().get(header::RANGE);
        let range = range.and_then(|range| parse_range(range.to_str().ok()?));
        let (Some(name), Some((first, last))) = (unhex(name), range) else {
            return status(StatusCode::BAD_REQUEST);
        };
        let pieces = match self.depot.pack(&name, first..last + 1).await {
            Ok(pieces) => pieces,
            Err(error) => return fault(&error),
        };
        let frames = pieces.map(|piece| piece.map(Frame::data).map_err(io::Error::other));
        let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(last + 1 - first));
        let shown = format!("bytes {first}-{last}/*");
        if let Ok(shown) = HeaderValue::from_str(&shown) {
            headers.insert(header::CONTENT_RANGE, shown);
        }
        response
    }

    async fn report(&self, name: &str, request: Request<Incoming>) -> Response<Body> {
        let is_name = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'.';
        let is_good = (1..=NODE_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_name);
        if !is_good || name.starts_with('.') {
            return status(StatusCode::BAD_REQUEST);
        }
        let body = Limited::new(request.into_body(), REPORT_BYTES_MAX).collect();
        match timeout(READ_TIMEOUT, body).await {
            Ok(Ok(body)) => match self.depot.report(name, body.to_bytes().to_vec()).await {
                Ok(()) => status(StatusCode::NO_CONTENT),
                Err(error) => fault(&error),
            },
            Ok(Err(_)) => status(StatusCode::PAYLOAD_TOO_LARGE),
            Err(_) => status(StatusCode::REQUEST_TIMEOUT),
        }
    }

    /// A report a line; none has a line's end in it.
    async fn reports(&self) -> Response<Body> {
        match self.depot.reports().await {
            Ok(reports) => {
                let lines: Vec<_> = reports.iter().flat_map(|one| [&one[..], b"\n"]).collect();
                full(lines.concat().into())
            }
            Err(error) => fault(&error),
        }
    }
}

/// One range of octets that names both its ends (RFC 9110 section 14.1.2).
fn parse_range(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse::<u64>().ok()?);
    (first <= last && last < u64::MAX).then_some((first, last))
}

fn full(octets: Bytes) -> Response<Body> {
    Response::new(
        Full::new(octets)
            .map_err(|never| match never {})
            .boxed_unsync(),
    )
}

fn status(code: StatusCode) -> Response<Body> {
    let mut response = full(Bytes::new());
    *response.status_mut() = code;
    response
}

fn fault(error: &DepotError) -> Response<Body> {
    match error {
        DepotError::Missing { .. } => status(StatusCode::NOT_FOUND),
        error => {
            tracing::debug!(%error, "the store does not give what an edge asked for");
            status(StatusCode::BAD_GATEWAY)
        }
    }
}

#[cfg(test)]
mod tests;
