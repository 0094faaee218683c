//! Changes that somebody signs with OpenSSL or GnuPG, as whoever has no program of ours would.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::path::Path;
use std::process::Command;

use super::wanted;

fn openssl(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("openssl");
    succeeds(command.current_dir(folder).args(arguments));
}

fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn registry(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meridian"));
    command.current_dir(folder).arg("registry").args(arguments);
    let output = command
        .args(["--database", "registry.db"])
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

const CONTACT: &str = r#"{"kind": "person", "email": "jo@mail.example",
    "int": {"name": "Jo Doe", "address": {"city": "Town", "country": "DE"}}}"#;

/// A command of words between spaces; `_` is a space within one.
fn registry_line(folder: &Path, line: &str) -> Result<String, String> {
    let words: Vec<_> = line.split(' ').map(|word| word.replace('_', " ")).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    registry(folder, &words)
}

#[test]
fn a_signature_of_openssl_agrees_to_a_change() {
    if !wanted(&["openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = |line: &str| registry_line(folder, line);
    std::fs::write(folder.join("jo.json"), CONTACT).unwrap();
    for key in ["own", "other"] {
        let private = format!("{key}.pem");
        openssl(
            folder,
            &["genpkey", "-algorithm", "ed25519", "-out", &private],
        );
    }
    openssl(
        folder,
        &["pkey", "-in", "own.pem", "-pubout", "-out", "own.pub"],
    );
    for line in [
        "init",
        "zone create tld --mname ns1.ext.example --rname h.ext.example --record \
         tld._3600_NS_ns1.ext.example.",
        "zone policy tld --set data-model=maximum --set change-control=signed",
        "registrar create reg-a --name A",
        "contact create jo-1 --file jo.json --as reg-a",
        "contact keys jo-1 --add own.pub --case 1",
        "domain create a.tld --registrant jo-1 --as reg-a",
    ] {
        let done = run(line);
        assert!(done.is_ok(), "{line}: {done:?}");
    }
    let listed = run("changes list").unwrap();
    assert!(listed.contains("a signature of jo-1"), "{listed}");
    let id = listed.split_whitespace().next().unwrap();
    let text = run(&format!("changes text {id}")).unwrap();
    std::fs::write(folder.join("text"), &text).unwrap();
    let sign = format!("changes sign {id} --contact jo-1 --signature-file signature");
    for (key, is_good) in [("other.pem", false), ("own.pem", true)] {
        openssl(
            folder,
            &[
                "pkeyutl",
                "-sign",
                "-rawin",
                "-inkey",
                key,
                "-in",
                "text",
                "-out",
                "signature",
            ],
        );
        let done = run(&sign);
        assert_eq!(done.is_ok(), is_good, "{key}: {done:?}");
    }
    let shown = run("domain info a.tld").unwrap();
    assert!(!shown.contains("pendingCreate"), "{shown}");
}

/// GnuPG with a folder of its own, whose agent ends with the test.
struct Gnupg<'f>(&'f Path);

impl Gnupg<'_> {
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("gpg");
        command.current_dir(self.0).env("GNUPGHOME", self.0);
        command.args(["--quiet", "--batch", "--yes", "--passphrase", ""]);
        succeeds(
            command
                .args(["--pinentry-mode", "loopback"])
                .args(arguments),
        )
    }

    /// A key that is to be known by `name` in files and as a user.
    fn make(&self, name: &str, more: &[&str], algorithm: &str, life: &str) {
        let user = format!("{name}@mail.example");
        let make = ["--quick-gen-key", &user, algorithm, "sign", life];
        self.run(&[more, &make].concat());
        self.export(name);
    }

    fn export(&self, name: &str) {
        let (file, user) = (format!("{name}.asc"), format!("{name}@mail.example"));
        self.run(&["--armor", "--output", &file, "--export", &user]);
    }

    /// GnuPG writes the revocation with every key; a colon keeps it from being used.
    fn revoke(&self, name: &str) {
        for file in std::fs::read_dir(self.0.join("openpgp-revocs.d")).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            if text.contains(&format!("{name}@mail.example")) {
                std::fs::write(&path, text.replace("\n:---", "\n---")).unwrap();
                self.run(&["--import", path.to_str().unwrap()]);
            }
        }
        self.export(name);
    }

    /// The fingerprint of a key as it lists it.
    fn fingerprint(&self, name: &str) -> String {
        let user = format!("{name}@mail.example");
        let listed = self.run(&["--with-colons", "--list-keys", &user]);
        let line = listed.lines().find(|line| line.starts_with("fpr:"));
        line.unwrap()
            .split(':')
            .nth(9)
            .unwrap()
            .to_ascii_lowercase()
    }

    fn sign(&self, name: &str, more: &[&str]) {
        let user = format!("{name}@mail.example");
        let sign = [
            "-u",
            &user,
            "--output",
            "signature",
            "--detach-sign",
            "text",
        ];
        self.run(&[more, &sign].concat());
    }
}

impl Drop for Gnupg<'_> {
    fn drop(&mut self) {
        let mut command = Command::new("gpgconf");
        let ended = command
            .env("GNUPGHOME", self.0)
            .args(["--kill", "all"])
            .status();
        drop(ended);
    }
}

#[test]
fn a_signature_of_gnupg_agrees_to_a_change() {
    if !wanted(&["gpg", "gpgconf"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = |line: &str| registry_line(folder, line);
    std::fs::write(folder.join("jo.json"), CONTACT).unwrap();
    let gnupg = Gnupg(folder);
    let then = ["--faked-system-time", "20200101T000000"];
    for (name, more, algorithm, life) in [
        ("own", &[][..], "rsa3072", "1y"),
        ("curve", &[], "ed25519", "never"),
        ("other", &[], "ed25519", "never"),
        ("small", &[], "rsa1024", "never"),
        ("old", &then, "ed25519", "1y"),
        ("sha", &["--cert-digest-algo", "SHA1"], "ed25519", "never"),
        ("gone", &[], "ed25519", "never"),
    ] {
        gnupg.make(name, more, algorithm, life);
    }
    for line in [
        "init",
        "zone create tld --mname ns1.ext.example --rname h.ext.example --record \
         tld._3600_NS_ns1.ext.example.",
        "zone policy tld --set data-model=maximum --set change-control=signed",
        "registrar create reg-a --name A",
        "contact create jo-1 --file jo.json --as reg-a",
        "contact keys jo-1 --add own.asc --add curve.asc --case 1",
    ] {
        let done = run(line);
        assert!(done.is_ok(), "{line}: {done:?}");
    }
    gnupg.revoke("gone");
    for (name, reason) in [
        ("small", "less than 2048 bits"),
        ("old", "expired"),
        ("sha", "none of SHA-256"),
        ("gone", "revoked"),
    ] {
        let refused = run(&format!("contact keys jo-1 --add {name}.asc --case 1")).unwrap_err();
        assert!(refused.contains(reason), "{name}: {refused}");
    }
    for (name, domain) in [("own", "a.tld"), ("curve", "b.tld")] {
        let create = format!("domain create {domain} --registrant jo-1 --as reg-a");
        run(&create).unwrap();
        let listed = run("changes list").unwrap();
        let id = listed.split_whitespace().next().unwrap();
        let text = run(&format!("changes text {id}")).unwrap();
        std::fs::write(folder.join("text"), text).unwrap();
        let sign = format!("changes sign {id} --contact jo-1 --signature-file signature");
        // What was left by the change before is over another text.
        if folder.join("signature").exists() {
            assert!(run(&sign).is_err(), "replayed");
        }
        gnupg.sign("other", &[]);
        assert!(run(&sign).is_err(), "by another key");
        gnupg.sign(name, &["--digest-algo", "SHA1"]);
        let refused = run(&sign).unwrap_err();
        assert!(refused.contains("none of SHA-256"), "{refused}");
        gnupg.sign(name, &["--armor"]);
        let done = run(&sign);
        assert!(done.is_ok(), "{name}: {done:?}");
        let shown = run(&format!("domain info {domain}")).unwrap();
        assert!(!shown.contains("pendingCreate"), "{shown}");
    }
    let shown = run("contact info jo-1").unwrap();
    let key = format!("openpgp4fpr:{}", gnupg.fingerprint("own"));
    assert!(shown.contains(&key), "{shown}");
}
