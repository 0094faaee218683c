//! Streams of any octets in any pieces, through sockets, the framing and the engine:
//! the replies must be those that the engine gives to each message alone. Shared by
//! the fuzz target `tcp_stream` and the plain test of its corpus.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use meridian::dns::counters::StreamCounters;
use meridian::dns::engine::{Action, Engine, Request, Transport};
use meridian::dns::generations::{Generations, Source};
use meridian::dns::net::tcp::{Limits, Service, serve};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use zone_image::Memory;

use super::subject;

/// Messages that one connection may ask.
const QUERIES_MAX: u64 = 64;
/// Pieces that the octets are sent in; all that is left goes with the last one.
const PIECES_MAX: usize = 64;
/// Longer than any run, so that a hang is a hang.
const LIMIT: Duration = Duration::from_secs(600);
const NOW: u64 = 1_700_000_000;

/// A server on this thread.
pub(crate) struct Server {
    runtime: Runtime,
    address: SocketAddr,
    engine: Engine,
    generations: Arc<Generations>,
    runs: std::cell::Cell<u8>,
    _stop: watch::Sender<bool>,
    _directory: TempDir,
}

/// What the server should send.
struct Expected {
    replies: Vec<u8>,
    /// How many octets it needs to see for that; what follows is not its concern.
    used: usize,
    /// Whether it ends the connection itself.
    closes: bool,
}

impl Server {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a folder");
        subject::install(directory.path(), &subject::ZONES);
        let generations = Generations::open(Source {
            directory: directory.path().to_owned(),
            memory: Memory::Sealed,
            check: Box::new(|_| Ok(())),
            clock: || NOW,
        });
        let generations = Arc::new(generations.expect("a generation"));
        let engine = Engine::new(subject::full());
        let service = Service {
            engine: engine.clone(),
            generations: Arc::clone(&generations),
            tls: None,
            transfers: None,
            counters: Arc::<StreamCounters>::default(),
            offences: Arc::default(),
            limits: Limits {
                connections_max: 1000,
                connections_per_prefix_max: 1000,
                prefix_length_v4: 32,
                prefix_length_v6: 128,
                idle_timeout: LIMIT,
                write_timeout: LIMIT,
                queries_per_connection_max: QUERIES_MAX,
            },
            clock: || NOW,
        };
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("a socket");
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (stop, stopped) = watch::channel(false);
        runtime.spawn(serve(Arc::new(service), vec![listener], stopped, LIMIT));
        Self {
            runtime,
            address,
            engine,
            generations,
            runs: std::cell::Cell::new(0),
            _stop: stop,
            _directory: directory,
        }
    }

    /// Sends what the input says; gives the octets of the replies.
    pub(crate) fn check(&self, input: &[u8]) -> usize {
        let (pieces, stream) = split(input);
        // Each run has another address, so that ports are not used up.
        self.runs.set(self.runs.get().wrapping_add(1));
        let client = Ipv4Addr::new(127, 0, 0, self.runs.get().max(1));
        let expected = self.expected(client, stream);
        let (received, failed) =
            self.runtime
                .block_on(exchange(self.address, client, &pieces, stream));
        // Where the server has ended the connection, octets that it never read reset
        // it, and a reset may overtake replies.
        if failed && expected.closes && expected.used < stream.len() {
            assert!(expected.replies.starts_with(&received), "other replies");
        } else {
            assert!(!failed, "the connection broke");
            assert!(received == expected.replies, "other replies");
        }
        received.len()
    }

    /// What each message gets by itself.
    fn expected(&self, client: Ipv4Addr, stream: &[u8]) -> Expected {
        let mut out = vec![0; 65_535];
        let mut expected = Expected {
            replies: Vec::new(),
            used: 0,
            closes: false,
        };
        for number in 0.. {
            let rest = &stream[expected.used..];
            let Some((prefix, rest)) = rest.split_first_chunk::<2>() else {
                break;
            };
            let length = usize::from(u16::from_be_bytes(*prefix));
            if length == 0 || number == QUERIES_MAX {
                expected.closes = true;
                expected.used += 2;
                break;
            }
            let Some(wire) = rest.get(..length) else {
                break;
            };
            expected.used += 2 + length;
            let request = Request {
                peer: SocketAddr::from((client, 5300)),
                transport: Transport::Tcp,
                wire,
                now: NOW,
            };
            let generation = self.generations.load();
            if let Action::Reply { length, .. } =
                self.engine.answer(&generation, &request, &mut out)
            {
                let prefix = u16::try_from(length).expect("the buffer is a message long");
                expected.replies.extend_from_slice(&prefix.to_be_bytes());
                expected.replies.extend_from_slice(&out[..length]);
            }
        }
        expected
    }
}

/// The lengths of the pieces, in turn, and the octets: the first octet says how many
/// lengths follow.
fn split(input: &[u8]) -> (Vec<usize>, &[u8]) {
    let Some((count, rest)) = input.split_first() else {
        return (Vec::new(), input);
    };
    let count = usize::from(count & 0x0f).min(rest.len());
    let (lengths, stream) = rest.split_at(count);
    let lengths = lengths.iter().map(|length| usize::from(*length) + 1);
    (lengths.collect(), stream)
}

/// Sends the pieces and reads to the end; says what came and whether it broke off.
async fn exchange(
    server: SocketAddr,
    client: Ipv4Addr,
    pieces: &[usize],
    stream: &[u8],
) -> (Vec<u8>, bool) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind((client, 0).into())
        .expect("an address of loopback");
    let mut connection = socket.connect(server).await.expect("the server listens");
    connection.set_nodelay(true).expect("a socket");
    let (mut reader, mut writer) = connection.split();
    let write = async {
        let mut rest = stream;
        for length in pieces.iter().cycle().take(PIECES_MAX - 1) {
            let (piece, after) = rest.split_at((*length).min(rest.len()));
            if piece.is_empty() {
                break;
            }
            writer.write_all(piece).await?;
            // The runtime has one thread: the server gets its turn, and reads the piece.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            rest = after;
        }
        writer.write_all(rest).await?;
        writer.shutdown().await
    };
    let mut received = Vec::new();
    let read = reader.read_to_end(&mut received);
    let (written, read) = tokio::join!(write, read);
    (received, written.is_err() || read.is_err())
}
