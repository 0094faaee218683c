//! A registrar: in short beside its objects, and on a page of its own.

use super::{Mark, Object, Rows, Section, Tone, Value};
use crate::lookup::{PublicField, RegistrarRecord};
use crate::net::percent::encode;
use crate::web::moment::Moment;

/// Who looks after an object, and how it is reached.
pub(super) fn short(record: &RegistrarRecord) -> Section {
    let mut rows = Rows::default();
    // By what is public of it: its number, or else its name.
    let number = record.iana_id.map(|id| id.to_string());
    let called = number.as_ref().unwrap_or(&record.name);
    rows.one(
        "Name",
        Value::Page {
            href: format!("/registrar/{}", encode(called)),
            text: record.name.clone(),
        },
    );
    rows.text("IANA ID", number.as_deref());
    web(&mut rows, record, "Web pages", PublicField::Url);
    abuse(&mut rows, record);
    rows.section("Registrar")
}

fn web(rows: &mut Rows, record: &RegistrarRecord, name: &'static str, field: PublicField) {
    if let Some(url) = record.public(field) {
        rows.one(name, Value::web(url));
    }
}

fn mail(rows: &mut Rows, record: &RegistrarRecord, name: &'static str, field: PublicField) {
    if let Some(address) = record.public(field) {
        rows.one(name, Value::mail(address));
    }
}

fn abuse(rows: &mut Rows, record: &RegistrarRecord) {
    mail(rows, record, "Report abuse", PublicField::AbuseEmail);
    rows.text(
        "Telephone for abuse",
        record.public(PublicField::AbuseVoice),
    );
}

/// A registrar on its own page.
pub(in crate::web) fn registrar(record: &RegistrarRecord) -> Object {
    let mut rows = Rows::default();
    let number = record.iana_id.map(|id| id.to_string());
    rows.text("IANA ID", number.as_deref());
    web(&mut rows, record, "Web pages", PublicField::Url);
    mail(&mut rows, record, "E-mail", PublicField::Email);
    for (name, field) in [
        ("Telephone", PublicField::Voice),
        ("Fax", PublicField::Fax),
        ("Street", PublicField::Street),
        ("City", PublicField::City),
        ("State or province", PublicField::Province),
        ("Postal code", PublicField::PostalCode),
        ("Country", PublicField::Country),
        ("WHOIS server", PublicField::WhoisServer),
    ] {
        rows.text(name, record.public(field));
    }
    web(&mut rows, record, "RDAP service", PublicField::RdapUrl);
    rows.one(
        "Registrar since",
        Value::Time(Moment::new(record.created_at)),
    );
    let mut side = Vec::new();
    let mut abused = Rows::default();
    abuse(&mut abused, record);
    side.push(abused.section("Abuse"));
    for (title, name, voice, email) in [
        (
            "Administrative contact",
            PublicField::AdminName,
            PublicField::AdminVoice,
            PublicField::AdminEmail,
        ),
        (
            "Technical contact",
            PublicField::TechName,
            PublicField::TechVoice,
            PublicField::TechEmail,
        ),
    ] {
        let mut rows = Rows::default();
        rows.text("Name", record.public(name));
        rows.text("Telephone", record.public(voice));
        mail(&mut rows, record, "E-mail", email);
        side.push(rows.section(title));
    }
    side.retain(|section| !section.rows.is_empty());
    Object {
        kind: "Registrar",
        name: record.name.clone(),
        unicode: None,
        marks: vec![standing(&record.status)],
        main: vec![rows.section("Details")],
        side,
    }
}

fn standing(status: &str) -> Mark {
    let (tone, text) = match status {
        "active" => (Tone::Good, "Active"),
        "suspended" => (Tone::Warn, "Suspended"),
        _ => (Tone::Warn, "No longer active"),
    };
    Mark { tone, text }
}
