//! Hosts as RFC 5732 writes them.

use super::super::namespace::HOST;
use super::super::xml::Writer;
use crate::registry::Timestamp;
use crate::registry::calendar::to_text;
use crate::registry::command::host::HostInfo;

/// Most statuses of one host.
const STATUSES_MAX: usize = 7;
/// Who made an object of which that is not known: the registry.
pub(super) const CREATOR: &str = "registry";
const DECLARED: [(&str, &str); 1] = [("xmlns:host", HOST)];

pub(super) fn info(info: &HostInfo, out: &mut Writer) {
    out.open("host:infData", &DECLARED);
    out.leaf("host:name", &[], info.name.as_str());
    out.leaf("host:roid", &[], &info.roid);
    for status in info.statuses.iter().take(STATUSES_MAX) {
        out.empty("host:status", &[("s", status)]);
    }
    for address in &info.addresses {
        let text = address.to_string();
        let family = if text.contains(':') { "v6" } else { "v4" };
        out.leaf("host:addr", &[("ip", family)], &text);
    }
    out.leaf("host:clID", &[], &info.registrar);
    let creator = info.created_by.as_deref().unwrap_or(CREATOR);
    out.leaf("host:crID", &[], creator);
    out.leaf("host:crDate", &[], &to_text(info.created_at));
    out.optional("host:upID", info.updated_by.as_deref());
    out.optional("host:upDate", info.updated_at.map(to_text).as_deref());
    out.optional("host:trDate", info.transferred_at.map(to_text).as_deref());
    out.close();
}

pub(super) fn created(name: &str, created_at: Timestamp, out: &mut Writer) {
    out.open("host:creData", &DECLARED);
    out.leaf("host:name", &[], name);
    out.leaf("host:crDate", &[], &to_text(created_at));
    out.close();
}
