//! The pages over HTTP (RFC 9110): methods, headers, what is counted and noted of a request.

use std::io;
use std::net::IpAddr;
use std::time::Instant;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::{Cache, Reply, Responder};
use crate::lookup::counters::{Outcome, Service};
use crate::net::credentials::Use;
use crate::net::http::{self, Bound, Refusal, Respond, Server};

/// What the pages make of a certificate.
pub const WEB: Use = http::over_tls("the web pages");

const METHODS: &str = "GET, HEAD";
/// A day; what is kept so long has another address when it changes.
const LONG: &str = "public, max-age=86400, immutable";
const HOUR: &str = "public, max-age=3600";
/// Of every page. No script runs, nothing is loaded from elsewhere, no other page has it
/// within, and nobody is told from where a person comes.
const FIXED: [(header::HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// What a server works with.
pub struct Settings {
    /// Who answers.
    pub responder: Responder,
    /// Connections.
    pub http: http::Settings,
    /// How long others may keep a page.
    pub cache_seconds: u32,
    /// Whether each request is noted in the log, without what was asked and by whom.
    pub access_log: bool,
}

/// Serves the pages on what was bound.
pub fn serve(settings: Settings, bound: Bound) -> io::Result<Server> {
    let web = Web {
        responder: settings.responder,
        short: match settings.cache_seconds {
            0 => "no-store".to_owned(),
            seconds => format!("public, max-age={seconds}"),
        },
        access_log: settings.access_log,
    };
    Server::start(settings.http, bound, web)
}

struct Web {
    responder: Responder,
    /// What is said of pages that may be kept for a short time.
    short: String,
    access_log: bool,
}

impl Respond for Web {
    async fn respond(&self, client: IpAddr, request: &Parts) -> Response<Full<Bytes>> {
        let started = Instant::now();
        let reply = match request.method {
            Method::GET | Method::HEAD => {
                let (path, query) = (request.uri.path(), request.uri.query());
                let query = query.unwrap_or_default();
                self.responder.respond(client, path, query).await
            }
            _ => self.responder.not_read(),
        };
        if let Some((kind, outcome)) = reply.outcome {
            let took = started.elapsed();
            let counters = self.responder.lookups().counters();
            counters.count(Service::Web, outcome);
            counters.took(Service::Web, took);
            if self.access_log {
                let (outcome, status) = (outcome.word(), reply.status);
                let microseconds = took.as_micros();
                tracing::info!(target: "access", service = "web", kind, outcome, status, microseconds);
            }
        }
        self.response(reply)
    }

    fn open(&self) -> impl Send {
        self.responder.lookups().counters().open(Service::Web)
    }

    fn refuse(&self, refusal: Refusal) {
        let outcome = match refusal {
            Refusal::Full => Outcome::Full,
            Refusal::Handshake => Outcome::Malformed,
            Refusal::Late => Outcome::Slow,
        };
        let counters = self.responder.lookups().counters();
        counters.count(Service::Web, outcome);
    }
}

impl Web {
    fn response(&self, reply: Reply) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::from(reply.body));
        let status = StatusCode::from_u16(reply.status);
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        for (name, value) in FIXED {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.media));
        let cache = match reply.cache {
            Cache::Never => "no-store",
            Cache::Short => &self.short,
            Cache::Hour => HOUR,
            Cache::Long => LONG,
        };
        insert(headers, header::CACHE_CONTROL, cache);
        if let Some(path) = &reply.location {
            insert(headers, header::LOCATION, path);
        }
        if let Some(seconds) = reply.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if reply.status == 405 {
            headers.insert(header::ALLOW, HeaderValue::from_static(METHODS));
        }
        response
    }
}

/// What is put in has been escaped where it was made; anything else is left out.
fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
