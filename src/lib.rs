//! Meridian: a TLD registry and an authoritative DNS engine in one binary.

pub mod app;
mod background;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
mod demo;
pub mod disclosure;
pub mod distribution;
pub mod dns;
pub mod epp;
pub mod exchange;
pub mod inquiry;
pub mod keys;
pub mod lookup;
pub mod net;
pub mod publish;
pub mod rdap;
pub mod registry;
pub mod routes;
pub mod transfer;
pub mod web;
pub mod whois;
