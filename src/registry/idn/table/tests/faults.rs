//! What RFC 7940 says must be rejected, with the line and the reason.

use super::*;

const A: &str = r#"<char cp="0061"/>"#;

#[test]
fn rejected_data() {
    for (data, reason) in [
        (r#"<char cp="61"/>"#, "\"61\" is no code point"),
        (r#"<char cp="00e9"/>"#, "no code point"),
        (r#"<char cp="D800"/>"#, "no code point"),
        (
            r#"<char cp="0061"/><range first-cp="0060" last-cp="0062"/>"#,
            "there already",
        ),
        (
            r#"<range first-cp="0062" last-cp="0061"/>"#,
            "ends before it begins",
        ),
        (r#"<char/>"#, "needs the attribute cp"),
        (r#"<char cp="0061" when="x"/>"#, "no rule x is defined"),
        (r#"<char cp="0061" colour="x"/>"#, "no attribute colour"),
        (r#"<char cp="0061 0062" tag="x"/>"#, "no code point"),
        (r#"<char cp=""/>"#, "there for its variants"),
        (
            r#"<char cp="0061"><var cp="0062"/><var cp="0062" type="x"/></char>"#,
            "there already",
        ),
        (r#"<char cp="0061"><other/></char>"#, "var elements only"),
        (r#"<letter cp="0061"/>"#, "no element"),
        ("text", "has no text"),
        ("", "has code points"),
    ] {
        let fault = Table::parse(&xml(data, "")).expect_err(data);
        assert!(fault.reason.contains(reason), "{data}: {fault}");
        assert_eq!(fault.line, 4, "{data}");
    }
}

/// Rules and what is said of them.
const RULES: &[(&str, &str)] = &[
    (r#"<rule><any/></rule>"#, "needs the attribute name"),
    (
        r#"<rule name="r"><any/></rule><rule name="r"><any/></rule>"#,
        "already",
    ),
    (
        r#"<rule name="r"><rule by-ref="r"/></rule>"#,
        "no rule r is defined",
    ),
    (r#"<rule name="r"><class by-ref="c"/></rule>"#, "no class c"),
    (r#"<rule name="r"><any count="0"/></rule>"#, "a count is"),
    (r#"<rule name="r"><any count="3:2"/></rule>"#, "a count is"),
    (r#"<rule name="r"><any count="999+"/></rule>"#, "a count is"),
    (
        r#"<rule name="r"><start count="2"/></rule>"#,
        "no attribute count",
    ),
    (
        r#"<rule name="r"><rule count="2"><start/></rule></rule>"#,
        "cannot be counted",
    ),
    (
        r#"<rule name="r"><choice><any/></choice></rule>"#,
        "two alternatives",
    ),
    (
        r#"<rule name="r"><look-ahead><any/></look-ahead></rule>"#,
        "beside an anchor",
    ),
    (
        r#"<rule name="r"><anchor/></rule><action disp="x" match="r"/>"#,
        "no place in an action",
    ),
    (r#"<rule name="r"><regexp/></rule>"#, "no match operator"),
    (r#"<action match="r"/>"#, "no rule r"),
    (r#"<action/>"#, "needs the attribute disp"),
    (
        r#"<action disp="x" any-variant="a" all-variants="b"/>"#,
        "one trigger",
    ),
    (
        r#"<rule name="r"><any/></rule><action disp="x" match="r" not-match="r"/>"#,
        "exclude",
    ),
    (
        r#"<class name="c" property="sc:Nonsense"/>"#,
        "no value of a property",
    ),
    (
        r#"<class name="c" property="gcb:L"/>"#,
        "no value of a property",
    ),
    (
        r#"<class name="c" property="gc:L" from-tag="x"/>"#,
        "by tag or by property",
    ),
    (
        r#"<complement name="c"><class>0061</class><class>0062</class></complement>"#,
        "one class",
    ),
    (
        r#"<union name="c"><class>0061</class></union>"#,
        "union two or more",
    ),
    (r#"<union name="c"><any/><any/></union>"#, "made of classes"),
];

#[test]
fn rejected_rules() {
    for (rules, reason) in RULES {
        let fault = Table::parse(&xml(A, rules)).expect_err(rules);
        assert!(fault.reason.contains(reason), "{rules}: {fault}");
        assert_eq!(fault.line, 5, "{rules}");
    }
}

#[test]
fn rejected_documents() {
    let dtd = format!("<!DOCTYPE lgr [<!ENTITY x \"y\">]>{}", xml(A, ""));
    let other = xml(A, "").replace("lgr-1.0", "lgr-9.9");
    for (text, reason) in [
        ("", "root"),
        (&dtd[..], "DTD"),
        (&other[..], "urn:ietf:params:xml:ns:lgr-1.0"),
        (&xml(A, "")[..100], ""),
        (
            &xml(A, "").replace("</data>", "</data><data/>")[..],
            "there is one element data",
        ),
    ] {
        let fault = Table::parse(text).unwrap_err();
        assert!(fault.reason.contains(reason), "{fault}");
    }
    let long = " ".repeat(TABLE_BYTES_MAX + 1);
    assert!(Table::parse(&long).unwrap_err().reason.contains("at most"));
    let many = xml(r#"<range first-cp="20000" last-cp="10FFFF"/>"#, "");
    assert!(
        Table::parse(&many)
            .unwrap_err()
            .reason
            .contains("at most 200000")
    );
}

#[test]
fn a_property_needs_the_version_of_unicode() {
    let text = xml(A, r#"<class name="c" property="gc:L"/>"#);
    Table::parse(&text).unwrap();
    let text = text.replace("<unicode-version>6.3.0</unicode-version>", "");
    assert!(
        Table::parse(&text)
            .unwrap_err()
            .reason
            .contains("unicode-version")
    );
}

#[test]
fn what_a_rule_may_cost_is_bounded() {
    let nested = |depth: usize| {
        let (open, close) = ("<rule>".repeat(depth), "</rule>".repeat(depth));
        format!(r#"<rule name="r">{open}<any/>{close}</rule>"#)
    };
    Table::parse(&xml(A, &nested(60))).unwrap();
    // Each refers twice to the one before.
    let doubled = |depth: usize| {
        let mut rules = String::from(r#"<rule name="r0"><any/></rule>"#);
        for number in 1..=depth {
            let before = format!(r#"<rule by-ref="r{}"/>"#, number - 1);
            rules += &format!(r#"<rule name="r{number}"><choice>{before}{before}</choice></rule>"#);
        }
        rules
    };
    Table::parse(&xml(A, &doubled(10))).unwrap();
    let counted = r#"<rule name="r"><rule count="0+"><rule count="0+"><rule count="0+"><any count="0+"/>
        </rule></rule></rule></rule>"#;
    for (rules, reason) in [
        (&nested(70)[..], "nested 64 deep"),
        (&nested(20_000), ""),
        (&doubled(40), "rule r18 would look at 1000000 operators"),
        (counted, "would look at"),
    ] {
        let fault = Table::parse(&xml(A, rules)).unwrap_err();
        assert!(fault.reason.contains(reason), "{fault}");
    }
}
