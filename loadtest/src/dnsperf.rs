//! Runs dnsperf and reads its summary.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use serde::Serialize;

use crate::peer::pinned;
use crate::target::Target;

/// How dnsperf is run.
#[derive(Debug, Clone)]
pub struct Plan<'p> {
    /// Where to.
    pub target: Target,
    /// Query file.
    pub queries: &'p Path,
    /// Seconds.
    pub seconds: u32,
    /// Clients, each a socket of its own.
    pub clients: u32,
    /// Threads.
    pub threads: u32,
    /// Queries under way.
    pub outstanding: u32,
    /// Queries a second at most.
    pub rate_max: Option<u32>,
    /// Over TCP, many queries on each connection, instead of UDP.
    pub tcp: bool,
    /// Whether queries ask for DNSSEC records.
    pub dnssec_ok: bool,
    /// CPU to send from.
    pub cpu: Option<usize>,
}

/// dnsperf's summary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Queries sent.
    pub sent: u64,
    /// Queries with a reply.
    pub completed: u64,
    /// Queries without.
    pub lost: u64,
    /// Replies a second.
    pub rate: f64,
    /// Mean latency in microseconds.
    pub latency_microseconds_mean: f64,
    /// Longest latency in microseconds.
    pub latency_microseconds_max: f64,
    /// Replies by RCODE.
    pub rcodes: Vec<(String, u64)>,
}

/// Runs dnsperf from `PATH`.
pub fn run(plan: &Plan<'_>) -> anyhow::Result<Summary> {
    let address = plan.target.address();
    let mut command = Command::new("dnsperf");
    command
        .args([
            "-s",
            &address.ip().to_string(),
            "-p",
            &address.port().to_string(),
        ])
        .args([
            "-l",
            &plan.seconds.to_string(),
            "-c",
            &plan.clients.to_string(),
        ])
        .args([
            "-T",
            &plan.threads.to_string(),
            "-q",
            &plan.outstanding.to_string(),
        ])
        .args(["-t", "1", "-e", "-b", "4096", "-d"])
        .arg(plan.queries);
    if let Some(rate) = plan.rate_max {
        command.args(["-Q", &rate.to_string()]);
    }
    if plan.tcp {
        command.args(["-m", "tcp"]);
    }
    if plan.dnssec_ok {
        command.arg("-D");
    }
    let output = pinned(command, plan.cpu)
        .output()
        .context("starting dnsperf, which Debian has in the package `dnsperf`")?;
    if !output.status.success() {
        bail!(
            "dnsperf: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let text = String::from_utf8_lossy(&output.stdout);
    parse(&text).with_context(|| format!("dnsperf printed no summary that we know:\n{text}"))
}

fn parse(text: &str) -> Option<Summary> {
    let value = |key: &str| {
        let line = text
            .lines()
            .find_map(|line| line.trim_start().strip_prefix(key))?;
        line.split_whitespace().next()
    };
    let latency = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("Average Latency (s):"))?;
    let mut latency = latency
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .filter_map(|word| word.parse::<f64>().ok())
        .map(|seconds| seconds * 1e6);
    let (mean, max) = (latency.next()?, latency.nth(1)?);
    Some(Summary {
        sent: value("Queries sent:")?.parse().ok()?,
        completed: value("Queries completed:")?.parse().ok()?,
        lost: value("Queries lost:")?.parse().ok()?,
        rate: value("Queries per second:")?.parse().ok()?,
        latency_microseconds_mean: mean,
        latency_microseconds_max: max,
        rcodes: parse_rcodes(text),
    })
}

fn parse_rcodes(text: &str) -> Vec<(String, u64)> {
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("Response codes:"));
    let words: Vec<_> = line.unwrap_or_default().split_whitespace().collect();
    words
        .chunks_exact(3)
        .filter_map(|words| Some((words[0].to_owned(), words[1].parse().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests;
