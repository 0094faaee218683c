//! Rules over a whole label or around a code point (RFC 7940 section 6.3).
//!
//! A rule is matched for all its beginnings at once: a set of places goes in, the set
//! of places where a match may end comes out. So nothing is tried twice, as it would be
//! by backtracking, and what a rule costs is known when it is read.

use std::ops::Range;
use std::sync::Arc;

use icu_collections::codepointinvlist::CodePointInversionList;

use super::Rule;

/// Code points of a label at most: its A-label has 63 octets.
pub(super) const LABEL_MAX: usize = 63;

/// Operators inside operators, by name or in place.
pub(super) const DEPTH_MAX: usize = 64;
/// Operators that a rule may look at for one label: milliseconds of a processor.
pub(super) const COST_MAX: u64 = 1_000_000;

/// One match operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operator {
    /// One code point, whichever.
    Any,
    /// One code point of a class.
    Class(Arc<CodePointInversionList<'static>>),
    /// These code points.
    Literal(Vec<char>),
    /// The begin of the label.
    Start,
    /// The end of the label.
    End,
    /// The code points that the rule is asked for.
    Anchor,
    /// One of these.
    Choice(Vec<Self>),
    /// These in order; `look-behind` and `look-ahead` too, as they stand beside the
    /// anchor.
    Group(Vec<Self>),
    /// The same by name.
    Named(Arc<Rule>),
    /// This so many times.
    Repeat(Box<Self>, usize, Option<usize>),
}

/// Places of a label, from 0 to its length: a bit each.
type Places = u64;

impl Rule {
    /// Whether it matches somewhere in the label; `anchor` are the code points that it
    /// is asked for.
    pub(super) fn matches(&self, label: &[char], anchor: Option<Range<usize>>) -> bool {
        debug_assert!(label.len() <= LABEL_MAX);
        let subject = Subject { label, anchor };
        // As many ones as there are places.
        let everywhere = Places::MAX >> (Places::BITS as usize - 1 - label.len());
        subject.sequence(&self.operators, everywhere) != 0
    }
}

/// What a rule or an operator is, without looking into it again: rules that refer to
/// rules could otherwise be larger than their text by any power of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Shape {
    /// Operators inside operators.
    pub(super) depth: usize,
    /// Operators looked at for one label, at most.
    pub(super) cost: u64,
    /// Whether it has a place in the label, and so must not be counted (section 6.3.3).
    pub(super) is_positional: bool,
    /// Whether it has an anchor, and so is of use only around a code point.
    pub(super) has_anchor: bool,
}

impl Shape {
    /// Of operators in a row or in a choice.
    pub(super) fn of(operators: &[Operator]) -> Self {
        operators
            .iter()
            .map(Operator::shape)
            .fold(Self::default(), |all, one| Self {
                depth: all.depth.max(one.depth),
                cost: all.cost.saturating_add(one.cost),
                is_positional: all.is_positional || one.is_positional,
                has_anchor: all.has_anchor || one.has_anchor,
            })
    }
}

impl Operator {
    pub(super) fn shape(&self) -> Shape {
        let inner = match self {
            Self::Any | Self::Class(_) | Self::Literal(_) => Shape::default(),
            Self::Start | Self::End => Shape {
                is_positional: true,
                ..Shape::default()
            },
            Self::Anchor => Shape {
                is_positional: true,
                has_anchor: true,
                ..Shape::default()
            },
            Self::Choice(inner) | Self::Group(inner) => Shape::of(inner),
            Self::Named(rule) => rule.shape,
            Self::Repeat(inner, least, most) => {
                let inner = inner.shape();
                let times = most.unwrap_or(least + LABEL_MAX) as u64;
                let cost = inner.cost.saturating_mul(times);
                Shape { cost, ..inner }
            }
        };
        Shape {
            depth: inner.depth + 1,
            cost: inner.cost.saturating_add(1),
            ..inner
        }
    }
}

struct Subject<'l> {
    label: &'l [char],
    anchor: Option<Range<usize>>,
}

impl Subject<'_> {
    fn sequence(&self, operators: &[Operator], from: Places) -> Places {
        operators
            .iter()
            .fold(from, |places, operator| self.ends(operator, places))
    }

    /// Where a match may end that begins at one of `from`.
    fn ends(&self, operator: &Operator, from: Places) -> Places {
        if from == 0 {
            return 0;
        }
        match operator {
            Operator::Any => self.step(from, |_| true),
            Operator::Class(class) => self.step(from, |c| class.contains(c)),
            Operator::Literal(code_points) => code_points
                .iter()
                .fold(from, |places, wanted| self.step(places, |c| c == *wanted)),
            Operator::Start => from & 1,
            Operator::End => from & (1 << self.label.len()),
            Operator::Anchor => match &self.anchor {
                Some(anchor) if from & (1 << anchor.start) != 0 => 1 << anchor.end,
                _ => 0,
            },
            Operator::Choice(inner) => inner
                .iter()
                .fold(0, |places, operator| places | self.ends(operator, from)),
            Operator::Group(inner) => self.sequence(inner, from),
            Operator::Named(rule) => self.sequence(&rule.operators, from),
            Operator::Repeat(inner, least, most) => self.repeat(inner, from, *least, *most),
        }
    }

    /// One code point further, where it is such a one.
    fn step(&self, from: Places, is_wanted: impl Fn(char) -> bool) -> Places {
        let mut ends = 0;
        for (place, character) in self.label.iter().enumerate() {
            if from & (1 << place) != 0 && is_wanted(*character) {
                ends |= 1 << (place + 1);
            }
        }
        ends
    }

    fn repeat(&self, inner: &Operator, from: Places, least: usize, most: Option<usize>) -> Places {
        let mut places = from;
        for _ in 0..least {
            places = self.ends(inner, places);
        }
        let mut reached = places;
        // A match of nothing adds nothing, so there is something new at most as often as
        // there are places.
        let more = most.map_or(self.label.len(), |most| most - least);
        for _ in 0..more.min(self.label.len()) {
            places = self.ends(inner, places);
            if places & !reached == 0 {
                break;
            }
            reached |= places;
        }
        reached
    }
}
