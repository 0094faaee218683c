//! A client's own name for its command, and where its values stand.

use super::super::namespace::EPP;
use super::super::xml::{Element, collapsed};

/// Most values that are remembered, so that a long list costs no more than a short one.
const PLACES_MAX: usize = 256;

/// A text of a command, and its element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Namespace of the element.
    pub namespace: String,
    /// Its name.
    pub element: String,
    /// Its text, or the word of a status.
    pub text: String,
}

/// Where the values of a command stand. No secret is among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places(Vec<Place>);

impl Places {
    /// Of an element and all within it.
    pub fn of(element: &Element) -> Self {
        let mut places = Self::default();
        places.add(element);
        places
    }

    fn add(&mut self, element: &Element) {
        if self.0.len() == PLACES_MAX || element.is_secret() {
            return;
        }
        let text = match element.attribute("s") {
            Some(status) => status,
            None => collapsed(&element.text),
        };
        if element.children.is_empty() && !text.is_empty() {
            self.0.push(Place {
                namespace: element.namespace.to_string(),
                element: element.name.clone(),
                text,
            });
        }
        for child in &element.children {
            self.add(child);
        }
    }

    /// Where a value stands: names are compared without regard to case, and with or
    /// without a final dot, as the registry takes them.
    pub fn find(&self, value: &str) -> Option<&Place> {
        let is_same = |text: &str| {
            let text = text.strip_suffix('.').unwrap_or(text);
            text.eq_ignore_ascii_case(value)
        };
        self.0.iter().find(|place| is_same(&place.text))
    }

    /// The first, which is what the command is about.
    pub fn first(&self) -> Option<&Place> {
        self.0.first()
    }
}

/// `clTRID` of a tree that need not be right otherwise, if it is one.
pub(super) fn of(root: &Element) -> Option<String> {
    let command = root.child("command")?;
    read(command.children.last()?).ok()
}

/// Reads `clTRID`: 3 to 64 characters.
pub(super) fn read(element: &Element) -> Result<String, super::Fault> {
    match element.is(EPP, "clTRID") {
        true => element.token(&[], 3..65),
        false => Err(element.syntax("clTRID is the last")),
    }
}
