//! Tests against other programs.
