//! epp-11, epp-13 and epp-23: hosts made, changed and renamed.

use super::super::desk::{Desk, command, host_create, name};
use super::Outcomes;
use super::cells::{Row, Table, Values};

/// The domain that a host of the zone is in.
fn parent(host: &str) -> String {
    let labels: Vec<_> = host.rsplit('.').take(2).collect();
    format!("{}.{}", labels[1], labels[0])
}

fn make_parent(desk: &mut Desk, row: &Row, host: &str, made: &mut Vec<String>) {
    let parent = parent(host);
    if row.raw("createParentFirst") == "true" && !made.contains(&parent) {
        desk.register("reg-a", &parent);
        made.push(parent);
    }
}

pub(super) fn create(desk: &mut Desk, table: &Table, outcomes: &mut Outcomes) {
    let mut values = Values::new(&[("TLD", "tld")]);
    let mut made = Vec::new();
    for row in &table.rows {
        let host = values.of(row, "name", "");
        let (family, address) = (values.of(row, "ip", ""), values.of(row, "addr", ""));
        make_parent(desk, row, &host, &mut made);
        // No family is no address; a family with an empty address is one.
        let addresses = [(family.as_str(), address.as_str())];
        let addresses = if family.is_empty() {
            &[][..]
        } else {
            &addresses
        };
        let reply = desk.say("reg-a", &host_create(&host, addresses));
        outcomes.note(row, reply.code, &reply.xml);
    }
}

/// A host in a domain of its own.
fn subject(desk: &mut Desk) -> &'static str {
    const HOST: &str = "ns1.epp-13.tld";
    desk.register("reg-a", "epp-13.tld");
    let address = [("v4", "208.77.190.200")];
    assert_eq!(desk.say("reg-a", &host_create(HOST, &address)).code, 1000);
    HOST
}

pub(super) fn change_addresses(desk: &mut Desk, table: &Table, outcomes: &mut Outcomes) {
    let (host, mut values) = (subject(desk), Values::new(&[]));
    for row in &table.rows {
        let (action, family) = (row.raw("action"), values.of(row, "ip", ""));
        let address = values.of(row, "addr", "");
        let body = format!(
            "{}<host:{action}><host:addr ip=\"{family}\">{address}</host:addr></host:{action}>",
            name("host", host)
        );
        let reply = desk.say("reg-a", &command("update", "host", &body, ""));
        outcomes.note(row, reply.code, &reply.xml);
    }
}

pub(super) fn change_statuses(desk: &mut Desk, table: &Table, outcomes: &mut Outcomes) {
    let (host, mut values) = (subject(desk), Values::new(&[]));
    for row in &table.rows {
        let (action, status) = (row.raw("action"), values.of(row, "status", ""));
        let body = format!(
            "{}<host:{action}><host:status s=\"{status}\"/></host:{action}>",
            name("host", host)
        );
        let reply = desk.say("reg-a", &command("update", "host", &body, ""));
        outcomes.note(row, reply.code, &reply.xml);
    }
}

pub(super) fn rename(desk: &mut Desk, table: &Table, outcomes: &mut Outcomes) {
    desk.register("reg-b", "reserved.tld");
    let mut host = subject(desk).to_owned();
    let variables = [("TLD", "tld"), ("RESERVEDNAME", "reserved.tld")];
    let (mut values, mut made) = (Values::new(&variables), Vec::new());
    for row in &table.rows {
        let new = values.of(row, "name", "");
        make_parent(desk, row, &new, &mut made);
        let change = name("host", &new);
        let body = format!("{}<host:chg>{change}</host:chg>", name("host", &host));
        let reply = desk.say("reg-a", &command("update", "host", &body, ""));
        outcomes.note(row, reply.code, &reply.xml);
        if reply.code < 2000 {
            host = new;
        }
    }
}
