//! Certificates for tests, made by rcgen.

use std::path::PathBuf;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
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
