//! RDAP over HTTP (RFC 7480): methods, headers, what is counted and noted of a request.

use std::io;
use std::net::IpAddr;
use std::time::Instant;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::{MEDIA_TYPE, Reply, Responder};
use crate::lookup::counters::{Outcome, Service};
use crate::net::credentials::Use;
use crate::net::http::{self, Bound, Refusal, Respond, Server};

/// What RDAP makes of a certificate.
pub const RDAP: Use = http::over_tls("RDAP");

const METHODS: &str = "GET, HEAD, OPTIONS";

/// What a server works with.
pub struct Settings {
    /// Who answers.
    pub responder: Responder,
    /// Connections.
    pub http: http::Settings,
    /// How long others may keep an answer.
    pub cache_seconds: u32,
    /// Whether each request is noted in the log, without what was asked and by whom.
    pub access_log: bool,
}

/// Serves RDAP on what was bound.
pub fn serve(settings: Settings, bound: Bound) -> io::Result<Server> {
    let rdap = Rdap {
        responder: settings.responder,
        cache_seconds: settings.cache_seconds,
        access_log: settings.access_log,
    };
    Server::start(settings.http, bound, rdap)
}

struct Rdap {
    responder: Responder,
    cache_seconds: u32,
    access_log: bool,
}

impl Respond for Rdap {
    async fn respond(&self, client: IpAddr, request: &Parts) -> Response<Full<Bytes>> {
        let started = Instant::now();
        let reply = match request.method {
            Method::GET | Method::HEAD => {
                let (path, query) = (request.uri.path(), request.uri.query());
                let query = query.unwrap_or_default();
                self.responder.respond(client, path, query).await
            }
            Method::OPTIONS => return preflight(),
            _ => {
                let what = "this service is asked by GET and HEAD";
                self.responder.refuse(405, what)
            }
        };
        let counters = self.responder.lookups.counters();
        let took = started.elapsed();
        counters.count(Service::Rdap, reply.outcome);
        counters.took(Service::Rdap, took);
        if self.access_log {
            let (kind, outcome) = (reply.kind, reply.outcome.word());
            let (status, microseconds) = (reply.status, took.as_micros());
            tracing::info!(target: "access", service = "rdap", kind, outcome, status, microseconds);
        }
        response(reply, self.cache_seconds)
    }

    fn open(&self) -> impl Send {
        self.responder.lookups.counters().open(Service::Rdap)
    }

    fn refuse(&self, refusal: Refusal) {
        let outcome = match refusal {
            Refusal::Full => Outcome::Full,
            Refusal::Handshake => Outcome::Malformed,
            Refusal::Late => Outcome::Slow,
        };
        let counters = self.responder.lookups.counters();
        counters.count(Service::Rdap, outcome);
    }
}

/// RFC 7480 section 5.6: everybody's pages may ask.
fn cors(headers: &mut HeaderMap) {
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

fn response(reply: Reply, cache_seconds: u32) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(reply.body));
    let status = StatusCode::from_u16(reply.status);
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    cors(headers);
    let fixed = [
        (header::CONTENT_TYPE, MEDIA_TYPE),
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
