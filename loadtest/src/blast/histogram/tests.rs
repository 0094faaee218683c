use super::*;

#[test]
fn buckets_cover_every_value_in_order() {
    let mut before = 0;
    for value in
        (0..4096).chain((12..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]))
    {
        let index = bucket(value);
        assert!(index >= before, "{value}");
        assert!(bucket_last(index) >= value, "{value}");
        assert!(
            bucket_last(index) - value <= value / STEPS,
            "{value} is too coarse"
        );
        before = index;
    }
    assert!(bucket(u64::MAX) < BUCKETS);
    assert_eq!(bucket_last(bucket(u64::MAX)), u64::MAX);
}

#[test]
fn quantiles_are_those_of_the_values() {
    let mut histogram = Histogram::default();
    for value in 1..=10_000 {
        histogram.record(value * 1000);
    }
    for (per_mille, exact) in [(500, 5_000_000), (990, 9_900_000), (999, 9_990_000)] {
        let found = histogram.quantile(per_mille);
        assert!(
            found >= exact && found - exact < exact / 25,
            "{per_mille}: {found}"
        );
    }
    assert_eq!(histogram.quantile(1000), 10_000_000);
    assert_eq!(histogram.max(), 10_000_000);
}

#[test]
fn one_slow_reply_in_a_thousand_is_seen_in_the_tail_only() {
    let mut histogram = Histogram::default();
    for _ in 0..1998 {
        histogram.record(100);
    }
    histogram.record(5_000_000);
    histogram.record(6_000_000);
    assert!(histogram.quantile(999) < 110);
    assert_eq!(histogram.max(), 6_000_000);
    assert_eq!(Histogram::default().quantile(990), 0);
}
