//! A disk that is full while an edge fetches: a tiny tmpfs in a mount namespace of its own,
//! which needs root.

use std::process::Command;

use super::{answers, edge, primary, store};
use crate::publish::eventually;
use crate::support::{serial, zone_text};

/// Mounts the tmpfs over `image` and becomes the server.
const SCRIPT: &str =
    "mount -t tmpfs -o size=200k none image && exec \"$1\" --config meridian.toml serve";

#[test]
fn a_full_disk_changes_nothing_that_is_served_and_mends_itself() {
    let root = Command::new("unshare").args(["--mount", "true"]).output();
    if !root.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: a tmpfs of its own needs root and `unshare`");
        return;
    }
    let (primary, key) = primary("");
    primary.compile(1);
    let _first = primary.serve();
    let east = edge("east", &store(&primary), &key, "");
    std::fs::create_dir(east.path("image")).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", SCRIPT, "sh"])
        .arg(env!("CARGO_BIN_EXE_meridian"))
        .current_dir(east.path("."));
    let server = east.serve_by(command);
    answers(&server, 1);
    let mut large = zone_text(2);
    // Compressed it fits, and unfolded it does not.
    for index in 0..10_000 {
        large.push_str(&format!("d{index} NS ns{index}.elsewhere.test.\n"));
    }
    primary.write("example.zone", &large);
    primary.succeed(&["compile", "--zone-file", "example.zone"]);
    let failures = "meridian_distribution_failures_total{trouble=\"disk\"}";
    eventually("that the disk is full", || server.metric(failures) > 0);
    let failure = &east.status()["distribution"]["failure"];
    let failure = failure.as_str().unwrap_or_default();
    assert!(failure.contains("No space left on device"), "{failure}");
    assert_eq!(serial(server.addresses[0]), 1);
    // It is tried again, and what was fetched is not fetched again.
    eventually("some tries", || server.metric(failures) > 3);
    let packs = std::fs::read_dir(primary.path("store/packs")).unwrap();
    let packs: u64 = packs
        .map(|pack| pack.unwrap().metadata().unwrap().len())
        .sum();
    assert!(server.metric("meridian_distribution_transferred_bytes_total") <= packs);
    assert_eq!(server.page("/healthz").0, "HTTP/1.1 200 OK");
    // What fits is taken, and nothing of what did not is in its way.
    primary.compile(3);
    answers(&server, 3);
    eventually("all is well", || {
        server.metric("meridian_distribution_failing") == 0
    });
}
