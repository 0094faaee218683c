//! The kinds of changes, and the commands that make them.
//!
//! Beside the generated registry stand domains that all name one host: half of them share all their name servers, half have one more of their own. Renaming that
//! host touches them all.

use std::fmt;

use serde::Serialize;

use crate::generate::Registry;

/// The first TTL that a change sets; each sets another.
const TTL_FIRST: u64 = 1000;
/// TTLs that changes go through.
const TTLS: u64 = 1_000_000;
/// Steps between the domains of two changes: far apart, and all different for long.
pub(super) const STRIDE: u64 = 7919;
const DS: &str = "12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE49FD46E6C4B45C55D4AC69CB";

/// What changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The TTL of a domain's NS records.
    Ttl,
    /// A name server of a domain comes, or goes.
    Ns,
    /// A DS record of a domain comes, or goes.
    Ds,
    /// A host that many domains name gets another name.
    Rename,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ttl => f.write_str("TTL of one domain"),
            Self::Ns => f.write_str("NS of one domain"),
            Self::Ds => f.write_str("DS of one domain"),
            Self::Rename => f.write_str("name of a host of many domains"),
        }
    }
}

/// A sequence of changes of one kind.
pub(super) struct Changes<'r> {
    kind: Kind,
    registry: &'r Registry,
    /// The serial at the start: where a registry is used again, TTLs are to be others.
    serial: u32,
    done: u64,
}

impl<'r> Changes<'r> {
    pub(super) fn new(kind: Kind, registry: &'r Registry, serial: u32) -> Self {
        Self {
            kind,
            registry,
            serial,
            done: 0,
        }
    }

    /// The words of `meridian` that make the next one.
    pub(super) fn next_command(&mut self) -> Vec<String> {
        let (number, suffix) = (self.done, self.registry.suffix());
        self.done += 1;
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        // Every second one takes back what the one before did.
        let (name, comes) = (self.insecure(number / 2), number.is_multiple_of(2));
        let host = shared_host(0, &suffix);
        match self.kind {
            Kind::Ttl => {
                let ttl = ttl_of(TTL_FIRST, self.serial, number).to_string();
                let index = number * STRIDE % self.registry.parameters().domains;
                let name = format!("{}{suffix}", self.registry.domain(index).label);
                words(&["registry", "domain", "update", &name, "--ns-ttl", &ttl])
            }
            Kind::Ns => {
                let way = if comes { "--add-host" } else { "--remove-host" };
                words(&["registry", "domain", "update", &name, way, &host])
            }
            Kind::Ds => {
                let way = if comes { "--add-ds" } else { "--remove-ds" };
                words(&["registry", "domain", "update", &name, way, DS])
            }
            Kind::Rename => {
                let other = format!("other.renamed{suffix}");
                let (old, new) = if comes { (host, other) } else { (other, host) };
                words(&["registry", "host", "update", &old, "--rename", &new])
            }
        }
    }

    /// A domain without DS for each number.
    fn insecure(&self, number: u64) -> String {
        let domains = self.registry.parameters().domains;
        let from = number * STRIDE % domains;
        let mut indices = (from..domains).chain(0..from);
        let found = indices.find(|index| self.registry.domain(*index).ds_count == 0);
        let label = self.registry.domain(found.unwrap_or(from)).label;
        format!("{label}{}", self.registry.suffix())
    }
}

/// A TTL that a change sets, from `first` on: another one for each change, and for the same
/// change of another run.
pub(super) fn ttl_of(first: u64, serial: u32, number: u64) -> u32 {
    let ttl = first + (u64::from(serial) + number) % TTLS;
    u32::try_from(ttl).expect("below two millions")
}

fn shared_host(number: u64, suffix: &str) -> String {
    format!("ns{number}.renamed{suffix}")
}

/// What `meridian registry apply` has to be given to make so many dependants: later
/// groups need earlier ones.
pub(super) fn dependants(count: u64, suffix: &str) -> [Vec<String>; 3] {
    let (mut domains, mut hosts, mut updates) = (Vec::new(), Vec::new(), Vec::new());
    let domain = |name: &str| {
        format!("{{\"domain\":{{\"create\":{{\"name\":\"{name}\",\"registrar\":\"reg-000\"}}}}}}")
    };
    let host = |name: &str| {
        format!(
            "{{\"host\":{{\"create\":{{\"name\":\"{name}\",\"registrar\":\"reg-000\",\
             \"addresses\":[\"192.0.2.1\"]}}}}}}"
        )
    };
    domains.push(domain(&format!("renamed{suffix}")));
    hosts.push(host(&shared_host(0, suffix)));
    hosts.push(host(&shared_host(1, suffix)));
    for number in 0..count {
        let name = format!("dependant-{number}{suffix}");
        domains.push(domain(&name));
        let second = match number % 2 {
            0 => shared_host(1, suffix),
            _ => {
                let own = format!("ns.{name}");
                hosts.push(host(&own));
                own
            }
        };
        let first = shared_host(0, suffix);
        updates.push(format!(
            "{{\"domain\":{{\"update\":{{\"name\":\"{name}\",\"add\":{{\"hosts\":\
             [\"{first}\",\"{second}\"]}}}}}}}}"
        ));
    }
    [domains, hosts, updates]
}

#[cfg(test)]
mod tests;
