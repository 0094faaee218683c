//! Meridian beside Knot and NSD with the same zone, queries and machine.
//!
//! Rounds are interleaved: each server gets its turn before any gets its second, so
//! that a machine that warms up or is shared treats all alike. Only one server is
//! asked at a time. Figures are medians of the rounds, with the span from least to most.

mod table;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Serialize;

use crate::blast::{self, Pace, Queries};
use crate::meridian::Meridian;
use crate::peer::{Server, Software, Zone};
use crate::process;

/// Longest time a server may take to load the zone.
const LOAD_TIMEOUT: Duration = Duration::from_secs(600);

/// What is compared.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The zone.
    pub zone: Zone,
    /// The queries, in dnsperf's format.
    pub queries: PathBuf,
    /// The `meridian` binary; without it only the peers run.
    pub meridian: Option<PathBuf>,
    /// Rounds.
    pub rounds: usize,
    /// Seconds a server is asked in each round.
    pub seconds: u64,
    /// Queries under way.
    pub outstanding: usize,
    /// UDP workers of each server.
    pub workers: usize,
}

/// One server's figures.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Which server.
    pub server: String,
    /// Seconds from start to the first answer, for Meridian the compile included.
    pub load_seconds: f64,
    /// Memory after the load (PSS), in octets.
    pub memory_bytes: u64,
    /// Each round.
    pub rounds: Vec<Round>,
}

/// One server in one round.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Round {
    /// Replies a second.
    pub rate: f64,
    /// User time a reply, in microseconds.
    pub user_microseconds: f64,
    /// System time a reply, in microseconds.
    pub system_microseconds: f64,
    /// Queries lost.
    pub lost: u64,
    /// Median latency in microseconds.
    pub p50: f64,
    /// 99th percentile of latency in microseconds.
    pub p99: f64,
}

struct Contender {
    server: Server,
    figures: Figures,
}

/// Runs the comparison. Peers that are not installed are an error: a table with a
/// missing row would be quoted as if it were whole.
pub fn compare(plan: &Plan) -> anyhow::Result<Vec<Figures>> {
    let queries = Queries::read(&plan.queries, true)?;
    let mut contenders = Vec::new();
    if let Some(binary) = &plan.meridian {
        contenders.push(start_meridian(plan, binary)?);
    }
    for software in Software::ALL {
        let server =
            software.start(std::slice::from_ref(&plan.zone), plan.workers, LOAD_TIMEOUT)?;
        let load_time = server.load_time();
        contenders.push(Contender::new(software.name(), server, load_time));
    }
    for _ in 0..plan.rounds {
        for contender in &mut contenders {
            let round = run_round(plan, &contender.server, &queries)
                .with_context(|| format!("asking {}", contender.figures.server))?;
            contender.figures.rounds.push(round);
        }
    }
    Ok(contenders
        .into_iter()
        .map(|contender| contender.figures)
        .collect())
}

/// The figures as a table.
pub fn table(figures: &[Figures]) -> String {
    table::format(figures)
}

impl Contender {
    fn new(name: &str, server: Server, load_time: Duration) -> Self {
        let figures = Figures {
            server: name.to_owned(),
            load_seconds: load_time.as_secs_f64(),
            memory_bytes: process::memory_bytes(server.pid()),
            rounds: Vec::new(),
        };
        Self { server, figures }
    }
}

fn run_round(plan: &Plan, server: &Server, queries: &Queries) -> anyhow::Result<Round> {
    let pace = Pace::Closed {
        outstanding: plan.outstanding,
    };
    let before = process::cpu_time(server.pid());
    let blast_plan = blast::Plan::new(server.target(), pace, Duration::from_secs(plan.seconds));
    let report = blast::blast(&blast_plan, queries)?;
    let after = process::cpu_time(server.pid());
    if report.received == 0 {
        bail!("no reply at all");
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / report.received as f64;
    Ok(Round {
        rate: report.rate,
        user_microseconds: each(after.user.saturating_sub(before.user)),
        system_microseconds: each(after.system.saturating_sub(before.system)),
        lost: report.lost,
        p50: report.latency.p50,
        p99: report.latency.p99,
    })
}

/// Compiles the zone file into an image and serves it.
fn start_meridian(plan: &Plan, binary: &Path) -> anyhow::Result<Contender> {
    let start = Instant::now();
    let zones = std::slice::from_ref(&plan.zone);
    let server = Meridian::serve_zones(binary, zones, plan.workers, LOAD_TIMEOUT)
        .context("starting Meridian")?;
    Ok(Contender::new("Meridian", server, start.elapsed()))
}
