//! What a change must not do without somebody's word: take a zone's serial back, or take
//! a large share of its delegations out of service.
//!
//! A registry that lost rows compiles well. Asked only where the image is of the
//! registry's own history: a restore may do both.

use zone_image::Name;

use super::state::{Failure, Step};

/// Delegations of a zone that is large enough for a share to mean something.
const DELEGATIONS_MIN: u64 = 100;

/// A zone as it was and as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ZoneStep {
    pub(super) apex: Name,
    pub(super) serials: (u32, u32),
    pub(super) delegations: (u64, u64),
}

/// The limits, and what somebody has allowed beyond them.
#[derive(Debug)]
pub(super) struct Gates {
    vanished_percent_max: u8,
    /// The event at which a change was first held.
    held: Option<u64>,
    /// Up to which event somebody has said that it is meant.
    pub(super) accepted: u64,
}

impl Gates {
    pub(super) fn new(vanished_percent_max: u8) -> Self {
        Self {
            vanished_percent_max,
            held: None,
            accepted: 0,
        }
    }

    /// Whether a build at `event` may be served.
    pub(super) fn pass(&mut self, event: u64, steps: &[ZoneStep]) -> Result<(), Failure> {
        for step in steps {
            // RFC 1982 section 3.2: half of the numbers are before any other.
            let (before, after) = step.serials;
            if after.wrapping_sub(before) > u32::MAX / 2 {
                let text = format!(
                    "zone {}: serial {after} comes before {before}, which is served; \
                     `meridian registry status`",
                    step.apex
                );
                return Err(Failure::new(Step::Gate, text));
            }
            let (before, after) = step.delegations;
            let vanished = before.saturating_sub(after);
            let is_much = before >= DELEGATIONS_MIN
                && vanished * 100 > before * u64::from(self.vanished_percent_max);
            let held = *self.held.get_or_insert(event);
            if is_much && self.accepted < held {
                let text = format!(
                    "zone {}: {vanished} of {before} delegations would go, more than \
                     publish.vanished-percent-max allows; if that is meant, \
                     `meridian registry accept {event}`",
                    step.apex
                );
                return Err(Failure::new(Step::Gate, text));
            }
        }
        self.held = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
