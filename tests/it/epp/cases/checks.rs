//! epp-04 to epp-06: what can be had.

use super::super::desk::{Talks, command, name};
use super::super::live::Sessions;
use super::{REGISTERED, REGISTERED_CONTACTS, REGISTERED_HOST, begin_with_others, random_label};

/// What `check` says of one object: refused for its form, or whether it can be had.
#[derive(Debug, PartialEq, Eq)]
enum Checked {
    Refused(u16),
    Available(bool),
}

fn check(sessions: &mut Sessions, object: &str, body: &str) -> Checked {
    let reply = sessions.say("reg-a", &command("check", object, body, ""));
    if reply.code != 1000 {
        return Checked::Refused(reply.code);
    }
    let element = if object == "contact" { "id" } else { "name" };
    match &reply.attributes(element, "avail")[..] {
        [one] if ["1", "true"].contains(&one.as_str()) => Checked::Available(true),
        [one] if ["0", "false"].contains(&one.as_str()) => Checked::Available(false),
        other => panic!("{other:?}: {}", reply.xml),
    }
}

/// What has no valid form is not to be had, or no parameter.
fn is_invalid(checked: &Checked) -> bool {
    match checked {
        Checked::Available(available) => !available,
        Checked::Refused(code) => [2001, 2004, 2005].contains(code),
    }
}

/// Labels that RFC 1123 does not have.
fn invalid_names() -> Vec<String> {
    let long = "a".repeat(64);
    let labels = [
        "-rst", "rst-", "rst_epp", "rst epp", "!", "rst..epp", "", &long,
    ];
    let mut names: Vec<_> = labels.iter().map(|label| format!("{label}.tld")).collect();
    names.push("a.".repeat(126) + "tld");
    names
}

#[test]
fn epp_04_domain_check() {
    let mut sessions = begin_with_others();
    for invalid in [invalid_names(), vec![".".to_owned(), String::new()]].concat() {
        let checked = check(&mut sessions, "domain", &name("domain", &invalid));
        assert!(is_invalid(&checked), "{invalid}: {checked:?}");
    }
    let registered = check(&mut sessions, "domain", &name("domain", REGISTERED));
    assert_eq!(registered, Checked::Available(false));
    let free = format!("{}.tld", random_label());
    let checked = check(&mut sessions, "domain", &name("domain", &free));
    assert_eq!(checked, Checked::Available(true));
    // Together, each has its own answer.
    let names = [REGISTERED, &free]
        .map(|text| name("domain", text))
        .concat();
    let reply = sessions.expect(1000, "reg-a", &command("check", "domain", &names, ""));
    assert_eq!(reply.texts("name"), [REGISTERED, &free]);
    assert_eq!(reply.attributes("name", "avail"), ["0", "1"]);
}

#[test]
fn epp_05_host_check() {
    let mut sessions = begin_with_others();
    for invalid in invalid_names() {
        let host = format!("ns1.{invalid}");
        let checked = check(&mut sessions, "host", &name("host", &host));
        assert!(is_invalid(&checked), "{host}: {checked:?}");
    }
    let registered = check(&mut sessions, "host", &name("host", REGISTERED_HOST));
    assert_eq!(registered, Checked::Available(false));
    for zone in ["tld", "example"] {
        let free = format!("ns1.{}.{zone}", random_label());
        let checked = check(&mut sessions, "host", &name("host", &free));
        assert_eq!(checked, Checked::Available(true), "{free}");
    }
}

#[test]
fn epp_06_contact_check() {
    let mut sessions = begin_with_others();
    let id = |text: &str| format!("<contact:id>{text}</contact:id>");
    for invalid in ["", "ab", "abcdefghijklmnopq", "a\u{7}b"] {
        let checked = check(&mut sessions, "contact", &id(invalid));
        assert!(is_invalid(&checked), "{invalid}: {checked:?}");
    }
    for registered in REGISTERED_CONTACTS {
        let checked = check(&mut sessions, "contact", &id(registered));
        assert_eq!(checked, Checked::Available(false), "{registered}");
    }
    let checked = check(&mut sessions, "contact", &id(&random_label()));
    assert_eq!(checked, Checked::Available(true));
}
