//! The line that a client sends.

use std::net::IpAddr;

use crate::lookup::{NameFault, QueryName};

/// Octets of a line, without its end.
pub const LINE_BYTES_MAX: usize = 1_024;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// How to ask.
    Help,
    /// A name without a word before it: a domain, or else a host.
    Name(QueryName),
    /// A domain.
    Domain(QueryName),
    /// A host.
    Nameserver(QueryName),
    /// Hosts with an address.
    Address(IpAddr),
    /// A registrar by name, handle, or number at IANA.
    Registrar(String),
    /// A contact by its identifier.
    Contact(String),
    /// Whether a name could be registered.
    Availability(QueryName),
}

impl Question {
    /// For logs: what kind of question it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Name(_) | Self::Domain(_) => "domain",
            Self::Nameserver(_) => "nameserver",
            Self::Address(_) => "nameservers",
            Self::Registrar(_) => "registrar",
            Self::Contact(_) => "contact",
            Self::Availability(_) => "availability",
        }
    }
}

/// Why a line is no question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// There is nothing in it.
    #[error("there is no question; send \"help\" to see how to ask")]
    Empty,
    /// It is not a line of text.
    #[error("a question is one line of UTF-8 without control characters")]
    Text,
    /// Its name is none.
    #[error("{0}")]
    Name(#[from] NameFault),
}

/// Reads a line without its end.
pub fn read(line: &[u8]) -> Result<Question, Fault> {
    let text = std::str::from_utf8(line).map_err(|_| Fault::Text)?.trim();
    if text.len() > LINE_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(Fault::Text);
    }
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    match (word.to_ascii_lowercase().as_str(), rest) {
        ("", _) => Err(Fault::Empty),
        ("help" | "?" | "-?" | "--help", "") => Ok(Question::Help),
        (_, "") => name_or_address(word),
        ("domain" | "dom" | "-d", name) => Ok(Question::Domain(QueryName::parse(name)?)),
        ("nameserver" | "host" | "-n", name) => match name.parse() {
            Ok(address) => Ok(Question::Address(address)),
            Err(_) => Ok(Question::Nameserver(QueryName::parse(name)?)),
        },
        ("registrar" | "-r", name) => Ok(Question::Registrar(name.to_owned())),
        ("contact" | "-c", handle) => Ok(Question::Contact(handle.to_owned())),
        ("-a", name) => Ok(Question::Availability(QueryName::parse(name)?)),
        _ => Err(Fault::Name(NameFault::Syntax)),
    }
}

fn name_or_address(word: &str) -> Result<Question, Fault> {
    match word.parse() {
        Ok(address) => Ok(Question::Address(address)),
        Err(_) => Ok(Question::Name(QueryName::parse(word)?)),
    }
}
