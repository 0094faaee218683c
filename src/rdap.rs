//! RDAP (RFC 7480 to 7484, 9082, 9083), with ICANN's response profile and technical guide
//! of February 2024.
//!
//! A request line is read by `path`, answered by `respond`, and written as JSON by
//! `object` and its neighbours: all pure but for the look-up between. What is withheld
//! of a contact is said as RFC 9537 has it, with paths that lead where they say. Searches
//! give pages (RFC 8977) and parts (RFC 8982). `server` is its part of HTTP. Nothing
//! personal is logged.

mod jcard;
mod metadata;
mod object;
pub mod path;
mod redacted;
mod respond;
mod server;

pub use respond::{MEDIA_TYPE, Reply, Responder};
pub use server::{RDAP, Settings, serve};

#[cfg(test)]
mod tests;
