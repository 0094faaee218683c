//! The data plane: from a packet to its answer.
//!
//! Knows the image and sockets; never the registry, SQL, XML or HTTP.

mod ahead;
mod answer;
mod chain;
mod chaos;
pub mod cookie;
pub mod counters;
mod denial;
mod edns;
pub mod engine;
pub mod generations;
pub mod net;
mod query;
pub mod rate;
mod response;
pub mod secret;
#[cfg(test)]
pub(crate) mod testing;
