//! Who has to agree to a change before it is made, as far as a zone's policy says it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Column;
use super::model::columns;
use crate::registry::signing::named;

/// Most approvers of a zone or a lock.
const APPROVERS_MAX: usize = 32;
/// Longest name of one.
const NAME_CHARACTERS_MAX: usize = 64;

named! {
    /// Whether what registrars ask for in a zone is done at once.
    ChangeControl:
        /// It is.
        Auto = "auto",
        /// Operators have to approve it.
        Verify = "verify",
        /// A registrant or administrative contact has to sign it.
        Signed = "signed",
}

named! {
    /// Whether the registrant of a domain is asked before somebody else gets it.
    RegistrantChange:
        /// No.
        Free = "free",
        /// It may forbid it.
        Veto = "veto",
}

named! {
    /// What it means that nobody says anything.
    Silence:
        /// Consent.
        Approve = "approve",
        /// None.
        Reject = "reject",
}

named! {
    /// What is done about name servers that are not as they should be.
    ServerCheck:
        /// Nothing: nobody looks.
        Off = "off",
        /// It is noted.
        Warn = "warn",
        /// It is refused.
        Require = "require",
}

columns!(ChangeControl, RegistrantChange, ServerCheck, Silence);

/// Operators by the names that the event log has them under.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Approvers(BTreeSet<String>);

impl Approvers {
    /// How many.
    pub fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Whether somebody is one of them.
    pub fn has(&self, who: &str) -> bool {
        self.0.contains(who)
    }
}

impl TryFrom<Vec<String>> for Approvers {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        let is_good = |name: &String| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._@+-".contains(&byte);
            (1..=NAME_CHARACTERS_MAX).contains(&name.len()) && name.bytes().all(is_plain)
        };
        if let Some(bad) = names.iter().find(|name| !is_good(name)) {
            return Err(format!(
                "{bad:?} is no name of an operator: {NAME_CHARACTERS_MAX} letters, digits and \
                 .-_@+ at most"
            ));
        }
        let names: BTreeSet<_> = names.into_iter().collect();
        if names.len() > APPROVERS_MAX {
            return Err(format!("{APPROVERS_MAX} approvers at most"));
        }
        Ok(Self(names))
    }
}

impl Column for Approvers {
    fn to_column(&self) -> String {
        self.to_string()
    }

    fn from_column(text: &str) -> Option<Self> {
        let names = text.split_ascii_whitespace().map(str::to_owned);
        Self::try_from(names.collect::<Vec<_>>()).ok()
    }
}

impl fmt::Display for Approvers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(String::as_str).collect();
        f.write_str(&names.join(" "))
    }
}
