//! A tree to text.
//!
//! Texts may come from anywhere: they are escaped, and characters that XML does not have
//! are replaced, so that what is written can always be read.

use super::is_character;

/// Writes a document from its beginning to its end.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    out: String,
    open: Vec<String>,
}

impl Writer {
    /// A document with its declaration.
    pub fn document() -> Self {
        Self {
            out: "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n".to_owned(),
            open: Vec::new(),
        }
    }

    /// A piece of one.
    pub fn fragment() -> Self {
        Self::default()
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)], end: &str) {
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes {
            self.out.push(' ');
            self.out.push_str(key);
            self.out.push_str("=\"");
            self.out.push_str(&escaped(value));
            self.out.push('"');
        }
        self.out.push_str(end);
    }

    /// Begins an element.
    pub fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes, ">");
        self.open.push(name.to_owned());
    }

    /// Ends the element that was begun last.
    pub fn close(&mut self) {
        let name = self.open.pop().expect("each end has its beginning");
        self.out.push_str("</");
        self.out.push_str(&name);
        self.out.push('>');
    }

    /// An element with nothing in it.
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes, "/>");
    }

    /// An element with text in it.
    pub fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.tag(name, attributes, ">");
        self.text(text);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// An element with text in it, where there is one.
    pub fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.leaf(name, &[], text);
        }
    }

    /// Text.
    pub fn text(&mut self, text: &str) {
        self.out.push_str(&escaped(text));
    }

    /// What another writer wrote.
    pub fn raw(&mut self, fragment: &str) {
        self.out.push_str(fragment);
    }

    /// The text.
    pub fn finish(self) -> String {
        assert!(self.open.is_empty(), "each beginning has its end");
        self.out
    }
}

/// A text that can stand between tags and quotes and comes back as it is.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Else they are lost, in attributes and at the ends of lines.
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            c if is_character(c) => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    out
}
