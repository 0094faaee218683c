//! Two processes on one PostgreSQL: one writes, one waits.
//!
//! The writer is killed in one round and stopped in the next. A stopped one that is
//! woken again believes that it still writes. `MERIDIAN_ROUNDS=50` does what a
//! release has to show.

use std::time::{Duration, Instant};

use super::apply::{Apply, check};
use super::{Registry, rounds};

/// Longest time until the standby writes.
const TAKEOVER: Duration = Duration::from_secs(10);

#[test]
fn a_standby_takes_over_and_the_deposed_one_writes_nothing() {
    let Some(registry) = Registry::on_postgres() else {
        return;
    };
    let mut acknowledged = Vec::new();
    let mut slowest = Duration::ZERO;
    let mut active = Apply::start(&registry, "r0");
    let rounds = rounds(4);
    for round in 1..=rounds {
        for _ in 0..20 {
            acknowledged.push(active.next());
        }
        let standby = Apply::start(&registry, &format!("r{round}"));
        let before: Vec<i64> = registry.query("SELECT epoch FROM registry");
        let is_stopped = round % 2 == 0;
        active.signal(if is_stopped { "-STOP" } else { "-KILL" });
        let start = Instant::now();
        let first = standby.next();
        slowest = slowest.max(start.elapsed());
        assert!(
            start.elapsed() < TAKEOVER,
            "round {round}: {:?}",
            start.elapsed()
        );
        let after: Vec<i64> = registry.query("SELECT epoch FROM registry");
        assert!(
            after[0] > before[0],
            "epoch not raised: {before:?} {after:?}"
        );
        if is_stopped {
            active.signal("-CONT");
        }
        let (late, words) = active.ended();
        if is_stopped {
            assert!(words.contains("another process has taken over"), "{words}");
        }
        acknowledged.extend(late);
        let old = format!(
            "SELECT COALESCE(MAX(number), 0) FROM events WHERE object LIKE 'r{}-%'",
            round - 1
        );
        let old: Vec<i64> = registry.query(&old);
        assert!(
            old[0] < first.event,
            "the deposed one wrote at {old:?} after {first:?}"
        );
        acknowledged.push(first);
        active = standby;
    }
    active.signal("-KILL");
    acknowledged.extend(active.ended().0);
    check(&registry, &acknowledged);
    eprintln!(
        "{rounds} takeovers, slowest {slowest:?}, {} commands acknowledged",
        acknowledged.len()
    );
}
