//! The data plane: from a packet to its answer.
//!
//! Knows the image and sockets; never the registry, SQL, XML or HTTP.

pub mod counters;
pub mod engine;
pub mod generations;
pub mod net;
