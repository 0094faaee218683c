//! `[distribution]`, `[edge]`, `[s3]` and `[routes]` as they are written.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a server is among others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything on one machine.
    #[default]
    All,
    /// Has the registry and puts out what is served.
    Primary,
    /// Serves what the primary puts out.
    Edge,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DistributionSpec {
    pub store: String,
    pub signing_key_file: PathBuf,
    pub interval_milliseconds: u64,
    pub expiry_hours: u64,
    pub refresh_minutes: u64,
    pub keep_minutes: u64,
    pub epoch_min: u64,
    pub replace_manifest: String,
    pub listen: Vec<SocketAddr>,
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
    pub token_file: PathBuf,
}

impl Default for DistributionSpec {
    fn default() -> Self {
        Self {
            store: String::new(),
            signing_key_file: PathBuf::new(),
            interval_milliseconds: 100,
            expiry_hours: 168,
            refresh_minutes: 60,
            keep_minutes: 60,
            epoch_min: 0,
            replace_manifest: String::new(),
            listen: Vec::new(),
            certificate_file: PathBuf::new(),
            key_file: PathBuf::new(),
            token_file: PathBuf::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EdgeSpec {
    pub name: String,
    pub sources: Vec<String>,
    pub trusted_keys: Vec<String>,
    pub token_file: PathBuf,
    pub ca_file: PathBuf,
    pub poll_milliseconds: u64,
    pub wait_seconds: u64,
    pub report_seconds: u64,
}

impl Default for EdgeSpec {
    fn default() -> Self {
        Self {
            name: String::new(),
            sources: Vec::new(),
            trusted_keys: Vec::new(),
            token_file: PathBuf::new(),
            ca_file: "/etc/ssl/certs/ca-certificates.crt".into(),
            poll_milliseconds: 1000,
            wait_seconds: 30,
            report_seconds: 30,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct S3Spec {
    pub endpoint: String,
    pub region: String,
    pub credentials_file: PathBuf,
}

impl Default for S3Spec {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            region: "us-east-1".to_owned(),
            credentials_file: PathBuf::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RoutesSpec {
    pub addresses: Vec<SocketAddr>,
    pub zone: String,
    pub bird_socket: PathBuf,
    pub bird_protocol: String,
    pub interval_milliseconds: u64,
    pub timeout_milliseconds: u64,
    pub fall: u32,
    pub rise: u32,
    pub drain_seconds: u64,
}

impl Default for RoutesSpec {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            zone: String::new(),
            bird_socket: "/run/bird/bird.ctl".into(),
            bird_protocol: String::new(),
            interval_milliseconds: 500,
            timeout_milliseconds: 500,
            fall: 3,
            rise: 6,
            drain_seconds: 0,
        }
    }
}
