//! The data plane: from a packet to its answer.
//!
//! Knows the image and sockets; never the registry, SQL, XML or HTTP.

mod answer;
pub mod counters;
mod denial;
pub mod engine;
pub mod generations;
pub mod net;
mod query;
mod response;
#[cfg(test)]
pub(crate) mod testing;
