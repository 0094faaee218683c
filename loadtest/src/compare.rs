//! Meridian beside Knot, NSD, BIND and PowerDNS with the same zone, queries and machine.
//!
//! One worker on one CPU, the load on the other. Rounds are interleaved: each server
//! gets its turn before any gets its second, so that a machine that warms up or is
//! shared treats all alike, and a ratio compares two figures of one round. Only one
//! server is asked at a time. Beside them runs a program that only replies
//! ([`crate::echo`]): what it takes is the kernel's and nobody's to save.

mod contender;
mod page;
mod ratios;
mod reload;
mod round;
mod table;
#[cfg(test)]
mod testing;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use zone_image::Name;

use crate::blast::Queries;
use crate::generate::{self, Parameters, QueryKind, Registry};
use crate::peer::{Software, Zone};

use contender::Contender;
pub use ratios::Ratio;
pub use reload::Reload;
pub use round::Round;

/// Longest time a server may take to load the zone.
const LOAD_TIMEOUT: Duration = Duration::from_secs(600);
/// Of a hundred queries so many ask for DNSSEC records, as at TLDs today.
const DNSSEC_OK_PERCENT: u8 = 70;
/// Queries of a kind that are asked in turn.
const QUERIES: u64 = 500_000;

/// What is compared.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Delegations of the zone, which is generated.
    pub domains: u64,
    /// Whether it is signed: NSEC3 with opt-out, and signatures of random octets.
    pub signed: bool,
    /// The `meridian` binary; without it only the peers run.
    pub meridian: Option<PathBuf>,
    /// An image of this generated zone, made before: Meridian serves it alone, and there
    /// is no zone file for peers or a reload.
    pub image: Option<PathBuf>,
    /// The peers that run.
    pub peers: Vec<Software>,
    /// Rounds.
    pub rounds: usize,
    /// Time each server is asked in a round.
    pub duration: Duration,
    /// Queries under way.
    pub outstanding: usize,
}

/// What a comparison found.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// Delegations of the zone.
    pub domains: u64,
    /// Whether it is signed.
    pub signed: bool,
    /// Whether servers and load had a CPU each.
    pub pinned: bool,
    /// Peers that are not installed.
    pub missing: Vec<&'static str>,
    /// What was found when servers started.
    pub starts: Vec<Start>,
    /// Figures by what was asked.
    pub loads: Vec<Load>,
    /// A change of the whole zone under load.
    pub reloads: Vec<Reload>,
    /// Meridian against the better of Knot and NSD, round by round.
    pub ratios: Vec<Ratio>,
}

/// A server's start.
#[derive(Debug, Clone, Serialize)]
pub struct Start {
    /// Which server.
    pub server: String,
    /// Seconds of compiling before the start, for Meridian.
    pub compile_seconds: f64,
    /// Seconds from start to the first answer.
    pub load_seconds: f64,
    /// Memory after the load (PSS), in octets.
    pub memory_bytes: u64,
    /// Octets of its image on disk, for Meridian.
    pub image_bytes: u64,
}

/// Rounds of one kind of load.
#[derive(Debug, Clone, Serialize)]
pub struct Load {
    /// What was asked, and how.
    pub name: String,
    /// Each server with its rounds.
    pub servers: Vec<(String, Vec<Round>)>,
}

/// Runs the comparison. Peers that are not installed are named in the result.
pub fn compare(plan: &Plan) -> anyhow::Result<Comparison> {
    let directory = tempfile::tempdir().context("making a temporary folder")?;
    let apex = Name::parse_absolute("example.").expect("a name");
    let registry = Registry::new(Parameters {
        apex: apex.clone(),
        domains: plan.domains,
        seed: 1,
        queries: QUERIES,
        exponent: 1.0,
        signed: plan.signed,
    })?;
    let files = match plan.image {
        None => generate::write(&registry, directory.path())?,
        Some(_) => generate::Files {
            zone: PathBuf::new(),
            queries: generate::write_queries(&registry, directory.path())?,
        },
    };
    let zone = Zone {
        apex,
        file: files.zone,
    };
    let cpus = round::Cpus::find();
    let (installed, missing): (Vec<_>, Vec<_>) = plan
        .peers
        .iter()
        .copied()
        .partition(|software| software.find().is_some());
    let home = directory.path().join("meridian");
    let contenders = start(plan, &installed, &home, &zone, cpus)?;
    let mut loads = Vec::new();
    for (kind, file) in QueryKind::ALL.iter().zip(&files.queries) {
        let queries = Queries::new(true)
            .with_dnssec_ok(DNSSEC_OK_PERCENT)
            .read_more(file)?;
        loads.push(round::udp(plan, cpus, *kind, &queries, &contenders)?);
        if *kind == QueryKind::Mixed {
            loads.extend(round::half_load(plan, cpus, &queries, &contenders, &loads)?);
            loads.extend(round::tcp(plan, cpus, file, &contenders)?);
        }
    }
    let reloads = match plan.image {
        None => {
            let queries = Queries::new(true).read_more(&files.queries[2])?;
            reload::all(&zone, cpus, &queries, &contenders)?
        }
        Some(_) => Vec::new(),
    };
    Ok(Comparison {
        domains: plan.domains,
        signed: plan.signed,
        pinned: cpus.server.is_some(),
        missing: missing.iter().map(|software| software.name()).collect(),
        starts: contenders.into_iter().map(|own| own.start).collect(),
        ratios: ratios::all(&loads),
        loads,
        reloads,
    })
}

/// Starts every server of the plan, one after the other.
fn start(
    plan: &Plan,
    peers: &[Software],
    home: &Path,
    zone: &Zone,
    cpus: round::Cpus,
) -> anyhow::Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    if let Some(binary) = &plan.meridian {
        contenders.push(match &plan.image {
            None => Contender::meridian(binary, home, zone, cpus.server)?,
            Some(image) => Contender::image(binary, home, image, zone, cpus.server)?,
        });
    }
    if plan.image.is_none() {
        for software in peers {
            contenders.push(Contender::peer(*software, zone, cpus.server)?);
        }
    }
    anyhow::ensure!(!contenders.is_empty(), "no server to compare");
    Ok(contenders)
}

/// The figures as tables of text.
pub fn table(comparison: &Comparison) -> String {
    table::format(comparison)
}

/// The figures as a page that needs nothing else.
pub fn page(comparison: &Comparison) -> String {
    page::write(comparison)
}

/// The middle of some values, 0 of none.
fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}
