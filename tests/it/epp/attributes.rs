//! A zone whose name servers are attributes of domains (RFC 5731 section 1.1), as registrars
//! meet it: the vectors of RST that ask for that model, and what `info` then shows.

use super::desk::{Desk, Frame, Talks as _, command, domain_create, host_create, name};
use super::rst::cells::{Row, Table, Values};

fn desk() -> Desk {
    let mut desk = Desk::new("minimum");
    let change = serde_json::json!({"host-model": "attributes"});
    desk.operate(serde_json::json!({"zone": {"policy": {"apex": "tld", "change": change}}}));
    desk
}

/// `ns` with a name server for each name; an address without a family is none.
fn servers(servers: &[(&str, &[(&str, &str)])]) -> String {
    let servers = servers.iter().map(|(host, addresses)| {
        let addresses = addresses.iter().filter(|(family, _)| !family.is_empty());
        let addresses = addresses.map(|(family, address)| {
            format!("<domain:hostAddr ip=\"{family}\">{address}</domain:hostAddr>")
        });
        let addresses: String = addresses.collect();
        format!(
            "<domain:hostAttr><domain:hostName>{host}</domain:hostName>{addresses}\
             </domain:hostAttr>"
        )
    });
    format!("<domain:ns>{}</domain:ns>", servers.collect::<String>())
}

fn create(domain: &str, ns: &str) -> String {
    let body = format!(
        "{}{ns}<domain:authInfo><domain:pw/></domain:authInfo>",
        name("domain", domain)
    );
    command("create", "domain", &body, "")
}

fn update(domain: &str, changes: &[(&str, String)]) -> String {
    let changes = changes.iter();
    let changes = changes.map(|(verb, ns)| format!("<domain:{verb}>{ns}</domain:{verb}>"));
    let body = name("domain", domain) + &changes.collect::<String>();
    command("update", "domain", &body, "")
}

/// Rows that a server with host attributes is to pass or to refuse, as `rst` counts them.
fn note(row: &Row, code: u16, xml: &str, counts: &mut [usize; 2]) {
    let is_pass = row.raw("passOrFail") == "pass";
    assert_eq!(code < 2000, is_pass, "{}: {code}: {xml}", row.place());
    counts[usize::from(!is_pass)] += 1;
}

#[test]
fn the_vectors_of_rst_for_host_attributes_have_their_outcome() {
    let (Some(creates), Some(updates)) = (Table::read("epp-14"), Table::read("epp-16-ns")) else {
        return;
    };
    let mut counts = [0, 0];
    let mut desk = desk();
    let mut values = Values::new(&[("TLD", "tld"), ("PREFIX", "rst-epp-14-")]);
    for row in &creates.rows {
        let domain = values.of(row, "name", "");
        let pairs = [("ns1", "ns1ipv4", "ns1ipv6"), ("ns2", "ns2ipv4", "ns2ipv6")];
        let pairs = pairs.map(|(host, v4, v6)| {
            let host = values.of(row, host, "");
            (host, values.of(row, v4, ""), values.of(row, v6, ""))
        });
        let is_dnssec = row.raw("errorCode").ends_with("INVALID_DNSSEC_DATA");
        if row.raw("hostModel") != "attributes" || is_dnssec {
            continue;
        }
        let families = |v4: &str, v6: &str| {
            let family = |name, address: &str| if address.is_empty() { "" } else { name };
            [family("v4", v4), family("v6", v6)]
        };
        let [one, two] = &pairs;
        let [a, b] = families(&one.1, &one.2);
        let [c, d] = families(&two.1, &two.2);
        let ns = servers(&[
            (&one.0, &[(a, &one.1), (b, &one.2)]),
            (&two.0, &[(c, &two.1), (d, &two.2)]),
        ]);
        let reply = desk.say("reg-a", &create(&domain, &ns));
        note(row, reply.code, &reply.xml, &mut counts);
    }
    let outside = servers(&[("ns1.outside.example", &[]), ("ns2.outside.example", &[])]);
    assert_eq!(
        desk.say("reg-a", &create("epp-16.tld", &outside)).code,
        1000
    );
    let mut values = Values::new(&[("DOMAIN", "epp-16.tld")]);
    for row in &updates.rows {
        let host = values.of(row, "hostname", "");
        let (family, address) = (values.of(row, "ipType", ""), values.of(row, "ip", ""));
        if row.raw("hostModel") != "attributes" {
            continue;
        }
        let ns = servers(&[(&host, &[(&family, &address)])]);
        let reply = desk.say("reg-a", &update("epp-16.tld", &[(row.raw("action"), ns)]));
        note(row, reply.code, &reply.xml, &mut counts);
    }
    // What `rst` leaves out, and what it refuses on a server of objects.
    assert_eq!(counts[0], 6, "{counts:?}");
    assert!(counts[1] > 15, "{counts:?}");
}

#[test]
fn info_shows_attributes_where_the_zone_has_them() {
    assert!(!shown().is_empty());
}

/// The frames of a life with attributes, for the schemas.
pub(crate) fn shown() -> Vec<Frame> {
    let mut desk = desk();
    let addresses = [("v4", "208.77.190.200"), ("v6", "2602:800:900e:1257::1")];
    let ns = servers(&[("ns1.a.tld", &addresses), ("ns1.x.example", &[])]);
    assert_eq!(desk.say("reg-a", &create("a.tld", &ns)).code, 1000);
    let info = command("info", "domain", &name("domain", "a.tld"), "");
    let shown = desk.say("reg-a", &info).xml;
    assert!(shown.contains(&ns), "{shown}");
    assert!(!shown.contains("domain:host>"), "{shown}");
    let none = command(
        "info",
        "domain",
        "<domain:name hosts=\"none\">a.tld</domain:name>",
        "",
    );
    assert!(!desk.say("reg-a", &none).xml.contains("hostAttr"));
    // Other addresses, by leaving and coming in one command.
    let (old, new) = (
        servers(&[("ns1.a.tld", &[])]),
        servers(&[("ns1.a.tld", &[("v4", "208.77.190.201")])]),
    );
    let change = update("a.tld", &[("add", new), ("rem", old)]);
    assert_eq!(desk.say("reg-a", &change).code, 1000);
    let shown = desk.say("reg-a", &info).xml;
    assert!(shown.contains("208.77.190.201") && !shown.contains("208.77.190.200"));
    // No host object is there, and none is taken.
    let host = command("info", "host", &name("host", "ns1.a.tld"), "");
    assert_eq!(desk.say("reg-a", &host).code, 2303);
    let object = domain_create("b.tld", &["ns1.x.example"], "", "", "");
    assert_eq!(desk.say("reg-a", &object).code, 2306);
    let make = host_create("ns2.a.tld", &[("v4", "208.77.190.202")]);
    assert_eq!(desk.say("reg-a", &make).code, 2306);
    desk.frames
}
