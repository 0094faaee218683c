//! RST integration-01: what a registrar does by EPP is in RDAP.

use std::time::Instant;

use super::client::{get, whois};
use crate::epp::desk::{AUTH, domain_create};
use crate::epp::live;

#[test]
fn integration_01_what_is_created_by_epp_is_in_rdap_and_whois_at_once() {
    let services = "[lookup]\nqueries-per-second = 0\n[whois]\nlisten = [\"127.0.0.1:0\"]\n\
                    [rdap]\nlisten-plain = [\"127.0.0.1:0\"]\n";
    let live = live::Live::of(live::folder(services));
    let status = live.folder.status();
    let address = |name: &str| serde_json::from_value(status["lookup"][name][0].clone()).unwrap();
    let (rdap, port43) = (address("rdap"), address("whois"));
    assert_eq!(get(rdap, "/domain/new.tld").status, 404);
    let mut session = live.session("reg-a");
    let created = session.say(&domain_create("new.tld", &[], "", AUTH, ""));
    assert_eq!(created.code, 1000, "{}", created.xml);
    // The response was sent after the commit, and a look-up reads what is committed: the
    // first question after it is answered.
    let started = Instant::now();
    let reply = get(rdap, "/domain/new.tld");
    eprintln!("in RDAP {:?} after the response", started.elapsed());
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(whois(port43, "new.tld").starts_with("Domain Name: new.tld\r\n"));
}
