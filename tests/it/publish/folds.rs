//! Folds go on beside publishes, and one that fails is told and tried again.
//!
//! A named pipe in the place of the file that a fold writes holds it at a known point:
//! opening it waits for a reader, and then it is no file that a segment can be in.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fs::File;
use std::process::Command;

use super::changes::{registry, run};
use super::eventually;
use super::registry::Registry;
use crate::support::{Running, serial, zone_text};

/// Small publishes, one segment each: enough to make a fold due.
const CHANGES: u32 = 24;

/// A served registry whose folds are held, after many changes.
fn held() -> (Registry, Running) {
    let registry = registry(1500);
    let server = registry.folder.serve();
    registry.wait();
    let made = Command::new("mkfifo").arg(file(&registry)).status();
    assert!(made.unwrap().success());
    for change in 0..CHANGES {
        let name = format!("d{}.example", 2 * change + 1);
        let hold = ["domain", "update", &name, "--add-status", "serverHold"];
        run(&registry, &hold);
        assert_eq!(serial(server.addresses[0]), 2 + change);
    }
    assert_eq!(server.metric("meridian_image_folds_total"), 0);
    (registry, server)
}

fn file(registry: &Registry) -> std::path::PathBuf {
    registry.folder.path("image/segment.folding")
}

#[test]
fn publishes_go_on_while_a_fold_is_held_and_one_that_fails_is_told_and_tried_again() {
    let (registry, server) = held();
    // Opening it waits for the fold, which was there all the time.
    let reader = File::open(file(&registry)).unwrap();
    eventually("the fold fails", || {
        server.metric("meridian_image_fold_failures_total") == 1
    });
    drop(reader);
    eventually("segments are folded", || {
        server.metric("meridian_image_folds_total") > 0
            && server.metric("meridian_image_segments") < 20
    });
    assert_eq!(serial(server.addresses[0]), 1 + CHANGES);
    for step in ["write", "verify", "canary"] {
        let name = format!("meridian_publish_failures_total{{step=\"{step}\"}}");
        assert_eq!(server.metric(&name), 0);
    }
    assert_eq!(registry.served(), registry.compiled());
    server.signal("-TERM");
    let (status, log) = server.wait();
    assert_eq!(status, Some(0));
    let told = |text: &str| log.iter().filter(|line| line.contains(text)).count();
    assert_eq!(told("segments not folded"), 1, "{log:#?}");
    assert_eq!(told("folds again"), 1, "{log:#?}");
}

#[test]
fn a_server_killed_in_a_fold_leaves_the_image_whole() {
    let (registry, server) = held();
    let reader = File::open(file(&registry)).unwrap();
    server.signal("-KILL");
    server.wait();
    drop(reader);
    registry.folder.succeed(&["image", "verify"]);
    // What a fold has written before it is killed.
    let _ = std::fs::remove_file(file(&registry));
    std::fs::write(file(&registry), zone_text(1)).unwrap();
    let server = registry.folder.serve();
    assert_eq!(serial(server.addresses[0]), 1 + CHANGES);
    eventually("segments are folded", || {
        server.metric("meridian_image_folds_total") > 0
            && server.metric("meridian_image_segments") < 20
    });
    assert!(!file(&registry).exists());
    assert_eq!(registry.served(), registry.compiled());
}
