//! From a change to the answer by DNS.
//!
//! One server publishes a generated registry. Changes of one kind are made one after
//! the other by `meridian registry`; each raises the serial of the zone, and is served
//! when a reply has it. Two times a change: from the command's end, which is its
//! acknowledgement, and from its start, which has the start of a process in it. The
//! server is asked every half millisecond, the grain of the figures. [`stream`] makes
//! changes at a rate instead.

mod changes;
mod stage;
pub mod stream;

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use self::changes::Changes;
pub use self::changes::Kind;
pub use self::stage::Load;
use self::stage::Stage;

/// Domains of the host that is renamed, where nobody says otherwise.
pub const DEPENDANTS: u64 = 1000;

/// What is served while changes are made.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The `meridian` binary.
    pub meridian: PathBuf,
    /// Delegations.
    pub domains: u64,
    /// Whether the server signs the zone: NSEC3 with opt-out, ECDSA.
    pub signed: bool,
    /// Whether it is asked at half of what it can answer meanwhile.
    pub half_load: bool,
    /// Domains more that all name the host that is renamed.
    pub dependants: u64,
    /// Where the registry and its image are kept for the next run; they are made where they
    /// are not there.
    pub reuse: Option<PathBuf>,
}

/// What is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server.
    pub setup: Setup,
    /// Kinds of changes, one after the other.
    pub kinds: Vec<Kind>,
    /// Changes of each kind.
    pub changes: u64,
}

/// Times of all changes.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Delegations.
    pub domains: u64,
    /// Whether the zone is signed.
    pub signed: bool,
    /// Domains that name the host that is renamed.
    pub dependants: u64,
    /// Each kind.
    pub kinds: Vec<Measured>,
    /// The load meanwhile.
    pub load: Option<Load>,
    /// Memory of the server before and after, and at most, in octets.
    pub memory_bytes: [u64; 3],
    /// Octets of the image at the end.
    pub image_bytes: u64,
}

/// Changes of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// Which.
    pub kind: Kind,
    /// How many.
    pub changes: u64,
    /// From the acknowledgement to the first answer.
    pub acknowledged_to_served: Times,
    /// From the start of the command to the first answer.
    pub command_to_served: Times,
    /// Octets of segments written, folds included, by change.
    pub written_bytes: u64,
    /// Changes for which the zone was compiled whole.
    pub whole: u64,
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
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
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

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p99, longest } = self;
        write!(f, "p50 {p50:.1}  p99 {p99:.1}  longest {longest:.1}")
    }
}

/// Octets as people read them.
fn mebibytes(octets: u64) -> f64 {
    octets as f64 / f64::from(1 << 20)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.signed { "signed" } else { "unsigned" };
        let (domains, dependants) = (self.domains, self.dependants);
        writeln!(
            f,
            "{domains} delegations, {how}, {dependants} of a host that is renamed; times in ms"
        )?;
        for measured in &self.kinds {
            let Measured { kind, changes, .. } = measured;
            writeln!(
                f,
                "{changes} x {kind}: {} octets written each, {} compiled whole",
                measured.written_bytes, measured.whole
            )?;
            let acknowledged = measured.acknowledged_to_served;
            writeln!(f, "  acknowledged to served  {acknowledged}")?;
            writeln!(
                f,
                "  command to served       {}",
                measured.command_to_served
            )?;
        }
        if let Some(load) = &self.load {
            writeln!(f, "{load}")?;
        }
        let [before, after, most] = self.memory_bytes.map(mebibytes);
        writeln!(
            f,
            "server {before:.0} MiB before, {after:.0} after, {most:.0} at most; image {:.0} MiB",
            mebibytes(self.image_bytes)
        )
    }
}

/// Makes a registry, serves it and changes it.
pub fn measure(plan: &Plan) -> anyhow::Result<Report> {
    anyhow::ensure!(plan.changes > 0, "no changes, nothing to measure");
    let has_dependants = plan.kinds.iter().any(|kind| *kind != Kind::Ttl);
    let stage = Stage::new(&plan.setup, has_dependants, "")?;
    let load = stage.start_load()?;
    let before = stage.memory_bytes();
    let mut kinds = Vec::new();
    for kind in &plan.kinds {
        kinds.push(measure_kind(&stage, *kind, plan.changes)?);
    }
    Ok(Report {
        domains: plan.setup.domains,
        signed: plan.setup.signed,
        dependants: plan.setup.dependants,
        kinds,
        load: load.map(stage::RunningLoad::end).transpose()?,
        memory_bytes: [before, stage.memory_bytes(), stage.memory_peak_bytes()],
        image_bytes: stage.metric("meridian_image_bytes")?,
    })
}

fn measure_kind(stage: &Stage, kind: Kind, count: u64) -> anyhow::Result<Measured> {
    let (mut from_acknowledgement, mut from_command) = (Vec::new(), Vec::new());
    let written = stage.metric("meridian_publish_written_bytes_total")?;
    let whole = stage.metric("meridian_zone_compiles_total{kind=\"whole\"}")?;
    let mut serial = stage.serial()?;
    let mut changes = Changes::new(kind, stage.registry(), serial);
    for _ in 0..count {
        let words = changes.next_command();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let start = Instant::now();
        stage.run(&words)?;
        let acknowledged = Instant::now();
        serial = stage.wait_for_serial(serial.wrapping_add(1))?;
        from_acknowledgement.push(acknowledged.elapsed());
        from_command.push(start.elapsed());
    }
    let written = stage.metric("meridian_publish_written_bytes_total")? - written;
    Ok(Measured {
        kind,
        changes: count,
        acknowledged_to_served: Times::of(from_acknowledgement),
        command_to_served: Times::of(from_command),
        written_bytes: written / count,
        whole: stage.metric("meridian_zone_compiles_total{kind=\"whole\"}")? - whole,
    })
}

#[cfg(test)]
mod tests;
