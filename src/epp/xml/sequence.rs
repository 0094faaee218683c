//! An element's children in the order of its schema.
//!
//! What is not asked for is refused at the end, so nothing that a client says is ever
//! passed over.

use super::{Element, collapsed};
use crate::epp::fault::Fault;

/// The children of an element that are still to come.
#[derive(Debug)]
pub struct Sequence<'e> {
    parent: &'e Element,
    rest: &'e [Element],
}

impl<'e> Sequence<'e> {
    /// Of an element that has elements in it, no text, and only these attributes.
    pub fn of(parent: &'e Element, attributes: &[&str]) -> Result<Self, Fault> {
        parent.only_attributes(attributes)?;
        if !collapsed(&parent.text).is_empty() {
            return Err(parent.syntax(format!("no text within {}", parent.name)));
        }
        let rest = &parent.children;
        Ok(Self { parent, rest })
    }

    /// The element that they are in.
    pub fn parent(&self) -> &'e Element {
        self.parent
    }

    /// The next one, if it has this name in the parent's namespace.
    pub fn optional(&mut self, name: &str) -> Option<&'e Element> {
        let (first, rest) = self.rest.split_first()?;
        first.is(&self.parent.namespace, name).then(|| {
            self.rest = rest;
            first
        })
    }

    /// The next one, which must have this name.
    pub fn required(&mut self, name: &str) -> Result<&'e Element, Fault> {
        let found = self.optional(name);
        found.ok_or_else(|| self.missing(name))
    }

    /// Up to `most` of this name.
    pub fn many(&mut self, name: &str, most: usize) -> Vec<&'e Element> {
        let mut found = Vec::new();
        while found.len() < most {
            let Some(element) = self.optional(name) else {
                break;
            };
            found.push(element);
        }
        found
    }

    /// One to `most` of this name.
    pub fn some(&mut self, name: &str, most: usize) -> Result<Vec<&'e Element>, Fault> {
        let found = self.many(name, most);
        match found.is_empty() {
            true => Err(self.missing(name)),
            false => Ok(found),
        }
    }

    /// The next one, of whatever other namespace.
    pub fn any(&mut self) -> Option<&'e Element> {
        let (first, rest) = self.rest.split_first()?;
        (first.namespace != self.parent.namespace && !first.namespace.is_empty()).then(|| {
            self.rest = rest;
            first
        })
    }

    /// Nothing more may come.
    pub fn end(self) -> Result<(), Fault> {
        match self.rest.first() {
            None => Ok(()),
            Some(odd) => {
                let reason = format!(
                    "{} is not expected here, or once too often, within {}",
                    odd.name, self.parent.name
                );
                Err(odd.syntax(reason))
            }
        }
    }

    /// What should have come.
    pub fn missing(&self, name: &str) -> Fault {
        let parent = &self.parent.name;
        match self.rest.first() {
            Some(odd) => {
                let reason = format!("{parent} has {name} where {} stands", odd.name);
                odd.syntax(reason)
            }
            None => self.parent.syntax(format!("{parent} has no {name}")),
        }
    }
}
