//! Reading what the kernel knows of processes and sockets, from `/proc`.

use std::fs;
use std::time::Duration;

/// Processor time of a process and of those it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// In user mode.
    pub user: Duration,
    /// In the kernel.
    pub system: Duration,
}

/// Hundredths of a second: USER_HZ, part of Linux' interface on every platform we run on.
const TICK: Duration = Duration::from_millis(10);
/// Most processes of one tree.
const PROCESSES_MAX: usize = 256;

/// Processor time of `pid` and its living descendants, to 10 ms.
pub fn cpu_time(pid: u32) -> CpuTime {
    let times = tree(pid)
        .into_iter()
        .filter_map(|pid| parse_stat_times(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?));
    times.fold(CpuTime::default(), |sum, time| CpuTime {
        user: sum.user + time.user,
        system: sum.system + time.system,
    })
}

/// How long threads of `pid` and of its living descendants were ready to run while others
/// had the CPU.
pub fn waiting_time(pid: u32) -> Duration {
    let tasks = tree(pid).into_iter().filter_map(|pid| {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
        Some(tasks.flatten())
    });
    let times = tasks.flatten().filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        parse_waiting_time(&text)
    });
    times.sum()
}

/// Whether `pid` is no more, or only waits for somebody to ask for its status.
pub fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    state.is_none_or(|state| state.starts_with(['Z', 'X']))
}

/// Proportional memory (PSS) of `pid` and its living descendants, in octets: pages
/// that several processes share count once.
pub fn memory_bytes(pid: u32) -> u64 {
    tree(pid)
        .into_iter()
        .filter_map(|pid| {
            parse_kilobytes(
                &fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?,
                "Pss:",
            )
        })
        .sum()
}

/// Largest resident memory of `pid` so far, in octets.
pub fn memory_peak_bytes(pid: u32) -> Option<u64> {
    parse_kilobytes(
        &fs::read_to_string(format!("/proc/{pid}/status")).ok()?,
        "VmHWM:",
    )
}

/// Datagrams dropped for want of room in a receive buffer since boot, IPv4 and IPv6,
/// in this network namespace.
pub fn udp_buffer_drops() -> u64 {
    let v4 = fs::read_to_string("/proc/net/snmp").unwrap_or_default();
    let v6 = fs::read_to_string("/proc/net/snmp6").unwrap_or_default();
    let v6 = v6.lines().find_map(|line| {
        line.strip_prefix("Udp6RcvbufErrors")?
            .trim()
            .parse::<u64>()
            .ok()
    });
    parse_snmp(&v4, "Udp:", "RcvbufErrors").unwrap_or(0) + v6.unwrap_or(0)
}

/// `pid` and its descendants.
fn tree(pid: u32) -> Vec<u32> {
    let mut pids = vec![pid];
    let mut next = 0;
    while next < pids.len() && pids.len() < PROCESSES_MAX {
        let pid = pids[next];
        next += 1;
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
            continue;
        };
        for task in tasks.flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            pids.extend(
                children
                    .split_whitespace()
                    .filter_map(|child| child.parse::<u32>().ok()),
            );
        }
    }
    pids
}

/// User and system time from `/proc/PID/stat` (proc(5): fields 14 and 15).
fn parse_stat_times(stat: &str) -> Option<CpuTime> {
    // The second field is a name that may hold spaces and brackets.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || Some(TICK * fields.next()?.parse().ok()?);
    Some(CpuTime {
        user: ticks()?,
        system: ticks()?,
    })
}

/// The second field of `/proc/PID/schedstat`: nanoseconds on a run queue.
fn parse_waiting_time(text: &str) -> Option<Duration> {
    let nanoseconds = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

fn parse_kilobytes(text: &str, key: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(key))?;
    Some(
        value
            .trim()
            .strip_suffix("kB")?
            .trim()
            .parse::<u64>()
            .ok()?
            * 1024,
    )
}

/// A counter of `/proc/net/snmp`: a line of names, then a line of values.
fn parse_snmp(text: &str, protocol: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter(|line| line.starts_with(protocol));
    let (names, values) = (lines.next()?, lines.next()?);
    let place = names.split_whitespace().position(|word| word == name)?;
    values.split_whitespace().nth(place)?.parse().ok()
}

#[cfg(test)]
mod tests;
