//! How far all nodes are, from the newest manifest and what nodes say of themselves.
//!
//! A node is behind by the events between what it installed and what the primary put out
//! last, and by the time between the making of the two. Reports are believed as they are:
//! nothing that is served depends on them.

use std::time::Duration;

use serde::Serialize;

use super::depot::{Access, Depot, DepotError, Fetched, Place};
use super::edge::Report;
use super::manifest::Counter;

/// Nodes whose last report is older are worth a look.
pub const SILENT_SECONDS: u64 = 120;

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Node {
    /// Its name.
    pub node: String,
    /// The event that it serves.
    pub event: u64,
    /// Events of the newest manifest beyond that.
    pub lag_events: u64,
    /// Time between the manifest that it has and the newest.
    pub lag_seconds: u64,
    /// Time since its report.
    pub silent_seconds: u64,
    /// What is in its way.
    pub failure: Option<String>,
}

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Overview {
    /// The newest manifest.
    pub newest: Counter,
    /// By name.
    pub nodes: Vec<Node>,
}

/// Reads the first depot that answers.
pub async fn read(places: &[Place], access: &Access, now: u64) -> Result<Overview, DepotError> {
    let mut failure = None;
    for place in places {
        match read_one(place, access, now).await {
            Ok(overview) => return Ok(overview),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.expect("a configuration names at least one place"))
}

async fn read_one(place: &Place, access: &Access, now: u64) -> Result<Overview, DepotError> {
    let depot = Depot::open(place, access)?;
    let manifest = depot.manifest(None, Duration::ZERO).await?;
    let stated = manifest.and_then(|Fetched { octets, .. }| Counter::stated_in(&octets));
    let reports = depot.reports().await?;
    let reports = reports.iter();
    // What is none was left by somebody else, or by another version.
    let reports = reports.filter_map(|octets| serde_json::from_slice(octets).ok());
    Ok(compare(stated.unwrap_or_default(), reports.collect(), now))
}

/// Holds each node against the newest manifest.
fn compare(newest: Counter, reports: Vec<Report>, now: u64) -> Overview {
    let nodes = reports.into_iter().map(|report| {
        let done = report.status.done.unwrap_or_default();
        let is_behind = done < newest;
        let lag = newest.made_at.saturating_sub(done.made_at) / 1_000_000;
        Node {
            event: report.event,
            lag_events: newest.event.saturating_sub(done.event),
            lag_seconds: if is_behind { lag } else { 0 },
            silent_seconds: now.saturating_sub(report.at),
            failure: report.status.failure,
            node: report.node,
        }
    });
    let mut nodes: Vec<_> = nodes.collect();
    nodes.sort_by(|one, other| one.node.cmp(&other.node));
    Overview { newest, nodes }
}

#[cfg(test)]
mod tests;
