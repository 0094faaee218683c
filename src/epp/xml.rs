//! XML as EPP allows it: strict, bounded, namespace-aware (RFC 5730 section 5).
//!
//! A frame is UTF-8 and one element, without document type, processing instructions or
//! entities of its own: the five that XML has and characters by number are all that is
//! resolved, so nothing can grow while it is read. Depth, elements and attributes have
//! bounds. [`Sequence`] holds an element against the schema: order, cardinality,
//! attributes. What is written is escaped, whatever it was.

mod read;
mod sequence;
mod write;

use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use zeroize::Zeroizing;

use super::code::Code;
use super::fault::Fault;
use super::namespace::{EPP, SCHEMA_INSTANCE};

pub use read::read;
pub use sequence::Sequence;
pub use write::{Writer, escaped};

/// Most elements within each other.
pub const DEPTH_MAX: usize = 24;
/// Most elements of a frame.
pub const ELEMENTS_MAX: usize = 4096;
/// Most attributes of an element, declarations of namespaces among them.
pub const ATTRIBUTES_MAX: usize = 32;

/// An element with all that is in it. Its text may be a password: `Debug` shows none, and
/// it is wiped.
#[derive(Clone, PartialEq, Eq)]
pub struct Element {
    /// Its namespace; empty where it has none.
    pub namespace: Rc<str>,
    /// Its name without prefix.
    pub name: String,
    /// Its attributes, without declarations of namespaces.
    pub attributes: Vec<Attribute>,
    /// The elements in it.
    pub children: Vec<Self>,
    /// Its own text, without that of the elements in it.
    pub text: Zeroizing<String>,
    /// The line that it begins in, from 1.
    pub line: u32,
    /// Where in the frame its content stands.
    pub content: Range<usize>,
}

/// An attribute of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its namespace; empty where it has none, as those of EPP.
    pub namespace: Rc<str>,
    /// Its name without prefix.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Element {
    /// Namespace and name.
    pub fn place(&self) -> (&str, &str) {
        (&self.namespace, &self.name)
    }

    /// Whether it is this element.
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.place() == (namespace, name)
    }

    /// The first child of this name in the element's own namespace.
    pub fn child(&self, name: &str) -> Option<&Self> {
        let mut children = self.children.iter();
        children.find(|child| child.is(&self.namespace, name))
    }

    /// An attribute without namespace, its blanks collapsed as those of a token.
    pub fn attribute(&self, name: &str) -> Option<String> {
        let mut found = self.attributes.iter();
        let found =
            found.find(|attribute| attribute.namespace.is_empty() && attribute.name == name);
        found.map(|attribute| collapsed(&attribute.value))
    }

    /// A fault of this element. Its text is not repeated where it may be a secret.
    pub fn fault(&self, code: Code, reason: impl Into<String>) -> Fault {
        let value = match self.is_secret() {
            true => String::new(),
            false => collapsed(&self.text),
        };
        Fault::new(code, self.place(), &value, reason).at(self.line)
    }

    /// A fault of what the schema allows.
    pub fn syntax(&self, reason: impl Into<String>) -> Fault {
        self.fault(Code::CommandSyntax, reason)
    }

    /// Whether its text must not be repeated.
    pub fn is_secret(&self) -> bool {
        ["pw", "newPW", "allocationToken"].contains(&&*self.name)
    }

    /// Only these attributes, and those that any element may have.
    pub fn only_attributes(&self, names: &[&str]) -> Result<(), Fault> {
        let allowed = |attribute: &&Attribute| match &*attribute.namespace {
            "" => names.contains(&&*attribute.name),
            SCHEMA_INSTANCE => {
                ["schemaLocation", "noNamespaceSchemaLocation"].contains(&&*attribute.name)
            }
            _ => false,
        };
        if let Some(odd) = self.attributes.iter().find(|attribute| !allowed(attribute)) {
            return Err(self.syntax(format!("no attribute {} here", odd.name)));
        }
        match self.attribute("lang") {
            Some(tag) if !is_language(&tag) => {
                Err(self.fault(Code::ParameterSyntax, "lang is a language as en"))
            }
            _ => Ok(()),
        }
    }

    /// Its text, where it may have no elements and only these attributes.
    pub fn simple(&self, attributes: &[&str]) -> Result<&str, Fault> {
        self.only_attributes(attributes)?;
        match self.children.first() {
            Some(child) => Err(child.syntax(format!("no element within {}", self.name))),
            None => Ok(&self.text),
        }
    }

    /// Its text as a token (blanks collapsed) of so many characters.
    pub fn token(&self, attributes: &[&str], length: Range<usize>) -> Result<String, Fault> {
        self.long(collapsed(self.simple(attributes)?), length)
    }

    /// Its text as a normalized string (line ends and tabs are spaces) of so many
    /// characters.
    pub fn normalized(&self, attributes: &[&str], length: Range<usize>) -> Result<String, Fault> {
        self.long(normalized(self.simple(attributes)?), length)
    }

    fn long(&self, text: String, length: Range<usize>) -> Result<String, Fault> {
        if length.contains(&text.chars().count()) {
            return Ok(text);
        }
        let reason = match length.end {
            usize::MAX => format!("{} characters or more", length.start),
            end if length.start + 1 == end => format!("{} characters", length.start),
            end => format!("{} to {} characters", length.start, end - 1),
        };
        Err(self.fault(Code::ParameterSyntax, reason))
    }

    /// Nothing in it, neither text nor elements.
    pub fn empty(&self) -> Result<(), Fault> {
        match collapsed(self.simple(&[])?).is_empty() {
            true => Ok(()),
            false => Err(self.syntax("nothing may be in it")),
        }
    }

    /// An element of EPP itself.
    pub fn is_epp(&self, name: &str) -> bool {
        self.is(EPP, name)
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Element");
        shown.field("name", &self.name).field("line", &self.line);
        shown.field("children", &self.children).finish()
    }
}

/// As XML Schema collapses the blanks of a token.
pub fn collapsed(text: &str) -> String {
    let words = text.split([' ', '\t', '\n', '\r']);
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// As XML Schema replaces the blanks of a normalized string.
pub fn normalized(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}

/// Whether a text is a `language` of XML Schema.
pub fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_part = |part: &str, is_of: fn(u8) -> bool| {
        (1..=8).contains(&part.len()) && part.bytes().all(is_of)
    };
    let primary = parts.next().unwrap_or_default();
    is_part(primary, |byte| byte.is_ascii_alphabetic())
        && parts.all(|part| is_part(part, |byte| byte.is_ascii_alphanumeric()))
}

/// Whether XML 1.0 has this character.
pub(crate) fn is_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests;
