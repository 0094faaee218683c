//! What the tests of distribution share: a primary, edges, and stores of each kind.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;
use zone_compiler::install::{Input, install};
use zone_image::{LookupName, Memory};

use super::depot::{Access, Place};
use super::distributor::{self, Distributor};
use super::edge::{self, Edge};
use super::key::{PublicKey, SEED_BYTES, SigningKey};
use crate::dns::generations::{Generations, Source};

/// The time of tests, in microseconds since 1970.
pub(super) const NOW: i64 = 1_800_000_000_000_000;

/// A store with what is needed to reach it.
pub(super) struct Store {
    pub(super) place: Place,
    pub(super) access: Access,
    /// Where its objects are on disk.
    pub(super) objects: PathBuf,
    pub(super) _folder: TempDir,
    pub(super) _server: Option<Runtime>,
}

impl Store {
    pub(super) fn folder() -> Self {
        let folder = TempDir::new().unwrap();
        let objects = folder.path().join("store");
        Self {
            place: Place::Folder(objects.clone()),
            access: Access::default(),
            objects,
            _folder: folder,
            _server: None,
        }
    }

    /// A server of S3 that others wrote, over a folder.
    pub(super) fn bucket() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("zones")).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let address = runtime.block_on(serve_s3(folder.path()));
        let access = Access {
            endpoint: Some(format!("http://{address}")),
            region: "us-east-1".to_owned(),
            credentials: Some(("id".to_owned(), Zeroizing::new("secret".to_owned()))),
            ..Access::default()
        };
        Self {
            place: Place::Bucket {
                bucket: "zones".to_owned(),
                prefix: "meridian/tld".to_owned(),
            },
            access,
            objects: folder.path().join("zones/meridian/tld"),
            _folder: folder,
            _server: Some(runtime),
        }
    }

    /// One of each kind.
    pub(super) fn each() -> [Self; 2] {
        [Self::folder(), Self::bucket()]
    }
}

async fn serve_s3(root: &Path) -> SocketAddr {
    let mut builder = S3ServiceBuilder::new(FileSystem::new(root).unwrap());
    builder.set_auth(SimpleAuth::from_single("id", "secret"));
    let service = builder.build();
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                connection.await.is_ok()
            });
        }
    });
    address
}

pub(super) fn key(octet: u8) -> SigningKey {
    SigningKey::from_seed(&[octet; SEED_BYTES]).unwrap()
}

/// A zone whose every answer says its serial, with so many delegations.
fn zone_text(serial: u32, delegations: u32) -> String {
    let mut text = format!(
        "$ORIGIN example.\n$TTL 60\n@ SOA ns x {serial} 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"
    );
    for number in 0..delegations {
        text.push_str(&format!("d{number} NS ns{number}.other.\n"));
    }
    text
}

fn source(directory: &Path) -> Source {
    Source {
        directory: directory.to_owned(),
        memory: Memory::Mapped,
        check: Box::new(|_| Ok(())),
        clock: || 1000,
    }
}

/// The serial of `example.` that is served; 0 where there is no such zone.
fn serial(generations: &Generations) -> u32 {
    let name = LookupName::parse(b"\x07example\x00").unwrap();
    let generation = generations.current();
    let zone = generation.find_zone(&name, name.labels());
    zone.map_or(0, |zone| zone.serial())
}

/// A primary over a folder of its own.
pub(super) struct Primary {
    folder: TempDir,
    pub(super) generations: Arc<Generations>,
    pub(super) distributor: Option<Distributor>,
}

impl Primary {
    /// One that has compiled its zone and puts nothing out yet.
    pub(super) fn new(delegations: u32) -> Self {
        let folder = TempDir::new().unwrap();
        compile(folder.path(), 1, delegations);
        let generations = Generations::open(source(&folder.path().join("image"))).unwrap();
        Self {
            folder,
            generations: Arc::new(generations),
            distributor: None,
        }
    }

    pub(super) fn settings(store: &Store) -> distributor::Settings {
        distributor::Settings {
            place: store.place.clone(),
            access: store.access.clone(),
            key: key(1),
            trusted: Vec::new(),
            interval: Duration::ZERO,
            expiry: Duration::from_secs(3600),
            refresh: Duration::from_secs(600),
            keep: Duration::from_secs(600),
            position: Box::new(|| Some((1, 0))),
            clock: || NOW,
            replace: None,
        }
    }

    pub(super) fn start(&mut self, settings: distributor::Settings) {
        self.distributor = None;
        let generations = Arc::clone(&self.generations);
        self.distributor = Some(Distributor::spawn(settings, generations).unwrap());
    }

    /// Serves another serial.
    pub(super) fn publish(&self, serial: u32, delegations: u32) {
        compile(self.folder.path(), serial, delegations);
        assert!(self.generations.reload().unwrap().changed);
    }

    /// Whether what is served was put out.
    pub(super) fn is_done(&self) -> bool {
        let state = self.distributor.as_ref().unwrap().state();
        let status = state.status();
        status.done.is_some() && status.done == status.newest
    }
}

fn compile(folder: &Path, serial: u32, delegations: u32) {
    let path = folder.join("example.zone");
    std::fs::write(&path, zone_text(serial, delegations)).unwrap();
    let input = Input::ZoneFiles {
        paths: vec![path],
        origin: None,
        replace: false,
    };
    install(&input, &folder.join("image"), &|_, _| {}).unwrap();
}

/// An edge over a folder of its own.
pub(super) struct Node {
    pub(super) folder: TempDir,
    pub(super) generations: Arc<Generations>,
    pub(super) edge: Option<Edge>,
}

impl Node {
    /// One that has nothing.
    pub(super) fn cold() -> Self {
        let folder = TempDir::new().unwrap();
        let generations = Arc::new(Generations::empty(source(folder.path())));
        Self {
            folder,
            generations,
            edge: None,
        }
    }

    pub(super) fn settings(&self, stores: &[&Store]) -> edge::Settings {
        edge::Settings {
            sources: stores.iter().map(|store| store.place.clone()).collect(),
            access: stores[0].access.clone(),
            trusted: vec![key(1).public()],
            directory: self.folder.path().to_owned(),
            poll: Duration::from_millis(5),
            wait: Duration::ZERO,
            node: "node".to_owned(),
            report_interval: Duration::ZERO,
            clock: || NOW,
        }
    }

    pub(super) fn start(&mut self, settings: edge::Settings) {
        self.edge = None;
        let generations = Arc::clone(&self.generations);
        self.edge = Some(Edge::spawn(settings, generations).unwrap());
    }

    /// Stops it and begins again from what is on disk, as a new process does.
    pub(super) fn restart(&mut self, settings: edge::Settings) {
        self.edge = None;
        let source = || source(self.folder.path());
        let opened = Generations::open(source()).unwrap_or_else(|_| Generations::empty(source()));
        self.generations = Arc::new(opened);
        self.start(settings);
    }

    pub(super) fn serial(&self) -> u32 {
        serial(&self.generations)
    }

    /// What is in its way, as a word.
    pub(super) fn trouble(&self) -> Option<super::state::Trouble> {
        let state = self.edge.as_ref().unwrap().state();
        state.failure().map(|failure| failure.trouble)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.edge.as_ref().unwrap().state().bytes()
    }

    /// Its files with this end.
    pub(super) fn files(&self, end: &str) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        let files = files.map(|file| file.unwrap().path());
        files
            .filter(|path| path.to_string_lossy().ends_with(end))
            .collect()
    }
}

pub(super) fn trusted() -> Vec<PublicKey> {
    vec![key(1).public()]
}
