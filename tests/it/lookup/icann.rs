//! Every kind of answer is read by the library of ICANN's own RDAP client, and none of its
//! checks has a warning: those of STD 95 and of the profile for generic TLDs.

use icann_rdap_common::check::{
    Check, CheckParams, GetChecks, WARNING_CHECK_CLASSES, traverse_checks,
};
use icann_rdap_common::response::RdapResponse;
use serde_json::{Value, json};

use super::client::get;
use super::{Live, apply, keys_and_attributes};

/// What the library is worried about.
fn worries(body: &Value) -> Vec<String> {
    let read = RdapResponse::try_from(body.clone());
    let response = read.unwrap_or_else(|error| panic!("{error}: {body:#}"));
    let checks = response.get_checks(None, CheckParams::for_rdap(&response));
    let mut found = Vec::new();
    traverse_checks(&checks, WARNING_CHECK_CLASSES, None, &mut |place, item| {
        // It takes an entity within an entity for the topmost object, which alone has levels
        // of conformance (RFC 9083 section 4.1).
        let is_mistaken = place.starts_with("[ROOT]/entity/entity/")
            && item.check == Check::RdapConformanceMissing;
        if !is_mistaken {
            found.push(format!("{place}: {item}"));
        }
    });
    found
}

#[test]
fn icanns_library_reads_every_kind_of_answer_without_a_warning() {
    let live = Live::with(
        "terms-url = \"https://nic.tld/terms\"",
        "base-url = \"https://rdap.nic.tld/\"\npage-size = 2",
    );
    apply(&live.folder, &keys_and_attributes());
    let org = get(live.rdap, "/domain/org.tld").json;
    let contact = org["entities"][1]["handle"].as_str().unwrap();
    let contact = format!("/entity/{contact}");
    let mut spoiled = org.clone();
    spoiled["events"][0]["eventDate"] = json!("yesterday");
    let mut worried = Vec::new();
    for (path, status) in [
        ("/domain/person.tld", 200),
        ("/domain/org.tld", 200),
        ("/domain/open.tld", 200),
        ("/domain/thin.tld", 200),
        ("/domain/keys.other", 200),
        ("/nameserver/ns1.org.tld", 200),
        ("/nameserver/ns2.outside.example", 200),
        ("/entity/9995", 200),
        ("/entity/Registrar%20B", 200),
        (contact.as_str(), 200),
        ("/help", 200),
        ("/domains?name=per*.tld", 200),
        (
            "/domains?nsIp=192.0.2.1&count=true&sort=expirationDate:d",
            200,
        ),
        ("/domains?nsLdhName=ns1.org.tld&fieldSet=id", 200),
        ("/domains?nsLdhName=ns1.org.tld&fieldSet=brief", 200),
        ("/nameservers?name=ns1*&sort=ipv4", 200),
        ("/nameservers?ip=192.0.2.1", 200),
        ("/entities?fn=Reg*&sort=handle", 200),
        ("/domain/nobody.tld", 404),
        ("/domain/a..b", 400),
        ("/domains?name=*", 422),
        ("/ip/192.0.2.1", 501),
    ] {
        let reply = get(live.rdap, path);
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
        let found = worries(&reply.json).into_iter();
        worried.extend(found.map(|worry| format!("{path}: {worry}")));
    }
    assert_eq!(worried, [] as [String; 0]);
    // It can tell.
    assert_eq!(worries(&spoiled).len(), 1, "{:?}", worries(&spoiled));
}
