//! Metrics of zone transfer.

use super::{Kind, Page};
use crate::transfer::counters::{EVENTS, NOTICE_EVENTS, TransferCounters};

impl Page {
    pub(super) fn transfer(&mut self, counters: &TransferCounters, journal_bytes: u64) {
        let events = EVENTS.iter().map(|(event, word)| {
            let labels = vec![("result", (*word).to_owned())];
            (labels, counters.events(*event))
        });
        self.add(
            "transfers",
            "Requests for zones and signed requests, by what came of them",
            Kind::Counter,
            events.collect(),
        );
        let notices = NOTICE_EVENTS.iter().map(|(event, word)| {
            let labels = vec![("result", (*word).to_owned())];
            (labels, counters.notices(*event))
        });
        self.add(
            "notices",
            "Notices to secondaries, by what came of them",
            Kind::Counter,
            notices.collect(),
        );
        self.add(
            "transfer_octets",
            "Octets of zones sent",
            Kind::Counter,
            vec![(Vec::new(), counters.octets())],
        );
        self.gauge(
            "transfer_journal_bytes",
            "Changes of zones that are kept",
            journal_bytes,
        );
        self.gauge(
            "transfers_running",
            "Zones that are being sent",
            counters.running(),
        );
    }
}
