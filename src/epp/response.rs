//! What a client is told, and how it is written (RFC 5730 sections 2.4 and 2.6).
//!
//! A code has its fixed text; why a command was refused stands in `extValue` with the
//! element that is meant. Data of namespaces that the client did not declare at its login
//! is moved there too (RFC 9038). No authorization information is ever in a response
//! (RFC 9154). What is written validates against the schemas.

mod contact;
mod domain;
mod greeting;
mod host;

use super::code::Code;
use super::extension::{ExtensionReply, unhandled};
use super::fault::Fault;
use super::namespace::{self, CONTACT, DOMAIN, EPP, HOST};
use super::services::Services;
use super::xml::{Writer, collapsed};
use crate::registry::Timestamp;
use crate::registry::calendar::to_text;
use crate::registry::command::contact::ContactInfo;
use crate::registry::command::domain::{DomainInfo, TransferInfo};
use crate::registry::command::host::HostInfo;

pub use greeting::Greeting;

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// How it went.
    pub code: Code,
    /// What is said about single values.
    pub details: Vec<Detail>,
    /// Messages that wait.
    pub queue: Option<Queue>,
    /// What was asked for.
    pub data: Option<Data>,
    /// What extensions add to it.
    pub extensions: Vec<ExtensionReply>,
    /// The client's own name for its command.
    pub client_transaction: Option<String>,
    /// The server's name for it: never the same twice.
    pub server_transaction: String,
}

/// What is said about a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// Namespace of the element that it is of.
    pub namespace: String,
    /// The element.
    pub element: String,
    /// The value.
    pub value: String,
    /// Why.
    pub reason: String,
}

impl From<Fault> for Detail {
    fn from(fault: Fault) -> Self {
        let reason = match (fault.element.as_str(), fault.line) {
            ("", 0) => fault.reason,
            ("", line) => format!("line {line}: {}", fault.reason),
            (element, 0) => format!("{element}: {}", fault.reason),
            (element, line) => format!("{element}, line {line}: {}", fault.reason),
        };
        Self {
            namespace: fault.namespace,
            element: fault.element,
            value: fault.value,
            reason,
        }
    }
}

/// Messages that wait (RFC 5730 section 2.9.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// How many.
    pub count: i64,
    /// Number of the oldest.
    pub id: String,
    /// When it was queued, where it is shown.
    pub queued_at: Option<Timestamp>,
    /// What it says, where it is shown.
    pub text: Option<String>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the elements of the RFCs")]
pub enum Data {
    DomainCheck(Vec<Check>),
    DomainInfo(Box<DomainView>),
    DomainCreated {
        name: String,
        created_at: Timestamp,
        expires_at: Option<Timestamp>,
    },
    DomainRenewed {
        name: String,
        expires_at: Option<Timestamp>,
    },
    DomainTransfer(TransferInfo),
    /// How a transfer of a contact stands.
    ContactTransfer(TransferInfo),
    HostCheck(Vec<Check>),
    HostInfo(Box<HostInfo>),
    HostCreated {
        name: String,
        created_at: Timestamp,
    },
    ContactCheck(Vec<Check>),
    ContactInfo(Box<ContactInfo>),
    ContactCreated {
        id: String,
        created_at: Timestamp,
    },
    /// A command that was begun was finished.
    Finished(Finished),
}

/// A domain, and which of its hosts are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainView {
    /// The domain.
    pub info: DomainInfo,
    /// Whether its name servers are shown.
    pub shows_delegated: bool,
    /// Whether the hosts below it are shown.
    pub shows_subordinate: bool,
}

/// Whether something can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// Why not.
    pub reason: Option<String>,
}

/// The end of a command that was answered with 1001 (RFC 5731 section 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Namespace of the object.
    pub namespace: &'static str,
    /// The object.
    pub name: String,
    /// Whether it was done.
    pub is_done: bool,
    /// The client's own name for the command.
    pub client_transaction: Option<String>,
    /// The server's name for it.
    pub server_transaction: String,
    /// When.
    pub at: Timestamp,
}

impl Response {
    /// A response with nothing but a code.
    pub fn new(
        code: Code,
        client_transaction: Option<String>,
        server_transaction: impl Into<String>,
    ) -> Self {
        Self {
            code,
            details: Vec::new(),
            queue: None,
            data: None,
            extensions: Vec::new(),
            client_transaction,
            server_transaction: server_transaction.into(),
        }
    }

    /// A command that was refused.
    pub fn refused(
        fault: Fault,
        client_transaction: Option<String>,
        server_transaction: impl Into<String>,
    ) -> Self {
        let mut response = Self::new(fault.code, client_transaction, server_transaction);
        response.details.push(fault.into());
        response
    }

    /// As the XML of a frame, for a client that declared `services`.
    pub fn write(&self, services: &Services) -> String {
        let data = self
            .data
            .as_ref()
            .map(|data| (data.namespace(), data.fragment()));
        let extensions = self.extensions.iter().map(|extension| {
            let mut out = Writer::fragment();
            extension.write(&mut out);
            (extension.namespace(), out.finish())
        });
        let extensions: Vec<_> = extensions.collect();
        let is_known = |namespace: &str| services.has(namespace);

        let mut out = Writer::document();
        out.open("epp", &[("xmlns", EPP)]);
        out.open("response", &[]);
        let number = self.code.number().to_string();
        out.open("result", &[("code", &number)]);
        out.leaf("msg", &[("lang", "en")], self.code.text());
        for detail in &self.details {
            detail.write(&mut out);
        }
        let fragments = data.iter().chain(&extensions);
        for (namespace, fragment) in fragments.filter(|(namespace, _)| !is_known(namespace)) {
            unhandled::write(namespace, fragment, &mut out);
        }
        out.close();
        if let Some(queue) = &self.queue {
            queue.write(&mut out);
        }
        if let Some((_, fragment)) = data.as_ref().filter(|(namespace, _)| is_known(namespace)) {
            out.open("resData", &[]);
            out.raw(fragment);
            out.close();
        }
        if extensions.iter().any(|(namespace, _)| is_known(namespace)) {
            out.open("extension", &[]);
            for (_, fragment) in extensions
                .iter()
                .filter(|(namespace, _)| is_known(namespace))
            {
                out.raw(fragment);
            }
            out.close();
        }
        self.write_transaction(&mut out);
        out.close();
        out.close();
        out.finish()
    }

    fn write_transaction(&self, out: &mut Writer) {
        out.open("trID", &[]);
        out.optional("clTRID", self.client_transaction.as_deref());
        out.leaf("svTRID", &[], &self.server_transaction);
        out.close();
    }
}

impl Detail {
    fn write(&self, out: &mut Writer) {
        out.open("extValue", &[]);
        out.open("value", &[]);
        let prefix = namespace::prefix(&self.namespace);
        let (name, binding) = match self.element.as_str() {
            // The schema wants an element, also where none is meant.
            "" => ("epp".to_owned(), ("xmlns", EPP)),
            element if self.namespace == EPP || self.namespace.is_empty() => {
                (element.to_owned(), ("xmlns", self.namespace.as_str()))
            }
            element => {
                let name = format!("{prefix}:{element}");
                (name, ("", self.namespace.as_str()))
            }
        };
        let declared = format!("xmlns:{prefix}");
        let key = match binding.0 {
            "" => declared.as_str(),
            key => key,
        };
        out.leaf(&name, &[(key, binding.1)], &self.value);
        out.close();
        out.leaf("reason", &[("lang", "en")], &collapsed(&self.reason));
        out.close();
    }
}

impl Queue {
    fn write(&self, out: &mut Writer) {
        let count = self.count.max(0).to_string();
        let attributes = [("count", count.as_str()), ("id", self.id.as_str())];
        if self.queued_at.is_none() && self.text.is_none() {
            out.empty("msgQ", &attributes);
            return;
        }
        out.open("msgQ", &attributes);
        out.optional("qDate", self.queued_at.map(to_text).as_deref());
        if let Some(text) = &self.text {
            out.leaf("msg", &[("lang", "en")], text);
        }
        out.close();
    }
}

impl Data {
    /// Its namespace.
    pub fn namespace(&self) -> &'static str {
        match self {
            Self::DomainCheck(_)
            | Self::DomainInfo(_)
            | Self::DomainCreated { .. }
            | Self::DomainRenewed { .. }
            | Self::DomainTransfer(_) => DOMAIN,
            Self::HostCheck(_) | Self::HostInfo(_) | Self::HostCreated { .. } => HOST,
            Self::ContactCheck(_)
            | Self::ContactInfo(_)
            | Self::ContactCreated { .. }
            | Self::ContactTransfer(_) => CONTACT,
            Self::Finished(finished) => finished.namespace,
        }
    }

    fn fragment(&self) -> String {
        let mut out = Writer::fragment();
        let out_ref = &mut out;
        match self {
            Self::DomainCheck(checks) => write_checks(DOMAIN, "name", checks, out_ref),
            Self::HostCheck(checks) => write_checks(HOST, "name", checks, out_ref),
            Self::ContactCheck(checks) => write_checks(CONTACT, "id", checks, out_ref),
            Self::DomainInfo(view) => domain::info(view, out_ref),
            Self::DomainCreated {
                name,
                created_at,
                expires_at,
            } => domain::created(name, *created_at, *expires_at, out_ref),
            Self::DomainRenewed { name, expires_at } => {
                domain::renewed(name, *expires_at, out_ref);
            }
            Self::DomainTransfer(transfer) => domain::transfer(transfer, out_ref),
            Self::ContactTransfer(transfer) => contact::transfer(transfer, out_ref),
            Self::HostInfo(info) => host::info(info, out_ref),
            Self::HostCreated { name, created_at } => host::created(name, *created_at, out_ref),
            Self::ContactInfo(info) => contact::info(info, out_ref),
            Self::ContactCreated { id, created_at } => {
                contact::created(id, *created_at, out_ref);
            }
            Self::Finished(finished) => finished.write(out_ref),
        }
        out.finish()
    }
}

/// `chkData` of any object.
fn write_checks(namespace: &str, key: &str, checks: &[Check], out: &mut Writer) {
    let prefix = namespace::prefix(namespace);
    let declared = format!("xmlns:{prefix}");
    out.open(&format!("{prefix}:chkData"), &[(&declared, namespace)]);
    for check in checks {
        let available = if check.reason.is_none() { "1" } else { "0" };
        out.open(&format!("{prefix}:cd"), &[]);
        let attributes = [("avail", available)];
        out.leaf(&format!("{prefix}:{key}"), &attributes, &check.name);
        if let Some(reason) = &check.reason {
            out.leaf(
                &format!("{prefix}:reason"),
                &[("lang", "en")],
                &brief(reason),
            );
        }
        out.close();
    }
    out.close();
}

impl Finished {
    /// `panData` of any object.
    fn write(&self, out: &mut Writer) {
        let prefix = namespace::prefix(self.namespace);
        let declared = format!("xmlns:{prefix}");
        out.open(&format!("{prefix}:panData"), &[(&declared, self.namespace)]);
        let key = if self.namespace == CONTACT {
            "id"
        } else {
            "name"
        };
        let done = if self.is_done { "1" } else { "0" };
        out.leaf(
            &format!("{prefix}:{key}"),
            &[("paResult", done)],
            &self.name,
        );
        out.open(&format!("{prefix}:paTRID"), &[]);
        // These two are of EPP itself, whose namespace is the default.
        out.optional("clTRID", self.client_transaction.as_deref());
        out.leaf("svTRID", &[], &self.server_transaction);
        out.close();
        out.leaf(&format!("{prefix}:paDate"), &[], &to_text(self.at));
        out.close();
    }
}

/// Longest `reason` of a check (`reasonBaseType`).
const BRIEF_CHARACTERS_MAX: usize = 32;

/// A reason at its first words, as many as the schema lets through.
pub(super) fn brief(reason: &str) -> String {
    let reason = collapsed(reason);
    if reason.is_empty() {
        return "-".to_owned();
    }
    if reason.chars().count() <= BRIEF_CHARACTERS_MAX {
        return reason;
    }
    let cut: String = reason.chars().take(BRIEF_CHARACTERS_MAX - 1).collect();
    let whole = cut.rfind(' ').filter(|at| *at > BRIEF_CHARACTERS_MAX / 2);
    let cut = whole.map_or(cut.as_str(), |at| &cut[..at]);
    format!("{}…", cut.trim_end_matches([' ', ':', ';', ',']))
}

#[cfg(test)]
mod tests;
