//! Sessions over TLS: who gets in, what is said, how it ends.

use std::io::Write as _;
use std::process::Stdio;

use hickory_proto::rr::RecordType;

use super::desk::{AUTH, command, domain_create, host_create, name, plain};
use super::live::{LOGIN_SEC, Live, PASSWORD, framed, login, login_with, logout, pair, pin};
use crate::publish::eventually;
use crate::support::ask;

fn check(domain: &str) -> String {
    command("check", "domain", &name("domain", domain), "")
}

#[test]
fn the_greeting_needs_no_certificate_and_a_login_does() {
    let live = Live::new("server-name = \"Test Registry\"");
    let mut client = live.connect(None);
    client.write(&framed(
        b"<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><hello/></epp>",
    ));
    let greeting = client.read().unwrap();
    assert!(
        greeting.contains("<svID>Test Registry</svID>"),
        "{greeting}"
    );
    assert_eq!(client.say(&check("a.tld")).code, 2002);
    let refused = client.say(&login("reg-a", PASSWORD));
    assert_eq!(refused.code, 2200, "{}", refused.xml);
    assert!(!refused.xml.contains(PASSWORD));
    assert_eq!(client.say(&logout()).code, 2002);
    // Three that are not authentic end the connection, whatever is not.
    let mut client = live.connect(Some("reg-b"));
    assert_eq!(client.say(&login("reg-a", PASSWORD)).code, 2200);
    assert_eq!(client.say(&login("reg-b", "foo-BAR2-bax")).code, 2200);
    let last = client.say(&login("nobody", PASSWORD));
    assert_eq!(last.code, 2501, "{}", last.xml);
    assert!(client.is_closed());
    assert_eq!(
        live.server
            .metric("meridian_epp_refusals_total{reason=\"authentication\"}"),
        4
    );
}

#[test]
fn a_login_says_what_it_can_read_and_is_said_once() {
    let live = Live::new("");
    let mut client = live.connect(Some("reg-a"));
    let host = "urn:ietf:params:xml:ns:host-1.0";
    let odd = [
        (2100, [("<version>1.0", "<version>2.0")]),
        (2102, [("<lang>en", "<lang>tlh")]),
        (2307, [(host, "urn:ietf:params:xml:ns:host-9.0")]),
        (2103, [("secDNS-1.1", "secDNS-9.9")]),
    ];
    for (code, instead) in odd {
        let reply = client.say(&login_with("reg-a", PASSWORD, "", instead));
        assert_eq!(reply.code, code, "{}", reply.xml);
    }
    let begun = client.say(&login("reg-a", PASSWORD));
    assert_eq!(begun.code, 1000, "{}", begun.xml);
    assert_eq!(begun.text("clTRID"), Some("ABC-12345"));
    assert_eq!(client.say(&login("reg-a", PASSWORD)).code, 2002);
    let first = client.say(&check("a.tld"));
    let second = client.say(&check("a.tld"));
    assert_eq!((first.code, second.code), (1000, 1000));
    assert_ne!(first.text("svTRID"), second.text("svTRID"));
    assert_eq!(live.server.metric("meridian_epp_sessions"), 1);
    let ended = client.say(&logout());
    assert_eq!(ended.code, 1500, "{}", ended.xml);
    assert!(client.is_closed());
    eventually("the session is gone", || {
        live.server.metric("meridian_epp_sessions") == 0
    });
    assert_eq!(
        live.server
            .metric("meridian_epp_query_command_seconds_count"),
        2
    );
}

#[test]
fn a_password_is_changed_at_a_login_and_reaches_no_event() {
    let live = Live::new("");
    let mut client = live.connect(Some("reg-a"));
    let reply = client.say(&login_with("reg-a", PASSWORD, "aaaaaaaa", []));
    assert_eq!(reply.code, 2200, "{}", reply.xml);
    assert!(
        reply.xml.contains("type=\"newPW\" level=\"error\""),
        "{}",
        reply.xml
    );
    let extension = format!("<extURI>{LOGIN_SEC}</extURI>");
    let reply = client.say(&login_with("reg-a", PASSWORD, PASSWORD, [(&extension, "")]));
    assert_eq!(reply.code, 2306, "{}", reply.xml);
    let changed = client.say(&login_with("reg-a", PASSWORD, "new-FOO3-bar", []));
    assert_eq!(changed.code, 1000, "{}", changed.xml);
    assert!(
        changed.text("svTRID").unwrap().starts_with("M-"),
        "{}",
        changed.xml
    );
    let mut client = live.connect(Some("reg-a"));
    assert_eq!(client.say(&login("reg-a", PASSWORD)).code, 2200);
    assert_eq!(client.say(&login("reg-a", "new-FOO3-bar")).code, 1000);
    let mut wal = std::fs::read(live.folder.path("registry.db-wal")).unwrap_or_default();
    wal.extend(std::fs::read(live.folder.path("registry.db")).unwrap());
    let holds = |text: &[u8]| wal.windows(text.len()).any(|octets| octets == text);
    assert!(holds(b"registrar-access") && !holds(b"new-FOO3-bar"));
}

#[test]
fn sessions_are_as_many_as_the_registrar_may_have() {
    let live = Live::new("");
    live.folder.succeed(&[
        "registry",
        "registrar",
        "limit",
        "reg-a",
        "--sessions-max",
        "1",
    ]);
    let mut first = live.session("reg-a");
    let mut second = live.connect(Some("reg-a"));
    assert_eq!(second.say(&login("reg-a", PASSWORD)).code, 2502);
    assert!(second.is_closed());
    live.session("reg-b");
    assert_eq!(first.say(&logout()).code, 1500);
    assert!(first.is_closed());
    live.session("reg-a");
}

#[test]
fn certificates_overlap_while_one_takes_the_place_of_another() {
    let live = Live::new("");
    pair(&live.folder, "next");
    pin(&live.folder, "pin", "reg-a", "next");
    let mut old = live.session("reg-a");
    let mut new = live.connect(Some("next"));
    assert_eq!(new.say(&login("reg-a", PASSWORD)).code, 1000);
    pin(&live.folder, "unpin", "reg-a", "reg-a");
    let mut refused = live.connect(Some("reg-a"));
    assert_eq!(refused.say(&login("reg-a", PASSWORD)).code, 2200);
    assert_eq!(old.say(&check("a.tld")).code, 1000, "open sessions stay");
    // A suspended registrar's sessions do nothing more.
    live.folder.succeed(&[
        "registry",
        "registrar",
        "update",
        "reg-a",
        "--status",
        "suspended",
    ]);
    let make = host_create("ns1.outside.example", &[]);
    assert_eq!(new.say(&make).code, 2201);
    let mut refused = live.connect(Some("next"));
    assert_eq!(refused.say(&login("reg-a", PASSWORD)).code, 2200);
}

#[test]
fn a_name_that_is_registered_is_answered_by_dns() {
    let live = Live::new("");
    let mut client = live.session("reg-a");
    let hosts = ["ns1.outside.example", "ns2.outside.example"];
    for host in hosts {
        assert_eq!(client.say(&host_create(host, &[])).code, 1000);
    }
    let made = client.say(&domain_create("new.tld", &hosts, "", AUTH, ""));
    assert_eq!(made.code, 1000, "{}", made.xml);
    let event = made
        .text("svTRID")
        .unwrap()
        .strip_prefix("M-")
        .unwrap()
        .to_owned();
    live.folder.succeed(&["registry", "wait", &event]);
    let reply = ask(live.server.addresses[0], "new.tld.", RecordType::NS);
    assert_eq!(reply.authorities.len(), 2, "{reply:?}");
    let mut other = live.session("reg-b");
    let refused = other.say(&command("delete", "domain", &name("domain", "new.tld"), ""));
    assert_eq!(refused.code, 2201, "{}", refused.xml);
    assert!(refused.text("svTRID").unwrap().starts_with("R-"));
}

#[test]
fn without_the_right_to_write_changes_fail_and_the_session_stays() {
    let folder = super::live::folder("");
    let mut apply = folder
        .command(&["registry", "apply", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Its first answer says that it holds the registry.
    let mut input = apply.stdin.take().unwrap();
    let create = r#"{"registrar":{"create":{"handle":"reg-c","name":"C"}}}"#;
    input.write_all(format!("{create}\n").as_bytes()).unwrap();
    let mut output = std::io::BufReader::new(apply.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut output, &mut String::new()).unwrap();
    let live = Live::of(folder);
    let mut client = live.session("reg-a");
    let make = host_create("ns1.outside.example", &[]);
    let failed = client.say(&make);
    assert_eq!(failed.code, 2400, "{}", failed.xml);
    assert_eq!(client.say(&check("a.tld")).code, 1000);
    drop(input);
    assert!(apply.wait().unwrap().success());
    eventually("it can write", || client.say(&make).code != 2400);
    assert_eq!(client.say(&make).code, 2302, "made once");
}

#[test]
fn the_stop_ends_sessions_and_gives_the_registry_back() {
    let live = Live::new("");
    let mut client = live.session("reg-a");
    live.server.signal("-TERM");
    assert!(client.is_closed());
    let (code, log) = live.server.wait();
    assert_eq!(code, Some(0), "{log:?}");
    assert!(!log.iter().any(|line| line.contains(PASSWORD)));
    // Another holder would have to wait for the lease otherwise.
    let status = live
        .folder
        .command(&["registry", "apply"])
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn certificates_are_replaced_and_a_session_stays() {
    let live = Live::new("");
    let mut client = live.session("reg-a");
    pair(&live.folder, "server");
    live.folder.succeed(&["reload"]);
    // Trusts the new one only.
    live.session("reg-b");
    assert_eq!(client.say(&check("a.tld")).code, 1000);
    live.folder.write("server.key", "no key");
    live.folder
        .fail(&["reload"], &["certificate of EPP refused"]);
    live.session("reg-b");
    let checked = live.folder.run(&["check-config"]);
    assert_eq!(checked.status.code(), Some(1));
    let faults = [checked.stdout, checked.stderr].concat();
    let faults = String::from_utf8(faults).unwrap();
    assert!(faults.contains("epp.key-file: no key"), "{faults}");
}

#[test]
fn more_commands_than_a_registrar_may_say_are_told_to_wait() {
    let live = Live::new("commands-per-second-max = 2");
    let mut client = live.session("reg-a");
    let burst: Vec<u8> = (0..20)
        .flat_map(|_| framed(check("a.tld").as_bytes()))
        .collect();
    client.write(&burst);
    let codes: Vec<_> = (0..20).map(|_| client.reply().code).collect();
    assert!(codes.contains(&1000) && codes.contains(&2400), "{codes:?}");
    assert_eq!(client.say(&plain("<logout/>")).code, 1500);
}
