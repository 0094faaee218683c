//! Random zones, signed in each way and checked against the model.

use proptest::prelude::*;

use super::*;

/// Owner names of up to four labels out of few, so that many lie below each other.
fn owner() -> impl Strategy<Value = String> {
    let label = prop_oneof![
        Just("a"),
        Just("b"),
        Just("C"),
        Just("*"),
        Just("zz"),
        Just("\\000")
    ];
    prop::collection::vec(label, 1..4).prop_map(|labels| labels.join("."))
}

/// What a name has: nothing of it stands in the way of the rest.
fn data() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("A 192.0.2.1\n"),
        Just("TXT one\n"),
        Just("CNAME Else.Where.\n"),
        Just("NS ns.elsewhere.\n"),
        Just(
            "NS ns.elsewhere.\nDS 1 13 2 ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB\n"
        ),
    ]
}

/// A zone that the compiler takes: one kind of data a name, nothing below a cut.
fn text(names: BTreeMap<String, &'static str>) -> String {
    let mut text = HEAD.to_owned();
    let cuts: Vec<String> = names
        .iter()
        .filter(|(owner, data)| data.starts_with("NS") && !owner.starts_with('*'))
        .map(|(owner, _)| format!(".{owner}"))
        .collect();
    for (owner, data) in &names {
        let below_cut = cuts.iter().any(|cut| owner.ends_with(cut.as_str()));
        let wild_cut = owner.starts_with('*') && data.starts_with("NS");
        if !below_cut && !wild_cut {
            for record in data.lines() {
                text += &format!("{owner} {record}\n");
            }
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn random_zones_are_signed_as_the_model_says(
        names in prop::collection::btree_map(owner(), data(), 0..24),
        which in 0..3usize,
    ) {
        let denial = DENIALS[which];
        let source = records(&text(names));
        let signing = signing(denial);
        let (_, generation) = compile(source.clone(), &signing, None).unwrap();
        check_signatures(&generation, &signing);
        check_proofs(&generation, &source, denial);
    }
}
