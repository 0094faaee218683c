//! A domain goes whose hosts others use: what is served afterwards, by a publish of the
//! change and by a full compile.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use super::registry::Registry;
use crate::support::{ask, zone_text};

#[test]
fn hosts_of_a_removed_domain_are_served_under_their_new_names() {
    let mut zone = zone_text(1) + "@ NS ns.elsewhere.test.\n";
    for number in 0..300 {
        zone += &match number {
            0 => "gone NS ns.gone\ngone NS ns.elsewhere.test.\nns.gone A 192.0.2.66\n".to_owned(),
            1..10 => format!("d{number} NS ns.gone\nd{number} NS ns.elsewhere.test.\n"),
            _ => format!("d{number} NS ns.elsewhere.test.\nd{number} NS ns2.elsewhere.test.\n"),
        };
    }
    let registry = Registry::empty();
    registry.import("example.zone", &zone);
    let server = registry.folder.serve();
    registry.wait();
    let address = server.addresses[0];
    let run = |words: &[&str]| {
        let said = registry.folder.succeed(&[&["registry"], words].concat());
        assert!(said.starts_with("event "), "{said}");
        registry.wait();
    };
    run(&["zone", "orphans", "example", "--policy", "lame"]);
    assert_eq!(registry.served(), registry.compiled());
    run(&["domain", "purge", "gone.example"]);
    assert_eq!(registry.served(), registry.compiled());

    let gone = ask(address, "gone.example.", RecordType::NS);
    assert_eq!(gone.response_code, ResponseCode::NXDomain);
    let referral = ask(address, "d1.example.", RecordType::NS);
    let servers: Vec<_> = referral
        .authorities
        .iter()
        .map(|ns| ns.data.to_string())
        .collect();
    assert_eq!(servers.len(), 2, "{servers:?}");
    let renamed = servers.iter().find(|name| name.ends_with(".lame.example."));
    let renamed = renamed.unwrap_or_else(|| panic!("{servers:?}"));
    // The servers of the zone answer for it themselves: no cut is above it.
    let answer = ask(address, renamed, RecordType::A);
    assert!(answer.authoritative, "{answer}");
    assert_eq!(answer.answers.len(), 1, "{answer}");
    assert_eq!(answer.answers[0].data.to_string(), "192.0.2.66");
    // With its last user its address goes.
    for number in 1..10 {
        run(&["domain", "purge", &format!("d{number}.example")]);
    }
    assert_eq!(registry.served(), registry.compiled());
    let answer = ask(address, renamed, RecordType::A);
    assert_eq!(answer.answers.len(), 0, "{answer}");
}
