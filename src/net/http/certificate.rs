//! How HTTP is served over TLS: versions 1.2 and 1.3 with the suites of RFC 9325, HTTP/2
//! before HTTP/1.1. Clients show no certificate.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, ServerConfig};

use crate::net::credentials::Use;

/// What the protocol of HTTP/2 is called in a handshake (RFC 9113 section 3.2).
pub(super) const H2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

/// What a service over HTTP makes of a certificate.
pub const fn over_tls(service: &'static str) -> Use {
    Use { service, settings }
}

fn settings(provider: Arc<CryptoProvider>, certified: CertifiedKey) -> Result<ServerConfig, Error> {
    let mut settings = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    settings.alpn_protocols = vec![H2.to_vec(), HTTP_1_1.to_vec()];
    // Sessions are resumed without memory of ours; the keys change every six hours
    // (RFC 9325 section 3.4), and with each certificate.
    settings.ticketer = Ticketer::new()?;
    Ok(settings)
}
