//! Floods: what an attacker sends at 0.7 of capacity costs other clients nothing and
//! leaves the server's memory as it is.
//!
//! The flood comes from one loopback address and the client that behaves from another,
//! both on a fixed schedule. Rate limits are off, so that all of the flood is answered
//! that can be answered.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use loadtest::blast::{Pace, Plan, Queries, RATE_MAX, Report, blast};
use loadtest::generate::{Parameters, Random, Registry};
use loadtest::meridian::Meridian;
use loadtest::peer::{Server, Zone};
use loadtest::{generate, process};
use zone_image::Name;

use super::wanted;
use crate::peers::{LOAD_TIMEOUT, meridian};

const DOMAINS: u64 = 10_000;
/// How long capacity is measured, and how often: on a machine that has other work, the
/// lowest is what there is.
const CAPACITY_TIME: Duration = Duration::from_secs(1);
const CAPACITY_RUNS: usize = 5;
/// Of ten queries that the server can answer, how many the flood has.
const FLOOD_TENTHS: u64 = 7;
/// Queries a second of the client that behaves.
const CLIENT_RATE: u64 = 500;
const CLIENT: [u8; 4] = [127, 0, 0, 2];
/// By how much the server's memory may grow: its buffers are all there before.
const GROWTH_BYTES_MAX: u64 = 4 << 20;
/// Names of the flood of names that do not exist; they come round again after a while.
const RANDOM_NAMES: usize = 300_000;

/// What floods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Messages that are no queries.
    Malformed,
    /// Names that do not exist.
    RandomNames,
}

/// Floods a server for a while, at most at `rate_max`.
pub(crate) fn flood(kind: Kind, duration: Duration, rate_max: u64) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let registry = Registry::new(Parameters {
        apex: Name::parse_absolute("example.")?,
        domains: DOMAINS,
        seed: 1,
        queries: 10_000,
        exponent: 1.0,
        signed: false,
    })?;
    let files = generate::write(&registry, directory.path())?;
    let zone = Zone {
        apex: registry.parameters().apex.clone(),
        file: files.zone,
    };
    let server = Meridian::serve_zones(meridian(), &[zone], 1, LOAD_TIMEOUT)?;
    let valid = Queries::read(&files.queries[0], true)?;
    let names = random_names()?;

    // Names that do not exist cost what they cost; messages that get no reply cannot be
    // counted by replies, so that valid ones stand for them.
    let measured = match kind {
        Kind::Malformed => &valid,
        Kind::RandomNames => &names,
    };
    let capacity = capacity(&server, measured)?;
    let rate = (capacity * FLOOD_TENTHS / 10).clamp(1, rate_max);

    let flood = match kind {
        Kind::Malformed => malformed()?,
        Kind::RandomNames => names,
    };
    let before = process::memory_bytes(server.pid());
    let waited_before = waited(server.pid())?;
    let (flooded, client) = both(&server, &flood, rate, &valid, duration)?;
    let waited = waited(server.pid())?.saturating_sub(waited_before);
    let after = process::memory_bytes(server.pid());

    eprintln!(
        "{kind:?}: capacity {capacity} a second, flood at {rate} for {duration:?}; memory \
         {before} octets before, {after} after; the server waited {waited:?} for a CPU\n\
         flood\n{flooded}\nclient\n{client}"
    );
    anyhow::ensure!(flooded.sent > rate, "the flood was sent");
    let answered = client.received as f64 / client.sent as f64;
    anyhow::ensure!(
        answered > 0.99,
        "the client got {answered} of its answers; other work on this machine kept the \
         server from a CPU for {waited:?} of {duration:?}"
    );
    let grown = after.saturating_sub(before);
    anyhow::ensure!(grown < GROWTH_BYTES_MAX, "memory grew by {grown} octets");
    Ok(())
}

fn plan(server: &Server, pace: Pace, duration: Duration) -> Plan {
    Plan::new(server.target(), pace, duration)
}

/// The lowest rate of several runs, in replies a second.
fn capacity(server: &Server, queries: &Queries) -> anyhow::Result<u64> {
    let closed = Pace::Closed { outstanding: 128 };
    let mut lowest = RATE_MAX;
    for _ in 0..CAPACITY_RUNS {
        let report = blast(&plan(server, closed, CAPACITY_TIME), queries)?;
        #[expect(clippy::cast_possible_truncation, reason = "a rate")]
        #[expect(clippy::cast_sign_loss, reason = "a rate")]
        let rate = report.rate as u64;
        lowest = lowest.min(rate);
    }
    Ok(lowest)
}

/// How long the threads of a process were ready to run and had no CPU.
fn waited(pid: u32) -> anyhow::Result<Duration> {
    let mut sum = Duration::ZERO;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        let second = text.split_whitespace().nth(1);
        sum += Duration::from_nanos(second.context("the time of waiting")?.parse()?);
    }
    Ok(sum)
}

/// The flood and the client at once.
fn both(
    server: &Server,
    flood: &Queries,
    rate: u64,
    valid: &Queries,
    duration: Duration,
) -> anyhow::Result<(Report, Report)> {
    let flood_plan = plan(server, Pace::Open { rate }, duration);
    let client_plan = Plan {
        source: Some(CLIENT.into()),
        sockets: 4,
        ..plan(server, Pace::Open { rate: CLIENT_RATE }, duration)
    };
    std::thread::scope(|scope| {
        let flooding = scope.spawn(|| blast(&flood_plan, flood));
        let client = blast(&client_plan, valid)?;
        let flooded = flooding.join().expect("the load does not panic")?;
        Ok((flooded, client))
    })
}

fn random_names() -> anyhow::Result<Queries> {
    let mut random = Random::new(7);
    let mut queries = Queries::new(true);
    for _ in 0..RANDOM_NAMES {
        let name = Name::parse_absolute(&format!("{:016x}.example.", random.next()))?;
        queries.push(&name, 1);
    }
    Ok(queries)
}

/// The malformed messages of the fuzz corpus, and cuts of valid ones.
fn malformed() -> anyhow::Result<Queries> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/query");
    let mut queries = Queries::new(false);
    for file in std::fs::read_dir(&corpus).context("the corpus")? {
        let message = std::fs::read(file?.path())?;
        for length in (12..message.len()).step_by(5) {
            queries.push_message(&message[..length]);
        }
        if message.len() >= 12 {
            // An opcode that there is not, and a reply.
            for flags in [0x78, 0x80] {
                let mut other = message.clone();
                other[2] |= flags;
                queries.push_message(&other);
            }
        }
    }
    anyhow::ensure!(queries.len() > 1000, "{} messages", queries.len());
    Ok(queries)
}

#[test]
fn malformed_packets_for_a_minute_take_nothing_from_a_client() -> anyhow::Result<()> {
    if !wanted() {
        return Ok(());
    }
    flood(Kind::Malformed, Duration::from_secs(60), RATE_MAX)
}

#[test]
fn random_names_for_a_minute_take_nothing_from_a_client() -> anyhow::Result<()> {
    if !wanted() {
        return Ok(());
    }
    flood(Kind::RandomNames, Duration::from_secs(60), RATE_MAX)
}
