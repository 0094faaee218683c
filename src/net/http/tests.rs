use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, mpsc};

use tokio::sync::mpsc as queue;

use super::*;
use crate::net::testing::{ClientOptions, Pair, client_config, session};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn settings() -> Settings {
    Settings {
        service: service::Settings {
            name: "TEST",
            threads: 1,
            prepare_thread: || {},
            connections_max: 1,
            connections_per_prefix_max: 1,
            drain: PATIENCE,
        },
        credentials: None,
        times: Times {
            read_timeout: PATIENCE,
            connection_timeout: PATIENCE,
        },
    }
}

/// Says who asked for what.
#[derive(Default)]
struct Echo {
    /// Waited for before a reply, where it is there; the first half hears of the request.
    gate: Option<(mpsc::Sender<()>, tokio::sync::Mutex<queue::Receiver<()>>)>,
    refused: Arc<Mutex<Vec<Refusal>>>,
}

impl Respond for Echo {
    async fn respond(&self, client: IpAddr, request: &Parts) -> Response<Full<Bytes>> {
        if let Some((asked, gate)) = &self.gate {
            asked.send(()).unwrap();
            gate.lock().await.recv().await;
        }
        let said = format!("{client} {} {}", request.method, request.uri);
        Response::new(Full::from(said))
    }

    fn open(&self) -> impl Send {}

    fn refuse(&self, refusal: Refusal) {
        self.refused.lock().unwrap().push(refusal);
    }
}

fn plain() -> Bound {
    Bound::bind(&["127.0.0.1:0".parse().unwrap()], &[]).unwrap()
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn send(stream: &mut impl Write, method: &str, lines: &str) {
    let text = format!("{method} /a?b HTTP/1.1\r\nHost: x\r\n{lines}\r\n");
    stream.write_all(text.as_bytes()).unwrap();
}

fn rest(stream: &mut impl Read) -> String {
    let mut text = Vec::new();
    // A session of TLS that is cut says so; what came before it counts.
    let _ = stream.read_to_end(&mut text);
    String::from_utf8(text).unwrap()
}

/// The whole reply to one request.
fn ask(mut stream: impl Read + Write, method: &str, lines: &str) -> String {
    send(
        &mut stream,
        method,
        &format!("Connection: close\r\n{lines}"),
    );
    rest(&mut stream)
}

#[track_caller]
fn check_error(error: &io::Error, expected: &str) {
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[test]
fn without_tls_it_is_for_this_machine_and_with_it_needs_a_certificate() {
    let anywhere = ["0.0.0.0:0".parse().unwrap()];
    let error = Bound::bind(&anywhere, &[]).unwrap_err();
    check_error(&error, "without TLS it listens on loopback only");
    let bound = Bound::bind(&[], &anywhere).unwrap();
    let error = Server::start(settings(), bound, Echo::default()).unwrap_err();
    check_error(&error, "TLS needs a certificate");
}

#[test]
fn the_first_address_is_where_it_is() {
    let one = ["127.0.0.1:0".parse().unwrap()];
    let both = Bound::bind(&one, &one).unwrap().url().unwrap();
    assert!(both.starts_with("http://127.0.0.1:"), "{both}");
    let tls = Bound::bind(&[], &one).unwrap().url().unwrap();
    assert!(
        tls.starts_with("https://127.0.0.1:") && tls.ends_with('/'),
        "{tls}"
    );
    assert_eq!(Bound::bind(&[], &[]).unwrap().url(), None);
}

#[test]
fn a_proxy_on_this_machine_says_for_whom_it_asks_and_nobody_else_does() {
    let pair = Pair::until(2999);
    let purpose = over_tls("TEST");
    let credentials = Credentials::load(purpose, &pair.certificate(), &pair.key()).unwrap();
    let with_tls = Settings {
        credentials: Some(Arc::new(credentials)),
        service: service::Settings {
            connections_max: 10,
            connections_per_prefix_max: 10,
            ..settings().service
        },
        ..settings()
    };
    let one = ["127.0.0.1:0".parse().unwrap()];
    let bound = Bound::bind(&one, &one).unwrap();
    let server = Server::start(with_tls, bound, Echo::default()).unwrap();
    let said = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2, 192.0.2.3\r\n";
    let reply = ask(connect(server.addresses()[0]), "GET", said);
    assert!(reply.ends_with("\r\n\r\n192.0.2.3 GET /a?b"), "{reply}");
    let reply = ask(connect(server.addresses()[0]), "GET", "");
    assert!(reply.ends_with("\r\n\r\n127.0.0.1 GET /a?b"), "{reply}");
    let trust = std::fs::read_to_string(pair.certificate()).unwrap();
    let config = client_config(&ClientOptions {
        trust: &trust,
        protocols: &[b"http/1.1"],
        versions: rustls::ALL_VERSIONS,
    });
    let stream = session(&config, connect(server.tls_addresses()[0]));
    let reply = ask(stream, "GET", said);
    assert!(reply.ends_with("\r\n\r\n127.0.0.1 GET /a?b"), "{reply}");
    server.stop();
}

#[test]
fn head_has_the_length_of_what_it_leaves_out() {
    let server = Server::start(settings(), plain(), Echo::default()).unwrap();
    let reply = ask(connect(server.addresses()[0]), "HEAD", "");
    let length = "127.0.0.1 HEAD /a?b".len();
    assert!(
        reply.contains(&format!("content-length: {length}\r\n")),
        "{reply}"
    );
    assert!(reply.ends_with("\r\n\r\n"), "{reply}");
    server.stop();
}

#[test]
fn a_head_has_its_bounds_and_its_time() {
    let hasty = Settings {
        times: Times {
            read_timeout: Duration::from_millis(20),
            ..settings().times
        },
        ..settings()
    };
    let server = Server::start(hasty, plain(), Echo::default()).unwrap();
    let mut slow = connect(server.addresses()[0]);
    slow.write_all(b"GET /").unwrap();
    let reply = rest(&mut slow);
    assert!(!reply.contains(" 200 "), "{reply}");
    server.stop();
    let server = Server::start(settings(), plain(), Echo::default()).unwrap();
    let long = format!("X-Long: {}\r\n", "x".repeat(64 << 10));
    let mut stream = connect(server.addresses()[0]);
    let text = format!("GET / HTTP/1.1\r\nHost: x\r\n{long}\r\n");
    // It may be gone before it was sent all of it.
    let _ = stream.write_all(text.as_bytes());
    let reply = rest(&mut stream);
    assert!(!reply.contains(" 200 "), "{reply}");
    server.stop();
}

#[test]
fn a_connection_ends_with_its_time_whatever_is_done_on_it() {
    let short = Settings {
        times: Times {
            connection_timeout: Duration::from_millis(20),
            ..settings().times
        },
        ..settings()
    };
    let server = Server::start(short, plain(), Echo::default()).unwrap();
    let mut idle = connect(server.addresses()[0]);
    send(&mut idle, "GET", "");
    // It ends without a word of the client.
    rest(&mut idle);
    server.stop();
}

#[test]
fn who_has_no_place_is_refused() {
    let echo = Echo::default();
    let refused = Arc::clone(&echo.refused);
    let server = Server::start(settings(), plain(), echo).unwrap();
    let mut first = connect(server.addresses()[0]);
    send(&mut first, "GET", "");
    first.read_exact(&mut [0]).unwrap();
    let mut second = connect(server.addresses()[0]);
    assert_eq!(rest(&mut second), "");
    assert_eq!(*refused.lock().unwrap(), [Refusal::Full]);
    server.stop();
    rest(&mut first);
}

#[test]
fn what_is_under_way_at_the_stop_is_answered() {
    let (asked, hear) = mpsc::channel();
    let (open, gate) = queue::channel(1);
    let echo = Echo {
        gate: Some((asked, tokio::sync::Mutex::new(gate))),
        ..Echo::default()
    };
    let server = Server::start(settings(), plain(), echo).unwrap();
    let address = server.addresses()[0];
    let mut stream = connect(address);
    send(&mut stream, "GET", "");
    hear.recv().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| server.stop());
        // Nobody new is let in once it stops.
        while TcpStream::connect(address).is_ok() {}
        open.blocking_send(()).unwrap();
        let reply = rest(&mut stream);
        assert!(reply.ends_with("127.0.0.1 GET /a?b"), "{reply}");
        assert!(reply.contains("connection: close\r\n"), "{reply}");
    });
}
