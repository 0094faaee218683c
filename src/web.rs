//! Pages for people who have neither a WHOIS nor an RDAP client: domains, hosts, registrars,
//! whether a name is free, and what DNS answers at this moment.
//!
//! A request line is read by `path`, answered by `respond`, put into words by `view` and
//! into markup by `page`: all pure but for the look-up between. Says what WHOIS and RDAP
//! say, by the same look-ups, the same disclosure and the same limit of rates; their own
//! forms and DNS's answers are handed in, so that nothing here imports them. Runs no script,
//! loads nothing from elsewhere, and logs nothing of who asked for what. No value reaches a
//! page but through `markup`, whatever it is made of.

mod markup;
mod moment;
mod page;
pub mod path;
mod respond;
mod serve;
mod served;
mod view;
mod words;

pub use respond::{Cache, Form, FormSource, Reply, Responder};
pub use serve::{Settings, WEB, serve};
pub use served::{Answered, DnsSource, Served, ServedRecord, ServedZone};

#[cfg(test)]
mod tests;
