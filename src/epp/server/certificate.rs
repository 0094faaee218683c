//! The server's certificate and key, and how clients show theirs.
//!
//! TLS 1.2 and 1.3 with the suites that rustls has, all of RFC 9325. A client certificate is
//! asked for and not required, so that whoever has none still gets a greeting; that the
//! client has its key is checked here, whose it is at the login, by its pin. No session is
//! resumed: they live for hours, and a certificate that was taken away stays away. A pair
//! of files is taken as a whole or not at all; open sessions keep what they began with.

use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use tokio::sync::watch;

use super::stopped;

/// How often the files are looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Why a pair of files is not used; the file that is meant is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The chain of certificates.
    #[error("no certificate can be read: {}: {what}; it needs PEM text", path.display())]
    Chain {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The private key. What its parser says is not repeated: it may quote the file.
    #[error("no private key can be read: {}; it needs PEM text", .0.display())]
    Key(PathBuf),
    /// The two of them.
    #[error("certificate and key cannot be used together: {}: {source}", path.display())]
    Pair {
        /// The certificate's file.
        path: PathBuf,
        /// What the library said.
        source: Error,
    },
}

/// Inode, time and length of both files, where they are there.
type Stamps = [Option<(u64, SystemTime, u64)>; 2];

/// The pair in service and where it comes from.
pub struct Certificate {
    chain_file: PathBuf,
    key_file: PathBuf,
    current: ArcSwap<ServerConfig>,
    /// The files as they were when they were last read, whatever came of it.
    read: Mutex<Stamps>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("chain_file", &self.chain_file)
            .finish_non_exhaustive()
    }
}

impl Certificate {
    /// Reads both files.
    pub fn load(chain_file: &Path, key_file: &Path) -> Result<Self, CertificateError> {
        let stamps = stamps(chain_file, key_file);
        Ok(Self {
            current: ArcSwap::from_pointee(load(chain_file, key_file)?),
            chain_file: chain_file.to_owned(),
            key_file: key_file.to_owned(),
            read: Mutex::new(stamps),
        })
    }

    /// What a new connection is served with.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }

    /// Reads the files again; what is refused leaves the pair before in service.
    pub fn reload(&self) -> Result<(), CertificateError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        *read = stamps(&self.chain_file, &self.key_file);
        self.current
            .store(Arc::new(load(&self.chain_file, &self.key_file)?));
        Ok(())
    }

    fn is_stale(&self) -> bool {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        *read != stamps(&self.chain_file, &self.key_file)
    }

    /// Reads the files when they change, until the stop.
    pub(super) async fn watch(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                () = tokio::time::sleep(WATCH_INTERVAL) => {}
            }
            if !self.is_stale() {
                continue;
            }
            let this = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || this.reload()).await {
                Ok(Ok(())) => tracing::info!("certificate of EPP replaced"),
                Ok(Err(error)) => tracing::error!(%error, "certificate of EPP refused"),
                Err(_) => return,
            }
        }
    }
}

fn stamps(chain_file: &Path, key_file: &Path) -> Stamps {
    [chain_file, key_file].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.ino(), metadata.modified().ok()?, metadata.len()))
    })
}

fn load(chain_file: &Path, key_file: &Path) -> Result<ServerConfig, CertificateError> {
    let of_chain = |what: String| CertificateError::Chain {
        path: chain_file.to_owned(),
        what,
    };
    let chain = CertificateDer::pem_file_iter(chain_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| of_chain(error.to_string()))?;
    if chain.is_empty() {
        return Err(of_chain("there is none in it".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(key_file)
        .map_err(|_| CertificateError::Key(key_file.to_owned()))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let clients = Arc::new(AnyClient(Arc::clone(&provider)));
    let made = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_client_cert_verifier(clients))
        .and_then(|builder| builder.with_single_cert(chain, key));
    let mut config = made.map_err(|source| CertificateError::Pair {
        path: chain_file.to_owned(),
        source,
    })?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Takes any certificate whose key the client has: pins say at the login whose it is.
#[derive(Debug)]
struct AnyClient(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
