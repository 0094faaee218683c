//! epp-14 and epp-16: domains made and changed.

use super::super::desk::{Reply, Talks, command, host_create, hosts, name};
use super::cells::{Row, Table, Values};
use super::{Outcomes, show_named};

const SEC_DNS: &str = "urn:ietf:params:xml:ns:secDNS-1.1";
/// Name servers of the domains of epp-14.
const SERVERS: [&str; 2] = ["ns1.epp-14.rst.icann", "ns2.epp-14.rst.icann"];

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

/// A record of delegation signers by the interface that a row asks for.
struct Signer {
    xml: String,
    /// What `info` shows of it; nothing of what is no DS record.
    shown: Vec<(&'static str, String)>,
}

impl Signer {
    fn of(row: &Row, values: &mut Values) -> Self {
        let mut text = |column: &str, auto: &str| values.of(row, column, auto);
        let shown = vec![
            ("keyTag", text("keyTag", "12345")),
            ("alg", text("dsDataAlg", "13")),
            ("digestType", text("digestType", "2")),
            ("digest", text("digest", "")),
        ];
        let key = [
            ("flags", text("flags", "257")),
            ("protocol", text("protocol", "3")),
            ("alg", text("keyDataAlg", "13")),
            ("pubKey", text("pubKey", "")),
        ];
        match row.raw("secDNSInterface") {
            "keyData" => Self {
                xml: elements("keyData", &key),
                shown: Vec::new(),
            },
            _ => Self {
                xml: elements("dsData", &shown),
                shown,
            },
        }
    }

    /// Holds what a domain shows against the record; whether it has it.
    fn look(&self, row: &Row, shown: &Reply, outcomes: &mut Outcomes) {
        let expected = self.shown.iter();
        let expected: Vec<_> = expected
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        outcomes.stored(row, shown, &expected);
    }
}

fn elements(record: &str, parts: &[(&str, String)]) -> String {
    let parts = parts.iter();
    let parts: String = parts
        .map(|(part, text)| format!("<secDNS:{part}>{text}</secDNS:{part}>"))
        .collect();
    format!("<secDNS:{record}>{parts}</secDNS:{record}>")
}

/// Name servers of a row of epp-14; whether they are attributes.
fn servers(row: &Row, values: &mut Values) -> (String, bool) {
    let columns = [("ns1", "ns1ipv4", "ns1ipv6"), ("ns2", "ns2ipv4", "ns2ipv6")];
    let servers = columns.map(|(host, v4, v6)| {
        let host = values.of(row, host, "");
        let (v4, v6) = (values.of(row, v4, ""), values.of(row, v6, ""));
        let addresses = [("v4", v4.as_str()), ("v6", v6.as_str())];
        let some = addresses.iter().filter(|(_, text)| !text.is_empty());
        attribute(&host, &some.copied().collect::<Vec<_>>())
    });
    // Rows about DNSSEC stand below those about attributes and repeat their model, which
    // would leave them out here: they are said with host objects.
    let is_dnssec = row.raw("errorCode").ends_with("INVALID_DNSSEC_DATA");
    match row.raw("hostModel") == "attributes" && !is_dnssec {
        true => (format!("<domain:ns>{}</domain:ns>", servers.concat()), true),
        false => (hosts(&SERVERS), false),
    }
}

pub(super) fn create(registry: &mut dyn Talks, table: &Table, outcomes: &mut Outcomes) {
    let variables = [("TLD", "tld"), ("PREFIX", "rst-epp-14-")];
    let mut values = Values::new(&variables).of_table(table);
    registry.contact("reg-a", "of-epp-14");
    for host in SERVERS {
        registry.expect(1000, "reg-a", &host_create(host, &[]));
    }
    for row in &table.rows {
        let domain = values.of(row, "name", "");
        let mut body = name("domain", &domain);
        let period = values.of(row, "period", "");
        let unit = values.of(row, "periodUnit", "");
        let period = format!("<domain:period unit=\"{unit}\">{period}</domain:period>");
        body.push_str(&period);
        let (servers, has_attributes) = servers(row, &mut values);
        body.push_str(&servers);
        let registrant = values.of(row, "registrant", "of-epp-14");
        if !registrant.is_empty() {
            let registrant = format!("<domain:registrant>{registrant}</domain:registrant>");
            body.push_str(&registrant);
        }
        body.push_str("<domain:authInfo><domain:pw/></domain:authInfo>");
        let signer = Signer::of(row, &mut values);
        if has_attributes && row.is_pass() {
            outcomes.leave_out(row);
            continue;
        }
        let records = &signer.xml;
        let extension =
            format!("<secDNS:create xmlns:secDNS=\"{SEC_DNS}\">{records}</secDNS:create>");
        let create = command("create", "domain", &body, &extension);
        let reply = registry.say("reg-a", &create);
        if outcomes.note(row, &reply) {
            let shown = show_named(registry, "domain", &domain);
            let sponsors = [("name", &*domain), ("clID", "reg-a"), ("crID", "reg-a")];
            outcomes.stored(row, &shown, &sponsors);
            for date in ["crDate", "exDate"] {
                let told = reply.texts(date).concat();
                outcomes.stored(row, &shown, &[(date, &told)]);
            }
            signer.look(row, &shown, outcomes);
        }
    }
}

/// A domain of one's own that is changed.
fn subject(registry: &mut dyn Talks, table: &Table) -> String {
    let domain = format!("{}.tld", table.subject());
    registry.register("reg-a", &domain);
    domain
}

pub(super) fn change_signers(registry: &mut dyn Talks, table: &Table, outcomes: &mut Outcomes) {
    let (domain, mut values) = (subject(registry, table), Values::new(&[]).of_table(table));
    for row in &table.rows {
        let action = row.raw("action");
        let signer = Signer::of(row, &mut values);
        let records = &signer.xml;
        let extension = format!(
            "<secDNS:update xmlns:secDNS=\"{SEC_DNS}\"><secDNS:{action}>{records}\
             </secDNS:{action}></secDNS:update>"
        );
        let body = name("domain", &domain);
        let reply = registry.say("reg-a", &command("update", "domain", &body, &extension));
        if outcomes.note(row, &reply) && action == "add" {
            let shown = show_named(registry, "domain", &domain);
            signer.look(row, &shown, outcomes);
        }
    }
}

pub(super) fn change_servers(registry: &mut dyn Talks, table: &Table, outcomes: &mut Outcomes) {
    let domain = subject(registry, table);
    let mut values = Values::new(&[("DOMAIN", &domain)]).of_table(table);
    for row in &table.rows {
        let action = row.raw("action");
        let host = values.of(row, "hostname", "");
        let (family, address) = (values.of(row, "ipType", ""), values.of(row, "ip", ""));
        let has_attributes = row.raw("hostModel") == "attributes";
        if has_attributes && row.is_pass() {
            outcomes.leave_out(row);
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
            registry.make("reg-a", &host_create(&host, &[]));
        }
        let body = format!(
            "{}<domain:{action}>{servers}</domain:{action}>",
            name("domain", &domain)
        );
        let reply = registry.say("reg-a", &command("update", "domain", &body, ""));
        if outcomes.note(row, &reply) {
            let shown = show_named(registry, "domain", &domain);
            let delegated = shown.texts("hostObj");
            let is_there = delegated
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&host));
            assert_eq!(is_there, action == "add", "{}: {}", row.place(), shown.xml);
        }
    }
}

pub(super) fn change_statuses(registry: &mut dyn Talks, table: &Table, outcomes: &mut Outcomes) {
    let (domain, mut values) = (subject(registry, table), Values::new(&[]).of_table(table));
    for row in &table.rows {
        let (action, status) = (row.raw("action"), values.of(row, "status", ""));
        let body = format!(
            "{}<domain:{action}><domain:status s=\"{status}\"/></domain:{action}>",
            name("domain", &domain)
        );
        let reply = registry.say("reg-a", &command("update", "domain", &body, ""));
        if outcomes.note(row, &reply) {
            let shown = show_named(registry, "domain", &domain);
            outcomes.status(row, &shown, &status);
        }
    }
}
