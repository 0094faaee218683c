//! The one place that reads the time of day.
//!
//! Everything else is given the time, so that tests can choose it.

use std::time::UNIX_EPOCH;

/// Seconds since 1970; 0 on a machine whose clock is before that.
pub fn unix_seconds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    let now = std::time::SystemTime::now();
    now.duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
