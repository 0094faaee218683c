//! Keys that BIND's dnssec-keygen makes are taken in, and come out as it wrote them.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::process::Command;

use super::wanted;
use crate::support::Folder;

#[test]
fn keys_of_dnssec_keygen_are_taken_in_with_their_tags_and_ds_records() {
    if !wanted(&["dnssec-keygen", "dnssec-dsfromkey"]) {
        return;
    }
    let folder = crate::keys::folder();
    folder.succeed(&["keys", "init"]);
    for algorithm in ["RSASHA256", "ECDSAP256SHA256", "ECDSAP384SHA384", "ED25519"] {
        let made = run(
            &folder,
            "dnssec-keygen",
            &["-a", algorithm, "-f", "KSK", "tld"],
        );
        let name = made.trim();
        let private = format!("{name}.private");
        folder.succeed(&[
            "keys", "import", "--zone", "tld", "--role", "ksk", "--file", &private,
        ]);
        let (_, tag) = name.rsplit_once('+').unwrap();
        let tag = tag.trim_start_matches('0');
        let export = |form| {
            let arguments = ["keys", "export", "--zone", "tld", "--key-tag", tag];
            let text = folder.succeed(&[&arguments[..], &["--form", form]].concat());
            data(&text)
        };
        let public = std::fs::read_to_string(folder.path(&format!("{name}.key"))).unwrap();
        let public = public.lines().find(|line| !line.starts_with(';')).unwrap();
        assert_eq!(export("dnskey"), data(public), "{algorithm}");
        let ds = run(&folder, "dnssec-dsfromkey", &["-2", name]);
        assert_eq!(export("ds"), data(&ds), "{algorithm}");
    }
}

fn run(folder: &Folder, program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    let output = command
        .current_dir(folder.path(""))
        .args(arguments)
        .output();
    let output = output.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The data after the type, without spaces, which may stand within it.
fn data(record: &str) -> String {
    let words = record.split_ascii_whitespace();
    let words = words.skip_while(|word| !["DS", "DNSKEY"].contains(word));
    words.collect::<String>().to_lowercase()
}
