//! A client of HTTP/1.1 for stores: our own TLS, our own bounds.
//!
//! `object_store` asks for nothing but this of a client, so that no second library of TLS
//! or cryptography comes with it. A few connections are kept for the next request. It
//! follows no redirect and goes through no proxy.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{self, HeaderValue};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

/// Connections kept for the next request.
const IDLE_MAX: usize = 8;
/// Longest time for a connection and its handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time from the last octet of a request that was sent to the head of its response,
/// beyond what it asks to wait.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);

/// Octets that are read of an error.
const ERROR_BYTES_MAX: usize = 64 << 10;

/// When the last piece of a request's body was taken to be sent.
#[derive(Debug, Clone)]
struct Moved(Arc<Mutex<Instant>>);

impl Default for Moved {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Moved {
    fn at(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Waits until nothing moved for so long; a body of any length may take its time.
    async fn watch<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            let due = self.at() + limit;
            match timeout_at(due, work.as_mut()).await {
                Ok(done) => return Some(done),
                Err(_) if self.at() + limit > due => {}
                Err(_) => return None,
            }
        }
    }
}

/// A body of a request that is seen as it goes.
#[derive(Debug)]
pub(super) struct Watched {
    body: HttpRequestBody,
    moved: Moved,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        self.moved.note();
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Asks a server to hold its response until there is news (RFC 7240 section 4.3).
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait(pub(super) Duration);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The certificates of authorities cannot be read.
    #[error("{path}: {source}; name a PEM file of the authorities by edge.ca-file")]
    Read {
        /// Their file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// There are none in it.
    #[error("{path}: no certificate of an authority in it")]
    Empty {
        /// Their file.
        path: String,
    },
    /// The library does not set up sessions.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

struct Idle {
    authority: String,
    sender: SendRequest<Watched>,
}

/// The client; clones share their connections.
#[derive(Clone)]
pub(super) struct Client {
    tls: Option<TlsConnector>,
    idle: Arc<Mutex<Vec<Idle>>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// One that trusts the authorities of a PEM file; without one it speaks no TLS.
    pub(super) fn new(authorities: Option<&std::path::Path>) -> Result<Self, ClientError> {
        let tls = authorities.map(connector).transpose()?;
        Ok(Self {
            tls,
            idle: Arc::default(),
        })
    }

    /// Sends a request and gives the response as soon as its head is there.
    pub(super) async fn send(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let uri = request.uri().clone();
        let authority = uri.authority().ok_or_else(|| wrong("no host in the URL"))?;
        let authority = authority.as_str().to_owned();
        let wait = request.extensions().get::<Wait>().copied();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path
            .parse::<Uri>()
            .map_err(|_| wrong("no path in the URL"))?;
        let headers = request.headers_mut();
        if !headers.contains_key(header::HOST) {
            let host = HeaderValue::from_str(&authority).map_err(|_| wrong("no host"))?;
            headers.insert(header::HOST, host);
        }
        let mut head_timeout = HEAD_TIMEOUT;
        if let Some(Wait(wait)) = wait {
            head_timeout += wait;
            let value = format!("wait={}", wait.as_secs());
            headers.insert("prefer", HeaderValue::from_str(&value).expect("a number"));
        }
        let mut sender = match self.take_idle(&authority) {
            Some(sender) => sender,
            None => {
                let connected = timeout(CONNECT_TIMEOUT, self.connect(&uri, &authority)).await;
                connected.map_err(|_| timed_out())??
            }
        };
        let moved = Moved::default();
        let request = request.map(|body| Watched {
            body,
            moved: moved.clone(),
        });
        let sent = moved.watch(head_timeout, sender.send_request(request));
        let response = sent
            .await
            .ok_or_else(timed_out)?
            // A kept connection may have been closed meanwhile; it is tried again.
            .map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
        self.keep(authority, sender);
        let (parts, body) = response.into_parts();
        let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error));
        // What is said of an error is read whole by whoever asked, and only then.
        let body = match parts.status.is_client_error() || parts.status.is_server_error() {
            false => HttpResponseBody::new(body),
            true => {
                let body = Limited::new(body, ERROR_BYTES_MAX);
                HttpResponseBody::new(body.map_err(|error| match error.downcast::<HttpError>() {
                    Ok(error) => *error,
                    Err(_) => HttpError::new(HttpErrorKind::Decode, too_long()),
                }))
            }
        };
        Ok(HttpResponse::from_parts(parts, body))
    }

    fn take_idle(&self, authority: &str) -> Option<SendRequest<Watched>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|one| !one.sender.is_closed());
        // One whose last response is still being read is not ready.
        let at = idle
            .iter()
            .position(|one| one.authority == authority && one.sender.is_ready())?;
        Some(idle.swap_remove(at).sender)
    }

    fn keep(&self, authority: String, sender: SendRequest<Watched>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(Idle { authority, sender });
        }
    }

    async fn connect(&self, uri: &Uri, authority: &str) -> Result<SendRequest<Watched>, HttpError> {
        let host = uri.host().ok_or_else(|| wrong("no host in the URL"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let has_tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if has_tls { 443 } else { 80 });
        let failed = |error| HttpError::new(HttpErrorKind::Connect, error);
        let stream = TcpStream::connect((host, port)).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        if !has_tls {
            return drive(stream).await;
        }
        let tls = self
            .tls
            .as_ref()
            .ok_or_else(|| wrong("no authorities are known for TLS; see edge.ca-file"))?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| wrong("the host is no name of a server"))?;
        let stream = tls.connect(name, stream).await;
        let stream = stream.map_err(|error| {
            let what = format!("{authority}: {error}");
            failed(std::io::Error::new(error.kind(), what))
        })?;
        drive(stream).await
    }
}

/// Begins HTTP on a stream; the connection lives until it is closed or let go of.
async fn drive<S>(stream: S) -> Result<SendRequest<Watched>, HttpError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let begun = handshake(TokioIo::new(stream)).await;
    let (sender, connection) =
        begun.map_err(|error| HttpError::new(HttpErrorKind::Connect, error))?;
    // How it ends is seen by whoever waits for a response on it.
    tokio::spawn(async { connection.await.is_ok() });
    Ok(sender)
}

fn connector(authorities: &std::path::Path) -> Result<TlsConnector, ClientError> {
    let path = || authorities.display().to_string();
    let pem = std::fs::read(authorities).map_err(|source| ClientError::Read {
        path: path(),
        source,
    })?;
    let mut roots = RootCertStore::empty();
    // One that this build cannot use is one that is not trusted.
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).flatten());
    if roots.is_empty() {
        return Err(ClientError::Empty { path: path() });
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let settings = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(settings)))
}

fn too_long() -> std::io::Error {
    std::io::Error::other("an error of the server is too long")
}

fn wrong(what: &'static str) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, std::io::Error::other(what))
}

fn timed_out() -> HttpError {
    HttpError::new(
        HttpErrorKind::Timeout,
        std::io::Error::from(std::io::ErrorKind::TimedOut),
    )
}

impl HttpService for Client {
    fn call<'a, 'r>(
        &'a self,
        request: Request<HttpRequestBody>,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'r>>
    where
        'a: 'r,
        Self: 'r,
    {
        Box::pin(self.send(request))
    }
}

impl HttpConnector for Client {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[cfg(test)]
mod tests;
