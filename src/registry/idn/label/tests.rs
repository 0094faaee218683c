//! Labels that may be registered, and what is said of others.

use super::*;

#[track_caller]
fn accepts(text: &str, ascii: &str) {
    let label = IdnLabel::parse(text, "example").unwrap();
    assert_eq!(label.as_ascii(), ascii);
    let again = IdnLabel::parse(ascii, "example").unwrap();
    assert_eq!(again, label, "the A-label is the same label");
}

#[track_caller]
fn refuses(text: &str, fault: &LabelFault) {
    assert_eq!(IdnLabel::parse(text, "example").as_ref(), Err(fault));
}

#[test]
fn both_forms_are_one_label() {
    accepts("bücher", "xn--bcher-kva");
    accepts("faß", "xn--fa-hia");
    accepts("παράδειγμα", "xn--hxajbheg2az3al");
    accepts("مثال", "xn--mgbh0fb");
    accepts("例え", "xn--r8jz45g");
    accepts("plain-1", "plain-1");
    // A.3, A.7, and a joiner after a virama (A.2).
    accepts("l·l", "xn--ll-0ea");
    accepts("アン・アン", "xn--ccka6vb2b");
    accepts("क्\u{200d}ष", "xn--11b2ezcw70k");
}

#[test]
fn nothing_is_mapped() {
    refuses("Bücher", &LabelFault::NotMapped("bücher".into()));
    refuses("u\u{308}", &LabelFault::NotMapped("ü".into()));
    refuses("ﬁn", &LabelFault::NotMapped("fin".into()));
}

#[test]
fn an_a_label_has_one_form() {
    for text in [
        "xn--Bcher-kva",
        "xn--bcher-KVA",
        "xn--plain-",
        "xn--99999999999",
    ] {
        let fault = IdnLabel::parse(text, "example").unwrap_err();
        assert!(
            matches!(fault, LabelFault::NotAscii(_) | LabelFault::NotMapped(_)),
            "{text}: {fault}"
        );
    }
}

#[test]
fn code_points_need_their_surroundings() {
    refuses(
        "a·l",
        &LabelFault::Context("a middle dot stands between two letters l"),
    );
    refuses("☃", &LabelFault::CodePoint('☃'));
    refuses("a\u{378}", &LabelFault::CodePoint('\u{378}'));
    refuses("\u{301}a", &LabelFault::LeadingMark);
    let mixed = "Arabic-Indic digits do not stand beside extended ones";
    refuses("\u{627}\u{660}\u{6f0}", &LabelFault::Context(mixed));
}

#[test]
fn hyphens_joiners_directions_and_length() {
    for text in ["-ü", "ü-", "ab--ü", "a\u{200d}b", "אa", "1א", "", "a.ü"] {
        refuses(text, &LabelFault::Form);
    }
    refuses(&"ü".repeat(60), &LabelFault::Form);
    refuses(&format!("xn--{}", "a".repeat(100)), &LabelFault::Form);
}

#[test]
fn one_right_to_left_label_binds_the_others() {
    // RFC 5893 section 2, rule 1: digits begin no label of such a name.
    IdnLabel::parse("1ü", "example").unwrap();
    assert_eq!(IdnLabel::parse("1ü", "مثال"), Err(LabelFault::Form));
}
