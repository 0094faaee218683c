//! Metrics of distribution: what is put out on a primary, what is taken on an edge.

use super::{Kind, Page};
use crate::control::DistributionVitals;
use crate::distribution::state::TROUBLES;

impl Page {
    pub(super) fn distribution(&mut self, of: &DistributionVitals, now: u64) {
        let (state, status) = (&of.state, of.state.status());
        self.counter(
            "distribution_manifests",
            "Manifests put out, or installed",
            state.manifests(),
        );
        self.counter(
            "distribution_objects",
            "Packs put out, or segments fetched",
            state.packs(),
        );
        self.counter(
            "distribution_transferred_bytes",
            "Octets sent to the store, or fetched",
            state.bytes(),
        );
        let done = status.done.unwrap_or_default();
        let newest = status.newest.unwrap_or_default();
        self.gauge(
            "distribution_event",
            "Event of the last manifest that was put out, or installed",
            done.event,
        );
        self.gauge(
            "distribution_lag_events",
            "Events of the newest good manifest beyond that",
            newest.event.saturating_sub(done.event),
        );
        let behind = status
            .behind_since
            .map_or(0, |since| now.saturating_sub(since));
        self.gauge(
            "distribution_lag_seconds",
            "Time since something newer is known",
            behind,
        );
        self.gauge(
            "distribution_manifest_expires_seconds",
            "When the last manifest ends",
            status.expires_at.unwrap_or_default(),
        );
        let failures = TROUBLES.iter().zip(state.failures());
        let samples = failures.map(|((_, name), count)| {
            let labels = vec![("trouble", (*name).to_owned())];
            (labels, count)
        });
        self.add(
            "distribution_failures",
            "What was in the way",
            Kind::Counter,
            samples.collect(),
        );
        self.gauge(
            "distribution_failing",
            "Whether something is in the way now",
            u64::from(status.failure.is_some()),
        );
    }
}
