//! ICANN's Registry System Testing (RST 2.0), the cases of RDAP by their names. What a
//! response has to be like is checked against the schemas in `peers::rdap`, and in
//! `src/rdap/tests.rs`.

use std::net::SocketAddr;

use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};

use super::Live;
use super::client::{Reply, get, head, request, tls_config, tls_session};
use crate::tls;

const DOMAINS: [&str; 4] = [
    "/domain/person.tld",
    "/domain/org.tld",
    "/domain/open.tld",
    "/domain/thin.tld",
];
const NAMESERVERS: [&str; 2] = ["/nameserver/ns1.org.tld", "/nameserver/ns2.outside.example"];
const ENTITIES: [&str; 2] = ["/entity/9995", "/entity/Registrar%20B"];

fn check_object(reply: &Reply, class: &str) {
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(
        reply.header("content-type").as_deref(),
        Some("application/rdap+json")
    );
    assert_eq!(
        reply.header("access-control-allow-origin").as_deref(),
        Some("*")
    );
    assert_eq!(reply.json["objectClassName"], class);
    let levels = reply.json["rdapConformance"].as_array().unwrap();
    for level in [
        "rdap_level_0",
        "icann_rdap_response_profile_1",
        "icann_rdap_technical_implementation_guide_1",
    ] {
        assert!(levels.contains(&json!(level)));
    }
    let events = reply.json["events"].as_array().unwrap();
    let is_update = |event: &&Value| event["eventAction"] == "last update of RDAP database";
    assert_eq!(events.iter().filter(is_update).count(), 1);
}

fn check_head(live: &Live, paths: &[&str]) {
    for path in paths {
        let (reply, whole) = (head(live.rdap, path), get(live.rdap, path));
        assert_eq!((reply.status, reply.body.as_str()), (200, ""), "{path}");
        assert_eq!(
            reply.header("access-control-allow-origin").as_deref(),
            Some("*")
        );
        assert_eq!(reply.header("content-type"), whole.header("content-type"));
        assert_ne!(reply.header("content-length").as_deref(), Some("0"));
    }
}

fn check_missing(live: &Live, path: &str) {
    let reply = get(live.rdap, path);
    assert_eq!(reply.status, 404, "{path}");
    assert_eq!(
        reply.header("access-control-allow-origin").as_deref(),
        Some("*")
    );
    assert_eq!(reply.json["errorCode"], json!(404), "{path}");
}

#[test]
fn rdap_01_domain_query() {
    let live = Live::new();
    for path in DOMAINS {
        let reply = get(live.rdap, path);
        check_object(&reply, "domain");
        assert!(reply.json["secureDNS"]["delegationSigned"].is_boolean());
        assert_eq!(reply.json["entities"][0]["roles"], json!(["registrar"]));
    }
}

#[test]
fn rdap_02_nameserver_query() {
    let live = Live::new();
    for path in NAMESERVERS {
        check_object(&get(live.rdap, path), "nameserver");
    }
    let reply = get(live.rdap, "/nameservers?ip=192.0.2.1");
    assert_eq!(
        reply.json["nameserverSearchResults"][0]["ldhName"],
        "ns1.org.tld"
    );
}

#[test]
fn rdap_03_registrar_query() {
    let live = Live::new();
    for path in ENTITIES {
        let reply = get(live.rdap, path);
        check_object(&reply, "entity");
        assert_eq!(reply.json["roles"], json!(["registrar"]));
    }
}

#[test]
fn rdap_04_help_query() {
    let live = Live::new();
    let reply = get(live.rdap, "/help");
    assert_eq!(reply.status, 200);
    assert!(reply.json["notices"][0]["links"][0]["href"].is_string());
}

#[test]
fn rdap_05_domain_head() {
    check_head(&Live::new(), &DOMAINS);
}

#[test]
fn rdap_06_nameserver_head() {
    check_head(&Live::new(), &NAMESERVERS);
}

#[test]
fn rdap_07_entity_head() {
    check_head(&Live::new(), &ENTITIES);
}

#[test]
fn rdap_08_non_existent_domain() {
    let live = Live::new();
    check_missing(&live, "/domain/eeV5oh-not-there.tld");
    // What the conformance tool asks for.
    check_missing(&live, "/domain/not-a-domain.invalid");
}

#[test]
fn rdap_09_non_existent_nameserver() {
    let live = Live::new();
    check_missing(&live, "/nameserver/ns1.eeV5oh-not-there.tld");
    check_missing(&live, "/nameserver/ns1.eeV5oh-not-there.example");
}

#[test]
fn rdap_10_non_existent_entity() {
    check_missing(&Live::new(), "/entity/eeV5oh-not-there");
}

#[test]
fn rdap_91_tls_versions() {
    let live = Live::new();
    let certificate = live.folder.path(tls::CERTIFICATE);
    for address in live.rdap_tls {
        for version in [&TLS12, &TLS13] {
            let config = tls_config(&certificate, &[version]);
            let mut session = tls_session(&config, address);
            let reply = request(&mut session, "GET", "/help", "");
            assert_eq!(reply.status, 200, "{version:?}");
        }
        refuses_old_versions(address);
    }
}

/// A ClientHello of TLS 1.1, as RFC 4346 section 7.4.1.2 has it.
fn refuses_old_versions(address: SocketAddr) {
    use std::io::{Read as _, Write as _};
    let mut hello = vec![3, 2];
    hello.extend([7; 32]);
    hello.push(0);
    // ECDHE and RSA with AES in CBC, which 1.1 has.
    hello.extend([0, 4, 0xc0, 0x14, 0x00, 0x35]);
    hello.extend([1, 0]);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(crate::support::PATIENCE))
        .unwrap();
    stream.write_all(&record).unwrap();
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    // An alert, fatal, and no ServerHello.
    assert_eq!(
        (reply.first(), reply.get(5)),
        (Some(&21), Some(&2)),
        "{reply:?}"
    );
}

#[test]
fn rdap_92_service_port_consistency() {
    let live = Live::with("", "base-url = \"https://rdap.nic.tld/\"");
    let config = tls_config(&live.folder.path(tls::CERTIFICATE), &[&TLS13]);
    for path in DOMAINS.iter().chain(&NAMESERVERS).chain(&ENTITIES) {
        let replies = live.rdap_tls.map(|address| {
            let mut session = tls_session(&config, address);
            let reply = request(&mut session, "GET", path, "");
            assert_eq!(reply.status, 200, "{path}");
            let mut json = reply.json;
            let events = json["events"].as_array_mut().unwrap();
            events.retain(|event| event["eventAction"] != "last update of RDAP database");
            json
        });
        assert_eq!(replies[0], replies[1], "{path}");
    }
}
