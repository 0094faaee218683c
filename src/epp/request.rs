//! A tree to a request that the schemas allow (RFC 5730 section 2.5 and those of the
//! objects and extensions).
//!
//! Structure that a schema does not have is 2001, a value that is none 2005, a number
//! outside its range 2004. Values are read into the registry's own types, so what is a
//! [`Request`] needs no second look. What only policy forbids waits in
//! [`Request::refusal`], since existence and sponsorship come before it.

mod command;
mod contact;
mod domain;
mod host;
mod login;
mod poll;
mod transaction;
mod values;

use std::collections::BTreeSet;

use super::code::Code;
use super::extension::ExtensionData;
use super::fault::Fault;
use super::namespace::{self, EPP};
use super::xml::{self, Element, Sequence};
use crate::registry;
use crate::registry::command::domain::DomainQuery;

pub use login::{Login, LoginSecurity, Secret, UserAgent};
pub use poll::Poll;
pub use transaction::{Place, Places};
pub(super) use values::boolean;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The client's own name for it (`clTRID`), given back as it is.
    pub client_transaction: Option<String>,
    /// What is to be done.
    pub command: Command,
    /// What policy forbids about it, whatever the registry holds: said only after what
    /// comes earlier in the order of checks.
    pub refusal: Option<Fault>,
    /// Namespaces of the object and of the extensions: the login must have declared them.
    pub uses: BTreeSet<&'static str>,
    /// Where its values stand, for answers that name them.
    pub places: Places,
    /// A token for a name that is held (RFC 8495).
    pub token: Option<Secret>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Say the greeting again.
    Hello,
    /// Begin a session.
    Login(Box<Login>),
    /// End it.
    Logout,
    /// Look at the messages that wait.
    Poll(Poll),
    /// Say which of these names can be registered; some may be no names.
    DomainCheck(Vec<String>),
    /// Show a domain.
    DomainInfo(DomainInfo),
    /// Say which of these hosts can be made.
    HostCheck(Vec<String>),
    /// Say which of these contacts can be made.
    ContactCheck(Vec<String>),
    /// What the registry has a command for.
    Registry(Box<registry::Command>),
}

/// What is to be shown of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainInfo {
    /// Which one, and what authorizes to see all of it.
    pub query: DomainQuery,
    /// Which hosts.
    pub hosts: Hosts,
    /// Whether its token is asked for (RFC 8495 section 3.1.2).
    pub asks_token: bool,
}

/// Which hosts of a domain are shown (RFC 5731 section 3.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the RFC")]
pub enum Hosts {
    All,
    Delegated,
    Subordinate,
    None,
}

/// What a command asks of the server, for limits and measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Hello, login, logout.
    Session,
    /// Check, info, poll, transfer query.
    Query,
    /// What changes something.
    Transform,
}

impl Command {
    /// What it asks of the server.
    pub fn class(&self) -> Class {
        match self {
            Self::Hello | Self::Login(_) | Self::Logout => Class::Session,
            Self::Registry(command) if !command.is_read() => Class::Transform,
            _ => Class::Query,
        }
    }

    /// Its name for measures and logs: object and verb.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Login(_) => "login",
            Self::Logout => "logout",
            Self::Poll(Poll::Next) => "poll-req",
            Self::Poll(Poll::Acknowledge(_)) => "poll-ack",
            Self::DomainCheck(_) => "domain-check",
            Self::DomainInfo(_) => "domain-info",
            Self::HostCheck(_) => "host-check",
            Self::ContactCheck(_) => "contact-check",
            Self::Registry(command) => command.kind(),
        }
    }
}

/// A frame that is no request, with what is needed to answer it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub fault: Box<Fault>,
    /// The client's own name for it, as far as it could be found.
    pub client_transaction: Option<String>,
}

impl Request {
    /// Reads the XML of a frame.
    pub fn read(octets: &[u8]) -> Result<Self, Refused> {
        let refused = |fault, client_transaction| Refused {
            fault: Box::new(fault),
            client_transaction,
        };
        let root = xml::read(octets).map_err(|fault| refused(fault, None))?;
        let transaction = transaction::of(&root);
        Self::of_tree(&root, octets).map_err(|fault| refused(fault, transaction))
    }

    fn of_tree(root: &Element, octets: &[u8]) -> Result<Self, Fault> {
        if !root.is_epp("epp") {
            return Err(root.syntax(format!("the root is epp of {EPP}")));
        }
        let mut within = Sequence::of(root, &[])?;
        if let Some(hello) = within.optional("hello") {
            hello.empty()?;
            within.end()?;
            return Ok(Self::new(Command::Hello));
        }
        let Some(element) = within.optional("command") else {
            let known = ["greeting", "response", "extension"];
            let found = known.iter().find_map(|name| within.optional(name));
            return Err(match found {
                Some(odd) => odd.fault(Code::UnknownCommand, "a client says hello or command"),
                None => within.missing("command"),
            });
        };
        within.end()?;
        command::read(element, octets)
    }

    fn new(command: Command) -> Self {
        Self {
            client_transaction: None,
            command,
            refusal: None,
            uses: BTreeSet::new(),
            places: Places::default(),
            token: None,
        }
    }

    /// Keeps the first of what policy forbids.
    fn refuse(&mut self, fault: Fault) {
        self.refusal.get_or_insert(fault);
    }

    /// The object's namespace, of those that the command uses.
    pub fn object(&self) -> Option<&'static str> {
        let mut used = self.uses.iter().copied();
        used.find(|used| namespace::OBJECTS.contains(used))
    }
}

/// What stands in `<extension>`, read.
type Extensions = Vec<ExtensionData>;

#[cfg(test)]
mod tests;
