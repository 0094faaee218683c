//! Requests and their answers, without sockets.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use serde_json::{Value, json};
use serde_json_path::JsonPath;

use super::*;
use crate::lookup::Lookups;
use crate::lookup::testing::{Engine, execute, lookups, lookups_with, park_signed, stage};

mod searches;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn responder(lookups: Arc<Lookups>) -> Responder {
    Responder {
        lookups,
        base: "https://rdap.nic.example/v1/".to_owned(),
        terms_url: "https://nic.example/terms".to_owned(),
        whois_server: "whois.nic.example".to_owned(),
        page_size: 2,
    }
}

/// Asks for a path below the base; the status and the body.
async fn get(responder: &Responder, target: &str) -> (u16, Value) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let reply = responder
        .respond(CLIENT, &format!("/v1/{path}"), query)
        .await;
    (reply.status, serde_json::from_str(&reply.body).unwrap())
}

async fn got(responder: &Responder, target: &str) -> Value {
    let (status, body) = get(responder, target).await;
    assert_eq!(status, 200, "{target}: {body}");
    body
}

/// Whatever is where this path leads.
fn at<'b>(body: &'b Value, path: &str) -> Vec<&'b Value> {
    let parsed = JsonPath::parse(path);
    parsed
        .unwrap_or_else(|error| panic!("{path}: {error}"))
        .query(body)
        .all()
}

fn one(body: &Value, path: &str) -> Value {
    match at(body, path)[..] {
        [value] => value.clone(),
        ref found => panic!("{path} leads to {} places in {body:#}", found.len()),
    }
}

#[tokio::test]
async fn a_domain_has_what_the_profile_asks_for() {
    let test = stage(Engine::Sqlite).await;
    let responder = responder(lookups(&test));
    let body = got(&responder, "domain/PERSON.tld").await;
    for (path, expected) in [
        ("$.objectClassName", json!("domain")),
        ("$.ldhName", json!("person.tld")),
        ("$.status", json!(["active", "add period"])),
        ("$.secureDNS.delegationSigned", json!(true)),
        ("$.secureDNS.dsData[0].keyTag", json!(12345)),
        ("$.nameservers[0].ldhName", json!("ns1.org.tld")),
        ("$.nameservers[0].status", json!(["active", "associated"])),
        ("$.port43", json!("whois.nic.example")),
        ("$.entities[?@.roles[0]=='registrar'].handle", json!("9995")),
        (
            "$.entities[?@.roles[0]=='registrar'].publicIds[0]",
            json!({ "type": "IANA Registrar ID", "identifier": "9995" }),
        ),
        (
            "$.entities[?@.roles[0]=='registrar'].links[?@.rel=='about'].value",
            json!("https://rdap.reg-a.example/"),
        ),
        (
            "$.entities[?@.roles[0]=='registrar'].entities[?@.roles[0]=='abuse'].vcardArray[1][?@[0]=='email'][3]",
            json!("abuse@reg-a.example"),
        ),
        (
            "$.links[?@.rel=='self'].href",
            json!("https://rdap.nic.example/v1/domain/person.tld"),
        ),
        (
            "$.links[?@.rel=='related'].href",
            json!("https://rdap.reg-a.example/domain/person.tld"),
        ),
        (
            "$.links[?@.rel=='related'].value",
            json!("https://rdap.nic.example/v1/domain/PERSON.tld"),
        ),
        (
            "$.notices[?@.title=='Status Codes'].links[0].rel",
            json!("glossary"),
        ),
        (
            "$.notices[?@.title=='RDDS Inaccuracy Complaint Form'].links[0].href",
            json!("https://icann.org/wicf"),
        ),
        (
            "$.notices[?@.links[0].rel=='terms-of-service'].links[0].href",
            json!("https://nic.example/terms"),
        ),
        // A minute after the stage.
        (
            "$.events[?@.eventAction=='last update of RDAP database'].eventDate",
            json!(crate::lookup::time_text(responder.lookups.now())),
        ),
    ] {
        assert_eq!(one(&body, path), expected, "{path}");
    }
    for action in ["registration", "expiration"] {
        one(
            &body,
            &format!("$.events[?@.eventAction=='{action}'].eventDate"),
        );
    }
    // Nothing happened to it since.
    for action in ["last changed", "transfer"] {
        assert!(at(&body, &format!("$.events[?@.eventAction=='{action}']")).is_empty());
    }
}

#[tokio::test]
async fn a_domain_of_a_thin_registrar_has_what_there_is() {
    let test = stage(Engine::Sqlite).await;
    let responder = responder(lookups(&test));
    let thin = got(&responder, "domain/thin.tld").await;
    assert_eq!(
        one(&thin, "$.secureDNS"),
        json!({ "delegationSigned": false })
    );
    assert_eq!(one(&thin, "$.status"), json!(["inactive", "add period"]));
    assert_eq!(one(&thin, "$.entities[0].handle"), json!("not applicable"));
    assert!(at(&thin, "$.entities[0].publicIds").is_empty());
    assert!(at(&thin, "$.redacted").is_empty());
}

#[tokio::test]
async fn a_parked_domain_is_signed_where_the_zone_signs_for_it() {
    let mut test = stage(Engine::Sqlite).await;
    park_signed(&mut test).await;
    let unsigned = json!({ "delegationSigned": false });
    let is = async |test: &_| {
        one(
            &got(&responder(lookups(test)), "domain/thin.tld").await,
            "$.secureDNS",
        )
    };
    assert_eq!(is(&test).await, unsigned, "the zone has no keys");
    test.sign_tld().await;
    assert_eq!(is(&test).await, json!({ "delegationSigned": true }));
    // Whoever has servers of its own signs itself.
    let body = got(&responder(lookups(&test)), "domain/org.tld").await;
    assert_eq!(one(&body, "$.secureDNS"), unsigned);
}

/// Follows every path of what was withheld, by a reader of JSONPath that is not ours.
fn check_redacted(body: &Value, redacted: &Value) -> Vec<String> {
    let mut names = Vec::new();
    for entry in redacted.as_array().unwrap() {
        let name = entry["name"]["type"]
            .as_str()
            .or_else(|| entry["name"]["description"].as_str());
        names.push(name.unwrap().to_owned());
        match entry["method"].as_str() {
            Some("removal") => {
                let path = entry["prePath"].as_str().unwrap();
                assert!(at(body, path).is_empty(), "{path}");
            }
            Some("emptyValue") => {
                let path = entry["postPath"].as_str().unwrap();
                let found = at(body, path);
                assert!(!found.is_empty(), "{path}");
                assert!(
                    found.iter().all(|value| **value == json!("")),
                    "{path}: {found:?}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    names
}

#[tokio::test]
async fn what_is_withheld_is_said_with_paths_that_lead_where_they_say() {
    let test = stage(Engine::Sqlite).await;
    let responder = responder(lookups(&test));
    let person = got(&responder, "domain/person.tld").await;
    let names = check_redacted(&person, &person["redacted"]);
    let registrant = [
        "Registry Registrant ID",
        "Registrant Name",
        "Registrant Organization",
        "Registrant Street",
        "Registrant City",
        "Registrant Postal Code",
        "Registrant Phone",
        "Registrant Phone Ext",
        "Registrant Fax",
        "Registrant Fax Ext",
        "Registrant Email",
    ];
    for name in registrant {
        assert!(
            names.iter().any(|found| found == name),
            "{name} in {names:?}"
        );
    }
    let card = "$.entities[?@.roles[0]=='registrant'].vcardArray[1]";
    assert_eq!(
        one(&person, &format!("{card}[?@[0]=='adr'][1].cc")),
        json!("DE")
    );
    assert_eq!(
        one(&person, &format!("{card}[?@[0]=='adr'][3]")),
        json!(["", "", "", "", "Land", "", ""])
    );
    // Two technical contacts, one of whom shows itself: paths go by place.
    let shown = at(
        &person,
        "$.entities[?@.roles[0]=='technical'].vcardArray[1][?@[0]=='email'][3]",
    );
    assert_eq!(shown, [&json!("c-open@mail.example")]);
    let text = person.to_string();
    for secret in [
        "Jo Doe",
        "Main Street",
        "c-person@",
        "Hostmaster",
        "c-tech@",
        "49.7654321",
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
    // In a search each object says it of itself.
    let found = got(&responder, "domains?name=person*.tld").await;
    let redacted = one(&found, "$.domainSearchResults[0].redacted");
    assert_eq!(
        check_redacted(&found, &redacted).len(),
        person["redacted"].as_array().unwrap().len()
    );
}

#[tokio::test]
async fn what_is_shown_is_not_said_to_be_withheld() {
    let test = stage(Engine::Sqlite).await;
    let responder = responder(lookups(&test));
    let card = "$.entities[?@.roles[0]=='registrant'].vcardArray[1]";
    let org = got(&responder, "domain/org.tld").await;
    let names = check_redacted(&org, &org["redacted"]);
    assert!(
        names.contains(&"Tech Email".to_owned()) && names.contains(&"Registrant Name".to_owned())
    );
    assert!(
        !names.contains(&"Registrant Organization".to_owned()),
        "{names:?}"
    );
    // Administrative contacts are not shown at all.
    assert!(at(&org, "$.entities[?@.roles[0]=='administrative']").is_empty());
    let open = got(&responder, "domain/open.tld").await;
    assert_eq!(
        check_redacted(&open, &open["redacted"]),
        ["Registry Registrant ID"]
    );
    assert_eq!(
        one(&open, &format!("{card}[?@[0]=='adr'][3]")),
        json!([
            "",
            "",
            ["Main Street 1", "Back door"],
            "Town",
            "Land",
            "12345",
            ""
        ])
    );
    assert_eq!(
        one(&open, &format!("{card}[?@[1].type=='voice'][3]")),
        json!("tel:+49.1234567;ext=89")
    );
}

#[tokio::test]
async fn entities_and_name_servers_are_looked_up() {
    let test = stage(Engine::Sqlite).await;
    let responder = responder(lookups(&test));
    for path in [
        "entity/9995",
        "entity/Registrar%20A",
        "entity/registrar%20a",
    ] {
        let body = got(&responder, path).await;
        assert_eq!(body["handle"], "9995", "{path}");
        assert_eq!(body["roles"], json!(["registrar"]));
        for role in ["abuse", "administrative", "technical"] {
            one(
                &body,
                &format!("$.entities[?@.roles[0]=='{role}'].vcardArray[1][?@[0]=='email'][3]"),
            );
        }
        one(&body, "$.vcardArray[1][?@[0]=='adr'][1].cc");
        one(
            &body,
            "$.events[?@.eventAction=='last update of RDAP database']",
        );
    }
    let host = got(&responder, "nameserver/NS1.org.tld").await;
    assert_eq!(
        host["ipAddresses"],
        json!({ "v4": ["192.0.2.1"], "v6": ["2001:db8::1"] })
    );
    assert_eq!(one(&host, "$.entities[0].handle"), json!("9995"));
    let found = got(&responder, "nameservers?ip=192.0.2.1").await;
    assert_eq!(
        one(&found, "$.nameserverSearchResults[0].ldhName"),
        json!("ns1.org.tld")
    );
    let org = got(&responder, "domain/org.tld").await;
    let handle = one(&org, "$.entities[?@.roles[0]=='registrant'].handle");
    let contact = got(&responder, &format!("entity/{}", handle.as_str().unwrap())).await;
    assert_eq!(contact["handle"], handle);
    assert_eq!(
        one(&contact, "$.vcardArray[1][?@[0]=='org'][3]"),
        json!("Big Org Ltd")
    );
    check_redacted(&contact, &contact["redacted"]);
}

#[tokio::test]
async fn what_is_not_there_is_an_error_that_is_rdap() {
    let test = stage(Engine::Sqlite).await;
    let responder = responder(lookups(&test));
    for (target, expected) in [
        ("domain/nobody.tld", 404),
        ("domain/nobody.example", 404),
        ("nameserver/ns1.nobody.tld", 404),
        ("nameserver/ns9.outside.example", 404),
        ("entity/nobody", 404),
        ("nameservers?ip=203.0.113.1", 404),
        ("domains?name=nobody*.tld", 404),
        ("domain/a..b", 400),
        ("ip/192.0.2.1", 501),
        ("domains?name=*.tld", 422),
    ] {
        let (status, body) = get(&responder, target).await;
        assert_eq!(status, expected, "{target}");
        assert_eq!(body["errorCode"], json!(expected), "{target}");
        assert!(body["title"].is_string() && body["description"][0].is_string());
        let levels = body["rdapConformance"].as_array().unwrap();
        assert!(levels.contains(&json!("rdap_level_0")));
        assert!(levels.contains(&json!("icann_rdap_response_profile_1")));
    }
    let reply = responder.respond(CLIENT, "/elsewhere", "").await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn keys_and_addresses_that_only_the_domain_has_are_told_with_it() {
    let mut test = stage(Engine::Sqlite).await;
    let key = "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=";
    for command in [
        json!({ "zone": { "create": { "apex": "other", "mname": "ns1.nic.example",
            "rname": "hostmaster.nic.example", "records": ["other. 3600 NS ns1.nic.example."] } } }),
        json!({ "zone": { "policy": { "apex": "other",
            "change": { "ds-interface": "keys", "host-model": "attributes" } } } }),
        json!({ "domain": { "create": { "name": "a.other", "registrar": "reg-b", "keys": [key],
            "attributes": [
                { "name": "ns1.a.other", "addresses": ["192.0.2.7", "2001:db8::7"] },
                { "name": "ns2.outside.example" } ] } } }),
    ] {
        execute(&mut test, command).await;
    }
    let responder = responder(lookups(&test));
    let body = got(&responder, "domain/a.other").await;
    assert_eq!(
        body["secureDNS"]["keyData"],
        json!([{ "flags": 257, "protocol": 3, "algorithm": 15,
            "publicKey": "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=" }])
    );
    assert_eq!(one(&body, "$.secureDNS.dsData[0].digestType"), json!(2));
    assert_eq!(
        body["nameservers"][0],
        json!({ "objectClassName": "nameserver", "ldhName": "ns1.a.other",
            "ipAddresses": { "v4": ["192.0.2.7"], "v6": ["2001:db8::7"] } })
    );
    assert!(body["nameservers"][1].get("ipAddresses").is_none());
    // It is no object, and found as what it is.
    assert_eq!(get(&responder, "nameserver/ns1.a.other").await.0, 404);
    let found = got(&responder, "domains?nsLdhName=ns1.a.other").await;
    assert_eq!(
        one(&found, "$.domainSearchResults[0].ldhName"),
        json!("a.other")
    );
    // Addresses of an object are told by the object.
    let person = got(&responder, "domain/person.tld").await;
    assert!(at(&person, "$.nameservers[*].ipAddresses").is_empty());
}

#[tokio::test]
async fn names_of_other_scripts_are_told_in_both_forms() {
    let mut test = stage(Engine::Sqlite).await;
    // As an import leaves it: the zone has no table.
    let update =
        sqlx::query("UPDATE domains SET name = 'xn--bcher-kva.tld' WHERE name = 'thin.tld'");
    update.execute(test.database.connection()).await.unwrap();
    let responder = responder(lookups(&test));
    for target in [
        "domain/b%C3%BCcher.tld",
        "domain/XN--BCHER-KVA.tld",
        "domain/B%C3%9CCHER.TLD",
    ] {
        let body = got(&responder, target).await;
        assert_eq!(
            (&body["ldhName"], &body["unicodeName"]),
            (&json!("xn--bcher-kva.tld"), &json!("b\u{fc}cher.tld"))
        );
    }
}

#[tokio::test]
async fn help_tells_how_to_ask_and_whoever_asks_too_often_when() {
    let test = stage(Engine::Sqlite).await;
    let limited = lookups_with(&test, |settings| {
        settings.queries_per_second = 1;
        settings.burst = 1;
    });
    let responder = responder(limited);
    let help = got(&responder, "help").await;
    assert_eq!(
        at(&help, "$.notices[?@.links[0].rel=='help'].links[0].href").len(),
        1
    );
    one(&help, "$.notices[?@.links[0].rel=='terms-of-service']");
    assert!(
        help["notices"][0]["description"][0]
            .as_str()
            .unwrap()
            .contains("https://rdap.nic.example/v1/")
    );
    let reply = responder.respond(CLIENT, "/v1/help", "").await;
    assert_eq!((reply.status, reply.retry_after), (429, Some(2)));
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(body["errorCode"], json!(429));
}

#[tokio::test]
async fn whatever_is_asked_or_stored_is_only_text_in_what_is_sent() {
    let mut test = stage(Engine::Sqlite).await;
    let evil = "<script>alert(1)</script>\"}\u{0}\r\n\u{2028}";
    for statement in [
        "UPDATE contacts SET name = $1, organization = $1, street = $1, city = $1, email = $1",
        "UPDATE registrars SET name = $1",
    ] {
        let update = sqlx::query(statement).bind(evil.to_owned());
        update.execute(test.database.connection()).await.unwrap();
    }
    let responder = responder(lookups(&test));
    for target in [
        "domain/open.tld",
        "entity/9995",
        "entity/%3Cscript%3E\"%7d",
        "nothing/<script>",
    ] {
        let (path, query) = (format!("/v1/{target}"), "a=<script>\"");
        let reply = responder.respond(CLIENT, &path, query).await;
        assert!(
            !reply.body.contains(['\u{0}', '\r', '\n']),
            "{}",
            reply.body
        );
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        for href in at(&body, "$..links[*]['href','value']") {
            let href = href.as_str().unwrap();
            assert!(
                href.bytes()
                    .all(|byte| byte.is_ascii_graphic() && !b"<>\"".contains(&byte)),
                "{href}"
            );
        }
        // Tags stand in values that name somebody, and nowhere else.
        let asked = at(
            &body,
            "$..['links','description','title','handle','rdapConformance']",
        );
        assert!(
            asked
                .iter()
                .all(|value| !value.to_string().contains("<script>")),
            "{target}"
        );
    }
}
