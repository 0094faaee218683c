//! Slow clients for a minute: they take every connection they can get and say next to
//! nothing, over TCP and within handshakes, while somebody else just wants answers.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hickory_proto::rr::RecordType;
use socket2::{Domain, Socket, Type};

use super::wanted;
use crate::support::{Folder, Running, query};
use crate::tls;

/// How long the attack goes on.
const ATTACK: Duration = Duration::from_secs(60);
/// Time from which on memory may not grow: every table and buffer is in use by then.
const WARM_UP: Duration = Duration::from_secs(15);
/// Networks that attack, and what each of their clients holds on each port.
const NETWORKS: u8 = 12;
const HELD: usize = 80;
/// A slow client says an octet in this time.
const OCTET_INTERVAL: Duration = Duration::from_millis(200);
/// The limits under attack: 12 networks of 80 want more than both.
const LIMITS: &str = "tcp.connections-max = 400\ntcp.connections-per-prefix-max = 50\n\
    tls.connections-max = 400\ntls.connections-per-prefix-max = 50\n";
/// Who behaves well, in a network of its own.
const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 100, 1));
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Memory may grow by this once it is warm: an allocator's slack.
const GROWTH_KILOBYTES_MAX: u64 = 8 * 1024;

/// A connection from an address of this machine's loopback network.
fn connect_from(own: IpAddr, server: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::new(own, 0).into())?;
    socket.connect_timeout(&server.into(), ANSWER_TIMEOUT)?;
    Ok(socket.into())
}

/// Holds connections from one network and dribbles octets of `opening` into each; what
/// is closed is opened again, once an interval.
fn dribble(network: u8, server: SocketAddr, opening: &[u8], over: &AtomicBool, opened: &AtomicU64) {
    let own = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, network, 1));
    let mut held: Vec<Option<(TcpStream, usize)>> = (0..HELD).map(|_| None).collect();
    while !over.load(Ordering::Relaxed) {
        let begin = Instant::now();
        for place in &mut held {
            let alive = place.as_mut().is_some_and(|(stream, said)| {
                let octet = opening.get(*said).copied().unwrap_or_default();
                *said += 1;
                stream.write_all(&[octet]).is_ok()
            });
            if !alive {
                *place = connect_from(own, server).ok().map(|stream| (stream, 0));
                opened.fetch_add(u64::from(place.is_some()), Ordering::Relaxed);
            }
        }
        // The pace of the attack, not a wait for anything.
        std::thread::sleep(OCTET_INTERVAL.saturating_sub(begin.elapsed()));
    }
}

/// Resident memory of the server in kilobytes.
fn resident(server: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.unwrap().split_whitespace().next().unwrap();
    number.parse().unwrap()
}

/// What a well-behaved client got of what it asked for.
#[derive(Debug, Default)]
struct Tally {
    asked: u64,
    answered: u64,
    worst: Duration,
}

impl Tally {
    fn count(&mut self, ask: impl FnOnce() -> std::io::Result<()>) {
        let begin = Instant::now();
        self.asked += 1;
        if ask().is_ok() {
            self.answered += 1;
            self.worst = self.worst.max(begin.elapsed());
        }
    }

    #[track_caller]
    fn check(&self, transport: &str) {
        assert!(self.asked >= 100, "{transport}: only {} asked", self.asked);
        let percent = self.answered as f64 * 100.0 / self.asked as f64;
        eprintln!(
            "{transport}: {} of {} answered ({percent:.2} %), slowest {:?}",
            self.answered, self.asked, self.worst
        );
        assert!(percent > 99.0, "{transport}: {percent} %");
    }
}

fn ask_udp(server: SocketAddr) -> std::io::Result<()> {
    let socket = UdpSocket::bind((CLIENT, 0))?;
    socket.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    socket.send_to(&query(1, "example.", RecordType::SOA), server)?;
    socket.recv(&mut [0; 512]).map(|_| ())
}

fn ask_stream(mut stream: impl Read + Write) -> std::io::Result<()> {
    let reply = tls::ask(&mut stream, 1)?;
    assert_eq!(reply.answers.len(), 1);
    Ok(())
}

/// Asks over every transport, each time on a new connection, until the time is over;
/// gives how much memory the server had when it was warm.
fn behave_well(folder: &Folder, server: &Running, secure: SocketAddr) -> ([Tally; 3], u64) {
    let plain = server.addresses[0];
    let client = tls::client(folder);
    let mut tallies = <[Tally; 3]>::default();
    let begin = Instant::now();
    let mut warm = None;
    while begin.elapsed() < ATTACK {
        tallies[0].count(|| ask_udp(plain));
        tallies[1].count(|| {
            let stream = connect_from(CLIENT, plain)?;
            stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
            ask_stream(stream)
        });
        tallies[2].count(|| {
            let session = tls::session(&client, connect_from(CLIENT, secure)?);
            session.sock.set_read_timeout(Some(ANSWER_TIMEOUT))?;
            ask_stream(session)
        });
        if warm.is_none() && begin.elapsed() > WARM_UP {
            warm = Some(resident(server));
        }
    }
    (
        tallies,
        warm.expect("the attack is longer than the warm-up"),
    )
}

#[test]
fn a_minute_of_slow_clients_costs_others_nothing_and_no_memory() {
    if !wanted() {
        return;
    }
    let folder = tls::folder(2031, LIMITS);
    let server = folder.serve();
    let (plain, secure) = (server.addresses[0], tls::addresses(&folder)[0]);
    let over = Arc::new(AtomicBool::new(false));
    let opened = Arc::new(AtomicU64::new(0));
    // A message of 512 octets that never comes; the start of a record that never ends.
    let openings: [(SocketAddr, &[u8]); 2] =
        [(plain, &[2, 0]), (secure, &[22, 3, 1, 2, 0, 1, 0, 1])];
    let attackers: Vec<_> = (1..=NETWORKS)
        .flat_map(|network| openings.map(|opening| (network, opening)))
        .map(|(network, (address, opening))| {
            let (over, opened) = (Arc::clone(&over), Arc::clone(&opened));
            let opening = opening.to_vec();
            std::thread::spawn(move || dribble(network, address, &opening, &over, &opened))
        })
        .collect();
    let (tallies, warm) = behave_well(&folder, &server, secure);
    let end = resident(&server);
    over.store(true, Ordering::Relaxed);
    for attacker in attackers {
        attacker.join().unwrap();
    }
    let opened = opened.load(Ordering::Relaxed);
    let metric = |name: &str| server.metric(&format!("meridian_{name}"));
    eprintln!("{opened} slow connections; resident {warm} kB warm, {end} kB at the end");
    for transport in ["tcp", "tls"] {
        let events = ["evicted", "refused", "timed-out"].map(|event| {
            metric(&format!(
                "{transport}_connection_events_total{{event=\"{event}\"}}"
            ))
        });
        eprintln!("{transport}: {events:?} evicted, refused, timed out");
        assert!(events[0] > 0, "{transport} was never at its limit");
    }
    for (tally, transport) in tallies.iter().zip(["udp", "tcp", "tls"]) {
        tally.check(transport);
    }
    assert!(
        end <= warm + GROWTH_KILOBYTES_MAX,
        "{warm} kB grew to {end} kB"
    );
    assert_eq!(folder.status()["panics"], 0);
}
