//! Domains as RFC 5731 writes them.

use super::super::namespace::DOMAIN;
use super::super::xml::Writer;
use super::DomainView;
use crate::registry::Timestamp;
use crate::registry::calendar::to_text;
use crate::registry::command::domain::TransferInfo;
use crate::registry::command::host::HostAttribute;

/// Most statuses of one domain.
const STATUSES_MAX: usize = 11;
const DECLARED: [(&str, &str); 1] = [("xmlns:domain", DOMAIN)];

pub(super) fn info(view: &DomainView, out: &mut Writer) {
    let info = &view.info;
    out.open("domain:infData", &DECLARED);
    out.leaf("domain:name", &[], info.name.as_str());
    out.leaf("domain:roid", &[], &info.roid);
    for status in info.statuses.iter().take(STATUSES_MAX) {
        out.empty("domain:status", &[("s", status)]);
    }
    out.optional("domain:registrant", info.registrant.as_deref());
    for contact in &info.contacts {
        // `ROLE:HANDLE`; roles that RFC 5731 does not have stay here.
        if let Some((role @ ("admin" | "billing" | "tech"), handle)) = contact.split_once(':') {
            out.leaf("domain:contact", &[("type", role)], handle);
        }
    }
    if view.shows_delegated && !info.hosts.is_empty() {
        out.open("domain:ns", &[]);
        match &info.attributes {
            None => {
                for host in &info.hosts {
                    out.leaf("domain:hostObj", &[], host);
                }
            }
            Some(attributes) => {
                for attribute in attributes {
                    host_attribute(attribute, out);
                }
            }
        }
        out.close();
    }
    if view.shows_subordinate {
        for host in &info.subordinate_hosts {
            out.leaf("domain:host", &[], host);
        }
    }
    out.leaf("domain:clID", &[], &info.registrar);
    out.optional("domain:crID", info.created_by.as_deref());
    out.leaf("domain:crDate", &[], &to_text(info.created_at));
    out.optional("domain:upID", info.updated_by.as_deref());
    out.optional("domain:upDate", info.updated_at.map(to_text).as_deref());
    out.optional("domain:exDate", info.expires_at.map(to_text).as_deref());
    out.optional("domain:trDate", info.transferred_at.map(to_text).as_deref());
    out.close();
}

/// A name server with its addresses (RFC 5731 section 1.1).
fn host_attribute(attribute: &HostAttribute, out: &mut Writer) {
    out.open("domain:hostAttr", &[]);
    out.leaf("domain:hostName", &[], attribute.name.as_str());
    for address in &attribute.addresses {
        let text = address.to_string();
        let family = if text.contains(':') { "v6" } else { "v4" };
        out.leaf("domain:hostAddr", &[("ip", family)], &text);
    }
    out.close();
}

pub(super) fn created(
    name: &str,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    out: &mut Writer,
) {
    out.open("domain:creData", &DECLARED);
    out.leaf("domain:name", &[], name);
    out.leaf("domain:crDate", &[], &to_text(created_at));
    out.optional("domain:exDate", expires_at.map(to_text).as_deref());
    out.close();
}

pub(super) fn renewed(name: &str, expires_at: Option<Timestamp>, out: &mut Writer) {
    out.open("domain:renData", &DECLARED);
    out.leaf("domain:name", &[], name);
    out.optional("domain:exDate", expires_at.map(to_text).as_deref());
    out.close();
}

pub(super) fn transfer(transfer: &TransferInfo, out: &mut Writer) {
    out.open("domain:trnData", &DECLARED);
    out.leaf("domain:name", &[], &transfer.name);
    out.leaf("domain:trStatus", &[], &transfer.state);
    out.leaf("domain:reID", &[], &transfer.gaining);
    out.leaf("domain:reDate", &[], &to_text(transfer.requested_at));
    out.leaf("domain:acID", &[], &transfer.losing);
    out.leaf("domain:acDate", &[], &to_text(transfer.acted_at));
    out.optional("domain:exDate", transfer.expires_at.map(to_text).as_deref());
    out.close();
}
