//! From text to [`Spec`], past every fault of type or name.
//!
//! A deserializer stops at its first error. So whatever it complains of is
//! noted, cut out of the document, and the rest is read again, until it reads.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::{Fault, Spec};

/// Most faults reported; a file with more is another kind of file.
const FAULTS_MAX: usize = 100;

/// A parsed file that knows on which line each key stands.
pub(super) struct Document<'t> {
    text: &'t str,
    table: Spanned<DeTable<'t>>,
}

impl Document<'_> {
    /// The line of a dotted key's value, or of the nearest table around it.
    pub(super) fn line(&self, dotted: &str) -> usize {
        let mut table = self.table.get_ref();
        let mut at = 0;
        for key in dotted.split('.') {
            let Some((found, value)) = table.get_key_value(key) else {
                break;
            };
            at = found.span().start;
            match value.get_ref() {
                DeValue::Table(inner) => table = inner,
                _ => break,
            }
        }
        line_of(self.text, at)
    }
}

/// Reads as much as can be read; what cannot has its default and a fault.
pub(super) fn read(text: &str) -> (Spec, Document<'_>, Vec<Fault>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut faults = Vec::new();
    for error in errors.iter().take(FAULTS_MAX) {
        let at = error.span().map_or(0, |span| span.start);
        faults.push(Fault {
            line: line_of(text, at),
            message: one_line(error.message()),
        });
    }
    let mut rest = table.clone();
    let spec = loop {
        match Spec::deserialize(Deserializer::from(rest.clone())) {
            Ok(spec) => break spec,
            Err(error) => {
                let span = error.span().unwrap_or_default();
                let line = line_of(text, span.start);
                faults.push(Fault {
                    line,
                    message: one_line(error.message()),
                });
                // Syntax errors are reported first and leave holes, which must
                // not keep us here.
                if faults.len() >= FAULTS_MAX || !cut(rest.get_mut(), &span) {
                    break Spec::default();
                }
            }
        }
    };
    (spec, Document { text, table }, faults)
}

/// Removes the innermost key whose name or value holds `span`.
fn cut(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    let holds = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
    let mut culprit = None;
    for (key, value) in table.iter_mut() {
        if let DeValue::Table(inner) = value.get_mut()
            && cut(inner, span)
        {
            return true;
        }
        if holds(key.span()) || holds(value.span()) {
            culprit = Some(key.clone());
        }
    }
    culprit.is_some_and(|key| table.remove(&key).is_some())
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
}

fn one_line(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join(", ")
}
