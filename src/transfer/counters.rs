//! What is counted of transfers.

use std::sync::atomic::{AtomicU64, Ordering};

/// How a request for a transfer ended, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Event {
    /// A whole zone was sent.
    Whole,
    /// The changes of a zone were sent.
    Changes,
    /// The client has the zone as it is; it got the SOA.
    Current,
    /// No rule allows it.
    Refused,
    /// The zone is not here.
    NotHere,
    /// As many as may be were under way.
    Busy,
    /// The request could not be read.
    Malformed,
    /// The client went away, or did not read in time.
    Broken,
    /// A signature with a key or an algorithm that is not known.
    BadKey,
    /// A signature that does not hold.
    BadSig,
    /// A signature of another time.
    BadTime,
    /// A signature that was cut.
    BadTrunc,
}

/// Events with names.
pub const EVENTS: [(Event, &str); Event::BadTrunc as usize + 1] = [
    (Event::Whole, "whole"),
    (Event::Changes, "changes"),
    (Event::Current, "current"),
    (Event::Refused, "refused"),
    (Event::NotHere, "not-here"),
    (Event::Busy, "busy"),
    (Event::Malformed, "malformed"),
    (Event::Broken, "broken"),
    (Event::BadKey, "badkey"),
    (Event::BadSig, "badsig"),
    (Event::BadTime, "badtime"),
    (Event::BadTrunc, "badtrunc"),
];

const _: () = {
    let mut at = 0;
    while at < EVENTS.len() {
        assert!(EVENTS[at].0 as usize == at);
        at += 1;
    }
};

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum NoticeEvent {
    /// It was sent, for the first time or again.
    Sent,
    /// The secondary took it.
    Accepted,
    /// The secondary answered with an error.
    Refused,
    /// Nobody answered, however often it was sent.
    Unanswered,
    /// Too many waited already.
    Dropped,
}

/// Events of notices with names.
pub const NOTICE_EVENTS: [(NoticeEvent, &str); NoticeEvent::Dropped as usize + 1] = [
    (NoticeEvent::Sent, "sent"),
    (NoticeEvent::Accepted, "accepted"),
    (NoticeEvent::Refused, "refused"),
    (NoticeEvent::Unanswered, "unanswered"),
    (NoticeEvent::Dropped, "dropped"),
];

/// The counters of all transfers.
#[derive(Debug, Default)]
pub struct TransferCounters {
    events: [AtomicU64; EVENTS.len()],
    notices: [AtomicU64; NOTICE_EVENTS.len()],
    /// Octets of messages that were handed to streams.
    octets: AtomicU64,
    /// Transfers under way.
    running: AtomicU64,
}

impl TransferCounters {
    pub(super) fn note(&self, event: Event) {
        self.events[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn note_notice(&self, event: NoticeEvent) {
        self.notices[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often it happened to notices.
    pub fn notices(&self, event: NoticeEvent) -> u64 {
        self.notices[event as usize].load(Ordering::Relaxed)
    }

    pub(super) fn sent(&self, octets: usize) {
        self.octets.fetch_add(octets as u64, Ordering::Relaxed);
    }

    /// Takes one of so many places.
    pub(super) fn begin(&self, most: usize) -> bool {
        let most = most as u64;
        let place = self
            .running
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |running| {
                (running < most).then_some(running + 1)
            });
        place.is_ok()
    }

    pub(super) fn end(&self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }

    /// How often it happened.
    pub fn events(&self, event: Event) -> u64 {
        self.events[event as usize].load(Ordering::Relaxed)
    }

    /// Octets sent.
    pub fn octets(&self) -> u64 {
        self.octets.load(Ordering::Relaxed)
    }

    /// Transfers under way.
    pub fn running(&self) -> u64 {
        self.running.load(Ordering::Relaxed)
    }
}
