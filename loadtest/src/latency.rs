//! From a change by command line to the answer by DNS.
//!
//! One server publishes a generated registry; domains get another TTL for their NS
//! records, one after the other, by `meridian registry domain update`. Two times a
//! change: from the command's end, which is its acknowledgement, and from its start,
//! to the first reply with the new TTL. The server is asked every half millisecond,
//! which is the grain of the figures.

use std::fmt;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Serialize;
use zone_image::Name;

use crate::blast::Queries;
use crate::generate::{self, Parameters, Registry};
use crate::meridian::Meridian;
use crate::peer::{Server, Zone};
use crate::stamp::first_ttl;

/// Longest wait for the first image, and for one change.
const PATIENCE: Duration = Duration::from_secs(600);
/// Pause between two queries.
const ASK_EVERY: Duration = Duration::from_micros(500);
/// The first TTL that a change sets; each sets another.
const TTL_FIRST: u64 = 1000;

/// What is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The `meridian` binary.
    pub meridian: PathBuf,
    /// Delegations.
    pub domains: u64,
    /// Changes.
    pub changes: u64,
}

/// Times of all changes.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Delegations.
    pub domains: u64,
    /// Changes.
    pub changes: u64,
    /// From the acknowledgement to the first answer.
    pub acknowledged_to_served: Times,
    /// From the start of the command to the first answer.
    pub command_to_served: Times,
}

/// Milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Times {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Longest.
    pub longest: f64,
}

impl Times {
    /// Of a list that is not empty.
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |share: usize| {
            // The least value that `share` of 100 are not above.
            let rank = (times.len() * share).div_ceil(100).max(1);
            times[rank - 1].as_secs_f64() * 1e3
        };
        Self {
            p50: at(50),
            p99: at(99),
            longest: at(100),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (domains, changes) = (self.domains, self.changes);
        writeln!(f, "{changes} changes among {domains} delegations, in ms")?;
        for (what, times) in [
            ("acknowledged to served", self.acknowledged_to_served),
            ("command to served", self.command_to_served),
        ] {
            let Times { p50, p99, longest } = times;
            writeln!(
                f,
                "{what:<24} p50 {p50:.1}  p99 {p99:.1}  longest {longest:.1}"
            )?;
        }
        Ok(())
    }
}

/// Makes a registry, serves it and changes it.
pub fn measure(plan: &Plan) -> anyhow::Result<Report> {
    anyhow::ensure!(plan.changes > 0, "no changes, nothing to measure");
    let apex = Name::parse_absolute("example.").expect("a name");
    let registry = Registry::new(Parameters {
        apex: apex.clone(),
        domains: plan.domains,
        seed: 1,
        queries: 0,
        exponent: 1.0,
        signed: false,
    })?;
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let files = folder.path().join("registry");
    generate::write_csv(&registry, &files)?;
    let meridian = Meridian::new(&plan.meridian, folder.path())?;
    meridian.run(&["registry", "init"])?;
    let files = files.display().to_string();
    meridian.run(&["registry", "import", "--csv", &files])?;
    let zone = Zone {
        apex,
        file: folder.path().join("none"),
    };
    let server = meridian.serve(&[zone], 1, PATIENCE)?;
    let (mut from_acknowledgement, mut from_command) = (Vec::new(), Vec::new());
    for change in 0..plan.changes {
        let index = change * 7919 % plan.domains;
        let name = format!("{}.example.", registry.domain(index).label);
        let ttl = TTL_FIRST + change;
        let text = ttl.to_string();
        let start = Instant::now();
        meridian.run(&["registry", "domain", "update", &name, "--ns-ttl", &text])?;
        let acknowledged = Instant::now();
        wait_for(&server, &name, ttl)?;
        from_acknowledgement.push(acknowledged.elapsed());
        from_command.push(start.elapsed());
    }
    Ok(Report {
        domains: plan.domains,
        changes: plan.changes,
        acknowledged_to_served: Times::of(from_acknowledgement),
        command_to_served: Times::of(from_command),
    })
}

/// Asks for the delegation until its TTL is this one.
fn wait_for(server: &Server, name: &str, ttl: u64) -> anyhow::Result<()> {
    let mut query = Queries::new(false);
    query.push_text(&format!("{name} NS"))?;
    let socket = UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0)).context("binding a socket")?;
    let address = server.target().address();
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
            && let Ok(Some(found)) = first_ttl(&reply[..length])
            && u64::from(found) == ttl
        {
            return Ok(());
        }
        std::thread::sleep(ASK_EVERY);
    }
    bail!("{name}: TTL {ttl} is not served after {PATIENCE:?}")
}

#[cfg(test)]
mod tests;
