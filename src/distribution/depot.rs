//! Where manifest and packs are: a folder, a bucket of S3, or the primary itself.
//!
//! All three are asked the same questions and have the same names in them: `manifest`,
//! `packs/DIGEST`, `nodes/NAME`. What comes out of a depot is believed by nobody: the
//! manifest is signed, and all else is named by digest. Every read has a bound of octets
//! and of time.

mod place;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt as _};
use hyper::body::Bytes;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    BackoffConfig, GetOptions, ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig,
};
use tokio::time::timeout;

pub(crate) use self::place::is_guarded;
pub use self::place::{Access, Place};
use super::client::{Client, ClientError};
use super::manifest::MANIFEST_BYTES_MAX;
use super::primary::Primary;

/// Longest wait for a whole manifest or report, beyond what is asked to wait.
const SMALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for the next octets of a pack.
pub(super) const PIECE_TIMEOUT: Duration = Duration::from_secs(20);
/// Octets of a node's report.
pub(super) const REPORT_BYTES_MAX: usize = 16 << 10;
/// Reports that are listed.
const REPORTS_MAX: usize = 1000;
/// Packs that are listed when a primary starts; beyond that they stay.
const PACKS_MAX: usize = 100_000;

/// Why a depot did not do as it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DepotError {
    /// Of the store's own.
    #[error("{place}: {source}")]
    Store {
        /// Which depot.
        place: Place,
        /// What it said.
        source: object_store::Error,
    },
    /// Of the primary.
    #[error("{place}: {reason}")]
    Primary {
        /// Which.
        place: Place,
        /// Why.
        reason: String,
    },
    /// It said nothing in time.
    #[error("{place}: no answer in time")]
    Silent {
        /// Which.
        place: Place,
    },
    /// It says more than it may.
    #[error("{place}: what it sends for {what} is too large")]
    TooLarge {
        /// Which.
        place: Place,
        /// Of what.
        what: String,
    },
    /// It has not got it.
    #[error("{place}: has no {what}")]
    Missing {
        /// Which.
        place: Place,
        /// Of what.
        what: String,
    },
    /// It cannot be reached at all.
    #[error("{place}: {source}")]
    Client {
        /// Which.
        place: Place,
        /// Why.
        source: ClientError,
    },
}

/// A manifest with what tells it from the next.
#[derive(Debug, Clone)]
pub(super) struct Fetched {
    pub(super) octets: Bytes,
    pub(super) tag: Option<String>,
}

/// Packs of a store, by name, with their octets.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) packs: BTreeMap<[u8; 32], u64>,
    /// Whether these are all.
    pub(super) is_whole: bool,
}

/// Octets as they come.
pub(super) type Pieces = BoxStream<'static, Result<Bytes, String>>;

#[derive(Debug)]
enum Kind {
    Objects {
        objects: Arc<dyn ObjectStore>,
        prefix: Path,
    },
    Primary(Primary),
}

/// A depot that can be asked.
#[derive(Debug)]
pub struct Depot {
    place: Place,
    kind: Kind,
}

impl Depot {
    /// Sets up everything that needs no answer of it.
    pub fn open(place: &Place, access: &Access) -> Result<Self, DepotError> {
        let store = |source| DepotError::Store {
            place: place.clone(),
            source,
        };
        let client = || {
            let client = Client::new(access.authorities.as_deref());
            client.map_err(|source| DepotError::Client {
                place: place.clone(),
                source,
            })
        };
        let kind = match place {
            Place::Folder(path) => {
                let made = std::fs::create_dir_all(path);
                made.map_err(|source| {
                    store(object_store::Error::Generic {
                        store: "folder",
                        source: Box::new(source),
                    })
                })?;
                let folder = LocalFileSystem::new_with_prefix(path).map_err(store)?;
                Kind::Objects {
                    objects: Arc::new(folder.with_fsync(true)),
                    prefix: Path::default(),
                }
            }
            Place::Bucket { bucket, prefix } => {
                let objects = bucket_of(bucket, access, client()?).map_err(store)?;
                let prefix = Path::from(prefix.as_str());
                Kind::Objects { objects, prefix }
            }
            Place::Primary(url) => {
                Kind::Primary(Primary::new(url, access.token.clone(), client()?))
            }
        };
        let place = place.clone();
        Ok(Self { place, kind })
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    fn fault(&self, source: object_store::Error, what: &str) -> DepotError {
        let place = self.place.clone();
        match source {
            object_store::Error::NotFound { .. } => DepotError::Missing {
                place,
                what: what.to_owned(),
            },
            source => DepotError::Store { place, source },
        }
    }

    fn said(&self, reason: String) -> DepotError {
        DepotError::Primary {
            place: self.place.clone(),
            reason,
        }
    }

    async fn in_time<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, DepotError>>,
    ) -> Result<T, DepotError> {
        let silent = || DepotError::Silent {
            place: self.place.clone(),
        };
        timeout(limit, work).await.map_err(|_| silent())?
    }

    /// The manifest, if it is another one than `known`; the primary may take `wait` to say
    /// that it is not.
    pub(super) async fn manifest(
        &self,
        known: Option<&str>,
        wait: Duration,
    ) -> Result<Option<Fetched>, DepotError> {
        self.in_time(SMALL_TIMEOUT + wait, async {
            match &self.kind {
                Kind::Objects { objects, prefix } => {
                    let options = GetOptions::new().with_if_none_match(known);
                    let got = objects
                        .get_opts(&prefix.clone().join("manifest"), options)
                        .await;
                    let got = match got {
                        Ok(got) => got,
                        Err(object_store::Error::NotModified { .. }) => return Ok(None),
                        Err(error) => return Err(self.fault(error, "manifest")),
                    };
                    let tag = got.meta.e_tag.clone();
                    let octets = self
                        .gather(pieces(got), "manifest", MANIFEST_BYTES_MAX)
                        .await?;
                    Ok(Some(Fetched { octets, tag }))
                }
                Kind::Primary(primary) => {
                    let got = primary.manifest(known, wait).await;
                    let Some((stream, tag)) =
                        got.map_err(|error| self.primary_fault(error, "manifest"))?
                    else {
                        return Ok(None);
                    };
                    let octets = self.gather(stream, "manifest", MANIFEST_BYTES_MAX).await?;
                    Ok(Some(Fetched { octets, tag }))
                }
            }
        })
        .await
    }

    fn primary_fault(&self, error: super::primary::Fault, what: &str) -> DepotError {
        match error {
            super::primary::Fault::Missing => DepotError::Missing {
                place: self.place.clone(),
                what: what.to_owned(),
            },
            super::primary::Fault::Other(reason) => self.said(reason),
        }
    }

    async fn gather(
        &self,
        mut stream: Pieces,
        what: &str,
        bytes_max: usize,
    ) -> Result<Bytes, DepotError> {
        let mut all = Vec::new();
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|reason| self.said(reason))?;
            if all.len() + piece.len() > bytes_max {
                return Err(DepotError::TooLarge {
                    place: self.place.clone(),
                    what: what.to_owned(),
                });
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.into())
    }

    /// Octets of a pack.
    pub(super) async fn pack(
        &self,
        name: &[u8; 32],
        range: Range<u64>,
    ) -> Result<Pieces, DepotError> {
        let name = hex(name);
        self.in_time(SMALL_TIMEOUT, async {
            match &self.kind {
                Kind::Objects { objects, prefix } => {
                    let path = prefix.clone().join("packs").join(name.as_str());
                    let options = GetOptions::new().with_range(Some(range));
                    let got = objects.get_opts(&path, options).await;
                    Ok(pieces(got.map_err(|error| self.fault(error, &name))?))
                }
                Kind::Primary(primary) => {
                    let got = primary.pack(&name, range).await;
                    got.map_err(|error| self.primary_fault(error, &name))
                }
            }
        })
        .await
    }

    /// Leaves a report of a node.
    pub(super) async fn report(&self, node: &str, report: Vec<u8>) -> Result<(), DepotError> {
        self.in_time(SMALL_TIMEOUT, async {
            match &self.kind {
                Kind::Objects { objects, prefix } => {
                    let path = prefix.clone().join("nodes").join(node);
                    let put = objects.put(&path, PutPayload::from(report)).await;
                    put.map(drop).map_err(|error| self.fault(error, node))
                }
                Kind::Primary(primary) => {
                    let put = primary.report(node, report).await;
                    put.map_err(|error| self.primary_fault(error, node))
                }
            }
        })
        .await
    }

    /// The reports of all nodes.
    pub(super) async fn reports(&self) -> Result<Vec<Bytes>, DepotError> {
        self.in_time(SMALL_TIMEOUT, async {
            let (objects, prefix) = match &self.kind {
                Kind::Objects { objects, prefix } => (objects, prefix),
                Kind::Primary(primary) => {
                    let got = primary.reports().await;
                    let stream = got.map_err(|error| self.primary_fault(error, "nodes"))?;
                    let bytes_max = REPORTS_MAX * REPORT_BYTES_MAX;
                    let lines = self.gather(stream, "nodes", bytes_max).await?;
                    let lines = lines.split(|octet| *octet == b'\n');
                    let lines = lines.filter(|line| !line.is_empty());
                    return Ok(lines.map(Bytes::copy_from_slice).collect());
                }
            };
            let folder = prefix.clone().join("nodes");
            let mut listed = objects.list(Some(&folder)).take(REPORTS_MAX);
            let mut reports = Vec::new();
            while let Some(one) = listed.next().await {
                let path = one.map_err(|error| self.fault(error, "nodes"))?.location;
                // One that goes away meanwhile is one less.
                if let Ok(got) = objects.get(&path).await {
                    reports.push(self.gather(pieces(got), "nodes", REPORT_BYTES_MAX).await?);
                }
            }
            Ok(reports)
        })
        .await
    }

    /// For who writes: its objects and their prefix.
    pub(super) fn objects(&self) -> Option<(&Arc<dyn ObjectStore>, &Path)> {
        match &self.kind {
            Kind::Objects { objects, prefix } => Some((objects, prefix)),
            Kind::Primary(_) => None,
        }
    }

    /// Removes what writes left that were cut off: a folder's own temporary files.
    pub(super) fn sweep(&self) {
        let Place::Folder(folder) = &self.place else {
            return;
        };
        for folder in [folder.clone(), folder.join("packs")] {
            let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
            for file in files {
                // No name of ours has this sign; `object_store` puts it into those of files
                // that are not whole yet.
                if file.file_name().to_string_lossy().contains('#') {
                    let _ = std::fs::remove_file(file.path());
                }
            }
        }
    }

    /// The packs that are there.
    pub(super) async fn packs(&self) -> Result<Listed, DepotError> {
        let mut found = Listed {
            packs: BTreeMap::new(),
            is_whole: true,
        };
        let Some((objects, prefix)) = self.objects() else {
            return Ok(found);
        };
        let folder = prefix.clone().join("packs");
        let mut listed = objects.list(Some(&folder));
        // The store sends a page at a time, and each has its time.
        while let Some(one) = self
            .in_time(SMALL_TIMEOUT, async { Ok(listed.next().await) })
            .await?
        {
            if found.packs.len() == PACKS_MAX {
                found.is_whole = false;
                break;
            }
            let one = one.map_err(|error| self.fault(error, "packs"))?;
            let name = one.location.filename().and_then(unhex);
            found.packs.extend(name.map(|name| (name, one.size)));
        }
        Ok(found)
    }
}

fn bucket_of(
    bucket: &str,
    access: &Access,
    client: Client,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let retry = RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: 2,
        retry_timeout: SMALL_TIMEOUT,
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&access.region)
        .with_retry(retry)
        .with_http_connector(client);
    if let Some(endpoint) = &access.endpoint {
        let is_plain = !endpoint.starts_with("https://") && is_guarded(endpoint);
        builder = builder.with_endpoint(endpoint).with_allow_http(is_plain);
    }
    builder = match &access.credentials {
        Some((id, secret)) => builder
            .with_access_key_id(id)
            .with_secret_access_key(secret.as_str()),
        None => builder.with_skip_signature(true),
    };
    Ok(Arc::new(builder.build()?))
}

fn pieces(got: object_store::GetResult) -> Pieces {
    let stream = got.into_stream();
    stream
        .map(|piece| piece.map_err(|error| error.to_string()))
        .boxed()
}

/// The name of a pack's object.
pub(super) fn hex(name: &[u8; 32]) -> String {
    name.iter().map(|octet| format!("{octet:02x}")).collect()
}

pub(super) fn unhex(name: &str) -> Option<[u8; 32]> {
    let octets = zone_compiler::rdata::from_hex(name)?;
    octets.try_into().ok()
}
