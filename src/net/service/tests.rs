use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream as Client};
use std::sync::Mutex;
use std::sync::mpsc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::net::http::over_tls;
use crate::net::testing::{ClientOptions, Pair, client_config, session};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// What cannot come is not waited for longer than that.
const MOMENT: Duration = Duration::from_millis(20);

fn settings() -> Settings {
    Settings {
        name: "TEST",
        threads: 1,
        prepare_thread: || {},
        connections_max: 10,
        connections_per_prefix_max: 10,
        drain: PATIENCE,
    }
}

/// Says one octet, then does what the test says.
struct Greeter<F> {
    then: F,
    refused: Mutex<Vec<Full>>,
}

impl<F, Ended> Serve for Greeter<F>
where
    F: Fn(TcpStream, Stop) -> Ended + Send + Sync + 'static,
    Ended: Future<Output = ()> + Send,
{
    async fn serve(self: Arc<Self>, mut stream: TcpStream, _: SocketAddr, stop: Stop) {
        let _ = stream.write_all(b"+").await;
        (self.then)(stream, stop).await;
    }

    fn refuse(&self, full: Full) {
        self.refused.lock().unwrap().push(full);
    }
}

fn start<F>(settings: Settings, then: F) -> (Service, Arc<Greeter<F>>)
where
    Greeter<F>: Serve,
{
    let greeter = Arc::new(Greeter {
        then,
        refused: Mutex::default(),
    });
    let mut service = Service::new(settings).unwrap();
    let listeners = Listeners::bind(&[LOOPBACK, LOOPBACK]).unwrap();
    service.open(listeners, &greeter).unwrap();
    (service, greeter)
}

fn connect(service: &Service) -> Client {
    let stream = Client::connect(service.addresses()[0]).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Whether it is served: it gets its octet, or the end of what has no place.
fn is_greeted(stream: &mut Client) -> bool {
    matches!(stream.read(&mut [0]), Ok(1))
}

/// Keeps a connection as long as its client does.
async fn keep(mut stream: TcpStream, _: Stop) {
    let _ = stream.read(&mut [0]).await;
}

/// Waits for the stop, then says another octet.
async fn part(mut stream: TcpStream, mut stop: Stop) {
    stopped(&mut stop).await;
    let _ = stream.write_all(b"-").await;
}

#[test]
fn every_address_is_served_and_one_that_is_taken_is_named() {
    let (service, _) = start(settings(), keep);
    let &[first, second] = service.addresses() else {
        panic!("{service:?}");
    };
    assert_ne!(first, second);
    for address in [first, second] {
        let mut stream = Client::connect(address).unwrap();
        assert!(is_greeted(&mut stream));
        let error = Listeners::bind(&[LOOPBACK, address]).unwrap_err();
        let what = error.to_string();
        assert!(what.starts_with(&format!("{address}: ")), "{what}");
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
    service.stop();
}

#[test]
fn who_has_no_place_is_told_of_and_a_place_comes_back() {
    let bounded = Settings {
        connections_per_prefix_max: 1,
        ..settings()
    };
    let (service, greeter) = start(bounded, keep);
    let mut first = connect(&service);
    assert!(is_greeted(&mut first));
    // All addresses share the places.
    let mut other = Client::connect(service.addresses()[1]).unwrap();
    assert!(!is_greeted(&mut other));
    assert_eq!(*greeter.refused.lock().unwrap(), [Full::Prefix]);
    drop(first);
    while !is_greeted(&mut connect(&service)) {}
    service.stop();
}

#[test]
fn one_place_for_all_is_a_limit_too() {
    let bounded = Settings {
        connections_max: 1,
        ..settings()
    };
    let (service, greeter) = start(bounded, keep);
    let mut first = connect(&service);
    assert!(is_greeted(&mut first));
    assert!(!is_greeted(&mut connect(&service)));
    assert_eq!(*greeter.refused.lock().unwrap(), [Full::All]);
    drop(first);
    service.stop();
}

#[test]
fn a_stop_is_told_and_waits_for_those_who_end_and_then_for_what_is_last() {
    let (service, _) = start(settings(), part);
    let address = service.addresses()[0];
    let mut streams = [connect(&service), connect(&service)];
    assert!(streams.iter_mut().all(is_greeted));
    let (say, said) = mpsc::channel();
    service.stop_before(async move {
        for mut stream in streams {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).unwrap();
            say.send(rest).unwrap();
        }
        assert!(Client::connect(address).is_err());
    });
    assert_eq!(said.iter().collect::<Vec<_>>(), [b"-", b"-"]);
}

#[test]
fn who_does_not_end_is_cut_off_at_the_end_of_the_drain() {
    let hasty = Settings {
        drain: MOMENT,
        ..settings()
    };
    let (service, _) = start(hasty, |stream, _| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    });
    let mut stream = connect(&service);
    assert!(is_greeted(&mut stream));
    service.stop();
    assert!(!is_greeted(&mut stream));
}

#[test]
fn threads_are_prepared_and_have_the_name_of_the_service() {
    static NAMES: Mutex<Vec<Option<String>>> = Mutex::new(Vec::new());
    let two = Settings {
        threads: 2,
        prepare_thread: || {
            let name = std::thread::current().name().map(str::to_owned);
            NAMES.lock().unwrap().push(name);
        },
        ..settings()
    };
    let (service, _) = start(two, keep);
    assert!(is_greeted(&mut connect(&service)));
    service.stop();
    let names = NAMES.lock().unwrap();
    assert!(names.len() >= 2, "{names:?}");
    assert!(names.iter().all(|name| name.as_deref() == Some("test")));
}

/// What comes of the handshake with what a client does.
fn shake(limit: Duration, client: impl FnOnce(Client, &Pair) + Send) -> Result<(), Unshaken> {
    let pair = Pair::until(2999);
    let credentials = Credentials::load(over_tls("TEST"), &pair.certificate(), &pair.key());
    let (credentials, service) = (credentials.unwrap(), Service::new(settings()).unwrap());
    let listener = StdTcpListener::bind(LOOPBACK).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| client(Client::connect(address).unwrap(), &pair));
        let (stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut stop = service.stop.subscribe();
        service.block_on(async {
            let stream = TcpStream::from_std(stream).unwrap();
            // The client reads to the end of it.
            let shaken = shake_hands(stream, &credentials, limit, &mut stop).await;
            shaken.map(drop)
        })
    })
}

#[test]
fn a_handshake_is_done_or_fails_or_takes_too_long() {
    let hello = |stream: Client, pair: &Pair| {
        let trust = std::fs::read_to_string(pair.certificate()).unwrap();
        let options = ClientOptions {
            trust: &trust,
            protocols: &[],
            versions: rustls::ALL_VERSIONS,
        };
        let mut stream = session(&client_config(&options), stream);
        let _ = stream.read(&mut [0]);
    };
    assert_eq!(shake(PATIENCE, hello), Ok(()));
    let nonsense = |mut stream: Client, _: &Pair| {
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let _ = stream.read(&mut [0]);
    };
    assert_eq!(shake(PATIENCE, nonsense), Err(Unshaken::Failed));
    let silence = |mut stream: Client, _: &Pair| {
        let _ = stream.read(&mut [0]);
    };
    assert_eq!(shake(MOMENT, silence), Err(Unshaken::Late));
}

#[test]
fn a_stop_ends_a_handshake() {
    let pair = Pair::until(2999);
    let credentials = Credentials::load(over_tls("TEST"), &pair.certificate(), &pair.key());
    let credentials = Arc::new(credentials.unwrap());
    let (say, said) = mpsc::channel();
    let (service, _) = start(settings(), move |stream, mut stop| {
        let (credentials, say) = (Arc::clone(&credentials), say.clone());
        async move {
            let shaken = shake_hands(stream, &credentials, PATIENCE, &mut stop).await;
            say.send(shaken.map(drop)).unwrap();
        }
    });
    let mut stream = connect(&service);
    assert!(is_greeted(&mut stream));
    service.stop();
    assert_eq!(said.recv(), Ok(Err(Unshaken::Stopped)));
}
