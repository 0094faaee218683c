//! What was withheld of contacts, as RFC 9537 says it, with the names that ICANN's profile
//! registers (appendix E).
//!
//! `prePath` leads nowhere in what was sent, `postPath` to the empty value that stands
//! there. Where a role has one contact, paths choose it by its role as the profile writes
//! them; of several, each by its place.

use serde_json::{Value, json};

use crate::disclosure::PublicContact;
use crate::lookup::LinkRole;

/// How a field is missing.
enum Method {
    /// It is not there.
    Removal,
    /// It is there, and empty.
    EmptyValue,
}

/// Says of each contact of an object what was withheld. `root` is where the object stands,
/// and `first` the place of the first contact among its entities.
pub(super) fn of_contacts(contacts: &[PublicContact], root: &str, first: usize) -> Vec<Value> {
    let mut all = Vec::new();
    for (place, contact) in contacts.iter().enumerate() {
        let Some(role) = contact.role else { continue };
        let alike = contacts.iter().filter(|other| other.role == contact.role);
        let base = match alike.count() {
            1 => format!("{root}.entities[?(@.roles[0]=='{}')]", rdap_role(role)),
            _ => format!("{root}.entities[{}]", first + place),
        };
        all.extend(of_contact(contact, role, &base));
    }
    all
}

/// The same of a contact that was asked for by itself.
pub(super) fn of_entity(contact: &PublicContact) -> Vec<Value> {
    of_contact(contact, LinkRole::Registrant, "$")
        .into_iter()
        .map(|mut entry| {
            // The registered names are those of roles, and it has none here.
            let name = &entry["name"];
            let name = name["type"]
                .as_str()
                .or_else(|| name["description"].as_str());
            let name = name.unwrap_or_default();
            let name = name.replace("Registry Registrant", "Contact");
            entry["name"] = json!({ "description": name.replace("Registrant", "Contact") });
            entry
        })
        .collect()
}

fn of_contact(contact: &PublicContact, role: LinkRole, base: &str) -> Vec<Value> {
    let card = format!("{base}.vcardArray[1]");
    let property = |name: &str| format!("{card}[?(@[0]=='{name}')]");
    let typed = |kind: &str| format!("{card}[?(@[1].type=='{kind}')]");
    let address = property("adr");
    let has_address = contact.country.shown().is_some();
    let is_registrant = role == LinkRole::Registrant;
    let mut entries = Vec::new();
    let mut note = |is_hidden: bool, part: &str, path: String, method: Method| {
        if is_hidden {
            entries.push(entry(&name(role, part), &path, &method));
        }
    };
    let hidden = contact.handle.is_hidden();
    note(hidden, "ID", format!("{base}.handle"), Method::Removal);
    let path = format!("{}[3]", property("fn"));
    note(contact.name.is_hidden(), "Name", path, Method::EmptyValue);
    let hidden = contact.organization.is_hidden() && is_registrant;
    note(hidden, "Organization", property("org"), Method::Removal);
    if is_registrant {
        let parts = [
            (contact.street.is_hidden(), "Street", "[:3]"),
            (contact.city.is_hidden(), "City", "[3]"),
            (contact.province.is_hidden(), "State/Province", "[4]"),
            (contact.postal_code.is_hidden(), "Postal Code", "[5]"),
        ];
        for (is_hidden, part, place) in parts {
            let path = format!("{address}[3]{place}");
            note(is_hidden && has_address, part, path, Method::EmptyValue);
        }
        let hidden = contact.country.is_hidden();
        note(hidden, "Address", address, Method::Removal);
    }
    let hidden = contact.voice.is_hidden();
    note(hidden, "Phone", typed("voice"), Method::Removal);
    note(hidden, "Phone Ext", typed("voice"), Method::Removal);
    let hidden = contact.fax.is_hidden() && is_registrant;
    note(hidden, "Fax", typed("fax"), Method::Removal);
    note(hidden, "Fax Ext", typed("fax"), Method::Removal);
    let hidden = contact.email.is_hidden();
    note(hidden, "Email", property("email"), Method::Removal);
    entries
}

/// A registered name, or a description where there is none.
fn name(role: LinkRole, part: &str) -> Value {
    let (prefix, is_registered) = match role {
        LinkRole::Registrant => ("Registrant", !matches!(part, "State/Province" | "Address")),
        LinkRole::Tech => ("Tech", true),
        LinkRole::Admin => ("Admin", false),
        LinkRole::Billing => ("Billing", false),
        LinkRole::Abuse => ("Abuse", false),
    };
    let name = match part {
        "ID" => format!("Registry {prefix} ID"),
        part => format!("{prefix} {part}"),
    };
    match is_registered {
        true => json!({ "type": name }),
        false => json!({ "description": name }),
    }
}

fn entry(name: &Value, path: &str, method: &Method) -> Value {
    let (key, method) = match method {
        Method::Removal => ("prePath", "removal"),
        Method::EmptyValue => ("postPath", "emptyValue"),
    };
    json!({
        "name": name,
        key: path,
        "pathLang": "jsonpath",
        "method": method,
        "reason": { "description": "Server policy" },
    })
}

/// IANA's word for a role.
pub(super) fn rdap_role(role: LinkRole) -> &'static str {
    match role {
        LinkRole::Registrant => "registrant",
        LinkRole::Admin => "administrative",
        LinkRole::Tech => "technical",
        LinkRole::Billing => "billing",
        LinkRole::Abuse => "abuse",
    }
}
