//! A contact, as far as it is shown.

use super::{Rows, Section, Value};
use crate::disclosure::{Part, Phone, PublicContact};
use crate::lookup::LinkRole;
use crate::web::words;

/// What is said of a contact.
pub(in crate::web) fn section(contact: &PublicContact) -> Section {
    let title = match contact.role {
        Some(LinkRole::Registrant) | None => "Registrant",
        Some(LinkRole::Admin) => "Administrative contact",
        Some(LinkRole::Tech) => "Technical contact",
        Some(LinkRole::Billing) => "Billing contact",
        Some(LinkRole::Abuse) => "Abuse contact",
    };
    let mut shown = Shown::default();
    shown.text("Name", &contact.name);
    shown.text("Organization", &contact.organization);
    shown.part("Street", &contact.street, |lines| {
        lines.iter().cloned().map(Value::Text).collect()
    });
    shown.text("City", &contact.city);
    shown.text("State or province", &contact.province);
    shown.text("Postal code", &contact.postal_code);
    shown.text("Country", &contact.country);
    shown.part("Telephone", &contact.voice, phone);
    shown.part("Fax", &contact.fax, phone);
    shown.part("E-mail", &contact.email, |email| vec![Value::mail(email)]);
    shown.part("Registry ID", &contact.handle, |handle| {
        vec![Value::Code(handle.clone())]
    });
    shown.section(title)
}

fn phone(phone: &Phone) -> Vec<Value> {
    let text = match &phone.extension {
        Some(extension) => format!("{} ext. {extension}", phone.number),
        None => phone.number.clone(),
    };
    vec![Value::Text(text)]
}

#[derive(Default)]
struct Shown {
    rows: Rows,
    withheld: Vec<String>,
}

impl Shown {
    fn part<T>(&mut self, name: &'static str, part: &Part<T>, values: impl Fn(&T) -> Vec<Value>) {
        match part {
            Part::Shown(value) => self.rows.many(name, values(value)),
            Part::Empty => {}
            Part::Hidden => self.withheld.push(withheld(name, self.withheld.is_empty())),
        }
    }

    fn text(&mut self, name: &'static str, part: &Part<String>) {
        self.part(name, part, |text| vec![Value::Text(text.clone())]);
    }

    fn section(mut self, title: &'static str) -> Section {
        if !self.withheld.is_empty() {
            let names: Vec<_> = self.withheld.iter().map(String::as_str).collect();
            self.rows.one("Withheld", Value::Note(words::list(&names)));
        }
        self.rows.section(title)
    }
}

/// A name within a sentence, or at its start.
fn withheld(name: &str, is_first: bool) -> String {
    match name {
        "Registry ID" => name.to_owned(),
        name if is_first => name.to_owned(),
        name => name.to_lowercase(),
    }
}
