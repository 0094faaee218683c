//! Zone transfer with other servers.
//!
//! What is sent comes from one pinned generation of the image, never from the registry, so
//! that edges without a database can send it too. Nothing is sent to anybody whom no rule
//! of the configuration allows. Requests are recognised by `dns`, which hands them here
//! through traits of its own and knows nothing of keys (RFC 5936, 1995, 8945, 9103).

pub mod access;
pub mod counters;
mod difference;
pub mod history;
pub mod journal;
pub mod key;
mod message;
pub mod notify;
pub mod outgoing;
mod records;
#[cfg(test)]
mod testing;
mod tsig;

pub use outgoing::Outgoing;
