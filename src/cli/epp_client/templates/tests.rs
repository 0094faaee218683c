use super::*;
use crate::epp::{Code, Request};

/// A value that each key may have.
fn sample(key: &str) -> &str {
    match key {
        "NAME" | "TO" | "HOST" | "HOST1" => "ns1.a.example",
        "HOST2" => "ns2.a.example",
        "ID" | "REGISTRANT" | "ADMIN" | "TECH" => "person-1",
        "AUTH" => "aB3$efghijkl",
        "YEARS" | "TYPE" => "2",
        "TAG" | "MESSAGE" => "12345",
        "ALGORITHM" => "13",
        "DIGEST" => "49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE49FD46E6C4B45C55D4AC69CB",
        "EXPIRES" => "2027-01-31",
        "STATUS" => "clientHold",
        "FAMILY" => "v4",
        "ADDRESS" => "192.0.2.1",
        "VOICE" => "+31.201234567",
        "EMAIL" => "person@example.com",
        "COUNTRY" => "NL",
        _ => "Some text",
    }
}

#[test]
fn every_template_is_a_command_once_it_is_filled() {
    for template in TEMPLATES {
        let mut xml = template.xml();
        for key in template.keys() {
            xml = xml.replace(&format!("{{{key}}}"), sample(&key));
        }
        assert!(keys_of(&xml).is_empty(), "{xml}");
        let request = Request::read(xml.as_bytes());
        let request = match request {
            // Contacts may not be transferred here; elsewhere they are.
            Err(refused) if template.name.starts_with("contact-transfer") => {
                assert_eq!(refused.fault.code, Code::UnimplementedCommand);
                continue;
            }
            request => request.unwrap_or_else(|fault| panic!("{}: {fault:?}", template.name)),
        };
        assert_eq!(request.refusal, None, "{}", template.name);
        let (object, verb) = template.name.split_once('-').unwrap_or(("poll", "req"));
        let said = request.command.name();
        assert!(said.starts_with(object), "{}: {said}", template.name);
        if ["check", "info", "create", "renew", "delete", "restore"].contains(&verb) {
            assert_eq!(said, template.name);
        }
    }
}

#[test]
fn names_are_said_once_and_keys_are_found() {
    let names: BTreeSet<_> = TEMPLATES.iter().map(|template| template.name).collect();
    assert_eq!(names.len(), TEMPLATES.len());
    let keys = find("domain-add-ds").unwrap().keys();
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    assert_eq!(keys, ["ALGORITHM", "DIGEST", "NAME", "TAG", "TYPE"]);
    assert_eq!(find("domain-none"), None);
    assert!(keys_of("{} {lower} {A B} {OPEN").is_empty());
}
