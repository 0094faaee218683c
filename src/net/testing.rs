//! Certificates for tests, made by rcgen.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
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

    /// Puts another certificate with another key in the place of the old ones.
    pub(crate) fn renew(&self, year: i32) {
        let (certificate, key) = make(year);
        replace(&self.certificate(), &certificate);
        replace(&self.key(), &key);
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }
}

/// Puts a new file in the place of an old one, which differs from it even within one
/// tick of the file system's clock.
pub(crate) fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, path).unwrap();
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
