//! Certificates for tests, made by rcgen.

use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use tempfile::TempDir;

/// A folder with a certificate and its key.
pub(crate) struct Pair {
    folder: TempDir,
}

impl Pair {
    /// With a certificate for `ns.example` that ends with this year.
    pub(crate) fn until(year: i32) -> Self {
        let pair = Self {
            folder: TempDir::new().unwrap(),
        };
        pair.renew(year);
        pair
    }

    /// Writes another certificate with another key over the old ones.
    pub(crate) fn renew(&self, year: i32) {
        let (certificate, key) = make(year);
        std::fs::write(self.certificate(), certificate).unwrap();
        std::fs::write(self.key(), key).unwrap();
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }
}

/// PEM of a certificate and its key.
pub(crate) fn make(year: i32) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["ns.example".to_owned()]).unwrap();
    params.not_after = date_time_ymd(year, 12, 31);
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// What a client trusts and offers.
pub(crate) struct ClientOptions<'a> {
    /// PEM of the certificate to trust.
    pub(crate) trust: &'a str,
    pub(crate) protocols: &'a [&'a [u8]],
    pub(crate) versions: &'a [&'static SupportedProtocolVersion],
}

/// A client's settings, by the same library: other libraries are among the peers.
pub(crate) fn client_config(options: &ClientOptions<'_>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let trusted = CertificateDer::from_pem_slice(options.trust.as_bytes()).unwrap();
    roots.add(trusted).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(options.versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = options.protocols.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

/// A session that is not there yet: the first read or write shakes hands.
pub(crate) fn session(
    config: &Arc<ClientConfig>,
    stream: TcpStream,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from("ns.example").unwrap();
    let client = ClientConnection::new(Arc::clone(config), name).unwrap();
    StreamOwned::new(client, stream)
}
