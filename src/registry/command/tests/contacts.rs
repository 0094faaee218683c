//! Contacts, and what data models ask of domains.

use super::life::shown;
use super::*;
use crate::registry::command::contact::{
    Address, Change, ContactCommand, ContactCreate, ContactErase, ContactInfo, ContactKeys,
    ContactKind, ContactTransfer, ContactUpdate, Disclose, DomainContact, Element, Phone,
    PostalInfo,
};
use crate::registry::types::Handle;

/// Words: `city=`, `street=` (repeated), `loc=NAME`, `email=`, `voice=`, `disclose=`.
pub(super) fn command(
    verb: &str,
    name: &str,
    values: &dyn Fn(&str) -> Vec<String>,
) -> ContactCommand {
    let handle: Handle = name.parse().unwrap();
    let phone = |key: &str| {
        values(key).first().map(|text| Phone {
            number: text.parse().unwrap(),
            extension: None,
        })
    };
    match verb {
        "create" => ContactCommand::Create(Box::new(ContactCreate {
            handle,
            registrar: all(values("by=")).pop(),
            kind: ContactKind::Person,
            int: postal("Jo Doe", values).filter(|_| values("noint=").is_empty()),
            loc: values("loc=").first().and_then(|name| postal(name, values)),
            voice: phone("voice="),
            fax: None,
            email: "jo@mail.example".parse().unwrap(),
            disclose: values("disclose=").first().map(|word| disclose(word)),
            auth_info: auth(values),
        })),
        "keys" => ContactCommand::Keys(ContactKeys {
            handle,
            add: all(values("key=")),
            remove: all(values("-key=")),
        }),
        "delete" => ContactCommand::Delete(handle),
        "transfer" => ContactCommand::Transfer(Box::new(ContactTransfer {
            handle,
            op: values("op=")[0].parse().unwrap(),
            registrar: all(values("by=")).pop(),
            auth_info: auth(values),
        })),
        "erase" => ContactCommand::Erase(ContactErase {
            handle,
            former: !values("former=").is_empty(),
        }),
        "info" => ContactCommand::Info(handle),
        _ => ContactCommand::Update(Box::new(ContactUpdate {
            add: all(values("status=")),
            remove: all(values("-status=")),
            email: all(values("email=")).pop(),
            voice: phone("voice=").map(Change::Set),
            int: values("name=").first().map(|name| match name.as_str() {
                "none" => Change::Remove,
                name => Change::Set(postal(name, values).unwrap()),
            }),
            disclose: values("disclose=").first().map(|word| match word.as_str() {
                "none" => Change::Remove,
                word => Change::Set(disclose(word)),
            }),
            auth_info: auth(values),
            ..ContactUpdate::new(handle)
        })),
    }
}

fn postal(name: &str, values: &dyn Fn(&str) -> Vec<String>) -> Option<PostalInfo> {
    let city = values("city=").first().cloned();
    Some(PostalInfo {
        name: name.parse().unwrap(),
        organization: None,
        address: Address {
            street: all(values("street=")),
            city: city.unwrap_or_else(|| "Town".to_owned()).parse().unwrap(),
            province: None,
            postal_code: Some("12345".parse().unwrap()),
            country: "DE".parse().unwrap(),
        },
    })
}

fn disclose(word: &str) -> Disclose {
    let elements = Element::parse(word).into_iter().collect();
    let show = false;
    Disclose { show, elements }
}

/// `ROLE:HANDLE` words.
pub(super) fn links(words: &[String]) -> Vec<DomainContact> {
    let link = |word: &String| {
        let (role, contact) = word.split_once(':').unwrap();
        DomainContact {
            role: role.parse().unwrap(),
            contact: contact.parse().unwrap(),
        }
    };
    words.iter().map(link).collect()
}

pub(super) fn registrant(words: &[String]) -> Option<Change<Handle>> {
    words.first().map(|word| match word.as_str() {
        "none" => Change::Remove,
        handle => Change::Set(handle.parse().unwrap()),
    })
}

async fn check(script: &str) {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(&mut test, script).await;
    }
}

#[tokio::test]
async fn contacts_are_their_sponsors_own() {
    check(
        "reg-a contact create c-1 = 2307
         reg-a contact info c-1 = 2307
         op zone policy tld data-model=maximum = 1000
         reg-a contact create c-1 = 1000
         reg-a contact create c-1 = 2302
         reg-b contact create c-1 = 2302
         op contact create c-2 = 2003
         op contact create c-2 by=reg-b = 1000
         reg-a contact create c-3 by=reg-b = 2201
         reg-a contact create c-3 noint=yes = 2003
         reg-a contact create c-3 noint=yes loc=Jö = 1000
         reg-a contact create c-4 city=Köln = 2005
         reg-a contact create c-4 street=a street=b street=c street=d = 2306
         reg-a contact create c-4 disclose=nothing = 2003
         reg-a contact create c-4 disclose=email auth=weak = 2306
         reg-a contact create c-4 disclose=email street=a street=b street=c = 1000
         reg-a contact info c-9 = 2303
         reg-b contact info c-1 = 2201
         op contact info c-1 = 1000
         reg-a contact update c-1 = 2003
         reg-a contact update c-9 email=x@y.example = 2303
         reg-b contact update c-1 email=x@y.example = 2201
         reg-a contact update c-1 email=x@y.example voice=+49.123 = 1000
         reg-a contact update c-1 name=none = 2306
         reg-a contact update c-1 name=Köln = 2005
         reg-a contact update c-1 disclose=nothing = 2003
         reg-a contact update c-1 status=clientHold = 2306
         reg-a contact update c-1 status=serverUpdateProhibited = 2306
         reg-a contact update c-1 status=clientUpdateProhibited = 1000
         reg-a contact update c-1 email=x@y.example = 2304
         reg-a contact update c-1 -status=clientUpdateProhibited email=x@y.example = 2304
         reg-a contact update c-1 -status=clientUpdateProhibited = 1000
         reg-a contact update c-1 status=clientDeleteProhibited = 1000
         reg-a contact delete c-1 = 2304
         reg-a contact update c-1 -status=clientDeleteProhibited = 1000
         reg-b contact delete c-1 = 2201
         reg-a contact delete c-1 = 1000
         reg-a contact delete c-1 = 2303
         op registrar delete reg-b = 2305",
    )
    .await;
}

#[tokio::test]
async fn a_thick_zone_asks_for_contacts_and_a_thin_one_refuses_them() {
    check(
        "op zone policy tld data-model=maximum contacts-required=admin,tech contacts-max=3 = 1000
         reg-a contact create c-1 = 1000
         reg-a contact create c-2 = 1000
         reg-a contact create c-3 = 1000
         reg-a contact create c-4 = 1000
         reg-b contact create c-5 = 1000
         reg-a domain create a.tld = 2003
         reg-a domain create a.tld registrant=c-1 = 2003
         reg-a domain create a.tld registrant=c-1 contact=admin:c-1 = 2003
         reg-a domain create a.tld registrant=c-9 contact=admin:c-1 contact=tech:c-1 = 2303
         reg-a domain create a.tld registrant=c-1 contact=admin:c-9 contact=tech:c-1 = 2303
         reg-a domain create a.tld registrant=c-5 contact=admin:c-1 contact=tech:c-1 = 2201
         reg-a domain create a.tld registrant=c-1 contact=admin:c-1 contact=admin:c-1 contact=tech:c-1 = 2306
         reg-a domain create a.tld registrant=c-1 contact=admin:c-1 contact=tech:c-1 = 1000
         reg-a contact delete c-1 = 2305
         reg-a domain update a.tld registrant=none = 2003
         reg-a domain update a.tld -contact=tech:c-1 = 2003
         reg-a domain update a.tld -contact=billing:c-1 = 2306
         reg-a domain update a.tld contact=tech:c-1 = 2306
         reg-a domain update a.tld contact=abuse:c-9 = 2303
         reg-a domain update a.tld contact=admin:c-2 contact=admin:c-3 contact=admin:c-4 = 2306
         reg-a domain update a.tld contact=admin:c-2 contact=admin:c-3 contact=abuse:c-4 = 1000
         reg-a domain update a.tld -contact=tech:c-1 contact=tech:c-2 -contact=admin:c-1 = 1000
         reg-a contact delete c-1 = 2305
         reg-a domain update a.tld registrant=c-2 = 1000
         reg-a contact delete c-1 = 1000
         op zone policy tld data-model=minimum = 1000
         reg-a domain create b.tld registrant=c-2 = 2306
         reg-a domain create b.tld contact=admin:c-2 = 2306
         reg-a domain create b.tld = 1000
         reg-a domain update a.tld status=clientHold = 1000",
    )
    .await;
}

#[tokio::test]
async fn in_a_zone_of_both_each_registrar_does_it_its_way() {
    check(
        "op zone policy tld data-model=per-registrar = 1000
         op registrar update reg-a model=maximum = 1000
         reg-b contact create c-2 = 2307
         reg-a contact create c-1 = 1000
         reg-a domain create a.tld = 2003
         reg-a domain create a.tld registrant=c-1 = 1000
         reg-b domain create b.tld = 1000
         reg-a domain delete a.tld = 1000
         reg-a contact delete c-1 = 1000",
    )
    .await;
}

#[tokio::test]
async fn what_was_said_of_a_contact_is_shown_to_its_sponsor_and_of_a_domain_too() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let test = &mut test;
        play(
            test,
            "op zone policy tld data-model=maximum = 1000
             reg-a contact create c-1 street=First_1 street=Back loc=Jörg disclose=email = 1000
             reg-a contact update c-1 voice=+49.123 = 1000
             reg-a domain create a.tld registrant=c-1 contact=tech:c-1 auth=k9$Tq2-vX7mB!zR4pL0w = 1000",
        )
        .await;
        let found = run(test, &parse("reg-a contact info c-1")).await.unwrap();
        let Outcome::Read(info) = found else { panic!() };
        let Info::Contact(found) = *info else {
            panic!()
        };
        let ContactInfo { int, loc, .. } = &*found;
        assert_eq!(int.name.as_deref(), Some("Jo Doe"));
        assert_eq!(int.street, ["First 1", "Back"]);
        assert_eq!(loc.name.as_deref(), Some("Jörg"));
        assert_eq!(loc.country.as_deref(), Some("DE"));
        assert_eq!(found.voice.as_deref(), Some("+49.123"));
        assert_eq!(found.disclose.as_deref(), Some("hide email"));
        assert_eq!(found.statuses, ["ok", "linked"]);
        assert_eq!(found.updated_by.as_deref(), Some("reg-a"));
        let found = shown(test, "reg-a domain info a.tld").await;
        assert_eq!(found.registrant.as_deref(), Some("c-1"));
        assert_eq!(found.contacts, ["tech:c-1"]);
        let found = shown(test, "reg-b domain info a.tld").await;
        assert_eq!((found.registrant, found.contacts.len()), (None, 0));
        let found = shown(test, "reg-b domain info a.tld auth=k9$Tq2-vX7mB!zR4pL0w").await;
        assert_eq!(found.registrant.as_deref(), Some("c-1"));
    }
}
