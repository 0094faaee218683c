//! What an operator sees of sessions and does to them, and what binds a registrar beside its
//! password: networks, ends of passwords and of certificates, limits of changes.

use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::Value;
use sqlx::{AnyConnection, Connection as _};

use super::desk::{Reply, command, host_create, name};
use super::live::{Client, LOGIN_SEC, Live, PASSWORD, folder, framed, login, login_with, pin};
use crate::publish::eventually;
use crate::support::Folder;

fn check() -> String {
    command("check", "domain", &name("domain", "a.tld"), "")
}

fn sessions(live: &Live) -> Vec<Value> {
    let text = live.folder.succeed(&["epp", "sessions", "--json"]);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn sessions_are_listed_and_ended_by_their_number() {
    let live = Live::new("");
    let mut first = live.session("reg-a");
    let mut second = live.session("reg-b");
    let unknown = live.connect(None);
    assert_eq!(second.say(&check()).code, 1000);
    let listed = sessions(&live);
    let registrars: Vec<_> = listed.iter().map(|one| one["registrar"].as_str()).collect();
    assert_eq!(registrars, [Some("reg-a"), Some("reg-b"), None]);
    assert_eq!(listed[1]["last-command"], "domain-check");
    assert_eq!(listed[1]["commands"], 2);
    assert!(
        listed[0]["peer"]
            .as_str()
            .unwrap()
            .starts_with("127.0.0.1:")
    );
    let text = live
        .folder
        .succeed(&["epp", "sessions", "--registrar", "reg-b"]);
    assert!(text.contains("reg-b") && !text.contains("reg-a"), "{text}");
    let id = listed[1]["id"].to_string();
    let ended = live.folder.succeed(&["epp", "kill", &id]);
    assert!(ended.contains("of reg-b"), "{ended}");
    assert!(second.is_closed());
    eventually("it is gone", || sessions(&live).len() == 2);
    live.folder
        .fail(&["epp", "kill", &id], &["no session", "epp sessions"]);
    assert_eq!(first.say(&check()).code, 1000, "the others stay");
    let killed = "meridian_epp_refusals_total{reason=\"killed\"}";
    assert_eq!(live.server.metric(killed), 1);
    drop(unknown);
    live.session("reg-b");
}

#[test]
fn a_server_without_epp_says_so() {
    let folder = Folder::with_image(1);
    let _server = folder.serve();
    folder.fail(&["epp", "sessions"], &["speaks no EPP", "epp.listen"]);
}

#[test]
fn a_registrar_with_networks_comes_from_no_other() {
    let live = Live::new("");
    let allow = |verb: &str, prefix: &str| {
        let words = ["registry", "registrar", verb, "reg-a", prefix];
        live.folder.succeed(&words)
    };
    allow("allow", "192.0.2.0/24");
    let mut client = live.connect(Some("reg-a"));
    let refused = client.say(&login("reg-a", PASSWORD));
    assert_eq!(refused.code, 2200, "{}", refused.xml);
    live.session("reg-b");
    allow("allow", "127.0.0.0/8");
    live.session("reg-a");
    allow("disallow", "192.0.2.0/24");
    let info = live
        .folder
        .succeed(&["registry", "registrar", "info", "reg-a", "--json"]);
    let info: Value = serde_json::from_str(&info).unwrap();
    assert!(
        info.to_string().contains("\"prefixes\":[\"127.0.0.0/8\"]"),
        "{info}"
    );
    for (verb, prefix, code) in [
        ("allow", "127.0.0.0/8", "2306"),
        ("disallow", "10.0.0.0/8", "2306"),
        ("allow", "127.0.0.1/8", "2005"),
    ] {
        let words = ["registry", "registrar", verb, "reg-a", prefix];
        live.folder.fail(&words, &[code]);
    }
}

/// Runs a statement at the database of a folder, as if time had passed.
fn edit(folder: &Folder, statement: &str) {
    let url = format!("sqlite://{}", folder.path("registry.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        let statement = sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()));
        statement.execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// The subject and level of each event of a login.
fn events(reply: &Reply) -> Vec<(String, String)> {
    let between = |text: &str, key: &str| {
        let (_, rest) = text.split_once(&format!(" {key}=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let events = reply.xml.split("<loginSec:event").skip(1);
    events
        .map(|event| (between(event, "type"), between(event, "level")))
        .collect()
}

fn pairs(words: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    words.iter().map(owned).collect()
}

#[test]
fn a_login_is_told_when_the_session_ends() {
    let live = Live::new("session-seconds-max = 3600");
    let mut client = live.connect(Some("reg-a"));
    let reply = client.say(&login("reg-a", PASSWORD));
    assert_eq!(reply.code, 1000);
    assert_eq!(events(&reply), pairs(&[("custom", "warning")]));
    assert!(reply.xml.contains("name=\"sessionEnd\""), "{}", reply.xml);
    // Who did not declare the extension is told nothing.
    let mut client = live.connect(Some("reg-a"));
    let extension = format!("<extURI>{LOGIN_SEC}</extURI>");
    let reply = client.say(&login_with("reg-a", PASSWORD, "", [(&extension, "")]));
    assert_eq!(
        (reply.code, events(&reply).len()),
        (1000, 0),
        "{}",
        reply.xml
    );
}

#[test]
fn a_password_is_warned_of_and_then_has_to_be_changed() {
    let folder = folder("password-days-max = 30\npassword-warning-days = 10");
    let aged = |days: u64| {
        let microseconds = days * 86_400 * 1_000_000;
        edit(
            &folder,
            &format!("UPDATE registrars SET password_set_at = password_set_at - {microseconds}"),
        );
    };
    // 25 days old, then 35.
    aged(25);
    let live = Live::of(folder);
    let say = |new: &str| {
        let mut client = live.connect(Some("reg-a"));
        client.say(&login_with("reg-a", PASSWORD, new, []))
    };
    let session = ("custom", "warning");
    let warned = say("");
    assert_eq!(warned.code, 1000, "{}", warned.xml);
    assert_eq!(events(&warned), pairs(&[("password", "warning"), session]));
    edit(
        &live.folder,
        "UPDATE registrars SET password_set_at = password_set_at - 864000000000",
    );
    let expired = say("");
    assert_eq!(expired.code, 2200, "{}", expired.xml);
    assert_eq!(events(&expired), pairs(&[("password", "error")]));
    let mut client = live.connect(Some("reg-a"));
    let extension = format!("<extURI>{LOGIN_SEC}</extURI>");
    let plain = client.say(&login_with("reg-a", PASSWORD, "", [(&extension, "")]));
    assert_eq!((plain.code, events(&plain).len()), (2200, 0));
    // The session may go on to the right login.
    let changed = client.say(&login_with("reg-a", PASSWORD, "new-FOO3-bar", []));
    assert_eq!(changed.code, 1000, "{}", changed.xml);
    assert_eq!(events(&changed), pairs(&[session]));
    let mut client = live.connect(Some("reg-a"));
    let fresh = client.say(&login("reg-a", "new-FOO3-bar"));
    assert_eq!((fresh.code, events(&fresh)), (1000, pairs(&[session])));
}

/// A pinned certificate of this name that ends then.
fn pair_until(folder: &Folder, name: &str, ends: impl FnOnce(&mut CertificateParams)) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["client.example".to_owned()]).unwrap();
    params.not_before = date_time_ymd(1999, 1, 1);
    ends(&mut params);
    let certificate = params.self_signed(&key).unwrap();
    folder.write(&format!("{name}.key"), &key.serialize_pem());
    folder.write(&format!("{name}.pem"), &certificate.pem());
    pin(folder, "pin", "reg-a", name);
}

#[test]
fn a_certificate_is_warned_of_and_then_lets_nobody_in() {
    let live = Live::new("certificate-warning-days = 30");
    pair_until(&live.folder, "soon", |params| {
        // Now is when the configuration was written.
        let written = std::fs::metadata(live.folder.path("meridian.toml")).unwrap();
        let now = written.modified().unwrap();
        params.not_after = (now + Duration::from_secs(20 * 86_400)).into();
    });
    pair_until(&live.folder, "over", |params| {
        params.not_after = date_time_ymd(2000, 1, 1);
    });
    let say = |name: &str| -> (Client, Reply) {
        let mut client = live.connect(Some(name));
        let reply = client.say(&login("reg-a", PASSWORD));
        (client, reply)
    };
    let session = ("custom", "warning");
    let (_, soon) = say("soon");
    assert_eq!(soon.code, 1000, "{}", soon.xml);
    assert_eq!(events(&soon), pairs(&[("certificate", "warning"), session]));
    let (_, over) = say("over");
    assert_eq!(over.code, 2200, "{}", over.xml);
    assert_eq!(events(&over), pairs(&[("certificate", "error")]));
    assert!(
        over.xml.contains("exDate=\"2000-01-01T00:00:00Z\""),
        "{}",
        over.xml
    );
    let expired = "meridian_epp_refusals_total{reason=\"expired\"}";
    assert_eq!(live.server.metric(expired), 1);
    // Nobody learns it without the password.
    let mut client = live.connect(Some("over"));
    let wrong = client.say(&login("reg-a", "not-the-PASS-1"));
    assert_eq!((wrong.code, events(&wrong).len()), (2200, 0));
}

#[test]
fn changes_have_a_limit_of_their_own() {
    let live = Live::new("transforms-per-second-max = 1");
    let mut client = live.session("reg-a");
    let hosts = (0..10).map(|number| host_create(&format!("ns{number}.x.example"), &[]));
    let burst: Vec<u8> = hosts.flat_map(|xml| framed(xml.as_bytes())).collect();
    client.write(&burst);
    let replies: Vec<_> = (0..10).map(|_| client.reply()).collect();
    let codes: Vec<_> = replies.iter().map(|reply| reply.code).collect();
    assert!(codes.contains(&1000) && codes.contains(&2400), "{codes:?}");
    let refused = replies.iter().find(|reply| reply.code == 2400).unwrap();
    assert!(refused.xml.contains("change something"), "{}", refused.xml);
    assert_eq!(client.say(&check()).code, 1000, "looks go on");
}
