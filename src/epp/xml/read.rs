//! Octets to a tree.
//!
//! quick-xml cuts the text into events; what it lets pass and XML does not is refused
//! here, and namespaces are resolved here, with bounds.

use std::rc::Rc;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use zeroize::Zeroizing;

use super::{ATTRIBUTES_MAX, Attribute, DEPTH_MAX, ELEMENTS_MAX, Element, is_character};
use crate::epp::code::Code;
use crate::epp::fault::Fault;
use crate::epp::frame::FRAME_BYTES_MAX;

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Reads the one element of a frame.
pub fn read(octets: &[u8]) -> Result<Element, Fault> {
    let fault = |line, reason: &str| Err(fault(line, "", reason));
    if octets.len() > FRAME_BYTES_MAX {
        return fault(0, "more octets than a frame may have");
    }
    let Ok(text) = std::str::from_utf8(octets) else {
        return fault(0, "a frame is UTF-8");
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(at) = text.find(|c| !is_character(c)) {
        let line = 1 + text[..at].matches('\n').count();
        return fault(
            u32::try_from(line).unwrap_or(0),
            "a character that XML does not have",
        );
    }
    Tree::new(text).run()
}

fn fault(line: u32, element: &str, reason: impl Into<String>) -> Fault {
    Fault::new(Code::CommandSyntax, ("", element), "", reason).at(line)
}

/// A tree that grows.
struct Tree<'t> {
    text: &'t str,
    reader: Reader<&'t [u8]>,
    /// Where the event begins that is looked at.
    start: usize,
    line: u32,
    elements: usize,
    /// Elements that are open, the root first.
    open: Vec<Element>,
    root: Option<Element>,
    /// Prefixes, their namespaces, and how many elements were open at the declaration.
    bindings: Vec<(String, Rc<str>, usize)>,
}

impl<'t> Tree<'t> {
    fn new(text: &'t str) -> Self {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.check_comments = true;
        config.check_end_names = true;
        Self {
            text,
            reader,
            start: 0,
            line: 1,
            elements: 0,
            open: Vec::new(),
            root: None,
            bindings: vec![
                (String::new(), Rc::from(""), 0),
                ("xml".to_owned(), Rc::from(XML), 0),
            ],
        }
    }

    fn fault(&self, reason: impl Into<String>) -> Fault {
        let element = self.open.last().map_or("", |element| &*element.name);
        fault(self.line, element, reason)
    }

    fn position(&self) -> usize {
        let position = usize::try_from(self.reader.buffer_position());
        position.unwrap_or(self.text.len()).min(self.text.len())
    }

    fn run(mut self) -> Result<Element, Fault> {
        loop {
            self.start = self.position();
            let event = self.reader.read_event();
            let event = event.map_err(|error| self.fault(format!("not well-formed: {error}")))?;
            match event {
                Event::Start(start) => self.open(&start)?,
                Event::Empty(start) => {
                    self.open(&start)?;
                    let end = self.position();
                    self.close(end)?;
                }
                Event::End(_) => self.close(self.start)?,
                Event::Text(text) => self.text(&text.xml10_content())?,
                Event::CData(data) => self.data(&data.xml10_content())?,
                Event::GeneralRef(reference) => self.reference(&reference)?,
                Event::Comment(_) => {}
                Event::Decl(_) => self.declaration()?,
                Event::DocType(_) => return Err(self.fault("no document type is allowed")),
                Event::PI(_) => return Err(self.fault("no processing instruction is allowed")),
                Event::Eof => break,
            }
            let passed = &self.text[self.start..self.position()];
            let lines = passed.bytes().filter(|byte| *byte == b'\n').count();
            self.line += u32::try_from(lines).unwrap_or(0);
        }
        if !self.open.is_empty() {
            return Err(self.fault("an element without an end"));
        }
        let none = self.fault("no element");
        self.root.ok_or(none)
    }

    /// `<?xml version="1.0" encoding="UTF-8"?>`, first or not at all.
    fn declaration(&self) -> Result<(), Fault> {
        if self.start != 0 {
            return Err(self.fault("an XML declaration stands first"));
        }
        let written = &self.text[..self.position()];
        let inside = written.strip_prefix("<?xml");
        let inside = inside.and_then(|written| written.strip_suffix("?>"));
        let parts = inside.and_then(declared);
        let parts = parts.ok_or_else(|| self.fault("no XML declaration is written so"))?;
        let [version, encoding, standalone] = parts;
        if version != Some("1.0") {
            return Err(self.fault("the version of XML is 1.0"));
        }
        if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("UTF-8")) {
            return Err(self.fault("the encoding is UTF-8"));
        }
        match standalone {
            None | Some("yes" | "no") => Ok(()),
            Some(_) => Err(self.fault("standalone is yes or no")),
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Fault> {
        if self.root.is_some() {
            return Err(self.fault("something after the end of the root"));
        }
        self.elements += 1;
        if self.open.len() == DEPTH_MAX || self.elements > ELEMENTS_MAX {
            let reason = format!("{DEPTH_MAX} elements deep and {ELEMENTS_MAX} in all at most");
            return Err(self.fault(reason));
        }
        let depth = self.open.len() + 1;
        let mut attributes = Vec::new();
        if !is_spaced(start.attributes_raw()) {
            return Err(self.fault("a space between attributes"));
        }
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| self.fault(error.to_string()))?;
            let (key, raw) = (attribute.key.as_ref(), &attribute.value);
            if attributes.len() == ATTRIBUTES_MAX || self.bindings.len() > ATTRIBUTES_MAX {
                return Err(self.fault(format!("{ATTRIBUTES_MAX} attributes at most")));
            }
            let value = attribute.normalized_value(XmlVersion::Explicit1_0);
            let value = value.map_err(|error| self.fault(error.to_string()))?;
            if raw.contains('<') || !value.chars().all(is_character) {
                return Err(self.fault(format!("attribute {key} has a character it may not have")));
            }
            match key.strip_prefix("xmlns") {
                Some("") => self.bind("", &value, depth)?,
                Some(rest) if rest.starts_with(':') => self.bind(&rest[1..], &value, depth)?,
                _ => attributes.push((key.to_owned(), value.into_owned())),
            }
        }
        let name = start.name();
        let (namespace, name) = self.resolved(name.as_ref(), true)?;
        let attributes = self.resolved_attributes(attributes)?;
        let content = self.position();
        self.open.push(Element {
            namespace,
            name,
            attributes,
            children: Vec::new(),
            text: Zeroizing::new(String::new()),
            line: self.line,
            content: content..content,
        });
        Ok(())
    }

    fn bind(&mut self, prefix: &str, namespace: &str, depth: usize) -> Result<(), Fault> {
        let is_reserved = prefix == "xml" || prefix == "xmlns" || [XML, XMLNS].contains(&namespace);
        let is_unbound = !prefix.is_empty() && namespace.is_empty();
        if is_reserved || is_unbound || !(prefix.is_empty() || is_name(prefix)) {
            return Err(self.fault(format!("prefix {prefix:?} cannot mean {namespace:?}")));
        }
        let namespace = Rc::from(namespace);
        self.bindings.push((prefix.to_owned(), namespace, depth));
        Ok(())
    }

    /// Namespace and local name.
    fn resolved(&self, name: &str, is_element: bool) -> Result<(Rc<str>, String), Fault> {
        let (prefix, local) = match name.split_once(':') {
            Some((prefix, local)) if !prefix.is_empty() => (prefix, local),
            Some(_) => return Err(self.fault(format!("{name:?} is no name"))),
            None => ("", name),
        };
        if !is_name(local) {
            return Err(self.fault(format!("{name:?} is no name")));
        }
        if prefix.is_empty() && !is_element {
            return Ok((Rc::from(""), local.to_owned()));
        }
        let mut bindings = self.bindings.iter().rev();
        match bindings.find(|(bound, _, _)| bound == prefix) {
            Some((_, namespace, _)) => Ok((namespace.clone(), local.to_owned())),
            None => Err(self.fault(format!("no namespace for prefix {prefix:?}"))),
        }
    }

    fn resolved_attributes(
        &self,
        attributes: Vec<(String, String)>,
    ) -> Result<Vec<Attribute>, Fault> {
        let mut resolved: Vec<Attribute> = Vec::with_capacity(attributes.len());
        for (key, value) in attributes {
            let (namespace, name) = self.resolved(&key, false)?;
            let is_same = |other: &Attribute| other.namespace == namespace && other.name == name;
            if resolved.iter().any(is_same) {
                return Err(self.fault(format!("attribute {key} twice")));
            }
            resolved.push(Attribute {
                namespace,
                name,
                value,
            });
        }
        Ok(resolved)
    }

    fn close(&mut self, end: usize) -> Result<(), Fault> {
        let depth = self.open.len();
        let closed = self.open.pop();
        let mut closed = closed.ok_or_else(|| self.fault("an end without a beginning"))?;
        closed.content.end = end.max(closed.content.start);
        self.bindings
            .retain(|(_, _, bound)| *bound < depth || depth == 0);
        match self.open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => self.root = Some(closed),
        }
        Ok(())
    }

    /// Characters between tags.
    fn text(&mut self, text: &str) -> Result<(), Fault> {
        if text.contains("]]>") {
            return Err(self.fault("]]> is no text"));
        }
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.chars().all(|c| " \t\r\n".contains(c)) => {}
            None => return Err(self.fault("text outside of the root")),
        }
        Ok(())
    }

    fn data(&mut self, text: &str) -> Result<(), Fault> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None => return Err(self.fault("text outside of the root")),
        }
        Ok(())
    }

    /// One of the five entities of XML, or a character by its number.
    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), Fault> {
        let by_number = reference.resolve_char_ref();
        let by_number = by_number.map_err(|error| self.fault(error.to_string()))?;
        let name = reference.xml10_content();
        let character = match (by_number, &*name) {
            (Some(c), _) if is_character(c) => c,
            (None, "lt") => '<',
            (None, "gt") => '>',
            (None, "amp") => '&',
            (None, "apos") => '\'',
            (None, "quot") => '"',
            _ => return Err(self.fault("no entities but those that XML has")),
        };
        match self.open.last_mut() {
            Some(element) => element.text.push(character),
            None => return Err(self.fault("text outside of the root")),
        }
        Ok(())
    }
}

/// Version, encoding and standalone of a declaration, in this order and nothing else.
fn declared(inside: &str) -> Option<[Option<&str>; 3]> {
    let blank = [' ', '\t', '\r', '\n'];
    let (mut parts, mut rest) = ([None; 3], inside);
    for (part, name) in parts.iter_mut().zip(["version", "encoding", "standalone"]) {
        let begun = rest.trim_start_matches(blank);
        let Some(value) = begun
            .strip_prefix(name)
            .filter(|_| begun.len() < rest.len())
        else {
            continue;
        };
        let value = value.trim_start_matches(blank).strip_prefix('=')?;
        let value = value.trim_start_matches(blank);
        let quote = value.chars().next().filter(|c| ['"', '\''].contains(c))?;
        let (value, after) = value[1..].split_once(quote)?;
        (*part, rest) = (Some(value), after);
    }
    rest.trim_start_matches(blank).is_empty().then_some(parts)
}

/// A name without colon, as far as XML has them.
fn is_name(name: &str) -> bool {
    let first = |c: char| c.is_alphabetic() || c == '_';
    let other = |c: char| c.is_alphanumeric() || "_-.\u{b7}".contains(c);
    name.starts_with(first) && name.chars().all(other)
}

/// Whether white space stands between each value and the next name.
fn is_spaced(attributes: &str) -> bool {
    let mut quote = None;
    let mut after_value = false;
    for c in attributes.chars() {
        match quote {
            Some(open) if c == open => (quote, after_value) = (None, true),
            Some(_) => {}
            None if after_value && !" \t\r\n".contains(c) => return false,
            None => {
                after_value = false;
                quote = (c == '"' || c == '\'').then_some(c);
            }
        }
    }
    true
}
