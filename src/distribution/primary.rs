//! What an edge asks the primary itself, over HTTPS.
//!
//! `GET /manifest` with the tag of the last one is held until there is another, for as long
//! as the edge says it waits; `GET /packs/DIGEST` takes ranges; `PUT /nodes/NAME` and
//! `GET /nodes` carry reports. A token goes with each request.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use futures_util::stream::StreamExt as _;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, StatusCode};
use object_store::client::{HttpError, HttpRequestBody, HttpResponse};
use zeroize::Zeroizing;

use super::client::{Client, Wait};
use super::depot::Pieces;

/// Tries of one request, each on another connection.
const TRIES: usize = 2;

/// Why it did not answer as it should.
#[derive(Debug)]
pub(super) enum Fault {
    /// It has not got it.
    Missing,
    /// Whatever else.
    Other(String),
}

/// The primary as a client sees it.
pub(super) struct Primary {
    url: String,
    authorization: Option<HeaderValue>,
    client: Client,
}

impl fmt::Debug for Primary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Primary")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Primary {
    pub(super) fn new(url: &str, token: Option<Zeroizing<String>>, client: Client) -> Self {
        let authorization = token.and_then(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", *token)).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        Self {
            url: url.trim_end_matches('/').to_owned(),
            authorization,
            client,
        }
    }

    pub(super) async fn manifest(
        &self,
        known: Option<&str>,
        wait: Duration,
    ) -> Result<Option<(Pieces, Option<String>)>, Fault> {
        let response = self
            .ask(|| {
                let mut request = self.request(Method::GET, "/manifest", Vec::new())?;
                if let Some(known) = known {
                    let tag = HeaderValue::from_str(known).map_err(|_| wrong("a tag"))?;
                    request.headers_mut().insert(header::IF_NONE_MATCH, tag);
                    if !wait.is_zero() {
                        request.extensions_mut().insert(Wait(wait));
                    }
                }
                Ok(request)
            })
            .await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        expect(&response, StatusCode::OK)?;
        let tag = response.headers().get(header::ETAG);
        let tag = tag.and_then(|tag| tag.to_str().ok()).map(ToOwned::to_owned);
        Ok(Some((stream(response), tag)))
    }

    pub(super) async fn pack(&self, name: &str, range: Range<u64>) -> Result<Pieces, Fault> {
        let path = format!("/packs/{name}");
        // The last octet is named, not the one after it (RFC 9110 section 14.1.2).
        let last = range.end.saturating_sub(1);
        let octets = format!("bytes={}-{last}", range.start);
        let response = self
            .ask(|| {
                let mut request = self.request(Method::GET, &path, Vec::new())?;
                let octets = HeaderValue::from_str(&octets).map_err(|_| wrong("a range"))?;
                request.headers_mut().insert(header::RANGE, octets);
                Ok(request)
            })
            .await?;
        expect(&response, StatusCode::PARTIAL_CONTENT)?;
        Ok(stream(response))
    }

    pub(super) async fn report(&self, node: &str, report: Vec<u8>) -> Result<(), Fault> {
        let path = format!("/nodes/{node}");
        let response = self
            .ask(|| self.request(Method::PUT, &path, report.clone()))
            .await?;
        expect(&response, StatusCode::NO_CONTENT)
    }

    pub(super) async fn reports(&self) -> Result<Pieces, Fault> {
        let response = self
            .ask(|| self.request(Method::GET, "/nodes", Vec::new()))
            .await?;
        expect(&response, StatusCode::OK)?;
        Ok(stream(response))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Request<HttpRequestBody>, Fault> {
        let body = match body.is_empty() {
            true => HttpRequestBody::empty(),
            false => HttpRequestBody::from(body),
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .body(body);
        let mut request = request.map_err(|_| wrong("a URL"))?;
        if let Some(value) = &self.authorization {
            let headers = request.headers_mut();
            headers.insert(header::AUTHORIZATION, value.clone());
        }
        Ok(request)
    }

    /// A kept connection may be closed by the other side just then, so it is tried again.
    async fn ask(
        &self,
        request: impl Fn() -> Result<Request<HttpRequestBody>, Fault>,
    ) -> Result<HttpResponse, Fault> {
        let mut tries = 1;
        loop {
            match self.client.send(request()?).await {
                Ok(response) => return Ok(response),
                Err(error) if tries == TRIES => return Err(Fault::Other(describe(&error))),
                Err(_) => tries += 1,
            }
        }
    }
}

/// An error with what is behind it: the outer text alone says little.
fn describe(error: &HttpError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error).and_then(std::error::Error::source);
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

fn wrong(what: &str) -> Fault {
    Fault::Other(format!("{what} cannot be said in HTTP"))
}

fn expect(response: &HttpResponse, status: StatusCode) -> Result<(), Fault> {
    match response.status() {
        found if found == status => Ok(()),
        StatusCode::NOT_FOUND => Err(Fault::Missing),
        StatusCode::UNAUTHORIZED => Err(Fault::Other(
            "the token is not one that it knows; see edge.token-file".to_owned(),
        )),
        found => Err(Fault::Other(format!("it answers {found}"))),
    }
}

fn stream(response: HttpResponse) -> Pieces {
    let pieces = response.into_body().bytes_stream();
    pieces
        .map(|piece| piece.map_err(|error| describe(&error)))
        .boxed()
}
