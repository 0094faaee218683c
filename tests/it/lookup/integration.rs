//! RST integration-01: what a registrar does by EPP is in RDAP, and on the web pages.

use std::time::Instant;

use super::client::{get, whois};
use crate::epp::desk::{AUTH, domain_create, host_create};
use crate::epp::live;
use crate::publish::eventually;

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

#[test]
fn what_is_changed_by_epp_is_on_its_page_and_then_in_dns_there() {
    let services = "[lookup]\nqueries-per-second = 0\n[web]\nlisten-plain = [\"127.0.0.1:0\"]\n";
    let live = live::Live::of(live::folder(services));
    let web = serde_json::from_value(live.folder.status()["lookup"]["web"][0].clone()).unwrap();
    let page = || get(web, "/domain/new.tld");
    assert_eq!(page().status, 404);
    let mut session = live.session("reg-a");
    let mut say = |request: &str| {
        let said = session.say(request);
        assert_eq!(said.code, 1000, "{}", said.xml);
    };
    for host in ["ns1.elsewhere.example", "ns2.elsewhere.example"] {
        say(&host_create(host, &[]));
    }
    say(&domain_create(
        "new.tld",
        &["ns1.elsewhere.example", "ns2.elsewhere.example"],
        "",
        AUTH,
        "",
    ));
    let reply = page();
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(
        reply.body.contains("<bdi>ns1.elsewhere.example</bdi>"),
        "{}",
        reply.body
    );
    // The registry has it at once; DNS a moment later, and the page says which is the case.
    let mut last = reply.body;
    eventually("the page has what DNS answers", || {
        let is_served = last.contains("<strong>Delegated.</strong>");
        assert!(
            is_served || last.contains("<strong>Not in DNS.</strong>"),
            "{last}"
        );
        let is_behind = last.contains("load this page again");
        assert!(
            is_served || is_behind,
            "what is not served is said to come: {last}"
        );
        last = page().body;
        is_served
    });
    assert!(
        last.contains("<td>NS</td><td><code>ns1.elsewhere.example.</code></td>"),
        "{last}"
    );
    assert!(
        last.contains("All that the registry has accepted is served."),
        "{last}"
    );
}
