//! The command line of `loadtest`, run as people run it.
//!
//! Tests that need other programs stand below `peers`, as those of Meridian do, and are
//! selected by `tests/run --peers`.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod peers;
