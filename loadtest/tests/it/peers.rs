//! `loadtest compare` in a small form: every server is asked in every way, and what comes
//! out says so. Figures are not judged: the machine of a test is nobody's measure.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use loadtest::peer::find_program;
use serde_json::Value;

const DOMAINS: &str = "2000";
/// Every way of asking, in order; the rate of the fourth is half of what was measured.
const LOADS: [&str; 6] = [
    "referral",
    "nxdomain",
    "mixed",
    "mixed at .. a second",
    "mixed at half of own",
    "tcp",
];

/// The `meridian` binary of this build, which cargo puts beside ours when it builds the
/// whole workspace; none where this is not to be run here.
fn meridian(programs: &[&str]) -> Option<PathBuf> {
    if std::env::var_os("MERIDIAN_PEERS").is_none() {
        eprintln!("SKIPPED: run it by tests/run --peers");
        return None;
    }
    let meridian = Path::new(env!("CARGO_BIN_EXE_loadtest")).with_file_name("meridian");
    let mut missing: Vec<_> = programs.to_vec();
    missing.retain(|program| find_program(program).is_none());
    if !meridian.is_file() {
        missing.push("meridian");
    }
    assert!(
        missing.is_empty() || std::env::var_os("CI").is_none(),
        "{missing:?} not there: run tests/peers/install as root, build the workspace"
    );
    if !missing.is_empty() {
        eprintln!("SKIPPED: {missing:?} not there");
        return None;
    }
    Some(meridian)
}

/// Runs `loadtest` with these words and wants success; gives what it printed.
fn loadtest(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn compare(arguments: &[&str]) -> Value {
    let common = ["--json", "compare", "--domains", DOMAINS, "--rounds", "1"];
    let times = ["--seconds", "0.2", "--outstanding", "32"];
    let text = loadtest(&[&common[..], &times, arguments].concat());
    serde_json::from_str(&text).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// The names of the loads; what depends on the machine is left out.
fn loads(comparison: &Value) -> Vec<String> {
    let loads = list(&comparison["loads"]).iter();
    let names = loads.map(|load| {
        let words = text(&load["name"]).split(' ');
        let words = words.map(|word| word.parse::<u64>().map_or(word, |_| ".."));
        words.collect::<Vec<_>>().join(" ")
    });
    names.collect()
}

/// Each load has these servers with one round of replies each.
fn check_rounds(comparison: &Value, servers: &[&str]) {
    for load in list(&comparison["loads"]) {
        let name = text(&load["name"]);
        let asked = list(&load["servers"]);
        let names: BTreeSet<_> = asked.iter().map(|server| text(&server[0])).collect();
        let has_echo = !name.contains(" at ") && name != "tcp";
        let expected = servers.iter().copied().chain(has_echo.then_some("echo"));
        assert_eq!(names, expected.collect(), "{name}");
        for server in asked {
            let [round] = list(&server[1]) else {
                panic!("{name}: {server}")
            };
            assert!(number(&round["rate"]) > 0.0, "{name}: {server}");
            let by_us = name != "tcp";
            assert_eq!(
                number(&round["lag_microseconds_max"]) > 0.0,
                name.contains(" at "),
                "{name}: {server}"
            );
            assert_eq!(number(&round["p99"]) > 0.0, by_us, "{name}: {server}");
            assert_eq!(
                number(&round["reply_octets"]) > 12.0,
                by_us,
                "{name}: {server}"
            );
        }
    }
}

#[test]
fn servers_are_compared_in_every_way_on_one_zone() {
    let programs = ["knotd", "nsd", "dnsperf", "taskset"];
    let Some(meridian) = meridian(&programs) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let binary = ["--meridian", meridian.to_str().unwrap()];
    let peers = ["--peer", "knot", "--peer", "nsd"];
    let html = ["--html", page.to_str().unwrap()];
    let comparison = compare(&[&binary[..], &peers, &html].concat());
    let servers = ["Meridian", "Knot", "NSD"];
    assert_eq!(number(&comparison["domains"]), 2000.0);
    assert_eq!(comparison["signed"], true);
    assert_eq!(list(&comparison["missing"]).len(), 0);
    assert_eq!(loads(&comparison), LOADS);
    check_rounds(&comparison, &servers);
    for (start, name) in list(&comparison["starts"]).iter().zip(servers) {
        assert_eq!(text(&start["server"]), name);
        assert!(number(&start["load_seconds"]) > 0.0, "{start}");
        assert!(number(&start["memory_bytes"]) > 100_000.0, "{start}");
        let has_image = number(&start["image_bytes"]) > 100_000.0;
        assert_eq!(has_image, name == "Meridian", "{start}");
    }
    let reloads = list(&comparison["reloads"]);
    assert_eq!(reloads.len(), servers.len());
    for (reload, name) in reloads.iter().zip(servers) {
        assert_eq!(text(&reload["server"]), name);
        assert!(reload["error"].is_null(), "{reload}");
        assert!(
            number(&reload["sent"]) > number(&reload["lost"]),
            "{reload}"
        );
        assert!(number(&reload["seconds"]) > 0.0, "{reload}");
    }
    // Of each load in which both were asked, by what can be compared there.
    let ratios = list(&comparison["ratios"]);
    let latencies = ratios
        .iter()
        .filter(|ratio| ratio["figure"] == "p99 latency");
    assert_eq!(latencies.count(), 5, "{ratios:?}");
    for ratio in ratios {
        let [min, median, max] = ["min", "median", "max"].map(|key| number(&ratio[key]));
        assert!(min <= median && median <= max, "{ratio}");
    }
    let page = std::fs::read_to_string(page).unwrap();
    assert_eq!(page.matches("<svg").count(), LOADS.len());
    assert!(
        !page.contains("src=") && !page.contains("href="),
        "it loads nothing"
    );
}

#[test]
fn an_image_made_before_is_served_alone() {
    let Some(meridian) = meridian(&["dnsperf", "taskset"]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let queries = ["--queries", "10", "--signed", "--out", out];
    let generate = ["generate", "--domains", DOMAINS];
    loadtest(&[&generate[..], &queries].concat());
    let image = folder.path().join("image");
    let compiled = Command::new(&meridian)
        .args(["compile", "--zone-file"])
        .arg(folder.path().join("zone"))
        .arg("--image")
        .arg(&image)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{errors}");
    let files = || {
        let files = std::fs::read_dir(&image).unwrap();
        let files = files.map(|file| {
            let file = file.unwrap();
            (
                file.file_name(),
                file.metadata().unwrap().modified().unwrap(),
            )
        });
        files.collect::<BTreeSet<_>>()
    };
    let before = files();
    let binary = ["--meridian", meridian.to_str().unwrap()];
    let comparison = compare(&[&binary[..], &["--image", image.to_str().unwrap()]].concat());
    assert_eq!(loads(&comparison), LOADS);
    check_rounds(&comparison, &["Meridian"]);
    assert_eq!(list(&comparison["reloads"]).len(), 0);
    assert!(number(&comparison["starts"][0]["image_bytes"]) > 100_000.0);
    assert_eq!(files(), before, "the image is only read");
}
