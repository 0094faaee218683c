//! Names that are given out by a token (RFC 8495).

use serde_json::json;

use super::desk::{AUTH, Desk, Talks as _, command, domain_create, name};

const TOKEN: &str = "kQ7-vT2rW9zM4xL8aB3c";

fn said(token: &str) -> String {
    format!(
        "<t:allocationToken xmlns:t=\"urn:ietf:params:xml:ns:allocationToken-1.0\">{token}\
         </t:allocationToken>"
    )
}

/// With the labels `gold`, which is premium, `nic`, which is reserved, and `silver`, which is
/// premium and has no token.
fn desk() -> Desk {
    let mut desk = Desk::new("minimum");
    let held = |label: &str, kind: &str, token: Option<&str>| json!({ "label": label, "kind": kind, "reason": "100 a year", "token": token });
    let hold = [
        held("gold", "premium", Some(TOKEN)),
        held("nic", "reserved", Some(TOKEN)),
        held("silver", "premium", None),
    ];
    desk.operate(json!({ "zone": { "labels": { "apex": "tld", "hold": hold } } }));
    desk
}

#[test]
fn a_label_is_registered_with_its_token_and_not_without_or_with_another() {
    let mut desk = desk();
    let create = |domain: &str, extension: &str| domain_create(domain, &[], "", AUTH, extension);
    for domain in ["gold.tld", "nic.tld"] {
        for (extension, code) in [
            (String::new(), 2201),
            (said("kQ7-vT2rW9zM4xL8aB3d"), 2201),
            (said("other"), 2201),
            (said(TOKEN), 1000),
            (said("other"), 2302),
        ] {
            let reply = desk.say("reg-a", &create(domain, &extension));
            assert_eq!(reply.code, code, "{domain}: {}", reply.xml);
            assert!(!reply.xml.contains(TOKEN), "{}", reply.xml);
        }
    }
    // It gives out nothing else.
    for domain in ["free.tld", "silver.tld"] {
        assert_eq!(desk.say("reg-a", &create(domain, &said(TOKEN))).code, 2201);
    }
    assert_eq!(desk.say("reg-a", &create("silver.tld", "")).code, 2306);
    assert_eq!(desk.say("reg-a", &create("free.tld", "")).code, 1000);
}

#[test]
fn a_check_says_whether_the_token_fits_each_name() {
    let mut desk = desk();
    let names: String = ["gold.tld", "nic.tld", "silver.tld", "free.tld"]
        .map(|domain| name("domain", domain))
        .concat();
    for (extension, expected) in [
        (said(TOKEN), ["1", "1", "0", "0"]),
        (said("other"), ["0"; 4]),
        (String::new(), ["0", "0", "0", "1"]),
    ] {
        let reply = desk.say("reg-a", &command("check", "domain", &names, &extension));
        assert_eq!(reply.code, 1000, "{}", reply.xml);
        let found: Vec<_> = reply
            .attributes("name", "avail")
            .into_iter()
            .filter(|avail| !avail.is_empty())
            .collect();
        assert_eq!(found, expected, "{}", reply.xml);
    }
}
