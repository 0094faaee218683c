//! Two processes on one PostgreSQL: one writes, one waits.
//!
//! The writer is killed in one round and stopped in the next. A stopped one that is
//! woken again believes that it still writes. `tests/run --soak` does fifty rounds.

use std::time::{Duration, Instant};

use super::Registry;
use super::apply::{Apply, check};

/// Longest time until the standby writes.
const TAKEOVER: Duration = Duration::from_secs(10);

#[test]
fn a_standby_takes_over_and_the_deposed_one_writes_nothing() {
    takeover_rounds(4);
}

/// Takes over `rounds` times and prints how long it took.
pub(crate) fn takeover_rounds(rounds: u64) {
    let Some(registry) = Registry::on_postgres() else {
        return;
    };
    let mut acknowledged = Vec::new();
    let (mut after_kill, mut after_stop) = (Vec::new(), Vec::new());
    let mut active = Apply::start(&registry, "r0");
    for round in 1..=rounds {
        for _ in 0..20 {
            acknowledged.push(active.next());
        }
        let (_, refusal) = registry.fail(&["apply"]);
        assert!(refusal.contains("writes it; stop that"), "{refusal}");
        let standby = Apply::start(&registry, &format!("r{round}"));
        let before: Vec<i64> = registry.query("SELECT epoch FROM registry");
        let is_stopped = round % 2 == 0;
        active.signal(if is_stopped { "-STOP" } else { "-KILL" });
        let start = Instant::now();
        let first = standby.next();
        let took = start.elapsed();
        assert!(took < TAKEOVER, "round {round}: {took:?}");
        if is_stopped {
            after_stop.push(took);
        } else {
            after_kill.push(took);
        }
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
        "{rounds} takeovers, {} commands acknowledged and there; after kill -9 {}; after \
         SIGSTOP {}",
        acknowledged.len(),
        spread(&mut after_kill),
        spread(&mut after_stop),
    );
}

fn spread(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
    format!("median {median:.1?}, slowest {slowest:.1?}")
}
