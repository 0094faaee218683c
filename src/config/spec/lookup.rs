//! `[lookup]`, `[whois]`, `[rdap]` and `[web]` as they are written.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LookupSpec {
    pub queries_per_second: u32,
    pub burst: u32,
    pub readers: usize,
    pub time_limit_milliseconds: u64,
    pub terms_url: String,
    pub access_log: bool,
}

impl Default for LookupSpec {
    fn default() -> Self {
        Self {
            queries_per_second: 20,
            burst: 200,
            readers: 4,
            time_limit_milliseconds: 2_000,
            terms_url: String::new(),
            access_log: false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct WhoisSpec {
    pub listen: Vec<SocketAddr>,
    pub server_name: String,
    pub threads: usize,
    pub connections_max: usize,
    pub connections_per_prefix_max: usize,
    pub read_timeout_seconds: u64,
    pub write_timeout_seconds: u64,
}

impl Default for WhoisSpec {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            server_name: String::new(),
            threads: 1,
            connections_max: 1_024,
            connections_per_prefix_max: 64,
            read_timeout_seconds: 10,
            write_timeout_seconds: 10,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RdapSpec {
    pub listen: Vec<SocketAddr>,
    pub listen_plain: Vec<SocketAddr>,
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
    pub base_url: String,
    pub threads: usize,
    pub connections_max: usize,
    pub connections_per_prefix_max: usize,
    pub read_timeout_seconds: u64,
    pub connection_seconds_max: u64,
    pub page_size: usize,
    pub cache_seconds: u32,
}

impl Default for RdapSpec {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            listen_plain: Vec::new(),
            certificate_file: PathBuf::new(),
            key_file: PathBuf::new(),
            base_url: String::new(),
            threads: 1,
            connections_max: 1_024,
            connections_per_prefix_max: 64,
            read_timeout_seconds: 10,
            connection_seconds_max: 120,
            page_size: 20,
            cache_seconds: 30,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct WebSpec {
    pub listen: Vec<SocketAddr>,
    pub listen_plain: Vec<SocketAddr>,
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
    pub site_name: String,
    pub threads: usize,
    pub connections_max: usize,
    pub connections_per_prefix_max: usize,
    pub read_timeout_seconds: u64,
    pub connection_seconds_max: u64,
    pub cache_seconds: u32,
}

impl Default for WebSpec {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            listen_plain: Vec::new(),
            certificate_file: PathBuf::new(),
            key_file: PathBuf::new(),
            site_name: "Meridian".to_owned(),
            threads: 1,
            connections_max: 1_024,
            connections_per_prefix_max: 64,
            read_timeout_seconds: 10,
            connection_seconds_max: 120,
            cache_seconds: 10,
        }
    }
}
