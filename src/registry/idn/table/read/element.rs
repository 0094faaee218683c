//! Elements with their place, for errors that say where.

use roxmltree::{Document, Node};

use super::super::TableFault;
use super::super::class;

/// The namespace of RFC 7940.
const NAMESPACE: &str = "urn:ietf:params:xml:ns:lgr-1.0";

/// An element of the table's namespace.
#[derive(Clone, Copy)]
pub(super) struct Element<'d>(Node<'d, 'd>);

impl<'d> Element<'d> {
    pub(super) fn root(document: &'d Document<'d>) -> Self {
        Self(document.root_element())
    }

    /// Refuses a document with elements deeper than that.
    pub(super) fn nested_at_most(&self, depth_max: usize) -> Result<(), TableFault> {
        let mut level = vec![*self];
        for _ in 0..depth_max {
            let nodes = level.iter().flat_map(|element| element.0.children());
            level = nodes.filter(Node::is_element).map(Self).collect();
        }
        level.first().map_or(Ok(()), |deep| {
            Err(deep.fault(format!("elements are nested {depth_max} deep at most")))
        })
    }

    /// Its name; nothing of another namespace has one.
    pub(super) fn name(&self) -> &'d str {
        match self.0.tag_name().namespace() {
            Some(NAMESPACE) => self.0.tag_name().name(),
            _ => "",
        }
    }

    /// Its text; empty where it has none.
    pub(super) fn text(&self) -> &'d str {
        self.0.text().unwrap_or_default()
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&'d str> {
        self.0.attribute(name)
    }

    /// An attribute that has to be there.
    pub(super) fn required(&self, name: &str) -> Result<&'d str, TableFault> {
        self.attribute(name)
            .ok_or_else(|| self.fault(format!("{} needs the attribute {name}", self.name())))
    }

    /// Code points of an attribute: `0061 0062`.
    pub(super) fn code_points(&self, name: &str) -> Result<Vec<char>, TableFault> {
        let text = self.required(name)?;
        let code_points = text.split_ascii_whitespace().map(class::code_point);
        code_points
            .collect::<Result<_, _>>()
            .map_err(|reason| self.fault(reason))
    }

    /// The elements in it. Text between them is a fault.
    pub(super) fn children(&self) -> Result<Vec<Self>, TableFault> {
        let mut children = Vec::new();
        for node in self.0.children() {
            if node.is_element() {
                children.push(Self(node));
            } else if node.is_text() && !node.text().unwrap_or_default().trim().is_empty() {
                return Err(self.fault(format!("{} has no text", self.name())));
            }
        }
        Ok(children)
    }

    /// The one child of that name, if there is one.
    pub(super) fn child(&self, name: &str) -> Result<Option<Self>, TableFault> {
        let children = self.children()?;
        let mut named = children.into_iter().filter(|child| child.name() == name);
        let first = named.next();
        match named.next() {
            Some(second) => Err(second.fault(format!("there is one element {name}"))),
            None => Ok(first),
        }
    }

    pub(super) fn only_children(&self, allowed: &[&str]) -> Result<(), TableFault> {
        for child in self.children()? {
            if !allowed.contains(&child.name()) {
                let name = child.0.tag_name().name();
                return Err(child.fault(format!("{} has no element {name}", self.name())));
            }
        }
        Ok(())
    }

    /// Refuses other attributes than these, `comment` and `ref`.
    pub(super) fn only_attributes(&self, allowed: &[&str]) -> Result<(), TableFault> {
        for attribute in self.0.attributes() {
            let name = attribute.name();
            if !allowed.contains(&name) && !["comment", "ref"].contains(&name) {
                return Err(self.fault(format!("{} has no attribute {name}", self.name())));
            }
        }
        Ok(())
    }

    /// For an element that has no others in it.
    pub(super) fn must_be_leaf(&self) -> Result<(), TableFault> {
        if self.0.children().any(|node| node.is_element()) {
            Err(self.fault(format!("{} has no elements in it", self.name())))
        } else {
            Ok(())
        }
    }

    /// A fault at this place.
    pub(super) fn fault(&self, reason: impl Into<String>) -> TableFault {
        let place = self.0.document().text_pos_at(self.0.range().start);
        let reason = reason.into();
        TableFault {
            line: place.row,
            reason,
        }
    }
}
