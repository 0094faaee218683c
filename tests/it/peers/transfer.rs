//! Zone transfer to Knot, NSD and BIND as secondaries, with keys, notices and changes, over
//! TCP and TLS: each has exactly the zone that we have, after every change.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod secondary;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Instant;

use loadtest::peer::{Software, free_address};

use self::secondary::{SECRET, Secondary, secondaries};
use super::wanted;
use crate::support::{Folder, PATIENCE, Running, serial};
use crate::tls::{self, CERTIFICATE, KEY};

const SECONDARIES: [Software; 3] = [Software::Knot, Software::Nsd, Software::Bind];
const PROGRAMS: [&str; 4] = ["knotd", "nsd", "named", "kdig"];
/// Changes of [`signed_zones_stay_equal_through_changes`].
const CHANGES: u64 = 24;

/// What kdig prints of a transfer; the SOA is there twice.
fn transferred(server: SocketAddr, options: &[&str]) -> Vec<String> {
    let text = kdig(server, &[options, &["example.", "AXFR"]].concat());
    let records = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(';'));
    let words = records.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    // A signature of a message is shown like a record.
    words.filter(|line| !line.contains(" ANY TSIG ")).collect()
}

fn kdig(server: SocketAddr, options: &[&str]) -> String {
    let (ip, port) = (format!("@{}", server.ip()), server.port().to_string());
    let output = Command::new("kdig")
        .args([&ip, "-p", &port, "+timeout=10", "+retry=0"])
        .args(options)
        .output()
        .unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// The option of kdig that signs.
fn signed_by(name: &str) -> String {
    format!("hmac-sha256:{name}:{SECRET}")
}

/// Adds what transfers need to a folder's configuration.
fn allow(folder: &Folder, listen: SocketAddr, notify: &[SocketAddr], more: &str) {
    let path = folder.path("meridian.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace(
        "listen = [\"127.0.0.1:0\", \"[::1]:0\"]",
        &format!("listen = [\"{listen}\"]"),
    );
    let notify: Vec<_> = notify
        .iter()
        .map(|address| format!("{{ address = \"{address}\", key = \"mover\" }}"))
        .collect();
    let transfer = format!(
        "[transfer]\nkeys-file = \"keys\"\nallow = [{{ key = \"mover\" }}]\n\
         journal-directory = \"journal\"\nnotify = [{}]\n{more}",
        notify.join(", ")
    );
    std::fs::write(&path, text + &transfer).unwrap();
    folder.write("keys", &format!("mover hmac-sha256 {SECRET}\n"));
}

#[track_caller]
fn wait_for(secondary: &Secondary, wanted: u32) {
    let begin = Instant::now();
    while serial(secondary.address()) != wanted {
        assert!(
            begin.elapsed() < PATIENCE,
            "{} has {} instead of {wanted}: {}",
            secondary.name(),
            serial(secondary.address()),
            secondary.log()
        );
        std::thread::yield_now();
    }
}

/// Each secondary has what we have.
#[track_caller]
fn check_equal(server: &Running, secondaries: &[Secondary]) {
    let primary = server.addresses[0];
    let newest = serial(primary);
    // What is sent follows what is served; who has it was told of it.
    secondaries
        .iter()
        .for_each(|secondary| wait_for(secondary, newest));
    let own = transferred(primary, &["-y", &signed_by("mover")]);
    assert!(own.len() > 5, "{own:#?}");
    for secondary in secondaries {
        let theirs = transferred(secondary.address(), &[]);
        let of = |list: &[String]| list.iter().cloned().collect::<BTreeSet<_>>();
        let (own, theirs_set) = (of(&own), of(&theirs));
        let more: Vec<_> = own.difference(&theirs_set).take(10).collect();
        let less: Vec<_> = theirs_set.difference(&own).take(10).collect();
        let name = secondary.name();
        assert!(
            more.is_empty() && less.is_empty(),
            "{name} lacks {more:#?}, has {less:#?}"
        );
        assert_eq!(
            theirs.len(),
            own.len() + 1,
            "{name}: the SOA alone is there twice"
        );
    }
}

#[test]
fn kdig_gets_the_zone_with_the_key_and_nothing_without() {
    if !wanted(&PROGRAMS) {
        return;
    }
    let folder = Folder::with_image(1);
    allow(&folder, free_address().unwrap(), &[], "");
    let server = folder.serve();
    let address = server.addresses[0];
    let own = transferred(address, &["-y", &signed_by("mover")]);
    let dump = folder.succeed(&["image", "dump"]);
    assert_eq!(own.len(), dump.lines().count() + 1, "{own:#?}\n{dump}");
    for options in [&[][..], &["-y", &signed_by("other")]] {
        let text = kdig(address, &[options, &["example.", "AXFR"]].concat());
        assert!(!text.contains("192.0.2"), "{text}");
    }
    // A question that is signed has a signed answer, which kdig checks.
    let text = kdig(address, &["-y", &signed_by("mover"), "example.", "SOA"]);
    assert!(
        text.contains("status: NOERROR") && text.contains("TSIG"),
        "{text}"
    );
    assert!(
        !text.contains("WARNING") && !text.contains("ERROR:"),
        "{text}"
    );
    let wrong = "hmac-sha256:mover:d3Jvbmcgd3Jvbmcgd3JvbmcK";
    let text = kdig(address, &["-y", wrong, "example.", "SOA"]);
    assert!(
        text.contains("NOTAUTH") || text.contains("BADSIG"),
        "{text}"
    );
    let result =
        |word: &str| server.metric(&format!("meridian_transfers_total{{result=\"{word}\"}}"));
    assert_eq!((result("whole"), result("refused")), (1, 1));
    assert!(result("badkey") >= 1 && result("badsig") >= 1);
}

#[test]
fn unsigned_zones_stay_equal_through_compiles() {
    if !wanted(&PROGRAMS) {
        return;
    }
    let folder = Folder::with_image(1);
    let listen = free_address().unwrap();
    let (server, secondaries) = secondaries(listen, &SECONDARIES, |addresses| {
        allow(&folder, listen, addresses, "");
        folder.serve()
    });
    check_equal(&server, &secondaries);
    for serial in 2..6 {
        folder.compile(serial);
        folder.succeed(&["reload"]);
        check_equal(&server, &secondaries);
    }
    let result =
        |word: &str| server.metric(&format!("meridian_transfers_total{{result=\"{word}\"}}"));
    // BIND and Knot ask for changes by themselves; NSD as well.
    assert!(result("changes") >= 12, "{} of 12", result("changes"));
}

/// Secure and insecure delegations, hosts and records that come and go at random, in a
/// zone that is signed and changed in place.
#[test]
fn signed_zones_stay_equal_through_changes() {
    if !wanted(&PROGRAMS) || !wanted(&["kzonecheck", "ldns-verify-zone", "dnssec-verify"]) {
        return;
    }
    let folder = super::changes::registry("nsec3-opt-out");
    let listen = free_address().unwrap();
    let (server, secondaries) = secondaries(listen, &SECONDARIES, |addresses| {
        allow(&folder, listen, addresses, "");
        super::changes::serve(&folder)
    });
    check_equal(&server, &secondaries);
    let seed: u64 = std::env::var("MERIDIAN_SEED").map_or(1, |seed| seed.parse().unwrap());
    eprintln!("MERIDIAN_SEED={seed}");
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let whole = server.metric("meridian_transfers_total{result=\"whole\"}");
    for _ in 0..CHANGES {
        let words = super::changes::random_change(&mut random);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        // Some are refused: what is there cannot be added, nor removed what is not.
        folder.run(&[&["registry"], &words[..]].concat());
        folder.succeed(&["registry", "wait"]);
        check_equal(&server, &secondaries);
    }
    let result =
        |word: &str| server.metric(&format!("meridian_transfers_total{{result=\"{word}\"}}"));
    assert_eq!(
        result("whole") - whole,
        CHANGES,
        "only kdig gets whole zones"
    );
    for secondary in &secondaries {
        let mut records = transferred(secondary.address(), &[]);
        records.pop();
        let text = records.join("\n") + "\n";
        super::signed::verify_dump(&folder.write("example.zone", &text));
    }
}

/// RFC 9103: over TLS, to whom shows a certificate that is pinned.
#[test]
fn a_certificate_lets_in_over_tls() {
    if !wanted(&PROGRAMS) || !wanted(&["openssl"]) {
        return;
    }
    let folder = tls::folder(2031, "");
    let path = |name: &str| folder.path(name).display().to_string();
    let own = [path(CERTIFICATE), path(KEY)];
    // The client's pair is one that the server's helper makes as well.
    for (from, to) in own.iter().zip(["client.pem", "client-key.pem"]) {
        std::fs::copy(from, folder.path(to)).unwrap();
    }
    tls::write_pair(&folder, 2031);
    let pin = Command::new("openssl")
        .args([
            "x509",
            "-noout",
            "-fingerprint",
            "-sha256",
            "-in",
            &path("client.pem"),
        ])
        .output()
        .unwrap();
    let pin = String::from_utf8(pin.stdout).unwrap();
    let pin = pin.trim().rsplit('=').next().unwrap();
    let file = folder.path("meridian.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let rule = format!("[transfer]\nallow = [{{ certificate = \"{pin}\" }}]\n");
    std::fs::write(&file, text + &rule).unwrap();
    let server = folder.serve();
    let address = tls::addresses(&folder)[0];
    let certificate = format!("+tls-certfile={}", path("client.pem"));
    let key = format!("+tls-keyfile={}", path("client-key.pem"));
    let with = transferred(address, &["+tls", &certificate, &key]);
    let dump = folder.succeed(&["image", "dump"]);
    assert_eq!(with.len(), dump.lines().count() + 1, "{with:#?}");
    for (address, options) in [(address, &["+tls"][..]), (server.addresses[0], &[])] {
        let text = kdig(address, &[options, &["example.", "AXFR"]].concat());
        assert!(!text.contains("192.0.2"), "{text}");
    }
}
