//! Histories that failed once, as short as they got, and what was wrong.

/// What was wrong, and the lines.
pub(super) const KEPT: &[(&str, &str)] = &[];
