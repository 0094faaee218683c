//! `[transfer]` as it is written.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TransferSpec {
    pub keys_file: PathBuf,
    pub allow: Vec<AllowSpec>,
    pub concurrent_max: usize,
    pub journal_directory: PathBuf,
    pub journal_zone_bytes_max: u64,
    pub journal_days_max: u64,
    pub notify: Vec<NotifySpec>,
}

impl Default for TransferSpec {
    fn default() -> Self {
        Self {
            keys_file: PathBuf::new(),
            allow: Vec::new(),
            concurrent_max: 8,
            journal_directory: PathBuf::new(),
            journal_zone_bytes_max: 64 << 20,
            journal_days_max: 7,
            notify: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AllowSpec {
    pub zones: Vec<String>,
    pub networks: Vec<String>,
    pub key: String,
    pub certificate: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NotifySpec {
    pub address: SocketAddr,
    #[serde(default)]
    pub zones: Vec<String>,
    #[serde(default)]
    pub key: String,
}
