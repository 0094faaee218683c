//! Bad input over TLS: the right code or a clean close, and other sessions untouched.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::desk::{command, name, plain};
use super::live::{Client, Live, PASSWORD, client_config, framed, login};
use crate::publish::eventually;
use crate::support::PATIENCE;

/// A frame that says nothing but hello, with something before its root.
fn hello(before: &str) -> String {
    format!("{before}<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><hello/></epp>")
}

/// A refusal by its reason.
fn refused(reason: &str) -> String {
    format!("meridian_epp_refusals_total{{reason=\"{reason}\"}}")
}

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

#[test]
fn a_frame_is_as_long_as_may_be_and_no_octet_longer() {
    const MOST: usize = 65_536;
    let live = Live::new("");
    let mut other = live.session("reg-b");
    let mut client = live.session("reg-a");
    let check = check();
    let (head, tail) = check.split_at(check.find("<command>").unwrap());
    let padded = |length: usize| {
        let space = " ".repeat(length - 4 - check.len());
        framed(format!("{head}{space}{tail}").as_bytes())
    };
    let whole = padded(MOST);
    assert_eq!(whole.len(), MOST);
    client.write(&whole);
    assert_eq!(client.reply().code, 1000);
    client.write(&padded(MOST + 1));
    assert_eq!(client.reply().code, 2500);
    assert!(client.is_closed());
    assert_eq!(other.say(&check).code, 1000);
}

#[test]
fn frames_of_too_many_parts_are_syntax_errors() {
    let live = Live::new("");
    let mut client = live.session("reg-a");
    let of = |body: &str| {
        format!("<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><command>{body}</command></epp>")
    };
    let attributes: String = (0..2000).map(|number| format!(" a{number}=\"\"")).collect();
    let spaces: String = (0..500)
        .map(|number| format!(" xmlns:n{number}=\"urn:n{number}\""))
        .collect();
    let long = "x".repeat(60_000);
    for frame in [
        of(&"<a/>".repeat(15_000)),
        of(&format!("<a{attributes}/>")),
        of(&format!("<a{spaces}/>")),
        of(&format!("<{long}/>")),
        of(&format!("<a b=\"{long}\"/>")),
        of(&format!("<clTRID>{long}</clTRID>")),
        of(&"&amp;".repeat(13_000)),
        of(&format!("<!--{long}-->")),
        of(&format!("<![CDATA[{long}]]>")),
        hello(&"<?pi ?>".repeat(9_000)),
    ] {
        let reply = client.say(&frame);
        assert!([2000, 2001, 2005].contains(&reply.code), "{}", reply.xml);
        // What is said back is not as long as what was said.
        assert!(reply.xml.len() < 4096, "{}", reply.xml.len());
    }
    assert_eq!(client.say(&check()).code, 1000);
}

#[test]
fn entities_are_not_resolved_whatever_they_are() {
    let live = Live::new("");
    live.folder.write("secret.txt", "what-nobody-sees");
    let secret = live.folder.path("secret.txt");
    let mut client = live.session("reg-a");
    let laughs: String = (1..10)
        .map(|level| {
            let of = format!("&e{};", level - 1).repeat(10);
            format!("<!ENTITY e{level} \"{of}\">")
        })
        .collect();
    let long = "x".repeat(30_000);
    let types = [
        "<!DOCTYPE epp>".to_owned(),
        format!("<!DOCTYPE epp [<!ENTITY e0 \"lol\">{laughs}]>"),
        format!("<!DOCTYPE epp [<!ENTITY e9 \"{long}\">]>"),
        format!(
            "<!DOCTYPE epp [<!ENTITY e9 SYSTEM \"file://{}\">]>",
            secret.display()
        ),
        format!("<!DOCTYPE epp SYSTEM \"file://{}\">", secret.display()),
        format!(
            "<!DOCTYPE epp [<!ENTITY % p SYSTEM \"file://{}\"> %p;]>",
            secret.display()
        ),
        // No type at all: the entity is not there.
        String::new(),
    ];
    for text in types {
        let frame = format!("<?xml version=\"1.0\"?>{text}{}", plain("&e9;<logout/>"));
        let reply = client.say(&frame);
        assert_eq!(reply.code, 2001, "{text}: {}", reply.xml);
        assert!(!reply.xml.contains("what-nobody-sees"), "{}", reply.xml);
    }
    assert_eq!(client.say(&check()).code, 1000);
}

#[test]
fn octets_that_are_no_utf_8_are_syntax_errors() {
    let live = Live::new("");
    let mut client = live.session("reg-a");
    let wide = |swap: bool| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(hello("").encode_utf16().collect::<Vec<_>>());
        let octets = |unit: u16| {
            if swap {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            }
        };
        units.flat_map(octets).collect()
    };
    let mut frames = vec![wide(false), wide(true)];
    for octets in [
        &b"\xc0\x80"[..],
        b"\xed\xa0\x80",
        b"\xf5\x80\x80\x80",
        b"\xe2\x82",
        b"\x80",
        b"\0",
        b"\x0b",
        b"&#0;",
        b"&#xd800;",
        b"&#x110000;",
        b"\xef\xbf\xbe",
    ] {
        let (before, after) = (plain(""), plain(""));
        let place = before.find("ABC").unwrap();
        let frame = [
            &before.as_bytes()[..place],
            octets,
            &after.as_bytes()[place..],
        ];
        frames.push(frame.concat());
    }
    for encoding in ["ISO-8859-1", "UTF-16", "no such"] {
        let text = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>");
        frames.push(hello(&text).into_bytes());
    }
    for frame in frames {
        client.write(&framed(&frame));
        let reply = client.reply();
        let shown = String::from_utf8_lossy(&frame);
        assert_eq!(reply.code, 2001, "{shown}: {}", reply.xml);
    }
    assert_eq!(client.say(&check()).code, 1000);
}

#[test]
fn single_octets_gain_no_time() {
    let live = Live::new("idle-timeout-seconds = 1");
    let mut slow = live.session("reg-a");
    let mut other = live.session("reg-b");
    slow.stream
        .sock
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    // Each arrives long before the time is up, and there are more than the time has.
    let frame = framed(hello(&" ".repeat(60_000)).as_bytes());
    let ended = frame.iter().enumerate().find_map(|(place, octet)| {
        if place % 10 == 0 {
            // Whole frames do gain it.
            other.say(&check());
        }
        let _ = slow.stream.write_all(std::slice::from_ref(octet));
        let _ = slow.stream.flush();
        match slow.stream.read(&mut [0; 16]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            ended => Some(ended),
        }
    });
    assert!(matches!(ended, Some(Ok(0) | Err(_))), "{ended:?}");
    assert_eq!(live.server.metric(&refused("idle")), 1);
    assert_eq!(other.say(&check()).code, 1000);
}

#[test]
fn who_takes_no_answers_is_ended_and_others_are_not() {
    const HELLOS_MAX: usize = 100_000;
    let live = Live::new("write-timeout-seconds = 1\ncommands-per-second-max = 1000000");
    let mut other = live.session("reg-b");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&live.address.into()).unwrap();
    let config = client_config(&live.folder, Some("reg-a"));
    let mut deaf = Client::new(socket.into(), config);
    deaf.read().unwrap();
    assert_eq!(deaf.say(&login("reg-a", PASSWORD)).code, 1000);
    deaf.stream.sock.set_write_timeout(Some(PATIENCE)).unwrap();
    let hello = framed(hello("").as_bytes());
    let sent = (0..HELLOS_MAX)
        .take_while(|_| deaf.stream.write_all(&hello).is_ok())
        .count();
    assert!(sent < HELLOS_MAX, "all were taken");
    eventually("it is ended", || {
        live.server.metric(&refused("write-time")) == 1
    });
    assert_eq!(other.say(&check()).code, 1000);
    eventually("one is left", || {
        live.server.metric("meridian_epp_connections") == 1
    });
}

#[test]
fn connections_end_in_every_way_and_leave_nothing_behind() {
    let live = Live::new("");
    let mut other = live.session("reg-b");
    // One that says that it sends no more is answered first.
    let mut half = live.session("reg-a");
    half.write(&framed(check().as_bytes()));
    half.stream.conn.send_close_notify();
    half.stream.flush().unwrap();
    half.stream.sock.shutdown(Shutdown::Write).unwrap();
    assert_eq!(half.reply().code, 1000);
    assert!(half.is_closed());
    // Cut off within a frame, without a word of TLS.
    let mut cut = live.session("reg-a");
    cut.write(&framed(check().as_bytes())[..30]);
    cut.stream.sock.shutdown(Shutdown::Both).unwrap();
    // A record of TLS that nobody made with the key of the session.
    let mut forged = live.session("reg-a");
    forged.stream.sock.write_all(&[23, 3, 3, 0, 32]).unwrap();
    forged.stream.sock.write_all(&[7; 32]).unwrap();
    assert!(forged.is_told_by_alert());
    // No TLS any more.
    let mut naked = live.session("reg-a");
    naked
        .stream
        .sock
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .unwrap();
    assert!(naked.is_told_by_alert());
    for _ in 0..50 {
        drop(TcpStream::connect(live.address).unwrap());
    }
    eventually("one is left", || {
        live.server.metric("meridian_epp_connections") == 1
    });
    assert_eq!(live.server.metric("meridian_epp_sessions"), 1);
    assert_eq!(other.say(&check()).code, 1000);
}

/// Megabytes that a process has in memory.
fn resident_megabytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: u64 = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kilobytes / 1024
}

#[test]
fn hostile_frames_cost_no_memory() {
    const ROUNDS: usize = 30;
    const MEGABYTES_MAX: u64 = 48;
    let live = Live::new("commands-per-second-max = 1000000");
    let mut other = live.session("reg-b");
    let mut clients: Vec<_> = (0..8).map(|_| live.session("reg-a")).collect();
    let before = resident_megabytes(live.server.pid());
    let frames = [
        "<a>".repeat(20_000),
        format!("<a>{}</a>", "<b/>".repeat(15_000)),
        format!("<!DOCTYPE a [{}]>", "<!ENTITY a \"a\">".repeat(3_000)),
        "\u{ff}".repeat(30_000),
    ];
    for round in 0..ROUNDS {
        let frame = framed(frames[round % frames.len()].as_bytes());
        // All of them at once, each nearly as long as may be.
        for client in &mut clients {
            client.write(&frame);
        }
        for client in &mut clients {
            assert_eq!(client.reply().code, 2001);
        }
    }
    let grown = resident_megabytes(live.server.pid()).saturating_sub(before);
    eprintln!("{grown} MB more");
    assert!(grown <= MEGABYTES_MAX, "{grown} MB");
    assert_eq!(other.say(&check()).code, 1000);
}

#[test]
fn a_crowd_at_the_door_keeps_nobody_from_working() {
    const CROWD: usize = 2000;
    let live = Live::new("connections-max = 16\nconnections-per-prefix-max = 16");
    let mut other = live.session("reg-b");
    // They wait for a handshake; whoever comes then is sent away.
    let mut inside = Vec::new();
    for number in 0..CROWD {
        let mut stream = TcpStream::connect(live.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match number < 15 {
            true => inside.push(stream),
            false => assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0),
        }
    }
    assert_eq!(other.say(&check()).code, 1000);
    let full = live.server.metric(&refused("prefix-full"));
    assert_eq!(full, CROWD as u64 - 15);
    drop(inside);
    eventually("there is room again", || {
        live.server.metric("meridian_epp_connections") == 1
    });
    live.session("reg-a");
    assert_eq!(other.say(&check()).code, 1000);
}
