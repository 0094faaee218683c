//! The words of a policy.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Column;
use crate::registry::signing::named;

named! {
    /// Whose contacts a registry keeps: a thin registry has none, a thick one those of
    /// every domain.
    DataModel:
        /// Thin: registrars keep them.
        Minimum = "minimum",
        /// Thick: the registry does.
        Maximum = "maximum",
        /// As each registrar does it.
        PerRegistrar = "per-registrar",
}

named! {
    /// What comes at the end of a registration.
    Expiry:
        /// Nothing.
        Keep = "keep",
        /// Another year.
        AutoRenew = "auto-renew",
        /// The same as when its registrar deletes it.
        Delete = "delete",
}

named! {
    /// Whether a restored domain needs a report.
    ReportRule:
        /// It does, or goes back.
        Required = "required",
        /// The request is enough.
        Unneeded = "unneeded",
}

named! {
    /// What a label may look like.
    NameRule:
        /// Letters, digits, and hyphens inside.
        Rfc1123 = "rfc1123",
        /// The same, beginning with a letter.
        Rfc1035 = "rfc1035",
}

named! {
    /// Whether what parked domains answer is signed, where the zone is.
    ParkedAnswers:
        /// No: the zone proves that they have no DS.
        Unsigned = "unsigned",
        /// Each has a DS, and a signed zone of its own.
        Signed = "signed",
        /// Not any more: the DS are gone, and the signed zones wait until no cache has one.
        Withdrawn = "withdrawn",
}

named! {
    /// What becomes of the contacts of a domain that goes to another registrar.
    TransferContacts:
        /// They stay, and the losing registrar's.
        Keep = "keep",
        /// Those that the gaining registrar does not sponsor are copied for it.
        Copy = "copy",
}

named! {
    /// What a contact is for a domain, beside its registrant.
    ContactRole:
        /// Administers it.
        Admin = "admin",
        /// Runs its servers.
        Tech = "tech",
        /// Pays for it.
        Billing = "billing",
        /// Hears of its abuse; not in RFC 5731.
        Abuse = "abuse",
}

named! {
    /// What name servers are.
    HostModel:
        /// Objects, which domains name.
        Objects = "objects",
        /// Attributes of each domain that names them (RFC 5731 section 1.1).
        Attributes = "attributes",
}

named! {
    /// Of what DS records are made.
    DsInterface:
        /// They are given (RFC 5910 section 4.1).
        Ds = "ds",
        /// Of keys that are given (RFC 5910 section 4.2).
        Keys = "keys",
}

named! {
    /// Whether a zone, or a registrar's account, is for tests.
    Stage:
        /// It is not.
        Production = "production",
        /// It is.
        Sandbox = "sandbox",
}

macro_rules! columns {
    ($($type:ty),+) => {
        $(impl Column for $type {
            fn to_column(&self) -> String {
                self.name().to_owned()
            }

            fn from_column(text: &str) -> Option<Self> {
                Self::parse(text)
            }
        })+
    };
}
pub(super) use columns;
columns!(
    DataModel,
    Expiry,
    ReportRule,
    NameRule,
    HostModel,
    DsInterface,
    ParkedAnswers,
    Stage,
    TransferContacts
);

/// Several roles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContactRoles(pub BTreeSet<ContactRole>);

impl Column for ContactRoles {
    fn to_column(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|role| role.name()).collect();
        names.join(" ")
    }

    fn from_column(text: &str) -> Option<Self> {
        let roles = text.split_ascii_whitespace().map(ContactRole::parse);
        roles.collect::<Option<_>>().map(Self)
    }
}

impl fmt::Display for ContactRoles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_column())
    }
}
