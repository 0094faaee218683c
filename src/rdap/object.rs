//! Domains, hosts and entities as JSON (RFC 9083 section 5, RFC 8056).

use serde_json::{Map, Value, json};

use super::path::FieldSet;
use super::redacted::{of_contacts, of_entity, rdap_role};
use super::{MEDIA_TYPE, jcard};
use crate::disclosure::PublicContact;
use crate::lookup::names::unicode;
use crate::lookup::search::NO_HANDLE;
use crate::lookup::{
    Address, DomainRecord, Found, HostRecord, PublicField, RegistrarRecord, ServerRecord,
    Timestamp, time_text,
};

/// What all objects of an answer share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    /// Address of the service, with its final slash.
    pub(super) base: &'a str,
    /// Address that was asked.
    pub(super) asked: &'a str,
    /// Which fields are wanted.
    pub(super) fields: FieldSet,
}

/// An object under way.
pub(super) type Object = Map<String, Value>;

impl Frame<'_> {
    /// An object that was found, which stands at `root`.
    pub(super) fn object(&self, found: &Found, root: &str) -> Option<Object> {
        let mut object = match found {
            Found::Domain(domain, contacts) => self.domain(domain, contacts, root),
            Found::Nameserver(host) => self.nameserver(host),
            Found::Registrar(registrar) => self.registrar(registrar),
            Found::Contact(contact) => self.contact(contact),
            Found::Nothing | Found::Availability(_) | Found::Page { .. } | Found::TooMany => {
                return None;
            }
        };
        let kept: &[&str] = match self.fields {
            FieldSet::Full => return Some(object),
            FieldSet::Brief => &[
                "objectClassName",
                "handle",
                "ldhName",
                "unicodeName",
                "links",
                "status",
            ],
            FieldSet::Id => {
                let is_entity = object["objectClassName"] == "entity";
                match is_entity {
                    true => &["objectClassName", "handle", "links"],
                    false => &["objectClassName", "ldhName", "unicodeName", "links"],
                }
            }
        };
        object.retain(|key, _| kept.contains(&key.as_str()));
        Some(object)
    }

    fn link(&self, rel: &str, href: &str, media_type: &str) -> Value {
        json!({ "value": self.asked, "rel": rel, "href": href, "type": media_type })
    }

    fn self_link(&self, path: &str, name: &str) -> Value {
        let href = format!("{}{path}/{}", self.base, escaped(name));
        self.link("self", &href, MEDIA_TYPE)
    }

    fn domain(&self, domain: &DomainRecord, contacts: &[PublicContact], root: &str) -> Object {
        let mut links = vec![self.self_link("domain", &domain.name)];
        if let Some(base) = domain.registrar.public(PublicField::RdapUrl) {
            // ICANN's technical guide, section 3.2.
            let href = format!("{}/domain/{}", base.trim_end_matches('/'), domain.name);
            links.push(self.link("related", &href, MEDIA_TYPE));
        }
        let mut entities = vec![Value::Object(self.registrar_of(&domain.registrar))];
        let first = entities.len();
        entities.extend(
            contacts
                .iter()
                .map(|contact| Value::Object(self.contact_of(contact))),
        );
        let servers: Vec<_> = domain
            .servers
            .iter()
            .map(|server| self.server(server))
            .collect();
        let words = domain.statuses.iter().map(String::as_str);
        let mut object = named("domain", &domain.name);
        object.insert("handle".into(), json!(domain.roid));
        object.insert(
            "status".into(),
            statuses(words.chain(domain.rgp_statuses.iter().copied())),
        );
        object.insert("events".into(), domain_events(domain));
        object.insert("entities".into(), json!(entities));
        object.insert("nameservers".into(), json!(servers));
        object.insert("secureDNS".into(), secure_dns(domain));
        object.insert("links".into(), json!(links));
        let redacted = of_contacts(contacts, root, first);
        if !redacted.is_empty() {
            object.insert("redacted".into(), json!(redacted));
        }
        object
    }

    fn server(&self, server: &ServerRecord) -> Value {
        let mut object = named("nameserver", &server.name);
        // ICANN's profile, section 2.8.3: an attribute of a domain has neither.
        if !server.roid.is_empty() {
            let words = server.statuses.iter().map(String::as_str);
            let link = self.self_link("nameserver", &server.name);
            object.insert("handle".into(), json!(server.roid));
            object.insert("status".into(), statuses(words));
            object.insert("links".into(), json!([link]));
        }
        insert_addresses(&mut object, &server.addresses);
        Value::Object(object)
    }

    fn nameserver(&self, host: &HostRecord) -> Object {
        let mut object = named("nameserver", &host.name);
        object.insert("handle".into(), json!(host.roid));
        object.insert(
            "status".into(),
            statuses(host.statuses.iter().map(String::as_str)),
        );
        insert_addresses(&mut object, &host.addresses);
        let events = [
            ("registration", Some(host.created_at)),
            ("last changed", host.updated_at),
            ("transfer", host.transferred_at),
        ];
        object.insert("events".into(), self::events(&events));
        let registrar = Value::Object(self.registrar_of(&host.registrar));
        object.insert("entities".into(), json!([registrar]));
        object.insert(
            "links".into(),
            json!([self.self_link("nameserver", &host.name)]),
        );
        object
    }

    /// A registrar that was asked for.
    fn registrar(&self, registrar: &RegistrarRecord) -> Object {
        let mut object = self.registrar_of(registrar);
        let people = [
            (
                "administrative",
                PublicField::AdminName,
                PublicField::AdminVoice,
                PublicField::AdminEmail,
            ),
            (
                "technical",
                PublicField::TechName,
                PublicField::TechVoice,
                PublicField::TechEmail,
            ),
        ];
        let public = |field| registrar.public(field);
        let mut entities = object["entities"].as_array().cloned().unwrap_or_default();
        for (role, name, voice, email) in people {
            if let Some(name) = public(name) {
                let card = jcard::of_person(name, public(voice), public(email));
                entities.push(person(role, &card));
            }
        }
        object.insert("entities".into(), json!(entities));
        let events = [
            ("registration", Some(registrar.created_at)),
            ("last changed", registrar.updated_at),
        ];
        object.insert("events".into(), self::events(&events));
        // RFC 9083 has no word for one that may not act now but this.
        let word = if registrar.status == "active" {
            "active"
        } else {
            "inactive"
        };
        object.insert("status".into(), json!([word]));
        object
    }

    /// A registrar as the sponsor of something.
    fn registrar_of(&self, registrar: &RegistrarRecord) -> Object {
        let public = |field| registrar.public(field);
        let mut object = Object::new();
        object.insert("objectClassName".into(), json!("entity"));
        object.insert("roles".into(), json!(["registrar"]));
        let handle = registrar.iana_id.map(|id| id.to_string());
        if let Some(number) = &handle {
            let id = json!({ "type": "IANA Registrar ID", "identifier": number });
            object.insert("publicIds".into(), json!([id]));
        }
        let handle = handle.unwrap_or_else(|| NO_HANDLE.to_owned());
        object.insert("handle".into(), json!(handle));
        object.insert("vcardArray".into(), jcard::of_registrar(registrar));
        let found_by = registrar.iana_id.map(|id| id.to_string());
        let found_by = found_by.unwrap_or_else(|| registrar.name.clone());
        let mut links = vec![self.self_link("entity", &found_by)];
        if let Some(url) = public(PublicField::Url) {
            // ICANN's profile, section 2.4.6: the value is the base of its own service.
            let value = public(PublicField::RdapUrl).unwrap_or(self.asked);
            links.push(json!({ "value": value, "rel": "about", "href": url, "type": "text/html" }));
        }
        object.insert("links".into(), json!(links));
        let card = jcard::of_person(
            "Abuse Contact",
            public(PublicField::AbuseVoice),
            public(PublicField::AbuseEmail),
        );
        object.insert("entities".into(), json!([person("abuse", &card)]));
        object
    }

    /// A contact that was asked for.
    fn contact(&self, contact: &PublicContact) -> Object {
        let mut object = self.contact_of(contact);
        let redacted = of_entity(contact);
        if !redacted.is_empty() {
            object.insert("redacted".into(), json!(redacted));
        }
        object
    }

    /// A contact of something.
    fn contact_of(&self, contact: &PublicContact) -> Object {
        let mut object = Object::new();
        object.insert("objectClassName".into(), json!("entity"));
        if let Some(role) = contact.role {
            object.insert("roles".into(), json!([rdap_role(role)]));
        }
        if let Some(handle) = contact.handle.shown() {
            object.insert("handle".into(), json!(handle));
            object.insert("links".into(), json!([self.self_link("entity", handle)]));
        }
        object.insert("vcardArray".into(), jcard::of_contact(contact));
        object
    }
}

/// Somebody at a registrar.
fn person(role: &str, card: &Value) -> Value {
    json!({ "objectClassName": "entity", "roles": [role], "vcardArray": card })
}

fn named(class: &str, name: &str) -> Object {
    let mut object = Object::new();
    object.insert("objectClassName".into(), json!(class));
    object.insert("ldhName".into(), json!(name));
    if let Some(unicode) = unicode(name) {
        object.insert("unicodeName".into(), json!(unicode));
    }
    object
}

/// RFC 9083 section 5.2; nothing where there are none.
fn insert_addresses(object: &mut Object, addresses: &[Address]) {
    let (v6, v4): (Vec<_>, Vec<_>) = addresses
        .iter()
        .map(ToString::to_string)
        .partition(|text| text.contains(':'));
    let families = [("v4", v4), ("v6", v6)].into_iter();
    let there: Object = families
        .filter(|(_, found)| !found.is_empty())
        .map(|(family, found)| (family.to_owned(), json!(found)))
        .collect();
    if !there.is_empty() {
        object.insert("ipAddresses".into(), Value::Object(there));
    }
}

/// RFC 8056: each of EPP's words in RDAP's, each once.
fn statuses<'w>(words: impl Iterator<Item = &'w str>) -> Value {
    let mut found: Vec<String> = Vec::new();
    for word in words {
        let word = match word {
            "ok" => "active".to_owned(),
            "linked" => "associated".to_owned(),
            camel => camel.chars().fold(String::new(), |mut text, c| {
                if c.is_ascii_uppercase() {
                    text.push(' ');
                }
                text.push(c.to_ascii_lowercase());
                text
            }),
        };
        if !found.contains(&word) {
            found.push(word);
        }
    }
    json!(found)
}

fn events(all: &[(&str, Option<Timestamp>)]) -> Value {
    let there = all.iter().filter_map(|(action, at)| Some((action, (*at)?)));
    let event = |(action, at)| json!({ "eventAction": action, "eventDate": time_text(at) });
    Value::Array(there.map(event).collect())
}

fn domain_events(domain: &DomainRecord) -> Value {
    events(&[
        ("registration", Some(domain.created_at)),
        ("expiration", domain.expires_at),
        ("last changed", domain.updated_at),
        ("transfer", domain.transferred_at),
    ])
}

fn secure_dns(domain: &DomainRecord) -> Value {
    if domain.ds.is_empty() {
        // The DS of a parked domain are the registry's, and change with its keys.
        return json!({ "delegationSigned": domain.is_signed() });
    }
    let data = domain.ds.iter().map(|ds| {
        let digest = ds.digest().iter().map(|octet| format!("{octet:02X}"));
        json!({
            "keyTag": ds.key_tag(),
            "algorithm": ds.algorithm(),
            "digestType": ds.digest_type(),
            "digest": digest.collect::<String>(),
        })
    });
    let mut signed = json!({ "delegationSigned": true, "dsData": data.collect::<Vec<_>>() });
    // Where the zone takes keys: what the DS were made of (RFC 9083 section 5.3).
    if !domain.keys.is_empty() {
        let keys = domain.keys.iter().map(|key| {
            json!({
                "flags": key.flags(),
                "protocol": 3,
                "publicKey": key.public_key_text(),
                "algorithm": key.algorithm(),
            })
        });
        signed["keyData"] = json!(keys.collect::<Vec<_>>());
    }
    signed
}

/// A segment of a path (RFC 3986 section 3.3) that is this text.
pub(super) fn escaped(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            true => path.push(char::from(octet)),
            false => path.push_str(&format!("%{octet:02X}")),
        }
    }
    path
}
