//! What a node says of itself to its sources, for `meridian edge status`.
//!
//! A report is for people and monitoring; nothing that is served depends on it. One that
//! cannot be left is left the next time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use super::super::depot::{Depot, REPORT_BYTES_MAX};
use super::super::state::DistributionStatus;

/// Shortest time between two reports of which the second has news.
const NEWS_INTERVAL: Duration = Duration::from_secs(1);

/// A node at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    /// Its name.
    pub node: String,
    /// When it said so, in seconds since 1970.
    pub at: u64,
    /// The event that it serves.
    pub event: u64,
    /// The rest.
    pub status: DistributionStatus,
}

/// Leaves reports, not too often.
#[derive(Debug, Default)]
pub(super) struct Reporter {
    last: Option<(Instant, Option<String>)>,
    /// The one that is under way.
    leaving: Option<JoinHandle<()>>,
}

impl Reporter {
    /// Leaves a report where one is due: after the interval, or at once when what is in
    /// the way is another thing than before, at most each second. One at a time, so that a
    /// store that does not answer holds up nothing.
    pub(super) fn leave(&mut self, report: &Report, interval: Duration, depots: Vec<Arc<Depot>>) {
        let is_busy = self.leaving.as_ref().is_some_and(|one| !one.is_finished());
        if interval.is_zero() || is_busy || depots.is_empty() {
            return;
        }
        let is_due = self.last.as_ref().is_none_or(|(at, failure)| {
            let since = at.elapsed();
            since >= interval || *failure != report.status.failure && since >= NEWS_INTERVAL
        });
        let Some(octets) = serde_json::to_vec(report).ok().filter(|_| is_due) else {
            return;
        };
        if octets.len() > REPORT_BYTES_MAX {
            return;
        }
        self.last = Some((Instant::now(), report.status.failure.clone()));
        let node = report.node.clone();
        self.leaving = Some(tokio::spawn(async move {
            for depot in depots {
                if let Err(error) = depot.report(&node, octets.clone()).await {
                    tracing::debug!(%error, "report not left");
                }
            }
        }));
    }
}
