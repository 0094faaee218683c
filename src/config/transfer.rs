//! `[transfer]`: who may have zones, and by what it is known.

use std::net::SocketAddr;
use std::path::PathBuf;

use zone_image::Name;

use super::Spec;
use super::check::Checker;
use super::spec::AllowSpec;
use crate::transfer::access::{Access, Network, Pin, Rule};
use crate::transfer::journal::Limits;
use crate::transfer::key::{Keys, parse_name};

/// Most rules: each request looks at all of them.
const RULES_MAX: usize = 1000;

/// Zone transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Holds the keys; `None` where there are none.
    pub keys_file: Option<PathBuf>,
    /// Who may have which zone.
    pub access: Access,
    /// Most transfers at a time.
    pub concurrent_max: usize,
    /// Where changes are kept, and how many; `None` where they are not.
    pub journal: Option<(PathBuf, Limits)>,
    /// Who is told that a zone is newer.
    pub notify: Vec<Notify>,
}

/// A secondary that is told that a zone is newer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// Where it listens.
    pub address: SocketAddr,
    /// Of which zones, lower case; empty is all.
    pub zones: Vec<Name>,
    /// The name of the key that signs the notice, lower case.
    pub key: Option<Name>,
}

impl Transfer {
    /// Whether anybody may have anything, has a key, or is told of anything.
    pub fn is_on(&self) -> bool {
        self.keys_file.is_some() || !self.access.0.is_empty() || !self.notify.is_empty()
    }

    /// What is wrong with the keys of a file for these rules.
    pub fn key_fault(&self, keys: &Keys) -> Option<String> {
        let of_rules = self.access.0.iter().filter_map(|rule| rule.key.as_ref());
        let of_notices = self.notify.iter().filter_map(|notify| notify.key.as_ref());
        let missing = of_rules
            .chain(of_notices)
            .find(|name| keys.find(name).is_none())?;
        Some(format!("key {missing} is not in transfer.keys-file"))
    }
}

pub(super) fn check(spec: &Spec, checker: &mut Checker<'_>) -> Transfer {
    let transfer = &spec.transfer;
    let places = transfer.concurrent_max;
    checker.range("transfer.concurrent-max", places, 1..=1000);
    if transfer.allow.len() > RULES_MAX {
        let message = format!("more than {RULES_MAX} rules");
        checker.fault("transfer.allow", message);
    }
    let has_keys = !transfer.keys_file.as_os_str().is_empty();
    let mut rules = Vec::new();
    for (at, allow) in transfer.allow.iter().enumerate() {
        let mut fault = |message: String| {
            let message = format!("rule {}: {message}", at + 1);
            checker.fault("transfer.allow", message);
        };
        if allow.certificate.is_empty() && allow.key.is_empty() && allow.networks.is_empty() {
            fault("it would let everybody in; name networks, a key or a certificate".to_owned());
        }
        if !allow.key.is_empty() && !has_keys {
            fault("it names a key; name the file of keys in transfer.keys-file".to_owned());
        }
        if !allow.certificate.is_empty() && spec.dns.tls.listen.is_empty() {
            fault("it names a certificate; these come over TLS, see dns.tls.listen".to_owned());
        }
        rules.push(rule(allow, &mut fault));
    }
    Transfer {
        keys_file: has_keys.then(|| transfer.keys_file.clone()),
        access: Access(rules),
        concurrent_max: places,
        journal: check_journal(spec, checker),
        notify: check_notify(spec, checker),
    }
}

fn check_journal(spec: &Spec, checker: &mut Checker<'_>) -> Option<(PathBuf, Limits)> {
    let transfer = &spec.transfer;
    let bytes = transfer.journal_zone_bytes_max;
    checker.range("transfer.journal-zone-bytes-max", bytes, 4096..=1 << 32);
    let days = transfer.journal_days_max;
    checker.range("transfer.journal-days-max", days, 1..=3650);
    let directory = &transfer.journal_directory;
    if directory.starts_with(&spec.image.directory) && !directory.as_os_str().is_empty() {
        let message = "it is in image.directory; give it a folder of its own";
        checker.fault("transfer.journal-directory", message);
    }
    let limits = Limits {
        zone_bytes_max: bytes,
        age_seconds_max: days.saturating_mul(86_400),
    };
    (!directory.as_os_str().is_empty()).then(|| (directory.clone(), limits))
}

fn check_notify(spec: &Spec, checker: &mut Checker<'_>) -> Vec<Notify> {
    let transfer = &spec.transfer;
    if transfer.notify.len() > RULES_MAX {
        let message = format!("more than {RULES_MAX} secondaries");
        checker.fault("transfer.notify", message);
    }
    let mut secondaries = Vec::new();
    for notify in &transfer.notify {
        let mut fault = |message: String| {
            let message = format!("{}: {message}", notify.address);
            checker.fault("transfer.notify", message);
        };
        if notify.address.port() == 0 {
            fault("name the port, which is mostly 53".to_owned());
        }
        if !notify.key.is_empty() && transfer.keys_file.as_os_str().is_empty() {
            fault("it names a key; name the file of keys in transfer.keys-file".to_owned());
        }
        let zones = notify
            .zones
            .iter()
            .filter_map(|zone| name(zone, &mut fault));
        secondaries.push(Notify {
            address: notify.address,
            zones: zones.collect(),
            key: optional_name(&notify.key, &mut fault),
        });
    }
    secondaries
}

/// A name in lower case.
fn name(text: &str, fault: &mut dyn FnMut(String)) -> Option<Name> {
    let name = parse_name(text).map(|name| name.to_lowercase());
    if name.is_none() {
        fault(format!("{text:?} is not a name"));
    }
    name
}

fn optional_name(text: &str, fault: &mut dyn FnMut(String)) -> Option<Name> {
    if text.is_empty() {
        return None;
    }
    name(text, fault)
}

fn rule(allow: &AllowSpec, fault: &mut dyn FnMut(String)) -> Rule {
    let zones = allow.zones.iter().filter_map(|zone| name(zone, fault));
    let zones = zones.collect();
    let key = optional_name(&allow.key, fault);
    let mut networks = Vec::new();
    for text in &allow.networks {
        match Network::parse(text) {
            Ok(network) => networks.push(network),
            Err(reason) => fault(format!("{text:?}: {reason}")),
        }
    }
    let certificate = Pin::parse(&allow.certificate);
    if certificate.is_none() && !allow.certificate.is_empty() {
        fault("the certificate is known by its SHA-256: 64 hexadecimal digits".to_owned());
    }
    Rule {
        zones,
        networks,
        key,
        certificate,
    }
}
