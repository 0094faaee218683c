//! The sets of places against a matcher that tries everything.

use proptest::prelude::*;

use super::super::rule::Operator;
use super::*;

fn operator() -> impl Strategy<Value = Operator> {
    let leaf = prop_oneof![
        Just(Operator::Any),
        Just(Operator::Start),
        Just(Operator::End),
        prop::collection::vec(prop_oneof![Just('a'), Just('b')], 1..3).prop_map(Operator::Literal),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Operator::Choice),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Operator::Group),
            (inner, 0..3_usize, prop::option::of(1..3_usize)).prop_map(|(inner, least, more)| {
                Operator::Repeat(Box::new(inner), least, more.map(|more| least + more))
            }),
        ]
    })
}

/// Every end of a match that begins at `from`, found one by one.
fn ends(operator: &Operator, label: &[char], from: usize) -> Vec<usize> {
    let mut found = match operator {
        Operator::Any => (from < label.len())
            .then_some(from + 1)
            .into_iter()
            .collect(),
        Operator::Start => (from == 0).then_some(from).into_iter().collect(),
        Operator::End => (from == label.len()).then_some(from).into_iter().collect(),
        Operator::Literal(text) => {
            let is_there = label[from..].starts_with(text);
            is_there.then_some(from + text.len()).into_iter().collect()
        }
        Operator::Choice(inner) => inner.iter().flat_map(|o| ends(o, label, from)).collect(),
        Operator::Group(inner) => sequence(inner, label, from),
        Operator::Repeat(inner, least, most) => {
            // More rounds than code points change nothing: each that counts takes one.
            let most = most.unwrap_or(label.len() + least);
            let mut found = Vec::new();
            let mut now = vec![from];
            for round in 0..=most {
                if round >= *least {
                    found.extend(&now);
                }
                now = now
                    .iter()
                    .flat_map(|place| ends(inner, label, *place))
                    .collect();
                now.sort_unstable();
                now.dedup();
            }
            found
        }
        Operator::Class(_) | Operator::Anchor | Operator::Named(_) => unreachable!("not made here"),
    };
    found.sort_unstable();
    found.dedup();
    found
}

fn sequence(operators: &[Operator], label: &[char], from: usize) -> Vec<usize> {
    let Some((first, rest)) = operators.split_first() else {
        return vec![from];
    };
    let found = ends(first, label, from);
    found
        .into_iter()
        .flat_map(|place| sequence(rest, label, place))
        .collect()
}

proptest! {
    #[test]
    fn places_at_once_are_places_one_by_one(
        operators in prop::collection::vec(operator(), 1..4),
        label in prop::collection::vec(prop_oneof![Just('a'), Just('b')], 0..8),
    ) {
        let expected = (0..=label.len()).any(|from| !sequence(&operators, &label, from).is_empty());
        let rule = Rule::new("r".into(), operators);
        prop_assert_eq!(rule.matches(&label, None), expected);
    }
}
