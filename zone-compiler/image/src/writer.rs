//! Writing an image: pages into a segment, trees over them, and the install
//! that makes a new generation of it.

mod catalog;
mod change;
mod fold;
mod install;
mod order;
mod page;
mod proofs;
mod segment;
mod staged;
mod tree;
mod update;

pub use fold::Fold;
pub use install::{Installer, Proofs, ZoneRoots};
pub use order::write_order;
#[cfg(test)]
pub(crate) use page::encode;
pub use page::{BodyBytes, NamePageBuilder, Nsec3PageBuilder, SharedPageBuilder};
pub use proofs::Nsec3Changes;
pub use segment::SegmentWriter;
pub use staged::{Installed, Staged};
pub use tree::TreePlan;
pub use update::{NameChange, NewBody, ProofsChange, ZoneChange};
