//! The state of a server as one document, for `meridian status`.

use std::collections::BinaryHeap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{LookupVitals, Side, TlsVitals, Vitals, each_own_zone};
use crate::distribution::state::DistributionStatus;
use crate::dns::counters::Loss;
use crate::dns::engine::Transport;
use crate::epp::server::sessions::Seen;
use crate::lookup::counters::SERVICES;
use crate::publish::PublishStatus;
use crate::registry::Timestamp;

/// Most zones listed; a server may have a hundred thousand.
const ZONES_MAX: usize = 100;

/// The state of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// Addresses it answers on.
    pub listen: Vec<SocketAddr>,
    /// What it serves.
    pub generation: GenerationStatus,
    /// Swaps since the start.
    pub installs: u64,
    /// Images refused since the start.
    pub install_failures: u64,
    /// When the generation was swapped in, in seconds since 1970.
    pub installed_at: u64,
    /// Why the last image was refused.
    pub install_error: Option<String>,
    /// The publisher, where a registry is published.
    pub publish: Option<PublishStatus>,
    /// What is put out, or taken.
    #[serde(default)]
    pub distribution: Option<DistributedStatus>,
    /// Messages over UDP.
    pub udp_queries: u64,
    /// Messages over TCP.
    pub tcp_queries: u64,
    /// TCP connections open now.
    pub tcp_connections: u64,
    /// DNS over TLS, where it is served.
    pub tls: Option<TlsStatus>,
    /// EPP, where it is served.
    #[serde(default)]
    pub epp: Option<EppStatus>,
    /// WHOIS, RDAP and web pages, where they are served.
    #[serde(default)]
    pub lookup: Option<LookupStatus>,
    /// Messages that made the engine panic.
    pub panics: u64,
    /// The first of them.
    pub offences: Vec<OffenceStatus>,
}

/// Distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DistributedStatus {
    /// Which side it is.
    pub side: Side,
    /// Where a primary serves edges.
    #[serde(default)]
    pub listen: Vec<SocketAddr>,
    /// How it goes.
    #[serde(flatten)]
    pub status: DistributionStatus,
}

/// WHOIS, RDAP and web pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LookupStatus {
    /// Addresses of WHOIS.
    pub whois: Vec<SocketAddr>,
    /// Addresses of RDAP.
    pub rdap: Vec<SocketAddr>,
    /// Addresses of the web pages.
    #[serde(default)]
    pub web: Vec<SocketAddr>,
    /// Connections open now.
    pub connections: u64,
}

/// DNS over TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TlsStatus {
    /// Addresses it answers on.
    pub listen: Vec<SocketAddr>,
    /// Messages.
    pub queries: u64,
    /// Connections open now.
    pub connections: u64,
    /// When the certificate in service ends, in seconds since 1970.
    pub certificate_expires_at: u64,
    /// Why the last certificate was refused.
    pub certificate_error: Option<String>,
}

/// EPP for registrars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct EppStatus {
    /// Addresses it answers on.
    pub listen: Vec<SocketAddr>,
    /// Connections open now.
    pub connections: u64,
    /// Those of them that are logged in.
    pub sessions: u64,
}

/// A connection of EPP. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct EppSession {
    /// Its number, by which it can be ended.
    pub id: u64,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// The registrar that is logged in.
    pub registrar: Option<String>,
    /// When its handshake was done.
    pub connected_at: u64,
    /// When it logged in.
    pub logged_in_at: Option<u64>,
    /// Frames that it said.
    pub commands: u64,
    /// What the last of them was.
    pub last_command: Option<String>,
    /// When.
    pub last_at: Option<u64>,
}

impl From<Seen> for EppSession {
    fn from(seen: Seen) -> Self {
        let seconds = |at: Timestamp| u64::try_from(at.0 / 1_000_000).unwrap_or_default();
        Self {
            id: seen.id,
            peer: seen.peer,
            registrar: seen.registrar.map(|handle| handle.to_string()),
            connected_at: seconds(seen.connected_at),
            logged_in_at: seen.logged_in_at.map(seconds),
            commands: seen.commands,
            last_command: seen.last_command.map(ToOwned::to_owned),
            last_at: seen.last_at.map(seconds),
        }
    }
}

/// What is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GenerationStatus {
    /// Its number in its directory.
    pub number: u64,
    /// The registry event it stands at.
    pub event: u64,
    /// Octets of its segments.
    pub bytes: u64,
    /// Octets of memory that the kernel put on huge pages for them; 0 makes answers slower.
    pub huge_page_bytes: u64,
    /// How many zones it has.
    pub zones_count: u64,
    /// Some of them by name.
    pub zones: Vec<ZoneStatus>,
}

/// One zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ZoneStatus {
    /// Apex.
    pub apex: String,
    /// SOA serial.
    pub serial: u32,
    /// Names.
    pub names: u64,
    /// Delegations.
    pub delegations: u64,
}

/// A message that made the engine panic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OffenceStatus {
    /// When, in seconds since 1970.
    pub at: u64,
    /// From where.
    pub peer: SocketAddr,
    /// "udp", "tcp" or "tls".
    pub transport: String,
    /// The message in hexadecimal.
    pub wire: String,
}

impl Vitals {
    /// The state now.
    pub fn status(&self) -> Status {
        let generations = self.generations();
        let install = generations.status();
        let (udp, tcp) = (self.udp(), self.tcp().snapshot());
        let tls = self.tls().map(|tls| tls.counters.snapshot());
        let tls = tls.unwrap_or_default();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_seconds: self.uptime().as_secs(),
            listen: self.parts.listen.clone(),
            generation: generation_status(&generations.current(), &self.registry_zones()),
            installs: generations.installs.value(),
            install_failures: generations.failures.value(),
            installed_at: install.installed_at,
            install_error: install.error,
            publish: self.publish().map(|publish| publish.status()),
            distribution: self
                .parts
                .distribution
                .as_ref()
                .map(|of| DistributedStatus {
                    side: of.side,
                    listen: of.listen.clone(),
                    status: of.state.status(),
                }),
            udp_queries: udp.queries,
            tcp_queries: tcp.queries,
            tcp_connections: self.tcp().open(),
            tls: self.tls().map(tls_status),
            epp: self.parts.epp.as_ref().map(|epp| EppStatus {
                listen: epp.listen.clone(),
                connections: epp.counters.connections(),
                sessions: epp.counters.logged_in(),
            }),
            lookup: self.parts.lookup.as_ref().map(lookup_status),
            panics: [udp, tcp, tls]
                .iter()
                .map(|all| all.loss(Loss::Panic))
                .sum(),
            offences: self
                .parts
                .offences
                .list()
                .iter()
                .map(offence_status)
                .collect(),
        }
    }
}

fn lookup_status(lookup: &LookupVitals) -> LookupStatus {
    let open = SERVICES.iter();
    let open = open.map(|(service, _)| lookup.counters.connections(*service));
    LookupStatus {
        whois: lookup.whois.clone(),
        rdap: lookup.rdap.clone(),
        web: lookup.web.clone(),
        connections: open.sum(),
    }
}

fn tls_status(tls: &TlsVitals) -> TlsStatus {
    TlsStatus {
        listen: tls.listen.clone(),
        queries: tls.counters.snapshot().queries,
        connections: tls.counters.open(),
        certificate_expires_at: tls.credentials.expires_at(),
        certificate_error: tls.credentials.error(),
    }
}

fn generation_status(
    generation: &zone_image::Generation,
    registry: &[zone_image::Name],
) -> GenerationStatus {
    // The first of a hundred thousand are found without a list of all.
    let mut zones = BinaryHeap::with_capacity(ZONES_MAX + 1);
    each_own_zone(generation, registry, &mut |zone| {
        let info = zone.info();
        zones.push(ZoneStatus {
            apex: info.apex.to_string(),
            serial: info.serial,
            names: info.names,
            delegations: info.delegations,
        });
        if zones.len() > ZONES_MAX {
            zones.pop();
        }
        false
    });
    GenerationStatus {
        number: generation.number(),
        event: generation.event(),
        bytes: generation.bytes(),
        huge_page_bytes: generation.huge_bytes(),
        zones_count: generation.zones_count(),
        zones: zones.into_sorted_vec(),
    }
}

fn offence_status(offence: &crate::dns::net::failure::Offence) -> OffenceStatus {
    let transport = match offence.transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    };
    OffenceStatus {
        at: offence.at,
        peer: offence.peer,
        transport: transport.to_owned(),
        wire: offence
            .wire
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect(),
    }
}

#[cfg(test)]
mod tests;
