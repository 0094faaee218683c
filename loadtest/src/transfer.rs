//! A zone taken whole (RFC 5936) from Meridian and from Knot, in turns, and what that does
//! to those who ask Meridian over UDP at the same time.
//!
//! Both serve one zone file, over TCP on loopback, to a client that counts records and
//! forgets them. Memory is what the server's process has (PSS) before and at most during a
//! transfer.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::Serialize;
use zone_image::Name;

use crate::blast::{self, Latency, Pace, Queries};
use crate::meridian::Meridian;
use crate::peer::{Server, Software, Zone};
use crate::process::{cpu_time, memory_bytes};

/// Longest time to load the zone.
const LOAD_TIMEOUT: Duration = Duration::from_secs(900);
/// Longest wait for a part of a message.
const PATIENCE: Duration = Duration::from_secs(60);
/// Octets between two looks at memory.
const LOOK_OCTETS: u64 = 4 << 20;
/// Most transfers from each.
const ROUNDS_MAX: usize = 100;

/// What is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The `meridian` binary.
    pub meridian: PathBuf,
    /// The zone.
    pub zone: Zone,
    /// What is asked meanwhile.
    pub queries: Queries,
    /// How often, a second.
    pub rate: u64,
    /// For how long.
    pub time: Duration,
    /// Transfers from each server.
    pub rounds: usize,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Each transfer, in order.
    pub transfers: Vec<Transferred>,
    /// Latency over UDP without a transfer, in microseconds.
    pub idle: Latency,
    /// The same while zones are taken, one after the other.
    pub busy: Latency,
    /// Queries without a reply, idle and busy.
    pub lost: [u64; 2],
    /// Transfers that ended while it was asked.
    pub meanwhile: u64,
}

/// One transfer.
#[derive(Debug, Clone, Serialize)]
pub struct Transferred {
    /// Whose.
    pub server: &'static str,
    /// Seconds from the request to the last message.
    pub seconds: f64,
    /// Records, the second SOA included.
    pub records: u64,
    /// Octets of messages.
    pub octets: u64,
    /// Processor time of the server, in seconds.
    pub cpu_seconds: f64,
    /// Memory before, and how much more it was at most.
    pub memory_bytes: [u64; 2],
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.transfers {
            let [before, more] = one
                .memory_bytes
                .map(|octets| octets as f64 / f64::from(1 << 20));
            writeln!(
                f,
                "{:8}  {:6.2} s  {:5.2} s CPU  {} records  {} octets  {before:.1} MiB and {more:.1} more",
                one.server, one.seconds, one.cpu_seconds, one.records, one.octets
            )?;
        }
        for (what, latency, lost) in [
            ("idle", self.idle, self.lost[0]),
            ("transfers", self.busy, self.lost[1]),
        ] {
            let Latency {
                p50,
                p99,
                p999,
                max,
            } = latency;
            writeln!(
                f,
                "UDP, {what:9}  p50 {p50:.0}  p99 {p99:.0}  p99.9 {p999:.0}  longest {max:.0} us, {lost} lost"
            )?;
        }
        write!(f, "{} transfers meanwhile", self.meanwhile)
    }
}

/// Measures.
pub fn run(plan: &Plan) -> anyhow::Result<Report> {
    ensure!(
        (1..=ROUNDS_MAX).contains(&plan.rounds),
        "1 to {ROUNDS_MAX} rounds"
    );
    let zones = std::slice::from_ref(&plan.zone);
    let allow = "[transfer]\nallow = [{ networks = [\"127.0.0.0/8\"] }]\n";
    let own = Meridian::serve_zones_with(&plan.meridian, zones, 1, LOAD_TIMEOUT, allow)?;
    let mut transfers = Vec::new();
    {
        let knot = knot(&plan.zone)?;
        for _ in 0..plan.rounds {
            for (name, server) in [("Meridian", &own), ("Knot", &knot)] {
                transfers.push(take(name, server, &plan.zone.apex)?);
            }
        }
    }
    let load = blast::Plan::new(own.target(), Pace::Open { rate: plan.rate }, plan.time);
    let idle = blast::blast(&load, &plan.queries)?;
    let stop = Arc::new(AtomicBool::new(false));
    let (busy, meanwhile) = std::thread::scope(|scope| {
        let taking = scope.spawn(|| {
            let mut count = 0;
            while !stop.load(Ordering::Relaxed) {
                take("Meridian", &own, &plan.zone.apex)?;
                count += 1;
            }
            anyhow::Ok(count)
        });
        let busy = blast::blast(&load, &plan.queries);
        stop.store(true, Ordering::Relaxed);
        let taken = taking.join().expect("the taking thread does not panic");
        anyhow::Ok((busy?, taken?))
    })?;
    Ok(Report {
        transfers,
        idle: idle.latency,
        busy: busy.latency,
        lost: [idle.lost, busy.lost],
        meanwhile,
    })
}

/// Knot with the zone, which whoever is on loopback may have.
fn knot(zone: &Zone) -> anyhow::Result<Server> {
    let program = Software::Knot
        .find()
        .context("Knot is not installed: apt install knot")?;
    Server::start(
        std::slice::from_ref(zone),
        LOAD_TIMEOUT,
        |directory, address| {
            let (here, file) = (directory.display(), zone.file.display());
            let text = format!(
                "server:\n  rundir: {here}\n  listen: {}@{}\n  udp-workers: 1\n  tcp-workers: 1\n  \
             background-workers: 1\nlog:\n- target: stderr\n  any: warning\n\
             database:\n  storage: {here}\nacl:\n- id: all\n  address: 127.0.0.0/8\n  \
             action: transfer\nzone:\n- domain: {}\n  file: {file}\n  acl: all\n  \
             zonefile-sync: -1\n  journal-content: none\n",
                address.ip(),
                address.port(),
                zone.apex
            );
            let path = directory.join("knot.conf");
            std::fs::write(&path, text).context("writing knot.conf")?;
            let mut command = Command::new(&program);
            command.arg("-c").arg(path);
            Ok(command)
        },
    )
}

/// Takes the zone and counts.
fn take(name: &'static str, server: &Server, apex: &Name) -> anyhow::Result<Transferred> {
    let pid = server.pid();
    let (memory, cpu) = (memory_bytes(pid), cpu_time(pid));
    let mut stream = TcpStream::connect(server.target().address()).context("connecting")?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .context("setting a timeout")?;
    let mut query = vec![0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(apex.as_wire());
    query.extend([0, 252, 0, 1]);
    let length = u16::try_from(query.len()).context("the name is short")?;
    let begin = Instant::now();
    stream
        .write_all(&[&length.to_be_bytes()[..], &query].concat())
        .context("asking")?;
    let (mut soas, mut records, mut octets, mut peak, mut looked) = (0, 0, 0, memory, 0);
    let mut message = vec![0; 65_535];
    while soas < 2 {
        let mut prefix = [0; 2];
        stream.read_exact(&mut prefix).context("reading a length")?;
        let length = usize::from(u16::from_be_bytes(prefix));
        stream
            .read_exact(&mut message[..length])
            .context("reading a message")?;
        let (found, of_soa) = count(&message[..length]).context("not a message of a transfer")?;
        records += found;
        soas += of_soa;
        octets += length as u64;
        if octets - looked > LOOK_OCTETS {
            looked = octets;
            peak = peak.max(memory_bytes(pid));
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    let after = cpu_time(pid);
    let cpu = (after.user + after.system).saturating_sub(cpu.user + cpu.system);
    Ok(Transferred {
        server: name,
        seconds,
        records,
        octets,
        cpu_seconds: cpu.as_secs_f64(),
        memory_bytes: [memory, peak - memory],
    })
}

/// Records of the answer section, and SOAs among them; nothing where it is an error.
fn count(message: &[u8]) -> Option<(u64, u64)> {
    let number = |at: usize| {
        let octets = message.get(at..at + 2)?;
        Some(u16::from_be_bytes([octets[0], octets[1]]))
    };
    if message.get(3)? & 0x0f != 0 || number(6)? == 0 {
        return None;
    }
    let mut at = 12;
    for _ in 0..number(4)? {
        at = name_end(message, at)? + 4;
    }
    let mut soas = 0;
    for _ in 0..number(6)? {
        at = name_end(message, at)?;
        soas += u64::from(number(at)? == 6);
        at += 10 + usize::from(number(at + 8)?);
    }
    Some((u64::from(number(6)?), soas))
}

fn name_end(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..64 => at += 1 + usize::from(length),
            _ => return Some(at + 2),
        }
    }
}
