//! Tests that measure, and so want the machine to themselves.

mod floods;
pub(crate) mod swaps;
