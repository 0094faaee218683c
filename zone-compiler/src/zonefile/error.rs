//! What is wrong with a zone file, and where.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use super::entry::IncludeError;
use super::{ENTRY_BYTES_MAX, TTL_MAX};
use crate::rdata::{RdataError, SyntaxError};

/// A fault of a zone file with its place.
#[derive(Debug, thiserror::Error)]
#[error("{}:{line}:{column}: {reason}", path.display())]
pub struct ZoneFileError {
    /// The file, as it was named on the command line or by `$INCLUDE`.
    pub path: Arc<Path>,
    /// The line, from 1.
    pub line: u64,
    /// The octet within the line, from 1.
    pub column: u64,
    /// What is wrong.
    pub reason: Reason,
}

impl ZoneFileError {
    /// A fault of the file as a whole.
    pub(super) fn at_start(path: &Path, reason: Reason) -> Self {
        Self {
            path: path.into(),
            line: 1,
            column: 1,
            reason,
        }
    }
}

/// What is wrong at a place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Reading; nothing is read after it.
    #[error(transparent)]
    Io(std::io::Error),
    /// Quotes, parentheses, escapes.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A word that does not fit its place.
    #[error(transparent)]
    Rdata(#[from] RdataError),
    /// A blank owner without one to inherit.
    #[error("no owner name, and no good record before it to take it from")]
    NoOwner,
    /// A class other than IN.
    #[error("class {0}, only IN is served")]
    Class(String),
    /// No TTL, and none to inherit.
    #[error("no TTL, and neither $TTL nor a good record before it to take it from")]
    NoTtl,
    /// A TTL with its most significant bit set.
    #[error("TTL is over {TTL_MAX} (RFC 2181 section 8)")]
    TtlRange,
    /// A line or a record over the bound.
    #[error("line or record is longer than {ENTRY_BYTES_MAX} octets")]
    EntryTooLong,
    /// A directive nobody knows.
    #[error("unknown directive `{0}`, known are $ORIGIN, $TTL and $INCLUDE")]
    Directive(String),
    /// `$GENERATE`.
    #[error("$GENERATE is BIND's own, expand it first (named-compilezone does)")]
    Generate,
    /// A file that cannot be included.
    #[error("cannot include `{name}`: {reason}")]
    Include {
        /// As written.
        name: String,
        /// Why.
        reason: IncludeError,
    },
    /// A zone without an SOA.
    #[error("no SOA record in the file")]
    NoSoa,
}

/// All faults of a zone file, up to a bound.
#[derive(Debug)]
pub struct Faults {
    /// In the order of the file; at least one.
    pub faults: Vec<ZoneFileError>,
    /// Whether reading stopped at the bound.
    pub stopped: bool,
}

impl fmt::Display for Faults {
    /// A line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.faults.iter().enumerate() {
            let line_end = if number > 0 { "\n" } else { "" };
            write!(f, "{line_end}{fault}")?;
        }
        if self.stopped {
            let count = self.faults.len();
            write!(f, "\nstopped after {count} faults, there may be more")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
