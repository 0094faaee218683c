//! DNS over TLS as other libraries speak it: GnuTLS in kdig, and OpenSSL.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::wanted;
use crate::support::{Folder, PATIENCE, Running};
use crate::tls::{NAME, addresses, certificate, folder, write_pair};

/// What kdig prints for the SOA of `example.` with these options.
fn kdig(address: SocketAddr, options: &[&str]) -> String {
    let output = Command::new("kdig")
        .args([
            &format!("@{}", address.ip()),
            "-p",
            &address.port().to_string(),
        ])
        .args(["+tls", "+norecurse", "+timeout=10", "+retry=0"])
        .args(options)
        .args(["example.", "SOA"])
        .output()
        .unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn kdig_asks_with_and_without_trust() {
    if !wanted(&["kdig"]) {
        return;
    }
    let folder = folder(2031, "");
    let server = folder.serve();
    let trust = format!("+tls-ca={}", certificate(&folder).display());
    let hostname = format!("+tls-hostname={NAME}");
    for address in addresses(&folder) {
        let text = kdig(address, &[]);
        assert!(
            text.contains("status: NOERROR") && text.contains("TLS session"),
            "{text}"
        );
        let text = kdig(address, &[&trust, &hostname]);
        assert!(text.contains("status: NOERROR"), "{text}");
        assert!(text.contains("TLS session (TLS1.3)"), "{text}");
        // A name that is not in the certificate is kdig's reason to go.
        let text = kdig(address, &[&trust, "+tls-hostname=other.example"]);
        assert!(!text.contains("status: NOERROR"), "{text}");
    }
    // kdig pads its queries over TLS, so that the answer is padded: RFC 8467.
    let text = kdig(addresses(&folder)[0], &["+padding"]);
    assert!(text.contains("PADDING:"), "{text}");
    assert!(text.contains("Received 468 B"), "{text}");
    assert!(server.metric("meridian_tls_handshakes_total{result=\"completed\"}") >= 5);
}

#[test]
fn kdig_sees_the_new_certificate() {
    if !wanted(&["kdig"]) {
        return;
    }
    let folder = folder(2031, "");
    let _server = folder.serve();
    let address = addresses(&folder)[0];
    let hostname = format!("+tls-hostname={NAME}");
    let trust = format!("+tls-ca={}", certificate(&folder).display());
    assert!(kdig(address, &[&trust, &hostname]).contains("status: NOERROR"));
    write_pair(&folder, 2032);
    assert!(!kdig(address, &[&trust, &hostname]).contains("status: NOERROR"));
    folder.succeed(&["reload"]);
    assert!(kdig(address, &[&trust, &hostname]).contains("status: NOERROR"));
}

/// What `openssl s_client` prints of a handshake.
fn openssl(address: SocketAddr, options: &[&str]) -> String {
    let output = Command::new("openssl")
        .args(["s_client", "-connect", &address.to_string()])
        .args(options)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[track_caller]
fn counted(server: &Running, result: &str, count: u64) {
    let metric = format!("meridian_tls_handshakes_total{{result=\"{result}\"}}");
    let begin = Instant::now();
    while server.metric(&metric) != count {
        assert!(
            begin.elapsed() < PATIENCE,
            "{metric} is {}",
            server.metric(&metric)
        );
    }
}

#[test]
fn openssl_gets_what_rfc_9325_recommends_and_nothing_older() {
    if !wanted(&["openssl"]) {
        return;
    }
    let folder: Folder = folder(2031, "");
    let server = folder.serve();
    let address = addresses(&folder)[0];
    let trust = certificate(&folder);
    let trust = trust.to_str().unwrap();
    for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let text = openssl(address, &[version, "-alpn", "dot", "-CAfile", trust]);
        assert!(text.contains(name), "{text}");
        assert!(text.contains("ALPN protocol: dot"), "{text}");
        assert!(text.contains("Verify return code: 0 (ok)"), "{text}");
    }
    counted(&server, "completed", 2);
    // Without forward secrecy, without authentication of records, of an older version.
    for refused in [
        ["-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0"],
        [
            "-tls1_2",
            "-cipher",
            "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0",
        ],
        ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
    ] {
        let text = openssl(address, &refused);
        assert!(
            text.contains("handshake failure") || text.contains("alert protocol version"),
            "{text}"
        );
        assert!(!text.contains("ALPN protocol: dot"), "{text}");
    }
    counted(&server, "incompatible", 4);
    let text = openssl(address, &["-alpn", "h2"]);
    assert!(text.contains("no application protocol"), "{text}");
    counted(&server, "no-protocol", 1);
}
