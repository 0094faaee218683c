//! epp-11 to epp-13 and epp-23 to epp-27: hosts.

use super::super::desk::{AUTH, OUTSIDE, Talks, domain_create, host_create, hosts, name};
use super::super::live::Sessions;
use super::{begin, check_rows, delete, info, random_label, shown, update};

const ADDRESS: [(&str, &str); 1] = [("v4", "208.77.190.210")];

#[test]
fn epp_11_host_create() {
    check_rows(&mut begin(), "epp-11", 19);
}

#[test]
fn epp_12_host_access_control() {
    let mut sessions = begin();
    sessions.register("reg-a", "epp-12.tld");
    let hosts = ["ns1.epp-12.tld", "ns1.epp-12.example"];
    sessions.expect(1000, "reg-a", &host_create(hosts[0], &ADDRESS));
    sessions.expect(1000, "reg-a", &host_create(hosts[1], &[]));
    for host in hosts {
        let status = "<host:add><host:status s=\"clientDeleteProhibited\"/></host:add>";
        let rename = format!(
            "<host:chg>{}</host:chg>",
            name("host", "ns9.epp-12.example")
        );
        for change in [status, &rename] {
            sessions.expect(2201, "reg-b", &update("host", host, change));
        }
        assert_eq!(
            shown(&mut sessions, "reg-b", "host", host).texts("clID"),
            ["reg-a"]
        );
    }
    let address = "<host:add><host:addr ip=\"v4\">208.77.190.211</host:addr></host:add>";
    sessions.expect(2201, "reg-b", &update("host", hosts[0], address));
    let unchanged = shown(&mut sessions, "reg-a", "host", hosts[0]);
    assert_eq!(unchanged.texts("addr"), ["208.77.190.210"]);
}

#[test]
fn epp_13_host_update() {
    check_rows(&mut begin(), "epp-13", 41);
}

#[test]
fn epp_23_host_rename() {
    let mut sessions = begin();
    check_rows(&mut sessions, "epp-23", 5);
    // A host outside that a domain of somebody else uses keeps its name.
    let host = format!("ns1.{}.example", random_label());
    sessions.expect(1000, "reg-a", &host_create(&host, &[]));
    sessions.register("reg-b", "of-clid02.tld");
    let add = format!("<domain:add>{}</domain:add>", hosts(&[&host]));
    sessions.expect(1000, "reg-b", &update("domain", "of-clid02.tld", &add));
    let other = format!("ns2.{}.example", random_label());
    let rename = format!("<host:chg>{}</host:chg>", name("host", &other));
    sessions.expect(2305, "reg-a", &update("host", &host, &rename));
    shown(&mut sessions, "reg-a", "host", &host);
}

#[test]
fn epp_24_host_delete() {
    let mut sessions = begin();
    sessions.register("reg-a", "epp-24.tld");
    let hosts = [
        ("ns1.epp-24.tld", &ADDRESS[..]),
        ("ns1.epp-24.example", &[]),
    ];
    for (host, addresses) in hosts {
        sessions.expect(1000, "reg-a", &host_create(host, addresses));
        sessions.expect(1000, "reg-a", &delete("host", host));
        sessions.expect(2303, "reg-a", &info("host", host));
    }
}

/// A domain of `reg-a` whose name servers are outside; a name for a host below it.
fn victim(sessions: &mut Sessions) -> (String, String) {
    let domain = format!("{}.tld", random_label());
    let servers = ["ns1", "ns2"].map(|host| format!("{host}.{}.example", random_label()));
    for server in &servers {
        sessions.expect(1000, "reg-a", &host_create(server, &[]));
    }
    sessions.contact("reg-a", "holder");
    let servers = [servers[0].as_str(), &servers[1]];
    let create = domain_create(&domain, &servers, "holder", AUTH, "");
    sessions.expect(1000, "reg-a", &create);
    let host = format!("ns1.{domain}");
    (domain, host)
}

#[test]
fn epp_25_subordinate_host_create() {
    let mut sessions = begin();
    let (_, host) = victim(&mut sessions);
    let v6 = ("v6", "2602:800:900e:1257::9");
    for addresses in [&ADDRESS[..], &[v6], &[ADDRESS[0], v6]] {
        sessions.expect(2201, "reg-b", &host_create(&host, addresses));
    }
    // Where a server took it, it would have to be the domain's sponsor's.
    let refused = sessions.say("reg-b", &host_create(&host, &[]));
    assert!(refused.code >= 2000, "{}", refused.xml);
    sessions.expect(2303, "reg-a", &info("host", &host));
    sessions.expect(1000, "reg-a", &host_create(&host, &ADDRESS));
    assert_eq!(
        shown(&mut sessions, "reg-b", "host", &host).texts("clID"),
        ["reg-a"]
    );
}

#[test]
fn epp_26_wide_glue_access_control() {
    let mut sessions = begin();
    let (domain, host) = victim(&mut sessions);
    sessions.expect(2201, "reg-b", &host_create(&host, &ADDRESS));
    sessions.expect(2303, "reg-b", &info("host", &host));
    let shown = shown(&mut sessions, "reg-a", "domain", &domain);
    assert!(shown.texts("host").is_empty(), "{}", shown.xml);
}

#[test]
fn epp_27_glueless_host_access_control() {
    let mut sessions = begin();
    let (domain, host) = victim(&mut sessions);
    let refused = sessions.say("reg-b", &host_create(&host, &[]));
    assert!([2003, 2201].contains(&refused.code), "{}", refused.xml);
    // So there is nothing to delegate to; the sponsor itself cannot have one either.
    sessions.expect(2003, "reg-a", &host_create(&host, &[]));
    let add = format!("<domain:add>{}</domain:add>", hosts(&[&host]));
    sessions.expect(2303, "reg-a", &update("domain", &domain, &add));
    let delegated = shown(&mut sessions, "reg-a", "domain", &domain).texts("hostObj");
    assert!(delegated.len() == OUTSIDE.len() && !delegated.contains(&host));
}
