//! Running a command under strace: to count its calls, to list them, to kill it at one.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};

/// Kinds of calls that change what is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    /// Data.
    Write,
    /// Making it last.
    Sync,
    /// Making it visible.
    Rename,
    /// Removing.
    Unlink,
    /// Making shorter or longer.
    Truncate,
}

impl Call {
    const ALL: [Self; 5] = [
        Self::Write,
        Self::Sync,
        Self::Rename,
        Self::Unlink,
        Self::Truncate,
    ];

    /// Names of the system calls, as strace takes them; `?` lets a name be unknown.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Write => &["write", "pwrite64", "writev", "pwritev", "pwritev2"],
            Self::Sync => &["fsync", "fdatasync", "msync", "sync_file_range"],
            Self::Rename => &["rename", "renameat", "renameat2", "link", "linkat"],
            Self::Unlink => &["unlink", "unlinkat"],
            Self::Truncate => &["truncate", "ftruncate", "fallocate"],
        }
    }

    fn set(self) -> String {
        self.names()
            .iter()
            .map(|name| format!("?{name}"))
            .collect::<Vec<_>>()
            .join(",")
    }
}

/// A call of a log.
#[derive(Debug)]
pub(super) struct Entry {
    thread: String,
    /// Name of the system call.
    pub(super) name: String,
    /// Its arguments, descriptors with their paths: `3</tmp/x>, ...`.
    pub(super) text: String,
}

impl Entry {
    /// `1234 fsync(3</tmp/x>) = 0`
    fn parse(line: &str) -> Option<Self> {
        let (thread, call) = line.split_once(' ')?;
        let (name, text) = call.trim_start().split_once('(')?;
        let named = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        named.then(|| Self {
            thread: thread.to_owned(),
            name: name.to_owned(),
            text: text.to_owned(),
        })
    }

    fn is(&self, call: Call) -> bool {
        call.names().contains(&self.name.as_str())
    }

    pub(super) fn is_sync(&self) -> bool {
        self.is(Call::Sync)
    }

    pub(super) fn is_rename(&self) -> bool {
        self.is(Call::Rename)
    }

    pub(super) fn is_write(&self) -> bool {
        self.is(Call::Write)
    }
}

/// Runs `command` to its end and lists its calls that change files.
pub(super) fn log(command: Command, file: &Path) -> anyhow::Result<Vec<Entry>> {
    let all = Call::ALL.map(Call::set).join(",");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-s", "16", "-e", "signal=none", "-e"]);
    strace.arg(format!("trace={all}")).arg("-o").arg(file);
    append(&mut strace, &command);
    let output = strace.output().context("starting strace")?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let text = fs::read_to_string(file)?;
    Ok(text.lines().filter_map(Entry::parse).collect())
}

/// How often each kind of call is made by the thread that makes most of it: strace
/// counts each thread by itself.
pub(super) fn count(command: Command, file: &Path) -> anyhow::Result<Vec<(Call, u64)>> {
    let entries = log(command, file)?;
    let mut counts = Vec::new();
    for call in Call::ALL {
        let mut threads: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.is(call)) {
            *threads.entry(&entry.thread).or_default() += 1;
        }
        counts.extend(threads.values().max().map(|most| (call, *most)));
    }
    ensure!(counts.len() >= 2, "calls of {} kinds only", counts.len());
    Ok(counts)
}

/// Runs `command` and kills it at the `when`-th such call of a thread. Returns whether
/// it came to that; a run that ends before must succeed.
pub(super) fn kill_at(command: Command, call: Call, when: u64) -> anyhow::Result<bool> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e"]);
    strace.arg(format!("trace={}", call.set()));
    strace
        .arg("-e")
        .arg(format!("inject={}:signal=SIGKILL:when={when}", call.set()));
    append(&mut strace, &command);
    let output = strace.output().context("starting strace")?;
    // strace ends by the signal that ended its tracee.
    if output.status.signal() == Some(9) || output.status.code() == Some(128 + 9) {
        return Ok(true);
    }
    if !output.status.success() {
        bail!(
            "{}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(false)
}

fn append(strace: &mut Command, command: &Command) {
    strace.arg(command.get_program()).args(command.get_args());
}

/// Whether calls that fit the steps follow one another, with others between them.
pub(super) fn in_order(calls: &[Entry], steps: &[&dyn Fn(&Entry) -> bool]) -> anyhow::Result<()> {
    let mut rest = calls.iter();
    for (number, step) in steps.iter().enumerate() {
        if !rest.any(step) {
            let all: Vec<_> = calls
                .iter()
                .map(|call| format!("{}({}", call.name, call.text))
                .collect();
            bail!(
                "step {} of {} is not in\n{}",
                number + 1,
                steps.len(),
                all.join("\n")
            );
        }
    }
    Ok(())
}

#[test]
fn entries_are_read_and_held_in_order() {
    let log = "7 fsync(3</x/a.tmp>) = 0\n7 rename(\"/x/a.tmp\", \"/x/a\") = 0\n8 +++ exited +++\n";
    let entries: Vec<_> = log.lines().filter_map(Entry::parse).collect();
    assert_eq!(entries.len(), 2);
    let sync = |call: &Entry| call.is_sync() && call.text.contains("a.tmp");
    let rename = |call: &Entry| call.is_rename();
    assert!(in_order(&entries, &[&sync, &rename]).is_ok());
    assert!(in_order(&entries, &[&rename, &sync]).is_err());
}
