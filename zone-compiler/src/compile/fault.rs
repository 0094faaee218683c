//! What is wrong with a zone: faults refuse it, warnings are told.

use std::fmt;

/// Most faults or warnings that are kept with their text; further ones are counted.
pub const FINDINGS_MAX: usize = 1_000;

/// One thing that is wrong, at one name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Owner name.
    pub owner: String,
    /// What is wrong and what to do.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.owner, self.text)
    }
}

/// Findings of one kind, bounded.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    count: u64,
}

impl Findings {
    pub(crate) fn push(&mut self, owner: &[u8], text: impl Into<String>) {
        self.count += 1;
        if self.kept.len() < FINDINGS_MAX {
            let owner = super::table::display(owner);
            self.kept.push(Finding {
                owner,
                text: text.into(),
            });
        }
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.count += other.count;
        let room = FINDINGS_MAX - self.kept.len();
        self.kept.extend(other.kept.into_iter().take(room));
    }

    /// Sorts by owner, so that two runs print the same.
    pub(crate) fn sort(&mut self) {
        self.kept.sort();
    }

    /// How many there are, those without text included.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The first [`FINDINGS_MAX`] of them.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.kept.iter()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.kept {
            writeln!(f, "  {finding}")?;
        }
        match self.count - self.kept.len() as u64 {
            0 => Ok(()),
            more => writeln!(f, "  and {more} more"),
        }
    }
}
