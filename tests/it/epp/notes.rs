//! What a registrar is told of a change that was made all the same.

use super::desk::{AUTH, Desk, Frame, Talks as _, domain_create, host_create};

#[test]
fn a_warning_of_the_registry_is_in_the_response() {
    assert!(!told().is_empty());
}

/// The frames of that, for the schemas.
pub(crate) fn told() -> Vec<Frame> {
    let mut desk = Desk::new("minimum");
    let change = serde_json::json!({"server-check": "warn"});
    desk.operate(serde_json::json!({"zone": {"policy": {"apex": "tld", "change": change}}}));
    let hosts = ["ns1.outside.example", "ns2.outside.example"];
    for host in hosts {
        assert_eq!(desk.say("reg-a", &host_create(host, &[])).code, 1000);
    }
    let made = desk.say("reg-a", &domain_create("a.tld", &hosts, "", AUTH, ""));
    assert_eq!(made.code, 1000, "{}", made.xml);
    assert_eq!(made.xml.matches("<extValue>").count(), 2, "{}", made.xml);
    for host in hosts {
        let note = format!("name server {host} was not asked whether it answers");
        assert!(made.xml.contains(&note), "{}", made.xml);
    }
    assert!(made.xml.contains(">a.tld</domain:name>"), "{}", made.xml);
    // Where nothing is to be said, nothing is.
    let quiet = serde_json::json!({"server-check": "off"});
    desk.operate(serde_json::json!({"zone": {"policy": {"apex": "tld", "change": quiet}}}));
    let made = desk.say("reg-a", &domain_create("b.tld", &hosts, "", AUTH, ""));
    assert!(
        made.code == 1000 && !made.xml.contains("extValue"),
        "{}",
        made.xml
    );
    desk.frames
}
