//! A new version of the whole zone, taken under load: how long, and what is lost.
//!
//! Load and machine pause by themselves as well, so the same load goes on for as long
//! without a change, and the longest gaps of the two are told beside each other.

use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;

use super::LOAD_TIMEOUT;
use super::contender::Contender;
use super::round::Cpus;
use crate::blast::{self, Pace, Queries};
use crate::peer::{Server, Zone};

/// Queries a second meanwhile: far below what any of the servers can do.
const RATE: u64 = 5_000;
/// How often the serial is asked for.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// How long queries go on once the new serial is there.
const AFTER: Duration = Duration::from_millis(500);
/// Longest time for the new serial to appear.
const TIMEOUT: Duration = Duration::from_secs(180);
/// The SOA serial of the new version; the generator writes 1.
const SERIAL: u32 = 2;

/// A change of the zone.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Reload {
    /// Which server.
    pub server: String,
    /// Seconds from the order to the first answer with the new serial; for Meridian
    /// with the compile of the whole zone.
    pub seconds: f64,
    /// Queries sent meanwhile.
    pub sent: u64,
    /// Of them without a reply.
    pub lost: u64,
    /// Longest time between two replies, in microseconds.
    pub gap_microseconds_max: f64,
    /// The same of as much time under the same load without a change.
    pub quiet_gap_microseconds_max: f64,
    /// How much longer the gap with a change was; below 0 where it was shorter.
    pub gap_excess_microseconds: f64,
    /// Queries lost without a change.
    pub quiet_lost: u64,
    /// How late our own schedule was at worst in both, in microseconds: pauses of the
    /// load, which stand in its gaps too.
    pub lag_microseconds_max: f64,
    /// Why it did not come to an end.
    pub error: Option<String>,
}

/// Writes the new version and has each server take it, one after the other.
pub(super) fn all(
    zone: &Zone,
    cpus: Cpus,
    queries: &Queries,
    contenders: &[Contender],
) -> anyhow::Result<Vec<Reload>> {
    raise_serial(zone).with_context(|| format!("changing {}", zone.file.display()))?;
    let reload = |own: &Contender| {
        one(zone, cpus, queries, own).unwrap_or_else(|error| Reload {
            server: own.name().to_owned(),
            error: Some(format!("{error:#}")),
            ..Reload::default()
        })
    };
    Ok(contenders.iter().map(reload).collect())
}

/// The same file with the next serial, under the same name and never half there.
fn raise_serial(zone: &Zone) -> std::io::Result<()> {
    let next = zone.file.with_extension("next");
    let mut out = BufWriter::with_capacity(1 << 20, fs::File::create(&next)?);
    let mut input = BufReader::with_capacity(1 << 20, fs::File::open(&zone.file)?);
    let mut line = String::new();
    // The SOA stands in the first lines.
    for _ in 0..3 {
        line.clear();
        input.read_line(&mut line)?;
        out.write_all(
            line.replace(" 1 1800 ", &format!(" {SERIAL} 1800 "))
                .as_bytes(),
        )?;
    }
    std::io::copy(&mut input, &mut out)?;
    out.into_inner()?.sync_all()?;
    fs::rename(next, &zone.file)
}

fn one(
    zone: &Zone,
    cpus: Cpus,
    queries: &Queries,
    contender: &Contender,
) -> anyhow::Result<Reload> {
    let server = &contender.server;
    let stop = Arc::new(AtomicBool::new(false));
    let mut plan = blast::Plan::new(server.target(), Pace::Open { rate: RATE }, LOAD_TIMEOUT);
    plan.cpu = cpus.load;
    plan.stop = Arc::clone(&stop);
    let (seconds, report) = std::thread::scope(|scope| {
        let load = scope.spawn(|| blast::blast(&plan, queries));
        let begin = Instant::now();
        let taken = order(zone, contender).and_then(|()| wait_for_serial(server, zone));
        let seconds = begin.elapsed().as_secs_f64();
        if taken.is_ok() {
            std::thread::sleep(AFTER);
        }
        stop.store(true, Ordering::Relaxed);
        let report = load.join().expect("the load does not panic")?;
        taken.map(|()| (seconds, report))
    })
    .with_context(|| format!("reloading {}", contender.name()))?;
    let time = Duration::from_secs_f64(report.seconds);
    let mut plan = blast::Plan::new(server.target(), Pace::Open { rate: RATE }, time);
    plan.cpu = cpus.load;
    let quiet = blast::blast(&plan, queries)
        .with_context(|| format!("asking {} without a reload", contender.name()))?;
    Ok(Reload {
        server: contender.name().to_owned(),
        seconds,
        sent: report.sent,
        lost: report.lost,
        gap_microseconds_max: report.gap_microseconds_max,
        quiet_gap_microseconds_max: quiet.gap_microseconds_max,
        gap_excess_microseconds: report.gap_microseconds_max - quiet.gap_microseconds_max,
        quiet_lost: quiet.lost,
        lag_microseconds_max: report.lag_microseconds_max.max(quiet.lag_microseconds_max),
        error: None,
    })
}

/// Tells a server that the file changed: by SIGHUP, which they all take; Meridian
/// gets a new image, which it finds by itself.
fn order(zone: &Zone, contender: &Contender) -> anyhow::Result<()> {
    match &contender.meridian {
        Some(meridian) => meridian.compile_zone_files(std::slice::from_ref(zone)),
        None => contender
            .server
            .signal(libc::SIGHUP)
            .context("sending SIGHUP"),
    }
}

fn wait_for_serial(server: &Server, zone: &Zone) -> anyhow::Result<()> {
    let mut query = Queries::new(false);
    query.push(&zone.apex, 6);
    let socket = UdpSocket::bind("127.0.0.1:0").context("binding a socket")?;
    socket.connect(server.target().address())?;
    socket.set_read_timeout(Some(ASK_EVERY))?;
    let begin = Instant::now();
    let mut reply = [0; 512];
    while begin.elapsed() < TIMEOUT {
        let asked = Instant::now();
        if socket.send(query.message(0)).is_ok()
            && let Ok(length) = socket.recv(&mut reply)
            && has_serial(&reply[..length])
        {
            return Ok(());
        }
        std::thread::sleep(ASK_EVERY.saturating_sub(asked.elapsed()));
    }
    anyhow::bail!("the new serial is not there after {TIMEOUT:?}")
}

/// Whether a reply holds the numbers of the new SOA: serial and refresh, one after
/// the other.
fn has_serial(reply: &[u8]) -> bool {
    let mut numbers = [0; 8];
    numbers[..4].copy_from_slice(&SERIAL.to_be_bytes());
    numbers[4..].copy_from_slice(&1800u32.to_be_bytes());
    reply.windows(8).any(|window| window == numbers)
}
