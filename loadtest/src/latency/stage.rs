//! A server with a generated registry, the load on it, and what it says of itself.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Serialize;
use tempfile::TempDir;
use zone_image::Name;

use super::changes::{self, STRIDE};
use super::{DEPENDANTS, Setup};
use crate::blast::{self, Pace, Queries};
use crate::generate::{self, Parameters, Registry};
use crate::meridian::Meridian;
use crate::peer::{Server, Zone, free_address};
use crate::process;
use crate::stamp::{answered_serial, first_ttl};

/// Longest wait for the first image, for signatures, and for one change.
const PATIENCE: Duration = Duration::from_secs(1800);
/// Pause between two queries.
const ASK_EVERY: Duration = Duration::from_micros(500);
/// Queries of the load, repeated.
const QUERIES: u64 = 100_000;
/// Of a hundred queries of the load so many set DO.
const DNSSEC_OK_PERCENT: u8 = 80;
/// For how long capacity is measured.
const CAPACITY_TIME: Duration = Duration::from_secs(3);
/// Queries under way meanwhile.
const OUTSTANDING: usize = 128;

/// Says in a kept folder that all is there, and what.
const READY_FILE: &str = "ready";

pub(super) struct Stage {
    setup: Setup,
    registry: Registry,
    meridian: Meridian,
    metrics: SocketAddr,
    server: Server,
    _folder: Option<TempDir>,
}

/// What the load came to.
#[derive(Debug, Clone, Serialize)]
pub struct Load {
    /// Queries a second that were answered at most, before any change.
    pub capacity: f64,
    /// Queries a second that were sent, half of it.
    pub rate: u64,
    /// Queries sent.
    pub sent: u64,
    /// Those without a reply within a second.
    pub lost: u64,
    /// Milliseconds from the moment a query was due to its reply: 99 of 100, and all.
    pub p99: f64,
    /// The slowest.
    pub longest: f64,
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rate, sent, lost, ..
        } = self;
        let (capacity, p99, longest) = (self.capacity, self.p99, self.longest);
        write!(
            f,
            "load {rate} a second of {capacity:.0} possible: {sent} queries, {lost} lost, \
             p99 {p99:.1}, longest {longest:.1}"
        )
    }
}

impl Stage {
    /// Makes a registry, serves it, and waits until it is signed where it is to be.
    pub(super) fn new(setup: &Setup, has_dependants: bool, more: &str) -> anyhow::Result<Self> {
        let apex = Name::parse_absolute("example.").expect("a name");
        let registry = Registry::new(Parameters {
            apex: apex.clone(),
            domains: setup.domains,
            seed: 1,
            queries: 0,
            exponent: 1.0,
            signed: false,
        })?;
        let (folder, here) = match &setup.reuse {
            Some(kept) => (None, kept.clone()),
            None => {
                let folder = tempfile::tempdir().context("making a temporary folder")?;
                let here = folder.path().to_owned();
                (Some(folder), here)
            }
        };
        std::fs::create_dir_all(&here).with_context(|| format!("making {}", here.display()))?;
        let metrics = free_address()?;
        let secret = here.join("secret");
        let keys = format!("[keys]\nsecret-file = \"{}\"\n\n{more}", secret.display());
        let more = if setup.signed { &keys } else { more };
        let meridian = Meridian::new(&setup.meridian, &here)?.with(metrics, more)?;
        // What is kept is for runs of every kind.
        let has_dependants = has_dependants || setup.reuse.is_some();
        if !is_prepared(setup, &here)? {
            prepare(setup, &registry, &meridian, &here, has_dependants)?;
        }
        let zone = Zone {
            apex,
            file: here.join("none"),
        };
        let server = meridian.serve(&[zone], 1, PATIENCE)?;
        let stage = Self {
            setup: setup.clone(),
            registry,
            meridian,
            metrics,
            server,
            _folder: folder,
        };
        if setup.signed {
            stage.wait("the zone is not signed", "example. DNSKEY", |reply| {
                first_ttl(reply).is_ok_and(|ttl| ttl.is_some()) && reply[7] > 0
            })?;
        }
        stage.run(&["registry", "wait"])?;
        Ok(stage)
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(super) fn meridian(&self) -> &Meridian {
        &self.meridian
    }

    pub(super) fn run(&self, words: &[&str]) -> anyhow::Result<()> {
        self.meridian.run(words).map(drop)
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        process::memory_bytes(self.server.pid())
    }

    pub(super) fn memory_peak_bytes(&self) -> u64 {
        process::memory_peak_bytes(self.server.pid()).unwrap_or_default()
    }

    /// The serial that is served.
    pub(super) fn serial(&self) -> anyhow::Result<u32> {
        self.wait_for_serial_where(&|_| true)
    }

    /// Asks until this serial is served, or a later one.
    pub(super) fn wait_for_serial(&self, serial: u32) -> anyhow::Result<u32> {
        // RFC 1982 section 3.2.
        self.wait_for_serial_where(&|found| found.wrapping_sub(serial) < u32::MAX / 2)
    }

    fn wait_for_serial_where(&self, is_right: &dyn Fn(u32) -> bool) -> anyhow::Result<u32> {
        let mut serial = 0;
        self.wait("the serial is not served", "example. SOA", |reply| {
            let found = answered_serial(reply).ok().flatten();
            serial = found.unwrap_or_default();
            found.is_some_and(is_right)
        })?;
        Ok(serial)
    }

    /// Asks for a delegation until its TTL is this one.
    pub(super) fn wait_for_ttl(&self, name: &str, ttl: u32) -> anyhow::Result<()> {
        let what = format!("{name}: TTL {ttl} is not served");
        self.wait(&what, &format!("{name} NS"), |reply| {
            first_ttl(reply) == Ok(Some(ttl))
        })
    }

    /// Asks until a reply is right.
    fn wait(
        &self,
        what: &str,
        question: &str,
        mut is_right: impl FnMut(&[u8]) -> bool,
    ) -> anyhow::Result<()> {
        let mut query = Queries::new(false);
        query.push_text(question)?;
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("binding a socket")?;
        let address = self.server.target().address();
        socket.connect(address).context("connecting a socket")?;
        let timeout = Some(Duration::from_secs(1));
        socket
            .set_read_timeout(timeout)
            .context("setting a timeout")?;
        let start = Instant::now();
        let mut reply = [0; 4096];
        while start.elapsed() < PATIENCE {
            socket.send(query.message(0)).context("asking the server")?;
            if let Ok(length) = socket.recv(&mut reply)
                && is_right(&reply[..length])
            {
                return Ok(());
            }
            std::thread::sleep(ASK_EVERY);
        }
        bail!("{what} after {PATIENCE:?}")
    }

    /// The value of a metric, labels included in its name.
    pub(super) fn metric(&self, name: &str) -> anyhow::Result<u64> {
        let mut stream = TcpStream::connect(self.metrics).context("asking for metrics")?;
        let request = "GET /metrics HTTP/1.1\r\nHost: loadtest\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes())?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        let value = page.lines().find_map(|line| {
            let (found, value) = line.rsplit_once(' ')?;
            (found == name).then_some(value)
        });
        let value = value.with_context(|| format!("no metric {name}"))?;
        Ok(value.parse()?)
    }

    /// Finds what the server can answer and asks half of it from now on.
    pub(super) fn start_load(&self) -> anyhow::Result<Option<RunningLoad>> {
        if !self.setup.half_load {
            return Ok(None);
        }
        let mut queries = Queries::new(true).with_dnssec_ok(DNSSEC_OK_PERCENT);
        let suffix = self.registry.suffix();
        for number in 0..QUERIES {
            let index = number * STRIDE % self.setup.domains;
            let label = self.registry.domain(index).label;
            // One of ten is not there.
            let miss = if number % 10 == 9 { "no-such-" } else { "" };
            queries.push_text(&format!("{miss}{label}{suffix} A"))?;
        }
        let target = self.server.target();
        let closed = Pace::Closed {
            outstanding: OUTSTANDING,
        };
        let capacity = blast::blast(&blast::Plan::new(target, closed, CAPACITY_TIME), &queries)?;
        #[expect(clippy::cast_possible_truncation, reason = "millions at most")]
        #[expect(clippy::cast_sign_loss, reason = "a rate")]
        let rate = (capacity.rate / 2.0) as u64;
        let plan = blast::Plan::new(target, Pace::Open { rate }, PATIENCE);
        let stop = Arc::clone(&plan.stop);
        let thread = std::thread::spawn(move || blast::blast(&plan, &queries));
        Ok(Some(RunningLoad {
            capacity: capacity.rate,
            rate,
            stop,
            thread,
        }))
    }
}

/// What a kept folder holds, in words.
fn contents(setup: &Setup) -> String {
    let how = if setup.signed { "signed" } else { "unsigned" };
    match setup.dependants {
        DEPENDANTS => format!("{} {how}\n", setup.domains),
        other => format!("{} {how}, {other} of one host\n", setup.domains),
    }
}

/// Whether the folder has what `setup` asks for; one that has something else is refused.
fn is_prepared(setup: &Setup, here: &Path) -> anyhow::Result<bool> {
    let Ok(found) = std::fs::read_to_string(here.join(READY_FILE)) else {
        return Ok(false);
    };
    anyhow::ensure!(
        found == contents(setup),
        "{} holds a registry of {}, not of {}",
        here.display(),
        found.trim(),
        contents(setup).trim()
    );
    Ok(true)
}

/// Makes the registry, with keys where it is to be signed.
fn prepare(
    setup: &Setup,
    registry: &Registry,
    meridian: &Meridian,
    here: &Path,
    has_dependants: bool,
) -> anyhow::Result<()> {
    let files = here.join("registry");
    generate::write_csv(registry, &files)?;
    meridian.run(&["registry", "init"])?;
    meridian.run(&["registry", "import", "--csv", &files.display().to_string()])?;
    std::fs::remove_dir_all(&files).context("removing the files of the registry")?;
    if has_dependants {
        for lines in changes::dependants(setup.dependants, &registry.suffix()) {
            apply(meridian, &lines)?;
        }
    }
    if setup.signed {
        meridian.run(&["keys", "init"])?;
        let policy = ["keys", "policy", "--zone", "example"];
        meridian.run(&[&policy[..], &["--denial", "nsec3-opt-out"]].concat())?;
    }
    let ready = here.join(READY_FILE);
    std::fs::write(&ready, contents(setup)).with_context(|| format!("writing {}", ready.display()))
}

/// A load that goes on.
pub(super) struct RunningLoad {
    capacity: f64,
    rate: u64,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<blast::Report>>,
}

impl RunningLoad {
    pub(super) fn end(self) -> anyhow::Result<Load> {
        self.stop.store(true, Ordering::Relaxed);
        let report = self.thread.join().expect("the load does not panic")?;
        Ok(Load {
            capacity: self.capacity,
            rate: self.rate,
            sent: report.sent,
            lost: report.lost,
            p99: report.latency.p99 / 1e3,
            longest: report.latency.max / 1e3,
        })
    }
}

/// Gives commands to `meridian registry apply`, which must do all of them.
fn apply(meridian: &Meridian, lines: &[String]) -> anyhow::Result<()> {
    let mut child = meridian
        .command(&["registry", "apply", "--lab"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .context("starting meridian registry apply")?;
    let mut input = child.stdin.take().expect("it is piped");
    for line in lines {
        writeln!(input, "{line}")?;
    }
    drop(input);
    let status = child
        .wait()
        .context("waiting for meridian registry apply")?;
    anyhow::ensure!(status.success(), "meridian registry apply: {status}");
    Ok(())
}
