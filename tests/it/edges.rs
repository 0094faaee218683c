//! A primary and its edges as they are run: what is put out is served elsewhere, whatever
//! an edge was doing when it was killed, and a server that stops is announced no more.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod disk;
mod routes;

use std::path::Path;

use hickory_proto::rr::{RData, RecordType};

use crate::publish::eventually;
use crate::support::{Folder, Running, ask, serial, zone_text};

/// A folder whose configuration has this role and these tables.
fn folder(role: &str, tables: &str) -> Folder {
    let folder = Folder::new();
    let text = std::fs::read_to_string(folder.path("meridian.toml")).unwrap();
    folder.write(
        "meridian.toml",
        &format!("role = \"{role}\"\n{text}{tables}"),
    );
    folder
}

/// A primary with a key of its own; gives what edges have to trust.
pub(crate) fn primary(tables: &str) -> (Folder, String) {
    let folder = folder(
        "primary",
        &format!(
            "[keys]\nsecret-file = \"secret\"\n[distribution]\nstore = \"file://STORE\"\n\
             signing-key-file = \"signing.key\"\ninterval-milliseconds = 0\n{tables}"
        ),
    );
    let path = folder.path("meridian.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let store = folder.path("store").display().to_string();
    std::fs::write(&path, text.replace("STORE", &store)).unwrap();
    folder.succeed(&["keys", "init"]);
    let key = folder.succeed(&["edge", "key"]);
    (folder, key.trim().to_owned())
}

/// An edge that asks this source.
pub(crate) fn edge(name: &str, source: &str, key: &str, tables: &str) -> Folder {
    folder(
        "edge",
        &format!(
            "[edge]\nname = \"{name}\"\nsources = [\"{source}\"]\ntrusted-keys = [\"{key}\"]\n\
             poll-milliseconds = 10\nreport-seconds = 1\n{tables}"
        ),
    )
}

fn store(primary: &Folder) -> String {
    format!("file://{}", primary.path("store").display())
}

/// Waits until an edge answers this serial; one that has nothing yet refuses.
#[track_caller]
pub(crate) fn answers(server: &Running, wanted: u32) {
    eventually(&format!("serial {wanted}"), || {
        let answer = ask(server.addresses[0], "example.", RecordType::SOA);
        let soa = answer.answers.first().map(|soa| &soa.data);
        matches!(soa, Some(RData::SOA(soa)) if soa.serial == wanted)
    });
}

#[test]
fn what_a_primary_compiles_is_answered_by_an_edge() {
    let (primary, key) = primary("");
    primary.compile(1);
    let first = primary.serve();
    let east = edge("east", &store(&primary), &key, "");
    let server = east.serve();
    answers(&server, 1);
    for new in 2..5 {
        primary.compile(new);
        answers(&server, new);
    }
    assert_eq!(server.page("/healthz").0, "HTTP/1.1 200 OK");
    assert_eq!(server.metric("meridian_distribution_lag_events"), 0);
    assert!(server.metric("meridian_distribution_manifests_total") >= 4);
    assert!(first.metric("meridian_distribution_objects_total") >= 4);
    let status = &east.status()["distribution"];
    assert_eq!(status["side"], "edge");
    assert_eq!(status["done"], status["newest"]);
    assert_eq!(primary.status()["distribution"]["side"], "primary");
    // Both sides see the same nodes.
    for (asked, folder) in [("primary", &primary), ("edge", &east)] {
        eventually("a report that is up to date", || {
            let said = folder.succeed(&["edge", "status"]);
            assert!(said.contains("east"), "{asked}: {said}");
            said.contains("0 events and 0 s behind")
        });
        let json = folder.succeed(&["edge", "status", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["nodes"][0]["node"], "east");
    }
    // Without its primary it goes on, and begins again with what it has.
    drop(first);
    drop(server);
    let server = east.serve();
    assert_eq!(serial(server.addresses[0]), 4);
}

#[test]
fn a_key_is_made_once_and_shown_again() {
    let (primary, key) = primary("");
    assert!(key.starts_with("ed25519:"), "{key}");
    assert_eq!(primary.succeed(&["edge", "key", "--show"]).trim(), key);
    primary.fail(&["edge", "key"], &["signing.key", "exists"]);
    let private = std::fs::read_to_string(primary.path("signing.key")).unwrap();
    assert!(!private.contains(&key[8..]));
}

#[test]
fn an_edge_without_a_source_refuses_and_is_not_healthy_until_it_has_one() {
    let (primary, key) = primary("");
    let east = edge("east", &store(&primary), &key, "");
    let server = east.serve();
    assert_eq!(
        server.page("/healthz").0,
        "HTTP/1.1 503 Service Unavailable"
    );
    eventually("what is in the way", || {
        let status = east.status();
        let failure = status["distribution"]["failure"].as_str();
        failure.is_some_and(|failure| failure.contains("has no manifest"))
    });
    primary.compile(1);
    let _first = primary.serve();
    answers(&server, 1);
    assert_eq!(server.page("/healthz").0, "HTTP/1.1 200 OK");
}

/// Files that are there at some step of taking a generation.
const MOMENTS: [&str; 5] = [
    ".part",
    ".unfolded",
    "generation.tmp",
    "manifest.tmp",
    "manifest",
];

fn is_there(folder: &Path, end: &str) -> bool {
    let files = std::fs::read_dir(folder).unwrap();
    let mut names = files.map(|file| file.unwrap().file_name());
    names.any(|name| name.to_string_lossy().ends_with(end))
}

#[test]
fn an_edge_that_is_killed_at_any_step_serves_a_whole_image_after_it() {
    let (primary, key) = primary("");
    let mut zone = zone_text(1);
    for number in 0..20_000 {
        zone.push_str(&format!("d{number} NS ns{number}.elsewhere.test.\n"));
    }
    let compile = |serial: u32| {
        let head = format!("hostmaster.example. {serial} ");
        primary.write(
            "example.zone",
            &zone.replace("hostmaster.example. 1 ", &head),
        );
        primary.succeed(&["compile", "--zone-file", "example.zone"]);
    };
    compile(1);
    let _first = primary.serve();
    let east = edge("east", &store(&primary), &key, "");
    let image = east.path("image");
    answers(&east.serve(), 1);
    for (new, moment) in (2..).zip(&MOMENTS) {
        let server = east.serve();
        answers(&server, new - 1);
        compile(new);
        // A moment that is too short to be seen ends with the next serial.
        while !is_there(&image, moment) && serial(server.addresses[0]) == new - 1 {}
        server.signal("-KILL");
        server.wait();
        east.succeed(&["image", "verify"]);
    }
    let server = east.serve();
    answers(&server, 6);
    eventually("nothing is left behind", || {
        !MOMENTS[..4].iter().any(|end| is_there(&image, end))
    });
}

#[test]
fn roles_have_what_they_need_and_nothing_else() {
    let check = |text: &str, expected: &[&str]| {
        let folder = Folder::new();
        folder.write("meridian.toml", text);
        let output = folder.run(&["check-config"]);
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.lines().count(), expected.len(), "{said}");
        for (line, part) in said.lines().zip(expected) {
            assert!(line.contains(part), "`{part}` is not in: {line}");
        }
    };
    let key = format!("ed25519:{}", "00".repeat(32));
    let edge =
        format!("[edge]\nname = \"x\"\nsources = [\"file:///s\"]\ntrusted-keys = [\"{key}\"]\n");
    check(&format!("role = \"edge\"\n{edge}"), &["no faults"]);
    check(
        &format!(
            "role = \"edge\"\nregistry.database = \"sqlite:x\"\n{edge}[keys]\nsecret-file = \"s\"\n"
        ),
        &["registry.database: role", "keys.secret-file: role"],
    );
    check(
        &format!(
            "role = \"edge\"\n{edge}ca-file = \"/no/such/file\"\n\
             [s3]\nendpoint = \"http://127.evil.example:9000\"\n"
        ),
        &["edge.ca-file: /no/such/file", "s3.endpoint: write https"],
    );
    check(
        "role = \"edge\"\n[edge]\nsources = [\"http://192.0.2.1\"]\ntrusted-keys = [\"x\"]\n",
        &["edge.name", "edge.sources", "edge.trusted-keys"],
    );
    check(
        "role = \"primary\"\n[distribution]\nstore = \"https://x\"\n",
        &["distribution.signing-key-file", "distribution.store"],
    );
    check(
        "[distribution]\nstore = \"file:///x\"\nrefresh-minutes = 6000\n",
        &["only role = \"primary\"", "before half of its time"],
    );
    check(
        "[routes]\naddresses = [\"0.0.0.0:53\"]\nbird-protocol = \"a b\"\n",
        &["routes.zone", "routes.addresses"],
    );
}
