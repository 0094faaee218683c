//! `meridian check-config` and configuration faults at start.

use crate::support::Folder;

#[test]
fn the_shipped_file_has_no_faults() {
    let folder = Folder::new();
    folder.write("meridian.toml", include_str!("../../dist/meridian.toml"));
    assert_eq!(
        folder.succeed(&["check-config"]),
        "meridian.toml: no faults\n"
    );
}

#[test]
fn every_fault_is_printed_with_its_line() {
    let folder = Folder::new();
    folder.write(
        "meridian.toml",
        "[dns]\nworkers = -1\nfoo = 2\n\n[log]\nlevel = \"loud\"\n",
    );
    let output = folder.run(&["check-config"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    for (line, start) in
        lines
            .iter()
            .zip(["meridian.toml:2:", "meridian.toml:3:", "meridian.toml:6:"])
    {
        assert!(line.starts_with(start), "{text}");
    }
    let json = folder.run(&["check-config", "--json"]);
    let faults: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(faults[1]["line"], 3);
}

#[test]
fn serve_names_the_first_fault_and_how_to_see_all() {
    let folder = Folder::new();
    folder.write("meridian.toml", "[dns]\nfoo = 1\nbar = 2\n");
    folder.fail(
        &["serve"],
        &["2 configuration faults", "meridian.toml:2", "check-config"],
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = Folder::new();
    std::fs::remove_file(folder.path("meridian.toml")).unwrap();
    for command in ["serve", "check-config", "reload", "compile"] {
        folder.fail(
            &[command],
            &["cannot read configuration: meridian.toml", "--config"],
        );
    }
}
