//! Compiles zones, from registry rows or from zone files, into an image.
//!
//! The compiler knows only DNS: names, RRsets, cuts and glue. What a domain
//! object is, and whether it is published, was decided where it was written.

pub mod compile;
pub mod database;
pub mod diff;
pub mod flags;
pub mod install;
pub mod rdata;
pub mod record;
pub mod sign;
pub mod source;
pub mod wire;
pub mod zonefile;

pub use compile::{CompileError, Options, Progress, Report, Stage, compile, compile_with};
pub use record::{Record, RecordType};
pub use source::{
    ChangeSource, ChangedNames, NAMES_MAX, ParkedRecord, Parking, RecordList, SourceError,
    ZoneSource,
};
