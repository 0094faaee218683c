//! The registry: its database, its objects, and how they get in and out.
//!
//! One SQL text serves two engines, SQLite and PostgreSQL ([`schema`]). What the
//! zone compiler may read is a set of views; whether a domain is published was
//! decided and stored by the write. Every write runs in one transaction that
//! checks the fencing epoch and appends an event. Nothing here knows a protocol,
//! reads a clock or prints: time is an argument, results are values.

pub mod access;
pub mod audit;
pub mod bulk;
pub(crate) mod calendar;
pub mod code;
pub mod command;
pub mod csv;
pub mod database;
pub mod error;
pub mod events;
pub mod export;
pub mod idn;
pub mod import;
pub mod lease;
pub mod life;
pub mod lookup;
mod names;
pub mod openpgp;
mod personal;
pub mod policy;
pub mod progress;
pub mod rehearse;
mod rejects;
pub mod scan;
pub mod schema;
pub mod signing;
mod sql;
pub mod status;
pub mod timekeeper;
pub mod timers;
pub mod types;
pub mod writer;

pub(crate) use calendar::to_text as time_text;
pub use code::ResultCode;
pub use command::{Actor, Command, CommandError, Info, Outcome, Rejection, Request, Role};
pub use csv::{CsvExport, CsvImport, CsvOptions, export_csv, import_csv};
pub use database::{Database, Engine, Location, Timestamp};
pub use error::RegistryError;
pub use events::{event_times, last_event, position, zone_version};
pub use export::{ExportOptions, ExportReport, export_zone_file};
pub use import::{ImportOptions, ImportReport, import_zone_file};
pub use progress::{Phase, Progress, ProgressSink};
pub use rehearse::Rehearsal;
pub use status::{Status, status};
pub use writer::{Standby, Writer};

#[cfg(test)]
pub(crate) mod testing;
