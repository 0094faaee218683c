//! Contacts as RFC 5733 writes them.
//!
//! Texts come from the store, where an import may have left what the schema does not have:
//! what it asks for and is missing is a dash, so that a client can read the rest. So is a
//! contact whose personal data was erased.

use super::super::namespace::CONTACT;
use super::super::xml::{Writer, normalized};
use super::host::CREATOR;
use crate::registry::Timestamp;
use crate::registry::calendar::to_text;
use crate::registry::command::contact::{ContactInfo, PostalText};
use crate::registry::command::domain::TransferInfo;

/// Most statuses of one contact.
const STATUSES_MAX: usize = 7;
/// Longest line of an address.
const LINE_CHARACTERS_MAX: usize = 255;
/// Most lines of a street.
const STREET_MAX: usize = 3;
/// A country that is not known, of those that ISO 3166-1 leaves to users.
const NO_COUNTRY: &str = "ZZ";
const MISSING: &str = "-";
const DECLARED: [(&str, &str); 1] = [("xmlns:contact", CONTACT)];

pub(super) fn info(info: &ContactInfo, out: &mut Writer) {
    out.open("contact:infData", &DECLARED);
    out.leaf("contact:id", &[], info.handle.as_str());
    out.leaf("contact:roid", &[], &info.roid);
    for status in info.statuses.iter().take(STATUSES_MAX) {
        out.empty("contact:status", &[("s", status)]);
    }
    let none = PostalText::default();
    if info.int != none || info.loc == none {
        postal("int", &info.int, out);
    }
    if info.loc != none {
        postal("loc", &info.loc, out);
    }
    phone("contact:voice", &info.voice, &info.voice_extension, out);
    phone("contact:fax", &info.fax, &info.fax_extension, out);
    let email = info.email.as_deref().unwrap_or(MISSING);
    out.leaf("contact:email", &[], email);
    out.leaf("contact:clID", &[], &info.registrar);
    let creator = info.created_by.as_deref().unwrap_or(CREATOR);
    out.leaf("contact:crID", &[], creator);
    out.leaf("contact:crDate", &[], &to_text(info.created_at));
    out.optional("contact:upID", info.updated_by.as_deref());
    out.optional("contact:upDate", info.updated_at.map(to_text).as_deref());
    out.optional(
        "contact:trDate",
        info.transferred_at.map(to_text).as_deref(),
    );
    if let Some(text) = &info.disclose {
        disclose(text, out);
    }
    out.close();
}

fn line(text: Option<&String>) -> Option<String> {
    let text = normalized(text?)
        .chars()
        .take(LINE_CHARACTERS_MAX)
        .collect();
    Some(text).filter(|text: &String| !text.is_empty())
}

fn postal(kind: &str, info: &PostalText, out: &mut Writer) {
    let needed = |text: &Option<String>| line(text.as_ref()).unwrap_or_else(|| MISSING.to_owned());
    out.open("contact:postalInfo", &[("type", kind)]);
    out.leaf("contact:name", &[], &needed(&info.name));
    out.optional("contact:org", line(info.organization.as_ref()).as_deref());
    out.open("contact:addr", &[]);
    for street in info.street.iter().take(STREET_MAX) {
        out.optional("contact:street", line(Some(street)).as_deref());
    }
    out.leaf("contact:city", &[], &needed(&info.city));
    out.optional("contact:sp", line(info.province.as_ref()).as_deref());
    let code = info.postal_code.as_deref();
    out.optional("contact:pc", code.filter(|code| code.chars().count() <= 16));
    let country = info.country.as_deref().filter(|code| code.len() == 2);
    out.leaf("contact:cc", &[], country.unwrap_or(NO_COUNTRY));
    out.close();
    out.close();
}

fn phone(name: &str, number: &Option<String>, extension: &Option<String>, out: &mut Writer) {
    let is_number = |text: &&String| crate::registry::types::PhoneNumber::parse(text).is_ok();
    if let Some(number) = number.as_ref().filter(is_number) {
        let extension: Vec<_> = extension.iter().map(|x| ("x", x.as_str())).collect();
        out.leaf(name, &extension, number);
    }
}

/// `show name-int voice ..` as the elements of RFC 5733 section 2.9.
fn disclose(text: &str, out: &mut Writer) {
    const FORMS: [(&str, &str, &str); 6] = [
        ("name-int", "contact:name", "int"),
        ("name-loc", "contact:name", "loc"),
        ("org-int", "contact:org", "int"),
        ("org-loc", "contact:org", "loc"),
        ("addr-int", "contact:addr", "int"),
        ("addr-loc", "contact:addr", "loc"),
    ];
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    let flag = if words.first() == Some(&"show") {
        "1"
    } else {
        "0"
    };
    out.open("contact:disclose", &[("flag", flag)]);
    for (word, name, form) in FORMS {
        if words.contains(&word) {
            out.empty(name, &[("type", form)]);
        }
    }
    for word in ["voice", "fax", "email"] {
        if words.contains(&word) {
            out.empty(&format!("contact:{word}"), &[]);
        }
    }
    out.close();
}

pub(super) fn transfer(transfer: &TransferInfo, out: &mut Writer) {
    out.open("contact:trnData", &DECLARED);
    out.leaf("contact:id", &[], &transfer.name);
    out.leaf("contact:trStatus", &[], &transfer.state);
    out.leaf("contact:reID", &[], &transfer.gaining);
    out.leaf("contact:reDate", &[], &to_text(transfer.requested_at));
    out.leaf("contact:acID", &[], &transfer.losing);
    out.leaf("contact:acDate", &[], &to_text(transfer.acted_at));
    out.close();
}

pub(super) fn created(id: &str, created_at: Timestamp, out: &mut Writer) {
    out.open("contact:creData", &DECLARED);
    out.leaf("contact:id", &[], id);
    out.leaf("contact:crDate", &[], &to_text(created_at));
    out.close();
}
