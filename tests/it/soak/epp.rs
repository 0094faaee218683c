//! EPP for long: kills under fifty sessions, two hundred sessions for half an hour, ten
//! thousand connections.
//!
//! `MERIDIAN_SOAK_SECONDS` makes the half hour another time. The test is a process of its
//! own beside the server, so that neither takes descriptors from the other: each needs 11,000.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use loadtest::epp::{Client, Pace, Phase, Stage, Verb, sessions};
use loadtest::process;
use socket2::{Domain, Socket, Type};

use super::wanted;
use crate::epp::load::{kill_rounds, look, setup};
use crate::registry::Place;

const SESSIONS: usize = 200;
/// How long they are at work, unless the environment says otherwise.
const SECONDS: u64 = 1800;
/// Shares of that time: memory is looked at after each, and may not grow from the second on.
const SHARES: u64 = 12;
/// By how much it may: an allocator's slack, and the domains that are created meanwhile.
const GROWTH_BYTES_MAX: u64 = 16 << 20;

const CONNECTIONS: usize = 10_000;
/// Networks that they come from.
const NETWORKS: u8 = 40;
/// Octets of memory that one connection may cost.
const CONNECTION_BYTES_MAX: u64 = 100 * 1024;
const ROOM: &str = "connections-max = 10100\nconnections-per-prefix-max = 400\n\
    handshake-timeout-seconds = 600\nlogin-timeout-seconds = 600";

#[test]
fn a_hundred_kills_under_fifty_sessions_lose_nothing_on_each_engine() {
    if wanted() {
        kill_rounds(Place::Sqlite, 100, 50);
        kill_rounds(Place::Postgres, 100, 50);
    }
}

#[test]
fn two_hundred_sessions_leave_memory_as_it_is() {
    if !wanted() {
        return;
    }
    let seconds = std::env::var("MERIDIAN_SOAK_SECONDS");
    let seconds = seconds.map_or(SECONDS, |text| text.parse().unwrap());
    let stage = Stage::new(&setup(Place::Sqlite).unwrap()).unwrap();
    let mut clients = stage.log_in(SESSIONS).unwrap();
    let (mut memory, mut done) = (Vec::new(), 0);
    for share in 0..SHARES {
        let frames = stage.frames(&format!("soak{share}-"));
        let phase = Phase {
            verb: Verb::Mixed,
            frames: &frames,
            duration: Duration::from_secs(seconds.div_ceil(SHARES)),
            pace: Pace::Every(Duration::from_millis(500)),
        };
        let tally = sessions(&phase, &mut clients).unwrap();
        assert_eq!(tally.refused, 0);
        done += tally.done;
        memory.push(process::memory_bytes(stage.pid()));
    }
    let mebibytes: Vec<_> = memory.iter().map(|octets| octets >> 20).collect();
    eprintln!("{SESSIONS} sessions, {done} commands in {seconds} s, memory {mebibytes:?} MiB");
    let most = memory[1..].iter().max().unwrap();
    assert!(
        most - memory[1].min(*most) <= GROWTH_BYTES_MAX,
        "{memory:?}"
    );
}

fn connect_from(network: u8, server: SocketAddr) -> TcpStream {
    let own = IpAddr::V4(Ipv4Addr::new(127, 1, network, 1));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&SocketAddr::new(own, 0).into()).unwrap();
    socket.connect(&server.into()).unwrap();
    socket.into()
}

/// A connection that is kept.
struct Held {
    /// Past its greeting.
    greeted: Option<Client>,
    /// Without a handshake, or in the middle of one.
    _open: Option<TcpStream>,
}

fn hold(stage: &Stage, number: usize) -> Held {
    let network = u8::try_from(number % usize::from(NETWORKS)).unwrap();
    let mut stream = connect_from(network, stage.address());
    if number % 4 > 1 {
        return Held {
            greeted: Some(Client::over(stage.identity(), stream).unwrap()),
            _open: None,
        };
    }
    if number % 4 == 1 {
        // The head of a record of a handshake, whose 512 octets do not come.
        stream.write_all(&[0x16, 3, 1, 2, 0]).unwrap();
    }
    Held {
        greeted: None,
        _open: Some(stream),
    }
}

#[test]
fn ten_thousand_connections_cost_bounded_memory_and_nobody_else_anything() {
    if !wanted() {
        return;
    }
    let mut setup = setup(Place::Sqlite).unwrap();
    ROOM.clone_into(&mut setup.config);
    let stage = Stage::new(&setup).unwrap();
    let mut own = stage.client().unwrap();
    look(&mut own, 200);
    let (before, alone) = (process::memory_bytes(stage.pid()), look(&mut own, 200));
    let start = Instant::now();
    let mut held: Vec<Held> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|first| {
                let stage = &stage;
                scope.spawn(move || {
                    let numbers = (first..CONNECTIONS).step_by(4);
                    numbers
                        .map(|number| hold(stage, number))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        // Meanwhile the session that was there goes on.
        while threads.iter().any(|thread| !thread.is_finished()) {
            look(&mut own, 10);
        }
        let threads = threads.into_iter();
        threads.flat_map(|thread| thread.join().unwrap()).collect()
    });
    let opened = start.elapsed();
    let (during, beside) = (process::memory_bytes(stage.pid()), look(&mut own, 200));
    eprintln!(
        "{CONNECTIONS} connections in {opened:?}: memory {} MiB before, {} with them, 200 \
         infos of another session {alone:?} before, {beside:?} beside them",
        before >> 20,
        during >> 20
    );
    assert_eq!(held.len(), CONNECTIONS);
    assert!(during - before < CONNECTION_BYTES_MAX * CONNECTIONS as u64);
    // They are alive: one that was greeted can still be spoken to.
    let greeted = held.iter_mut().find_map(|held| held.greeted.as_mut());
    let answer = greeted
        .unwrap()
        .say(&stage.frames("x-").info(0, 0))
        .unwrap();
    assert_eq!(answer.code, 2002, "{}", answer.xml);
    drop(held);
    let mut again = stage.client().unwrap();
    look(&mut again, 10);
}
