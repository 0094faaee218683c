//! Lines of `Key: value`, in which nothing of a value is a line of its own.

use std::fmt::Write as _;

use crate::lookup::{Timestamp, is_plain, time_text};

/// What stands in the place of what is not shown.
const REDACTED: &str = "REDACTED";

/// A text under way.
#[derive(Debug, Default)]
pub(super) struct Form {
    text: String,
}

impl Form {
    /// A line of our own words.
    pub(super) fn line(&mut self, text: &str) {
        self.push_escaped(text);
        self.text.push_str("\r\n");
    }

    /// A value under its key.
    pub(super) fn field(&mut self, key: &str, value: &str) {
        self.text.push_str(key);
        self.text.push(':');
        if !value.is_empty() {
            self.text.push(' ');
            self.push_escaped(value);
        }
        self.text.push_str("\r\n");
    }

    /// The same with nothing where there is nothing.
    pub(super) fn field_or_empty(&mut self, key: &str, value: Option<&str>) {
        self.field(key, value.unwrap_or_default());
    }

    pub(super) fn redacted(&mut self, key: &str) {
        self.field(key, REDACTED);
    }

    /// A moment, to the second.
    pub(super) fn time(&mut self, key: &str, at: Timestamp) {
        self.field(key, &seconds(at));
    }

    pub(super) fn end(self) -> String {
        self.text
    }

    /// Control characters, ends of lines and marks that turn the direction of writing are
    /// shown by their numbers.
    fn push_escaped(&mut self, text: &str) {
        for c in text.chars() {
            if is_plain(c) {
                self.text.push(c);
            } else {
                write!(self.text, "\\u{{{:x}}}", u32::from(c)).expect("a String takes all");
            }
        }
    }
}

/// `2026-01-31T12:00:00Z`.
pub(super) fn seconds(at: Timestamp) -> String {
    let text = time_text(at);
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}
