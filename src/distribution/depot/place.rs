//! Where depots are, and with what they are reached. Secrets are in no `Debug`, and go to
//! nobody but over TLS or within this machine.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use hyper::Uri;
use zeroize::Zeroizing;

/// Where a depot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder of this machine, or one that several mount.
    Folder(PathBuf),
    /// A bucket, and the prefix of our objects in it.
    Bucket {
        /// Its name.
        bucket: String,
        /// Without slashes at its ends.
        prefix: String,
    },
    /// The primary's own address: `https://HOST:PORT`.
    Primary(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "file://{}", path.display()),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
            Self::Primary(url) => f.write_str(url),
        }
    }
}

/// How depots are reached.
#[derive(Clone, Default)]
pub struct Access {
    /// PEM file of the authorities whose certificates are taken.
    pub authorities: Option<PathBuf>,
    /// Shown to the primary.
    pub token: Option<Zeroizing<String>>,
    /// URL of the server of S3; `None` is Amazon's.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// Access key and secret; without them requests are not signed.
    pub credentials: Option<(String, Zeroizing<String>)>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("authorities", &self.authorities)
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// Whether a URL is one of TLS or of this machine: anywhere else secrets would be read on
/// the way. A name is no address, however it begins.
pub(crate) fn is_guarded(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match uri.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => host.parse::<IpAddr>().is_ok_and(|host| host.is_loopback()),
        _ => false,
    }
}
