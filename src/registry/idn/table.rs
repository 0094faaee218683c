//! A label generation ruleset (RFC 7940): what a zone takes in one script.
//!
//! Read once from XML, then asked about labels. An operator's table may be large and
//! its rules may be nested, so what is read is bounded in size, depth and in what a
//! question about a label costs.

mod class;
mod judge;
mod read;
mod rule;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

pub use judge::Refusal;

use rule::{Operator, Shape};

/// Octets of a table. The largest published ones, of Han characters, have about 10 MiB.
const TABLE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Code points and sequences of a table.
const ENTRIES_MAX: usize = 200_000;

/// A table that keeps the rules of RFC 7940.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    languages: Vec<String>,
    version: Option<String>,
    entries: HashMap<Vec<char>, Entry>,
    /// Code points of the longest sequence.
    sequence_max: usize,
    actions: Vec<Action>,
}

/// Why a text is no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct TableFault {
    /// Where, from 1.
    pub line: u32,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl Table {
    /// Reads a table.
    ///
    /// # Errors
    ///
    /// Everything that RFC 7940 says must be rejected, and what goes beyond
    /// 32 MiB.
    pub fn parse(xml: &str) -> Result<Self, TableFault> {
        read::table(xml)
    }

    /// The languages and scripts it is for (RFC 5646 tags).
    pub fn languages(&self) -> &[String] {
        &self.languages
    }

    /// Its version, where it has one.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Its code points and sequences.
    pub fn entries(&self) -> usize {
        self.entries.len()
    }
}

/// A code point or sequence that labels may have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Entry {
    context: Option<Context>,
    /// Variant mappings onto itself (RFC 7940 section 5.3.4).
    reflexive: Vec<Reflexive>,
    /// What stands for the set of its variants in an index label (section 8.5);
    /// itself where there is none.
    index: Option<Arc<[char]>>,
}

/// Type and condition of a variant mapping onto itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reflexive {
    kind: Option<Arc<str>>,
    context: Option<Context>,
}

/// `when` or `not-when` (section 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Context {
    rule: Arc<Rule>,
    /// Whether the rule has to match.
    is_wanted: bool,
}

/// A rule with a name (section 6.3).
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    name: String,
    operators: Vec<Operator>,
    shape: Shape,
}

/// What gives a label its disposition (section 7).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Action {
    disposition: String,
    rule: Option<Context>,
    variants: Option<Variants>,
}

/// The trigger by variant types (section 7.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Variants {
    kind: VariantTrigger,
    types: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VariantTrigger {
    Any,
    All,
    Only,
}

impl Context {
    /// Whether it holds for the code points at `place..end` of a label.
    fn holds(&self, label: &[char], place: usize, end: usize) -> bool {
        self.rule.matches(label, Some(place..end)) == self.is_wanted
    }
}

impl Rule {
    fn new(name: String, operators: Vec<Operator>) -> Self {
        let shape = Shape::of(&operators);
        Self {
            name,
            operators,
            shape,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests;
