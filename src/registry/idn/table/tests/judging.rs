//! Repertoire, contexts, rules, dispositions and index labels.

use super::*;

const LETTERS: &str = r#"<range first-cp="0061" last-cp="007A"/><char cp="002D"/>
    <range first-cp="0030" last-cp="0039" tag="digit"/>"#;

#[test]
fn a_label_is_of_the_repertoire() {
    let table = table(LETTERS, "");
    takes(&table, &["abc", "a-1", "0"]);
    refuses(&table, &["añb"], "U+00F1 is not in the table");
    assert_eq!((table.entries(), table.version()), (37, Some("3")));
    assert_eq!(table.languages(), ["und-Test"]);
}

#[test]
fn a_sequence_lets_in_what_its_parts_do_not() {
    let table = table(r#"<char cp="006C"/><char cp="006C 00B7 006C"/>"#, "");
    takes(&table, &["l", "l·l", "ll·l", "l·ll"]);
    refuses(&table, &["l·", "·l", "l·l·l"], "U+00B7 is not in the table");
}

#[test]
fn a_context_is_asked_at_its_place() {
    let rules = r#"<class name="greek" property="sc:Grek"/>
      <rule name="before-greek"><anchor/><look-ahead><class by-ref="greek"/></look-ahead></rule>"#;
    let data = r#"<char cp="0375" when="before-greek"/><char cp="03B1"/><char cp="0061"/>"#;
    let table = table(data, rules);
    takes(&table, &["͵α", "α͵α", "a͵αa"]);
    refuses(
        &table,
        &["͵a", "͵", "͵α͵", "͵α͵a"],
        "by rule before-greek".trim_start_matches("by "),
    );
}

#[test]
fn a_context_may_be_the_whole_label() {
    let data = r#"<range first-cp="0660" last-cp="0669" not-when="mixed" tag="plain"/>
        <range first-cp="06F0" last-cp="06F9" not-when="mixed" tag="extended"/>"#;
    let rules = r#"<rule name="mixed"><choice>
        <rule><class from-tag="plain"/><any count="0+"/><class from-tag="extended"/></rule>
        <rule><class from-tag="extended"/><any count="0+"/><class from-tag="plain"/></rule>
        </choice></rule>"#;
    let table = table(data, rules);
    takes(&table, &["\u{660}\u{661}", "\u{6f0}\u{6f1}"]);
    refuses(
        &table,
        &["\u{660}\u{6f0}", "\u{6f3}\u{6f0}\u{661}"],
        "rule mixed",
    );
}

#[test]
fn a_joining_context_looks_behind_over_transparent_marks() {
    let rules = r#"<class name="transparent" property="jt:T"/><class name="none" property="jt:U"/>
      <class name="dual" property="jt:D"/>
      <rule name="initial">
        <look-behind><choice><start/>
          <rule><class by-ref="none"/><class by-ref="transparent" count="0+"/></rule>
        </choice></look-behind>
        <anchor/>
        <look-ahead><class by-ref="transparent" count="0+"/><class by-ref="dual"/></look-ahead>
      </rule>"#;
    let data =
        r#"<char cp="0628" when="initial"/><char cp="062A"/><char cp="064B"/><char cp="0061"/>"#;
    let table = table(data, rules);
    takes(&table, &["بت", "بًت", "aبت", "aًبت"]);
    refuses(&table, &["ب", "تب", "تبت", "بa"], "rule initial");
}

#[test]
fn counts_are_greedy_but_leave_the_rest_its_match() {
    let rule = |count: &str| {
        let rules = format!(
            r#"<rule name="r"><start/><char cp="0061" count="{count}"/><char cp="0061"/><end/></rule>
               <action disp="invalid" not-match="r"/>"#
        );
        table(r#"<char cp="0061"/>"#, &rules)
    };
    for (count, least, most) in [
        ("1", 2, 2),
        ("0+", 1, 60),
        ("2+", 3, 60),
        ("1:3", 2, 4),
        ("0:1", 1, 2),
    ] {
        let table = rule(count);
        for length in 1..=60 {
            let is_taken = judge(&table, &"a".repeat(length)).is_ok();
            assert_eq!(
                is_taken,
                (least..=most).contains(&length),
                "{count}: {length}"
            );
        }
    }
}

#[test]
fn nested_counts_end() {
    let rules = r#"<rule name="r"><start/>
        <choice count="0+"><rule count="0+"><char cp="0061" count="0+"/></rule><char cp="0061 0061"/></choice>
        <char cp="0062"/><end/></rule>
        <action disp="invalid" not-match="r"/>"#;
    let table = table(r#"<char cp="0061"/><char cp="0062"/>"#, rules);
    takes(&table, &[&format!("{}b", "a".repeat(60))]);
    refuses(&table, &[&"a".repeat(63)], "invalid by rule r");
}

#[test]
fn the_first_action_decides() {
    let rules = r#"<class name="digit" from-tag="digit"/>
        <rule name="leading-digit"><start/><class by-ref="digit"/></rule>
        <rule name="two"><start/><any count="2"/><end/></rule>
        <action disp="invalid" match="leading-digit"/>
        <action disp="blocked" match="two"/>"#;
    let table = table(LETTERS, rules);
    takes(&table, &["abc", "a1c"]);
    refuses(
        &table,
        &["1a", "1ab"],
        "the table says invalid by rule leading-digit",
    );
    refuses(&table, &["ab"], "the table says blocked by rule two");
}

#[test]
fn variants_share_their_index_label() {
    let data = r#"<char cp="006F 0065"><var cp="00F6" type="blocked"/></char>
        <char cp="00F6"><var cp="006F 0065" type="blocked"/></char>
        <char cp="006F"/><char cp="0065"/><char cp="0068"/>
        <char cp="00E9"><var cp="00E8"/></char>
        <char cp="00E8"><var cp="0065"/></char>"#;
    let table = table(data, "");
    let index = |label| judge(&table, label).unwrap();
    assert_eq!(index("hö"), index("hoe"));
    assert_eq!(index("höö"), "hoeoe");
    // é -> è -> e is said in one direction and step by step only.
    assert_eq!(index("hé"), index("he"));
    assert_ne!(index("ho"), index("he"));
}

#[test]
fn variants_of_a_label_onto_itself_have_a_say() {
    let data = r#"<char cp="0061"/>
        <char cp="0078"><var cp="0078" type="allocatable"/></char>
        <char cp="0068"><var cp="0068" type="out-of-repertoire-var"/><var cp="0570" type="blocked"/></char>
        <char cp="0570"><var cp="0068" type="blocked"/></char>
        <char cp="0079"><var cp="0079" type="blocked"/></char>"#;
    let rules = r#"<action disp="invalid" any-variant="out-of-repertoire-var"/>
        <action disp="only" only-variants="allocatable"/>"#;
    let table = table(data, rules);
    takes(&table, &["a", "ax", "հ"]);
    refuses(&table, &["x", "xx"], "the table says only");
    refuses(&table, &["ah"], "the table says invalid");
    refuses(&table, &["ay"], "the table says blocked");
}

#[test]
fn all_variants_needs_one() {
    let data = r#"<char cp="0061"/><char cp="0078"><var cp="0078" type="p"/></char>
        <char cp="0079"><var cp="0079" type="q"/></char><char cp="007A"><var cp="007A"/></char>"#;
    let table = table(data, r#"<action disp="invalid" all-variants="p"/>"#);
    takes(&table, &["a", "xy", "xz"]);
    refuses(&table, &["x", "ax"], "invalid");
}

#[test]
fn two_variants_onto_itself_at_once_are_a_fault_of_the_table() {
    let data = r#"<char cp="0061"><var cp="0061" type="p" when="one"/><var cp="0061" type="q" when="two"/></char>"#;
    let rules = r#"<rule name="one"><start/><any/></rule><rule name="two"><any/><end/></rule>"#;
    let table = table(data, rules);
    refuses(&table, &["a"], "two variants of U+0061 onto itself");
}

#[test]
fn classes_are_combined() {
    let rules = |combination: &str| {
        format!(
            r#"<class name="ab">0061-0062</class><class name="bc">0062 0063</class>
            {combination}
            <rule name="r"><start/><class by-ref="x" count="1+"/><end/></rule>
            <action disp="invalid" not-match="r"/>"#
        )
    };
    let both = r#"<class by-ref="ab"/><class by-ref="bc"/>"#;
    for (element, inner, expected) in [
        ("union", both, "abc"),
        ("intersection", both, "b"),
        ("difference", both, "a"),
        ("symmetric-difference", both, "ac"),
        ("complement", r#"<class by-ref="ab"/>"#, "cd"),
        (
            "complement",
            r#"<intersection><class by-ref="ab"/><class>0062</class></intersection>"#,
            "acd",
        ),
    ] {
        let combination = format!(r#"<{element} name="x">{inner}</{element}>"#);
        let table = table(
            r#"<range first-cp="0061" last-cp="0064"/>"#,
            &rules(&combination),
        );
        for label in ["a", "b", "c", "d"] {
            assert_eq!(
                judge(&table, label).is_ok(),
                expected.contains(label),
                "{element} {label}"
            );
        }
    }
}

#[test]
fn a_label_is_bounded() {
    let table = table(LETTERS, "");
    takes(&table, &[&"a".repeat(63)]);
    refuses(&table, &[&"a".repeat(64)], "at most 63");
}
