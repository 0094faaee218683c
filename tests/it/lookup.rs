//! WHOIS, RDAP and web pages of a server that runs.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

pub(crate) mod client;
mod codes;
mod icann;
mod integration;
mod rst;
mod web;

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Folder, Running};
use crate::tls;

/// A server with WHOIS, RDAP and web pages, and its registry.
pub(crate) struct Live {
    pub(crate) folder: Folder,
    pub(crate) server: Running,
    pub(crate) whois: SocketAddr,
    /// RDAP without TLS.
    pub(crate) rdap: SocketAddr,
    /// RDAP with TLS, over IPv4 and IPv6.
    pub(crate) rdap_tls: [SocketAddr; 2],
    /// The web pages without TLS, and with it.
    pub(crate) web: SocketAddr,
    pub(crate) web_tls: SocketAddr,
}

/// Commands that make the registry here, the one of the tests beside the sources.
const STAGE: &str = include_str!("../../src/lookup/stage.jsonl");

/// Does commands of the registry, one after the other.
pub(crate) fn apply(folder: &Folder, commands: &[Value]) {
    let lines: Vec<_> = commands.iter().map(Value::to_string).collect();
    apply_text(folder, &lines.join("\n"));
}

fn apply_text(folder: &Folder, commands: &str) {
    let mut command = folder.command(&["registry", "apply", "--lab", "--parallel", "1"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(commands.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

/// Commands that add the domain `keys.other`, whose zone takes keys and has name servers as
/// attributes of domains.
pub(crate) fn keys_and_attributes() -> [Value; 3] {
    let zone = json!({ "zone": { "create": { "apex": "other", "mname": "ns1.nic.example",
        "rname": "hostmaster.nic.example", "records": ["other. 3600 NS ns1.nic.example."] } } });
    let policy = json!({ "zone": { "policy": { "apex": "other",
        "change": { "ds-interface": "keys", "host-model": "attributes" } } } });
    let domain = json!({ "domain": { "create": { "name": "keys.other", "registrar": "reg-b",
        "keys": ["257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="],
        "attributes": [{ "name": "ns1.keys.other", "addresses": ["192.0.2.7", "2001:db8::7"] },
            { "name": "ns8.outside.example" }] } } });
    [zone, policy, domain]
}

/// Lines of the configuration for all services.
fn services(lookup: &str, rdap: &str) -> String {
    let rates = match lookup.contains("queries-per-second") {
        true => "",
        false => "queries-per-second = 0\n",
    };
    format!(
        "[lookup]\n{rates}{lookup}\n[whois]\nlisten = [\"127.0.0.1:0\"]\n\
         server-name = \"whois.nic.tld\"\n[rdap]\nlisten-plain = [\"127.0.0.1:0\"]\n\
         listen = [\"127.0.0.1:0\", \"[::1]:0\"]\n\
         certificate-file = \"{0}\"\nkey-file = \"{1}\"\n{rdap}\n\
         [web]\nlisten-plain = [\"127.0.0.1:0\"]\nlisten = [\"127.0.0.1:0\"]\n\
         certificate-file = \"{0}\"\nkey-file = \"{1}\"\n",
        tls::CERTIFICATE,
        tls::KEY
    )
}

impl Live {
    /// With these lines in `[lookup]` and `[rdap]`.
    pub(crate) fn with(lookup: &str, rdap: &str) -> Self {
        let folder = Folder::new();
        let text = std::fs::read_to_string(folder.path("meridian.toml")).unwrap();
        let registry = "[registry]\ndatabase = \"sqlite:registry.db\"\n";
        let text = format!("{text}{registry}{}", services(lookup, rdap));
        folder.write("meridian.toml", &text);
        tls::write_pair(&folder, 2999);
        folder.succeed(&["registry", "init"]);
        apply_text(&folder, STAGE);
        Self::of(folder)
    }

    pub(crate) fn new() -> Self {
        Self::with("", "")
    }

    /// Of a folder that has all that is needed.
    pub(crate) fn of(folder: Folder) -> Self {
        let server = folder.serve();
        let status = &folder.status()["lookup"];
        let addresses = |name: &str| -> Vec<SocketAddr> {
            serde_json::from_value(status[name].clone()).unwrap()
        };
        let (whois, rdap, web) = (addresses("whois"), addresses("rdap"), addresses("web"));
        Self {
            whois: whois[0],
            rdap: rdap[0],
            rdap_tls: [rdap[1], rdap[2]],
            web: web[0],
            web_tls: web[1],
            server,
            folder,
        }
    }
}

#[test]
fn both_services_tell_the_same_of_a_domain() {
    let live = Live::new();
    let text = client::whois(live.whois, "person.tld");
    assert!(text.starts_with("Domain Name: person.tld\r\n"), "{text}");
    let reply = client::get(live.rdap, "/domain/person.tld");
    let handle = reply.json["handle"].as_str().unwrap();
    assert!(
        text.contains(&format!("Registry Domain ID: {handle}\r\n")),
        "{text}"
    );
    let created = reply.json["events"][0]["eventDate"].as_str().unwrap();
    let seconds = created.split('.').next().unwrap();
    assert!(
        text.contains(&format!("Creation Date: {}", seconds.trim_end_matches('Z'))),
        "{text}"
    );
    assert_eq!(
        live.server
            .metric("meridian_lookups_total{service=\"rdap\",outcome=\"found\"}"),
        1
    );
    assert_eq!(live.server.metric("meridian_rdap_answer_seconds_count"), 1);
    assert_eq!(
        live.server
            .metric("meridian_lookups_total{service=\"whois\",outcome=\"found\"}"),
        1
    );
}

#[test]
fn a_rule_of_a_zone_holds_for_both_from_its_event_on() {
    let live = Live::new();
    let before = client::whois(live.whois, "person.tld");
    assert!(before.contains("Registrant Name: REDACTED\r\n"), "{before}");
    live.folder.succeed(&[
        "registry",
        "zone",
        "disclosure",
        "tld",
        "--set",
        "registrant.name=always",
        "--set",
        "tech.email=never",
    ]);
    let after = client::whois(live.whois, "person.tld");
    assert!(after.contains("Registrant Name: Jo Doe\r\n"), "{after}");
    let reply = client::get(live.rdap, "/domain/person.tld");
    assert!(reply.json.to_string().contains("Jo Doe"));
    live.folder.succeed(&[
        "registry",
        "zone",
        "disclosure",
        "tld",
        "--set",
        "registrant.name=default",
    ]);
    assert!(!client::whois(live.whois, "person.tld").contains("Jo Doe"));
    live.folder.fail(
        &[
            "registry",
            "zone",
            "disclosure",
            "tld",
            "--set",
            "registrant.shoe=always",
        ],
        &["shoe", "postal-code"],
    );
}

#[test]
fn one_limit_of_rates_is_for_both_and_says_when_to_come_again() {
    let live = Live::with("queries-per-second = 1\nburst = 3", "");
    for _ in 0..2 {
        client::whois(live.whois, "thin.tld");
    }
    assert_eq!(client::get(live.rdap, "/domain/thin.tld").status, 200);
    let reply = client::get(live.rdap, "/domain/thin.tld");
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (429, Some("1".to_owned()))
    );
    let text = client::whois(live.whois, "thin.tld");
    assert!(
        text.starts_with("Too many questions from your network"),
        "{text}"
    );
    // A proxy on this machine says for whom it asks.
    let other = client::get_with(
        live.rdap,
        "/domain/thin.tld",
        "X-Forwarded-For: 203.0.113.9\r\n",
    );
    assert_eq!(other.status, 200);
}

#[test]
fn the_log_of_accesses_has_nothing_of_who_asked_for_what() {
    let live = Live::with("access-log = true", "");
    client::whois(live.whois, "person.tld");
    client::get(live.rdap, "/domain/thin.tld");
    client::get(live.rdap, "/entity/nobody-at-all");
    client::get(live.web, "/domain/person.tld");
    client::get(live.web, "/help");
    let Live { server, .. } = live;
    server.signal("-TERM");
    let (code, log) = server.wait();
    assert_eq!(code, Some(0));
    let lines: Vec<_> = log
        .iter()
        .filter(|line| line.contains("\"target\":\"access\""))
        .collect();
    assert_eq!(lines.len(), 4, "{log:#?}");
    for (line, kind) in lines.iter().zip(["domain", "domain", "entity", "domain"]) {
        assert!(line.contains(&format!("\"kind\":\"{kind}\"")), "{line}");
        for secret in ["person", "thin", "nobody", "127.0.0.1"] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

#[test]
fn plain_http_is_for_loopback_only() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(folder.path("meridian.toml")).unwrap();
    for section in ["rdap", "web"] {
        let lines = format!(
            "[registry]\ndatabase = \"sqlite:registry.db\"\n[{section}]\n\
             listen-plain = [\"0.0.0.0:0\"]\n"
        );
        folder.write("meridian.toml", &format!("{text}{lines}"));
        let key = format!("{section}.listen-plain");
        folder.fail(&["serve"], &[&key, "not on loopback"]);
    }
}
