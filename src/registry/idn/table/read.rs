//! From XML to a table (RFC 7940 sections 4 to 7).
//!
//! The tree of elements is the library's; a document type, and so entities, are
//! refused by it. What an element must not have is an error here, as a rule that is
//! read wrong would take labels that its author refused.

mod data;
mod element;
mod rules;

use std::collections::HashMap;
use std::sync::Arc;

use roxmltree::{Document, ParsingOptions};

use super::class::Class;
use super::{Action, Rule, TABLE_BYTES_MAX, Table, TableFault};
use element::Element;

/// Nodes of a document.
const NODES_MAX: u32 = 4_000_000;
/// Elements inside elements; what follows goes down into them.
const DEPTH_MAX: usize = 80;

pub(super) fn table(xml: &str) -> Result<Table, TableFault> {
    if xml.len() > TABLE_BYTES_MAX {
        let reason = format!("a table has at most {TABLE_BYTES_MAX} octets");
        return Err(TableFault { line: 1, reason });
    }
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: NODES_MAX,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(xml, options).map_err(|error| TableFault {
        line: error.pos().row,
        reason: error.to_string(),
    })?;
    let root = Element::root(&document);
    root.nested_at_most(DEPTH_MAX)?;
    if root.name() != "lgr" {
        return Err(root.fault("a table is an element lgr of urn:ietf:params:xml:ns:lgr-1.0"));
    }
    root.only_attributes(&[])?;
    root.only_children(&["meta", "data", "rules"])?;
    let mut reader = Reader::default();
    if let Some(meta) = root.child("meta")? {
        reader.meta(&meta)?;
    }
    let Some(data) = root.child("data")? else {
        return Err(root.fault("a table has an element data with its code points"));
    };
    reader.tags(&data)?;
    if let Some(rules) = root.child("rules")? {
        reader.rules(&rules)?;
    }
    reader.data(&data)
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    languages: Vec<String>,
    version: Option<String>,
    has_unicode_version: bool,
    /// First and last code points with a tag.
    tags: HashMap<String, Vec<(char, char)>>,
    classes: HashMap<String, Arc<Class>>,
    rules: HashMap<String, Arc<Rule>>,
    actions: Vec<Action>,
}

impl Reader {
    fn meta(&mut self, meta: &Element<'_>) -> Result<(), TableFault> {
        for child in meta.children()? {
            match child.name() {
                "language" => self.languages.push(child.text().trim().to_owned()),
                "version" => self.version = Some(child.text().trim().to_owned()),
                "unicode-version" => self.has_unicode_version = true,
                "date" | "scope" | "validity-start" | "validity-end" | "description"
                | "references" => {}
                other => return Err(child.fault(format!("meta has no element {other}"))),
            }
        }
        Ok(())
    }
}
