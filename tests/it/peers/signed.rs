//! Zones that `meridian compile --sign-with` signs, given to the verifiers of ldns, Knot
//! and BIND as `meridian image dump` writes them.
//!
//! Three programs that others wrote check every signature, every proof and the digest of
//! the zone; keys come from us and from BIND's `dnssec-keygen`.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::path::Path;
use std::process::Command;

use loadtest::generate::{self, Parameters, Registry};
use zone_compiler::sign::{Algorithm, SoftwareKey};

use super::wanted;
use crate::support::Folder;

const VERIFIERS: [&str; 3] = ["ldns-verify-zone", "kzonecheck", "dnssec-verify"];
const DENIALS: [&[&str]; 3] = [&[], &["--no-opt-out"], &["--nsec"]];
/// Longest time for one zone.
const VERIFY_SECONDS: &str = "5";
/// What `timeout` exits with.
const TIMED_OUT: i32 = 124;
/// Zones of [`random_zones_verify`], each signed in three ways.
const RANDOM_ZONES: u64 = 4;

/// Wildcards, empty non-terminals, a DNAME, names in capitals, insecure and secure
/// delegations, and each of these below an empty non-terminal.
const ZONE: &str = "$ORIGIN example.\n$TTL 3600\n\
    @ SOA ns1.Example. Hostmaster.example. 7 7200 900 604800 600\n\
    @ NS ns1\n@ NS NS.Elsewhere.test.\n@ MX 10 Mail.Example.\n@ TXT \"apex\"\n\
    ns1 A 192.0.2.53\nns1 AAAA 2001:db8::53\n\
    * TXT \"any\"\n*.wild MX 5 MAIL.example.\n*.wild A 192.0.2.7\nx.*.star A 192.0.2.8\n\
    mail A 192.0.2.25\nwww CNAME Mail.example.\n\
    old DNAME New.example.\n\
    a.b.c.deep TXT \"below empty names\"\n\
    https HTTPS 1 Svc.Example. alpn=h2\nsrv SRV 1 2 3 Mail.Example.\n\
    future TYPE65280 \\# 3 010203\n\
    insecure NS ns.insecure\nns.insecure A 192.0.2.99\n\
    outside NS ns.elsewhere.test.\n\
    secure NS ns1\nsecure DS 12345 13 2 \
    49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE49FD46E6C4B45C55D4AC69CB\n\
    plain.only.insecure-below NS ns.elsewhere.test.\n\
    safe.some.secure-below NS ns.elsewhere.test.\nsafe.some.secure-below DS 12345 13 2 \
    49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE49FD46E6C4B45C55D4AC69CB\n";

#[test]
fn each_algorithm_and_denial_verifies() {
    if !wanted(&VERIFIERS) {
        return;
    }
    for algorithm in Algorithm::ALL {
        let folder = Folder::new();
        folder.write("zone", ZONE);
        let key = pem_key(&folder, algorithm);
        for denial in DENIALS {
            check(&folder, &[&key], denial, &["-z"]);
        }
    }
}

#[test]
fn keys_of_bind_sign_and_a_split_pair_verifies() {
    if !wanted(&VERIFIERS) || !wanted(&["dnssec-keygen"]) {
        return;
    }
    for algorithm in ["RSASHA256", "ECDSAP256SHA256", "ECDSAP384SHA384", "ED25519"] {
        let folder = Folder::new();
        folder.write("zone", ZONE);
        let keys: Vec<String> = [&[][..], &["-f", "KSK"]]
            .iter()
            .map(|flags| {
                let mut keygen = Command::new("dnssec-keygen");
                keygen.args(["-a", algorithm, "-K"]).arg(folder.path("."));
                if algorithm == "RSASHA256" {
                    keygen.args(["-b", "2048"]);
                }
                let output = keygen.args(*flags).arg("example.").output().unwrap();
                assert!(output.status.success(), "{output:?}");
                let name = String::from_utf8(output.stdout).unwrap();
                folder.path(name.trim()).display().to_string()
            })
            .collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        for denial in DENIALS {
            check(&folder, &keys, denial, &[]);
        }
    }
}

#[test]
fn the_digest_of_a_zone_verifies() {
    if !wanted(&VERIFIERS) {
        return;
    }
    let folder = Folder::new();
    folder.write("zone", ZONE);
    let key = pem_key(&folder, Algorithm::Ed25519);
    for denial in DENIALS {
        let arguments = [denial, &["--zonemd"]].concat();
        let dump = check(&folder, &[&key], &arguments, &["-z"]);
        verify("ldns-verify-zone", &["-ZZ"], &dump);
        let text = std::fs::read_to_string(&dump).unwrap();
        let wrong = text.replace("\"apex\"", "\"apes\"");
        std::fs::write(&dump, wrong).unwrap();
        let (status, _) = run("ldns-verify-zone", &["-ZZ"], &dump);
        assert_ne!(status, Some(0), "any digest does");
    }
}

#[test]
fn random_zones_verify() {
    if !wanted(&VERIFIERS) {
        return;
    }
    let seed = std::env::var("MERIDIAN_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut verdicts = 0;
    for seed in seed..seed + RANDOM_ZONES {
        eprintln!("MERIDIAN_SEED={seed}");
        let folder = Folder::new();
        folder.write("zone", &random_zone(seed));
        let key = pem_key(&folder, Algorithm::EcdsaP256Sha256);
        for denial in DENIALS {
            let arguments = [denial, &["--zonemd"]].concat();
            let dump = check(&folder, &[&key], &arguments, &["-z"]);
            verdicts += u64::from(ldns(&["-ZZ"], &dump));
        }
    }
    assert!(
        verdicts > RANDOM_ZONES,
        "ldns gave {verdicts} verdicts only"
    );
}

#[test]
fn a_generated_registry_verifies() {
    if !wanted(&VERIFIERS) {
        return;
    }
    let folder = Folder::new();
    let registry = Registry::new(Parameters {
        apex: "example.".parse().unwrap(),
        domains: 3_000,
        seed: 1,
        queries: 1,
        exponent: 1.0,
        signed: false,
    });
    let files = generate::write(&registry.unwrap(), &folder.path("gen")).unwrap();
    std::fs::copy(files.zone, folder.path("zone")).unwrap();
    let key = pem_key(&folder, Algorithm::EcdsaP256Sha256);
    for denial in DENIALS {
        check(&folder, &[&key], denial, &["-z"]);
    }
}

/// A key of ours in PEM.
fn pem_key(folder: &Folder, algorithm: Algorithm) -> String {
    let (_, kept) = SoftwareKey::generate(algorithm).unwrap();
    let der = folder.path("key.der");
    std::fs::write(&der, kept.as_der()).unwrap();
    let base64 = Command::new("base64").arg(&der).output().unwrap();
    let base64 = String::from_utf8(base64.stdout).unwrap();
    let text = format!("-----BEGIN PRIVATE KEY-----\n{base64}-----END PRIVATE KEY-----\n");
    folder.write("key.pem", &text).display().to_string()
}

/// Signs `zone` anew, gives its dump to the verifiers and returns where that is.
fn check(folder: &Folder, keys: &[&str], arguments: &[&str], bind: &[&str]) -> std::path::PathBuf {
    let (zone, image) = (folder.path("zone"), folder.path("signed"));
    let (zone, image) = (zone.display().to_string(), image.display().to_string());
    let mut command = vec![
        "compile",
        "--zone-file",
        &zone,
        "--image",
        &image,
        "--replace",
    ];
    keys.iter()
        .for_each(|key| command.extend(["--sign-with", key]));
    command.extend(arguments);
    folder.succeed(&command);
    let text = folder.succeed(&["image", "dump", "--image", &image]);
    let dump = folder.write("example.zone", &text);
    verify_with(&dump, bind);
    dump
}

/// Gives a dump of `example.` to all verifiers.
pub(super) fn verify_dump(dump: &Path) {
    verify_with(dump, &["-z"]);
}

fn verify_with(dump: &Path, bind: &[&str]) {
    ldns(&["-V", "1"], dump);
    verify("kzonecheck", &["-d", "on", "-o", "example."], dump);
    verify(
        "dnssec-verify",
        &[bind, &["-q", "-o", "example."]].concat(),
        dump,
    );
}

/// Asks the verifier of ldns, which with version 1.8 never ends on some zones of many
/// wildcards; that is no verdict. Knot's and BIND's accept these.
fn ldns(arguments: &[&str], zone: &Path) -> bool {
    let (status, said) = run("ldns-verify-zone", arguments, zone);
    if status == Some(TIMED_OUT) {
        eprintln!("no verdict of ldns-verify-zone within {VERIFY_SECONDS} s");
        return false;
    }
    assert_eq!(status, Some(0), "ldns-verify-zone {arguments:?}: {said}");
    true
}

fn verify(program: &str, arguments: &[&str], zone: &Path) {
    let (status, said) = run(program, arguments, zone);
    let text = std::fs::read_to_string(zone).unwrap();
    let shown: String = text.chars().take(20_000).collect();
    assert_eq!(status, Some(0), "{program} {arguments:?}: {said}\n{shown}");
}

fn run(program: &str, arguments: &[&str], zone: &Path) -> (Option<i32>, String) {
    let mut command = Command::new("timeout");
    command.args([VERIFY_SECONDS, program]).args(arguments);
    let output = command.arg(zone).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// A zone of up to 60 names of up to four labels out of few, so that many lie below
/// each other.
fn random_zone(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |bound: u64| {
        // xorshift64 of Marsaglia: any spread will do.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };
    let mut zone = String::from(
        "$ORIGIN example.\n$TTL 300\n@ SOA ns1 host 1 7200 900 604800 600\n@ NS ns1\n\
         ns1 A 192.0.2.1\n",
    );
    let mut cuts: Vec<String> = Vec::new();
    let mut owners: Vec<String> = vec![".ns1".to_owned()];
    for _ in 0..5 + below(55) {
        let odd = if seed.is_multiple_of(2) {
            "\\000x"
        } else {
            "_x"
        };
        let labels = ["a", "b", "C", "*", odd, "long-label-of-some-length", "z9"];
        let mut owner = String::new();
        for _ in 0..1 + below(4) {
            let label = labels[usize::try_from(below(7)).unwrap()];
            owner = format!(".{label}{owner}");
        }
        let owner = owner.to_lowercase();
        let hidden = cuts.iter().any(|cut| owner.ends_with(cut.as_str()));
        if hidden || owners.contains(&owner) {
            continue;
        }
        let name = &owner[1..];
        let wildcard = name.starts_with('*');
        let covers = owners.iter().any(|other| other.ends_with(owner.as_str()));
        owners.push(owner.clone());
        zone += &match below(6) {
            0 | 1 if !wildcard && !covers => {
                cuts.push(owner.clone());
                format!("{name} NS ns1\n")
            }
            2 if !wildcard && !covers => {
                cuts.push(owner.clone());
                format!(
                    "{name} NS ns.{name}\nns.{name} A 192.0.2.2\n{name} DS 1 13 2 {}\n",
                    "ab".repeat(32)
                )
            }
            3 => format!("{name} CNAME Somewhere.Else.\n"),
            4 => format!("{name} TXT \"{name}\"\n{name} MX 1 A.example.\n"),
            _ => format!("{name} A 192.0.2.3\n{name} A 192.0.2.4\n"),
        };
    }
    zone
}
