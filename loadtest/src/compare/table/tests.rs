use crate::compare::testing::comparison;

use super::*;

#[test]
fn the_table_names_every_server_and_what_is_missing() {
    let text = format(&comparison());
    for expected in [
        "Meridian",
        "Knot",
        "NSD",
        "echo",
        "not installed: PowerDNS",
        "no & never",
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    let line = text.lines().find(|line| line.starts_with("NSD")).unwrap();
    assert!(line.contains("50000..50000"), "{line}");
    assert!(line.ends_with(" 2"), "losses of both rounds: {line}");
    let words: Vec<_> = line.split_whitespace().rev().collect();
    assert_eq!(
        words[1..3],
        ["3.00", "7"],
        "what was not the server's: {line}"
    );
}

#[test]
fn gaps_with_and_without_a_reload_stand_beside_each_other() {
    let mut comparison = comparison();
    comparison.reloads = vec![Reload {
        server: "Knot".to_owned(),
        gap_microseconds_max: 9500.0,
        quiet_gap_microseconds_max: 8250.0,
        gap_excess_microseconds: 1250.0,
        ..Reload::default()
    }];
    let text = format(&comparison);
    let line = text
        .lines()
        .find(|line| line.starts_with("Knot  ") && line.contains("9.50"));
    let words: Vec<_> = line.unwrap().split_whitespace().collect();
    assert_eq!(words[4..7], ["9.50", "8.25", "1.25"], "{text}");
    comparison.reloads.clear();
    assert!(
        !format(&comparison).contains("longer by"),
        "a heading of nothing"
    );
}
