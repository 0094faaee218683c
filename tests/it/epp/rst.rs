//! The executable vectors of ICANN RST v2.0 (`epp-*-data.csv`): each row is a command that
//! passes or must be refused.
//!
//! The server is one with host objects, DS data and contacts, as RST calls them. Rows that
//! pass only on one with host attributes are left out, as RST leaves them out by its input
//! parameter `epp.hostModel`, and are counted.

mod cells;
mod contacts;
mod domains;
mod hosts;

use super::desk::{Desk, Frame};
use cells::{Row, Table};

/// What came of the vectors.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcomes {
    /// Rows that passed and were to pass.
    pub(crate) passed: usize,
    /// Rows that were refused and were to be refused.
    pub(crate) refused: usize,
    /// Rows of another kind of server.
    pub(crate) left_out: usize,
    /// What came out otherwise.
    pub(crate) faults: Vec<String>,
}

impl Outcomes {
    fn note(&mut self, row: &Row, code: u16, xml: &str) {
        let is_pass = row.raw("passOrFail") == "pass";
        match (is_pass, code < 2000) {
            (true, true) => self.passed += 1,
            (false, false) => self.refused += 1,
            _ => {
                let fault = format!(
                    "{}: {code} where {}: {xml}",
                    row.place(),
                    row.raw("errorCode")
                );
                self.faults.push(fault);
            }
        }
        // What a client said is never our own failure.
        if [2400, 2500].contains(&code) {
            self.faults.push(format!("{}: {code}", row.place()));
        }
    }
}

type Run = fn(&mut Desk, &Table, &mut Outcomes);

/// Each file and how its rows are said.
const FILES: [(&str, Run); 12] = [
    ("epp-07", contacts::create),
    ("epp-09-other", contacts::change_others),
    ("epp-09-postalinfo", contacts::change_postal),
    ("epp-09-status", contacts::change_statuses),
    ("epp-11", hosts::create),
    ("epp-13-addr", hosts::change_addresses),
    ("epp-13-status", hosts::change_statuses),
    ("epp-14", domains::create),
    ("epp-16-dnssec", domains::change_signers),
    ("epp-16-ns", domains::change_servers),
    ("epp-16-status", domains::change_statuses),
    ("epp-23", hosts::rename),
];

/// Says all vectors; the frames of it for the schemas.
pub(crate) fn run() -> Option<(Outcomes, Vec<Frame>)> {
    let mut outcomes = Outcomes::default();
    let mut frames = Vec::new();
    for (name, say) in FILES {
        let table = Table::read(name)?;
        let mut desk = Desk::new("maximum");
        say(&mut desk, &table, &mut outcomes);
        frames.extend(desk.frames.into_iter().map(|frame| Frame {
            name: format!("{name}-{}", frame.name),
            xml: frame.xml,
        }));
    }
    Some((outcomes, frames))
}

#[test]
fn every_vector_of_rst_has_the_outcome_that_it_expects() {
    let Some((outcomes, _)) = run() else {
        return;
    };
    assert!(outcomes.faults.is_empty(), "{:#?}", outcomes.faults);
    let all = outcomes.passed + outcomes.refused + outcomes.left_out;
    assert_eq!(all, 290, "{outcomes:?}");
    assert_eq!(outcomes.refused, 250, "{outcomes:?}");
    eprintln!(
        "{} passed, {} refused, {} left out: host attributes",
        outcomes.passed, outcomes.refused, outcomes.left_out
    );
}
