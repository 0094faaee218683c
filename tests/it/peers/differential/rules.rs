//! Where Meridian and a peer may differ, and why: each rule says which questions it is
//! about, which differences it explains, and what must then hold of both replies.

mod table;
mod view;

use loadtest::peer::Software;

use super::queries::Question;
use super::{Both, Case, Difference};

pub(super) use table::RULES;

/// Whose record it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Ours,
    Theirs,
}

/// A named kind of difference.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    pub(super) source: &'static str,
    /// The peer it is about; both where there is none.
    peer: Option<Software>,
    /// Whether the question is one that the rule is about.
    about: fn(&Case<'_>) -> bool,
    /// Whether it explains a difference.
    explains: fn(&Case<'_>, &Difference) -> bool,
    /// What must hold where it explains these.
    holds: fn(&Case<'_>, &[Difference]) -> bool,
}

impl Rule {
    /// Takes out of the case what the rule explains; an error is a rule that meets
    /// what it is not about, which is then all that is left of the case.
    pub(super) fn meet(&self, case: &mut Case<'_>) -> Result<(), &'static str> {
        if self.peer.is_some_and(|peer| peer != case.peer) || !(self.about)(case) {
            return Ok(());
        }
        let all = std::mem::take(&mut case.differences);
        let (met, rest): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|difference| (self.explains)(case, difference));
        if met.is_empty() || (self.holds)(case, &met) {
            case.differences = rest;
            return Ok(());
        }
        case.differences = met;
        Err("it explains what does not keep its rule")
    }
}

/// What a reply of ours over UDP owes to the one over TCP (RFC 2181 section 9, RFC
/// 9471 section 3): all of it or nothing, but for addresses that are a help only.
pub(super) fn check_truncation(question: &Question, both: &Both) -> Result<(), &'static str> {
    let (short, whole) = (&both.short, &both.whole);
    if whole.truncated {
        return Err("TC over TCP");
    }
    let optional = |record: &&_| view::is_optional(whole, record);
    if short.truncated {
        let optional: usize = whole.sections[2]
            .iter()
            .filter(optional)
            .map(view::address_octets)
            .sum();
        return match () {
            () if short.sections.iter().any(|section| !section.is_empty()) => {
                Err("records beside TC")
            }
            () if whole.octets - optional <= question.bytes_max() => Err("TC though it fits"),
            () => Ok(()),
        };
    }
    if short.sections[..2] != whole.sections[..2] || short.rcode != whole.rcode {
        return Err("not the same over UDP, without TC");
    }
    let mut missing = whole.sections[2].difference(&short.sections[2]);
    match missing.all(|record| optional(&record)) {
        true => Ok(()),
        false => Err("needed glue is missing, without TC"),
    }
}
