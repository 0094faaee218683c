//! DNS over TLS (RFC 7858, RFC 8310): the handshake, and what it is done with.
//!
//! TLS 1.2 and 1.3 with forward secrecy and authenticated encryption only, which
//! is what RFC 9325 section 4.2 asks for and all that rustls has. The protocol's
//! name is "dot"; a client that names none is served too, since RFC 7858 does not
//! ask it to. Early data is not taken. What comes after the handshake is in `tcp`.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, ServerConfig};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::dns::counters::Handshake;
use crate::net::any_client::AnyClient;
use crate::net::credentials::{Credentials, Use};

/// Octets that a session keeps while the client does not read; a reply more.
const BUFFER_BYTES: usize = 16 * 1024;

/// The protocol's name (IANA "TLS ALPN Protocol IDs").
const PROTOCOL: &[u8] = b"dot";

/// What DNS makes of a certificate.
pub const DOT: Use = Use {
    service: "DNS over TLS",
    settings,
};

/// The same, where clients are asked for certificates (RFC 9103 section 9.3.3). One that
/// has none is served like any other.
pub const DOT_WITH_CLIENTS: Use = Use {
    service: "DNS over TLS",
    settings: settings_with_clients,
};

fn settings_with_clients(
    provider: Arc<CryptoProvider>,
    certified: CertifiedKey,
) -> Result<ServerConfig, Error> {
    let clients = Arc::new(AnyClient(Arc::clone(&provider)));
    let settings = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    common(settings)
}

fn settings(provider: Arc<CryptoProvider>, certified: CertifiedKey) -> Result<ServerConfig, Error> {
    let settings = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    common(settings)
}

fn common(mut settings: ServerConfig) -> Result<ServerConfig, Error> {
    settings.alpn_protocols = vec![PROTOCOL.to_vec()];
    // Sessions are resumed without memory of ours; the keys change every six hours
    // (RFC 9325 section 3.4), and with each certificate.
    settings.ticketer = Ticketer::new()?;
    Ok(settings)
}

/// What makes a service one over TLS.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Certificate and key.
    pub credentials: Arc<Credentials>,
    /// Longest time from the connection to the end of the handshake.
    pub handshake_timeout: Duration,
}

impl Tls {
    /// The session on a new connection, or why there is none.
    pub(super) async fn shake_hands(
        &self,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Handshake> {
        let acceptor = TlsAcceptor::from(self.credentials.current());
        let accept = acceptor.accept_with(stream, |session| {
            session.set_buffer_limit(Some(BUFFER_BYTES));
        });
        match timeout(self.handshake_timeout, accept).await {
            Err(_) => Err(Handshake::TimedOut),
            Ok(Err(error)) => Err(end_of(&error)),
            Ok(Ok(stream)) => Ok(stream),
        }
    }
}

/// What ended a handshake.
fn end_of(error: &std::io::Error) -> Handshake {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        None => Handshake::Gone,
        Some(Error::InvalidMessage(_) | Error::InappropriateMessage { .. }) => Handshake::NotTls,
        Some(Error::PeerIncompatible(_)) => Handshake::Incompatible,
        Some(Error::NoApplicationProtocol) => Handshake::NoProtocol,
        Some(Error::AlertReceived(_)) => Handshake::Alert,
        Some(_) => Handshake::Other,
    }
}

#[cfg(test)]
mod tests;
