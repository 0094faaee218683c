//! The one way by which a value comes into a page.
//!
//! Templates name this escaper for all of their kind, so that no value is left out. Markup
//! is text; control characters, ends of lines and marks that turn the direction of writing
//! are shown by their numbers, as WHOIS shows them.

use std::fmt::{self, Write};

use askama::filters::Escaper;

use crate::lookup::is_plain;

/// The escaper of pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Markup;

impl Escaper for Markup {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        // From where on what needs nothing was not written yet.
        let mut start = 0;
        for (at, c) in text.char_indices() {
            let reference = match c {
                '&' => "&#38;",
                '<' => "&#60;",
                '>' => "&#62;",
                '"' => "&#34;",
                '\'' => "&#39;",
                c if is_plain(c) => continue,
                _ => "",
            };
            dest.write_str(&text[start..at])?;
            match reference {
                "" => write!(dest, "\\u{{{:x}}}", u32::from(c))?,
                reference => dest.write_str(reference)?,
            }
            start = at + c.len_utf8();
        }
        dest.write_str(&text[start..])
    }
}
