//! What every service over TCP shares: who has a place, with which certificate it is
//! served, and how a connection ends. Knows no protocol and counts nothing of one.

pub mod credentials;
pub(crate) mod ending;
pub(crate) mod listen;
pub(crate) mod places;
#[cfg(test)]
pub(crate) mod testing;
