//! What an operator sees and asks of a running server.
//!
//! The control socket takes commands, the HTTP port gives metrics and health.
//! Both read [`Vitals`], which the data plane fills without knowing of it.

pub mod client;
pub mod http;
mod metrics;
mod reload;
pub mod socket;
mod status;
mod zones;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use zone_image::{Generation, Name, Zone};

use crate::distribution::state::State as DistributionState;
use crate::dns::counters::{Snapshot, StreamCounters, WorkerCounters};
use crate::dns::generations::Generations;
use crate::dns::net::failure::Offences;
use crate::epp;
use crate::inquiry::scan::ScanState;
use crate::keys::status::KeysState;
use crate::lookup;
use crate::net::credentials::Credentials;
use crate::publish;
use crate::registry::timekeeper::TimersState;
use crate::transfer::counters::TransferCounters;
use crate::transfer::history::History;
use crate::transfer::notify::Notifier;

pub use reload::Reloads;
pub use status::{
    DistributedStatus, EppSession, EppStatus, GenerationStatus, LookupStatus, OffenceStatus,
    Status, TlsStatus, ZoneStatus,
};
pub use zones::{NoticeStatus, SentZone};

/// Zones of an image that are looked at where no registry says which they are.
const LOOKED_MAX: usize = 200_000;

/// Why a server cannot be asked or seen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// Another server has the socket.
    #[error(
        "control socket in use: {}: another server answers on it; stop it or change control.socket",
        .0.display()
    )]
    InUse(PathBuf),
    /// Something else has the socket's name.
    #[error(
        "cannot make control socket: {}: a file is in the way; move it or change control.socket",
        .0.display()
    )]
    Occupied(PathBuf),
    /// The socket cannot be made.
    #[error(
        "cannot make control socket: {}: {source}; make its folder or change control.socket",
        path.display()
    )]
    Socket {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The HTTP port cannot be bound.
    #[error("cannot serve metrics: {listen}: {source}; free the port or change metrics.listen")]
    Metrics {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No server answers.
    #[error(
        "no server answers: {}: {source}; start `meridian serve` or name its file with --config",
        path.display()
    )]
    Unreachable {
        /// The socket's path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The server went away.
    #[error("control connection lost: {}: {source}; see the server's log", path.display())]
    Lost {
        /// The socket's path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What a server is put together from, as far as it can be seen.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is described at its type")]
pub struct VitalsParts {
    pub started: Instant,
    pub generations: Arc<Generations>,
    pub workers: Vec<Arc<WorkerCounters>>,
    pub tcp: Arc<StreamCounters>,
    pub tls: Option<TlsVitals>,
    pub offences: Arc<Offences>,
    pub listen: Vec<SocketAddr>,
    pub publish: Option<Arc<publish::State>>,
    pub keys: Option<Arc<KeysState>>,
    pub timers: Option<Arc<TimersState>>,
    pub scan: Option<Arc<ScanState>>,
    pub epp: Option<EppVitals>,
    pub lookup: Option<LookupVitals>,
    pub transfer: Option<TransferVitals>,
    pub distribution: Option<DistributionVitals>,
}

/// What can be seen of zone transfer.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is described at its type")]
pub struct TransferVitals {
    pub counters: Arc<TransferCounters>,
    pub history: Arc<History>,
    pub notifier: Option<Arc<Notifier>>,
}

/// What can be seen of look-ups by the public.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is described at its type")]
pub struct LookupVitals {
    pub whois: Vec<SocketAddr>,
    pub rdap: Vec<SocketAddr>,
    pub web: Vec<SocketAddr>,
    pub counters: Arc<lookup::counters::Counters>,
}

/// Which side of distribution it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Puts out.
    Primary,
    /// Takes.
    Edge,
}

/// What can be seen of distribution.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is described at its type")]
pub struct DistributionVitals {
    pub side: Side,
    pub listen: Vec<SocketAddr>,
    pub state: Arc<DistributionState>,
}

/// What can be seen of EPP.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is described at its type")]
pub struct EppVitals {
    pub listen: Vec<SocketAddr>,
    pub counters: Arc<epp::server::counters::Counters>,
    pub sessions: Arc<epp::server::sessions::Sessions>,
}

/// What can be seen of DNS over TLS.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is described at its type")]
pub struct TlsVitals {
    pub listen: Vec<SocketAddr>,
    pub counters: Arc<StreamCounters>,
    pub credentials: Arc<Credentials>,
}

/// Everything that can be seen of a running server.
#[derive(Debug)]
pub struct Vitals {
    parts: VitalsParts,
    draining: AtomicBool,
}

impl Vitals {
    /// Of a server that just started.
    pub fn new(parts: VitalsParts) -> Self {
        Self {
            parts,
            draining: AtomicBool::new(false),
        }
    }

    /// From now on the server is stopping and not healthy.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether queries should be sent here.
    pub fn is_healthy(&self) -> bool {
        // An edge that has fetched nothing yet would refuse what is asked.
        let is_empty = self.parts.distribution.as_ref().is_some_and(|of| {
            of.side == Side::Edge && self.parts.generations.current().file().is_empty()
        });
        !is_empty && !self.draining.load(Ordering::Relaxed)
    }

    /// The generations.
    pub fn generations(&self) -> &Arc<Generations> {
        &self.parts.generations
    }

    /// The counters of UDP, all workers together.
    pub fn udp(&self) -> Snapshot {
        self.parts
            .workers
            .iter()
            .map(|worker| worker.snapshot())
            .sum()
    }

    /// The counters of TCP.
    pub fn tcp(&self) -> &StreamCounters {
        &self.parts.tcp
    }

    /// DNS over TLS, where it is served.
    pub fn tls(&self) -> Option<&TlsVitals> {
        self.parts.tls.as_ref()
    }

    /// EPP, where it is served.
    pub fn epp(&self) -> Option<&EppVitals> {
        self.parts.epp.as_ref()
    }

    /// The publisher, where a registry is published.
    pub fn publish(&self) -> Option<&Arc<publish::State>> {
        self.parts.publish.as_ref()
    }

    /// The zones of the registry that is published, as far as they are known.
    fn registry_zones(&self) -> Arc<[Name]> {
        self.publish()
            .map(|publish| publish.zones())
            .unwrap_or_default()
    }

    /// Time since the start.
    pub fn uptime(&self) -> Duration {
        self.parts.started.elapsed()
    }
}

/// Looks at the zones of an image but child zones of parked names, until `visit` says that it
/// is enough: at those that the registry has, where it is known, so that a million others cost
/// nothing; else at the own ones of so many zones at most.
fn each_own_zone(image: &Generation, registry: &[Name], visit: &mut dyn FnMut(Zone<'_>) -> bool) {
    if !registry.is_empty() {
        let mut zones = registry
            .iter()
            .filter_map(|apex| image.zone(apex.as_wire()));
        zones.find(|zone| visit(*zone));
        return;
    }
    let mut looked = 0;
    image.find_zone_where(&mut |zone| {
        looked += 1;
        looked > LOOKED_MAX || (!image.is_child(zone) && visit(zone))
    });
}
