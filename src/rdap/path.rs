//! What a request's path and query ask for (RFC 9082).
//!
//! Percent escapes are undone once, in one segment or value; what comes out is text without
//! control characters, or the request is answered with 400.

mod view;

use std::net::IpAddr;

pub use self::view::{FieldSet, View};
pub(super) use self::view::{cursor_text, sorts_of};
use crate::lookup::search::{RegistrarPattern, Servers};
use crate::lookup::{Names, QueryName};
use crate::net::percent::decode;

/// Characters that a search pattern has before its asterisk, so that what it reads has an
/// end.
const PREFIX_CHARACTERS_MIN: usize = 3;
/// Octets of a path and query that are looked at.
const TARGET_BYTES_MAX: usize = 4_096;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// How to ask.
    Help,
    /// A domain.
    Domain(QueryName),
    /// A host.
    Nameserver(QueryName),
    /// A registrar or a contact.
    Entity(String),
    /// Several.
    Search(Class, Pattern, View),
}

/// Of which class objects are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Domains.
    Domain,
    /// Hosts.
    Nameserver,
    /// Registrars: contacts are not searched.
    Entity,
}

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// One name.
    Exactly(QueryName),
    /// Names that begin and end so.
    Names(Names),
    /// What names these servers.
    Servers(Servers),
    /// What has this address.
    Address(IpAddr),
    /// Registrars.
    Registrars(RegistrarPattern),
}

impl Target {
    /// For logs: what kind of request it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Domain(_) => "domain",
            Self::Nameserver(_) => "nameserver",
            Self::Entity(_) => "entity",
            Self::Search(Class::Domain, ..) => "domains",
            Self::Search(Class::Nameserver, ..) => "nameservers",
            Self::Search(Class::Entity, ..) => "entities",
        }
    }
}

/// Why there is no target: a status and a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// HTTP's status code.
    pub status: u16,
    /// What is wrong, for people.
    pub reason: String,
}

fn fault<T>(status: u16, reason: impl Into<String>) -> Result<T, Fault> {
    let reason = reason.into();
    Err(Fault { status, reason })
}

/// Reads a path below the base of the service, without its leading slash, and its query.
pub fn read(path: &str, query: &str) -> Result<Target, Fault> {
    if path.len() + query.len() > TARGET_BYTES_MAX {
        return fault(400, "the request is too long");
    }
    let (class, rest) = path.split_once('/').unwrap_or((path, ""));
    match class {
        "help" if rest.is_empty() => Ok(Target::Help),
        "domain" => Ok(Target::Domain(name(rest)?)),
        "nameserver" => Ok(Target::Nameserver(name(rest)?)),
        "entity" => match decoded(rest)? {
            handle if handle.is_empty() => fault(400, "the handle of an entity is missing"),
            handle => Ok(Target::Entity(handle)),
        },
        "domains" if rest.is_empty() => search(Class::Domain, query),
        "nameservers" if rest.is_empty() => search(Class::Nameserver, query),
        "entities" if rest.is_empty() => search(Class::Entity, query),
        // RFC 9082 section 1: a registry of names has neither.
        "ip" | "autnum" | "ips" | "autnums" => fault(
            501,
            "this registry has domains, name servers and entities only",
        ),
        _ => fault(
            404,
            "there is nothing under this path; `help` tells what there is",
        ),
    }
}

/// Text in the place of percent escapes; no control characters.
fn decoded(text: &str) -> Result<String, Fault> {
    match decode(text) {
        Some(text) => Ok(text),
        None => fault(
            400,
            "a percent sign without two hexadecimal digits, or no plain text",
        ),
    }
}

fn name(text: &str) -> Result<QueryName, Fault> {
    let name = QueryName::parse(&decoded(text)?);
    name.or_else(|error| fault(400, error.to_string()))
}

/// Parameters of a query, in their order.
fn parameters(query: &str) -> Result<Vec<(String, String)>, Fault> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decoded(key)?, decoded(value)?))
    };
    pairs.map(pair).collect()
}

fn search(class: Class, query: &str) -> Result<Target, Fault> {
    let parameters = parameters(query)?;
    let known: &[&str] = match class {
        Class::Domain => &["name", "nsLdhName", "nsIp"],
        Class::Nameserver => &["name", "ip"],
        Class::Entity => &["fn", "handle"],
    };
    let mut wanted = parameters
        .iter()
        .filter(|(key, _)| known.contains(&key.as_str()));
    let Some((key, value)) = wanted.next() else {
        return fault(400, format!("search by one of {}", known.join(", ")));
    };
    if wanted.next().is_some() {
        return fault(400, "search by one thing at a time");
    }
    let pattern = match (class, key.as_str()) {
        (Class::Domain, "nsLdhName") => Pattern::Servers(match names(value)? {
            Named::One(name) => Servers::Named(name),
            Named::Like(names) => Servers::Like(names),
        }),
        (Class::Domain, "nsIp") => Pattern::Servers(Servers::At(address(value)?)),
        (Class::Nameserver, "ip") => Pattern::Address(address(value)?),
        (Class::Entity, "fn") => {
            let (start, end) = halves(&value.to_lowercase())?;
            Pattern::Registrars(RegistrarPattern::Name(start, end))
        }
        (Class::Entity, _) => {
            let (start, end) = halves(value)?;
            Pattern::Registrars(RegistrarPattern::Handle(start, end))
        }
        _ => match names(value)? {
            Named::One(name) => Pattern::Exactly(name),
            Named::Like(names) => Pattern::Names(names),
        },
    };
    let view = View::read(class, &parameters, query)?;
    Ok(Target::Search(class, pattern, view))
}

/// What stands before the one asterisk, and behind it where there is one.
fn halves(value: &str) -> Result<(String, Option<String>), Fault> {
    match value.split_once('*') {
        Some((_, end)) if end.contains('*') => fault(422, "one asterisk at most"),
        Some((start, end)) => Ok((start.to_owned(), Some(end.to_owned()))),
        None if value.is_empty() => fault(400, "a pattern is missing"),
        None => Ok((value.to_owned(), None)),
    }
}

/// A name, or a pattern of names.
enum Named {
    One(QueryName),
    Like(Names),
}

/// A pattern of names (RFC 9082 section 4.1): its asterisk ends a label, and what comes
/// behind are whole labels.
fn names(value: &str) -> Result<Named, Fault> {
    if !value.contains('*') {
        let name = QueryName::parse(value);
        let name = name.or_else(|error| fault(400, error.to_string()))?;
        return Ok(Named::One(name));
    }
    let (start, end) = halves(value)?;
    let end = end.unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let (start, end) = (start.to_ascii_lowercase(), end.to_ascii_lowercase());
    if !start.chars().chain(end.chars()).all(is_plain) {
        return fault(
            422,
            "a pattern has letters, digits and hyphens; write A-labels",
        );
    }
    if !end.is_empty() && !end.starts_with('.') {
        return fault(422, "an asterisk ends a label here");
    }
    let label = start.rsplit('.').next().unwrap_or_default();
    if label.len() < PREFIX_CHARACTERS_MIN {
        let reason = format!("at least {PREFIX_CHARACTERS_MIN} characters before the asterisk");
        return fault(422, reason);
    }
    Ok(Named::Like(Names {
        prefix: start,
        suffix: end,
    }))
}

fn address(value: &str) -> Result<IpAddr, Fault> {
    let address = value.parse();
    address.or_else(|_| fault(400, "not an IPv4 or IPv6 address"))
}

#[cfg(test)]
mod tests;
