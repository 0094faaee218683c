//! epp-11, epp-13 and epp-23: hosts made, changed and renamed.

use super::super::desk::{Talks, command, host_create, name};
use super::cells::{Row, Table, Values};
use super::{Outcomes, show_named};

/// The domain that a host of the zone is in.
fn parent(host: &str) -> String {
    let labels: Vec<_> = host.rsplit('.').take(2).collect();
    format!("{}.{}", labels[1], labels[0])
}

fn make_parent(registry: &mut dyn Talks, row: &Row, host: &str, made: &mut Vec<String>) {
    let parent = parent(host);
    if row.raw("createParentFirst") == "true" && !made.contains(&parent) {
        registry.register("reg-a", &parent);
        made.push(parent);
    }
}

pub(super) fn create(registry: &mut dyn Talks, table: &Table, outcomes: &mut Outcomes) {
    let mut values = Values::new(&[("TLD", "tld")]).of_table(table);
    let mut made = Vec::new();
    for row in &table.rows {
        let host = values.of(row, "name", "");
        let (family, address) = (values.of(row, "ip", ""), values.of(row, "addr", ""));
        make_parent(registry, row, &host, &mut made);
        // No family is no address; a family with an empty address is one.
        let addresses = [(family.as_str(), address.as_str())];
        let addresses = if family.is_empty() {
            &[][..]
        } else {
            &addresses
        };
        let reply = registry.say("reg-a", &host_create(&host, addresses));
        if outcomes.note(row, &reply) {
            let shown = show_named(registry, "host", &host);
            outcomes.stored(row, &shown, &[("name", &host)]);
            for (_, address) in addresses {
                outcomes.stored(row, &shown, &[("addr", address)]);
            }
        }
    }
}

/// A host in a domain of its own.
fn subject(registry: &mut dyn Talks, table: &Table) -> String {
    let domain = format!("{}.tld", table.subject());
    let host = format!("ns1.{domain}");
    registry.register("reg-a", &domain);
    let address = [("v4", "208.77.190.200")];
    registry.expect(1000, "reg-a", &host_create(&host, &address));
    host
}

pub(super) fn change_addresses(registry: &mut dyn Talks, table: &Table, outcomes: &mut Outcomes) {
    let (host, mut values) = (subject(registry, table), Values::new(&[]).of_table(table));
    for row in &table.rows {
        let (action, family) = (row.raw("action"), values.of(row, "ip", ""));
        let address = values.of(row, "addr", "");
        let body = format!(
            "{}<host:{action}><host:addr ip=\"{family}\">{address}</host:addr></host:{action}>",
            name("host", &host)
        );
        let reply = registry.say("reg-a", &command("update", "host", &body, ""));
        if outcomes.note(row, &reply) {
            let shown = show_named(registry, "host", &host);
            outcomes.stored(row, &shown, &[("addr", &address)]);
        }
    }
}

pub(super) fn change_statuses(registry: &mut dyn Talks, table: &Table, outcomes: &mut Outcomes) {
    let (host, mut values) = (subject(registry, table), Values::new(&[]).of_table(table));
    for row in &table.rows {
        let (action, status) = (row.raw("action"), values.of(row, "status", ""));
        let body = format!(
            "{}<host:{action}><host:status s=\"{status}\"/></host:{action}>",
            name("host", &host)
        );
        let reply = registry.say("reg-a", &command("update", "host", &body, ""));
        if outcomes.note(row, &reply) {
            let shown = show_named(registry, "host", &host);
            outcomes.status(row, &shown, &status);
        }
    }
}

pub(super) fn rename(registry: &mut dyn Talks, table: &Table, outcomes: &mut Outcomes) {
    registry.register("reg-b", "reserved.tld");
    let mut host = subject(registry, table);
    let variables = [("TLD", "tld"), ("RESERVEDNAME", "reserved.tld")];
    let (mut values, mut made) = (Values::new(&variables).of_table(table), Vec::new());
    for row in &table.rows {
        let new = values.of(row, "name", "");
        make_parent(registry, row, &new, &mut made);
        let change = name("host", &new);
        let body = format!("{}<host:chg>{change}</host:chg>", name("host", &host));
        let reply = registry.say("reg-a", &command("update", "host", &body, ""));
        if outcomes.note(row, &reply) {
            let old = command("info", "host", &name("host", &host), "");
            registry.expect(2303, "reg-a", &old);
            let shown = show_named(registry, "host", &new);
            outcomes.stored(row, &shown, &[("name", &new)]);
            host = new;
        }
    }
}
