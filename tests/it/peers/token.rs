//! Keys in a PKCS#11 token: SoftHSM of Debian, with a token of each test's own.
//!
//! Zones that the token signs are given to the verifiers of ldns, Knot and BIND. A token
//! that goes away leaves the old zone in service and is used again when it is back.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Instant;

use hickory_proto::rr::{RData, RecordType};
use serde_json::Value;

use super::wanted;
use crate::keys;
use crate::support::{Folder, PATIENCE, Running, ask};

const PROGRAMS: [&str; 4] = [
    "softhsm2-util",
    "ldns-verify-zone",
    "kzonecheck",
    "dnssec-verify",
];
/// Where Debian and others put the library.
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];
const PIN: &str = "the-pin-of-the-test";

/// A registry whose configuration names a token that was made for it.
struct Stage {
    folder: Folder,
}

impl Stage {
    fn new() -> Self {
        let folder = keys::folder();
        let tokens = folder.path("tokens");
        std::fs::create_dir(&tokens).unwrap();
        folder.write(
            "softhsm2.conf",
            &format!(
                "directories.tokendir = {}\nlog.level = ERROR\n",
                tokens.display()
            ),
        );
        let stage = Self { folder };
        let mut init = Command::new("softhsm2-util");
        init.args(["--init-token", "--free", "--label", "the token"])
            .args(["--so-pin", "so-pin-of-the-test", "--pin", PIN])
            .env("SOFTHSM2_CONF", stage.folder.path("softhsm2.conf"));
        let output = init.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        stage.write_pin(PIN);
        let config = stage.folder.path("meridian.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        let module = MODULES.iter().find(|path| PathBuf::from(path).exists());
        let more = format!(
            "look-interval-milliseconds = 50\n[keys.token]\nmodule = \"{}\"\n\
             label = \"the token\"\npin-file = \"{}\"\nsessions-max = 2\n\
             [publish]\npoll-interval-milliseconds = 20\n",
            module.unwrap(),
            stage.folder.path("pin").display()
        );
        std::fs::write(&config, text + &more).unwrap();
        stage.succeed(&["keys", "init"]);
        stage
    }

    fn write_pin(&self, pin: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder.write("pin", &format!("{pin}\n"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.folder.command(arguments);
        command.env("SOFTHSM2_CONF", self.folder.path("softhsm2.conf"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        for stream in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(stream);
            assert!(!text.contains(PIN), "the PIN is shown: {text}");
        }
        output
    }

    #[track_caller]
    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn fail(&self, arguments: &[&str], parts: &[&str]) {
        let output = self.run(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
        for part in parts {
            assert!(error.contains(part), "`{part}` is not in: {error}");
        }
    }

    fn serve(&self) -> Running {
        self.folder.serve_by(self.command(&["serve"]))
    }

    fn keys(&self) -> Vec<Value> {
        let status = self.succeed(&["--json", "keys", "status", "--zone", "tld"]);
        let status: Value = serde_json::from_str(&status).unwrap();
        status["keys"].as_array().unwrap().clone()
    }

    /// Whatever is served verifies, as three programs see it.
    fn verify(&self) {
        let dump = self.succeed(&["image", "dump", "--zone", "tld"]);
        let path = self.folder.write("dump", &dump);
        let path = path.to_str().unwrap();
        for command in [
            &["ldns-verify-zone", path][..],
            &["kzonecheck", "-o", "tld", path],
            &["dnssec-verify", "-z", "-o", "tld", path],
        ] {
            let output = Command::new(command[0]).args(&command[1..]).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{command:?}: {output:?}\n{dump}");
        }
    }
}

#[track_caller]
fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

fn has(server: &Running, name: &str, rtype: RecordType) -> bool {
    let answer = ask(server.addresses[0], name, rtype);
    answer
        .answers
        .iter()
        .any(|record| record.record_type() == rtype)
}

fn serial(server: &Running) -> u32 {
    let answer = ask(server.addresses[0], "tld.", RecordType::SOA);
    match answer.answers.first().map(|record| &record.data) {
        Some(RData::SOA(soa)) => soa.serial,
        other => panic!("no SOA: {other:?}"),
    }
}

#[test]
fn each_algorithm_signs_in_the_token_and_verifies() {
    if !wanted(&PROGRAMS) {
        return;
    }
    for algorithm in ["13", "14", "15", "8"] {
        let stage = Stage::new();
        let policy = ["keys", "policy", "--zone", "tld", "--store", "the token"];
        stage.succeed(&[&policy[..], &["--algorithm", algorithm]].concat());
        let server = stage.serve();
        wait_for("signatures", || has(&server, "tld.", RecordType::DNSKEY));
        stage.verify();
        let keys = stage.keys();
        assert_eq!(keys.len(), 1, "{keys:?}");
        assert_eq!(keys[0]["store"], "the token");
        drop(server);
        // Found again by its public half.
        let server = stage.serve();
        let before = serial(&server);
        stage.succeed(&["registry", "zone", "update", "tld", "--refresh", "7201"]);
        wait_for("a change", || serial(&server) != before);
        stage.verify();
        let export = [
            "keys", "export", "--zone", "tld", "--form", "pkcs8", "--out", "out",
        ];
        let tag = keys[0]["key-tag"].to_string();
        let tag = ["--key-tag", tag.as_str()];
        stage.fail(&[&export[..], &tag].concat(), &["the token"]);
    }
}

#[test]
fn a_token_that_is_away_leaves_the_old_zone_and_signs_again_when_it_is_back() {
    if !wanted(&PROGRAMS) {
        return;
    }
    let stage = Stage::new();
    // The ZSK in the token, which every change needs; the KSK in the database.
    let policy = ["keys", "policy", "--zone", "tld", "--layout", "split"];
    let stores = ["--store", "the token", "--ksk-store", "database"];
    stage.succeed(&[&policy[..], &stores].concat());
    let server = stage.serve();
    wait_for("signatures", || has(&server, "tld.", RecordType::DNSKEY));
    let stores: Vec<_> = stage
        .keys()
        .iter()
        .map(|key| key["store"].clone())
        .collect();
    assert_eq!(stores, ["database", "the token"]);
    let before = serial(&server);
    let (tokens, away) = (stage.folder.path("tokens"), stage.folder.path("away"));
    std::fs::rename(&tokens, &away).unwrap();
    std::fs::create_dir(&tokens).unwrap();
    stage.succeed(&["registry", "zone", "update", "tld", "--refresh", "7201"]);
    wait_for("a failure", || {
        stage.folder.status()["publish"]["failure"].is_string()
    });
    assert_eq!(serial(&server), before, "the old zone stays");
    assert!(has(&server, "tld.", RecordType::DNSKEY));
    std::fs::remove_dir(&tokens).unwrap();
    std::fs::rename(&away, &tokens).unwrap();
    // No event tells it: it is tried again.
    wait_for("the change", || serial(&server) != before);
    stage.verify();
    server.signal("-TERM");
    let (status, log) = server.wait();
    let log = log.join("\n");
    assert_eq!(status, Some(0), "{log}");
    assert!(
        log.contains("zone not signed") && log.contains("the token"),
        "{log}"
    );
    assert!(!log.contains(PIN), "{log}");
}

#[test]
fn a_key_of_the_token_is_taken_in_by_its_label_or_id() {
    if !wanted(&PROGRAMS) || !wanted(&["pkcs11-tool"]) {
        return;
    }
    let stage = Stage::new();
    let module = MODULES.iter().find(|path| PathBuf::from(path).exists());
    for (label, id) in [("made elsewhere", "0a0b"), ("twice", "01"), ("twice", "02")] {
        let mut tool = Command::new("pkcs11-tool");
        tool.args(["--module", module.unwrap(), "--token-label", "the token"])
            .args([
                "--login",
                "--pin",
                PIN,
                "--keypairgen",
                "--key-type",
                "EC:prime256v1",
            ])
            .args(["--usage-sign", "--label", label, "--id", id])
            .env("SOFTHSM2_CONF", stage.folder.path("softhsm2.conf"));
        let output = tool.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    stage.succeed(&["keys", "policy", "--zone", "tld", "--layout", "split"]);
    let import = ["keys", "import", "--zone", "tld"];
    let import = |more: &[&'static str]| [&import[..], more].concat();
    stage.fail(
        &import(&["--role", "ksk", "--token-label", "twice"]),
        &["2 keys", "by its id"],
    );
    stage.fail(
        &import(&["--role", "ksk", "--token-label", "none"]),
        &["no key \"none\""],
    );
    stage.fail(
        &import(&["--role", "ksk", "--token-id", "xy"]),
        &["hexadecimal"],
    );
    stage.succeed(&import(&[
        "--role",
        "ksk",
        "--token-label",
        "made elsewhere",
    ]));
    stage.succeed(&import(&["--role", "zsk", "--token-id", "02"]));
    let server = stage.serve();
    wait_for("signatures", || has(&server, "tld.", RecordType::DNSKEY));
    stage.verify();
}

#[test]
fn what_is_wrong_with_a_token_is_named_and_a_wrong_pin_is_not_tried_twice() {
    if !wanted(&PROGRAMS) {
        return;
    }
    let stage = Stage::new();
    let generate = ["keys", "generate", "--zone", "tld", "--store", "the token"];
    let other = ["keys", "policy", "--zone", "tld", "--store", "other"];
    stage.fail(&other, &["no token \"other\"", "keys.token"]);
    stage.write_pin("not-the-pin");
    stage.fail(&generate, &["refuses the PIN", "pin"]);
    let pin = stage.folder.path("pin");
    std::fs::set_permissions(&pin, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    stage.fail(&generate, &["chmod 600", "pin-file"]);
    stage.write_pin(PIN);
    stage.succeed(&generate);
    stage.write_pin("not-the-pin");
    let server = stage.serve();
    wait_for("a failure", || {
        stage.folder.status()["publish"]["failure"].is_string()
    });
    // Tried again and again, and not with that PIN.
    let failures = || {
        stage.folder.status()["publish"]["failures"]
            .as_u64()
            .unwrap()
    };
    let first = failures();
    wait_for("more failures", || failures() >= first + 4);
    let mut show = Command::new("softhsm2-util");
    show.arg("--show-slots")
        .env("SOFTHSM2_CONF", stage.folder.path("softhsm2.conf"));
    assert!(show.output().unwrap().status.success());
    stage.write_pin(PIN);
    wait_for("signatures", || has(&server, "tld.", RecordType::DNSKEY));
    server.signal("-TERM");
    let (_, log) = server.wait();
    let log = log.join("\n");
    assert!(log.contains("is not tried again"), "{log}");
    assert!(!log.contains("not-the-pin"), "{log}");
}

#[test]
fn both_kinds_of_keys_are_measured() {
    if !wanted(&PROGRAMS) {
        return;
    }
    let stage = Stage::new();
    let measure = ["--json", "keys", "measure", "--delegations", "200"];
    let stores = ["--store", "database", "--store", "the token"];
    for _ in 0..2 {
        let rows = stage.succeed(&[&measure[..], &stores].concat());
        let rows: Value = serde_json::from_str(&rows).unwrap();
        let stores: Vec<_> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| &row["store"])
            .collect();
        assert_eq!(stores, ["database", "the token"]);
        let rates = rows.as_array().unwrap().iter();
        assert!(
            rates
                .clone()
                .all(|row| row["signatures-per-second"].as_f64().unwrap() > 0.0)
        );
    }
}
