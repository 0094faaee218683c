//! `meridian demo`, from its first line to the empty folder it leaves.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use crate::lookup;
use crate::publish::eventually;
use crate::support::ask;
use crate::tls;

/// The server signs a zone a moment after it serves it. Asked slowly: rates are limited.
fn wait_until_signed(address: SocketAddr, apex: &str) {
    eventually("the zone is signed", || {
        std::thread::sleep(Duration::from_millis(200));
        let reply = ask(address, apex, RecordType::DNSKEY);
        !reply.answers.is_empty()
    });
}

/// Asks each question that the demo invites to.
fn check_answers(address: SocketAddr, questions: &[String]) {
    for question in questions {
        let mut words = question.split(' ');
        let (name, rtype) = (words.next().expect("a name"), words.next().expect("a type"));
        let rtype = rtype.parse::<RecordType>().expect("a type");
        if rtype == RecordType::DNSKEY {
            wait_until_signed(address, name);
        }
        let reply = ask(address, name, rtype);
        let expected = match name.starts_with("no-such-name.") {
            true => ResponseCode::NXDomain,
            false => ResponseCode::NoError,
        };
        assert_eq!(reply.response_code, expected, "{question}");
        let has_records = !reply.answers.is_empty() || !reply.authorities.is_empty();
        assert!(has_records, "{question}");
    }
}

/// Runs the line that the demo prints for EPP; waits until DNS answers the name.
fn register_by_epp(invited: &[String], address: SocketAddr) {
    let register = invited
        .iter()
        .find_map(|line| line.strip_prefix("  meridian "));
    let registered = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(register.expect("it serves EPP").split(' '))
        .output()
        .expect("the program runs");
    assert!(registered.status.success(), "{registered:?}");
    eventually("DNS answers what was registered", || {
        std::thread::sleep(Duration::from_millis(200));
        ask(address, "by-epp.demo.", RecordType::NS)
            .authorities
            .len()
            == 2
    });
}

/// Asks WHOIS, RDAP and web pages as the demo says.
fn look_up(invited: &[String]) {
    let address = |prefix: &str| -> SocketAddr {
        let line = invited.iter().find_map(|line| line.strip_prefix(prefix));
        let address = line.expect("it says where").trim_end_matches(':');
        address.parse().expect("an address")
    };
    let text = lookup::client::whois(address("WHOIS on "), "with-contacts.demo");
    assert!(text.contains("Registrant Name: REDACTED"), "{text}");
    assert!(
        invited
            .iter()
            .any(|line| line.contains("whois -h 127.0.0.1 -p "))
    );
    let rdap = address("RDAP on ");
    let paths = invited.iter().filter_map(|line| {
        let url = line.strip_prefix("  curl ")?;
        url.strip_prefix(&format!("http://{rdap}"))
    });
    let paths: Vec<_> = paths.collect();
    assert_eq!(paths.len(), 3);
    for path in paths {
        let reply = lookup::client::get(rdap, path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    }
    let urls = invited
        .iter()
        .filter_map(|line| line.strip_prefix("  http://"));
    let urls: Vec<_> = urls.filter_map(|url| url.split_once('/')).collect();
    assert_eq!(urls.len(), 2, "{invited:?}");
    for (web, path) in urls {
        let reply = lookup::client::get(web.parse().expect("an address"), &format!("/{path}"));
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        assert!(
            reply.body.contains("Demo registry"),
            "{path}: {}",
            reply.body
        );
    }
}

#[test]
fn serves_a_sample_registry_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(["demo", "--listen", "127.0.0.1:0", "--domains", "50"])
        .env("TMPDIR", folder.path())
        .env("MERIDIAN_REFERENCE", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let address = lines
        .find_map(|line| {
            line.strip_prefix("serving on ")?
                .strip_suffix("; try:")?
                .parse()
                .ok()
        })
        .expect("it says where it serves");
    let invited: Vec<_> = lines
        .by_ref()
        .take_while(|line| !line.starts_with("Ctrl-C"))
        .collect();
    let questions: Vec<_> = invited
        .iter()
        .take_while(|line| !line.starts_with("EPP on "))
        .map(|line| line.split("+norec ").nth(1).unwrap().to_owned())
        .collect();
    assert!(questions.len() >= 5, "{questions:?}");
    check_answers(address, &questions);
    let inside = folder.path().read_dir().unwrap().next();
    let inside = inside.expect("it works elsewhere").unwrap().path();
    let port = invited.iter().find_map(|line| {
        let (port, _) = line
            .strip_prefix("  kdig @127.0.0.1 -p ")?
            .split_once(" +tls ")?;
        port.parse::<u16>().ok()
    });
    let stream = TcpStream::connect(("127.0.0.1", port.expect("it serves TLS"))).unwrap();
    let client = tls::client_of(&inside.join("certificate.pem"));
    let mut session = tls::session_with(&client, stream, "localhost");
    assert_eq!(tls::ask(&mut session, 1).unwrap().id, 1);
    drop(session);
    register_by_epp(&invited, address);
    look_up(&invited);
    let pid = demo.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(demo.wait().unwrap().code(), Some(0));
    let left: Vec<_> = folder.path().read_dir().unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn ctrl_c_while_it_prepares_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_meridian"))
        .args(["demo", "--listen", "127.0.0.1:0", "--domains", "300000"])
        .env("TMPDIR", folder.path())
        .env("MERIDIAN_REFERENCE", folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // Its folder is there, so it is at work, and will be for seconds.
    let database = loop {
        let inside = folder.path().read_dir().unwrap().next();
        if let Some(Ok(inside)) = inside {
            break inside.path().join("registry.db");
        }
    };
    while !database.exists() {
        assert!(demo.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    let pid = demo.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(demo.wait().unwrap().code(), Some(0));
    let left: Vec<_> = folder.path().read_dir().unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
