//! A zone that takes keys in the place of DS (RFC 5910 section 4.2), as registrars meet it.

use super::desk::{AUTH, Desk, Frame, Talks as _, command, domain_create, name};
use super::rst::cells::{Table, Values};

const KEY: &str =
    "uugEQOG7/3zv3rVGq43NQTqfmZxWn4fMIpi6ph7JKEvTRwhtw3aIV4dSk+fgpFFmORrKNznT7AIuJKy6P/Mi1Q==";

fn key_data(flags: &str, protocol: &str, algorithm: &str, key: &str) -> String {
    format!(
        "<secDNS:keyData><secDNS:flags>{flags}</secDNS:flags><secDNS:protocol>{protocol}\
         </secDNS:protocol><secDNS:alg>{algorithm}</secDNS:alg><secDNS:pubKey>{key}\
         </secDNS:pubKey></secDNS:keyData>"
    )
}

fn extension(verb: &str, body: &str) -> String {
    format!(
        "<secDNS:{verb} xmlns:secDNS=\"urn:ietf:params:xml:ns:secDNS-1.1\">{body}</secDNS:{verb}>"
    )
}

/// With a domain of `reg-a` in a zone that takes keys.
fn desk() -> Desk {
    let mut desk = Desk::new("minimum");
    let change = serde_json::json!({"ds-interface": "keys"});
    desk.operate(serde_json::json!({"zone": {"policy": {"apex": "tld", "change": change}}}));
    desk.register("reg-a", "there.tld");
    desk
}

fn update(body: &str) -> String {
    let update = extension("update", body);
    command("update", "domain", &name("domain", "there.tld"), &update)
}

#[test]
fn keys_are_given_shown_and_taken_back() {
    assert!(!shown().is_empty());
}

/// The frames of that, for the schemas.
pub(crate) fn shown() -> Vec<Frame> {
    let mut desk = desk();
    let key = key_data("257", "3", "13", KEY);
    let add = update(&format!("<secDNS:add>{key}</secDNS:add>"));
    assert_eq!(desk.say("reg-a", &add).code, 1000);
    let info = command("info", "domain", &name("domain", "there.tld"), "");
    let shown = desk.say("reg-a", &info).xml;
    assert!(shown.contains(&key) && !shown.contains("dsData"), "{shown}");
    let remove = update(&format!("<secDNS:rem>{key}</secDNS:rem>"));
    assert_eq!(desk.say("reg-a", &remove).code, 1000);
    assert_eq!(desk.say("reg-a", &remove).code, 2306);
    assert!(!desk.say("reg-a", &info).xml.contains("secDNS"));
    let create = extension("create", &key);
    let hosts = ["ns1.outside.example", "ns2.outside.example"];
    let create = domain_create("new.tld", &hosts, "", AUTH, &create);
    assert_eq!(desk.say("reg-a", &create).code, 1000);
    let all = update("<secDNS:rem><secDNS:all>true</secDNS:all></secDNS:rem>");
    assert_eq!(
        desk.say("reg-a", &all.replace("there.tld", "new.tld")).code,
        1000
    );
    let info = info.replace("there.tld", "new.tld");
    assert!(!desk.say("reg-a", &info).xml.contains("secDNS"));
    desk.frames
}

#[test]
fn what_is_no_key_of_a_domain_is_refused() {
    let mut desk = desk();
    let ds = "<secDNS:dsData><secDNS:keyTag>1</secDNS:keyTag><secDNS:alg>13</secDNS:alg>\
        <secDNS:digestType>1</secDNS:digestType><secDNS:digest>\
        0123456789012345678901234567890123456789</secDNS:digest></secDNS:dsData>";
    let refused = desk.say("reg-a", &update(&format!("<secDNS:add>{ds}</secDNS:add>")));
    assert_eq!(refused.code, 2306, "{}", refused.xml);
    let Some(table) = Table::read("epp-16-dnssec") else {
        return;
    };
    let (mut values, mut said) = (Values::new(&[]), 0);
    for row in &table.rows {
        let mut text = |column: &str| values.of(row, column, "");
        let (flags, protocol) = (text("flags"), text("protocol"));
        let (algorithm, key) = (text("keyDataAlg"), text("pubKey"));
        if row.raw("secDNSInterface") != "keyData" {
            continue;
        }
        let (action, data) = (
            row.raw("action"),
            key_data(&flags, &protocol, &algorithm, &key),
        );
        let said_here = update(&format!("<secDNS:{action}>{data}</secDNS:{action}>"));
        let reply = desk.say("reg-a", &said_here);
        let is_pass = row.raw("passOrFail") == "pass";
        assert_eq!(reply.code < 2000, is_pass, "{}: {}", row.place(), reply.xml);
        said += 1;
    }
    assert!(said > 10, "{said}");
}
