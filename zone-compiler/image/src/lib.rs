//! The image of a set of zones: what is on disk, how it is opened and checked,
//! how a name is looked up in it, and how it is written.
//!
//! A zone is a tree of immutable pages; pages live in segment files; a small
//! generation file names the segments and the root of the catalog of zones.
//! Nothing here reads a clock, opens a socket or knows of the registry.

mod body;
mod chain;
mod compare;
mod denial;
mod digest;
mod error;
mod generation;
mod hash;
pub mod layout;
mod lookup;
mod memory;
pub mod name;
mod prefetch;
mod proof_tree;
mod reach;
mod seek;
mod segment;
pub mod shipment;
mod tags;
mod team;
mod verify;
mod walk;
pub mod writer;

pub use body::{Bases, BodyRef};
pub use compare::{Comparison, changed_zones};
pub use denial::{Nsec3, Nsec3Hasher, Nsec3Seek, SortKey, nsec3_key};
pub use error::{Fault, OpenError, WriteError};
pub use generation::{GENERATION_FILE, Generation, ZoneInfo};
pub use hash::Seed;
pub use lookup::{Entry, Lookup, LookupName, StoredBody, Zone};
pub use memory::Memory;
pub use name::{Name, NameError};
pub use seek::{Seek, SharedSeek};

#[cfg(test)]
mod tests;
