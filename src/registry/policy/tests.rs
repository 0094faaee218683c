//! Ranges of a policy, changes of it, and its rules about labels.

use super::*;

#[test]
fn the_usual_values_are_in_their_ranges() {
    assert_eq!(RegistrationPolicy::default().fault(), None);
}

#[test]
fn a_value_outside_its_range_is_named_with_the_range() {
    let years = RegistrationChange {
        years_max: Some(11),
        ..RegistrationChange::default()
    };
    let fault = years.apply(&RegistrationPolicy::default()).fault();
    assert_eq!(fault.as_deref(), Some("years-max 11: from 1 to 10"));
    let years = RegistrationChange {
        years_min: Some(3),
        years_max: Some(2),
        ..RegistrationChange::default()
    };
    let fault = years.apply(&RegistrationPolicy::default()).fault();
    assert_eq!(fault.as_deref(), Some("years: the least is 3, the most 2"));
    // The guide, rule 25: three contacts at least can be had.
    let contacts = RegistrationChange {
        contacts_max: Some(2),
        ..RegistrationChange::default()
    };
    let fault = contacts.apply(&RegistrationPolicy::default()).fault();
    assert!(fault.is_some_and(|fault| fault.starts_with("contacts-max 2")));
}

#[test]
fn a_change_keeps_what_it_does_not_name() {
    let change: RegistrationChange =
        serde_json::from_str(r#"{"expiry":"delete","contacts-required":["tech","admin"]}"#)
            .unwrap();
    let after = change.apply(&RegistrationPolicy::default());
    assert_eq!(after.expiry, Expiry::Delete);
    assert_eq!(after.contacts_required.to_column(), "admin tech");
    assert_eq!(after.redemption, RegistrationPolicy::default().redemption);
    assert!(serde_json::from_str::<RegistrationChange>(r#"{"expiri":"keep"}"#).is_err());
    assert!(serde_json::from_str::<RegistrationChange>(r#"{"expiry":"sometimes"}"#).is_err());
}

#[test]
fn labels_keep_the_rule_of_their_zone() {
    let mut policy = RegistrationPolicy {
        label_min: 2,
        label_max: 5,
        ..RegistrationPolicy::default()
    };
    let is_good = |policy: &RegistrationPolicy, label| policy.label_fault(label).is_none();
    assert!(is_good(&policy, "ab") && is_good(&policy, "4bcde"));
    assert!(!is_good(&policy, "a") && !is_good(&policy, "abcdef"));
    // Characters, not octets: these are five and six.
    assert!(is_good(&policy, "xn--bche-0ra") && !is_good(&policy, "xn--bcher-kva"));
    policy.label_max = 63;
    policy.name_rule = NameRule::Rfc1035;
    assert!(is_good(&policy, "b4") && !is_good(&policy, "4b"));
}

#[test]
fn as_many_approvers_are_named_as_have_to_agree() {
    let change = |text: &str| serde_json::from_str::<RegistrationChange>(text);
    let fault = |text: &str| {
        change(text)
            .unwrap()
            .apply(&RegistrationPolicy::default())
            .fault()
    };
    let few = r#"{"change-control":"verify","approvals":2,"approvers":["ada","ada"]}"#;
    assert!(fault(few).is_some_and(|fault| fault.contains("1 approvers are named")));
    let enough = r#"{"change-control":"verify","approvals":2,"approvers":["ada","bob@reg"]}"#;
    assert_eq!(fault(enough), None);
    assert_eq!(fault(r#"{"change-control":"signed"}"#), None);
    for name in ["", "a b", "ada,bob", &"a".repeat(65)] {
        let text = format!(r#"{{"approvers":["{name}"]}}"#);
        assert!(change(&text).is_err(), "{name:?}");
    }
    let many: Vec<_> = (0..33).map(|number| format!("a{number}")).collect();
    assert!(Approvers::try_from(many).is_err());
}
