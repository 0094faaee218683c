//! The configuration: one TOML file, read once, checked as a whole.
//!
//! [`Spec`] mirrors the file and has every default; [`Config`] is what the
//! program uses and exists only without faults. All faults are reported at
//! once, each with its line.

mod check;
mod distribution;
mod epp;
mod files;
mod lookup;
mod read;
mod routes;
pub mod spec;
mod transfer;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use zone_image::Name;

use crate::dns::rate::RateLimits;
use crate::keys::token::TokenSettings;

pub use distribution::{Distribution, Edge, Stores};
pub use epp::Epp;
pub use lookup::{Lookup, Rdap, Web, Whois};
pub use routes::Routes;
pub use spec::{LogFormat, LogLevel, MemoryKind, Role, Spec};
pub use transfer::{Notify, Transfer};

/// Where the file is unless `--config` says otherwise.
pub const PATH_DEFAULT: &str = "/etc/meridian/meridian.toml";

/// A configuration without faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What this server is among others.
    pub role: Role,
    /// `[dns]`
    pub dns: Dns,
    /// `[image]`
    pub image: Image,
    /// `[registry]`
    pub registry: Registry,
    /// `[publish]`
    pub publish: Publish,
    /// `[keys]`
    pub keys: Keys,
    /// `[transfer]`
    pub transfer: Transfer,
    /// `[epp]`; `None` where it listens nowhere.
    pub epp: Option<Epp>,
    /// `[lookup]`
    pub lookup: Lookup,
    /// `[whois]`
    pub whois: Whois,
    /// `[rdap]`
    pub rdap: Rdap,
    /// `[web]`
    pub web: Web,
    /// `[distribution]`; `None` where nothing is put out.
    pub distribution: Option<Distribution>,
    /// `[edge]`; `None` where this server is none.
    pub edge: Option<Edge>,
    /// How stores are reached, from `[edge]` and `[s3]`.
    pub stores: Stores,
    /// `[routes]`; `None` where none are announced.
    pub routes: Option<Routes>,
    /// How long it is answered after a signal to stop, while routes go.
    pub drain: Duration,
    /// `[control]`
    pub control: Control,
    /// `[metrics]`
    pub metrics: Metrics,
    /// `[log]`
    pub log: Log,
}

/// The data plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dns {
    /// Addresses to answer on, UDP and TCP.
    pub listen: Vec<SocketAddr>,
    /// UDP workers; `None` is one for each CPU.
    pub workers: Option<usize>,
    /// Whether each worker stays on a CPU of its own.
    pub pin_workers: bool,
    /// Whether a query goes to the worker of the CPU that took it from the network.
    pub steer_by_cpu: bool,
    /// Largest reply over UDP.
    pub udp_payload_bytes_max: u16,
    /// What `version.bind` says; empty is nothing.
    pub version: String,
    /// What `id.server` says; empty is nothing.
    pub identity: String,
    /// What NSID says; empty is nothing.
    pub nsid: String,
    /// Where resolvers report errors.
    pub report_channel: Option<Name>,
    /// Holds the secrets of server cookies; `None` makes one at each start.
    pub cookie_secrets_file: Option<PathBuf>,
    /// `[dns.rate-limit]`; `None` is no limit.
    pub rate_limits: Option<RateLimits>,
    /// Receive buffer of each UDP socket; 0 leaves the system's.
    pub receive_buffer_bytes: usize,
    /// Send buffer of each UDP socket; 0 leaves the system's.
    pub send_buffer_bytes: usize,
    /// Longest time to finish what was asked before a stop.
    pub drain_timeout: Duration,
    /// `[dns.tcp]`
    pub tcp: Tcp,
    /// `[dns.tls]`; `None` where it listens nowhere.
    pub tls: Option<Tls>,
}

/// DNS over TCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tcp {
    /// Threads that serve connections.
    pub threads: usize,
    /// Connections open at once.
    pub connections_max: usize,
    /// Connections open at once from one client network.
    pub connections_per_prefix_max: usize,
    /// Leading bits of an IPv4 address that make a client network.
    pub prefix_length_v4: u8,
    /// Leading bits of an IPv6 address that make a client network.
    pub prefix_length_v6: u8,
    /// Time for a whole message to arrive.
    pub idle_timeout: Duration,
    /// Time for a client to take a reply.
    pub write_timeout: Duration,
    /// Queries answered on one connection.
    pub queries_per_connection_max: u64,
}

/// DNS over TLS. What is not here is as for TCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Addresses to answer on.
    pub listen: Vec<SocketAddr>,
    /// The chain of certificates.
    pub certificate_file: PathBuf,
    /// The private key.
    pub key_file: PathBuf,
    /// Threads that serve connections.
    pub threads: usize,
    /// Connections open at once.
    pub connections_max: usize,
    /// Connections open at once from one client network.
    pub connections_per_prefix_max: usize,
    /// Longest time for a handshake.
    pub handshake_timeout: Duration,
}

/// The image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its directory.
    pub directory: PathBuf,
    /// Where pages live.
    pub memory: MemoryKind,
}

/// The registry database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// Its URL; without one there is no registry, and the image is served as it is.
    pub database: Option<String>,
    /// Whether this server takes the steps of registrations that are due.
    pub timers: bool,
    /// How name servers of delegations are asked; `None` where they are not.
    pub scan: Option<Scan>,
}

/// How name servers of delegations are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scan {
    /// Questions a second at most.
    pub questions_per_second_max: u32,
    /// Time between the starts of two passes.
    pub interval_seconds: u32,
}

/// When changes of the registry are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish {
    /// How often it is asked for its newest event without a wake-up.
    pub poll_interval: Duration,
    /// How long it must be quiet after a change.
    pub debounce: Duration,
    /// How long a change waits at most while others follow.
    pub debounce_max: Duration,
    /// Longest pause after a failure.
    pub retry_max: Duration,
    /// Share of a zone's delegations that may go in one publish.
    pub vanished_percent_max: u8,
}

/// Keys of the zones that are signed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Holds the secret that seals private keys; without one nothing is signed.
    pub secret_file: Option<PathBuf>,
    /// The token that has keys, if there is one.
    pub token: Option<TokenSettings>,
    /// How often it is looked for something to do.
    pub look_interval: Duration,
    /// How often the parents of zones are asked for what is waited for.
    pub parent_interval: Duration,
}

/// The control socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Its path.
    pub socket: PathBuf,
}

/// Metrics and health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    /// Where `/metrics` and `/healthz` are served.
    pub listen: SocketAddr,
}

/// Logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// Text or JSON.
    pub format: LogFormat,
    /// The least important level that is written.
    pub level: LogLevel,
}

/// One thing that is wrong with a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read configuration: {}: {source}; name one with --config", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It has faults, sorted by line.
    #[error("{}", describe(path, faults))]
    Faults {
        /// The file.
        path: PathBuf,
        /// At least one.
        faults: Vec<Fault>,
    },
}

/// One line about the first fault and how to see the others.
fn describe(path: &Path, faults: &[Fault]) -> String {
    let path = path.display();
    match faults {
        [only] => format!(
            "configuration fault: {path}:{}: {}",
            only.line, only.message
        ),
        [first, ..] => format!(
            "{} configuration faults: {path}:{}: {}; `meridian check-config --config {path}` shows all",
            faults.len(),
            first.line,
            first.message
        ),
        [] => format!("configuration fault: {path}"),
    }
}

impl Config {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text(path)?;
        Self::parse(&text).map_err(|faults| ConfigError::Faults {
            path: path.into(),
            faults,
        })
    }

    /// Everything that is wrong with a file and with the files that it names for the
    /// server, sorted by line. Only the server has to be able to read those.
    pub fn faults(path: &Path) -> Result<Vec<Fault>, ConfigError> {
        let text = read_text(path)?;
        let (spec, document, mut faults) = read::read(&text);
        check::check(&spec, &document, &mut faults);
        files::check(&spec, &document, &mut faults);
        faults.sort_by_key(|fault| fault.line);
        Ok(faults)
    }

    /// Checks the text of a file; gives every fault, sorted by line.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        let (spec, document, mut faults) = read::read(text);
        let config = check::check(&spec, &document, &mut faults);
        faults.sort_by_key(|fault| fault.line);
        if faults.is_empty() {
            Ok(config)
        } else {
            Err(faults)
        }
    }
}

fn read_text(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.into(),
        source,
    })
}

impl Default for Config {
    fn default() -> Self {
        Self::parse("").expect("an empty file is all defaults, and a test checks them")
    }
}

#[cfg(test)]
mod tests;
