//! What is offered in the greeting, and what a client declared of it at its login
//! (RFC 5730 section 2.9.1.1).

use std::collections::BTreeSet;

use super::code::Code;
use super::fault::Fault;
use super::namespace::{self, EPP};
use super::request::Login;

/// The version of the protocol.
pub const VERSION: &str = "1.0";

/// What a server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Objects by their URI, in the order of the greeting.
    pub objects: Vec<String>,
    /// Extensions by their URI.
    pub extensions: Vec<String>,
    /// Languages of texts for people.
    pub languages: Vec<String>,
}

impl Default for Offer {
    fn default() -> Self {
        let owned = |uris: &[&str]| uris.iter().map(|uri| (*uri).to_owned()).collect();
        Self {
            objects: owned(&namespace::OBJECTS),
            extensions: owned(&namespace::EXTENSIONS),
            languages: vec!["en".to_owned()],
        }
    }
}

/// What a client can read: the namespaces that may be sent to it where they belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    declared: BTreeSet<String>,
    /// The language that it chose.
    pub language: String,
}

impl Services {
    /// Everything that is offered.
    pub fn all(offer: &Offer) -> Self {
        Self {
            declared: offer
                .objects
                .iter()
                .chain(&offer.extensions)
                .cloned()
                .collect(),
            language: offer
                .languages
                .first()
                .cloned()
                .unwrap_or_else(|| "en".to_owned()),
        }
    }

    /// What a login and an offer have in common; a login that asks for more is refused.
    pub fn agree(offer: &Offer, login: &Login) -> Result<Self, Fault> {
        let fault = |code, element, value: &str, reason| {
            Err(Fault::new(code, (EPP, element), value, reason))
        };
        if login.version != VERSION {
            let reason = format!("the version is {VERSION}");
            return fault(
                Code::UnimplementedVersion,
                "version",
                &login.version,
                reason,
            );
        }
        let language = offer
            .languages
            .iter()
            .find(|offered| offered.eq_ignore_ascii_case(&login.language));
        let Some(language) = language else {
            let reason = format!("offered are {}", offer.languages.join(" "));
            return fault(Code::UnimplementedOption, "lang", &login.language, reason);
        };
        if let Some(odd) = login
            .objects
            .iter()
            .find(|uri| !offer.objects.contains(uri))
        {
            let reason = "not among the objects of the greeting".to_owned();
            return fault(Code::UnimplementedService, "objURI", odd, reason);
        }
        if let Some(odd) = login
            .extensions
            .iter()
            .find(|uri| !offer.extensions.contains(uri))
        {
            let reason = "not among the extensions of the greeting".to_owned();
            return fault(Code::UnimplementedExtension, "extURI", odd, reason);
        }
        Ok(Self {
            declared: login
                .objects
                .iter()
                .chain(&login.extensions)
                .cloned()
                .collect(),
            language: language.clone(),
        })
    }

    /// Whether the client can read this namespace.
    pub fn has(&self, namespace: &str) -> bool {
        self.declared.contains(namespace)
    }
}
