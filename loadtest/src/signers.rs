//! What signing a zone costs: Meridian beside `kzonesign` and `dnssec-signzone`.
//!
//! All sign the same file with a key-signing and a zone-signing key of ECDSA P-256 and
//! NSEC3 with opt-out, no salt and no additional iterations, in interleaved rounds.
//! Meridian also compiles and installs the image; the others write a zone file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde::Serialize;

use crate::peer::Zone;
use crate::process;

/// How often a running signer is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Longest time one signer may take.
const SIGNER_TIMEOUT: Duration = Duration::from_secs(1_800);

/// What to compare.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The zone.
    pub zone: Zone,
    /// The `meridian` binary.
    pub meridian: PathBuf,
    /// Rounds.
    pub rounds: usize,
}

/// What one run of a signer took.
#[derive(Debug, Clone, Serialize)]
pub struct Cost {
    /// Which one.
    pub signer: &'static str,
    /// From start to end.
    pub wall_seconds: f64,
    /// Processor time, user and system, of all threads.
    pub cpu_seconds: f64,
    /// Largest resident memory.
    pub memory_peak_bytes: u64,
}

/// Runs each signer once a round.
pub fn compare(plan: &Plan) -> anyhow::Result<Vec<Cost>> {
    let directory = tempfile::tempdir().context("making a folder")?;
    let work = directory.path();
    let keys = [
        generate_key(plan, work, true)?,
        generate_key(plan, work, false)?,
    ];
    let mut costs = Vec::new();
    for round in 0..plan.rounds {
        let signers = [
            ("meridian", meridian(plan, work, &keys)),
            ("kzonesign", knot(plan, work, round)?),
            ("dnssec-signzone", bind(plan, work, &keys)),
        ];
        for (signer, command) in signers {
            costs.push(measure(signer, command)?);
        }
    }
    Ok(costs)
}

/// A line for each signer: medians, and how much of the processor time of `kzonesign`
/// it takes.
pub fn table(costs: &[Cost]) -> String {
    let median = |signer: &str, value: &dyn Fn(&Cost) -> f64| {
        let own = costs.iter().filter(|cost| cost.signer == signer);
        let mut values: Vec<f64> = own.map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let cpu = |cost: &Cost| cost.cpu_seconds;
    let knot = median("kzonesign", &cpu);
    let mut text = format!(
        "{:<16} {:>8} {:>8} {:>8} {:>15}\n",
        "signer", "wall s", "CPU s", "MiB", "of kzonesign"
    );
    for signer in ["meridian", "kzonesign", "dnssec-signzone"] {
        let own = median(signer, &cpu);
        let mebibytes = |cost: &Cost| cost.memory_peak_bytes as f64 / f64::from(1 << 20);
        let _ = writeln!(
            text,
            "{signer:<16} {:>8.2} {own:>8.2} {:>8.0} {:>15.2}",
            median(signer, &|cost| cost.wall_seconds),
            median(signer, &mebibytes),
            own / knot,
        );
    }
    text
}

/// A key of `dnssec-keygen`; returns the path that its two files start with.
fn generate_key(plan: &Plan, work: &Path, key_signing: bool) -> anyhow::Result<PathBuf> {
    let mut command = Command::new("dnssec-keygen");
    command
        .args(["-q", "-a", "ECDSAP256SHA256", "-K"])
        .arg(work);
    if key_signing {
        command.args(["-f", "KSK"]);
    }
    let output = command.arg(plan.zone.apex.to_string()).output();
    let output = output.context("dnssec-keygen, of Debian's bind9-utils")?;
    ensure!(output.status.success(), "dnssec-keygen: {output:?}");
    let name = String::from_utf8(output.stdout).context("name of a key")?;
    Ok(work.join(name.trim()))
}

fn meridian(plan: &Plan, work: &Path, keys: &[PathBuf]) -> Command {
    let mut command = Command::new(&plan.meridian);
    command.args(["compile", "--replace", "--zone-file"]);
    command
        .arg(&plan.zone.file)
        .arg("--image")
        .arg(work.join("image"));
    keys.iter().for_each(|key| {
        command.arg("--sign-with").arg(key);
    });
    // A fresh image each time: nothing to keep signatures from.
    let _ = std::fs::remove_dir_all(work.join("image"));
    command
}

fn bind(plan: &Plan, work: &Path, keys: &[PathBuf]) -> Command {
    let mut command = Command::new("dnssec-signzone");
    command.args(["-q", "-S", "-3", "-", "-A", "-H", "0", "-o"]);
    command.arg(plan.zone.apex.to_string()).arg("-K").arg(work);
    command.arg("-f").arg(work.join("bind.signed"));
    command
        .arg(&plan.zone.file)
        .args(keys.iter().filter_map(|key| key.file_name()));
    command
}

fn knot(plan: &Plan, work: &Path, round: usize) -> anyhow::Result<Command> {
    let here = work.join(format!("knot{round}"));
    std::fs::create_dir(&here).context("making a folder")?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let configuration = format!(
        "database:\n  storage: {here}\npolicy:\n- id: p\n  algorithm: ecdsap256sha256\n  \
         signing-threads: {threads}\n  nsec3: on\n  nsec3-opt-out: on\n  nsec3-iterations: 0\n  \
         nsec3-salt-length: 0\nzone:\n- domain: {apex}\n  file: {file}\n  dnssec-signing: on\n  \
         dnssec-policy: p\n",
        here = here.display(),
        apex = plan.zone.apex,
        file = plan.zone.file.display(),
    );
    let file = here.join("knot.conf");
    std::fs::write(&file, configuration).context("writing knot.conf")?;
    let mut command = Command::new("kzonesign");
    command.arg("-c").arg(file).arg("-o").arg(here);
    command.arg(plan.zone.apex.to_string());
    Ok(command)
}

/// Runs a signer to its end and reads what it took from `/proc`.
fn measure(signer: &'static str, mut command: Command) -> anyhow::Result<Cost> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("starting {signer}"))?;
    let mut memory_peak_bytes = 0;
    // While nobody has waited for it, the kernel still knows what it used.
    while !process::has_ended(child.id()) {
        if start.elapsed() > SIGNER_TIMEOUT {
            end(&mut child);
            bail!("{signer} took longer than {} s", SIGNER_TIMEOUT.as_secs());
        }
        memory_peak_bytes = process::memory_peak_bytes(child.id()).unwrap_or(memory_peak_bytes);
        sleep(LOOK);
    }
    let wall_seconds = start.elapsed().as_secs_f64();
    let cpu = process::cpu_time(child.id());
    let status = child
        .wait()
        .with_context(|| format!("waiting for {signer}"))?;
    ensure!(status.success(), "{signer}: {status}");
    Ok(Cost {
        signer,
        wall_seconds,
        cpu_seconds: (cpu.user + cpu.system).as_secs_f64(),
        memory_peak_bytes,
    })
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests;
