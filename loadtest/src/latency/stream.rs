//! Changes at a rate: whether the server keeps up, and at what cost.
//!
//! `meridian registry apply` is fed so many commands a second, each another TTL for
//! another domain. Of those that were acknowledged the newest one is looked for by DNS,
//! then the newest one of that time, and so on.

use std::fmt;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;

use super::changes::{STRIDE, ttl_of};
use super::stage::{Load, RunningLoad, Stage};
use super::{Setup, Times, mebibytes};
use crate::generate::Registry;

/// The TTL that the first change sets; each sets another.
const TTL_FIRST: u64 = 10_000;
/// How often the server asks the registry: another process writes here, and who writes
/// in the server wakes it.
const PUBLISH: &str = "[publish]\npoll-interval-milliseconds = 10\n";

/// What is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server.
    pub setup: Setup,
    /// Changes a second.
    pub rate: u64,
    /// For how many seconds.
    pub seconds: u64,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Delegations.
    pub domains: u64,
    /// Changes that were acknowledged.
    pub changes: u64,
    /// Seconds from the first command to the last acknowledgement.
    pub seconds: f64,
    /// From an acknowledgement to the first answer, in the first half and the second.
    pub acknowledged_to_served: [Times; 2],
    /// Changes that were looked for.
    pub samples: usize,
    /// Milliseconds from the last acknowledgement until it is served.
    pub last_served: f64,
    /// Octets of segments written, folds included, by change.
    pub written_bytes: u64,
    /// Zones compiled by changes, and whole.
    pub compiles: [u64; 2],
    /// Memory of the server before and after, and at most, in octets.
    pub memory_bytes: [u64; 3],
    /// The load meanwhile.
    pub load: Option<Load>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            domains,
            changes,
            seconds,
            samples,
            ..
        } = self;
        let rate = *changes as f64 / seconds;
        writeln!(
            f,
            "{changes} changes among {domains} delegations in {seconds:.1} s, {rate:.0} a second"
        )?;
        writeln!(f, "acknowledged to served, {samples} samples, in ms")?;
        let [first, second] = &self.acknowledged_to_served;
        writeln!(f, "  first half   {first}\n  second half  {second}")?;
        writeln!(f, "  the last one {:.1}", self.last_served)?;
        let [by_changes, whole] = self.compiles;
        let written = self.written_bytes;
        writeln!(
            f,
            "{by_changes} compiles by changes, {whole} whole; {written} octets written a change"
        )?;
        let [before, after, most] = self.memory_bytes.map(mebibytes);
        writeln!(
            f,
            "server {before:.0} MiB before, {after:.0} after, {most:.0} at most"
        )?;
        match &self.load {
            Some(load) => writeln!(f, "{load}"),
            None => Ok(()),
        }
    }
}

/// A command that was acknowledged, and when.
type Acknowledged = (u64, Instant);

/// Makes a registry, serves it and changes it.
pub fn measure(plan: &Plan) -> anyhow::Result<Report> {
    let total = plan.rate * plan.seconds;
    anyhow::ensure!(total > 0, "no changes, nothing to measure");
    anyhow::ensure!(
        plan.setup.domains >= total,
        "{total} changes of as many domains need more than {} domains",
        plan.setup.domains
    );
    let stage = Stage::new(&plan.setup, false, PUBLISH)?;
    let names = ["changes", "whole"];
    let compiles = || -> anyhow::Result<[u64; 2]> {
        let of = |kind| stage.metric(&format!("meridian_zone_compiles_total{{kind=\"{kind}\"}}"));
        Ok([of(names[0])?, of(names[1])?])
    };
    let load = stage.start_load()?;
    let serial = stage.serial()?;
    let (before, compiled) = (stage.memory_bytes(), compiles()?);
    let written = stage.metric("meridian_publish_written_bytes_total")?;
    let start = Instant::now();
    let (mut child, input, output) = start_apply(&stage)?;
    let (sender, receiver) = channel();
    let (samples, last) = std::thread::scope(|scope| {
        let registry = stage.registry();
        let fed = scope.spawn(move || feed(registry, serial, input, plan, start));
        let heard = scope.spawn(move || listen(output, &sender));
        let samples = follow(&stage, serial, &receiver);
        fed.join().expect("feeding does not panic")?;
        heard.join().expect("listening does not panic")?;
        samples
    })?;
    let status = child
        .wait()
        .context("waiting for meridian registry apply")?;
    anyhow::ensure!(status.success(), "meridian registry apply: {status}");
    anyhow::ensure!(last.0 == total, "{} of {total} were acknowledged", last.0);
    let middle = start + Duration::from_secs(plan.seconds) / 2;
    let of = |is_first: bool| {
        let half = samples.iter().filter(|(at, _)| (*at < middle) == is_first);
        let times: Vec<_> = half.map(|(_, time)| *time).collect();
        if times.is_empty() {
            Times::of(vec![Duration::ZERO])
        } else {
            Times::of(times)
        }
    };
    let after = compiles()?;
    Ok(Report {
        domains: plan.setup.domains,
        changes: total,
        seconds: (last.1 - start).as_secs_f64(),
        acknowledged_to_served: [of(true), of(false)],
        samples: samples.len(),
        last_served: samples
            .last()
            .map_or(0.0, |(_, time)| time.as_secs_f64() * 1e3),
        written_bytes: (stage.metric("meridian_publish_written_bytes_total")? - written) / total,
        compiles: [after[0] - compiled[0], after[1] - compiled[1]],
        memory_bytes: [before, stage.memory_bytes(), stage.memory_peak_bytes()],
        load: load.map(RunningLoad::end).transpose()?,
    })
}

fn start_apply(stage: &Stage) -> anyhow::Result<(Child, ChildStdin, ChildStdout)> {
    let mut child = stage
        .meridian()
        .command(&["registry", "apply", "--lab"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting meridian registry apply")?;
    let input = child.stdin.take().expect("it is piped");
    let output = child.stdout.take().expect("it is piped");
    Ok((child, input, output))
}

/// The domain and the TTL of a change, counted from 1.
fn change(registry: &Registry, serial: u32, number: u64) -> (String, u32) {
    let index = number * STRIDE % registry.parameters().domains;
    let name = format!("{}{}", registry.domain(index).label, registry.suffix());
    (name, ttl_of(TTL_FIRST, serial, number))
}

/// Writes commands when they are due.
fn feed(
    registry: &Registry,
    serial: u32,
    mut input: ChildStdin,
    plan: &Plan,
    start: Instant,
) -> anyhow::Result<()> {
    for number in 1..=plan.rate * plan.seconds {
        let due = start + Duration::from_nanos((number - 1) * 1_000_000_000 / plan.rate);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let (name, ttl) = change(registry, serial, number);
        writeln!(
            input,
            "{{\"domain\":{{\"update\":{{\"name\":\"{name}\",\"ns-ttl\":{{\"own\":{ttl}}}}}}}}}"
        )?;
    }
    Ok(())
}

/// Reads acknowledgements, one line each.
fn listen(output: ChildStdout, sender: &Sender<Acknowledged>) -> anyhow::Result<()> {
    for line in BufReader::new(output).lines() {
        let line: serde_json::Value = serde_json::from_str(&line?)?;
        let number = line["line"].as_u64().context("a line without its number")?;
        let _ = sender.send((number, Instant::now()));
    }
    Ok(())
}

/// When a change was acknowledged, and how long it took to be served.
type Sample = (Instant, Duration);

/// Looks for the newest change each time; gives also the last one of all.
fn follow(
    stage: &Stage,
    serial: u32,
    receiver: &Receiver<Acknowledged>,
) -> anyhow::Result<(Vec<Sample>, Acknowledged)> {
    let mut samples = Vec::new();
    let mut count = 0;
    let mut last = None;
    while let Ok(first) = receiver.recv() {
        let (mut newest, mut heard) = (first, 1);
        while let Ok(next) = receiver.try_recv() {
            (newest, heard) = (next, heard + 1);
        }
        count += heard;
        let (name, ttl) = change(stage.registry(), serial, newest.0);
        stage.wait_for_ttl(&name, ttl)?;
        samples.push((newest.1, newest.1.elapsed()));
        last = Some(newest.1);
    }
    let last = last.context("nothing was acknowledged")?;
    Ok((samples, (count, last)))
}
