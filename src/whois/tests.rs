//! What is sent for a line, over sockets.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::answer::answer;
use super::question::{Fault, LINE_BYTES_MAX, Question, read};
use super::*;
use crate::lookup::counters::{Outcome, Service};
use crate::lookup::testing::{
    Engine, TestDatabase, execute, lookups, lookups_with, park_signed, stage,
};
use crate::lookup::{Lookups, NameFault, QueryName};
use crate::net::service::{self, Service as Running};

#[test]
fn a_line_is_a_question_or_a_fault() {
    let name = |text: &str| QueryName::parse(text).unwrap();
    for (line, expected) in [
        ("example.tld", Ok(Question::Name(name("example.tld")))),
        ("  EXAMPLE.tld  ", Ok(Question::Name(name("example.tld")))),
        (
            "b\u{fc}cher.tld",
            Ok(Question::Name(name("xn--bcher-kva.tld"))),
        ),
        (
            "domain example.tld",
            Ok(Question::Domain(name("example.tld"))),
        ),
        (
            "NameServer ns1.example.tld",
            Ok(Question::Nameserver(name("ns1.example.tld"))),
        ),
        (
            "nameserver 192.0.2.1",
            Ok(Question::Address([192, 0, 2, 1].into())),
        ),
        (
            "2001:db8::1",
            Ok(Question::Address("2001:db8::1".parse().unwrap())),
        ),
        (
            "registrar  Example, Inc.",
            Ok(Question::Registrar("Example, Inc.".to_owned())),
        ),
        (
            "contact 7-MERIDIAN",
            Ok(Question::Contact("7-MERIDIAN".to_owned())),
        ),
        (
            "-a example.tld",
            Ok(Question::Availability(name("example.tld"))),
        ),
        ("help", Ok(Question::Help)),
        ("?", Ok(Question::Help)),
        ("", Err(Fault::Empty)),
        ("   ", Err(Fault::Empty)),
        ("a\u{1b}[31m.tld", Err(Fault::Text)),
        ("one two three", Err(Fault::Name(NameFault::Syntax))),
        (
            "xn--bcher-kva.b\u{fc}cher",
            Err(Fault::Name(NameFault::Mixed)),
        ),
        (&"a".repeat(LINE_BYTES_MAX + 1), Err(Fault::Text)),
    ] {
        assert_eq!(read(line.as_bytes()), expected, "{line:?}");
    }
    assert_eq!(read(b"\xff\xfe.tld"), Err(Fault::Text));
}

async fn asked(lookups: &Lookups, line: &str) -> String {
    answer(lookups, line.as_bytes(), "https://nic.example/terms")
        .await
        .0
}

/// The answers of whole questions stand as files beside this one.
#[tokio::test]
async fn answers_have_the_form_of_the_registry_agreement() {
    let test = stage(Engine::Sqlite).await;
    let lookups = lookups(&test);
    let mut all = String::new();
    for line in [
        "person.tld",
        "org.tld",
        "open.tld",
        "thin.tld",
        "ns1.org.tld",
        "nameserver 192.0.2.1",
        "registrar Registrar A",
        "-a free.tld",
        "-a org.tld",
        "nobody.tld",
        "help",
        "not a name",
    ] {
        let text = asked(&lookups, line).await;
        assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']));
        all.push_str(&format!("== {line}\n{}\n", text.replace("\r\n", "\n")));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/whois/answers.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &all).unwrap();
    }
    assert_eq!(all, std::fs::read_to_string(path).unwrap());
}

#[tokio::test]
async fn a_parked_domain_is_signed_where_the_zone_signs_for_it() {
    let mut test = stage(Engine::Sqlite).await;
    test.sign_tld().await;
    let lookups = lookups(&test);
    assert!(
        asked(&lookups, "thin.tld")
            .await
            .contains("DNSSEC: unsigned")
    );
    park_signed(&mut test).await;
    assert!(
        asked(&lookups, "thin.tld")
            .await
            .contains("DNSSEC: signedDelegation")
    );
    assert!(
        asked(&lookups, "org.tld")
            .await
            .contains("DNSSEC: unsigned")
    );
}

#[tokio::test]
async fn nothing_that_is_withheld_is_sent() {
    let test = stage(Engine::Sqlite).await;
    let lookups = lookups(&test);
    let text = asked(&lookups, "person.tld").await;
    for secret in [
        "Jo Doe",
        "c-person@",
        "Main Street",
        "Hostmaster",
        "c-tech@",
        "12345\r",
    ] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    let text = asked(&lookups, "open.tld").await;
    assert!(text.contains("Registrant Name: Olga Open\r\n"), "{text}");
}

#[tokio::test]
async fn what_was_put_into_a_registry_is_no_line_of_its_own() {
    let mut test = stage(Engine::Sqlite).await;
    // As an import or an older program may have left it.
    let evil = "Evil\r\nDomain Status: ok\u{1b}[2J\u{202e}gpj\u{0}\u{9b}31m";
    for statement in [
        "UPDATE contacts SET name = $1, organization = $1, street = $1, city = $1, email = $1",
        "UPDATE registrars SET name = $1",
    ] {
        let update = sqlx::query(statement).bind(evil.to_owned());
        update.execute(test.database.connection()).await.unwrap();
    }
    let lookups = lookups(&test);
    for line in ["open.tld", "org.tld", "ns1.org.tld", "registrar 9995"] {
        let text = asked(&lookups, line).await;
        assert!(
            text.contains("Evil\\u{d}\\u{a}Domain Status: ok\\u{1b}[2J\\u{202e}gpj"),
            "{text}"
        );
        let is_plain = |c: char| !c.is_control() && c != '\u{202e}';
        assert!(text.replace("\r\n", "").chars().all(is_plain), "{text:?}");
        let statuses = text
            .lines()
            .filter(|line| line.starts_with("Domain Status:"));
        assert!(statuses.clone().count() <= 3, "{text}");
        assert!(
            statuses
                .into_iter()
                .all(|line| line.contains("https://icann.org/epp#"))
        );
    }
}

fn served(lookups: Arc<Lookups>, set: impl FnOnce(&mut Settings)) -> Running {
    let mut settings = Settings {
        lookups,
        service: service::Settings {
            name: "WHOIS",
            threads: 1,
            prepare_thread: || {},
            connections_max: 4,
            connections_per_prefix_max: 2,
            drain: Duration::from_secs(20),
        },
        read_timeout: Duration::from_secs(20),
        write_timeout: Duration::from_secs(20),
        terms_url: String::new(),
        access_log: true,
    };
    set(&mut settings);
    serve(settings, &["127.0.0.1:0".parse().unwrap()]).unwrap()
}

fn staged() -> TestDatabase {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut test = runtime.block_on(stage(Engine::Sqlite));
    let command = json!({ "domain": { "create": { "name": "x.tld", "registrar": "reg-b" } } });
    runtime.block_on(execute(&mut test, command));
    test
}

fn connect(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.addresses()[0]).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_connection_has_one_question_in_whatever_pieces() {
    let test = staged();
    let lookups = lookups(&test);
    let server = served(Arc::clone(&lookups), |_| {});
    for pieces in [
        &["x.tld\r\n"][..],
        &["x.tld\n"],
        &["x", ".", "tld", "\r", "\n"],
        &["x.tld\r\nthin.tld\r\n"],
    ] {
        let mut stream = connect(&server);
        stream.set_nodelay(true).unwrap();
        for piece in pieces {
            stream.write_all(piece.as_bytes()).unwrap();
        }
        let text = rest(stream);
        assert!(text.starts_with("Domain Name: x.tld\r\n"), "{text}");
        assert!(!text.contains("thin.tld"), "{text}");
    }
    // The end of what is sent ends a line too.
    let mut stream = connect(&server);
    stream.write_all(b"x.tld").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(rest(stream).starts_with("Domain Name: x.tld\r\n"));
    // A line without an end is answered when it is too long, and more is not read.
    let mut stream = connect(&server);
    stream.write_all(&vec![b'a'; LINE_BYTES_MAX * 3]).unwrap();
    assert!(rest(stream).starts_with("Not a question: "));
    let counters = lookups.counters();
    assert_eq!(counters.counted(Service::Whois, Outcome::Found), 5);
    assert_eq!(counters.counted(Service::Whois, Outcome::Malformed), 1);
    server.stop();
}

#[test]
fn slow_clients_have_places_of_their_network_only_and_not_for_ever() {
    let test = staged();
    let lookups = lookups(&test);
    let server = served(Arc::clone(&lookups), |settings| {
        settings.read_timeout = Duration::from_millis(200);
    });
    let slow = [connect(&server), connect(&server)];
    // A third of the same network has no place: it is closed without an answer.
    let mut third = connect(&server);
    let _ = third.write_all(b"x.tld\r\n");
    let mut text = String::new();
    let _ = third.read_to_string(&mut text);
    assert_eq!(text, "");
    // The slow ones are let go, and then there are places.
    for stream in slow {
        assert_eq!(rest(stream), "");
    }
    let mut stream = connect(&server);
    stream.write_all(b"x.tld\r\n").unwrap();
    assert!(rest(stream).starts_with("Domain Name: x.tld\r\n"));
    let counters = lookups.counters();
    assert_eq!(counters.counted(Service::Whois, Outcome::Full), 1);
    assert_eq!(counters.counted(Service::Whois, Outcome::Slow), 2);
    server.stop();
}

#[test]
fn whoever_asks_too_often_is_told_so() {
    let test = staged();
    let lookups = lookups_with(&test, |settings| {
        settings.queries_per_second = 1;
        settings.burst = 1;
    });
    let server = served(Arc::clone(&lookups), |_| {});
    for expected in [
        "Domain Name: x.tld\r\n",
        "Too many questions from your network; ask again in 2 seconds.\r\n",
    ] {
        let mut stream = connect(&server);
        stream.write_all(b"x.tld\r\n").unwrap();
        assert!(rest(stream).starts_with(expected));
    }
    assert_eq!(
        lookups.counters().counted(Service::Whois, Outcome::Limited),
        1
    );
    server.stop();
}
