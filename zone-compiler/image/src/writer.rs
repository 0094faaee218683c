//! Writing an image: pages into a segment, trees over them, and the install
//! that makes a new generation of it.

mod install;
mod page;
mod segment;
mod tree;

pub use install::{Installed, Installer, ZoneRoots};
pub use page::{BodyBytes, NamePageBuilder, SharedPageBuilder};
pub use segment::SegmentWriter;
pub use tree::TreePlan;
