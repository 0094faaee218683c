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
}
