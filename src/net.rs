//! What every service over TCP shares: addresses and threads, who has a place, with which
//! certificate it is served, and how a connection ends. `http` is what those of them have in
//! common that speak it. Knows nothing of what is said, and counts nothing.

pub(crate) mod any_client;
pub mod credentials;
pub(crate) mod ending;
pub mod http;
pub(crate) mod percent;
pub(crate) mod places;
pub mod service;
#[cfg(test)]
pub(crate) mod testing;
