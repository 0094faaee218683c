//! The data plane: from a packet to its answer.
//!
//! Knows the image and sockets; never the registry, SQL, XML or HTTP.

mod answer;
pub mod engine;
mod query;
mod response;
