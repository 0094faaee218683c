//! What the files hold, as far as rows refer to each other.
//!
//! Names stand here as keyed digests of 128 bits: about 40 octets of memory a domain
//! and a host, however long their names are. An object is known by the number of its
//! row, from which its id follows; so a second pass, and a run after a crash, give
//! every object the id that it had.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::super::command::zone::ZoneTableText;
use super::super::policy::RegistrationPolicy;

/// Number of an object's row.
pub(super) type RowIndex = u32;

/// Where a zone stands in [`Model::zones`].
pub(super) type ZoneIndex = u32;

/// A digest of a name.
type Key = u128;

/// A zone that the files bring.
#[derive(Debug)]
pub(super) struct Zone {
    pub(super) apex: String,
    pub(super) row: RowIndex,
    /// What decides when a step of a registration is due.
    pub(super) policy: RegistrationPolicy,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Domain {
    pub(super) row: RowIndex,
    pub(super) zone: ZoneIndex,
    /// Whether its statuses let DNS know it.
    pub(super) is_allowed: bool,
    /// Whether it has name servers.
    pub(super) is_delegated: bool,
}

impl Domain {
    pub(super) fn is_published(self) -> bool {
        self.is_allowed && self.is_delegated
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Host {
    pub(super) row: RowIndex,
    pub(super) is_internal: bool,
    /// Whether a published domain names it.
    pub(super) is_published: bool,
}

/// All that rows can refer to.
#[derive(Debug)]
pub(super) struct Model {
    keys: (u64, u64),
    pub(super) zones: Vec<Zone>,
    zone_of_apex: HashMap<String, ZoneIndex>,
    pub(super) registrars: HashMap<String, RowIndex>,
    pub(super) contacts: HashMap<String, RowIndex>,
    /// IDN tables, which are written first.
    pub(super) idn: Vec<(ZoneIndex, ZoneTableText)>,
    domains: HashMap<Key, Domain>,
    hosts: HashMap<Key, Host>,
}

impl Model {
    pub(super) fn new() -> Self {
        // Nobody who writes a file knows these keys, so nobody can make names meet.
        let random = || RandomState::new().build_hasher().finish();
        Self {
            keys: (random(), random()),
            zones: Vec::new(),
            zone_of_apex: HashMap::new(),
            registrars: HashMap::new(),
            contacts: HashMap::new(),
            idn: Vec::new(),
            domains: HashMap::new(),
            hosts: HashMap::new(),
        }
    }

    fn key(&self, zone: ZoneIndex, name: &str) -> Key {
        let mut hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        hasher.write_u32(zone);
        hasher.write(name.as_bytes());
        hasher.finish128().as_u128()
    }

    /// `false` where it is there already.
    pub(super) fn add_zone(
        &mut self,
        apex: String,
        row: RowIndex,
        policy: RegistrationPolicy,
    ) -> bool {
        let index = ZoneIndex::try_from(self.zones.len()).expect("fewer zones than rows");
        if self.zone_of_apex.contains_key(&apex) {
            return false;
        }
        self.zone_of_apex.insert(apex.clone(), index);
        self.zones.push(Zone { apex, row, policy });
        true
    }

    pub(super) fn zone(&self, apex: &str) -> Option<ZoneIndex> {
        self.zone_of_apex.get(apex).copied()
    }

    /// The closest zone among these names, which begin with the longest.
    pub(super) fn closest_zone<'n>(
        &self,
        mut names: impl Iterator<Item = &'n str>,
    ) -> Option<ZoneIndex> {
        names.find_map(|name| self.zone(name))
    }

    /// `false` where it is there already.
    pub(super) fn add_domain(&mut self, name: &str, domain: Domain) -> bool {
        let key = self.key(domain.zone, name);
        let entry = self.domains.entry(key);
        let found = entry.or_insert(domain).row;
        found == domain.row
    }

    pub(super) fn domain(&self, zone: ZoneIndex, name: &str) -> Option<Domain> {
        self.domains.get(&self.key(zone, name)).copied()
    }

    /// `false` where it is there already.
    pub(super) fn add_host(&mut self, name: &str, host: Host) -> bool {
        let key = self.key(ZoneIndex::MAX, name);
        let entry = self.hosts.entry(key);
        let found = entry.or_insert(host).row;
        found == host.row
    }

    pub(super) fn host(&self, name: &str) -> Option<Host> {
        self.hosts.get(&self.key(ZoneIndex::MAX, name)).copied()
    }

    /// Notes an NS record: what it decides is published.
    pub(super) fn delegate(&mut self, zone: ZoneIndex, domain: &str, host: &str) {
        let key = self.key(zone, domain);
        let domain = self.domains.get_mut(&key).expect("looked up by the caller");
        domain.is_delegated = true;
        let is_allowed = domain.is_allowed;
        let key = self.key(ZoneIndex::MAX, host);
        let host = self.hosts.get_mut(&key).expect("looked up by the caller");
        host.is_published |= is_allowed;
    }
}

/// A stored name and the names above it, the root last.
pub(super) fn at_or_above(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| parent(name))
}

/// The names above a stored name, the root last.
pub(super) fn above(name: &str) -> impl Iterator<Item = &str> {
    at_or_above(name).skip(1)
}

fn parent(name: &str) -> Option<&str> {
    if name == "." {
        return None;
    }
    let mut bytes = name.bytes().enumerate();
    while let Some((place, byte)) = bytes.next() {
        match byte {
            // Of `\.` and `\123` no octet parts labels.
            b'\\' => drop(bytes.next()),
            b'.' => return Some(&name[place + 1..]),
            _ => {}
        }
    }
    Some(".")
}
