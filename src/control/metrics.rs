//! The metrics page. Sums the workers' counters when it is asked, never before.

mod distribution;
mod epp;
mod lookup;
mod registry_side;
mod transfer;

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::{TlsVitals, Vitals, each_own_zone};
use crate::clock::unix_seconds;
use crate::dns::counters::{DROPS, HANDSHAKES, LOSSES, OUTCOMES, Snapshot, StreamCounters};

/// Most zones with metrics of their own; past it only totals are given.
const ZONES_MAX: usize = 1000;

/// The metrics page as it is now.
pub(super) fn render(vitals: &Vitals) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("meridian");
    registry.register_collector(Box::new(Page::new(vitals)));
    if let Some(publish) = vitals.publish() {
        let (latency, compile) = (publish.latency.clone(), publish.compile.clone());
        registry.register(
            "publish_latency_seconds",
            "From accepting an event to serving it",
            latency,
        );
        registry.register(
            "compile_seconds",
            "From reading the registry to an image on disk",
            compile,
        );
    }
    if let Some(epp) = &vitals.parts.epp {
        epp::register(&mut registry, &epp.counters);
    }
    if let Some(lookup) = &vitals.parts.lookup {
        lookup::register(&mut registry, &lookup.counters);
    }
    let mut page = String::new();
    text::encode(&mut page, &registry)?;
    Ok(page)
}

/// One line of a metric: labels and value.
type Sample = (Vec<(&'static str, String)>, u64);

/// One metric with all its samples.
#[derive(Debug)]
struct Metric {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    samples: Vec<Sample>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

/// Everything on the page.
#[derive(Debug)]
struct Page(Vec<Metric>);

impl Page {
    fn new(vitals: &Vitals) -> Self {
        let mut page = Self(Vec::new());
        let tls = vitals.tls();
        let counted = tls.map(|tls| tls.counters.snapshot()).unwrap_or_default();
        page.queries(&vitals.udp(), &vitals.tcp().snapshot(), &counted);
        page.connections(["tcp_connections", "tcp_connection_events"], vitals.tcp());
        if let Some(tls) = tls {
            page.connections(["tls_connections", "tls_connection_events"], &tls.counters);
            page.tls(tls);
        }
        page.generation(vitals);
        if let Some(publish) = vitals.publish() {
            page.publish(publish);
        }
        if let Some(distribution) = &vitals.parts.distribution {
            page.distribution(distribution, unix_seconds());
        }
        if let Some(keys) = &vitals.parts.keys {
            page.keys(keys);
        }
        if let Some(scan) = &vitals.parts.scan {
            page.scan(&scan.snapshot());
        }
        if let Some(timers) = &vitals.parts.timers {
            page.timers(&timers.snapshot());
        }
        if let Some(epp) = &vitals.parts.epp {
            page.epp(&epp.counters);
        }
        if let Some(lookup) = &vitals.parts.lookup {
            page.lookup(&lookup.counters);
        }
        if let Some(transfer) = &vitals.parts.transfer {
            page.transfer(&transfer.counters, transfer.history.journal_bytes());
        }
        page.gauge(
            "uptime_seconds",
            "Time since the start",
            vitals.uptime().as_secs(),
        );
        let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        page.add(
            "build",
            "The program; always 1",
            Kind::Gauge,
            vec![(version, 1)],
        );
        page
    }

    fn add(&mut self, name: &'static str, help: &'static str, kind: Kind, samples: Vec<Sample>) {
        self.0.push(Metric {
            name,
            help,
            kind,
            samples,
        });
    }

    fn gauge(&mut self, name: &'static str, help: &'static str, value: u64) {
        self.add(name, help, Kind::Gauge, vec![(Vec::new(), value)]);
    }

    fn counter(&mut self, name: &'static str, help: &'static str, value: u64) {
        self.add(name, help, Kind::Counter, vec![(Vec::new(), value)]);
    }

    fn queries(&mut self, udp: &Snapshot, tcp: &Snapshot, tls: &Snapshot) {
        let all = [("udp", udp), ("tcp", tcp), ("tls", tls)];
        let samples = |label: &'static str,
                       pick: &dyn Fn(&Snapshot) -> Vec<(&'static str, u64)>| {
            let mut samples = Vec::new();
            for (transport, snapshot) in all {
                for (name, value) in pick(snapshot) {
                    let labels = vec![
                        ("transport", transport.to_owned()),
                        (label, name.to_owned()),
                    ];
                    samples.push((labels, value));
                }
            }
            samples
        };
        let received = all.map(|(transport, snapshot)| {
            (vec![("transport", transport.to_owned())], snapshot.queries)
        });
        let outcomes = samples("outcome", &|s| {
            OUTCOMES
                .iter()
                .zip(s.outcomes)
                .map(|((_, name), value)| (*name, value))
                .collect()
        });
        let drops = samples("reason", &|s| {
            DROPS
                .iter()
                .zip(s.drops)
                .map(|((_, name), value)| (*name, value))
                .collect()
        });
        let losses = samples("reason", &|s| {
            LOSSES
                .iter()
                .zip(s.losses)
                .map(|((_, name), value)| (*name, value))
                .collect()
        });
        self.add(
            "dns_queries",
            "Messages received",
            Kind::Counter,
            received.to_vec(),
        );
        self.add(
            "dns_responses",
            "Replies by what they say",
            Kind::Counter,
            outcomes,
        );
        self.add(
            "dns_drops",
            "Messages left without reply",
            Kind::Counter,
            drops,
        );
        self.add(
            "dns_losses",
            "Failures survived on the network side",
            Kind::Counter,
            losses,
        );
    }

    /// Metrics of streams: how many there are, and what became of others.
    fn connections(&mut self, names: [&'static str; 2], stream: &StreamCounters) {
        let [open, events_name] = names;
        self.gauge(open, "Connections open now", stream.open());
        let events = [
            ("accepted", &stream.accepted),
            ("closed", &stream.closed),
            ("refused", &stream.refused),
            ("evicted", &stream.evicted),
            ("timed-out", &stream.timed_out),
            ("exhausted", &stream.exhausted),
            ("write-timed-out", &stream.write_timed_out),
            ("accept-failed", &stream.accept_failed),
        ];
        let samples = events
            .map(|(event, counter)| (vec![("event", event.to_owned())], counter.value()))
            .to_vec();
        self.add(
            events_name,
            "What became of connections",
            Kind::Counter,
            samples,
        );
    }

    fn tls(&mut self, tls: &TlsVitals) {
        let samples = HANDSHAKES.map(|(end, name)| {
            let labels = vec![("result", name.to_owned())];
            (labels, tls.counters.handshakes(end))
        });
        self.add(
            "tls_handshakes",
            "Handshakes by how they ended",
            Kind::Counter,
            samples.to_vec(),
        );
        self.gauge(
            "dns_tls_certificate_expires_seconds",
            "When the certificate in service ends",
            tls.credentials.expires_at(),
        );
        self.counter(
            "dns_tls_certificate_reloads",
            "Certificates that took the place of another",
            tls.credentials.reloads(),
        );
        self.counter(
            "dns_tls_certificate_failures",
            "Certificates refused",
            tls.credentials.failures(),
        );
    }

    fn image(&mut self, generation: &zone_image::Generation) {
        self.gauge(
            "image_garbage_bytes",
            "Part of them that nothing refers to any more",
            generation.garbage_bytes(),
        );
        self.gauge(
            "image_segments",
            "Number of the segments",
            generation.segments_count() as u64,
        );
        let huge = generation.huge_bytes();
        self.gauge(
            "image_huge_page_bytes",
            "Part of the image that is on huge pages",
            huge,
        );
    }

    fn generation(&mut self, vitals: &Vitals) {
        let generations = vitals.generations();
        let generation = generations.current();
        self.gauge(
            "generation_number",
            "Install number of the generation",
            generation.number(),
        );
        self.gauge(
            "generation_event",
            "Registry event served",
            generation.event(),
        );
        self.gauge(
            "image_bytes",
            "Size of the segments served",
            generation.bytes(),
        );
        self.image(&generation);
        let installed_at = generations.status().installed_at;
        self.gauge(
            "generation_installed_seconds",
            "When it was installed",
            installed_at,
        );
        let retired = generations.retired() as u64;
        self.gauge(
            "generations_retired",
            "Replaced generations still held",
            retired,
        );
        self.counter(
            "installs",
            "Generations swapped in",
            generations.installs.value(),
        );
        self.counter(
            "install_failures",
            "Images refused",
            generations.failures.value(),
        );
        self.gauge("zones", "Zones served", generation.zones_count());
        let mut zones = Vec::new();
        each_own_zone(&generation, &vitals.registry_zones(), &mut |zone| {
            zones.push(zone.info());
            zones.len() > ZONES_MAX
        });
        if zones.len() <= ZONES_MAX {
            let per_zone = |value: &dyn Fn(&zone_image::ZoneInfo) -> u64| {
                zones
                    .iter()
                    .map(|z| (vec![("zone", z.apex.to_string())], value(z)))
                    .collect()
            };
            let serials = per_zone(&|zone| u64::from(zone.serial));
            let delegations = per_zone(&|zone| zone.delegations);
            self.add("zone_serial", "SOA serial served", Kind::Gauge, serials);
            self.add(
                "zone_delegations",
                "Delegations served",
                Kind::Gauge,
                delegations,
            );
        }
    }
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for metric in &self.0 {
            let kind = match metric.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
            };
            let mut family = encoder.encode_descriptor(metric.name, metric.help, None, kind)?;
            if let [(labels, value)] = &metric.samples[..]
                && labels.is_empty()
            {
                encode(metric.kind, *value, family)?;
                continue;
            }
            for (labels, value) in &metric.samples {
                let labels: Vec<_> = labels.iter().map(|(k, v)| (*k, v.as_str())).collect();
                encode(
                    metric.kind,
                    *value,
                    family.encode_family(&labels.as_slice())?,
                )?;
            }
        }
        Ok(())
    }
}

fn encode(
    kind: Kind,
    value: u64,
    encoder: prometheus_client::encoding::MetricEncoder<'_>,
) -> Result<(), fmt::Error> {
    match kind {
        Kind::Counter => ConstCounter::new(value).encode(encoder),
        Kind::Gauge => ConstGauge::new(value).encode(encoder),
    }
}
