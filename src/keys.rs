//! Keys of signed zones: when they change, where they are kept, who signs with them.
//!
//! [`machine`] decides, as a pure function of states, policy and time, what may change
//! without a cache anywhere losing its chain; the registry stores each step as an event.
//! Private keys are in memory, sealed in the database, or in a token; they are never in
//! a log, an error, `Debug` or an event. RFC 6781, 7583, 7344 and 8078.

pub mod files;
pub mod keeper;
pub mod machine;
pub mod offline;
pub mod parent;
pub mod private_file;
pub mod seal;
pub mod signers;
pub mod status;
pub mod token;
pub mod vault;
