use super::*;

const OUTPUT: &str = "\
DNS Performance Testing Tool
Version 2.10.0

Statistics:

  Queries sent:         123456
  Queries completed:    123450 (99.99%)
  Queries lost:         6 (0.01%)

  Response codes:       NOERROR 123000 (99.63%), NXDOMAIN 450 (0.36%)
  Average packet size:  request 33, response 120
  Run time (s):         1.000123
  Queries per second:   123434.817

  Average Latency (s):  0.000512 (min 0.000010, max 0.014321)
  Latency StdDev (s):   0.000200
";

#[test]
fn the_summary_is_read() {
    let summary = parse(OUTPUT).unwrap();
    assert_eq!(
        (summary.sent, summary.completed, summary.lost),
        (123_456, 123_450, 6)
    );
    assert!((summary.rate - 123_434.817).abs() < 0.001);
    assert!((summary.latency_microseconds_mean - 512.0).abs() < 0.001);
    assert!((summary.latency_microseconds_max - 14_321.0).abs() < 0.001);
    let rcodes = [
        ("NOERROR".to_owned(), 123_000),
        ("NXDOMAIN".to_owned(), 450),
    ];
    assert_eq!(summary.rcodes, rcodes);
}

#[test]
fn an_output_without_a_summary_is_refused() {
    assert_eq!(parse(""), None);
    assert_eq!(
        parse(&OUTPUT.replace("Queries lost", "Queries found")),
        None
    );
}
