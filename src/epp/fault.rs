//! Why a frame is no request, or a request cannot be obeyed as it was said.
//!
//! A fault names the code, the element and the rule, so that `extValue` can say which part
//! of the command is meant (RFC 5730 section 2.6). It never holds a password.

use super::code::Code;
use crate::registry::types::ValueError;

/// Longest text of a client's that is said back to it.
pub const ECHO_CHARACTERS_MAX: usize = 255;
/// Longest reason: it may have names of elements in it, which are the client's.
const REASON_CHARACTERS_MAX: usize = 1000;

/// Why something was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{element}: {reason} ({})", code.number())]
pub struct Fault {
    /// The code to answer.
    pub code: Code,
    /// Namespace of the element that is meant.
    pub namespace: String,
    /// Its name.
    pub element: String,
    /// What it said, as far as that may be repeated.
    pub value: String,
    /// What is wrong with it, and what would be right.
    pub reason: String,
    /// The line of the frame, from 1; 0 where no single line is meant.
    pub line: u32,
}

impl Fault {
    /// A fault of an element.
    pub fn new(
        code: Code,
        (namespace, element): (&str, &str),
        value: &str,
        reason: impl Into<String>,
    ) -> Self {
        let echo = |text: &str| text.chars().take(ECHO_CHARACTERS_MAX).collect();
        let reason: String = reason.into();
        Self {
            code,
            namespace: echo(namespace),
            // What a name begins with is a name.
            element: echo(element),
            value: echo(value),
            reason: reason.chars().take(REASON_CHARACTERS_MAX).collect(),
            line: 0,
        }
    }

    /// What the registry's own types say about the text of an element.
    pub(crate) fn of_value(place: (&str, &str), error: ValueError) -> Self {
        Self::new(error.code.into(), place, &error.value, error.reason)
    }

    /// At a line.
    #[must_use]
    pub fn at(self, line: u32) -> Self {
        Self { line, ..self }
    }
}
