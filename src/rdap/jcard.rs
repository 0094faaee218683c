//! jCards (RFC 7095) of contacts and registrars, as ICANN's profile wants them: the country
//! as parameter `cc`, a name even where it is empty, telephone numbers with their types.

use serde_json::{Value, json};

use crate::disclosure::{Part, Phone, PublicContact};
use crate::lookup::{PublicField, RegistrarRecord};

/// A card under way.
struct Card(Vec<Value>);

impl Card {
    fn new(name: &str) -> Self {
        Self(vec![
            json!(["version", {}, "text", "4.0"]),
            json!(["fn", {}, "text", name]),
        ])
    }

    fn text(&mut self, property: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.push(json!([property, {}, "text", value]));
        }
    }

    fn phone(&mut self, kind: &str, number: Option<&str>, extension: Option<&str>) {
        // What a registrar imported may be no number.
        let is_number = |number: &&str| {
            let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
            number.starts_with('+') && number.len() > 1 && number[1..].bytes().all(plain)
        };
        let Some(number) = number else { return };
        if !is_number(&number) {
            self.0
                .push(json!(["tel", { "type": kind }, "text", number]));
            return;
        }
        let uri = match extension {
            Some(extension) => format!("tel:{number};ext={extension}"),
            None => format!("tel:{number}"),
        };
        self.0.push(json!(["tel", { "type": kind }, "uri", uri]));
    }

    fn address(&mut self, country: &str, parts: [Value; 4]) {
        let [street, city, province, postal_code] = parts;
        self.0.push(json!([
            "adr", { "cc": country }, "text",
            ["", "", street, city, province, postal_code, ""]
        ]));
    }

    fn end(self) -> Value {
        json!(["vcard", self.0])
    }
}

/// ICANN's technical guide, section 3.8.1: a string, or an array of several lines.
fn lines(street: Option<&Vec<String>>) -> Value {
    match street.map(Vec::as_slice) {
        None | Some([]) => json!(""),
        Some([line]) => json!(line),
        Some(lines) => json!(lines),
    }
}

/// The card of a contact as it is shown.
pub(super) fn of_contact(contact: &PublicContact) -> Value {
    let text = |part: &Part<String>| part.shown().cloned().unwrap_or_default();
    let mut card = Card::new(&text(&contact.name));
    card.text("org", contact.organization.shown().map(String::as_str));
    if let Some(country) = contact.country.shown() {
        let parts = [
            lines(contact.street.shown()),
            json!(text(&contact.city)),
            json!(text(&contact.province)),
            json!(text(&contact.postal_code)),
        ];
        card.address(country, parts);
    }
    for (kind, phone) in [("voice", &contact.voice), ("fax", &contact.fax)] {
        if let Some(Phone { number, extension }) = phone.shown() {
            card.phone(kind, Some(number), extension.as_deref());
        }
    }
    card.text("email", contact.email.shown().map(String::as_str));
    card.end()
}

/// The card of a registrar.
pub(super) fn of_registrar(registrar: &RegistrarRecord) -> Value {
    let public = |field| registrar.public(field);
    let mut card = Card::new(&registrar.name);
    if let Some(country) = public(PublicField::Country) {
        let part = |field| json!(public(field).unwrap_or_default());
        let parts = [
            part(PublicField::Street),
            part(PublicField::City),
            part(PublicField::Province),
            part(PublicField::PostalCode),
        ];
        card.address(country, parts);
    }
    card.phone("voice", public(PublicField::Voice), None);
    card.phone("fax", public(PublicField::Fax), None);
    card.text("email", public(PublicField::Email));
    if let Some(url) = public(PublicField::Url) {
        card.0.push(json!(["url", {}, "uri", url]));
    }
    card.end()
}

/// The card of somebody at a registrar.
pub(super) fn of_person(name: &str, voice: Option<&str>, email: Option<&str>) -> Value {
    let mut card = Card::new(name);
    card.phone("voice", voice, None);
    card.text("email", email);
    card.end()
}
