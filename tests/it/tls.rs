//! DNS over TLS through the binary: answers, certificates that change, faults.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use hickory_proto::op::Message;
use hickory_proto::rr::RecordType;
use hickory_proto::rr::rdata::opt::EdnsCode;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::{Folder, PATIENCE, Running, query, serial};

pub(crate) const CERTIFICATE: &str = "certificate.pem";
pub(crate) const KEY: &str = "key.pem";
/// The name in every certificate.
pub(crate) const NAME: &str = "ns.example";

pub(crate) type Session = StreamOwned<ClientConnection, TcpStream>;

/// A folder whose server has TLS, with `lines` in `[dns]` beside it.
pub(crate) fn folder(year: i32, lines: &str) -> Folder {
    let folder = Folder::with_image(1);
    folder.configure(&format!(
        "listen = [\"127.0.0.1:0\"]\nworkers = 1\ntls.listen = [\"127.0.0.1:0\", \"[::1]:0\"]\n\
         tls.certificate-file = \"{CERTIFICATE}\"\ntls.key-file = \"{KEY}\"\n{lines}"
    ));
    write_pair(&folder, year);
    folder
}

/// Writes a certificate that ends with a year, and its key.
pub(crate) fn write_pair(folder: &Folder, year: i32) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    params.not_after = date_time_ymd(year, 12, 31);
    let certificate = params.self_signed(&key).unwrap();
    folder.write(CERTIFICATE, &certificate.pem());
    folder.write(KEY, &key.serialize_pem());
}

/// The addresses of TLS, as status has them.
pub(crate) fn addresses(folder: &Folder) -> Vec<SocketAddr> {
    serde_json::from_value(folder.status()["tls"]["listen"].clone()).unwrap()
}

/// A client that trusts the certificate in the folder, and no other.
pub(crate) fn client(folder: &Folder) -> Arc<ClientConfig> {
    client_of(&certificate(folder))
}

/// A client that trusts the certificate in a file.
pub(crate) fn client_of(certificate: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let trusted = CertificateDer::from_pem_file(certificate).unwrap();
    roots.add(trusted).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"dot".to_vec()];
    Arc::new(config)
}

/// A session on a connection.
pub(crate) fn session(config: &Arc<ClientConfig>, stream: TcpStream) -> Session {
    session_with(config, stream, NAME)
}

/// The same with a server of another name.
pub(crate) fn session_with(
    config: &Arc<ClientConfig>,
    stream: TcpStream,
    name: &'static str,
) -> Session {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    let name = ServerName::try_from(name).unwrap();
    StreamOwned::new(
        ClientConnection::new(Arc::clone(config), name).unwrap(),
        stream,
    )
}

fn connect(folder: &Folder, address: SocketAddr) -> Session {
    session(&client(folder), TcpStream::connect(address).unwrap())
}

fn frame(wire: &[u8]) -> Vec<u8> {
    [&u16::try_from(wire.len()).unwrap().to_be_bytes(), wire].concat()
}

fn read(stream: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut prefix = [0; 2];
    stream.read_exact(&mut prefix)?;
    let mut wire = vec![0; u16::from_be_bytes(prefix).into()];
    stream.read_exact(&mut wire)?;
    Ok(wire)
}

/// Asks for the SOA on a session; gives what is wrong where there is no answer.
pub(crate) fn ask(stream: &mut (impl Read + Write), id: u16) -> std::io::Result<Message> {
    stream.write_all(&frame(&query(id, "example.", RecordType::SOA)))?;
    Message::from_vec(&read(stream)?).map_err(std::io::Error::other)
}

#[track_caller]
fn check_answer(session: &mut Session, id: u16) {
    let reply = ask(session, id).unwrap();
    assert_eq!((reply.id, reply.answers.len()), (id, 1));
}

#[test]
fn answers_are_padded_and_say_how_long_the_session_may_be_idle() {
    let folder = folder(2031, "");
    let server = folder.serve();
    for address in addresses(&folder) {
        let mut session = connect(&folder, address);
        for (id, name) in (1..).zip(["www.example.", "inside.example.", "nothing.example."]) {
            let mut wire = query(id, name, RecordType::A);
            wire[11] = 1;
            // An OPT with PADDING and KEEPALIVE (RFC 7830, RFC 7828).
            wire.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 8, 0, 11, 0, 0, 0, 12, 0, 0]);
            session.write_all(&frame(&wire)).unwrap();
            let reply = read(&mut session).unwrap();
            assert_eq!(reply.len(), 468, "{name}");
            let edns = Message::from_vec(&reply).unwrap().edns.unwrap();
            assert!(edns.option(EdnsCode::Padding).is_some());
            assert!(edns.option(EdnsCode::Keepalive).is_some());
        }
        // Who does not pad gets no padding.
        session
            .write_all(&frame(&query(9, "www.example.", RecordType::A)))
            .unwrap();
        assert!(read(&mut session).unwrap().len() < 100);
    }
    for (name, value) in [
        ("meridian_dns_queries_total{transport=\"tls\"}", 8),
        ("meridian_dns_queries_total{transport=\"tcp\"}", 0),
        ("meridian_tls_handshakes_total{result=\"completed\"}", 2),
        (
            "meridian_tls_connection_events_total{event=\"accepted\"}",
            2,
        ),
        (
            "meridian_tcp_connection_events_total{event=\"accepted\"}",
            0,
        ),
    ] {
        assert_eq!(server.metric(name), value, "{name}");
    }
    assert_eq!(folder.status()["tls"]["queries"], 8);
}

/// Waits for the certificate in service to end at another time than before.
#[track_caller]
fn replaced(server: &Running, before: u64) -> u64 {
    let begin = Instant::now();
    loop {
        let now = server.metric("meridian_dns_tls_certificate_expires_seconds");
        if now != before {
            return now;
        }
        assert!(begin.elapsed() < PATIENCE, "never replaced");
    }
}

#[test]
fn certificates_are_replaced_in_every_way_and_a_session_stays() {
    let folder = folder(2031, "");
    let server = folder.serve();
    let address = addresses(&folder)[0];
    let mut session = connect(&folder, address);
    check_answer(&mut session, 1);
    let mut expires = server.metric("meridian_dns_tls_certificate_expires_seconds");
    let reload = || {
        folder.succeed(&["reload"]);
    };
    let ways: [(&str, &dyn Fn()); 3] = [
        ("reload", &reload),
        ("SIGHUP", &|| server.signal("-HUP")),
        ("by itself", &|| {}),
    ];
    for (year, (way, ask_for_it)) in (2032..).zip(ways) {
        // A pipeline is open while the certificate changes.
        for id in 0..50 {
            let wire = query(id, "example.", RecordType::SOA);
            session.write_all(&frame(&wire)).unwrap();
        }
        let old = client(&folder);
        write_pair(&folder, year);
        ask_for_it();
        let now = replaced(&server, expires);
        assert!(now > expires, "{way}");
        expires = now;
        for id in 0..50 {
            let reply = Message::from_vec(&read(&mut session).unwrap()).unwrap();
            assert_eq!(reply.id, id, "{way}");
        }
        check_answer(&mut connect(&folder, address), 1);
        let stranger = TcpStream::connect(address).unwrap();
        assert!(ask(&mut self::session(&old, stranger), 1).is_err(), "{way}");
    }
    check_answer(&mut session, 2);
    assert_eq!(
        server.metric("meridian_dns_tls_certificate_reloads_total"),
        3
    );
    assert_eq!(
        server.metric("meridian_dns_tls_certificate_failures_total"),
        0
    );
}

#[test]
fn a_bad_pair_is_refused_clearly_and_the_old_one_serves_on() {
    let folder = folder(2031, "");
    let server = folder.serve();
    let address = addresses(&folder)[0];
    let old = client(&folder);
    let key = std::fs::read_to_string(folder.path(KEY)).unwrap();
    // A certificate of another key.
    write_pair(&folder, 2032);
    folder.write(KEY, &key);
    folder.fail(
        &["reload"],
        &[
            "certificate refused",
            "key does not belong",
            CERTIFICATE,
            KEY,
        ],
    );
    let status = folder.status();
    let refused = status["tls"]["certificate-error"].as_str().unwrap();
    assert!(refused.contains("does not belong"), "{status}");
    assert!(folder.succeed(&["status"]).contains("does not belong"));
    assert!(server.metric("meridian_dns_tls_certificate_failures_total") >= 1);
    let mut session = session(&old, TcpStream::connect(address).unwrap());
    check_answer(&mut session, 1);
    // The image is reloaded all the same.
    folder.compile(2);
    folder.fail(&["reload"], &["certificate refused"]);
    assert_eq!(serial(server.addresses[0]), 2);
    write_pair(&folder, 2033);
    folder.succeed(&["reload"]);
    assert!(folder.status()["tls"]["certificate-error"].is_null());
    check_answer(&mut connect(&folder, address), 1);
    server.signal("-TERM");
    let (status, log) = server.wait();
    assert_eq!(status, Some(0));
    let secret = key.lines().nth(1).unwrap();
    assert!(log.iter().any(|line| line.contains("does not belong")));
    assert!(!log.iter().any(|line| line.contains(&secret[..20])));
}

#[test]
fn check_config_names_every_fault_of_the_files_at_once() {
    let folder = folder(2031, "cookie-secrets-file = \"secrets\"\n");
    let faults = |expected: &[&str]| {
        let output = folder.run(&["check-config"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let found: Vec<_> = text.lines().collect();
        let same = found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(line, part)| line.contains(part));
        assert!(same, "{text}\nis not\n{expected:#?}");
    };
    std::fs::remove_file(folder.path(CERTIFICATE)).unwrap();
    folder.write(KEY, "no key");
    faults(&[
        "dns.tls.certificate-file: cannot read certificate: certificate.pem: No such file",
        "dns.tls.key-file: no key in it: key.pem",
        "dns.cookie-secrets-file: cannot read secrets: No such file",
    ]);
    folder.write("secrets", "e5e973e5a6b2a43f48e7dc849e37bfcf\n");
    write_pair(&folder, 2031);
    faults(&["no faults"]);
    let certificate = std::fs::read_to_string(folder.path(CERTIFICATE)).unwrap();
    write_pair(&folder, 2031);
    folder.write(CERTIFICATE, &certificate);
    faults(&["dns.tls.key-file: key does not belong to certificate"]);
    folder.fail(
        &["serve"],
        &[
            "dns.tls.certificate-file",
            "dns.tls.key-file",
            "does not belong",
        ],
    );
}

#[test]
fn who_may_not_read_the_key_may_still_ask() {
    let folder = folder(2031, "");
    let _server = folder.serve();
    std::fs::remove_file(folder.path(KEY)).unwrap();
    assert!(folder.succeed(&["status"]).contains("certificate  ends in"));
}

#[test]
fn sigterm_ends_sessions_with_a_word() {
    let folder = folder(2031, "");
    let server = folder.serve();
    let mut session = connect(&folder, addresses(&folder)[0]);
    check_answer(&mut session, 1);
    server.signal("-TERM");
    assert_eq!(server.wait().0, Some(0));
    // Zero octets are a close_notify; an end without one would be an error.
    assert_eq!(session.read(&mut [0]).unwrap(), 0);
}

/// Where the certificate of a folder is, for other programs.
pub(crate) fn certificate(folder: &Folder) -> PathBuf {
    folder.path(CERTIFICATE)
}
