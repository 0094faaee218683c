//! Meridian: a TLD registry and an authoritative DNS engine in one binary.

pub mod dns;
pub mod registry;
