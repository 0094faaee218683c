//! Tests that measure, and so want the machine to themselves.

mod swaps;
