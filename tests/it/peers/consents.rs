//! Changes that somebody signs with OpenSSL, as whoever has no program of ours would.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::path::Path;
use std::process::Command;

use super::wanted;

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl")
        .current_dir(folder)
        .args(arguments)
        .output();
    let output = output.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
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

#[test]
fn a_signature_of_openssl_agrees_to_a_change() {
    if !wanted(&["openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = |line: &str| {
        let words: Vec<_> = line.split(' ').map(|word| word.replace('_', " ")).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        registry(folder, &words)
    };
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
