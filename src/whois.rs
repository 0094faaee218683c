//! WHOIS (RFC 3912): one line with a question, a text with the answer, end.
//!
//! Says what RDAP says, in the form of ICANN's registry agreement (specification 4): the
//! same look-ups, the same disclosure, the same limit of rates. Whatever stands in the
//! registry, no control character and nothing that turns the direction of writing reaches
//! a client's terminal. A client that is slow costs a place for a bounded time.

mod answer;
mod form;
pub mod question;
mod server;

pub use answer::tell;
pub use server::{Settings, serve};

#[cfg(test)]
mod tests;
