//! One binary of tests that look at Meridian from outside.

mod cli;
mod config;
mod demo;
mod disk;
mod edges;
mod epp;
mod fuzz;
mod keys;
mod latency;
mod lookup;
mod names;
mod peers;
mod policy;
mod publish;
mod registry;
mod restart;
mod rows;
mod serve;
mod soak;
mod supply;
mod support;
mod tcp;
mod tidy;
mod tls;
mod transfer;
