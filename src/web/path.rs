//! What a request's path and query ask for.
//!
//! Percent escapes are undone once; what comes out is text without control characters, or
//! the request is answered with 400. What people paste in (an address of a page, blanks
//! around a name) is taken as they meant it, in the search field only.

use std::net::IpAddr;

use super::words;
use crate::lookup::QueryName;
use crate::net::percent::{decode, encode};

/// Octets of what a registrar may be called; WHOIS takes no longer lines.
const REGISTRAR_BYTES_MAX: usize = 255;
/// Octets of a path and query that are looked at.
const TARGET_BYTES_MAX: usize = 4_096;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The field to search by.
    Home,
    /// What can be asked and what is shown.
    Help,
    /// A file of ours.
    Asset(Asset),
    /// Nothing was written into the field.
    Empty,
    /// A name of a domain or of a host.
    Either(QueryName),
    /// Whether a name could be registered.
    Availability(QueryName),
    /// An object, in one of its forms.
    Object(Subject, View),
    /// Hosts with an address.
    Servers(IpAddr),
    /// What is at another address.
    Moved(String),
}

/// What every page uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the files")]
pub enum Asset {
    Style,
    Icon,
    Robots,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the classes of objects")]
pub enum Subject {
    Domain(QueryName),
    Nameserver(QueryName),
    /// By its number at IANA, its handle or its name.
    Registrar(String),
}

/// How an object is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// In our words.
    Summary,
    /// As WHOIS has it, on a page.
    Whois,
    /// As WHOIS sends it.
    WhoisText,
    /// As RDAP has it, on a page.
    Rdap,
}

/// Why there is no target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// HTTP's status code.
    pub status: u16,
    /// What is wrong, for people: a sentence without its final dot.
    pub reason: String,
    /// What was written, for the field.
    pub asked: String,
}

impl Subject {
    /// What a person calls it.
    pub fn text(&self) -> &str {
        match self {
            Self::Domain(name) | Self::Nameserver(name) => name.ascii(),
            Self::Registrar(text) => text,
        }
    }

    /// The path of its page.
    pub fn path(&self) -> String {
        let class = match self {
            Self::Domain(_) => "domain",
            Self::Nameserver(_) => "nameserver",
            Self::Registrar(_) => "registrar",
        };
        format!("/{class}/{}", encode(self.text()))
    }

    /// The line by which WHOIS is asked for it.
    pub fn whois_line(&self) -> String {
        match self {
            Self::Domain(name) => format!("domain {}", name.ascii()),
            Self::Nameserver(name) => format!("nameserver {}", name.ascii()),
            Self::Registrar(text) => format!("registrar {text}"),
        }
    }

    /// The path below RDAP's address (RFC 9082 section 3.1).
    pub fn rdap_path(&self) -> String {
        match self {
            Self::Domain(name) => format!("domain/{}", name.ascii()),
            Self::Nameserver(name) => format!("nameserver/{}", name.ascii()),
            Self::Registrar(text) => format!("entity/{}", encode(text)),
        }
    }
}

impl Target {
    /// For logs: what kind of request it is; nothing for what reads nothing.
    pub fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Home | Self::Help | Self::Asset(_) | Self::Empty | Self::Moved(_) => None,
            Self::Either(_) => Some("search"),
            Self::Availability(_) => Some("availability"),
            Self::Object(Subject::Domain(_), _) => Some("domain"),
            Self::Object(Subject::Nameserver(_), _) => Some("nameserver"),
            Self::Object(Subject::Registrar(_), _) => Some("registrar"),
            Self::Servers(_) => Some("nameservers"),
        }
    }
}

/// Reads a path and its query.
pub fn read(path: &str, query: &str) -> Result<Target, Fault> {
    if path.len() + query.len() > TARGET_BYTES_MAX {
        return fault(400, "The request is too long", "");
    }
    match path {
        "/" => return Ok(Target::Home),
        "/help" => return Ok(Target::Help),
        "/style.css" => return Ok(Target::Asset(Asset::Style)),
        "/icon.svg" | "/favicon.ico" => return Ok(Target::Asset(Asset::Icon)),
        "/robots.txt" => return Ok(Target::Asset(Asset::Robots)),
        "/lookup" => return search(&field(query)?),
        "/availability" => return availability(&field(query)?),
        _ => {}
    }
    let missing = || fault(404, "There is no page at this address", "");
    let mut segments = path.trim_start_matches('/').splitn(3, '/');
    let (class, text, view) = (segments.next(), segments.next(), segments.next());
    let (Some(class), Some(text)) = (class, text) else {
        return missing();
    };
    let view = match view {
        None => View::Summary,
        Some("whois") => View::Whois,
        Some("whois.txt") => View::WhoisText,
        Some("rdap") => View::Rdap,
        Some(_) => return missing(),
    };
    let Some(text) = decode(text) else {
        return fault(
            400,
            "The address of this page has characters that no name has",
            "",
        );
    };
    match class {
        "domain" => Ok(Target::Object(Subject::Domain(name(&text)?), view)),
        "nameserver" => Ok(Target::Object(Subject::Nameserver(name(&text)?), view)),
        "registrar" if !text.trim().is_empty() => {
            Ok(Target::Object(Subject::Registrar(registrar(&text)?), view))
        }
        "address" if view == View::Summary => match text.parse() {
            Ok(address) => Ok(Target::Servers(address)),
            Err(_) => fault(400, "This is not an IPv4 or IPv6 address", &text),
        },
        _ => missing(),
    }
}

fn fault<T>(status: u16, reason: impl Into<String>, asked: &str) -> Result<T, Fault> {
    Err(Fault {
        status,
        reason: reason.into(),
        asked: asked.to_owned(),
    })
}

fn name(text: &str) -> Result<QueryName, Fault> {
    QueryName::parse(text).or_else(|error| fault(400, words::sentence(&error.to_string()), text))
}

fn registrar(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    if text.len() > REGISTRAR_BYTES_MAX {
        return fault(400, "No registrar has so long a name", "");
    }
    Ok(text.to_owned())
}

/// What was written into the field, as a form sends it.
fn field(query: &str) -> Result<String, Fault> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("q="));
    let value = value.unwrap_or_default().replace('+', " ");
    match decode(&value) {
        Some(text) => Ok(text.trim().to_owned()),
        None => fault(400, "A name has no control characters", ""),
    }
}

/// What a person means who pastes the address of a page.
fn host_of(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn search(text: &str) -> Result<Target, Fault> {
    let host = host_of(text);
    if host.is_empty() {
        return Ok(Target::Empty);
    }
    if host.parse::<IpAddr>().is_ok() {
        return Ok(Target::Moved(format!("/address/{}", encode(host))));
    }
    if !host.contains('.') || host.contains(char::is_whitespace) {
        let subject = Subject::Registrar(registrar(text)?);
        return Ok(Target::Moved(subject.path()));
    }
    match QueryName::parse(host) {
        Ok(name) => Ok(Target::Either(name)),
        // Names of registrars have full stops as well.
        Err(error) => fault(400, words::sentence(&error.to_string()), text),
    }
}

fn availability(text: &str) -> Result<Target, Fault> {
    match host_of(text) {
        "" => Ok(Target::Empty),
        host => Ok(Target::Availability(name(host)?)),
    }
}

#[cfg(test)]
mod tests;
