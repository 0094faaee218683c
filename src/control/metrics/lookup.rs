//! Metrics of look-ups by the public, in the words of a registry's service levels.

use prometheus_client::registry::Registry;

use super::{Kind, Page};
use crate::lookup::counters::{Counters, OUTCOMES, SERVICES, Service};

/// Times of answers: counted where they are given.
pub(super) fn register(registry: &mut Registry, counters: &Counters) {
    let help = "From a whole question to its answer";
    for (service, _) in SERVICES {
        let name = match service {
            Service::Whois => "whois_answer_seconds",
            Service::Rdap => "rdap_answer_seconds",
            Service::Web => "web_answer_seconds",
        };
        let histogram = counters.seconds[*service as usize].clone();
        registry.register(name, help, histogram);
    }
}

impl Page {
    pub(super) fn lookup(&mut self, counters: &Counters) {
        let connections = SERVICES.iter().map(|(service, word)| {
            let labels = vec![("service", (*word).to_owned())];
            (labels, counters.connections(*service))
        });
        self.add(
            "lookup_connections",
            "Connections of the public that are open",
            Kind::Gauge,
            connections.collect(),
        );
        let mut samples = Vec::new();
        for (service, word) in SERVICES {
            for (outcome, came) in OUTCOMES {
                let labels = vec![
                    ("service", (*word).to_owned()),
                    ("outcome", (*came).to_owned()),
                ];
                samples.push((labels, counters.counted(*service, *outcome)));
            }
        }
        self.add(
            "lookups",
            "Questions of the public, and connections without one, by what came of them",
            Kind::Counter,
            samples,
        );
    }
}
