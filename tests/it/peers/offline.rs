//! A zone whose key-signing key is on another machine, from its first signature over
//! rollovers of ZSK and KSK, with time sped up and unbound validating all the time.
//!
//! The other machine is a folder with the files of BIND's `dnssec-keygen`: it has no
//! configuration and no database.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::path::Path;
use std::process::Command;

use super::rollovers::Stage;
use super::{meridian, wanted};

/// The machine of the KSK.
struct Ceremony {
    folder: tempfile::TempDir,
    keys: Vec<String>,
}

impl Ceremony {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            keys: Vec::new(),
        }
    }

    /// Makes a KSK; gives the file of its public half.
    fn make_key(&mut self, algorithm: &str) -> String {
        let output = Command::new("dnssec-keygen")
            .args(["-a", algorithm, "-f", "KSK", "child.test"])
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let name = String::from_utf8(output.stdout).unwrap();
        let path = self.folder.path().join(name.trim());
        self.keys.push(path.display().to_string());
        format!("{}.key", path.display())
    }

    /// Signs a request with all its keys.
    fn sign(&self, request: &Path, out: &Path) {
        let mut command = Command::new(meridian());
        command.current_dir(self.folder.path());
        command
            .args(["keys", "sign-request", "--request"])
            .arg(request);
        for key in &self.keys {
            command.args(["--ksk", key]);
        }
        let output = command.arg("--out").arg(out).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

/// One request, its response, and back; `number` names the files.
fn exchange(stage: &Stage, ceremony: &Ceremony, number: u32) {
    let path = |name: &str| stage.folder.path(&format!("{name}{number}"));
    let (request, response) = (path("request"), path("response"));
    let zone = ["--zone", "child.test"];
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (ask, install) = (text(&request), text(&response));
    let period = ["--period-seconds", "4000", "--out", &ask];
    let asked = stage
        .folder
        .succeed(&[&["keys", "request"], &zone[..], &period].concat());
    assert!(asked.contains("request "), "{asked}");
    ceremony.sign(&request, &response);
    let response = ["--response", &install];
    let command = [&["keys", "install-response"], &zone[..], &response].concat();
    stage.folder.succeed(&command);
}

/// Takes in the public half of a KSK.
fn import(stage: &Stage, public: &str, more: &[&str]) {
    let import = ["keys", "import", "--zone", "child.test", "--role", "ksk"];
    let command = [&import[..], &["--public", public], more].concat();
    stage.folder.succeed(&command);
}

fn roll(stage: &Stage, role: &str) {
    let command = ["keys", "rollover", "--zone", "child.test", "--role", role];
    stage.folder.succeed(&command);
}

fn awaits_response(stage: &Stage) -> bool {
    let name = "key_responses_awaited{zone=\"child.test\"}";
    let server = stage.server.as_ref().unwrap();
    server.metric(&format!("meridian_{name}")) == 1
}

#[test]
fn zone_and_key_signing_keys_roll_by_signatures_that_were_made_ahead() {
    if !wanted(&["unbound", "dnssec-keygen"]) {
        return;
    }
    let policy = ["--layout", "split", "--ksk-store", "offline"];
    let mut stage = Stage::new(20, &policy);
    let life = ["--zone", "child.test", "--zsk-lifetime", "1800"];
    stage
        .folder
        .succeed(&[&["keys", "policy"], &life[..]].concat());
    let mut ceremony = Ceremony::new();
    let public = ceremony.make_key("ECDSAP256SHA256");
    import(&stage, &public, &[]);
    exchange(&stage, &ceremony, 1);
    stage.settle(2, false);
    // Both were made ahead: the period has two rollovers by age.
    for _ in 0..2 {
        roll(&stage, "zsk");
        stage.settle(2, true);
    }
    // A third was not planned for. Nothing moves, and nothing is bogus.
    roll(&stage, "zsk");
    stage.wait_for("a response is waited for", |stage| {
        stage.check(true);
        awaits_response(stage)
    });
    let status = stage
        .folder
        .succeed(&["keys", "status", "--zone", "child.test"]);
    assert!(status.contains("keys request"), "{status}");
    exchange(&stage, &ceremony, 2);
    stage.settle(2, true);
    // The next KSK, signed for by both.
    let public = ceremony.make_key("ECDSAP256SHA256");
    import(&stage, &public, &["--replace"]);
    exchange(&stage, &ceremony, 3);
    stage.settle(2, true);
    let keys = stage.keys();
    let stores: Vec<_> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["store"])
        .collect();
    assert!(stores.iter().any(|store| *store == "offline"), "{stores:?}");
    let private = ceremony.keys.iter().map(|key| format!("{key}.private"));
    for private in private {
        let text = std::fs::read_to_string(private).unwrap();
        let secret = text
            .lines()
            .find(|line| line.starts_with("PrivateKey:"))
            .unwrap();
        let (_, secret) = secret.split_once(' ').unwrap();
        for file in ["request3", "response3"] {
            let text = std::fs::read_to_string(stage.folder.path(file)).unwrap();
            assert!(!text.contains(secret), "{file}");
        }
    }
    eprintln!("{} answers validated, none bogus", stage.asked);
}

/// The operator says the algorithm first, and finds out what it takes: the ZSK is made and
/// published at once as far as that needs no other machine, then all waits for the KSK.
#[test]
fn an_algorithm_is_replaced_by_signatures_that_were_made_ahead() {
    if !wanted(&["unbound", "dnssec-keygen"]) {
        return;
    }
    let mut stage = Stage::new(20, &["--layout", "split", "--ksk-store", "offline"]);
    let mut ceremony = Ceremony::new();
    let public = ceremony.make_key("ECDSAP256SHA256");
    import(&stage, &public, &[]);
    exchange(&stage, &ceremony, 1);
    stage.settle(2, false);
    let algorithm = ["keys", "policy", "--zone", "child.test", "--algorithm"];
    stage.folder.succeed(&[&algorithm[..], &["15"]].concat());
    // The new ZSK signs the zone beside the old one; its DNSKEY comes with the KSK's.
    stage.wait_for("another key is waited for", |stage| {
        stage.check(true);
        awaits_response(stage)
    });
    let status = ["keys", "status", "--zone", "child.test"];
    let status = stage.folder.succeed(&status);
    let hint = "an offline ksk of algorithm 15 is waited for";
    assert!(status.contains(hint), "{status}");
    let public = ceremony.make_key("ED25519");
    import(&stage, &public, &["--replace"]);
    // Nobody has signed with it yet, so nothing of it may be seen.
    stage.wait_for("a response is waited for", |stage| {
        stage.check(true);
        stage.keys()["response-awaited"] == true
    });
    exchange(&stage, &ceremony, 2);
    stage.settle(2, true);
    let keys = stage.keys();
    let left = keys["timeline"]["keys"].as_array().unwrap();
    assert!(left.iter().all(|key| key["algorithm"] == 15), "{left:?}");
    eprintln!("{} answers validated, none bogus", stage.asked);
}
