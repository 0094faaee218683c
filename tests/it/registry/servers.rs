//! Name servers are asked before a domain gets them, and by the scanner: in a network of the
//! test's own, where they have port 53.

use super::Registry;
use crate::support::Folder;

/// The server of `a.tld` is up at both addresses when `status` answers.
const SCRIPT: &str = r#"set -eu
ip link set lo up
for address in 192.0.2.53 198.51.100.53; do ip address add "$address/32" dev lo; done
"$1" --config "$2" serve >serve.log 2>&1 &
trap "kill $!" EXIT
tries=0
until "$1" --config "$2" status >/dev/null 2>&1; do
    tries=$((tries + 1)); [ "$tries" -lt 2000 ]
done
for domain in a.tld c.tld; do
    "$1" registry domain create "$domain" --as reg-a --database "$3" \
        --host ns1.b.tld --host ns2.b.tld 2>&1 && echo "made $domain" || echo "not $domain"
done
"$1" registry domain purge a.tld --database "$3" --reason again
for domain in a.tld c.tld; do
    echo "{\"domain\":{\"create\":{\"name\":\"$domain\",\"hosts\":[\"ns1.b.tld\",\"ns2.b.tld\"]}}}"
done | "$1" registry apply --as reg-a --database "$3" || echo "not all"
"$1" registry domain create c.tld --registrar reg-a --database "$3" \
    --host ns1.b.tld --host ns2.b.tld
"$1" registry scan run --questions-per-second-max 1000 --lab --database "$3"
"$1" --json registry scan report --database "$3"
"#;

#[test]
fn a_domain_is_delegated_to_servers_that_know_of_it() {
    let alone = std::process::Command::new("unshare")
        .args(["--net", "ip", "link"])
        .output();
    if !alone.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: a network of its own needs root, `unshare` and `ip`");
        return;
    }
    let folder = Folder::new();
    folder.configure("listen = [\"192.0.2.53:53\", \"198.51.100.53:53\"]\nworkers = 1");
    let zone = "$ORIGIN a.tld.\n$TTL 60\n@ SOA ns1.b.tld. h.b.tld. 1 7200 900 1209600 600\n\
         @ NS ns1.b.tld.\n@ NS ns2.b.tld.\n";
    folder.write("a.zone", zone);
    folder.succeed(&[
        "compile",
        "--zone-file",
        &folder.path("a.zone").display().to_string(),
    ]);
    let registry = Registry::on_sqlite();
    registry.succeed(&["domain", "create", "b.tld", "--as", "reg-a"]);
    for (host, address) in [("ns1.b.tld", "192.0.2.53"), ("ns2.b.tld", "198.51.100.53")] {
        registry.succeed(&[
            "host",
            "create",
            host,
            "--as",
            "reg-a",
            "--lab",
            "--address",
            address,
        ]);
    }
    registry.succeed(&["zone", "policy", "tld", "--set", "server-check=require"]);
    let config = folder.path("meridian.toml").display().to_string();
    let program = env!("CARGO_BIN_EXE_meridian");
    let output = std::process::Command::new("unshare")
        .args([
            "--net",
            "sh",
            "-c",
            SCRIPT,
            "sh",
            program,
            &config,
            &registry.database,
        ])
        .current_dir(folder.path("."))
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{out}{error}");
    asked(&out, &error);
}

/// What came of asking: by commands one by one, by `apply`, by the scanner.
fn asked(out: &str, error: &str) {
    assert!(out.contains("made a.tld"), "{out}{error}");
    // The server knows nothing of this one: REFUSED.
    assert!(
        out.contains("over UDP: answers with code 5"),
        "{out}{error}"
    );
    assert!(out.contains("not c.tld"), "{out}{error}");
    // `apply` has asked them as well: the second of its lines is refused for what they said.
    assert!(out.contains("{\"line\":1,\"code\":1000"), "{out}{error}");
    let line = out.lines().find(|line| line.contains("\"line\":2"));
    let line = line.unwrap_or_else(|| panic!("{out}{error}"));
    assert!(
        line.contains("2306") && line.contains("answers with code 5"),
        "{line}"
    );
    // What the registry registered all the same, the scanner finds.
    assert!(out.contains("servers of 2 domains asked"), "{out}{error}");
    let report: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    let lame = report["lame"].as_array().unwrap();
    let pairs: Vec<_> = lame
        .iter()
        .map(|lame| (&lame["domain"], &lame["host"]))
        .collect();
    let both = ["ns1.b.tld", "ns2.b.tld"].map(|host| ("c.tld".into(), host.into()));
    assert_eq!(
        pairs,
        both.each_ref().map(|(domain, host)| (domain, host)),
        "{report}"
    );
    assert_eq!(lame[0]["foreign"], false);
    let fault = lame[0]["fault"].as_str().unwrap();
    assert!(fault.contains("answers with code 5"), "{fault}");
}
