//! From one primary to many edges: what is served, signed and shipped.
//!
//! The primary signs a manifest over the generation that it serves and puts the segments
//! beside it, compressed and in packs, into a store. An edge fetches the segments that it
//! lacks, checks all of it and swaps. Whatever an edge meets that is not as it should be,
//! it serves on what it has. An edge has no database and no key that signs anything.

mod client;
pub mod depot;
pub mod distributor;
pub mod edge;
pub mod key;
pub mod manifest;
pub mod overview;
mod pack;
mod primary;
pub mod server;
pub mod state;

pub use client::ClientError;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
