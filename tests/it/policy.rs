//! What the server is configured to tell and to hold back, seen from outside.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::net::UdpSocket;
use std::time::Duration;

use hickory_proto::rr::RecordType;

use super::support::{Folder, Running, query};

/// Longest wait for a reply that has to come.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOPBACK: &str = "listen = [\"127.0.0.1:0\"]\nworkers = 2\n";
const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
const CLIENT_COOKIE: &[u8; 8] = b"client!!";

/// `example. SOA` with an OPT that asks for NSID and carries this cookie.
fn query_with_cookie(cookie: &[u8]) -> Vec<u8> {
    let mut wire = query(1, "example.", RecordType::SOA);
    wire[11] = 1;
    let length = u8::try_from(cookie.len()).unwrap();
    wire.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 8 + length]);
    wire.extend([0, 3, 0, 0, 0, 10, 0, length]);
    wire.extend_from_slice(cookie);
    wire
}

fn exchange(server: &Running, wire: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(wire, server.addresses[0]).unwrap();
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).unwrap();
    buffer[..length].to_vec()
}

fn holds(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

/// The value of a line of the metrics page.
fn metric(server: &Running, line: &str) -> u64 {
    let (_, page) = server.page("/metrics");
    let found = page.lines().find_map(|own| own.strip_prefix(line));
    found
        .unwrap_or_else(|| panic!("no {line}"))
        .trim()
        .parse()
        .unwrap()
}

#[test]
fn it_tells_what_it_is_told_to_tell() {
    let folder = Folder::with_image(1);
    folder.configure(&format!(
        "{LOOPBACK}version = \"Meridian test\"\nidentity = \"here\"\nnsid = \"site-7\"\n"
    ));
    let server = folder.serve();
    for (name, text) in [
        ("version.bind.", "\x0dMeridian test"),
        ("id.server.", "\x04here"),
    ] {
        let mut wire = query(1, name, RecordType::TXT);
        let class = wire.len() - 1;
        wire[class] = 3;
        let reply = exchange(&server, &wire);
        assert_eq!(reply[3] & 15, 0);
        assert!(holds(&reply, text.as_bytes()), "{name}");
    }
    assert!(holds(
        &exchange(&server, &query_with_cookie(CLIENT_COOKIE)),
        b"\x00\x06site-7"
    ));
}

#[test]
fn servers_with_one_file_of_secrets_take_each_others_cookies() {
    let servers = [(); 2].map(|()| {
        let folder = Folder::with_image(1);
        folder.write("secrets", &format!("# shared\n{SECRET}\n"));
        folder.configure(&format!("{LOOPBACK}cookie-secrets-file = \"secrets\"\n"));
        folder.serve()
    });
    let first = exchange(&servers[0], &query_with_cookie(CLIENT_COOKIE));
    let cookie = &first[first.len() - 24..];
    assert_eq!(cookie[..8], CLIENT_COOKIE[..]);
    // A good and fresh one comes back as it is.
    let second = exchange(&servers[1], &query_with_cookie(cookie));
    assert!(second.ends_with(cookie));
}

#[test]
fn secrets_that_cannot_be_read_are_a_fault_without_them() {
    let folder = Folder::with_image(1);
    folder.configure(&format!("{LOOPBACK}cookie-secrets-file = \"secrets\"\n"));
    folder.fail(
        &["serve"],
        &["dns.cookie-secrets-file", "secrets", "No such file"],
    );
    folder.write("secrets", &format!("{SECRET}\n{SECRET}0\n"));
    folder.fail(
        &["serve"],
        &["dns.cookie-secrets-file", "line 2", "32 hexadecimal digits"],
    );
    let output = folder.run(&["serve"]);
    assert!(!holds(&output.stderr, &SECRET.as_bytes()[..8]));
}

#[test]
fn a_flood_slips_and_drops_and_a_cookie_or_another_network_does_not_mind() {
    let folder = Folder::with_image(1);
    folder.configure(&format!(
        "{LOOPBACK}rate-limit.responses-per-second = 1\nrate-limit.prefix-length-v4 = 32\n"
    ));
    let server = folder.serve();
    let cookie = exchange(&server, &query_with_cookie(CLIENT_COOKIE));
    let cookie = &cookie[cookie.len() - 24..];

    let flood = UdpSocket::bind("127.0.0.2:0").unwrap();
    let wire = query(1, "example.", RecordType::SOA);
    for _ in 0..100 {
        flood.send_to(&wire, server.addresses[0]).unwrap();
    }
    for _ in 0..10 {
        let reply = exchange(&server, &query_with_cookie(cookie));
        assert_eq!((reply[2] & 2, reply[7]), (0, 1), "whole");
    }
    let received = "meridian_dns_queries_total{transport=\"udp\"}";
    while metric(&server, received) < 111 {
        std::thread::yield_now();
    }
    let slipped = metric(
        &server,
        "meridian_dns_responses_total{transport=\"udp\",outcome=\"slipped\"}",
    );
    let dropped = metric(
        &server,
        "meridian_dns_drops_total{transport=\"udp\",reason=\"rate-limited\"}",
    );
    // The flood may have taken a second or two.
    assert!((45..=50).contains(&slipped), "{slipped}");
    assert!((45..=50).contains(&dropped), "{dropped}");
}
