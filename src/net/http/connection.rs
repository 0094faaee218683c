//! One connection of HTTP: its requests, their answers, its end.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::certificate::H2;
use super::{Refusal, Respond, Times};
use crate::net::credentials::Credentials;
use crate::net::places;
use crate::net::service::{Serve, Stop, Unshaken, shake_hands, stopped};

/// Octets of a request's head, over HTTP/1.1 and over HTTP/2.
const HEAD_BYTES_MAX: usize = 16 << 10;
const HEADERS_BYTES_MAX: u32 = 16 << 10;
/// Requests under way on one connection of HTTP/2.
const STREAMS_MAX: u32 = 16;

/// What connections to some of the addresses have in common.
pub(super) struct Http<R> {
    pub(super) responder: Arc<R>,
    pub(super) times: Times,
    /// None is without TLS.
    pub(super) credentials: Option<Arc<Credentials>>,
}

impl<R: Respond> Serve for Http<R> {
    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, mut stop: Stop) {
        let peer = peer.ip();
        let Some(credentials) = &self.credentials else {
            return Arc::clone(&self)
                .serve_stream(stream, peer, false, stop)
                .await;
        };
        match shake_hands(stream, credentials, self.times.read_timeout, &mut stop).await {
            Ok(stream) => {
                let is_h2 = stream.get_ref().1.alpn_protocol() == Some(H2);
                Arc::clone(&self)
                    .serve_stream(stream, peer, is_h2, stop)
                    .await;
            }
            Err(Unshaken::Stopped) => {}
            Err(Unshaken::Failed) => self.responder.refuse(Refusal::Handshake),
            Err(Unshaken::Late) => self.responder.refuse(Refusal::Late),
        }
    }

    fn refuse(&self, _: places::Full) {
        self.responder.refuse(Refusal::Full);
    }
}

impl<R: Respond> Http<R> {
    /// Serves a connection until its end: the client's, that of its time, or the service's.
    async fn serve_stream<S>(self: Arc<Self>, stream: S, peer: IpAddr, is_h2: bool, mut stop: Stop)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let _open = self.responder.open();
        let shared = Arc::clone(&self);
        let service = service_fn(move |request: Request<Incoming>| {
            let this = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(this.answer(peer, request).await) }
        });
        let ending = async {
            tokio::select! {
                () = stopped(&mut stop) => {}
                () = sleep(self.times.connection_timeout) => {}
            }
        };
        let read_timeout = self.times.read_timeout;
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
                let _ = timeout(read_timeout, connection).await;
            }};
        }
        if is_h2 {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder
                .timer(TokioTimer::new())
                .max_concurrent_streams(STREAMS_MAX)
                .max_header_list_size(HEADERS_BYTES_MAX)
                .keep_alive_interval(read_timeout)
                .keep_alive_timeout(read_timeout);
            drive!(builder.serve_connection(io, service));
        } else {
            let mut builder = http1::Builder::new();
            builder
                .timer(TokioTimer::new())
                .max_buf_size(HEAD_BYTES_MAX)
                .header_read_timeout(read_timeout);
            drive!(builder.serve_connection(io, service));
        }
    }

    async fn answer(&self, peer: IpAddr, request: Request<Incoming>) -> Response<Full<Bytes>> {
        // Its body is not for us: a client that sends one ends its connection.
        let (head, _) = request.into_parts();
        let client = self.client(peer, &head);
        let mut response = self.responder.respond(client, &head).await;
        if head.method == Method::HEAD {
            // HTTP/2 would send a body all the same.
            let length = std::mem::take(response.body_mut()).size_hint().exact();
            let length = HeaderValue::from(length.unwrap_or_default());
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, length);
        }
        response
    }

    /// Who asks: a proxy on this machine says for whom.
    fn client(&self, peer: IpAddr, request: &Parts) -> IpAddr {
        const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
        if self.credentials.is_some() || !peer.is_loopback() {
            return peer;
        }
        // What is last was added by the proxy itself; what is before it, by anybody.
        let said = request.headers.get_all(FORWARDED).iter().next_back();
        let last = said.and_then(|value| value.to_str().ok()?.rsplit(',').next());
        let address = last.and_then(|text| text.trim().parse::<IpAddr>().ok());
        address.unwrap_or(peer)
    }
}
