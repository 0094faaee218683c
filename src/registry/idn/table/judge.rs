//! What a table says of a label (RFC 7940 section 8).

use std::fmt;

use super::rule::LABEL_MAX;
use super::{Action, Entry, Table, VariantTrigger, Variants};

/// Why a table does not take a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A code point that it does not have.
    OutOfRepertoire(char),
    /// A code point or sequence that it has in other surroundings only.
    Context {
        /// What.
        sequence: Vec<char>,
        /// The rule that says so.
        rule: String,
    },
    /// A rule over the whole label.
    Disposition {
        /// `invalid`, `blocked` or another word of the table.
        disposition: String,
        /// The rule that was matched, or was not.
        rule: Option<String>,
    },
    /// Two variant mappings of one code point onto itself hold at once: a fault of the
    /// table (section 8.4).
    Ambiguous(Vec<char>),
    /// More code points than a label can have.
    TooLong,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRepertoire(c) => write!(f, "{} is not in the table", code(&[*c])),
            Self::Context { sequence, rule } => {
                write!(
                    f,
                    "{} stands where rule {rule} keeps it from",
                    code(sequence)
                )
            }
            Self::Disposition { disposition, rule } => {
                write!(f, "the table says {disposition}")?;
                rule.iter()
                    .try_for_each(|rule| write!(f, " by rule {rule}"))
            }
            Self::Ambiguous(sequence) => write!(
                f,
                "the table has two variants of {} onto itself here; it needs mending",
                code(sequence)
            ),
            Self::TooLong => write!(f, "a label has at most {LABEL_MAX} code points"),
        }
    }
}

/// Code points as `U+0061 U+0062`.
fn code(sequence: &[char]) -> String {
    let codes = sequence.iter().map(|c| format!("U+{:04X}", *c as u32));
    codes.collect::<Vec<_>>().join(" ")
}

/// Dispositions with which a label can be registered (section 7.3); of a table's own
/// words nobody knows what they mean.
const REGISTRABLE: [&str; 3] = ["valid", "allocatable", "activated"];

impl Table {
    /// Takes a label or says why not. What comes back is its index label (section 8.5):
    /// labels with the same are variants of each other, of which only one may be there.
    ///
    /// # Errors
    ///
    /// See [`Refusal`].
    pub fn judge(&self, label: &[char]) -> Result<String, Refusal> {
        if label.len() > LABEL_MAX {
            return Err(Refusal::TooLong);
        }
        let mut types = Vec::new();
        let mut index = String::new();
        let mut place = 0;
        while place < label.len() {
            let (end, entry) = self.eligible(label, place)?;
            let sequence = &label[place..end];
            types.push(reflexive(entry, label, place, end)?);
            match &entry.index {
                Some(stand_in) => index.extend(stand_in.iter()),
                None => index.extend(sequence),
            }
            place = end;
        }
        let (disposition, rule) = self.disposition(label, &types);
        if REGISTRABLE.contains(&disposition) {
            return Ok(index);
        }
        Err(Refusal::Disposition {
            disposition: disposition.to_owned(),
            rule: rule.map(str::to_owned),
        })
    }

    /// The longest sequence that may stand at `place`, and where it ends (section 8.1).
    fn eligible(&self, label: &[char], place: usize) -> Result<(usize, &Entry), Refusal> {
        let mut refusal = Refusal::OutOfRepertoire(label[place]);
        let longest = self.sequence_max.min(label.len() - place);
        for end in (place + 1..=place + longest).rev() {
            let Some(entry) = self.entries.get(&label[place..end]) else {
                continue;
            };
            match &entry.context {
                Some(context) if !context.holds(label, place, end) => {
                    let rule = context.rule.to_string();
                    let sequence = label[place..end].to_vec();
                    refusal = Refusal::Context { sequence, rule };
                }
                _ => return Ok((end, entry)),
            }
        }
        Err(refusal)
    }

    /// The disposition of a label with these variants of itself, and the rule that gave
    /// it (section 8.3).
    fn disposition(&self, label: &[char], types: &[Mapped<'_>]) -> (&str, Option<&str>) {
        for action in &self.actions {
            if action.is_triggered(label, types) {
                let rule = action.rule.as_ref().map(|rule| rule.rule.name.as_str());
                return (&action.disposition, rule);
            }
        }
        (default_disposition(types), None)
    }
}

/// What a place of the label is a variant of itself by: not at all, or with a type, or
/// without one.
type Mapped<'t> = Option<Option<&'t str>>;

fn reflexive<'t>(
    entry: &'t Entry,
    label: &[char],
    place: usize,
    end: usize,
) -> Result<Mapped<'t>, Refusal> {
    let mut defined = entry.reflexive.iter().filter(|variant| {
        let context = variant.context.as_ref();
        context.is_none_or(|context| context.holds(label, place, end))
    });
    let Some(variant) = defined.next() else {
        return Ok(None);
    };
    if defined.next().is_some() {
        return Err(Refusal::Ambiguous(label[place..end].to_vec()));
    }
    Ok(Some(variant.kind.as_deref()))
}

impl Action {
    fn is_triggered(&self, label: &[char], types: &[Mapped<'_>]) -> bool {
        let by_rule = self.rule.as_ref().is_none_or(|rule| {
            // An action is about the whole label; there is no code point to stand at.
            rule.rule.matches(label, None) == rule.is_wanted
        });
        by_rule && self.variants.as_ref().is_none_or(|v| v.are_in(types))
    }
}

impl Variants {
    fn are_in(&self, types: &[Mapped<'_>]) -> bool {
        let is_named = |kind: &Option<&str>| {
            kind.is_some_and(|kind| self.types.iter().any(|named| named == kind))
        };
        let mut mapped = types.iter().flatten();
        let is_mapped = types.iter().any(Option::is_some);
        match self.kind {
            VariantTrigger::Any => mapped.any(is_named),
            VariantTrigger::All => is_mapped && mapped.all(is_named),
            VariantTrigger::Only => {
                is_mapped && types.iter().all(Option::is_some) && mapped.all(is_named)
            }
        }
    }
}

/// Section 7.6.
fn default_disposition(types: &[Mapped<'_>]) -> &'static str {
    let mapped = || types.iter().flatten();
    for word in ["invalid", "blocked", "allocatable"] {
        if mapped().any(|kind| *kind == Some(word)) {
            return word;
        }
    }
    if mapped().next().is_some() && mapped().all(|kind| *kind == Some("activated")) {
        "activated"
    } else {
        "valid"
    }
}
