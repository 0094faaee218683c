//! One server asked for a while, and the rounds that are made of it.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;

use super::contender::{self, Contender, MERIDIAN};
use super::{Load, Plan, median};
use crate::blast::{self, Pace, Queries};
use crate::dnsperf;
use crate::generate::QueryKind;
use crate::peer::{Server, Software, find_program};
use crate::process::{self, CpuTime};

/// Connections of a load over TCP.
const TCP_CONNECTIONS: u32 = 16;
/// Queries a second where no full load says what half of it is.
const RATE_OF_NONE: u64 = 10_000;
/// The load in which each server is asked half of what it can do itself.
const HALF_OF_OWN: &str = "mixed at half of own";

/// One server in one round.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Round {
    /// Replies a second.
    pub rate: f64,
    /// User time of the server a reply, in microseconds.
    pub user_microseconds: f64,
    /// System time of the server a reply, in microseconds.
    pub system_microseconds: f64,
    /// Queries lost.
    pub lost: u64,
    /// Octets of a reply on average; 0 where it is not known.
    pub reply_octets: f64,
    /// Median latency in microseconds; 0 where it is not known.
    pub p50: f64,
    /// 99th percentile of latency in microseconds; 0 where it is not known.
    pub p99: f64,
    /// How late our own schedule was at worst, in microseconds; 0 where there is none.
    /// It stands in the latency of what was sent late.
    pub lag_microseconds_max: f64,
    /// How long threads of the server were ready and others had the CPU, in microseconds.
    pub waiting_microseconds: f64,
}

impl Round {
    /// All processor time of the server a reply, in microseconds.
    pub fn microseconds(&self) -> f64 {
        self.user_microseconds + self.system_microseconds
    }
}

/// The CPUs of servers and load; none where the machine has only one.
#[derive(Clone, Copy)]
pub(super) struct Cpus {
    pub(super) server: Option<usize>,
    pub(super) load: Option<usize>,
}

impl Cpus {
    pub(super) fn find() -> Self {
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        let several = count >= 2 && find_program("taskset").is_some();
        Self {
            server: several.then_some(0),
            load: several.then_some(1),
        }
    }
}

/// As many queries as each server answers, over UDP, and the echo program beside.
pub(super) fn udp(
    plan: &Plan,
    cpus: Cpus,
    kind: QueryKind,
    queries: &Queries,
    contenders: &[Contender],
) -> anyhow::Result<Load> {
    let pace = Pace::Closed {
        outstanding: plan.outstanding,
    };
    let ask = |server: &Server| ask(server, pace, plan.duration, cpus, queries);
    // The first turn warms caches, and tells how long replies are.
    let first = ask(&contenders[0].server)?;
    #[expect(clippy::cast_possible_truncation, reason = "octets of a datagram")]
    #[expect(clippy::cast_sign_loss, reason = "a mean of lengths")]
    let reply_bytes = first.reply_octets.round() as usize;
    let echo = contender::echo(reply_bytes, cpus.server)?;
    let mut servers: Vec<_> = contenders
        .iter()
        .map(|own| (own.name().to_owned(), &own.server))
        .collect();
    servers.push((contender::ECHO.to_owned(), &echo));
    interleave(kind_name(kind), plan.rounds, &servers, ask)
}

fn kind_name(kind: QueryKind) -> &'static str {
    match kind {
        QueryKind::Referral => "referral",
        QueryKind::NxDomain => "nxdomain",
        QueryKind::Mixed => "mixed",
    }
}

/// Latency at half load: at half of what the slowest of Meridian, Knot and NSD can do,
/// the same rate for all, and at half of what each can do itself. A server with twice
/// the capacity is so asked twice as often in the second; the first compares like with like.
pub(super) fn half_load(
    plan: &Plan,
    cpus: Cpus,
    queries: &Queries,
    contenders: &[Contender],
    loads: &[Load],
) -> anyhow::Result<[Load; 2]> {
    let full = loads.last().context("mixed load comes before half of it")?;
    let servers: Vec<_> = contenders
        .iter()
        .map(|own| (own.name().to_owned(), &own.server))
        .collect();
    let at = |rate, server: &Server| {
        let pace = Pace::Open { rate };
        ask(server, pace, plan.duration, cpus, queries)
    };
    let rate = half_of_slowest(full);
    let name = format!("mixed at {rate} a second");
    let same = interleave(&name, plan.rounds, &servers, |server| at(rate, server))?;
    let halves: HashMap<_, _> = contenders
        .iter()
        .map(|own| (own.server.pid(), half_of_own(full, own.name())))
        .collect();
    let own = interleave(HALF_OF_OWN, plan.rounds, &servers, |server| {
        at(halves[&server.pid()], server)
    })?;
    Ok([same, own])
}

/// Half of what the slowest of Meridian, Knot and NSD answered in a second.
pub(super) fn half_of_slowest(full: &Load) -> u64 {
    let usual = |name: &str| {
        name == MERIDIAN || Software::AUTHORITATIVE.iter().any(|own| own.name() == name)
    };
    let servers = full.servers.iter().filter(|(name, _)| usual(name));
    let halves = servers.map(|(_, rounds)| half_of(rounds));
    halves.min().unwrap_or(RATE_OF_NONE)
}

/// Half of what this server answered in a second.
pub(super) fn half_of_own(full: &Load, server: &str) -> u64 {
    let mut servers = full.servers.iter();
    let own = servers.find(|(name, _)| name == server);
    own.map_or(RATE_OF_NONE, |(_, rounds)| half_of(rounds))
}

#[expect(clippy::cast_possible_truncation, reason = "queries a second")]
#[expect(clippy::cast_sign_loss, reason = "a rate")]
fn half_of(rounds: &[Round]) -> u64 {
    ((median(rounds.iter().map(|round| round.rate)) / 2.0) as u64).max(1)
}

/// Persistent connections with many queries under way, by dnsperf if it is there.
pub(super) fn tcp(
    plan: &Plan,
    cpus: Cpus,
    file: &Path,
    contenders: &[Contender],
) -> anyhow::Result<Option<Load>> {
    if find_program("dnsperf").is_none() {
        return Ok(None);
    }
    let servers: Vec<_> = contenders
        .iter()
        .map(|own| (own.name().to_owned(), &own.server))
        .collect();
    let seconds = u32::try_from(plan.duration.as_secs().max(1)).unwrap_or(u32::MAX);
    let ask = |server: &Server| -> anyhow::Result<Round> {
        let before = process::cpu_time(server.pid());
        let summary = dnsperf::run(&dnsperf::Plan {
            target: server.target(),
            queries: file,
            seconds,
            clients: TCP_CONNECTIONS,
            threads: 1,
            outstanding: u32::try_from(plan.outstanding).unwrap_or(u32::MAX),
            rate_max: None,
            tcp: true,
            dnssec_ok: true,
            cpu: cpus.load,
        })?;
        let after = process::cpu_time(server.pid());
        Ok(Round {
            rate: summary.rate,
            lost: summary.lost,
            ..Round::default()
        }
        .with_times(before, after, summary.completed))
    };
    interleave("tcp", plan.rounds, &servers, ask).map(Some)
}

/// Each server in turn, again and again.
fn interleave(
    name: &str,
    rounds: usize,
    servers: &[(String, &Server)],
    mut ask: impl FnMut(&Server) -> anyhow::Result<Round>,
) -> anyhow::Result<Load> {
    let mut found: Vec<_> = servers
        .iter()
        .map(|(name, _)| (name.clone(), Vec::with_capacity(rounds)))
        .collect();
    for _ in 0..rounds {
        for ((server_name, server), (_, rounds)) in servers.iter().zip(&mut found) {
            let round = ask(server).with_context(|| format!("{name}: asking {server_name}"))?;
            rounds.push(round);
        }
    }
    Ok(Load {
        name: name.to_owned(),
        servers: found,
    })
}

fn ask(
    server: &Server,
    pace: Pace,
    duration: Duration,
    cpus: Cpus,
    queries: &Queries,
) -> anyhow::Result<Round> {
    let waited = process::waiting_time(server.pid());
    let before = process::cpu_time(server.pid());
    let mut plan = blast::Plan::new(server.target(), pace, duration);
    plan.cpu = cpus.load;
    let report = blast::blast(&plan, queries)?;
    let after = process::cpu_time(server.pid());
    let waiting = process::waiting_time(server.pid()).saturating_sub(waited);
    if report.received == 0 {
        bail!("no reply at all");
    }
    Ok(Round {
        rate: report.rate,
        lost: report.lost,
        reply_octets: report.reply_octets_mean,
        p50: report.latency.p50,
        p99: report.latency.p99,
        lag_microseconds_max: report.lag_microseconds_max,
        waiting_microseconds: waiting.as_secs_f64() * 1e6,
        ..Round::default()
    }
    .with_times(before, after, report.received))
}

impl Round {
    fn with_times(mut self, before: CpuTime, after: CpuTime, replies: u64) -> Self {
        let each = |time: Duration| time.as_secs_f64() * 1e6 / replies.max(1) as f64;
        self.user_microseconds = each(after.user.saturating_sub(before.user));
        self.system_microseconds = each(after.system.saturating_sub(before.system));
        self
    }
}

#[cfg(test)]
mod tests;
