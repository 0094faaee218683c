//! Certificate and key: read, held together, and replaced without a pause.
//!
//! A pair is taken as a whole or not at all: what cannot be read or does not fit
//! leaves the pair before it in service. Sessions keep what they started with, so
//! a replacement closes none. Nothing here shows a key, or the text of its file. What a
//! protocol asks of its sessions comes with its `Use`.

mod certificate;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, ServerConfig};
use tokio::sync::watch;

pub(crate) use certificate::expires_at;

/// How often the files are looked at.
pub const WATCH_INTERVAL: Duration = Duration::from_secs(1);
/// Longest file that is read; chains have some thousand octets.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What a protocol makes of a pair.
#[derive(Debug, Clone, Copy)]
pub struct Use {
    /// The protocol, for people.
    pub service: &'static str,
    /// The settings of its sessions.
    pub settings: fn(Arc<CryptoProvider>, CertifiedKey) -> Result<ServerConfig, Error>,
}

/// Which of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The chain, our own certificate first.
    Certificate,
    /// The private key.
    Key,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
        })
    }
}

/// What is wrong with a pair.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A file cannot be read.
    #[error("cannot read {part}: {}: {source}", path.display())]
    Read {
        /// Which.
        part: Part,
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file has not what it should.
    #[error("no {part} in it: {}; it needs PEM text", path.display())]
    Missing {
        /// What is not there.
        part: Part,
        /// The file.
        path: PathBuf,
    },
    /// What is there is broken or of a kind that nobody uses.
    #[error("unusable {part}: {}; ECDSA on P-256 or P-384, Ed25519 or RSA is needed", path.display())]
    Unusable {
        /// Which.
        part: Part,
        /// The file.
        path: PathBuf,
    },
    /// The key is another one's.
    #[error(
        "key does not belong to certificate: {} and {}; the server's own certificate comes first",
        key.display(), certificate.display()
    )]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The library does not make a session's settings of it.
    #[error("TLS cannot be set up: {0}")]
    Setup(Error),
}

impl Fault {
    /// The file to look at.
    pub fn part(&self) -> Part {
        match self {
            Self::Read { part, .. } | Self::Missing { part, .. } | Self::Unusable { part, .. } => {
                *part
            }
            Self::Mismatch { .. } => Part::Key,
            Self::Setup(_) => Part::Certificate,
        }
    }
}

/// Everything that is wrong with a pair.
#[derive(Debug)]
pub struct CredentialsError(pub Vec<Fault>);

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.0.iter().enumerate() {
            write!(f, "{}{fault}", if at > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for CredentialsError {}

/// The pair in service and where it comes from.
pub struct Credentials {
    purpose: Use,
    certificate_file: PathBuf,
    key_file: PathBuf,
    current: ArcSwap<Pair>,
    /// The files as they were when they were last read, whatever came of it.
    read: Mutex<Stamps>,
    error: Mutex<Option<String>>,
    reloads: AtomicU64,
    failures: AtomicU64,
}

/// One pair.
struct Pair {
    settings: Arc<ServerConfig>,
    chain: Vec<CertificateDer<'static>>,
    expires_at: u64,
}

impl Credentials {
    /// Reads both files; gives everything that is wrong with them.
    pub fn load(
        purpose: Use,
        certificate_file: &Path,
        key_file: &Path,
    ) -> Result<Self, CredentialsError> {
        let read = Mutex::new(stamps(certificate_file, key_file));
        let pair = load(purpose, certificate_file, key_file)?;
        Ok(Self {
            purpose,
            certificate_file: certificate_file.to_owned(),
            key_file: key_file.to_owned(),
            current: ArcSwap::from_pointee(pair),
            read,
            error: Mutex::default(),
            reloads: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        })
    }

    /// The settings of the next session.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.load().settings)
    }

    /// When the first certificate of the chain in service ends, in seconds since 1970.
    pub fn expires_at(&self) -> u64 {
        self.current.load().expires_at
    }

    /// Pairs that took the place of another.
    pub fn reloads(&self) -> u64 {
        self.reloads.load(Ordering::Relaxed)
    }

    /// Pairs that were refused.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Why the last pair was refused; `None` when it was not.
    pub fn error(&self) -> Option<String> {
        lock(&self.error).clone()
    }

    /// Reads the files again; says whether another certificate is in service now.
    /// Blocks for as long as that takes.
    pub fn reload(&self) -> Result<bool, CredentialsError> {
        let mut read = lock(&self.read);
        *read = stamps(&self.certificate_file, &self.key_file);
        let outcome = load(self.purpose, &self.certificate_file, &self.key_file);
        *lock(&self.error) = outcome.as_ref().err().map(ToString::to_string);
        let service = self.purpose.service;
        let pair = outcome.inspect_err(|error| {
            self.failures.fetch_add(1, Ordering::Relaxed);
            tracing::error!(service, %error, "certificate refused, the old one stays in service");
        })?;
        // The same certificate has the same key, or it would not have been taken.
        let changed = pair.chain != self.current.load().chain;
        if changed {
            let expires_at = pair.expires_at;
            self.current.store(Arc::new(pair));
            self.reloads.fetch_add(1, Ordering::Relaxed);
            tracing::info!(service, expires_at, "certificate replaced");
        }
        Ok(changed)
    }

    /// Reloads whenever the files have changed, until `stop`.
    pub async fn watch(self: Arc<Self>, interval: Duration, mut stop: watch::Receiver<bool>) {
        let mut last = self.stamps();
        loop {
            tokio::select! {
                biased;
                // A sender that is gone means the same.
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(interval) => {}
            }
            let this = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || this.look(last));
            let Ok(seen) = looked.await else { return };
            last = seen;
        }
    }

    /// One look at the files, given how they were at the one before. They are read
    /// when they are new and have stayed for an interval: two files are not
    /// written at once, and half a change must not be refused with a fuss.
    fn look(&self, last: Stamps) -> Stamps {
        let now = self.stamps();
        let is_new = now != *lock(&self.read);
        if is_new && now == last {
            // The outcome is logged, counted and kept for status.
            let _ = self.reload();
        }
        now
    }

    fn stamps(&self) -> Stamps {
        stamps(&self.certificate_file, &self.key_file)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("service", &self.purpose.service)
            .field("certificate_file", &self.certificate_file)
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these mutexes hold is whole at every moment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Both files are looked at before anything is said.
fn load(purpose: Use, certificate_file: &Path, key_file: &Path) -> Result<Pair, CredentialsError> {
    let chain = read(Part::Certificate, certificate_file).and_then(|pem| {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        match chain {
            Ok(chain) if !chain.is_empty() => Ok(chain),
            _ => Err(missing(Part::Certificate, certificate_file)),
        }
    });
    let provider = Arc::new(aws_lc_rs::default_provider());
    let key = read(Part::Key, key_file).and_then(|pem| {
        // What the parser says of a key is not repeated: it may quote the file.
        let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| missing(Part::Key, key_file))?;
        provider
            .key_provider
            .load_private_key(key)
            .map_err(|_| unusable(Part::Key, key_file))
    });
    let (chain, key) = match (chain, key) {
        (Ok(chain), Ok(key)) => (chain, key),
        (chain, key) => {
            let faults = [chain.err(), key.err()];
            return Err(CredentialsError(faults.into_iter().flatten().collect()));
        }
    };
    let one = |fault| CredentialsError(vec![fault]);
    let ends: Option<Vec<_>> = chain
        .iter()
        .map(|der| certificate::expires_at(der))
        .collect();
    let expires_at = ends.and_then(|ends| ends.into_iter().min());
    let expires_at =
        expires_at.ok_or_else(|| one(unusable(Part::Certificate, certificate_file)))?;
    let certified = CertifiedKey::new(chain.clone(), key);
    match certified.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
        Err(Error::InconsistentKeys(_)) => {
            return Err(one(Fault::Mismatch {
                certificate: certificate_file.to_owned(),
                key: key_file.to_owned(),
            }));
        }
        Err(_) => return Err(one(unusable(Part::Certificate, certificate_file))),
    }
    let made = (purpose.settings)(provider, certified);
    let settings = made.map_err(|error| one(Fault::Setup(error)))?;
    Ok(Pair {
        settings: Arc::new(settings),
        chain,
        expires_at,
    })
}

fn read(part: Part, path: &Path) -> Result<Vec<u8>, Fault> {
    let mut octets = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut octets));
    match read {
        Ok(_) => Ok(octets),
        Err(source) => Err(Fault::Read {
            part,
            path: path.to_owned(),
            source,
        }),
    }
}

fn missing(part: Part, path: &Path) -> Fault {
    let path = path.to_owned();
    Fault::Missing { part, path }
}

fn unusable(part: Part, path: &Path) -> Fault {
    let path = path.to_owned();
    Fault::Unusable { part, path }
}

/// Inode, time and length of certificate and key, where they are there.
type Stamps = [Option<(u64, SystemTime, u64)>; 2];

fn stamps(certificate_file: &Path, key_file: &Path) -> Stamps {
    [certificate_file, key_file].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.ino(), metadata.modified().ok()?, metadata.len()))
    })
}

#[cfg(test)]
mod tests;
