//! EPP under load: what sessions over TLS get done in a second, how long each waits, and what
//! a command costs the server.
//!
//! Each session says a command, waits for its answer and says the next (closed loop). A name
//! that is created is asked for by DNS until it is there. The registry is a generated one,
//! on SQLite in a folder of its own or in a PostgreSQL database that is empty; what is
//! acknowledged is on disk in both. Figures have the client's own processor time in them
//! where both share one machine; the server's is told apart.

mod client;
mod frames;
mod load;
mod stage;

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::latency::Times;
use crate::process;

pub use self::client::{Answer, Client};
pub use self::frames::{Frames, SUFFIX};
pub use self::load::{Pace, Phase, Tally, Verb, sessions};
pub use self::stage::{ACCOUNT, Setup, Stage};

/// Most sessions.
pub const SESSIONS_MAX: usize = 1000;
/// Longest phase.
const SECONDS_MAX: u64 = 3600;
/// Names that are followed to DNS for each figure, at most.
const FOLLOWED_MAX: u64 = 10_000;

/// What is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server.
    pub setup: Setup,
    /// Sessions at once.
    pub sessions: usize,
    /// How long each kind of command is said.
    pub seconds: u64,
    /// Names that are followed from their creation to DNS, one after the other, while nothing
    /// else is done and again while the other sessions create theirs.
    pub followed: u64,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// "SQLite" or "PostgreSQL".
    pub engine: &'static str,
    /// Delegations at the start.
    pub domains: u64,
    /// Sessions at once.
    pub sessions: usize,
    /// Seconds that all sessions took to be logged in.
    pub login_seconds: f64,
    /// Each kind of command.
    pub phases: Vec<Measured>,
    /// From the reply of a create to the first answer of DNS that has the name, in
    /// milliseconds, while nothing else is done.
    pub created_to_served: Option<Times>,
    /// The same while the other sessions create as fast as they can.
    pub created_to_served_under_load: Option<Times>,
    /// Why there is no such figure: a name that was not served in time.
    pub not_served: Option<String>,
    /// Memory of the server after the logins, at the end, and at most, in octets.
    pub memory_bytes: [u64; 3],
}

/// Commands of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// Which.
    pub verb: Verb,
    /// How many were answered with success.
    pub done: u64,
    /// How many were refused: there should be none.
    pub refused: u64,
    /// In a second.
    pub per_second: f64,
    /// From a frame's last octet to its answer, in milliseconds.
    pub times: Times,
    /// The server's processor time for one, in microseconds: user and system. It holds what
    /// is published meanwhile.
    pub server_cpu_microseconds: [f64; 2],
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} sessions over TLS, {} delegations on {}; times in ms; logged in after {:.1} s",
            self.sessions, self.domains, self.engine, self.login_seconds
        )?;
        for measured in &self.phases {
            let [user, system] = measured.server_cpu_microseconds;
            writeln!(
                f,
                "{:<7} {:>7.0} a second  {}  server {user:.0} us user, {system:.0} us system each",
                measured.verb.name(),
                measured.per_second,
                measured.times
            )?;
            if measured.refused > 0 {
                writeln!(f, "        {} refused", measured.refused)?;
            }
        }
        if let Some(alone) = &self.created_to_served {
            writeln!(f, "created to served, alone       {alone}")?;
        }
        if let Some(under_load) = &self.created_to_served_under_load {
            writeln!(f, "created to served, under load  {under_load}")?;
        }
        if let Some(why) = &self.not_served {
            writeln!(f, "created to served, under load  none: {why}")?;
        }
        let [begin, end, most] = self.memory_bytes.map(|octets| octets as f64 / 1_048_576.0);
        write!(
            f,
            "server {begin:.0} MiB after the logins, {end:.0} at the end, {most:.0} at most"
        )
    }
}

/// Makes a registry, serves it and has it spoken to.
pub fn measure(plan: &Plan) -> anyhow::Result<Report> {
    anyhow::ensure!(
        (1..=SESSIONS_MAX).contains(&plan.sessions),
        "{} sessions; 1 to {SESSIONS_MAX} can be had",
        plan.sessions
    );
    anyhow::ensure!(
        (1..=SECONDS_MAX).contains(&plan.seconds),
        "{} seconds; 1 to {SECONDS_MAX} can be waited for",
        plan.seconds
    );
    anyhow::ensure!(
        plan.followed <= FOLLOWED_MAX,
        "{} names to follow, {FOLLOWED_MAX} at most",
        plan.followed
    );
    let stage = Stage::new(&plan.setup)?;
    progress("the registry is served; sessions log in");
    let start = Instant::now();
    let mut clients = stage.log_in(plan.sessions)?;
    let login_seconds = start.elapsed().as_secs_f64();
    let begin = process::memory_bytes(stage.pid());
    let mut phases = Vec::new();
    for verb in [Verb::Check, Verb::Info, Verb::Create] {
        progress(&format!("{} for {} s", verb.name(), plan.seconds));
        let frames = stage.frames(&format!("{}-", verb.name()));
        let phase = Phase {
            verb,
            frames: &frames,
            duration: Duration::from_secs(plan.seconds),
            pace: Pace::Closed,
        };
        phases.push(measure_phase(&stage, &phase, &mut clients)?);
    }
    let mut followed = Followed::default();
    if plan.followed > 0 {
        followed = follow(&stage, &mut clients, plan.followed)?;
    }
    Ok(Report {
        engine: stage.engine(),
        domains: plan.setup.domains,
        sessions: plan.sessions,
        login_seconds,
        phases,
        created_to_served: followed.alone,
        created_to_served_under_load: followed.under_load,
        not_served: followed.not_served,
        memory_bytes: [
            begin,
            process::memory_bytes(stage.pid()),
            process::memory_peak_bytes(stage.pid()).unwrap_or_default(),
        ],
    })
}

fn measure_phase(
    stage: &Stage,
    phase: &Phase<'_>,
    clients: &mut [Client],
) -> anyhow::Result<Measured> {
    let (cpu, start) = (process::cpu_time(stage.pid()), Instant::now());
    let tally = sessions(phase, clients)?;
    let (after, took) = (process::cpu_time(stage.pid()), start.elapsed());
    anyhow::ensure!(tally.done > 0, "no {} was done", phase.verb.name());
    let of_one = |time: Duration| time.as_secs_f64() * 1e6 / tally.done as f64;
    Ok(Measured {
        verb: phase.verb,
        done: tally.done,
        refused: tally.refused,
        per_second: tally.done as f64 / took.as_secs_f64(),
        server_cpu_microseconds: [
            of_one(after.user.saturating_sub(cpu.user)),
            of_one(after.system.saturating_sub(cpu.system)),
        ],
        times: tally.times(),
    })
}

/// Names on their way to DNS.
#[derive(Default)]
struct Followed {
    alone: Option<Times>,
    under_load: Option<Times>,
    not_served: Option<String>,
}

/// Follows names from their creation to DNS: alone, then beside the load of the others, which
/// may be more than what publishes can keep up with.
fn follow(stage: &Stage, clients: &mut [Client], count: u64) -> anyhow::Result<Followed> {
    progress(&format!("{count} names are followed to DNS"));
    let (first, others) = clients.split_first_mut().expect("at least one session");
    let alone = load::follow(stage, first, &stage.frames("alone-"), count)?;
    progress(&format!("{count} more, while the other sessions create"));
    let frames = stage.frames("beside-");
    let phase = Phase {
        verb: Verb::Create,
        frames: &frames,
        duration: Duration::from_secs(SECONDS_MAX),
        pace: Pace::Closed,
    };
    let under_load = load::beside(&phase, others, || {
        load::follow(stage, first, &stage.frames("under-load-"), count)
    });
    let (under_load, not_served) = match under_load {
        Ok(times) => (Some(times), None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    Ok(Followed {
        alone: Some(alone),
        under_load,
        not_served,
    })
}

/// On standard error: results are on standard output.
fn progress(text: &str) {
    eprintln!("loadtest epp: {text}");
}

#[cfg(test)]
mod tests;
