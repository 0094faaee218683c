//! epp-07 to epp-10: contacts.

use super::super::desk::{Talks, contact_create};
use super::{begin, check_rows, contact};

#[test]
fn epp_07_contact_create() {
    check_rows(&mut begin(), "epp-07", 36);
}

#[test]
fn epp_08_contact_access_control() {
    let mut sessions = begin();
    sessions.expect(1000, "reg-a", &contact_create("of-clid01"));
    let change = "<contact:chg><contact:email>other@example.com</contact:email></contact:chg>";
    for forbidden in [
        contact("info", "of-clid01", ""),
        contact("update", "of-clid01", change),
        contact("delete", "of-clid01", ""),
    ] {
        let refused = sessions.expect(2201, "reg-b", &forbidden);
        assert!(
            !refused.xml.contains("person@example.com"),
            "{}",
            refused.xml
        );
    }
    let shown = sessions.expect(1000, "reg-a", &contact("info", "of-clid01", ""));
    assert_eq!(shown.texts("email"), ["person@example.com"]);
}

#[test]
fn epp_09_contact_update() {
    check_rows(&mut begin(), "epp-09", 59);
}

#[test]
fn epp_10_contact_delete() {
    let mut sessions = begin();
    for id in ["first", "second"] {
        sessions.expect(1000, "reg-a", &contact_create(id));
    }
    for id in ["first", "second"] {
        sessions.expect(1000, "reg-a", &contact("delete", id, ""));
        sessions.expect(2303, "reg-a", &contact("info", id, ""));
    }
}
