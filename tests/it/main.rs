//! One binary of tests that look at Meridian from outside.

mod cli;
mod config;
mod demo;
mod peers;
mod registry;
mod serve;
mod soak;
mod supply;
mod support;
mod tcp;
mod tidy;
