//! Synthetic zones and load for Meridian and its peers, on loopback only.
//!
//! Makes zones and query files from a seed, sends queries at a fixed or at the
//! highest rate, checks generation stamps in replies, and runs other name servers
//! beside Meridian. Never sends a packet to an address that is not loopback.

pub mod blast;
pub mod cli;
pub mod compare;
pub mod dnsperf;
pub mod echo;
pub mod epp;
pub mod generate;
pub mod latency;
pub mod lookups;
pub mod meridian;
pub mod peer;
pub mod process;
pub mod signers;
pub mod stamp;
pub mod target;
pub mod transfer;
