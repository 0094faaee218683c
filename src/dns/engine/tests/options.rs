//! EDNS: versions, flags, options in both directions; rows of the table of sharp
//! cases. Everything is asked over UDP, TCP and TLS.

use std::sync::LazyLock;
use std::time::Duration;

use hickory_proto::op::Message;

use super::asked::{Zones, describe, hex, query};
use crate::dns::cookie::CookieSecrets;
use crate::dns::engine::{Engine, EngineConfig, Request, Transport};

const ZONE: &str = "
example. 3600 SOA ns1.example. host.example. 7 7200 900 1209600 300
example. 3600 NS ns1.example.
ns1.example. 3600 A 192.0.2.1
cut.example. 3600 NS ns.cut.example.
ns.cut.example. 3600 A 192.0.2.2
long.example. 3600 TXT LONG
longer.example. 3600 TXT LONG
";

static ZONES: LazyLock<Zones> = LazyLock::new(|| {
    let long = "x".repeat(230);
    let zone = ZONE.replace("LONG", &format!("\"{long}\" \"{}\"", &long[..198]));
    Zones::compile(&[
        &zone,
        &ZONE.replace("example.", "agent.test.").replace("LONG", "x"),
    ])
});

const SECRETS: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf\n445536bcd2513298075a5d379663c962";
/// When the cookies of RFC 9018 appendix A.1 are made.
const NOW: u64 = 1_559_731_985;
const CLIENT_COOKIE: &str = "2464c4abcf10c957";
const COOKIE: &str = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";

fn config() -> EngineConfig {
    EngineConfig {
        version: "Meridian".to_owned(),
        identity: "ams-1".to_owned(),
        nsid: "site".to_owned(),
        stream_idle_timeout: Duration::from_secs(12),
        cookie_secrets: CookieSecrets::parse(SECRETS).unwrap(),
        ..EngineConfig::default()
    }
}

static FULL: LazyLock<Engine> = LazyLock::new(|| Engine::new(config()));

fn send(engine: &Engine, wire: &[u8], transport: Transport) -> Vec<u8> {
    let request = Request {
        peer: "198.51.100.100:4000".parse().unwrap(),
        transport,
        wire,
        now: NOW,
    };
    ZONES.send_to(engine, &request).1
}

/// The reply in words, then its options as `code:hex`.
fn words(reply: &[u8]) -> String {
    if reply.len() == 12 {
        return format!("header {}", reply[3] & 15);
    }
    let mut text = describe(reply);
    let Some(edns) = Message::from_vec(reply).unwrap().edns else {
        return text;
    };
    assert_eq!(edns.version(), 0);
    assert_eq!(edns.max_payload(), 1232);
    assert_eq!(edns.flags().z, 0);
    if edns.flags().dnssec_ok {
        text.push_str(" do");
    }
    for (code, option) in &edns.options().options {
        let data: Vec<u8> = option.try_into().unwrap();
        let data: String = data.iter().map(|octet| format!("{octet:02x}")).collect();
        text.push_str(&format!(" {}:{data}", u16::from(*code)));
    }
    text
}

#[track_caller]
fn check_with(engine: &Engine, question: &str, transports: &[Transport], expected: &str) {
    let (wire, _) = query(question);
    for &transport in transports {
        let found = words(&send(engine, &wire, transport));
        assert_eq!(found, expected, "{question} {transport:?}");
    }
}

const ALL: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];
const STREAMS: [Transport; 2] = [Transport::Tcp, Transport::Tls];

#[track_caller]
fn check(question: &str, expected: &str) {
    check_with(&FULL, question, &ALL, expected);
}

const ANSWER: &str = "NoError aa edns answer: ns1.example. A 192.0.2.1";

fn with(options: &str) -> String {
    format!("{ANSWER} {options}")
}

#[test]
fn row_15_no_opt_without_opt() {
    check("ns1.example A", &ANSWER.replace(" edns", ""));
    check("ns1.other A", "Refused");
}

#[test]
fn row_16_versions() {
    // RCODE 16 is BADVERS here and BADSIG in TSIG; hickory-proto has the latter name.
    check("ns1.example A +version=1", "BADSIG edns");
    check("ns1.example A +version=255 +do", "BADSIG edns do");
    check("ns1.example A +version=1 +option=10:01", "BADSIG edns");
    check("ns1.example A +version=1 +option=3:", "BADSIG edns");
    check(
        &format!("ns1.example A +version=1 +option=10:{CLIENT_COOKIE}"),
        "BADSIG edns",
    );
    check("ns1.other A +version=1 +flags=40", "BADSIG edns");
    // Octets that are no options.
    let (mut wire, _) = query("ns1.example A +version=1");
    let at = wire.len() - 1;
    wire[at] = 3;
    wire.extend([0, 10, 0]);
    assert_eq!(words(&send(&FULL, &wire, Transport::Udp)), "BADSIG edns");
}

#[test]
fn row_17_one_opt_of_the_root_in_the_additional_section() {
    let (wire, _) = query("ns1.example A +do");
    let opt = wire.len() - 11;
    let mut owned = wire.clone();
    owned.splice(opt..=opt, [1, b'a', 0]);
    let mut twice = wire.clone();
    twice.extend_from_slice(&wire[opt..]);
    twice[11] = 2;
    let mut misplaced = query("example TYPE251 +do").0;
    misplaced[9] = 1;
    misplaced[11] = 0;
    for wire in [owned, twice, misplaced] {
        for transport in ALL {
            assert_eq!(words(&send(&FULL, &wire, transport)), "FormErr edns do");
        }
    }
}

#[test]
fn row_18_malformed_options_are_formerr_with_opt() {
    for length in [0, 1, 7, 9, 15, 41, 60] {
        check(
            &format!("ns1.example A +option=10:{}", "00".repeat(length)),
            "FormErr edns",
        );
    }
    // RFC 9660 section 3.2.1.
    check("ns1.example A +option=19:00", "FormErr edns");
    check("ns1.example A +option=19: +option=19:", "FormErr edns");
    for (length, option) in [(5, &[0, 3, 0, 2, 1][..]), (2, &[0, 3]), (3, &[0, 3, 0])] {
        let (mut wire, _) = query("ns1.example A +edns=1232");
        let at = wire.len() - 1;
        wire[at] = length;
        wire.extend_from_slice(option);
        for transport in ALL {
            assert_eq!(words(&send(&FULL, &wire, transport)), "FormErr edns");
        }
    }
}

#[test]
fn row_19_unknown_options_and_flags_are_ignored() {
    check("ns1.example A +option=100:", ANSWER);
    check("ns1.example A +option=65001:0102 +flags=7fff", ANSWER);
    check("ns1.example A +flags=ffff", &with("do"));
    // Client subnet and EXPIRE, which are none of ours.
    check("ns1.example A +option=8:00010000 +option=9:", ANSWER);
}

#[test]
fn rows_20_and_21_sizes() {
    // Header and question are 30 octets, the record 12 and 430, the OPT 11.
    let length = |question: &str| {
        let (wire, _) = query(question);
        let reply = send(&FULL, &wire, Transport::Udp);
        (reply[2] & 2 != 0, reply.len())
    };
    assert_eq!(length("long.example TXT"), (false, 472));
    for size in [0, 511, 512] {
        assert_eq!(
            length(&format!("long.example TXT +edns={size}")),
            (false, 483)
        );
        // A cookie has room of its own, and two octets more are too many then.
        let cookie = format!("+edns={size} +option=10:{CLIENT_COOKIE}");
        assert_eq!(length(&format!("long.example TXT {cookie}")), (false, 511));
        assert_eq!(
            length(&format!("longer.example TXT +edns={size}")),
            (false, 485)
        );
        let truncated = (true, 12 + 20 + 11 + 28);
        assert_eq!(length(&format!("longer.example TXT {cookie}")), truncated);
    }
    assert_eq!(length("long.example TXT +edns=65535"), (false, 483));
}

#[test]
fn no_option_but_the_cookie_pushes_a_record_out() {
    // 483 octets with an OPT, 511 with a cookie, so that NSID (8) does not fit.
    let cookie = format!("+option=10:{CLIENT_COOKIE}");
    let found = |options: &str| {
        let (wire, _) = query(&format!("long.example TXT +edns=512 {options}"));
        words(&send(&FULL, &wire, Transport::Udp))
    };
    let answer = "NoError aa edns answer: long.example. TXT";
    assert_eq!(found("+option=3:"), format!("{answer} 3:73697465"));
    assert_eq!(
        found(&format!("+option=3: {cookie}")),
        format!("{answer} 10:{COOKIE}")
    );
    let (wire, _) = query(&format!(
        "ns1.{}.other A +edns=512 {cookie}",
        "x".repeat(63)
    ));
    let refused = words(&send(&FULL, &wire, Transport::Udp));
    assert_eq!(refused, format!("Refused edns 10:{COOKIE} 15:0014"));
}

#[test]
fn row_7_a_cookie_without_a_question() {
    let ask = |engine: &Engine, options: &str, transport| {
        let (mut wire, _) = query(&format!(". A {options}"));
        wire.drain(12..17);
        wire[5] = 0;
        words(&send(engine, &wire, transport))
    };
    for transport in ALL {
        let ask = |options: &str| ask(&FULL, options, transport);
        let full = format!("NoError edns 10:{COOKIE}");
        assert_eq!(ask(&format!("+option=10:{CLIENT_COOKIE}")), full);
        assert_eq!(ask(&format!("+option=10:{COOKIE}")), full);
        // RFC 7873 section 5.4: BADCOOKIE for a bad one.
        let bad = COOKIE.replace("1f81", "1f82");
        let expected = format!("BADCOOKIE edns 10:{COOKIE}");
        assert_eq!(ask(&format!("+option=10:{bad}")), expected);
        assert_eq!(ask("+option=10:00"), "FormErr edns");
        assert_eq!(ask("+edns=1232"), "FormErr edns");
        assert_eq!(ask("+version=1"), "BADSIG edns");
    }
    let without = ask(
        &Engine::default(),
        &format!("+option=10:{COOKIE}"),
        Transport::Udp,
    );
    assert_eq!(without, "FormErr edns");
}

#[test]
fn rows_22_to_24_cookies() {
    let fresh = with(&format!("10:{COOKIE}"));
    check(&format!("ns1.example A +option=10:{CLIENT_COOKIE}"), &fresh);
    check(&format!("ns1.example A +option=10:{COOKIE}"), &fresh);
    // Bad ones: another hash, another version, another length, too old.
    for bad in [
        COOKIE.replace("1f81", "1f82"),
        COOKIE.replace("57010000", "57020000"),
        format!("{COOKIE}00"),
        format!("{CLIENT_COOKIE}{}", "00".repeat(8)),
        COOKIE.replace("5cf79f11", "5cf79000"),
    ] {
        check(&format!("ns1.example A +option=10:{bad}"), &fresh);
    }
    // Two: the first counts, and the second is not even looked at.
    check(
        &format!("ns1.example A +option=10:{CLIENT_COOKIE} +option=10:00"),
        &fresh,
    );
    // Without secrets they are unknown options.
    check_with(
        &Engine::default(),
        &format!("ns1.example A +option=10:{COOKIE}"),
        &ALL,
        ANSWER,
    );
    // Errors carry them as well.
    check(
        &format!("other A +option=10:{CLIENT_COOKIE}"),
        &format!("Refused edns 10:{COOKIE} 15:0014"),
    );
}

#[test]
fn nsid() {
    check("ns1.example A +option=3:", &with("3:73697465"));
    check_with(&Engine::default(), "ns1.example A +option=3:", &ALL, ANSWER);
}

#[test]
fn extended_errors_for_edns_clients_only() {
    check("other A +edns=1232", "Refused edns 15:0014");
    check("other A", "Refused");
    check("example A class=4 +edns=1232", "Refused edns 15:0014");
    check("example TYPE252 +edns=1232", "Refused edns 15:0015");
    check("example TYPE250 +edns=1232", "NotImp edns 15:0015");
    check("example TYPE128 +edns=1232", "FormErr edns 15:001e");
}

#[test]
fn zone_version_of_the_zone_that_answers() {
    let version = "19:010000000007";
    check("ns1.example A +option=19:", &with(version));
    check(
        "x.example A +option=19:",
        &format!("NXDomain aa edns authority: example. SOA 7 ttl 300 {version}"),
    );
    check(
        "a.cut.example A +option=19:",
        &format!(
            "NoError edns authority: cut.example. NS ns.cut.example. \
             additional: ns.cut.example. A 192.0.2.2 {version}"
        ),
    );
    check(
        "ns1.agent.test A +option=19:",
        "NoError aa edns answer: ns1.agent.test. A 192.0.2.1 19:020000000007",
    );
    check("other A +option=19:", "Refused edns 15:0014");
    check(
        "version.bind TXT class=3 +option=19:",
        "NoError aa edns answer: version.bind. TXT",
    );
}

#[test]
fn row_65_keepalive_over_streams_only() {
    let question = "ns1.example A +option=11:";
    check_with(&FULL, question, &STREAMS, &with("11:0078"));
    check_with(&FULL, question, &[Transport::Udp], ANSWER);
    check("ns1.example A +edns=1232", ANSWER);
}

#[test]
fn row_66_padding_where_encrypted_only() {
    let question = "ns1.example A +option=12:0000";
    check_with(&FULL, question, &[Transport::Udp, Transport::Tcp], ANSWER);
    for question in [
        question,
        "long.example TXT +option=12:",
        "other A +option=12: +option=3:",
    ] {
        let (wire, _) = query(question);
        let reply = send(&FULL, &wire, Transport::Tls);
        assert_eq!(reply.len() % 468, 0, "{question}: {}", reply.len());
        assert!(words(&reply).contains(" 12:00"));
    }
    check_with(&FULL, "ns1.example A +edns=1232", &[Transport::Tls], ANSWER);
}

#[test]
fn report_channel_but_not_for_the_zone_of_the_agent() {
    let engine = Engine::new(EngineConfig {
        report_channel: Some("Er.Agent.TEST".parse().unwrap()),
        ..config()
    });
    let agent = "18:026572056167656e74047465737400";
    check_with(&engine, "ns1.example A +edns=1232", &ALL, &with(agent));
    check_with(&engine, "ns1.example A", &ALL, &ANSWER.replace(" edns", ""));
    check_with(
        &engine,
        "ns1.agent.test A +edns=1232",
        &ALL,
        "NoError aa edns answer: ns1.agent.test. A 192.0.2.1",
    );
    check_with(&engine, "other A +edns=1232", &ALL, "Refused edns 15:0014");
}

#[test]
fn all_options_at_once_in_their_order() {
    let engine = Engine::new(EngineConfig {
        report_channel: Some("er.test".parse().unwrap()),
        ..config()
    });
    let asked = format!(
        "ns1.example A +option=12: +option=11: +option=19: +option=9: +option=3: +option=10:{CLIENT_COOKIE}"
    );
    let expected = with(&format!(
        "10:{COOKIE} 3:73697465 19:010000000007 11:0078 18:026572047465737400"
    ));
    check_with(&engine, &asked, &[Transport::Tcp], &expected);
}

#[test]
fn row_25_class_chaos() {
    let text = |question: &str| {
        let (wire, _) = query(question);
        let reply = send(&FULL, &wire, Transport::Udp);
        let message = Message::from_vec(&reply).unwrap();
        message
            .answers
            .iter()
            .map(|record| record.to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    for name in ["version.bind", "VERSION.server"] {
        let found = text(&format!("{name} TXT class=3"));
        assert!(found.ends_with(". 0 CH TXT Meridian"), "{found}");
    }
    for name in ["id.server", "hostname.BIND"] {
        let found = text(&format!("{name} ANY class=3"));
        assert!(found.ends_with(". 0 CH TXT ams-1"), "{found}");
    }
    for refused in [
        "version.bind A",
        "authors.bind TXT",
        "example SOA",
        "a.version.bind TXT",
    ] {
        check(&format!("{refused} class=3"), "Refused");
    }
    check("version.bind TXT", "Refused");
    for name in [
        "version.bind",
        "version.server",
        "id.server",
        "hostname.bind",
    ] {
        let question = format!("{name} TXT class=3");
        check_with(&Engine::default(), &question, &ALL, "Refused");
    }
}

#[test]
fn row_64_streams_ignore_the_size() {
    let (wire, _) =
        query("long.example TXT +edns=0 +option=10:2464c4abcf10c957 +option=3: +option=19:");
    for transport in STREAMS {
        let reply = send(&FULL, &wire, transport);
        assert_eq!(reply.len(), 483 + 28 + 8 + 10);
        assert_eq!(reply[2] & 2, 0);
    }
}

#[test]
fn a_text_of_the_greatest_length_fits_512_octets() {
    let text = "x".repeat(255);
    let engine = Engine::new(EngineConfig {
        version: text.clone(),
        nsid: text,
        ..config()
    });
    let (wire, _) = query("version.bind TXT class=3 +edns=512 +option=3:");
    let reply = send(&engine, &wire, Transport::Udp);
    assert_eq!((reply[2] & 2, reply[3]), (0, 0));
    assert_eq!(hex("ff78"), reply[30 + 12..30 + 14]);
}
