//! Tests that measure, and so want the machine to themselves.

pub(crate) mod swaps;
