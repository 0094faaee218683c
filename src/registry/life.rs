//! The life of a registration, as a function of what is stored, the policy and the time.
//!
//! Registered, it expires or renews itself; deleted, it can be restored for a while
//! (RFC 3915), then waits, then is purged at a moment of a daily window that its number
//! and the zone's seed give it. [`Life::next`] says what is due by time alone and when:
//! writes store its answer, and timers do nothing else than take that step. Nothing
//! here reads a clock, a row or a status; whether a command is allowed is for the command.

use std::hash::Hasher as _;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;

use super::calendar::add_years;
use super::database::Timestamp;
use super::policy::{Expiry, RegistrationPolicy};
use super::signing::named;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

named! {
    /// Where a registration is.
    Phase:
        /// It is in force.
        Registered = "registered",
        /// Deleted, it can be restored (redemptionPeriod).
        Redemption = "redemption",
        /// Restored, it waits for its report (pendingRestore).
        Restore = "restore",
        /// It waits for its purge (pendingDelete).
        PendingDelete = "pending-delete",
}

named! {
    /// What becomes due by time alone.
    Step:
        /// The registration ends.
        Expire = "expire",
        /// Nobody answered a transfer.
        ApproveTransfer = "approve-transfer",
        /// It can be restored no more.
        EndRedemption = "end-redemption",
        /// No report came.
        LapseRestore = "lapse-restore",
        /// It goes.
        Purge = "purge",
}

named! {
    /// After what a delete gives something back (RFC 3915 section 3.1).
    GraceKind:
        /// The registration.
        Add = "add",
        /// A renewal.
        Renew = "renew",
        /// An automatic renewal.
        AutoRenew = "auto-renew",
        /// A transfer.
        Transfer = "transfer",
}

/// A grace period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Grace {
    /// After what.
    pub kind: GraceKind,
    /// When it began.
    pub started_at: Timestamp,
    /// When it is over.
    pub ends_at: Timestamp,
    /// Years that were added.
    pub years: u8,
}

/// A step and the moment from which it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The step.
    pub step: Step,
    /// When.
    pub at: Timestamp,
}

/// What a registration's next step follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// Its number, which has a part in the moment of its purge.
    pub id: i64,
    /// Where it is.
    pub phase: Phase,
    /// When the phase ends by itself.
    pub phase_ends_at: Option<Timestamp>,
    /// End of the redemption that a restored one goes back to.
    pub redemption_ends_at: Option<Timestamp>,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// When a transfer is approved that nobody answers.
    pub transfer_ends_at: Option<Timestamp>,
    /// The registry forbids its deletion: it is not deleted by its end either.
    pub is_kept: bool,
}

/// A moment some seconds later.
pub(crate) fn after(at: Timestamp, seconds: u32) -> Timestamp {
    Timestamp(at.0.saturating_add(i64::from(seconds) * SECOND))
}

impl Life {
    /// A registration that begins.
    pub fn new(id: i64, expires_at: Timestamp) -> Self {
        Self {
            id,
            phase: Phase::Registered,
            phase_ends_at: None,
            redemption_ends_at: None,
            expires_at: Some(expires_at),
            transfer_ends_at: None,
            is_kept: false,
        }
    }

    /// What is due next by time alone.
    pub fn next(&self, policy: &RegistrationPolicy) -> Option<Due> {
        let due = |step, at: Option<Timestamp>| at.map(|at| Due { step, at });
        match self.phase {
            Phase::Registered => {
                let expires = match policy.expiry {
                    Expiry::Keep => None,
                    // One that is on its way to another sponsor is not deleted meanwhile.
                    Expiry::Delete if self.is_kept || self.transfer_ends_at.is_some() => None,
                    Expiry::AutoRenew | Expiry::Delete => due(Step::Expire, self.expires_at),
                };
                let transfer = due(Step::ApproveTransfer, self.transfer_ends_at);
                transfer.into_iter().chain(expires).min_by_key(|due| due.at)
            }
            Phase::Redemption => due(Step::EndRedemption, self.phase_ends_at),
            Phase::Restore => due(Step::LapseRestore, self.phase_ends_at),
            Phase::PendingDelete => due(Step::Purge, self.phase_ends_at),
        }
    }

    /// Deleted at `at`.
    #[must_use]
    pub fn deleted(self, at: Timestamp, policy: &RegistrationPolicy) -> Self {
        let redemption = Self {
            phase: Phase::Redemption,
            phase_ends_at: Some(after(at, policy.redemption)),
            redemption_ends_at: None,
            ..self
        };
        match policy.redemption {
            0 => redemption.beyond_redemption(at, policy),
            _ => redemption,
        }
    }

    /// No more to be restored, from `at` on.
    #[must_use]
    pub fn beyond_redemption(self, at: Timestamp, policy: &RegistrationPolicy) -> Self {
        let earliest = after(at, policy.pending_delete);
        Self {
            phase: Phase::PendingDelete,
            phase_ends_at: Some(purge_at(self.id, earliest, policy)),
            redemption_ends_at: None,
            ..self
        }
    }

    /// Restored at `at`; a report is to follow.
    #[must_use]
    pub fn restoring(self, at: Timestamp, policy: &RegistrationPolicy) -> Self {
        Self {
            phase: Phase::Restore,
            phase_ends_at: Some(after(at, policy.restore_wait)),
            redemption_ends_at: self.phase_ends_at,
            ..self
        }
    }

    /// No report came: as before the restore.
    #[must_use]
    pub fn lapsed(self) -> Self {
        Self {
            phase: Phase::Redemption,
            phase_ends_at: self.redemption_ends_at,
            redemption_ends_at: None,
            ..self
        }
    }

    /// In force again.
    #[must_use]
    pub fn restored(self) -> Self {
        Self {
            phase: Phase::Registered,
            phase_ends_at: None,
            redemption_ends_at: None,
            ..self
        }
    }

    /// The status values of RFC 3915 section 3.1 that hold at `now`.
    pub fn rgp_statuses(&self, graces: &[Grace], now: Timestamp) -> Vec<&'static str> {
        match self.phase {
            Phase::Registered => {}
            Phase::Redemption => return vec!["redemptionPeriod"],
            Phase::Restore => return vec!["pendingRestore"],
            Phase::PendingDelete => return vec!["pendingDelete"],
        }
        let words = [
            (GraceKind::Add, "addPeriod"),
            (GraceKind::AutoRenew, "autoRenewPeriod"),
            (GraceKind::Renew, "renewPeriod"),
            (GraceKind::Transfer, "transferPeriod"),
        ];
        let holds = |kind| running(graces, kind, now).is_some();
        let held = words.iter().filter(|(kind, _)| holds(*kind));
        held.map(|(_, word)| *word).collect()
    }
}

/// The newest grace period of a kind that holds at `now`.
pub fn running(graces: &[Grace], kind: GraceKind, now: Timestamp) -> Option<&Grace> {
    let holds = |grace: &&Grace| grace.kind == kind && grace.ends_at > now;
    graces
        .iter()
        .filter(holds)
        .max_by_key(|grace| grace.started_at)
}

/// The first moment from `earliest` on that lies in a daily window where this domain
/// has its place.
fn purge_at(id: i64, earliest: Timestamp, policy: &RegistrationPolicy) -> Timestamp {
    let mut hasher = SipHasher24::new_with_keys(u64::from(policy.purge_seed), 0);
    hasher.write(&id.to_le_bytes());
    let place = hasher.finish() % u64::from(policy.purge_length.max(1));
    let place = i64::try_from(place).expect("less than a day of seconds");
    let in_day = (i64::from(policy.purge_from) + place) * SECOND;
    // The window may reach into the next day: yesterday's can still be to come.
    let today = earliest.0.div_euclid(DAY) * DAY;
    let candidates = [today - DAY, today, today + DAY].map(|day| day + in_day);
    let first = candidates.into_iter().find(|at| *at >= earliest.0);
    Timestamp(first.expect("tomorrow's window is to come"))
}

/// Whether a registration up to `expires_at` is longer than policy allows: years from
/// now, to the second.
pub(crate) fn is_too_long(now: Timestamp, expires_at: Timestamp, years: u32) -> bool {
    let years = u8::try_from(years).unwrap_or(u8::MAX);
    let seconds = |at: Timestamp| at.0.div_euclid(SECOND);
    seconds(expires_at) > seconds(add_years(now, years))
}

#[cfg(test)]
mod tests;
