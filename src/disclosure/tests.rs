use std::collections::BTreeSet;

use super::*;
use crate::registry::Timestamp;
use crate::registry::command::contact::PostalText;

fn contact(kind: ContactKind, wishes: (bool, &[Element])) -> ContactRecord {
    let text = |text: &str| Some(text.to_owned());
    ContactRecord {
        id: 7,
        roid: "7-MERIDIAN".to_owned(),
        kind,
        postal: PostalText {
            name: text("Jo Doe"),
            organization: text("Doe Ltd"),
            street: vec!["Main Street 1".to_owned()],
            city: text("Town"),
            province: None,
            postal_code: text("12345"),
            country: text("DE"),
        },
        is_int: true,
        voice: text("+49.1"),
        voice_extension: None,
        fax: None,
        fax_extension: None,
        email: text("jo@mail.example"),
        wishes: (wishes.0, wishes.1.iter().copied().collect::<BTreeSet<_>>()),
        statuses: Vec::new(),
        created_at: Timestamp(0),
        updated_at: None,
    }
}

/// The fields that are not hidden, as letters: ID, name, organization, street, city,
/// province, postal code, country, voice, fax, e-mail.
fn letters(shown: &PublicContact) -> String {
    let hidden = [
        shown.handle.is_hidden(),
        shown.name.is_hidden(),
        shown.organization.is_hidden(),
        shown.street.is_hidden(),
        shown.city.is_hidden(),
        shown.province.is_hidden(),
        shown.postal_code.is_hidden(),
        shown.country.is_hidden(),
        shown.voice.is_hidden(),
        shown.fax.is_hidden(),
        shown.email.is_hidden(),
    ];
    let all = "inoscpzCvfe".chars().zip(hidden);
    all.filter(|(_, is_hidden)| !is_hidden)
        .map(|(letter, _)| letter)
        .collect()
}

#[test]
fn the_default_shows_nothing_of_a_person_that_it_did_not_ask_for() {
    use ContactKind::{Org, Person, Role};
    let nothing: (bool, &[Element]) = (false, &[]);
    let (name, mail) = (
        &[Element::NameInt][..],
        &[Element::Email, Element::Voice][..],
    );
    let (address, local) = (
        &[Element::AddrInt][..],
        &[Element::AddrLoc, Element::NameLoc][..],
    );
    for (role, kind, wishes, expected) in [
        (LinkRole::Registrant, Person, nothing, Some("pC")),
        (LinkRole::Registrant, Person, (true, name), Some("npC")),
        (LinkRole::Registrant, Person, (true, mail), Some("pCve")),
        (LinkRole::Registrant, Person, (true, address), Some("scpzC")),
        // A wish about the other form is none about this one.
        (LinkRole::Registrant, Person, (true, local), Some("pC")),
        (LinkRole::Registrant, Person, (false, address), Some("pC")),
        (LinkRole::Registrant, Org, nothing, Some("ioscpzC")),
        (LinkRole::Registrant, Role, nothing, Some("ioscpzC")),
        (LinkRole::Registrant, Org, (false, address), Some("iopC")),
        (LinkRole::Registrant, Org, (true, name), Some("inoscpzC")),
        (LinkRole::Tech, Person, nothing, Some("")),
        (LinkRole::Tech, Person, (true, mail), Some("ve")),
        (LinkRole::Tech, Org, (true, address), Some("i")),
        (LinkRole::Abuse, Org, nothing, Some("inve")),
        (LinkRole::Abuse, Person, nothing, Some("")),
        (LinkRole::Admin, Org, (true, mail), None),
        (LinkRole::Billing, Person, (true, mail), None),
    ] {
        let contact = contact(kind, wishes);
        let shown = in_role(&contact, role, &DisclosurePolicy::default());
        let found = shown.as_ref().map(letters);
        assert_eq!(found.as_deref(), expected, "{role} {kind} {wishes:?}");
    }
}

#[test]
fn rules_of_a_zone_come_before_the_default() {
    let mut policy = DisclosurePolicy::default();
    policy
        .rules
        .insert((LinkRole::Registrant, Field::Email), Rule::Always);
    policy
        .rules
        .insert((LinkRole::Registrant, Field::Country), Rule::Never);
    policy
        .rules
        .insert((LinkRole::Admin, Field::Email), Rule::Consent);
    let contact = contact(ContactKind::Person, (false, &[Element::Email]));
    let shown = in_role(&contact, LinkRole::Registrant, &policy).unwrap();
    assert_eq!(letters(&shown), "pe");
    let shown = in_role(&contact, LinkRole::Admin, &policy).unwrap();
    assert_eq!(letters(&shown), "");
}

#[test]
fn what_is_hidden_is_not_in_what_is_shown() {
    let contact = contact(ContactKind::Person, (false, &[]));
    for shown in [
        in_role(&contact, LinkRole::Registrant, &DisclosurePolicy::default()).unwrap(),
        in_role(&contact, LinkRole::Tech, &DisclosurePolicy::default()).unwrap(),
        withheld(&contact),
    ] {
        let text = format!("{shown:?}");
        for secret in [
            "7-MERIDIAN",
            "Jo",
            "Doe",
            "Main",
            "Town",
            "12345",
            "+49",
            "mail.example",
        ] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

#[test]
fn by_itself_a_contact_is_shown_as_the_strictest_of_its_rules_has_it() {
    let open = {
        let mut policy = DisclosurePolicy::default();
        for (_, field) in Field::NAMES {
            policy
                .rules
                .insert((LinkRole::Registrant, *field), Rule::Always);
        }
        policy
    };
    let strict = DisclosurePolicy::default();
    let contact = contact(ContactKind::Org, (false, &[]));
    let shown = |ruled: &[Ruled<'_>]| by_itself(&contact, ruled).as_ref().map(letters);
    let registrant = LinkRole::Registrant;
    assert_eq!(
        shown(&[(registrant, &open)]).as_deref(),
        Some("inoscpzCvfe")
    );
    assert_eq!(
        shown(&[(registrant, &open), (registrant, &strict)]).as_deref(),
        Some("ioscpzC")
    );
    assert_eq!(
        shown(&[(registrant, &open), (LinkRole::Admin, &strict)]),
        None
    );
    assert_eq!(shown(&[]), None);
    assert_eq!(letters(&withheld(&contact)), "");
}
