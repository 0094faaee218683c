//! One connection: its requests, their answers, its end.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::super::{MEDIA_TYPE, Reply};
use super::{Settings, stopped};
use crate::lookup::counters::Service;

/// Octets of a request's head, over HTTP/1.1 and over HTTP/2.
const HEAD_BYTES_MAX: usize = 16 << 10;
const HEADERS_BYTES_MAX: u32 = 16 << 10;
/// Requests under way on one connection of HTTP/2.
const STREAMS_MAX: u32 = 16;
const METHODS: &str = "GET, HEAD, OPTIONS";

/// Whose connection it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    pub(super) peer: IpAddr,
    pub(super) has_tls: bool,
}

/// Serves a connection until its end: the client's, that of its time, or the server's.
pub(super) async fn serve_stream<S>(
    settings: Arc<Settings>,
    stream: S,
    client: Client,
    is_h2: bool,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let counters = Arc::clone(settings.responder.lookups.counters());
    let _open = counters.open(Service::Rdap);
    let shared = Arc::clone(&settings);
    let service = service_fn(move |request: Request<Incoming>| {
        let settings = Arc::clone(&shared);
        // Its body is not for us: a client that sends one ends its connection.
        let (head, _) = request.into_parts();
        async move { Ok::<_, Infallible>(respond(&settings, client, &head).await) }
    });
    let ending = async {
        tokio::select! {
            () = stopped(&mut stop) => {}
            () = sleep(settings.connection_timeout) => {}
        }
    };
    let io = TokioIo::new(stream);
    // An error is the client's business: it has gone, one way or another.
    macro_rules! drive {
        ($connection:expr) => {{
            let mut connection = pin!($connection);
            tokio::select! {
                _ = connection.as_mut() => return,
                () = ending => {}
            }
            connection.as_mut().graceful_shutdown();
            let _ = timeout(settings.read_timeout, connection).await;
        }};
    }
    if is_h2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEADERS_BYTES_MAX)
            .keep_alive_interval(settings.read_timeout)
            .keep_alive_timeout(settings.read_timeout);
        drive!(builder.serve_connection(io, service));
    } else {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .max_buf_size(HEAD_BYTES_MAX)
            .header_read_timeout(settings.read_timeout);
        drive!(builder.serve_connection(io, service));
    }
}

async fn respond(settings: &Settings, client: Client, request: &Parts) -> Response<Full<Bytes>> {
    let started = Instant::now();
    let responder = &settings.responder;
    let is_head = request.method == Method::HEAD;
    let reply = match request.method {
        Method::GET | Method::HEAD => {
            let (path, query) = (request.uri.path(), request.uri.query());
            let client = client_of(client, request);
            responder
                .respond(client, path, query.unwrap_or_default())
                .await
        }
        Method::OPTIONS => return preflight(),
        _ => responder.refuse(405, "this service is asked by GET and HEAD"),
    };
    let counters = responder.lookups.counters();
    let took = started.elapsed();
    counters.count(Service::Rdap, reply.outcome);
    counters.took(Service::Rdap, took);
    if settings.access_log {
        let (kind, outcome) = (reply.kind, reply.outcome.word());
        let (status, microseconds) = (reply.status, took.as_micros());
        tracing::info!(target: "access", service = "rdap", kind, outcome, status, microseconds);
    }
    response(reply, is_head, settings.cache_seconds)
}

/// Who asks: a proxy on this machine says for whom.
fn client_of(client: Client, request: &Parts) -> IpAddr {
    const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
    if client.has_tls || !client.peer.is_loopback() {
        return client.peer;
    }
    // What is last was added by the proxy itself; what is before it, by anybody.
    let said = request.headers.get_all(FORWARDED).iter().next_back();
    let last = said.and_then(|value| value.to_str().ok()?.rsplit(',').next());
    let address = last.and_then(|text| text.trim().parse::<IpAddr>().ok());
    address.unwrap_or(client.peer)
}

/// RFC 7480 section 5.6: everybody's pages may ask.
fn cors(headers: &mut header::HeaderMap) {
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
}

fn preflight() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    cors(headers);
    let methods = HeaderValue::from_static(METHODS);
    headers.insert(header::ALLOW, methods.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    let all = HeaderValue::from_static("*");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, all);
    response
}

fn response(reply: Reply, is_head: bool, cache_seconds: u32) -> Response<Full<Bytes>> {
    let length = reply.body.len();
    // HTTP/2 would send a body all the same.
    let body = if is_head {
        Full::default()
    } else {
        Full::from(reply.body)
    };
    let mut response = Response::new(body);
    let status = StatusCode::from_u16(reply.status);
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    cors(headers);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Whatever a browser makes of it, it runs nothing.
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let cache = match reply.status {
        200 | 404 if cache_seconds > 0 => format!("public, max-age={cache_seconds}"),
        _ => "no-store".to_owned(),
    };
    if let Ok(cache) = HeaderValue::from_str(&cache) {
        headers.insert(header::CACHE_CONTROL, cache);
    }
    if let Some(seconds) = reply.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if reply.status == 405 {
        headers.insert(header::ALLOW, HeaderValue::from_static(METHODS));
    }
    response
}
