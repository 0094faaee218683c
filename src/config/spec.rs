//! The configuration file as it is written, with every default.
//!
//! Keys and defaults here are the ones of `dist/meridian.toml`; a test compares
//! them. Nothing is checked here but types.

#![expect(missing_docs, reason = "dist/meridian.toml documents every key")]

mod distribution;
mod lookup;
mod transfer;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use distribution::{DistributionSpec, EdgeSpec, Role, RoutesSpec, S3Spec};
pub use lookup::{LookupSpec, RdapSpec, WebSpec, WhoisSpec};
pub use transfer::{AllowSpec, NotifySpec, TransferSpec};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Spec {
    pub role: Role,
    pub dns: DnsSpec,
    pub image: ImageSpec,
    pub registry: RegistrySpec,
    pub publish: PublishSpec,
    pub keys: KeysSpec,
    pub transfer: TransferSpec,
    pub epp: EppSpec,
    pub lookup: LookupSpec,
    pub whois: WhoisSpec,
    pub rdap: RdapSpec,
    pub web: WebSpec,
    pub distribution: DistributionSpec,
    pub edge: EdgeSpec,
    pub s3: S3Spec,
    pub routes: RoutesSpec,
    pub control: ControlSpec,
    pub metrics: MetricsSpec,
    pub log: LogSpec,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DnsSpec {
    pub listen: Vec<SocketAddr>,
    pub workers: usize,
    pub pin_workers: bool,
    pub steer_by_cpu: bool,
    pub udp_payload_bytes_max: u16,
    pub version: String,
    pub identity: String,
    pub nsid: String,
    pub report_channel: String,
    pub cookie_secrets_file: PathBuf,
    pub receive_buffer_bytes: usize,
    pub send_buffer_bytes: usize,
    pub drain_timeout_seconds: u64,
    pub rate_limit: RateLimitSpec,
    pub tcp: TcpSpec,
    pub tls: TlsSpec,
}

impl Default for DnsSpec {
    fn default() -> Self {
        Self {
            listen: vec![
                (Ipv4Addr::UNSPECIFIED, 53).into(),
                (Ipv6Addr::UNSPECIFIED, 53).into(),
            ],
            workers: 0,
            pin_workers: true,
            steer_by_cpu: false,
            udp_payload_bytes_max: 1232,
            version: String::new(),
            identity: String::new(),
            nsid: String::new(),
            report_channel: String::new(),
            cookie_secrets_file: PathBuf::new(),
            receive_buffer_bytes: 4 * 1024 * 1024,
            send_buffer_bytes: 4 * 1024 * 1024,
            drain_timeout_seconds: 5,
            rate_limit: RateLimitSpec::default(),
            tcp: TcpSpec::default(),
            tls: TlsSpec::default(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RateLimitSpec {
    pub responses_per_second: u32,
    pub slip: u32,
    pub prefix_length_v4: u8,
    pub prefix_length_v6: u8,
    pub entries: usize,
}

impl Default for RateLimitSpec {
    fn default() -> Self {
        Self {
            responses_per_second: 1000,
            slip: 2,
            prefix_length_v4: 24,
            prefix_length_v6: 56,
            entries: 131_072,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TcpSpec {
    pub threads: usize,
    pub connections_max: usize,
    pub connections_per_prefix_max: usize,
    pub prefix_length_v4: u8,
    pub prefix_length_v6: u8,
    pub idle_timeout_seconds: u64,
    pub write_timeout_seconds: u64,
    pub queries_per_connection_max: u64,
}

impl Default for TcpSpec {
    fn default() -> Self {
        Self {
            threads: 2,
            connections_max: 4096,
            connections_per_prefix_max: 256,
            prefix_length_v4: 24,
            prefix_length_v6: 48,
            idle_timeout_seconds: 10,
            write_timeout_seconds: 10,
            queries_per_connection_max: 65_536,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TlsSpec {
    pub listen: Vec<SocketAddr>,
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
    pub threads: usize,
    pub connections_max: usize,
    pub connections_per_prefix_max: usize,
    pub handshake_timeout_seconds: u64,
}

impl Default for TlsSpec {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            certificate_file: PathBuf::new(),
            key_file: PathBuf::new(),
            threads: 2,
            connections_max: 4096,
            connections_per_prefix_max: 256,
            handshake_timeout_seconds: 5,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EppSpec {
    pub listen: Vec<SocketAddr>,
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
    pub server_name: String,
    pub lab: bool,
    pub threads: usize,
    pub connections_max: usize,
    pub connections_per_prefix_max: usize,
    pub commands_per_second_max: u32,
    pub transforms_per_second_max: u32,
    pub frame_bytes_max: usize,
    pub handshake_timeout_seconds: u64,
    pub login_timeout_seconds: u64,
    pub idle_timeout_seconds: u64,
    pub write_timeout_seconds: u64,
    pub session_seconds_max: u64,
    pub password_days_max: u64,
    pub password_warning_days: u64,
    pub certificate_warning_days: u64,
}

impl Default for EppSpec {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            certificate_file: PathBuf::new(),
            key_file: PathBuf::new(),
            server_name: "Meridian".to_owned(),
            lab: false,
            threads: 2,
            connections_max: 1024,
            connections_per_prefix_max: 128,
            commands_per_second_max: 500,
            transforms_per_second_max: 500,
            frame_bytes_max: 65_536,
            handshake_timeout_seconds: 5,
            login_timeout_seconds: 60,
            idle_timeout_seconds: 600,
            write_timeout_seconds: 10,
            session_seconds_max: 86_400,
            password_days_max: 0,
            password_warning_days: 14,
            certificate_warning_days: 30,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ImageSpec {
    pub directory: PathBuf,
    pub memory: MemoryKind,
}

impl Default for ImageSpec {
    fn default() -> Self {
        Self {
            directory: "/var/lib/meridian/image".into(),
            memory: MemoryKind::Sealed,
        }
    }
}

/// Where the pages of the image live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemoryKind {
    /// Copied into sealed memory.
    Sealed,
    /// Mapped from the file.
    Mapped,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RegistrySpec {
    pub database: String,
    pub timers: bool,
    pub scan_questions_per_second_max: u32,
    pub scan_interval_hours: u32,
}

impl Default for RegistrySpec {
    fn default() -> Self {
        Self {
            database: String::new(),
            timers: true,
            scan_questions_per_second_max: 0,
            scan_interval_hours: 24,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PublishSpec {
    pub poll_interval_milliseconds: u64,
    pub debounce_milliseconds: u64,
    pub debounce_milliseconds_max: u64,
    pub retry_seconds_max: u64,
    pub vanished_percent_max: u8,
}

impl Default for PublishSpec {
    fn default() -> Self {
        Self {
            poll_interval_milliseconds: 200,
            debounce_milliseconds: 10,
            debounce_milliseconds_max: 50,
            retry_seconds_max: 10,
            vanished_percent_max: 10,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct KeysSpec {
    pub secret_file: PathBuf,
    pub look_interval_milliseconds: u64,
    pub parent_interval_seconds: u64,
    pub token: TokenSpec,
}

impl Default for KeysSpec {
    fn default() -> Self {
        Self {
            secret_file: PathBuf::new(),
            look_interval_milliseconds: 1000,
            parent_interval_seconds: 300,
            token: TokenSpec::default(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TokenSpec {
    pub module: PathBuf,
    pub label: String,
    pub pin_file: PathBuf,
    pub sessions_max: usize,
}

impl Default for TokenSpec {
    fn default() -> Self {
        Self {
            module: PathBuf::new(),
            label: String::new(),
            pin_file: PathBuf::new(),
            sessions_max: 8,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ControlSpec {
    pub socket: PathBuf,
}

impl Default for ControlSpec {
    fn default() -> Self {
        Self {
            socket: "/run/meridian/control.sock".into(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct MetricsSpec {
    pub listen: SocketAddr,
}

impl Default for MetricsSpec {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 9953).into(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LogSpec {
    pub format: LogFormat,
    pub level: LogLevel,
}

impl Default for LogSpec {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: LogLevel::Info,
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The least important level that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}
