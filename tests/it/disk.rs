//! A disk that is full in the middle of a compile: a tiny tmpfs in a mount
//! namespace of its own, which needs root.

use std::fmt::Write as _;
use std::process::Command;

use crate::support::{Folder, zone_text};

/// Mounts the tmpfs over `image` and runs three commands in it; prints the
/// status of the second.
const SCRIPT: &str = r#"
set -e
mount -t tmpfs -o size=192k none image
"$1" --config meridian.toml compile --zone-file small.zone
"$1" --config meridian.toml compile --zone-file large.zone || echo "status $?"
"$1" --config meridian.toml image verify
"$1" --config meridian.toml image info
ls image
"#;

#[test]
fn a_full_disk_ends_a_compile_and_leaves_the_image() {
    let root = Command::new("unshare").args(["--mount", "true"]).output();
    if !root.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: a tmpfs of its own needs root and `unshare`");
        return;
    }
    let folder = Folder::new();
    std::fs::create_dir(folder.path("image")).expect("the folder is new");
    folder.write("small.zone", &zone_text(7));
    let mut large = zone_text(8);
    for index in 0..20_000 {
        writeln!(large, "d{index} NS ns{index}.elsewhere.test.").expect("memory is there");
    }
    folder.write("large.zone", &large);
    let output = Command::new("unshare")
        .args([
            "--mount",
            "sh",
            "-c",
            SCRIPT,
            "sh",
            env!("CARGO_BIN_EXE_meridian"),
        ])
        .current_dir(folder.path("."))
        .output()
        .expect("unshare ran just now");
    let out = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{out}{error}");
    assert!(out.contains("status 1"), "{out}{error}");
    assert!(error.contains("No space left on device"), "{error}");
    assert!(error.contains("nothing was installed"), "{error}");
    assert!(out.contains("serial 7"), "{out}");
    assert!(
        !out.contains("segment.tmp"),
        "what could not be finished is removed: {out}"
    );
}
