//! Random registries at one moment, and small steps from one to the next.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// One delegation or host of a random registry.
#[derive(Debug, Clone)]
struct Domain {
    label: usize,
    hosts: Vec<usize>,
    has_ds: bool,
}

impl Domain {
    /// Most stand right below the apex, some below names that exist only for them.
    fn owner(&self) -> String {
        let label = self.label;
        match label {
            ..10 => format!("d{label}.tld"),
            10 | 11 => format!("d{label}.e.tld"),
            12 => "d12.f.e.tld".to_owned(),
            _ => "d13.v.tld".to_owned(),
        }
    }
}

/// The hosts that domains name: inside domains, outside, and deep below others.
const HOSTS: [&str; 9] = [
    "ns1.d0.tld",
    "ns2.d0.tld",
    "ns1.d1.tld",
    "a.b.d2.tld",
    "ns.elsewhere.example",
    "ns2.elsewhere.example",
    "ns.nic.tld",
    "d3.tld",
    "ns.deep.own.tld",
];
/// Own data of the zone: at every depth, wildcards and empty names among them.
const OWN: [&str; 7] = [
    "www.tld",
    "x.y.z.tld",
    "y.z.tld",
    "*.tld",
    "*.w.tld",
    "a.*.v.tld",
    "ns1.d5.tld",
];

#[derive(Debug, Clone)]
pub(super) struct Moment {
    domains: Vec<Domain>,
    /// For each host, how many addresses it has.
    addresses: Vec<u8>,
    own: Vec<bool>,
    minimum: u32,
}

pub(super) fn moments() -> impl Strategy<Value = Moment> {
    let hosts = prop_oneof![
        3 => Just(vec![4, 5]),
        3 => Just(vec![0, 1]),
        2 => Just(vec![2, 4]),
        3 => prop::collection::vec(0..HOSTS.len(), 1..4),
    ];
    let domain = (0..14usize, hosts, any::<bool>());
    let domain = domain.prop_map(|(label, hosts, has_ds)| Domain {
        label,
        hosts,
        has_ds,
    });
    (
        prop::collection::vec(domain, 0..24),
        prop::collection::vec(0u8..3, HOSTS.len()),
        prop::collection::vec(any::<bool>(), OWN.len()),
        prop::sample::select(vec![300u32, 300, 300, 60]),
    )
        .prop_map(|(domains, addresses, own, minimum)| Moment {
            domains,
            addresses,
            own,
            minimum,
        })
}

impl Moment {
    /// As a registry would publish it: a host with addresses where somebody names it.
    pub(super) fn state(&self, serial: u32) -> State {
        let mut state = base(serial);
        state.0.remove(&name(APEX));
        let apex = State::new(serial, self.minimum);
        state.0.extend(apex.0);
        state.ns(APEX, "ns.nic.tld");
        let mut named = BTreeSet::new();
        let mut cuts = BTreeSet::new();
        for domain in &self.domains {
            let owner = domain.owner();
            if !cuts.insert(owner.clone()) {
                continue;
            }
            for host in &domain.hosts {
                state.ns(&owner, HOSTS[*host]);
                named.insert(*host);
            }
            if domain.has_ds {
                state.add(&owner, RecordType(43), 60, &[0, 1, 13, 2, 7, 7]);
            }
        }
        for host in named {
            let is_inside = HOSTS[host].ends_with(".tld");
            // A host that lies in a delegation to itself needs an address.
            let count = self.addresses[host].max(1);
            for number in (0..count).filter(|_| is_inside) {
                state.add(HOSTS[host], RecordType::A, 3600, &[192, 0, 2, number + 10]);
            }
        }
        for (owner, is_there) in OWN.iter().zip(&self.own) {
            let rtype = if owner.ends_with("d5.tld") {
                RecordType::A
            } else {
                RecordType(16)
            };
            if *is_there {
                state.add(owner, rtype, 60, &[3, 1, 2, 3]);
            }
        }
        state
    }
}

/// A history in small steps: each moment takes over most of the one before.
pub(super) fn mixed(before: &Moment, next: &Moment, keep: u8) -> Moment {
    let kept = before.domains.len() * usize::from(keep) / 4;
    let fresh = next.domains.len().min(3);
    let domains = next.domains[..fresh].iter().chain(&before.domains[..kept]);
    Moment {
        domains: domains.cloned().collect(),
        ..if keep > 2 {
            before.clone()
        } else {
            next.clone()
        }
    }
}
