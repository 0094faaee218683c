//! What must hold of any message where zones may be had: over a stream and over UDP each
//! reply is well-formed, and one of many messages begins and ends with the SOA. Shared by
//! the fuzz target `transfer` and the plain test of its corpus.

use std::sync::Arc;

use meridian::dns::engine::{Action, Engine, EngineConfig, Request, Transport, UDP_BUFFER_BYTES};
use meridian::dns::generations::{Generations, Source};
use meridian::dns::net::tcp::{Piece, Transfers};
use meridian::transfer::Outgoing;
use meridian::transfer::access::{Access, Network, Rule};
use meridian::transfer::history::History;
use meridian::transfer::key::Keys;
use meridian::transfer::outgoing::Settings;
use tempfile::TempDir;
use zone_image::Memory;

use super::reply;
use super::subject::{ZONES, install};

/// When signed messages of the corpus were made.
const NOW: u64 = 1_700_000_000;
/// The key that signed them.
const KEYS: &str = "k hmac-sha256 dGhlIHNlY3JldCBvZiB0aGUga2V5IGs=";

/// Whoever may have all zones asks here.
pub(crate) struct Server {
    outgoing: Arc<Outgoing>,
    generations: Arc<Generations>,
    engine: Engine,
    _directory: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let directory = TempDir::new().expect("a folder");
        install(directory.path(), &ZONES);
        let source = Source {
            directory: directory.path().to_owned(),
            memory: Memory::Mapped,
            check: Box::new(|_| Ok(())),
            clock: || NOW,
        };
        let generations = Arc::new(Generations::open(source).expect("an image"));
        let history = History::open(Arc::clone(&generations), None).expect("no journal");
        let settings = Settings {
            keys: Keys::parse(KEYS).expect("a key"),
            access: Access(vec![Rule {
                networks: vec![Network::parse("127.0.0.0/8").expect("a network")],
                ..Rule::default()
            }]),
            concurrent_max: 8,
            udp_payload_bytes_max: 1232,
        };
        let outgoing = Arc::new(Outgoing::new(settings, Arc::new(history), || NOW));
        let engine = Engine::new(EngineConfig {
            aside: Some(Arc::clone(&outgoing) as _),
            ..EngineConfig::default()
        });
        Self {
            outgoing,
            generations,
            engine,
            _directory: directory,
        }
    }

    /// Sends a message from an address that may have everything, or from one that may
    /// not where the first octet is odd; gives the messages of a stream's reply.
    pub(crate) fn check(&self, input: &[u8]) -> usize {
        let Some((first, wire)) = input.split_first() else {
            return 0;
        };
        let peer = match first & 1 {
            0 => "127.0.0.1:53000",
            _ => "192.0.2.1:53000",
        };
        let image = self.generations.current();
        let request = |transport| Request {
            peer: peer.parse().expect("an address"),
            transport,
            wire,
            now: NOW,
        };
        for (transport, most) in [(Transport::Udp, UDP_BUFFER_BYTES), (Transport::Tcp, 65_535)] {
            let mut out = vec![0; most];
            let action = self.engine.answer(&image, &request(transport), &mut out);
            if let Action::Reply { length, .. } = action {
                reply::check(wire, &out[..length], 65_535);
            }
        }
        let Some(mut pieces) = self.outgoing.open(&request(Transport::Tcp), None) else {
            return 0;
        };
        let mut messages = 0;
        loop {
            match pieces.blocking_recv() {
                Some(Piece::Message(message)) => {
                    reply::check(wire, &message, 65_535);
                    messages += 1;
                }
                Some(Piece::End) => break,
                None => panic!("a transfer was broken off"),
            }
        }
        assert!(messages > 0, "a reply without a message");
        messages
    }
}
