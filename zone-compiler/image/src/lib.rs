//! The image of a set of zones: what is on disk, how it is opened and checked,
//! how a name is looked up in it, and how it is written.
//!
//! A zone is a tree of immutable pages; pages live in segment files; a small
//! generation file names the segments and the root of the catalog of zones.
//! Nothing here reads a clock, opens a socket or knows of the registry.

pub mod generation;
pub mod name;

pub use generation::{Generation, Memory, OpenError, ZoneInfo};
pub use name::{Name, NameError};
