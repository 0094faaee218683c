//! epp-14 and epp-16: domains made and changed.

use super::super::desk::{Desk, command, host_create, hosts, name};
use super::Outcomes;
use super::cells::{Row, Table, Values};

const SEC_DNS: &str = "urn:ietf:params:xml:ns:secDNS-1.1";

/// A name server with its addresses as attributes.
fn attribute(host: &str, addresses: &[(&str, &str)]) -> String {
    let addresses = addresses.iter().filter(|(family, _)| !family.is_empty());
    let addresses: String = addresses
        .map(|(family, address)| {
            format!("<domain:hostAddr ip=\"{family}\">{address}</domain:hostAddr>")
        })
        .collect();
    format!(
        "<domain:hostAttr><domain:hostName>{host}</domain:hostName>{addresses}</domain:hostAttr>"
    )
}

/// Records of a row by the interface that it asks for.
fn signers(row: &Row, values: &mut Values) -> String {
    let mut text = |column: &str, auto: &str| values.of(row, column, auto);
    let ds = format!(
        "<secDNS:dsData><secDNS:keyTag>{}</secDNS:keyTag><secDNS:alg>{}</secDNS:alg>\
         <secDNS:digestType>{}</secDNS:digestType><secDNS:digest>{}</secDNS:digest></secDNS:dsData>",
        text("keyTag", "12345"),
        text("dsDataAlg", "13"),
        text("digestType", "2"),
        text("digest", ""),
    );
    let key = format!(
        "<secDNS:keyData><secDNS:flags>{}</secDNS:flags><secDNS:protocol>{}</secDNS:protocol>\
         <secDNS:alg>{}</secDNS:alg><secDNS:pubKey>{}</secDNS:pubKey></secDNS:keyData>",
        text("flags", "257"),
        text("protocol", "3"),
        text("keyDataAlg", "13"),
        text("pubKey", ""),
    );
    match row.raw("secDNSInterface") {
        "keyData" => key,
        _ => ds,
    }
}

pub(super) fn create(desk: &mut Desk, table: &Table, outcomes: &mut Outcomes) {
    let variables = [("TLD", "tld"), ("PREFIX", "rst-epp-14-")];
    let mut values = Values::new(&variables);
    desk.contact("reg-a", "holder");
    for host in ["ns1.epp-14.rst.icann", "ns2.epp-14.rst.icann"] {
        assert_eq!(desk.say("reg-a", &host_create(host, &[])).code, 1000);
    }
    for row in &table.rows {
        let is_dnssec = row.raw("errorCode").ends_with("INVALID_DNSSEC_DATA");
        // Rows about DNSSEC stand below those about attributes and repeat their model,
        // which would leave them out here: they are said with host objects.
        let has_attributes = row.raw("hostModel") == "attributes" && !is_dnssec;
        let domain = values.of(row, "name", "");
        let mut body = name("domain", &domain);
        let (period, unit) = (
            values.of(row, "period", ""),
            values.of(row, "periodUnit", ""),
        );
        body.push_str(&format!(
            "<domain:period unit=\"{unit}\">{period}</domain:period>"
        ));
        let servers = [("ns1", "ns1ipv4", "ns1ipv6"), ("ns2", "ns2ipv4", "ns2ipv6")];
        let servers = servers.map(|(host, v4, v6)| {
            let host = values.of(row, host, "");
            (host, values.of(row, v4, ""), values.of(row, v6, ""))
        });
        if has_attributes {
            let attributes = servers.iter().map(|(host, v4, v6)| {
                let addresses = [("v4", v4.as_str()), ("v6", v6.as_str())];
                let some = addresses
                    .into_iter()
                    .filter(|(_, address)| !address.is_empty());
                attribute(host, &some.collect::<Vec<_>>())
            });
            let attributes: String = attributes.collect();
            body.push_str(&format!("<domain:ns>{attributes}</domain:ns>"));
        } else {
            body.push_str(&hosts(&["ns1.epp-14.rst.icann", "ns2.epp-14.rst.icann"]));
        }
        let registrant = values.of(row, "registrant", "holder");
        if !registrant.is_empty() {
            body.push_str(&format!(
                "<domain:registrant>{registrant}</domain:registrant>"
            ));
        }
        body.push_str("<domain:authInfo><domain:pw/></domain:authInfo>");
        let records = signers(row, &mut values);
        let extension =
            format!("<secDNS:create xmlns:secDNS=\"{SEC_DNS}\">{records}</secDNS:create>");
        if has_attributes && row.raw("passOrFail") == "pass" {
            outcomes.left_out += 1;
            continue;
        }
        let reply = desk.say("reg-a", &command("create", "domain", &body, &extension));
        outcomes.note(row, reply.code, &reply.xml);
    }
}

/// A domain of one's own that is changed.
fn subject(desk: &mut Desk) -> &'static str {
    const DOMAIN: &str = "epp-16.tld";
    desk.contact("reg-a", "holder");
    let servers = ["ns1.outside.example", "ns2.outside.example"];
    for host in servers {
        assert_eq!(desk.say("reg-a", &host_create(host, &[])).code, 1000);
    }
    let body = format!(
        "{}{}<domain:registrant>holder</domain:registrant>\
         <domain:authInfo><domain:pw/></domain:authInfo>",
        name("domain", DOMAIN),
        hosts(&servers)
    );
    let reply = desk.say("reg-a", &command("create", "domain", &body, ""));
    assert_eq!(reply.code, 1000, "{}", reply.xml);
    DOMAIN
}

pub(super) fn change_signers(desk: &mut Desk, table: &Table, outcomes: &mut Outcomes) {
    let (domain, mut values) = (subject(desk), Values::new(&[]));
    for row in &table.rows {
        let action = row.raw("action");
        let records = signers(row, &mut values);
        let extension = format!(
            "<secDNS:update xmlns:secDNS=\"{SEC_DNS}\"><secDNS:{action}>{records}\
             </secDNS:{action}></secDNS:update>"
        );
        let body = name("domain", domain);
        let reply = desk.say("reg-a", &command("update", "domain", &body, &extension));
        outcomes.note(row, reply.code, &reply.xml);
    }
}

pub(super) fn change_servers(desk: &mut Desk, table: &Table, outcomes: &mut Outcomes) {
    let domain = subject(desk);
    let mut values = Values::new(&[("DOMAIN", domain)]);
    for row in &table.rows {
        let action = row.raw("action");
        let host = values.of(row, "hostname", "");
        let (family, address) = (values.of(row, "ipType", ""), values.of(row, "ip", ""));
        let has_attributes = row.raw("hostModel") == "attributes";
        if has_attributes && row.raw("passOrFail") == "pass" {
            outcomes.left_out += 1;
            continue;
        }
        let servers = match has_attributes {
            true => {
                let attribute = attribute(&host, &[(&family, &address)]);
                format!("<domain:ns>{attribute}</domain:ns>")
            }
            false => hosts(&[&host]),
        };
        if row.raw("createIfNeeded") == "true" && !has_attributes {
            // The second time it is there already.
            desk.say("reg-a", &host_create(&host, &[]));
        }
        let body = format!(
            "{}<domain:{action}>{servers}</domain:{action}>",
            name("domain", domain)
        );
        let reply = desk.say("reg-a", &command("update", "domain", &body, ""));
        outcomes.note(row, reply.code, &reply.xml);
    }
}

pub(super) fn change_statuses(desk: &mut Desk, table: &Table, outcomes: &mut Outcomes) {
    let (domain, mut values) = (subject(desk), Values::new(&[]));
    for row in &table.rows {
        let (action, status) = (row.raw("action"), values.of(row, "status", ""));
        let body = format!(
            "{}<domain:{action}><domain:status s=\"{status}\"/></domain:{action}>",
            name("domain", domain)
        );
        let reply = desk.say("reg-a", &command("update", "domain", &body, ""));
        outcomes.note(row, reply.code, &reply.xml);
    }
}
