//! When to publish: after a change has settled, at a bounded rate, and after a
//! failure with growing pauses.
//!
//! Knows no clock: every call is given the time since the publisher's start.

use std::time::Duration;

/// First pause after a failure; it doubles with each further one.
const RETRY_MIN: Duration = Duration::from_millis(100);
/// Doublings after which the pause is at its limit whatever that is.
const DOUBLINGS_MAX: u32 = 16;

/// How a publisher keeps time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How often the registry is asked for its newest event without a wake-up.
    pub poll_interval: Duration,
    /// How long it must be quiet after a change.
    pub debounce: Duration,
    /// How long a change waits at most while others follow.
    pub debounce_max: Duration,
    /// Longest pause after a failure.
    pub retry_max: Duration,
}

/// What there is to do, and from when on.
#[derive(Debug)]
pub(super) struct Schedule {
    timing: Timing,
    /// The newest event that was seen.
    seen: Option<u64>,
    /// The event up to which all is done that can be done.
    done: Option<u64>,
    /// First and last time that something new was seen since then.
    burst: Option<(Duration, Duration)>,
    /// Whether to look again although there is no new event.
    again: bool,
    next_poll: Duration,
    failures: u32,
    /// Nothing is tried before this.
    held_until: Duration,
    /// When what was left out is tried again; it holds up nothing else.
    retry_at: Option<Duration>,
    retries: u32,
}

impl Schedule {
    pub(super) fn new(timing: Timing) -> Self {
        Self {
            timing,
            seen: None,
            done: None,
            burst: None,
            again: false,
            next_poll: Duration::ZERO,
            failures: 0,
            held_until: Duration::ZERO,
            retry_at: None,
            retries: 0,
        }
    }

    /// The registry's newest event is `event`. One that is lower than before, after a
    /// restore, is news as well.
    pub(super) fn saw(&mut self, event: u64, now: Duration) {
        self.next_poll = now + self.timing.poll_interval;
        let is_first = self.seen.is_none();
        if self.seen != Some(event) {
            self.seen = Some(event);
            // What was there at the start has settled long ago.
            if !is_first {
                let begin = self.burst.map_or(now, |(begin, _)| begin);
                self.burst = Some((begin, now));
            }
        }
    }

    /// What is served is no longer what was published.
    pub(super) fn look_again(&mut self) {
        self.again = true;
    }

    /// Somebody waits: a pause after a failure ends.
    pub(super) fn hurry(&mut self, now: Duration) {
        self.held_until = now;
        self.next_poll = now;
    }

    /// Everything up to `event` is done.
    pub(super) fn succeeded(&mut self, event: u64, now: Duration) {
        self.done = Some(event);
        self.again = false;
        self.failures = 0;
        self.held_until = now;
        self.burst = None;
        // What came meanwhile is in the registry; the next poll is due at once.
        self.next_poll = now;
    }

    /// The try failed; there is a pause before the next one.
    pub(super) fn failed(&mut self, now: Duration) {
        self.held_until = now + self.pause(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.burst = None;
    }

    /// Something was left out that may work later, without an event: it is tried again
    /// after a pause that doubles.
    pub(super) fn retry_later(&mut self, now: Duration) {
        self.retry_at = Some(now + self.pause(self.retries));
        self.retries = self.retries.saturating_add(1);
    }

    /// Nothing is left out any more.
    pub(super) fn retry_nothing(&mut self) {
        self.retry_at = None;
        self.retries = 0;
    }

    /// Whether to try again what was left out.
    pub(super) fn is_retry_due(&self, now: Duration) -> bool {
        self.retry_at.is_some_and(|at| at <= now)
    }

    fn pause(&self, failures: u32) -> Duration {
        let pause = RETRY_MIN * (1 << failures.min(DOUBLINGS_MAX));
        pause.min(self.timing.retry_max)
    }

    /// Failures since the last success.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether the pause after a failure is not over.
    pub(super) fn is_held(&self, now: Duration) -> bool {
        now < self.held_until
    }

    /// Whether to publish now.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.due_at().is_some_and(|due| due <= now)
    }

    /// How long there is nothing to do.
    pub(super) fn idle(&self, now: Duration) -> Duration {
        let next = self
            .due_at()
            .map_or(self.next_poll, |due| due.min(self.next_poll));
        next.max(self.held_until).saturating_sub(now)
    }

    fn due_at(&self) -> Option<Duration> {
        let seen = self.seen?;
        if self.done == Some(seen) && !self.again {
            return self.retry_at.map(|at| at.max(self.held_until));
        }
        let settled = match self.burst {
            Some((begin, last)) if !self.again => {
                (last + self.timing.debounce).min(begin + self.timing.debounce_max)
            }
            _ => Duration::ZERO,
        };
        Some(settled.max(self.held_until))
    }
}

#[cfg(test)]
mod tests;
