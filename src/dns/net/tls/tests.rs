//! Sessions over loopback, with clients of the same library.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, StreamOwned};

use super::*;
use crate::dns::net::tcp::Limits;
use crate::dns::net::tcp::testing::{
    LIMITS, PATIENCE, Server, framed, is_closed, read_frame, server_with,
};
use crate::dns::testing::{LONG, eventually, message};
use crate::net::testing::{ClientOptions, Pair, client_config, make, session};

const SHORT: Duration = Duration::from_millis(100);

type Session = StreamOwned<ClientConnection, TcpStream>;

/// A server with a certificate, and what a client of it trusts.
struct Secure {
    server: Server,
    credentials: Arc<Credentials>,
    pair: Pair,
}

fn secure(limits: Limits, handshake_timeout: Duration) -> Secure {
    let pair = Pair::until(2031);
    let credentials = Arc::new(Credentials::load(DOT, &pair.certificate(), &pair.key()).unwrap());
    let tls = Tls {
        credentials: Arc::clone(&credentials),
        handshake_timeout,
    };
    Secure {
        server: server_with(limits, Some(tls)),
        credentials,
        pair,
    }
}

impl Secure {
    fn client(&self) -> Arc<ClientConfig> {
        self.client_with(&[b"dot"], &[&TLS12, &TLS13])
    }

    fn client_with(
        &self,
        protocols: &[&[u8]],
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Arc<ClientConfig> {
        let trust = std::fs::read_to_string(self.pair.certificate()).unwrap();
        client_config(&ClientOptions {
            trust: &trust,
            protocols,
            versions,
        })
    }

    fn session(&self) -> Session {
        session(&self.client(), self.server.connect())
    }

    #[track_caller]
    fn check_handshakes(&self, end: Handshake, count: u64) {
        eventually(&format!("{count} handshakes that end in {end:?}"), || {
            self.server.counters.handshakes(end) == count
        });
    }
}

#[track_caller]
fn exchange(session: &mut Session, id: u16) {
    session.write_all(&framed(&message(id, 0))).unwrap();
    assert_eq!(read_frame(session), message(id, 0));
}

/// Whether the server has ended the session itself, not only the connection.
fn is_ended(session: &mut Session) -> bool {
    matches!(session.read(&mut [0; 16]), Ok(0))
}

#[test]
fn both_versions_speak_dot_in_recommended_suites() {
    let secure = secure(LIMITS, PATIENCE);
    for (version, number) in [
        (&TLS12, ProtocolVersion::TLSv1_2),
        (&TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let client = secure.client_with(&[b"dot"], &[version]);
        let mut session = session(&client, secure.server.connect());
        exchange(&mut session, 1);
        assert_eq!(session.conn.protocol_version(), Some(number));
        assert_eq!(session.conn.alpn_protocol(), Some(&b"dot"[..]));
        let suite = session.conn.negotiated_cipher_suite().unwrap();
        let name = format!("{:?}", suite.suite());
        assert!(name.contains("GCM") || name.contains("CHACHA20"), "{name}");
        assert!(
            name.starts_with("TLS13_") || name.contains("ECDHE"),
            "{name}"
        );
    }
    secure.check_handshakes(Handshake::Completed, 2);
}

#[test]
fn a_client_that_names_no_protocol_is_served_and_one_of_another_is_not() {
    let secure = secure(LIMITS, PATIENCE);
    let client = secure.client_with(&[], &[&TLS12, &TLS13]);
    exchange(&mut session(&client, secure.server.connect()), 1);
    let client = secure.client_with(&[b"h2"], &[&TLS12, &TLS13]);
    let mut session = session(&client, secure.server.connect());
    assert!(session.write_all(&[0]).is_err());
    secure.check_handshakes(Handshake::NoProtocol, 1);
}

#[test]
fn messages_are_the_same_however_records_cut_them() {
    let secure = secure(LIMITS, PATIENCE);
    let mut session = secure.session();
    // Each write is a record: one octet each, then several messages in one.
    for octet in framed(&message(1, 0)) {
        session.write_all(&[octet]).unwrap();
        session.flush().unwrap();
    }
    assert_eq!(read_frame(&mut session), message(1, 0));
    let octets: Vec<u8> = (0..500).flat_map(|id| framed(&message(id, 0))).collect();
    session.write_all(&octets).unwrap();
    for id in 0..500 {
        assert_eq!(read_frame(&mut session), message(id, 0));
    }
    session.write_all(&framed(&message(7, LONG))).unwrap();
    assert_eq!(read_frame(&mut session).len(), 65_535);
}

#[test]
fn an_end_of_ours_is_a_close_notify() {
    let secure = secure(
        Limits {
            idle_timeout: SHORT,
            ..LIMITS
        },
        PATIENCE,
    );
    let mut idle = secure.session();
    exchange(&mut idle, 1);
    assert!(is_ended(&mut idle));
    let mut zero = secure.session();
    zero.write_all(&[0, 0]).unwrap();
    assert!(is_ended(&mut zero));
    assert_eq!(secure.server.counters.timed_out.value(), 1);
}

#[test]
fn half_a_close_gets_its_answers_and_an_end() {
    let secure = secure(LIMITS, PATIENCE);
    let mut session = secure.session();
    session.write_all(&framed(&message(1, 0))).unwrap();
    session.conn.send_close_notify();
    session.flush().unwrap();
    assert_eq!(read_frame(&mut session), message(1, 0));
    assert!(is_ended(&mut session));
}

#[test]
fn a_client_that_goes_without_a_word_is_gone() {
    let secure = secure(LIMITS, PATIENCE);
    let mut session = secure.session();
    exchange(&mut session, 1);
    session.sock.shutdown(Shutdown::Both).unwrap();
    eventually("closed", || secure.server.counters.open() == 0);
}

#[test]
fn a_handshake_has_its_time_and_no_more() {
    let secure = secure(LIMITS, SHORT);
    let mut silent = secure.server.connect();
    assert!(is_closed(&mut silent));
    // The start of a record that never ends gains nothing.
    let mut slow = secure.server.connect();
    slow.write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
    assert!(is_closed(&mut slow));
    secure.check_handshakes(Handshake::TimedOut, 2);
    eventually("closed", || secure.server.counters.open() == 0);
}

#[test]
fn what_is_not_tls_or_goes_away_is_counted_apart() {
    let secure = secure(LIMITS, PATIENCE);
    // A client that speaks plain DNS to the port of TLS.
    let mut plain = secure.server.connect();
    plain.write_all(&framed(&message(1, 0))).unwrap();
    plain.read_to_end(&mut Vec::new()).unwrap_or_default();
    secure.check_handshakes(Handshake::NotTls, 1);
    drop(secure.server.connect());
    secure.check_handshakes(Handshake::Gone, 1);
    // A client that does not trust us says so.
    let (stranger, _) = make(2031);
    let client = client_config(&ClientOptions {
        trust: &stranger,
        protocols: &[b"dot"],
        versions: &[&TLS12, &TLS13],
    });
    let mut wary = session(&client, secure.server.connect());
    assert!(wary.write_all(&[0]).is_err());
    secure.check_handshakes(Handshake::Alert, 1);
}

#[test]
fn handshakes_have_places_and_the_oldest_makes_room() {
    let secure = secure(
        Limits {
            connections_per_prefix_max: 2,
            ..LIMITS
        },
        PATIENCE,
    );
    let counters = &secure.server.counters;
    let mut silent = secure.server.connect();
    eventually("taken", || counters.open() == 1);
    let mut first = secure.session();
    exchange(&mut first, 1);
    // The silent one goes, since it is older; then the session, by its own end.
    let mut second = secure.session();
    exchange(&mut second, 1);
    assert!(is_closed(&mut silent));
    secure.check_handshakes(Handshake::Evicted, 1);
    let mut third = secure.session();
    exchange(&mut third, 1);
    assert!(is_ended(&mut first));
    exchange(&mut second, 2);
    assert_eq!((counters.evicted.value(), counters.refused.value()), (2, 0));
}

#[test]
fn a_client_that_does_not_read_is_closed_at_the_write_limit() {
    let secure = secure(
        Limits {
            write_timeout: SHORT,
            ..LIMITS
        },
        PATIENCE,
    );
    let mut session = secure.session();
    let octets: Vec<u8> = (0..800).flat_map(|id| framed(&message(id, LONG))).collect();
    session.write_all(&octets).unwrap();
    let counters = &secure.server.counters;
    eventually("write limit", || counters.write_timed_out.value() == 1);
    eventually("closed", || counters.open() == 0);
}

#[test]
fn stopping_answers_what_has_arrived_and_ends_sessions_and_handshakes() {
    let secure = secure(LIMITS, PATIENCE);
    let (mut idle, mut busy) = (secure.session(), secure.session());
    let mut shaking = secure.server.connect();
    for session in [&mut idle, &mut busy] {
        exchange(session, 1);
    }
    busy.write_all(&[framed(&message(2, 0)), vec![0, 13, 0]].concat())
        .unwrap();
    secure.server.stop.send_replace(true);
    assert_eq!(read_frame(&mut busy), message(2, 0));
    assert!(is_ended(&mut busy) && is_ended(&mut idle) && is_closed(&mut shaking));
    let server = secure.server;
    server.runtime.block_on(server.task).unwrap().unwrap();
}

#[test]
fn a_new_certificate_leaves_open_sessions_alone() {
    let secure = secure(LIMITS, PATIENCE);
    let mut old = secure.session();
    exchange(&mut old, 1);
    let old_client = secure.client();
    for year in 2032..2036 {
        // Queries are on their way while the certificate changes.
        let octets: Vec<u8> = (0..100).flat_map(|id| framed(&message(id, 0))).collect();
        old.write_all(&octets).unwrap();
        secure.pair.renew(year);
        assert!(secure.credentials.reload().unwrap());
        for id in 0..100 {
            assert_eq!(read_frame(&mut old), message(id, 0));
        }
        // New sessions have the new one, and the old one is not trusted for them.
        exchange(&mut secure.session(), 1);
        let mut refused = session(&old_client, secure.server.connect());
        assert!(refused.write_all(&[0]).is_err());
    }
    exchange(&mut old, 2);
}

#[test]
fn sessions_are_resumed() {
    let secure = secure(LIMITS, PATIENCE);
    for version in [&TLS12, &TLS13] {
        let client = secure.client_with(&[b"dot"], &[version]);
        let kinds = [1, 2].map(|id| {
            let mut session = session(&client, secure.server.connect());
            // The tickets of TLS 1.3 come after the handshake, before the answer.
            exchange(&mut session, id);
            session.conn.handshake_kind()
        });
        assert_eq!(kinds[0], Some(HandshakeKind::Full));
        assert_eq!(kinds[1], Some(HandshakeKind::Resumed), "{version:?}");
    }
}

#[test]
fn what_breaks_within_a_session_ends_it() {
    let secure = secure(LIMITS, PATIENCE);
    let mut session = secure.session();
    exchange(&mut session, 1);
    // A record of the right form that nobody with the key has made.
    session.sock.write_all(&[23, 3, 3, 0, 20]).unwrap();
    session.sock.write_all(&[7; 20]).unwrap();
    match session.read(&mut [0; 16]) {
        Ok(count) => assert_eq!(count, 0),
        Err(error) => assert!(
            [
                ErrorKind::InvalidData,
                ErrorKind::UnexpectedEof,
                ErrorKind::ConnectionReset
            ]
            .contains(&error.kind()),
            "{error}"
        ),
    }
    eventually("closed", || secure.server.counters.open() == 0);
}
