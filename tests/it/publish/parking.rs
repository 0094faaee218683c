//! A domain is parked and gets servers of its own: what is served after each event, and
//! that it is what a full compile comes to.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use super::registry::Registry;
use crate::support::ask;

#[test]
fn a_domain_without_servers_is_parked_until_it_gets_some() {
    let registry = Registry::with_zone(1);
    let server = registry.folder.serve();
    registry.wait();
    let address = server.addresses[0];
    let run = |words: &[&str]| {
        let said = registry.folder.succeed(&[&["registry"], words].concat());
        assert!(said.starts_with("event "), "{said}");
        registry.wait();
        assert_eq!(registry.served(), registry.compiled());
        ask(address, "new.example.", RecordType::A)
    };
    let servers = [
        "--server",
        "p1.park.example",
        "--server",
        "p2.elsewhere.test",
    ];
    let park = [&["zone", "parking", "example"], &servers[..]].concat();
    let refusal = ["p1.park.example has no address"];
    registry
        .folder
        .fail(&[&["registry"], &park[..]].concat(), &refusal);
    let create = ["domain", "create", "new.example", "--registrar", "imported"];
    assert_eq!(run(&create).response_code, ResponseCode::NXDomain);
    let host = "p1.park.example 3600 A 192.0.2.7";
    run(&["zone", "update", "example", "--add-record", host]);
    let records = [
        "--record",
        "@ 60 A 192.0.2.80",
        "--record",
        "* 60 A 192.0.2.81",
    ];
    let parked = run(&[&park[..], &records].concat());
    assert!(parked.authoritative, "{parked}");
    assert_eq!(parked.answers[0].data.to_string(), "192.0.2.80");
    let below = ask(address, "x.y.new.example.", RecordType::A);
    assert_eq!(below.answers[0].data.to_string(), "192.0.2.81");
    let hosts = [
        "--add-host",
        "ns.elsewhere.test",
        "--add-host",
        "ns.inside.example",
    ];
    let referral = run(&[&["domain", "update", "new.example"], &hosts[..]].concat());
    assert!(!referral.authoritative, "{referral}");
    let hosts = [
        "--remove-host",
        "ns.elsewhere.test",
        "--remove-host",
        "ns.inside.example",
    ];
    let again = run(&[&["domain", "update", "new.example"], &hosts[..]].concat());
    assert!(again.authoritative, "{again}");
    let held = run(&[
        "domain",
        "update",
        "new.example",
        "--add-status",
        "serverHold",
    ]);
    assert_eq!(held.response_code, ResponseCode::NXDomain);
    run(&[
        "domain",
        "update",
        "new.example",
        "--remove-status",
        "serverHold",
    ]);
    let off = run(&["zone", "parking", "example", "--off"]);
    assert_eq!(off.response_code, ResponseCode::NXDomain);
}
