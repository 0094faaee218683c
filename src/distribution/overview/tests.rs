use super::super::state::DistributionStatus;
use super::*;

fn counter(event: u64, made_at_seconds: u64) -> Counter {
    Counter {
        epoch: 1,
        event,
        made_at: made_at_seconds * 1_000_000,
    }
}

fn report(node: &str, done: Option<Counter>, at: u64) -> Report {
    Report {
        node: node.to_owned(),
        at,
        event: done.map_or(0, |done| done.event),
        status: DistributionStatus {
            done,
            newest: done,
            behind_since: None,
            expires_at: None,
            bytes: 0,
            failures: 0,
            failure: None,
        },
    }
}

#[test]
fn lag_is_events_and_time_between_manifests() {
    let newest = counter(100, 5000);
    let reports = vec![
        report("c", None, 5000),
        report("b", Some(counter(90, 4000)), 4900),
        report("a", Some(newest), 5001),
    ];
    let overview = compare(newest, reports, 5010);
    let lags = overview.nodes.iter();
    let lags: Vec<_> = lags
        .map(|node| {
            let silent = node.silent_seconds;
            (&node.node[..], node.lag_events, node.lag_seconds, silent)
        })
        .collect();
    assert_eq!(
        lags,
        [("a", 0, 0, 9), ("b", 10, 1000, 110), ("c", 100, 5000, 10)]
    );
}
