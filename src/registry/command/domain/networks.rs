//! Whether name servers stand in one network: told, never refused.
//!
//! RFC 2182 section 3.1 wants them apart; what is known here is their addresses, where the
//! hosts are of this registry. One /24 or /48 is taken for one network, since smaller ones
//! are rarely routed by themselves. Asks nothing where a host's addresses are not known.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use super::set::NameServer;
use crate::registry::command::CommandError;
use crate::registry::command::context::Context;
use crate::registry::command::tables::rows;
use crate::registry::types::Address;

/// Leaves a note with a command that gave these name servers to a domain, if now all that
/// it has are in one network.
pub(super) async fn note(
    context: &mut Context<'_, '_>,
    domain_id: i64,
    added: impl Iterator<Item = &NameServer>,
) -> Result<(), CommandError> {
    let mut added = added.peekable();
    if added.peek().is_none() || !added.all(|server| server.is_internal) {
        return Ok(());
    }
    let query = rows::<(i64, Option<Vec<u8>>)>(
        "SELECT n.host_id, a.address FROM delegations n \
         LEFT JOIN host_addresses a ON a.host_id = n.host_id WHERE n.domain_id = $1",
    );
    let mut servers: BTreeMap<i64, Vec<IpAddr>> = BTreeMap::new();
    for (host, address) in context.tables().all(query.bind(domain_id)).await? {
        let known = servers.entry(host).or_default();
        let address = address.as_deref().and_then(Address::from_rdata);
        known.extend(address.map(|address| address.ip()));
    }
    context.notes.extend(one_network(servers.values()));
    Ok(())
}

/// What to say of servers with these addresses.
fn one_network<'a>(servers: impl Iterator<Item = &'a Vec<IpAddr>> + Clone) -> Option<String> {
    // One server is one network; nobody needs to be told.
    if servers.clone().count() < 2 || servers.clone().any(Vec::is_empty) {
        return None;
    }
    let networks: BTreeSet<_> = servers.flatten().map(network).collect();
    let of_family = |is_v4| {
        let mut found = networks.iter().filter(move |network| network.0 == is_v4);
        (found.next(), found.next())
    };
    let mut named = Vec::new();
    for is_v4 in [true, false] {
        match of_family(is_v4) {
            (Some(_), Some(_)) => return None,
            (Some((_, network)), None) => named.push(network.as_str()),
            (None, _) => {}
        }
    }
    let named = named.join(" and ");
    Some(format!(
        "all its name servers are in {named}; one fault there takes them all"
    ))
}

/// The network of an address, and whether it is of IPv4.
fn network(address: &IpAddr) -> (bool, String) {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            (true, format!("{a}.{b}.{c}.0/24"))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            let network = Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0);
            (false, format!("{network}/48"))
        }
    }
}

#[cfg(test)]
mod tests;
