//! Load for WHOIS and RDAP: clients that ask one name after the other.
//!
//! A closed loop: each client is a thread with one question under way. RDAP's keep their
//! connection, WHOIS has one for each question. What comes back is told apart as found,
//! missing or other, so that a server that refuses fast is not taken for a quick one.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;

use crate::blast::Histogram;
use crate::target::Target;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Octets of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// Which service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// WHOIS, a connection for each question.
    Whois,
    /// RDAP over HTTP/1.1, without TLS.
    Rdap,
}

/// What is asked of whom.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The service.
    pub service: Service,
    /// Where it is.
    pub server: Target,
    /// Names, one after the other and from the start again.
    pub names: Vec<String>,
    /// Clients.
    pub clients: usize,
    /// For so long.
    pub time: Duration,
}

/// What came of it; times are microseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The service.
    pub service: Service,
    /// Clients.
    pub clients: usize,
    /// Seconds that it took.
    pub seconds: f64,
    /// Answers with an object.
    pub found: u64,
    /// Answers that there is none.
    pub missing: u64,
    /// Refusals, faults and broken connections.
    pub other: u64,
    /// Answers a second.
    pub per_second: f64,
    /// Half of the answers took no longer.
    pub median: u64,
    /// Of a hundred, ninety-nine.
    pub p99: u64,
    /// Of a thousand, all but one.
    pub p999: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            clients,
            per_second,
            found,
            missing,
            other,
            median,
            p99,
            p999,
            ..
        } = self;
        write!(
            f,
            "{:?}: {per_second:.0} answers a second to {clients} clients ({found} found, {missing} \
             missing, {other} other); microseconds: median {median}, p99 {p99}, p99.9 {p999}",
            self.service
        )
    }
}

/// Reads names: the first word or column of each line, without a final dot.
pub fn read_names(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    let first = |line: &str| {
        let word = line.split([' ', ',', '\t']).next().unwrap_or_default();
        word.trim_end_matches('.').to_owned()
    };
    let names: Vec<_> = text
        .lines()
        .map(first)
        .filter(|name| name.contains('.'))
        .collect();
    anyhow::ensure!(!names.is_empty(), "no names in {}", path.display());
    Ok(names)
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    Found,
    Missing,
    Other,
}

/// What all clients counted.
#[derive(Default)]
struct Tally {
    times: Histogram,
    came: [u64; 3],
}

/// Runs the clients and adds up what they counted.
pub fn run(plan: &Plan) -> anyhow::Result<Report> {
    // A server that is not there is told before the clock runs.
    drop(connect(plan.server).context("the server does not answer")?);
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..plan.clients {
            scope.spawn(|| client(plan, &next, &tally, started + plan.time));
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    let all = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    let [found, missing, other] = all.came;
    let microseconds = |per_mille| all.times.quantile(per_mille) / 1_000;
    #[expect(clippy::cast_precision_loss, reason = "fewer answers than 2^52")]
    let answers = (found + missing) as f64;
    Ok(Report {
        service: plan.service,
        clients: plan.clients,
        seconds,
        found,
        missing,
        other,
        per_second: answers / seconds,
        median: microseconds(500),
        p99: microseconds(990),
        p999: microseconds(999),
    })
}

fn client(plan: &Plan, next: &AtomicUsize, tally: &Mutex<Tally>, end: Instant) {
    let mut kept = None;
    while Instant::now() < end {
        let at = next.fetch_add(1, Ordering::Relaxed) % plan.names.len();
        let name = &plan.names[at];
        let started = Instant::now();
        let came = match plan.service {
            Service::Whois => whois(plan.server, name),
            Service::Rdap => rdap(plan.server, &mut kept, name),
        };
        let came = came.unwrap_or(Came::Other);
        let nanoseconds = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        // Far fewer answers a second than a lock is taken in one.
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        if came != Came::Other {
            tally.times.record(nanoseconds);
        }
        tally.came[came as usize] += 1;
    }
}

fn connect(server: Target) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(server.address())?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn whois(server: Target, name: &str) -> io::Result<Came> {
    let mut stream = connect(server)?;
    stream.write_all(format!("domain {name}\r\n").as_bytes())?;
    let mut text = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut text)?;
    Ok(if text.starts_with(b"Domain Name:") {
        Came::Found
    } else if text.starts_with(b"No match") {
        Came::Missing
    } else {
        Came::Other
    })
}

fn rdap(server: Target, kept: &mut Option<BufReader<TcpStream>>, name: &str) -> io::Result<Came> {
    let mut stream = match kept.take() {
        Some(stream) => stream,
        None => BufReader::new(connect(server)?),
    };
    let request = format!("GET /domain/{name} HTTP/1.1\r\nHost: rdap\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes())?;
    let status = read_response(&mut stream)?;
    *kept = Some(stream);
    Ok(match status {
        200 => Came::Found,
        404 => Came::Missing,
        _ => Came::Other,
    })
}

/// Reads a response with a length; its status.
fn read_response(stream: &mut BufReader<TcpStream>) -> io::Result<u16> {
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    let (mut status, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        if stream.take(ANSWER_BYTES_MAX).read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if status.is_none() {
            status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        } else if let Some((key, value)) = line.split_once(':')
            && key.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(|_| broken())?;
        }
    }
    if length > ANSWER_BYTES_MAX {
        return Err(broken());
    }
    io::copy(&mut stream.take(length), &mut io::sink())?;
    status.ok_or_else(broken)
}

#[cfg(test)]
mod tests;
