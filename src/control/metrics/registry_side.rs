//! Metrics of what stands behind the data plane: timers, keys, publisher.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Kind, Page, ZONES_MAX};
use crate::clock::unix_microseconds;
use crate::inquiry::scan::ScanSnapshot;
use crate::keys::status::KeysState;
use crate::publish;
use crate::registry::timekeeper::TimersSnapshot;

impl Page {
    pub(super) fn timers(&mut self, timers: &TimersSnapshot) {
        self.counter(
            "timer_steps",
            "Steps of registrations that were due and taken",
            timers.taken,
        );
        self.counter(
            "timer_steps_refused",
            "Steps that are tried again later",
            timers.refused,
        );
        self.counter(
            "timer_failures",
            "Looks for due steps that failed",
            timers.failed,
        );
        self.gauge(
            "timers_stopped",
            "1 while nothing becomes due until an operator says so",
            u64::from(timers.is_stopped),
        );
        self.gauge(
            "purges_held",
            "1 while purges wait for an operator",
            u64::from(timers.purges_held),
        );
        self.gauge(
            "changes_waiting",
            "Changes that wait until somebody agrees",
            timers.changes_waiting,
        );
    }

    pub(super) fn scan(&mut self, scan: &ScanSnapshot) {
        self.counter(
            "scan_domains",
            "Domains whose name servers were asked",
            scan.domains,
        );
        self.counter(
            "scan_faults",
            "Name servers that did not answer for a domain as they should",
            scan.faults,
        );
        self.counter(
            "scan_failures",
            "Pages of domains that could not be read or kept",
            scan.failures,
        );
        self.gauge(
            "scan_lame_delegations",
            "Pairs of a domain and a name server in the report",
            scan.lame,
        );
    }

    pub(super) fn keys(&mut self, keys: &KeysState) {
        let (mut expire, mut records, mut parent) = (Vec::new(), Vec::new(), Vec::new());
        let (mut ahead, mut held) = (Vec::new(), Vec::new());
        for (apex, zone) in keys.zones().into_iter().take(ZONES_MAX) {
            let apex = apex.to_string();
            if let Some(seconds) = zone.signatures_expire_seconds {
                let seconds = u64::try_from(seconds).unwrap_or_default();
                expire.push((vec![("zone", apex.clone())], seconds));
            }
            let awaited = u64::try_from(zone.awaits_parent).unwrap_or_default();
            parent.push((vec![("zone", apex.clone())], awaited));
            if let Some(signed) = zone.ahead {
                held.push((vec![("zone", apex.clone())], u64::from(signed.is_awaited())));
                let seconds = signed.expire_seconds.map(u64::try_from);
                if let Some(seconds) = seconds {
                    ahead.push((vec![("zone", apex.clone())], seconds.unwrap_or_default()));
                }
            }
            for (tag, role, record, state) in zone.records {
                let labels = vec![
                    ("zone", apex.clone()),
                    ("key_tag", tag.to_string()),
                    ("role", role.to_owned()),
                    ("record", record.to_owned()),
                    ("state", state.to_string()),
                ];
                records.push((labels, 1));
            }
        }
        self.add(
            "signatures_expire_seconds",
            "For how long every signature that is served is good; 0 when some are not",
            Kind::Gauge,
            expire,
        );
        self.add(
            "key_responses_expire_seconds",
            "For how long an offline key has signed the key sets that are served",
            Kind::Gauge,
            ahead,
        );
        self.add(
            "key_responses_awaited",
            "Whether keys wait for a key or a signed key response of the machine of the offline key",
            Kind::Gauge,
            held,
        );
        self.add(
            "key_records",
            "Records of keys by what caches may hold of them; always 1",
            Kind::Gauge,
            records,
        );
        self.add(
            "key_parent_changes_awaited",
            "Changes of the DS set that the parent is waited for",
            Kind::Gauge,
            parent,
        );
    }

    pub(super) fn publish(&mut self, publish: &publish::State) {
        self.gauge(
            "publish_generation_event",
            "Registry event up to which everything is served",
            publish.served_event(),
        );
        self.gauge(
            "registry_event",
            "Newest event of the registry",
            publish.registry_event(),
        );
        let failures = publish::STEPS.iter().zip(publish.failures());
        let samples = failures
            .map(|((_, step), count)| (vec![("step", (*step).to_owned())], count))
            .collect();
        self.add(
            "publish_failures",
            "Publishes that failed, by step",
            Kind::Counter,
            samples,
        );
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let kind = |kind: &str| vec![("kind", kind.to_owned())];
        let compiles = vec![
            (kind("changes"), load(&publish.changes)),
            (kind("whole"), load(&publish.whole)),
        ];
        self.add(
            "zone_compiles",
            "Zones compiled by their changes, and whole",
            Kind::Counter,
            compiles,
        );
        self.counter(
            "publish_names",
            "Names that were written by their changes",
            load(&publish.names),
        );
        self.counter(
            "publish_written_bytes",
            "Octets of segments written",
            load(&publish.written_bytes),
        );
        self.counter("image_folds", "Folds of segments", load(&publish.folds));
        self.counter(
            "image_fold_failures",
            "Folds of segments that failed and are tried again",
            load(&publish.fold_failures),
        );
        let now = unix_microseconds();
        let age = |since: i64| u64::try_from((now - since) / 1_000_000).unwrap_or_default();
        let ages = publish.serial_times().into_iter();
        let ages = ages.map(|(zone, since)| (vec![("zone", zone.to_string())], age(since)));
        self.add(
            "serial_age_seconds",
            "Since the serial that is served came into service here",
            Kind::Gauge,
            ages.collect(),
        );
    }
}
