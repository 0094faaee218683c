//! Percentiles.

use super::*;

#[test]
fn percentiles_are_values_that_were_measured() {
    let times = (1..=100).map(Duration::from_millis).collect();
    let Times { p50, p99, longest } = Times::of(times);
    assert_eq!((p50, p99, longest), (50.0, 99.0, 100.0));
    let one = Times::of(vec![Duration::from_millis(7)]);
    assert_eq!((one.p50, one.p99, one.longest), (7.0, 7.0, 7.0));
}
