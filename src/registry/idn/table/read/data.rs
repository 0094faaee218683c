//! Code points, sequences and their variants.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::{ENTRIES_MAX, Entry, Reflexive, Table, TableFault, class};
use super::{Element, Reader};

impl Reader {
    /// Collects which code points have which tag: classes refer to them.
    pub(super) fn tags(&mut self, data: &Element<'_>) -> Result<(), TableFault> {
        for child in data.children()? {
            let Some(tags) = child.attribute("tag") else {
                continue;
            };
            let ends = ends(&child)?;
            for tag in tags.split_ascii_whitespace() {
                self.tags.entry(tag.to_owned()).or_default().push(ends);
            }
        }
        Ok(())
    }

    /// The table, from its data and what was read before.
    pub(super) fn data(self, data: &Element<'_>) -> Result<Table, TableFault> {
        let mut entries = HashMap::new();
        let mut variants = Sets::default();
        for child in data.children()? {
            match child.name() {
                "char" => self.character(&child, &mut entries, &mut variants)?,
                "range" => self.range(&child, &mut entries)?,
                other => return Err(child.fault(format!("data has no element {other:?}"))),
            }
            if entries.len() > ENTRIES_MAX {
                let reason = format!("a table has at most {ENTRIES_MAX} code points");
                return Err(child.fault(reason));
            }
        }
        if entries.is_empty() {
            return Err(data.fault("a table has code points"));
        }
        for (sequence, index) in variants.indexes() {
            // Targets of mappings need not be in the repertoire.
            if let Some(entry) = entries.get_mut(&sequence) {
                entry.index = Some(index);
            }
        }
        Ok(Table {
            languages: self.languages,
            version: self.version,
            sequence_max: entries.keys().map(Vec::len).max().unwrap_or_default(),
            entries,
            actions: self.actions,
        })
    }

    fn character(
        &self,
        element: &Element<'_>,
        entries: &mut HashMap<Vec<char>, Entry>,
        variants: &mut Sets,
    ) -> Result<(), TableFault> {
        element.only_attributes(&["cp", "when", "not-when", "tag"])?;
        let sequence = element.code_points("cp")?;
        let mut entry = Entry {
            context: self.condition(element, "when", "not-when")?,
            ..Entry::default()
        };
        let mut seen = Vec::new();
        for child in element.children()? {
            if child.name() != "var" {
                return Err(child.fault("char has var elements only"));
            }
            child.only_attributes(&["cp", "type", "when", "not-when"])?;
            child.must_be_leaf()?;
            let target = child.code_points("cp")?;
            let context = self.condition(&child, "when", "not-when")?;
            let variant = (target, context);
            if seen.contains(&variant) {
                return Err(child.fault("this variant is there already"));
            }
            if variant.0 == sequence {
                let kind = child.attribute("type").map(Arc::from);
                let context = variant.1.clone();
                entry.reflexive.push(Reflexive { kind, context });
            } else {
                variants.join(&sequence, &variant.0);
            }
            seen.push(variant);
        }
        match (sequence.is_empty(), seen.is_empty()) {
            // The null sequence is no part of a label (section 5.3.3).
            (true, false) => Ok(()),
            (true, true) => Err(element.fault("the empty char is there for its variants")),
            (false, _) => insert(entries, sequence, entry, element),
        }
    }

    fn range(
        &self,
        element: &Element<'_>,
        entries: &mut HashMap<Vec<char>, Entry>,
    ) -> Result<(), TableFault> {
        element.only_attributes(&["first-cp", "last-cp", "when", "not-when", "tag"])?;
        element.must_be_leaf()?;
        let (first, last) = ends(element)?;
        let context = self.condition(element, "when", "not-when")?;
        for code_point in (first..=last).take(ENTRIES_MAX + 1) {
            let entry = Entry {
                context: context.clone(),
                ..Entry::default()
            };
            insert(entries, vec![code_point], entry, element)?;
        }
        Ok(())
    }
}

fn insert(
    entries: &mut HashMap<Vec<char>, Entry>,
    sequence: Vec<char>,
    entry: Entry,
    element: &Element<'_>,
) -> Result<(), TableFault> {
    match entries.insert(sequence, entry) {
        None => Ok(()),
        Some(_) => Err(element.fault("this code point is there already")),
    }
}

/// First and last code point of a `range`, or twice that of a `char`, which is no
/// sequence.
fn ends(element: &Element<'_>) -> Result<(char, char), TableFault> {
    let one = |name: &str| {
        let code_point = class::code_point(element.required(name)?);
        code_point.map_err(|reason| element.fault(reason))
    };
    if element.name() == "char" {
        let code_point = one("cp")?;
        return Ok((code_point, code_point));
    }
    let (first, last) = (one("first-cp")?, one("last-cp")?);
    if first > last {
        return Err(element.fault("the range ends before it begins"));
    }
    Ok((first, last))
}

/// Sequences that are variants of each other. A table ought to spell symmetry and
/// transitivity out; one that does not would let a label and its variant go to two
/// people, so they are assumed, whatever the conditions of the mappings.
#[derive(Default)]
struct Sets {
    numbers: HashMap<Vec<char>, usize>,
    /// The set that took each set in, or itself.
    parents: Vec<usize>,
}

impl Sets {
    fn join(&mut self, one: &[char], other: &[char]) {
        let (one, other) = (self.number(one), self.number(other));
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other)] = one.min(other);
    }

    fn number(&mut self, sequence: &[char]) -> usize {
        if let Some(number) = self.numbers.get(sequence) {
            return *number;
        }
        let number = self.parents.len();
        self.parents.push(number);
        self.numbers.insert(sequence.to_vec(), number);
        number
    }

    fn root(&mut self, mut number: usize) -> usize {
        while self.parents[number] != number {
            // Halves the way for the next.
            self.parents[number] = self.parents[self.parents[number]];
            number = self.parents[number];
        }
        number
    }

    /// Each sequence with the first of its set.
    fn indexes(mut self) -> Vec<(Vec<char>, Arc<[char]>)> {
        let mut sequences: Vec<_> = std::mem::take(&mut self.numbers).into_iter().collect();
        sequences.sort_unstable();
        let mut first: HashMap<usize, Arc<[char]>> = HashMap::new();
        let mut indexes = Vec::with_capacity(sequences.len());
        for (sequence, number) in sequences {
            let root = self.root(number);
            let index = first
                .entry(root)
                .or_insert_with(|| Arc::from(&sequence[..]));
            indexes.push((sequence, Arc::clone(index)));
        }
        indexes
    }
}
