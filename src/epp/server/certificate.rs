//! How EPP is served over TLS, and how clients show their certificates.
//!
//! TLS 1.2 and 1.3 with the suites that rustls has, all of RFC 9325. A client certificate is
//! asked for and not required, so that whoever has none still gets a greeting; that the
//! client has its key is checked here, whose it is at the login, by its pin. No session is
//! resumed: they live for hours, and a certificate that was taken away stays away.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, ServerConfig};

use crate::net::any_client::AnyClient;
use crate::net::credentials::Use;

/// What EPP makes of a certificate.
pub const EPP: Use = Use {
    service: "EPP",
    settings,
};

fn settings(provider: Arc<CryptoProvider>, certified: CertifiedKey) -> Result<ServerConfig, Error> {
    let clients = Arc::new(AnyClient(Arc::clone(&provider)));
    let mut settings = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    settings.session_storage = Arc::new(NoServerSessionStorage {});
    settings.send_tls13_tickets = 0;
    Ok(settings)
}
