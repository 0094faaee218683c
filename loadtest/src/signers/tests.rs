//! The table, and reading what a process took.

use super::*;

#[test]
fn shares_are_of_the_processor_time_of_kzonesign() {
    let cost = |signer, cpu_seconds| Cost {
        signer,
        wall_seconds: 1.0,
        cpu_seconds,
        memory_peak_bytes: 3 << 20,
    };
    let costs = [
        cost("meridian", 4.0),
        cost("kzonesign", 16.0),
        cost("dnssec-signzone", 32.0),
    ];
    let table = table(&costs);
    let shares: Vec<&str> = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    assert_eq!(shares, ["0.25", "1.00", "2.00"]);
}

#[test]
fn a_program_is_measured_to_its_end() {
    let mut work = Command::new("sh");
    work.args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]);
    let cost = measure("sh", work).unwrap();
    assert!(cost.cpu_seconds > 0.0 && cost.wall_seconds >= cost.cpu_seconds / 2.0);
    assert!(cost.memory_peak_bytes > 0);
    assert!(measure("false", Command::new("false")).is_err());
}
