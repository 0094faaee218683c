//! What a registrar is told of changes that it did not make (RFC 8590).
//!
//! A command collects its notices while it runs; they are queued with its event, in its
//! transaction. Each has a kind of the catalogue, the object's states before and after, who
//! did it and why. A flood is bounded twice: what one command says of one kind to one
//! registrar is one message beyond [`SINGLE_MAX`], and in a queue of [`QUEUE_MAX`] nothing
//! but a summary grows. Domains that the registry moves one after the other, of one case, are
//! one message that grows until it is acknowledged. Never holds a secret: states are what `info` shows.

mod queue;
mod watch;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Cause;
use super::changes::Review;

pub(super) use queue::queue;
pub(super) use watch::Watch;

/// Messages of one kind that one command queues for one registrar; more become one.
pub const SINGLE_MAX: usize = 20;
/// Names that a message lists; its count has the rest.
pub const NAMES_MAX: usize = 20;
/// Messages that wait for a registrar; what comes beyond is counted in a summary.
pub const QUEUE_MAX: i64 = 10_000;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal, $object:ident, $operation:literal, $op:expr;)+) => {
        /// The catalogue of notices.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum NoticeKind {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $kind,)+
        }

        impl NoticeKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// Its name, stored and shown.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// Whether what several commands say is one message, while it waits.
            fn grows(self) -> bool {
                self == Self::DomainsMoved
            }

            /// What its object is.
            pub fn object_type(self) -> ObjectType {
                match self { $(Self::$kind => ObjectType::$object,)+ }
            }

            /// The operation of RFC 8590 section 2.1, and its `op` attribute.
            pub fn operation(self) -> (&'static str, Option<&'static str>) {
                match self { $(Self::$kind => ($operation, $op),)+ }
            }

            /// The kind of this name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name() == name)
            }
        }
    };
}

kinds! {
    /// The registry registered a domain for the registrar.
    DomainCreated = "domain-created", Domain, "create", None;
    /// The registry changed a domain: a hold, a lock, its name servers.
    DomainUpdated = "domain-updated", Domain, "update", None;
    /// The registry removed a domain.
    DomainDeleted = "domain-deleted", Domain, "delete", Some("purge");
    /// Another registrar asks for a domain.
    TransferRequested = "transfer-requested", Domain, "transfer", Some("request");
    /// A domain went over to the registrar that asked for it.
    TransferApproved = "transfer-approved", Domain, "transfer", Some("approve");
    /// The registrar that has the domain keeps it.
    TransferRejected = "transfer-rejected", Domain, "transfer", Some("reject");
    /// Who asked for a domain gave it up, or the registry ended the transfer.
    TransferCancelled = "transfer-cancelled", Domain, "transfer", Some("cancel");
    /// The registry gave domains of a registrar to another.
    DomainsMoved = "domains-moved", Domain, "custom", Some("domainsMoved");
    /// The registry made a host for the registrar.
    HostCreated = "host-created", Host, "create", None;
    /// The registry changed a host.
    HostUpdated = "host-updated", Host, "update", None;
    /// The registry removed a host, or it went with the domain above it.
    HostDeleted = "host-deleted", Host, "delete", Some("purge");
    /// A domain was removed, and name servers of the registrar's domains got other names.
    NameServersRenamed = "name-servers-renamed", Domain, "custom", Some("nameServersRenamed");
    /// Name servers of the registrar's domains still are hosts of domains that are gone.
    NameServersLame = "name-servers-lame", Domain, "custom", Some("nameServersLame");
    /// Somebody else asked for a change of the registrar's domain that others must agree to.
    DomainChangeWaits = "domain-change-waits", Domain, "custom", Some("changeWaits");
    /// A change of a domain that waited was made.
    DomainChangeApproved = "domain-change-approved", Domain, "custom", Some("changeApproved");
    /// It was not, and will not be.
    DomainChangeRefused = "domain-change-refused", Domain, "custom", Some("changeRefused");
    /// As of a domain.
    HostChangeWaits = "host-change-waits", Host, "custom", Some("changeWaits");
    /// As of a domain.
    HostChangeApproved = "host-change-approved", Host, "custom", Some("changeApproved");
    /// As of a domain.
    HostChangeRefused = "host-change-refused", Host, "custom", Some("changeRefused");
    /// As of a domain.
    ContactChangeWaits = "contact-change-waits", Contact, "custom", Some("changeWaits");
    /// As of a domain.
    ContactChangeApproved = "contact-change-approved", Contact, "custom", Some("changeApproved");
    /// As of a domain.
    ContactChangeRefused = "contact-change-refused", Contact, "custom", Some("changeRefused");
    /// As of a domain.
    ContactTransferRequested = "contact-transfer-requested", Contact, "transfer", Some("request");
    /// As of a domain.
    ContactTransferApproved = "contact-transfer-approved", Contact, "transfer", Some("approve");
    /// As of a domain.
    ContactTransferRejected = "contact-transfer-rejected", Contact, "transfer", Some("reject");
    /// As of a domain.
    ContactTransferCancelled = "contact-transfer-cancelled", Contact, "transfer", Some("cancel");
    /// The personal data of a contact was erased.
    ContactErased = "contact-erased", Contact, "custom", Some("contactErased");
    /// The queue was full: so many changes were not told one by one.
    Summary = "summary", Registrar, "custom", Some("summary");
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the objects of a registry")]
pub enum ObjectType {
    Domain,
    Host,
    Contact,
    Registrar,
}

impl ObjectType {
    fn column(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Host => "host",
            Self::Contact => "contact",
            Self::Registrar => "registrar",
        }
    }
}

/// What a message says beside its kind and object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Content {
    /// Who did it, in which role.
    pub who: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The object before it, as `info` shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The object afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// What became of a change that waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// Hosts that have another name now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<RenamedHost>,
    /// Objects that it tells of beside the one it names: at most [`NAMES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
}

/// A name server that the registrar's domains name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RenamedHost {
    /// Its name before.
    pub old: String,
    /// Its name now.
    pub new: String,
    /// The registrar's domains that name it: at most [`NAMES_MAX`].
    pub domains: Vec<String>,
    /// How many do.
    pub count: i64,
}

/// A notice on its way into a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Whom to tell.
    pub(crate) registrar_id: i64,
    pub(crate) kind: NoticeKind,
    /// Name of the object.
    pub(crate) object: String,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
    pub(crate) review: Option<Review>,
    pub(crate) renamed: Vec<RenamedHost>,
    /// Changes that it stands for.
    pub(crate) changes: i64,
}

impl Notice {
    /// That something happened to an object, without its states.
    pub(crate) fn new(registrar_id: i64, kind: NoticeKind, object: impl Into<String>) -> Self {
        Self {
            registrar_id,
            kind,
            object: object.into(),
            before: None,
            after: None,
            review: None,
            renamed: Vec::new(),
            changes: 1,
        }
    }
}

#[cfg(test)]
mod tests;
