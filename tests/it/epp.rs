//! EPP as registrars meet it: frames in, frames out over a registry, and over TLS to a
//! server that runs.
//!
//! The same frames are held against the schemas by `peers::epp`, where xmllint is
//! installed.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

pub(crate) mod attributes;
mod cases;
mod client;
pub(crate) mod desk;
pub(crate) mod examples;
mod faults;
pub(crate) mod keys;
pub(crate) mod life;
pub(crate) mod live;
pub(crate) mod load;
pub(crate) mod notes;
mod operator;
pub(crate) mod recorder;
mod restores;
pub(crate) mod rst;
mod sessions;
mod stores;
mod streams;
mod tokens;
