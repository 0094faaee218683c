//! From what was looked up to what stands on a page, without markup.
//!
//! Of contacts it has what disclosure let through; what was withheld is named once, so that
//! nobody takes it for missing.

mod contact;
mod dns;
mod registrar;

use super::moment::Moment;
use super::words;
use crate::disclosure::PublicContact;
use crate::lookup::names::unicode;
use crate::lookup::{DomainRecord, HostRecord, ServerRecord};
use crate::net::percent::encode;

#[cfg(test)]
pub(super) use contact::section as contact;
pub(super) use dns::{Dns, dns, host};
pub(super) use registrar::registrar;

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    /// What it is.
    pub(super) kind: &'static str,
    /// What it is called, as the registry has it.
    pub(super) name: String,
    /// In U-labels, where it has any.
    pub(super) unicode: Option<String>,
    /// What is to be seen at once.
    pub(super) marks: Vec<Mark>,
    /// Sections of the object itself.
    pub(super) main: Vec<Section>,
    /// Sections of who stands behind it.
    pub(super) side: Vec<Section>,
}

/// A word in a colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) tone: Tone,
    pub(super) text: &'static str,
}

/// Never the only thing that tells something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Plain,
    Warn,
}

impl Tone {
    /// Its class in the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Plain => "plain",
            Self::Warn => "warn",
        }
    }
}

/// Facts that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) rows: Vec<Row>,
}

/// A fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) values: Vec<Value>,
}

/// What is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    /// What people compare letter by letter.
    Code(String),
    Time(Moment),
    /// A page of ours.
    Page {
        href: String,
        text: String,
    },
    /// A page of somebody else's.
    Web(String),
    Mail(String),
    /// A word of the registry, and what it means.
    Status {
        word: String,
        meaning: &'static str,
    },
    /// What is not there, or not shown, in words.
    Note(String),
}

impl Value {
    /// A link where a browser may be led there, or else a text.
    pub(super) fn web(text: &str) -> Self {
        let is_known = text.starts_with("https://") || text.starts_with("http://");
        match is_known && text.bytes().all(|octet| octet.is_ascii_graphic()) {
            true => Self::Web(text.to_owned()),
            false => Self::Text(text.to_owned()),
        }
    }

    /// The same for what a mail program takes.
    pub(super) fn mail(text: &str) -> Self {
        let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"@.-_+".contains(&octet);
        let parts = text.split_once('@');
        let has_both = parts.is_some_and(|(who, place)| !who.is_empty() && !place.is_empty());
        match has_both && text.bytes().all(is_plain) {
            true => Self::Mail(text.to_owned()),
            false => Self::Text(text.to_owned()),
        }
    }
}

/// Rows under way.
#[derive(Debug, Default)]
struct Rows(Vec<Row>);

impl Rows {
    fn one(&mut self, name: &'static str, value: Value) {
        self.many(name, vec![value]);
    }

    /// Nothing where there is none.
    fn many(&mut self, name: &'static str, values: Vec<Value>) {
        if !values.is_empty() {
            self.0.push(Row { name, values });
        }
    }

    fn text(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.one(name, Value::Text(text.to_owned()));
        }
    }

    fn section(self, title: &'static str) -> Section {
        let rows = self.0;
        Section { title, rows }
    }
}

fn statuses<'w>(words: impl IntoIterator<Item = &'w str>) -> Vec<Value> {
    let status = |word: &str| Value::Status {
        word: word.to_owned(),
        meaning: words::status(word),
    };
    words.into_iter().map(status).collect()
}

/// A domain and its contacts, as far as they are shown.
pub(super) fn domain(record: &DomainRecord, contacts: &[PublicContact]) -> Object {
    let mut registration = Rows::default();
    let set = record.statuses.iter().map(String::as_str);
    let all = set.chain(record.rgp_statuses.iter().copied());
    registration.many("Status", statuses(all));
    for (name, at) in [
        ("Registered", Some(record.created_at)),
        ("Registered until", record.expires_at),
        ("Last changed", record.updated_at),
        ("Last transferred", record.transferred_at),
    ] {
        if let Some(at) = at {
            registration.one(name, Value::Time(Moment::new(at)));
        }
    }
    registration.one("Registry ID", Value::Code(record.roid.clone()));
    let mut delegation = Rows::default();
    delegation.many("Name servers", servers(&record.servers));
    let ds = record.ds.iter().map(|ds| Value::Code(ds.to_string()));
    delegation.many("DS", ds.collect());
    if record.servers.is_empty() {
        delegation.one("Name servers", Value::Note("None".to_owned()));
    }
    if record.ds.is_empty() {
        let text = match record.is_parked_signed {
            true => "Signed by the registry, which has parked it",
            false => "Not signed: there is no DS record",
        };
        delegation.one("DNSSEC", Value::Note(text.to_owned()));
    }
    let mut side = vec![registrar::short(&record.registrar)];
    side.extend(contacts.iter().map(contact::section));
    Object {
        kind: "Domain",
        name: record.name.clone(),
        unicode: unicode(&record.name),
        marks: domain_marks(record),
        main: vec![
            registration.section("Registration"),
            delegation.section("Delegation"),
        ],
        side,
    }
}

fn domain_marks(record: &DomainRecord) -> Vec<Mark> {
    let has = |word: &str| record.statuses.iter().any(|status| status == word);
    let is = |word: &str| record.rgp_statuses.contains(&word);
    let mut marks = vec![Mark {
        tone: Tone::Good,
        text: "Registered",
    }];
    for (holds, text) in [
        (has("clientHold") || has("serverHold"), "On hold"),
        (is("redemptionPeriod"), "Deleted, can be restored"),
        (is("pendingRestore"), "Being restored"),
        (is("pendingDelete"), "Being deleted"),
        (has("pendingTransfer"), "Being transferred"),
    ] {
        if holds {
            let tone = Tone::Warn;
            marks.push(Mark { tone, text });
        }
    }
    marks.push(match record.is_signed() {
        false => Mark {
            tone: Tone::Plain,
            text: "Not signed",
        },
        true => Mark {
            tone: Tone::Good,
            text: "Signed with DNSSEC",
        },
    });
    marks
}

fn servers(servers: &[ServerRecord]) -> Vec<Value> {
    let server = |server: &ServerRecord| match server.roid.as_str() {
        // It has no page: it is a part of its domain.
        "" => Value::Text(server.name.clone()),
        _ => server_page(&server.name),
    };
    servers.iter().map(server).collect()
}

fn server_page(name: &str) -> Value {
    Value::Page {
        href: format!("/nameserver/{}", encode(name)),
        text: name.to_owned(),
    }
}

/// A host.
pub(super) fn nameserver(record: &HostRecord) -> Object {
    let mut host = Rows::default();
    let addresses = record.addresses.iter().map(|address| {
        let text = address.to_string();
        let href = format!("/address/{}", encode(&text));
        Value::Page { href, text }
    });
    host.many("Addresses", addresses.collect());
    if record.addresses.is_empty() {
        let reason = "None in this registry: the host is in a zone of somebody else's";
        host.one("Addresses", Value::Note(reason.to_owned()));
    }
    host.many(
        "Status",
        statuses(record.statuses.iter().map(String::as_str)),
    );
    for (name, at) in [
        ("Created", Some(record.created_at)),
        ("Last changed", record.updated_at),
        ("Last transferred", record.transferred_at),
    ] {
        if let Some(at) = at {
            host.one(name, Value::Time(Moment::new(at)));
        }
    }
    host.one("Registry ID", Value::Code(record.roid.clone()));
    Object {
        kind: "Name server",
        name: record.name.clone(),
        unicode: unicode(&record.name),
        marks: Vec::new(),
        main: vec![host.section("Host")],
        side: vec![registrar::short(&record.registrar)],
    }
}

/// Hosts with an address; `has_more` where not all of them are here.
pub(super) fn servers_at(address: &str, names: &[&str], has_more: bool) -> Object {
    let mut found = Rows::default();
    found.many(
        "Name servers",
        names.iter().map(|name| server_page(name)).collect(),
    );
    if has_more {
        let reason = format!("Only the first {} are shown", names.len());
        found.one("More", Value::Note(reason));
    }
    Object {
        kind: "Address",
        name: address.to_owned(),
        unicode: None,
        marks: Vec::new(),
        main: vec![found.section("Name servers with this address")],
        side: Vec::new(),
    }
}
