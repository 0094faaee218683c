//! Sessions at work: each says a command, waits, and says the next.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Serialize;

use super::client::Client;
use super::frames::Frames;
use super::stage::Stage;
use crate::blast::Queries;
use crate::latency::Times;

/// Pause between two questions whether a name is served: the grain of those figures.
const ASK_EVERY: Duration = Duration::from_micros(500);
/// Longest wait for a name to be served.
const SERVED_TIMEOUT: Duration = Duration::from_secs(60);

/// A kind of command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Five names in one check.
    Check,
    /// One domain.
    Info,
    /// A domain with two name servers.
    Create,
    /// A check or an info, and for one of a hundred a create.
    Mixed,
}

impl Verb {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Info => "info",
            Self::Create => "create",
            Self::Mixed => "mixed",
        }
    }

    fn frame(self, frames: &Frames, session: usize, number: u64) -> String {
        match self {
            Self::Check => frames.check(session, number),
            Self::Info => frames.info(session, number),
            Self::Create => frames.create(session, number),
            Self::Mixed if number % 100 == 99 => frames.create(session, number),
            Self::Mixed if number.is_multiple_of(2) => frames.check(session, number),
            Self::Mixed => frames.info(session, number),
        }
    }
}

/// When a session says its next command.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// With the answer to the one before.
    Closed,
    /// So long after the one before was due, or with its answer where that is later.
    Every(Duration),
}

/// What sessions do for a while.
#[derive(Debug, Clone, Copy)]
pub struct Phase<'f> {
    /// Commands of this kind.
    pub verb: Verb,
    /// About these names.
    pub frames: &'f Frames,
    /// For so long.
    pub duration: Duration,
    /// At this pace.
    pub pace: Pace,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Commands that were done.
    pub done: u64,
    /// Commands that were refused.
    pub refused: u64,
    times: Vec<Duration>,
}

impl Tally {
    fn add(mut self, other: Self) -> Self {
        self.done += other.done;
        self.refused += other.refused;
        self.times.extend(other.times);
        self
    }

    /// How long they took; at least one was done.
    pub fn times(self) -> Times {
        Times::of(self.times)
    }
}

/// Has all sessions work at once until the time is over.
pub fn sessions(phase: &Phase<'_>, clients: &mut [Client]) -> anyhow::Result<Tally> {
    run(phase, clients, &AtomicBool::new(false))
}

fn run(phase: &Phase<'_>, clients: &mut [Client], over: &AtomicBool) -> anyhow::Result<Tally> {
    let end = Instant::now() + phase.duration;
    std::thread::scope(|scope| {
        let threads: Vec<_> = clients
            .iter_mut()
            .enumerate()
            .map(|(number, client)| scope.spawn(move || session(phase, number, client, end, over)))
            .collect();
        let mut tallies = threads
            .into_iter()
            .map(|thread| thread.join().expect("a session does not panic"));
        tallies.try_fold(Tally::default(), |sum, tally| Ok(sum.add(tally?)))
    })
}

fn session(
    phase: &Phase<'_>,
    session: usize,
    client: &mut Client,
    end: Instant,
    over: &AtomicBool,
) -> anyhow::Result<Tally> {
    let (mut tally, mut due) = (Tally::default(), Instant::now());
    for number in 0.. {
        if Instant::now() >= end || over.load(Ordering::Relaxed) {
            break;
        }
        let frame = phase.verb.frame(phase.frames, session, number);
        let start = Instant::now();
        let answer = client.say(&frame)?;
        tally.times.push(start.elapsed());
        match answer.code {
            1000..2000 => tally.done += 1,
            _ => tally.refused += 1,
        }
        if let Pace::Every(pause) = phase.pace {
            due += pause;
            // The pace of the load, not a wait for anything.
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    }
    Ok(tally)
}

/// Does `work` while sessions do theirs, which end with it.
pub(super) fn beside<T>(
    phase: &Phase<'_>,
    clients: &mut [Client],
    work: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let load = scope.spawn(|| run(phase, clients, &over));
        let done = work();
        over.store(true, Ordering::Relaxed);
        load.join().expect("the load does not panic")?;
        done
    })
}

/// Creates names, one after the other, and asks for each until DNS has it.
pub(super) fn follow(
    stage: &Stage,
    client: &mut Client,
    frames: &Frames,
    count: u64,
) -> anyhow::Result<Times> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("binding a socket")?;
    socket.connect(stage.dns()).context("connecting a socket")?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut times = Vec::new();
    for number in 0..count {
        let answer = client.say(&frames.create(0, number))?;
        let acknowledged = Instant::now();
        anyhow::ensure!(answer.code == 1000, "not created: {}", answer.xml);
        let mut query = Queries::new(false);
        query.push_text(&format!("{}. NS", frames.name(0, number)))?;
        while !is_there(&socket, query.message(0))? {
            if acknowledged.elapsed() > SERVED_TIMEOUT {
                bail!("{} is not served", frames.name(0, number));
            }
            std::thread::sleep(ASK_EVERY);
        }
        times.push(acknowledged.elapsed());
    }
    Ok(Times::of(times))
}

/// Whether a name is answered with a referral, and not with NXDOMAIN.
fn is_there(socket: &UdpSocket, query: &[u8]) -> anyhow::Result<bool> {
    let mut reply = [0; 4096];
    socket.send(query).context("asking the server")?;
    // A reply that is late is of the question before, about the same name.
    let Ok(length) = socket.recv(&mut reply) else {
        return Ok(false);
    };
    let (rcode, authorities) = (reply[3] & 0x0f, [reply[8], reply[9]]);
    Ok(length > 12 && rcode == 0 && u16::from_be_bytes(authorities) > 0)
}
