//! One label of a name.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ValueError, host_syntax, text_value};

/// A label below a zone's apex, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

impl Label {
    /// Reads letters, digits and hyphens without a dot.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        if text.contains('.') {
            return Err(ValueError::syntax(text, "one label, without its zone"));
        }
        host_syntax(text).map(Self)
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_value!(Label);
