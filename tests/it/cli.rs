//! The command line: exit statuses, faults, and the commands on images.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::process::Command;

use crate::support::{Folder, zone_text};

#[track_caller]
fn check_status(arguments: &[&str], expected: i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(expected), "{arguments:?}");
}

#[test]
fn usage_is_2_and_help_is_0() {
    check_status(&["--help"], 0);
    check_status(&["compile", "--help"], 0);
    check_status(&["--version"], 0);
    check_status(&[], 2);
    check_status(&["frobnicate"], 2);
    check_status(&["serve", "--frobnicate"], 2);
    check_status(&["image"], 2);
    check_status(&["compile", "--zone-file", "a", "--database", "b"], 2);
}

#[test]
fn commands_for_a_server_say_that_there_is_none() {
    for command in ["reload", "status"] {
        Folder::new().fail(
            &[command],
            &["no server answers", "control.sock", "meridian serve"],
        );
    }
}

/// The records of a dump, sorted.
fn records(folder: &Folder) -> Vec<String> {
    let mut records: Vec<_> = folder
        .succeed(&["image", "dump"])
        .lines()
        .map(str::to_owned)
        .collect();
    records.sort();
    records
}

#[test]
fn a_dump_compiles_to_the_same_image() {
    let folder = Folder::with_image(3);
    let first = records(&folder);
    assert_eq!(first.len(), 9, "{first:#?}");
    assert!(first.contains(&"ns.inside.example.\t3600\tIN\tA\t192.0.2.99".to_owned()));
    let dump = folder.succeed(&["image", "dump", "--zone", "example"]);
    assert!(dump.lines().next().unwrap().contains("SOA"), "{dump}");
    folder.write("dump.zone", &dump);
    folder.succeed(&["compile", "--replace", "--zone-file", "dump.zone"]);
    assert_eq!(records(&folder), first);
}

#[test]
fn query_answers_without_a_server() {
    let folder = Folder::with_image(3);
    let reply = folder.succeed(&["image", "query", "x.inside.example", "AAAA"]);
    assert!(reply.contains("Referral, rcode 0,"), "{reply}");
    assert!(
        reply.contains("ns.inside.example.\t3600\tIN\tAAAA\t2001:db8::99"),
        "{reply}"
    );
    let json = folder.succeed(&["image", "query", "www.example", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["answer"][0], "www.example.\t3600\tIN\tA\t192.0.2.80");
    assert_eq!(json["authoritative"], true);
    folder.fail(&["image", "query", "a..b"], &["a..b"]);
    folder.fail(&["image", "query", "a.b", "NONSENSE"], &["NONSENSE"]);
}

#[test]
fn info_and_verify_describe_the_image() {
    let folder = Folder::with_image(3);
    let info = folder.succeed(&["image", "info", "--json"]);
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    assert_eq!(info["zones"][0]["serial"], 3);
    assert_eq!(info["zones"][0]["delegations"], 2);
    assert!(folder.succeed(&["image", "verify"]).contains("no faults"));
}

#[test]
fn a_damaged_image_fails_verify_and_says_where() {
    let folder = Folder::with_image(3);
    let segment = std::fs::read_dir(folder.path("image"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max_by_key(|path| std::fs::metadata(path).unwrap().len())
        .unwrap();
    let good = std::fs::read(&segment).unwrap();
    let name = segment.file_name().unwrap().to_str().unwrap();
    for at in [0, 70, good.len() / 2, good.len() - 1] {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        std::fs::write(&segment, &bytes).unwrap();
        folder.fail(&["image", "verify"], &["image", name]);
    }
    std::fs::write(&segment, &good[..good.len() / 2]).unwrap();
    folder.fail(&["image", "verify"], &["image", name]);
}

#[test]
fn zones_compile_side_by_side() {
    let folder = Folder::with_image(3);
    folder.write("other.zone", &zone_text(9).replace("example.", "other."));
    folder.succeed(&["compile", "--zone-file", "other.zone"]);
    let info = folder.succeed(&["image", "info"]);
    assert!(
        info.contains("example. serial 3") && info.contains("other. serial 9"),
        "{info}"
    );
    folder.succeed(&["compile", "--replace", "--zone-file", "other.zone"]);
    let info = folder.succeed(&["image", "info"]);
    assert!(
        !info.contains("example.") && info.contains("other. serial 9"),
        "{info}"
    );
}

#[test]
fn a_refused_zone_tells_every_fault_and_changes_nothing() {
    let folder = Folder::with_image(3);
    let broken = "$ORIGIN example.\n$TTL 60\n@ SOA ns1 host 4 1 1 1 1\n@ NS ns1\n\
                  ns1 A 300.1.1.1\nwww A nonsense\n";
    folder.write("broken.zone", broken);
    let output = folder.run(&["compile", "--zone-file", "broken.zone"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        error.contains("broken.zone:5:") && error.contains("broken.zone:6:"),
        "{error}"
    );
    assert!(
        error
            .lines()
            .last()
            .unwrap()
            .contains("2 faults; nothing was installed"),
        "{error}"
    );
    assert!(folder.succeed(&["image", "info"]).contains("serial 3"));
}

#[test]
fn a_zone_file_that_is_not_there_is_named() {
    Folder::new().fail(
        &["compile", "--zone-file", "no.zone"],
        &["zone file", "no.zone"],
    );
}

#[test]
fn a_registry_is_made_filled_read_and_compiled() {
    let folder = Folder::new();
    folder.write("example.zone", &zone_text(6));
    let registry = |command: &str, more: &[&str]| {
        let arguments = [&["registry", command, "--database", "registry.db"], more].concat();
        folder.succeed(&arguments)
    };
    registry("init", &[]);
    folder.fail(
        &["registry", "init", "--database", "registry.db"],
        &["registry.db"],
    );
    let import = registry("import", &["--zone-file", "example.zone"]);
    assert!(import.contains("2 domains"), "{import}");
    let status = registry("status", &[]);
    assert!(
        status.contains("example active serial 6: 2 domains"),
        "{status}"
    );
    let compiled = folder.succeed(&["compile", "--database", "sqlite:registry.db"]);
    assert!(compiled.contains("2 delegations"), "{compiled}");
    let from_registry = records(&folder);
    registry("export", &["--zone-file", "export.zone"]);
    folder.succeed(&["compile", "--replace", "--zone-file", "export.zone"]);
    assert_eq!(records(&folder), from_registry);
    folder.succeed(&["compile", "--replace", "--zone-file", "example.zone"]);
    assert_eq!(records(&folder), from_registry);
}

#[test]
fn a_registry_that_is_not_there_is_named() {
    Folder::new().fail(
        &["registry", "status", "--database", "no.db"],
        &["no.db", "init"],
    );
}

#[test]
fn a_folder_of_zone_files_compiles_whole() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("zones")).unwrap();
    folder.fail(&["compile", "--zone-file", "zones"], &["zones", ".zone"]);
    for apex in ["one", "two", "three"] {
        let text = zone_text(4).replace("example.", &format!("{apex}."));
        folder.write(&format!("zones/{apex}.zone"), &text);
    }
    folder.write("zones/notes.txt", "no zone");
    folder.succeed(&["compile", "--zone-file", "zones"]);
    let info = folder.succeed(&["image", "info"]);
    for apex in ["one. serial 4", "two. serial 4", "three. serial 4"] {
        assert!(info.contains(apex), "{info}");
    }
}
