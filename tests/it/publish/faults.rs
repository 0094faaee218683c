//! What fails on the way from a commit to DNS: the old generation serves on, the
//! failure is counted and told, and it recovers without anybody's help.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use hickory_proto::rr::RecordType;

use super::registry::Registry;
use super::{eventually, served};
use crate::support::{Running, ask, serial, zone_text};

/// Waits until a step has failed; says why.
#[track_caller]
fn failure(registry: &Registry, server: &Running, step: &str) -> String {
    let name = format!("meridian_publish_failures_total{{step=\"{step}\"}}");
    eventually(&format!("{step} fails"), || server.metric(&name) > 0);
    let status = registry.folder.status();
    let failure = status["publish"]["failure"].as_str();
    failure
        .unwrap_or_else(|| panic!("no failure: {status}"))
        .to_owned()
}

#[track_caller]
fn has_recovered(registry: &Registry) {
    eventually("no failure is left", || {
        registry.folder.status()["publish"]["failure"].is_null()
    });
}

/// Ends the server; lines of its log with `text`.
fn logged(server: Running, text: &str) -> usize {
    server.signal("-TERM");
    let (status, log) = server.wait();
    assert_eq!(status, Some(0), "{log:#?}");
    log.iter().filter(|line| line.contains(text)).count()
}

const ADD_CNAME: &str = "INSERT INTO zone_records (zone_id, owner, rtype, ttl, rdata) \
    SELECT id, 'www.example', 5, 60, \
    x'0161016200' FROM zones WHERE apex = 'example'";
const REMOVE_CNAME: &str = "DELETE FROM zone_records WHERE rtype = 5";

#[test]
fn a_refused_zone_keeps_its_old_version_and_holds_up_no_other() {
    let registry = Registry::with_zone(1);
    registry.import("other.zone", &zone_text(9).replace("example.", "other."));
    let server = registry.folder.serve();
    let address = server.addresses[0];
    registry.wait();
    // CNAME beside an address (RFC 1034 section 3.6.2).
    let refused = registry.change("example", &[ADD_CNAME]);
    let failure = failure(&registry, &server, "compile");
    assert!(failure.contains("example."), "{failure}");
    let event = refused.to_string();
    let never = ["registry", "wait", &event, "--timeout-seconds", "0"];
    registry
        .folder
        .fail(&never, &["not served", "refused (example.)"]);

    registry.change(
        "other",
        &["UPDATE zone_records SET ttl = 1234 WHERE owner = 'www.other'"],
    );
    eventually("the other zone is published", || {
        ask(address, "www.other.", RecordType::A).answers[0].ttl == 1234
    });
    assert_eq!(serial(address), 1, "the old version");
    assert_eq!(ask(address, "www.example.", RecordType::A).answers.len(), 1);

    let mended = registry.change("example", &[REMOVE_CNAME]);
    assert_eq!(registry.wait(), mended);
    assert_eq!(serial(address), 3);
    assert_eq!(registry.served(), registry.compiled());
    has_recovered(&registry);
    assert_eq!(
        logged(server, "zone refused"),
        1,
        "once, though it was seen often"
    );
}

#[test]
fn a_refused_zone_is_still_refused_after_a_restart_and_then_mended() {
    let registry = Registry::with_zone(1);
    registry.import("other.zone", &zone_text(9).replace("example.", "other."));
    drop(registry.folder.serve());
    registry.change("example", &[ADD_CNAME]);
    let server = registry.folder.serve();
    failure(&registry, &server, "compile");
    assert_eq!(serial(server.addresses[0]), 1);
    registry.change("example", &[REMOVE_CNAME]);
    served(&server, 1, 3);
    has_recovered(&registry);
}

#[test]
fn a_database_that_was_away_is_published_when_it_is_back() {
    let registry = Registry::with_zone(1);
    let server = registry.folder.serve();
    registry.wait();
    let parts = ["registry.db", "registry.db-wal", "registry.db-shm"];
    let rename = |from: &str, to: &str| {
        for part in parts {
            let from = registry.folder.path(&format!("{from}{part}"));
            if from.exists() {
                fs::rename(from, registry.folder.path(&format!("{to}{part}"))).unwrap();
            }
        }
    };
    rename("", "away-");
    let failure = failure(&registry, &server, "read");
    assert!(
        failure.contains("registry.db: no database there"),
        "{failure}"
    );
    assert_eq!(serial(server.addresses[0]), 1);
    rename("away-", "");
    has_recovered(&registry);
    registry.change("example", &[]);
    served(&server, 1, 2);
    assert_eq!(
        logged(server, "not published"),
        1,
        "once, though it was tried often"
    );
}

#[test]
fn a_registry_that_was_restored_is_served_as_it_is() {
    let registry = Registry::with_zone(1);
    let server = registry.folder.serve();
    registry.wait();
    registry
        .folder
        .succeed(&["registry", "init", "--database", "backup.db"]);
    let import = [
        "registry",
        "import",
        "--database",
        "backup.db",
        "--zone-file",
        "backup.zone",
    ];
    registry.folder.write("backup.zone", &zone_text(5));
    registry.folder.succeed(&import);
    for file in ["registry.db-wal", "registry.db-shm"] {
        let _ = fs::remove_file(registry.folder.path(file));
    }
    if registry.folder.path("backup.db-wal").exists() {
        let log = registry.folder.path("registry.db-wal");
        fs::rename(registry.folder.path("backup.db-wal"), log).unwrap();
    }
    fs::rename(
        registry.folder.path("backup.db"),
        registry.folder.path("registry.db"),
    )
    .unwrap();
    served(&server, 1, 5);
    assert_eq!(registry.served(), registry.compiled());
}

#[test]
fn a_registry_that_lost_every_zone_takes_nothing_out_of_service() {
    let registry = Registry::with_zone(1);
    let server = registry.folder.serve();
    registry.wait();
    registry.change("example", &["UPDATE zones SET state = 'importing'"]);
    let failure = failure(&registry, &server, "compile");
    assert!(failure.contains("no zone any more"), "{failure}");
    assert_eq!(serial(server.addresses[0]), 1);
    registry.change("example", &["UPDATE zones SET state = 'active'"]);
    served(&server, 1, 3);
    has_recovered(&registry);
}

/// A server whose image directory is a file system of its own with one megabyte.
fn serve_on_a_small_disk(registry: &Registry) -> Option<(Running, PathBuf)> {
    let script = "mount -t tmpfs -o size=1m tmpfs image";
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", script]);
        command.current_dir(registry.folder.path("."));
        command.stdin(Stdio::null());
        command
    };
    fs::create_dir(registry.folder.path("image")).unwrap();
    let works = unshare(script).stderr(Stdio::null()).status();
    if !works.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no mount namespaces here");
        return None;
    }
    let mut command = unshare(&format!("{script} && exec \"$0\" \"$@\""));
    let serve = registry.folder.command(&["serve"]);
    command.arg(serve.get_program()).args(serve.get_args());
    let server = registry.folder.serve_by(command);
    let image = registry.folder.path("image");
    // As the server sees it.
    let seen = format!("/proc/{}/root{}", server.pid(), image.display());
    Some((server, seen.into()))
}

#[test]
fn a_full_disk_keeps_the_old_generation_until_there_is_room() {
    let registry = Registry::with_zone(1);
    let Some((server, image)) = serve_on_a_small_disk(&registry) else {
        return;
    };
    registry.wait();
    let files = || fs::read_dir(&image).unwrap().count();
    let files_before = files();
    let mut filler = fs::File::create(image.join("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    registry.change("example", &[]);
    let failure = failure(&registry, &server, "write");
    assert!(failure.contains("No space left"), "{failure}");
    registry.change("example", &[]);
    let name = "meridian_publish_failures_total{step=\"write\"}";
    eventually("it is tried again and again", || server.metric(name) > 3);
    assert_eq!(serial(server.addresses[0]), 1);
    // The room comes back when nobody has the file open.
    drop(filler);
    fs::remove_file(image.join("filler")).unwrap();
    served(&server, 1, 3);
    has_recovered(&registry);
    assert_eq!(files(), files_before, "nothing is left of what failed");
    assert!(logged(server, "not published") <= 2, "told, not repeated");
}
