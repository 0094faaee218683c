use std::time::Duration;

use super::{describe, one_line};

#[track_caller]
fn check(done: u64, total: u64, millis: u64, expected: &str) {
    assert_eq!(
        describe(done, total, Duration::from_millis(millis)),
        expected
    );
}

#[test]
fn shows_share_rate_and_time_left() {
    check(1200, 5000, 2000, "1200 of 5000 (24 %), 600/s, 6 s left");
}

#[test]
fn shows_rate_without_a_total() {
    check(500, 0, 250, "500, 2000/s");
}

#[test]
fn has_no_estimate_before_the_first_record() {
    check(0, 5000, 2000, "0 of 5000 (0 %), 0/s");
}

#[test]
fn survives_more_than_expected() {
    check(6000, 5000, 1000, "6000 of 5000 (120 %), 6000/s, 0 s left");
}

#[test]
fn a_fault_is_one_line_and_repeats_nothing() {
    let error = anyhow::anyhow!("no such\nfile")
        .context("image: dir: no such file; compile one")
        .context("cannot start");
    assert_eq!(
        one_line(&error),
        "cannot start: image: dir: no such file; compile one"
    );
}
