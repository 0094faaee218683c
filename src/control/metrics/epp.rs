//! Metrics of EPP, in the words of a registry's service levels.

use prometheus_client::registry::Registry;

use super::{Kind, Page};
use crate::epp::server::counters::{Counters, REFUSALS};

/// Times of commands: counted where they are answered.
pub(super) fn register(registry: &mut Registry, counters: &Counters) {
    let classes = [
        (
            "epp_session_command_seconds",
            "From a whole frame to its response: hello, login, logout and frames that are none",
            &counters.session,
        ),
        (
            "epp_query_command_seconds",
            "The same for check, info, poll and transfer queries",
            &counters.query,
        ),
        (
            "epp_transform_command_seconds",
            "The same for what changes something",
            &counters.transform,
        ),
    ];
    for (name, help, histogram) in classes {
        registry.register(name, help, histogram.clone());
    }
}

impl Page {
    pub(super) fn epp(&mut self, counters: &Counters) {
        self.gauge(
            "epp_connections",
            "Connections past their handshake",
            counters.connections(),
        );
        self.gauge(
            "epp_sessions",
            "Sessions that are logged in",
            counters.logged_in(),
        );
        self.counter("epp_logins", "Logins", counters.logins());
        let refusals = REFUSALS.iter().map(|(refusal, word)| {
            let labels = vec![("reason", (*word).to_owned())];
            (labels, counters.refused(*refusal))
        });
        self.add(
            "epp_refusals",
            "Connections, logins, sessions and commands that were refused or ended",
            Kind::Counter,
            refusals.collect(),
        );
    }
}
