//! Bad input over TLS: the right code or a clean close, and other sessions untouched.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::desk::{command, name};
use super::live::{Live, PASSWORD, framed, login};
use crate::publish::eventually;
use crate::support::PATIENCE;

fn check() -> String {
    command("check", "domain", &name("domain", "a.tld"), "")
}

#[test]
fn lengths_that_are_none_end_the_session_with_2500() {
    let live = Live::new("frame-bytes-max = 8192");
    let mut other = live.session("reg-b");
    for length in [0_u32, 3, 8193, u32::MAX] {
        let mut client = live.session("reg-a");
        client.write(&length.to_be_bytes());
        let reply = client.reply();
        assert_eq!(reply.code, 2500, "{length}: {}", reply.xml);
        assert!(client.is_closed(), "{length}");
    }
    // Before the login as well, and with more behind it than anybody reads.
    let mut client = live.connect(None);
    client.write(&[0; 64 * 1024]);
    assert_eq!(client.reply().code, 2500);
    assert_eq!(other.say(&check()).code, 1000);
    assert_eq!(
        live.server
            .metric("meridian_epp_refusals_total{reason=\"length\"}"),
        5
    );
}

#[test]
fn frames_that_are_no_commands_are_answered_and_the_session_stays() {
    let live = Live::new("");
    let mut client = live.session("reg-a");
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE epp [<!ENTITY a \"aaaaaaaaaa\">\
                <!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>\
                <epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><hello>&b;</hello></epp>";
    let deep = "<a>".repeat(10_000);
    let frames: [&[u8]; 7] = [
        b"",
        b"\0\0\0\0",
        b"GET / HTTP/1.1\r\n\r\n",
        b"<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><hello>\xff\xfe</hello></epp>",
        b"<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><hello></epp>",
        bomb.as_bytes(),
        deep.as_bytes(),
    ];
    for octets in frames {
        client.write(&framed(octets));
        let reply = client.reply();
        assert_eq!(reply.code, 2001, "{}", reply.xml);
    }
    assert_eq!(client.say(&check()).code, 1000);
}

#[test]
fn frames_in_any_pieces_are_whole_frames() {
    let live = Live::new("");
    let mut client = live.session("reg-a");
    let octets = framed(check().as_bytes());
    for octet in &octets {
        client.write(std::slice::from_ref(octet));
    }
    assert_eq!(client.reply().code, 1000);
    // Sent ahead, answered in order.
    client.write(&[octets.as_slice(), framed(b"<x/>").as_slice(), &octets].concat());
    let codes = [(); 3].map(|()| client.reply().code);
    assert_eq!(codes, [1000, 2001, 1000]);
}

#[test]
fn slow_clients_are_ended_and_others_are_not() {
    let live = Live::new(
        "idle-timeout-seconds = 1\nlogin-timeout-seconds = 2\nhandshake-timeout-seconds = 1",
    );
    // Half a handshake: a record of 512 octets that never come.
    let mut half = TcpStream::connect(live.address).unwrap();
    half.set_read_timeout(Some(PATIENCE)).unwrap();
    half.write_all(&[0x16, 3, 1, 2, 0]).unwrap();
    let mut silent = live.connect(Some("reg-a"));
    let mut slow = live.session("reg-a");
    slow.write(&framed(check().as_bytes())[..20]);
    let mut other = live.session("reg-b");
    assert_eq!(other.say(&check()).code, 1000);
    assert_eq!(half.read(&mut [0; 16]).unwrap_or(0), 0);
    assert!(slow.is_closed());
    assert!(silent.is_closed());
    for reason in ["handshake-time", "idle", "no-login"] {
        let metric = format!("meridian_epp_refusals_total{{reason=\"{reason}\"}}");
        eventually(reason, || live.server.metric(&metric) >= 1);
    }
}

#[test]
fn what_is_no_tls_and_what_goes_away_leaves_nothing_behind() {
    let live = Live::new("connections-per-prefix-max = 2");
    let mut plain = TcpStream::connect(live.address).unwrap();
    plain.set_read_timeout(Some(PATIENCE)).unwrap();
    plain
        .write_all(&framed(login("reg-a", PASSWORD).as_bytes()))
        .unwrap();
    let mut rest = Vec::new();
    let _ = plain.read_to_end(&mut rest);
    assert!(!rest.windows(8).any(|octets| octets == b"greeting"));
    for _ in 0..5 {
        let mut client = live.session("reg-a");
        client.write(&framed(check().as_bytes())[..10]);
        drop(client);
        eventually("it is gone", || {
            live.server.metric("meridian_epp_connections") == 0
        });
    }
    let _two = [live.session("reg-a"), live.session("reg-b")];
    let mut third = TcpStream::connect(live.address).unwrap();
    third.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(third.read(&mut [0; 16]).unwrap_or(0), 0);
    let metric = "meridian_epp_refusals_total{reason=\"prefix-full\"}";
    assert_eq!(live.server.metric(metric), 1);
}
