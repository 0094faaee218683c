//! The one place that reads the time of day.
//!
//! Everything else is given the time, so that tests can choose it.

use std::time::{Duration, UNIX_EPOCH};

/// Seconds since 1970; 0 on a machine whose clock is before that.
pub fn unix_seconds() -> u64 {
    since_1970().as_secs()
}

/// Microseconds since 1970, as the registry stores times.
pub fn unix_microseconds() -> i64 {
    i64::try_from(since_1970().as_micros()).unwrap_or(i64::MAX)
}

fn since_1970() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    let now = std::time::SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}
