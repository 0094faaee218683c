//! Clients of EPP that others wrote: each lives the life of a domain as two registrars, from
//! the login to the logout, on a server that runs. What they say and hear is held against
//! the schemas.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod instant;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::epp::validate_folder;
use super::wanted;
use crate::epp::desk::{command, name};
use crate::epp::live::{Live, PASSWORD};
use crate::publish::eventually;

/// Fewest frames of a life.
const FRAMES_MIN: usize = 50;

/// A registry with contacts, where a domain that is deleted waits from the first day on;
/// with these lines in `[epp]`.
fn begin(lines: &str) -> Live {
    let live = Live::with_contacts(lines, &[]);
    let policy = ["registry", "zone", "policy", "tld", "--set", "add-grace=0"];
    live.folder.succeed(&policy);
    live
}

#[test]
fn instant_epp_lives_a_whole_life() {
    if !wanted(&["xmllint"]) {
        return;
    }
    let (live, frames) = (begin(""), tempfile::tempdir().unwrap());
    instant::live(&live, frames.path());
    let count = validate_folder(frames.path());
    assert!(count >= FRAMES_MIN, "{count}");
}

#[test]
fn net_epp_lives_a_whole_life() {
    if !wanted(&["xmllint", "perl"]) {
        return;
    }
    let (live, frames) = (begin(""), tempfile::tempdir().unwrap());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/net-epp.pl");
    let output = Command::new("perl")
        .arg(script)
        .arg(live.address.port().to_string())
        .arg(live.folder.path(""))
        .arg(frames.path())
        .arg(PASSWORD)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let count = validate_folder(frames.path());
    assert!(count >= FRAMES_MIN, "{count}");
}

/// RFC 9325 section 3.5: a client of TLS 1.2 that asks for another handshake gets none, and
/// is ended in the time that everybody has for a login.
#[test]
fn openssl_cannot_renegotiate_and_others_work_on() {
    const TIMED_OUT: i32 = 124;
    if !wanted(&["openssl", "timeout"]) {
        return;
    }
    let live = begin("login-timeout-seconds = 2");
    let mut other = live.session("reg-b");
    let check = command("check", "domain", &name("domain", "a.tld"), "");
    let mut openssl = Command::new("timeout");
    openssl.current_dir(live.folder.path(""));
    let address = live.address.to_string();
    openssl.args(["20", "openssl", "s_client", "-connect", &address]);
    openssl.args("-tls1_2 -CAfile server.pem -cert reg-a.pem -key reg-a.key".split(' '));
    let mut client = openssl
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // `R` at the begin of a line asks for it.
    let mut input = client.stdin.take().unwrap();
    input.write_all(b"R\n").unwrap();
    let output = client.wait_with_output().unwrap();
    drop(input);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert_ne!(output.status.code(), Some(TIMED_OUT), "{said}");
    assert!(said.contains("RENEGOTIATING"), "{said}");
    // It looked at the server's certificate once.
    assert_eq!(said.matches("depth=0 ").count(), 1, "{said}");
    eventually("its connection is gone", || {
        live.server.metric("meridian_epp_connections") == 1
    });
    assert_eq!(other.say(&check).code, 1000);
}
