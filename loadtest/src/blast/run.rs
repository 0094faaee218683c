//! The loop of one run: send what is due, wait, take what came.

use std::net::UdpSocket;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::report::microseconds;
use super::socket::{self, BATCH, Batch};
use super::window::{Pending, Window};
use super::{Histogram, Latency, Pace, Plan, Queries, RATE_MAX, Report, SOCKETS_MAX, Stamped};
use crate::process;
use crate::stamp::Stamps;

/// How often lost queries are looked for.
const EXPIRE_EVERY: Duration = Duration::from_millis(1);
/// Longest wait for replies before the clock is read again.
const WAIT_MAX: Duration = Duration::from_millis(1);

/// Runs `plan`.
pub(super) fn run(plan: &Plan, queries: &Queries) -> anyhow::Result<Report> {
    anyhow::ensure!(!queries.is_empty(), "no queries to send");
    anyhow::ensure!(
        (1..=SOCKETS_MAX).contains(&plan.sockets),
        "{} sockets, between 1 and {SOCKETS_MAX} can be used",
        plan.sockets
    );
    if let Pace::Open { rate } = plan.pace {
        anyhow::ensure!(
            (1..=RATE_MAX).contains(&rate),
            "rate {rate}, between 1 and {RATE_MAX} can be asked for"
        );
    }
    // A thread of its own: pinning and timer slack end with it.
    std::thread::scope(|scope| {
        let run = || Blaster::new(plan, queries)?.run();
        scope
            .spawn(run)
            .join()
            .expect("the sending thread does not panic")
    })
}

struct Blaster<'p> {
    plan: &'p Plan,
    queries: &'p Queries,
    sockets: Vec<UdpSocket>,
    windows: Vec<Window>,
    batch: Batch,
    start: Instant,
    next_query: usize,
    next_socket: usize,
    tally: Tally,
}

/// Counts of a run.
struct Tally {
    sent: u64,
    received: u64,
    octets: u64,
    lost: u64,
    unsent: u64,
    stray: u64,
    truncated: u64,
    rcodes: [u64; 16],
    latency: Histogram,
    gap_max: u64,
    last_reply: Option<u64>,
    lag_max: u64,
    stamps: Option<Stamped>,
    generations: Vec<u16>,
}

impl<'p> Blaster<'p> {
    fn new(plan: &'p Plan, queries: &'p Queries) -> anyhow::Result<Self> {
        if let Some(cpu) = plan.cpu {
            socket::pin_thread(cpu).with_context(|| format!("pinning to CPU {cpu}"))?;
        }
        socket::sharpen_timers();
        let sockets = (0..plan.sockets)
            .map(|_| socket::connect(plan.target.address(), plan.source))
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self {
            plan,
            queries,
            windows: sockets.iter().map(|_| Window::new()).collect(),
            tally: Tally::new(sockets.len(), plan.stamps),
            sockets,
            batch: Batch::new(),
            start: Instant::now(),
            next_query: 0,
            next_socket: 0,
        })
    }

    fn run(mut self) -> anyhow::Result<Report> {
        let drops = process::udp_buffer_drops();
        self.start = Instant::now();
        match self.plan.pace {
            Pace::Open { rate } => self.open_loop(rate)?,
            Pace::Closed { outstanding } => self.closed_loop(outstanding)?,
        }
        let seconds = self.start.elapsed().as_secs_f64();
        self.drain()?;
        let drops = process::udp_buffer_drops().saturating_sub(drops);
        Ok(self.tally.report(seconds, drops))
    }

    fn now(&self) -> u64 {
        nanoseconds(self.start.elapsed())
    }

    /// Sends query `i` at `i / rate`, whatever comes back.
    fn open_loop(&mut self, rate: u64) -> anyhow::Result<()> {
        let total = u128::from(rate) * self.plan.duration.as_nanos() / 1_000_000_000;
        let total = u64::try_from(total).context("duration is too long")?;
        let due_at = |index: u64| {
            let due = u128::from(index) * 1_000_000_000 / u128::from(rate);
            u64::try_from(due).expect("within the duration")
        };
        let mut polls = socket::poll_set(&self.sockets);
        let mut index = 0;
        let mut expire_at = 0;
        while index < total && !self.stopped() {
            let now = self.now();
            let first = due_at(index);
            if first <= now {
                self.tally.lag_max = self.tally.lag_max.max(now - first);
                let socket = self.turn();
                self.batch.clear();
                while index < total && self.batch.queued() < BATCH && due_at(index) <= now {
                    self.queue(socket, due_at(index));
                    index += 1;
                }
                self.send(socket)?;
            }
            let wait = due_at(index).saturating_sub(self.now());
            self.take_replies(&mut polls, Duration::from_nanos(wait))?;
            self.expire(now, &mut expire_at);
        }
        Ok(())
    }

    /// Keeps `outstanding` queries under way, spread over the sockets.
    fn closed_loop(&mut self, outstanding: usize) -> anyhow::Result<()> {
        let quota = outstanding
            .div_ceil(self.sockets.len())
            .clamp(1, usize::from(u16::MAX));
        let end = nanoseconds(self.plan.duration);
        let mut polls = socket::poll_set(&self.sockets);
        let mut expire_at = 0;
        loop {
            let now = self.now();
            if now >= end || self.stopped() {
                return Ok(());
            }
            for socket in 0..self.sockets.len() {
                let missing = quota.saturating_sub(self.windows[socket].under_way());
                if missing > 0 {
                    self.batch.clear();
                    for _ in 0..missing.min(BATCH) {
                        self.queue(socket, now);
                    }
                    self.send(socket)?;
                }
            }
            self.take_replies(&mut polls, WAIT_MAX)?;
            self.expire(now, &mut expire_at);
        }
    }

    /// Waits for the replies still under way.
    fn drain(&mut self) -> anyhow::Result<()> {
        let mut polls = socket::poll_set(&self.sockets);
        let end = self.now() + nanoseconds(self.plan.timeout);
        while self.now() < end && self.windows.iter().any(|window| window.under_way() > 0) {
            self.take_replies(&mut polls, WAIT_MAX)?;
        }
        for window in &mut self.windows {
            self.tally.lost += window.expire(u64::MAX);
        }
        Ok(())
    }

    fn stopped(&self) -> bool {
        self.plan.stop.load(Ordering::Relaxed)
    }

    fn turn(&mut self) -> usize {
        self.next_socket = (self.next_socket + 1) % self.sockets.len();
        self.next_socket
    }

    fn queue(&mut self, socket: usize, due: u64) {
        let query = self.next_query;
        self.next_query = (query + 1) % self.queries.len();
        let pending = Pending {
            due,
            query: u32::try_from(query).expect("below QUERIES_MAX"),
        };
        match self.windows[socket].open(pending) {
            Some(id) => self.batch.push(self.queries.message(query), id),
            None => self.tally.unsent += 1,
        }
    }

    fn send(&mut self, socket: usize) -> anyhow::Result<()> {
        let queued = self.batch.queued();
        if queued == 0 {
            return Ok(());
        }
        let sent = self
            .batch
            .send(&self.sockets[socket])
            .context("sending queries")?;
        self.windows[socket].take_back(queued - sent);
        self.tally.sent += sent as u64;
        self.tally.unsent += (queued - sent) as u64;
        Ok(())
    }

    fn take_replies(&mut self, polls: &mut [libc::pollfd], wait: Duration) -> anyhow::Result<()> {
        let ready = socket::wait_readable(polls, wait.min(WAIT_MAX)).context("waiting")?;
        if ready == 0 {
            return Ok(());
        }
        for (socket, poll) in polls.iter().enumerate() {
            if poll.revents == 0 {
                continue;
            }
            let received = self
                .batch
                .receive(&self.sockets[socket])
                .context("receiving")?;
            let now = self.now();
            let window = &mut self.windows[socket];
            for index in 0..received {
                self.tally
                    .count(self.batch.reply(index), window, socket, self.queries, now);
            }
        }
        Ok(())
    }

    fn expire(&mut self, now: u64, expire_at: &mut u64) {
        if now < *expire_at {
            return;
        }
        *expire_at = now + nanoseconds(EXPIRE_EVERY);
        let limit = now.saturating_sub(nanoseconds(self.plan.timeout));
        for window in &mut self.windows {
            self.tally.lost += window.expire(limit);
        }
    }
}

impl Tally {
    fn new(sockets: usize, stamps: bool) -> Self {
        Self {
            sent: 0,
            received: 0,
            octets: 0,
            lost: 0,
            unsent: 0,
            stray: 0,
            truncated: 0,
            rcodes: [0; 16],
            latency: Histogram::default(),
            gap_max: 0,
            last_reply: None,
            lag_max: 0,
            stamps: stamps.then(Stamped::default),
            generations: vec![0; sockets],
        }
    }

    fn count(
        &mut self,
        reply: &[u8],
        window: &mut Window,
        socket: usize,
        queries: &Queries,
        now: u64,
    ) {
        let Some(header) = reply.first_chunk::<12>() else {
            self.stray += 1;
            return;
        };
        let id = u16::from_be_bytes([header[0], header[1]]);
        let Some(pending) = window.find(id) else {
            self.stray += 1;
            return;
        };
        let question = queries.question(pending.query as usize);
        // FORMERR may come without a question; all else repeats ours.
        let repeats = reply[12..].starts_with(question) || header[4..6] == [0, 0];
        if header[2] & 0x80 == 0 || !repeats {
            self.stray += 1;
            return;
        }
        window.close(id);
        self.received += 1;
        self.octets += reply.len() as u64;
        self.truncated += u64::from(header[2] & 0x02 != 0);
        self.rcodes[usize::from(header[3] & 0x0f)] += 1;
        self.latency.record(now.saturating_sub(pending.due));
        if let Some(last) = self.last_reply.replace(now) {
            self.gap_max = self.gap_max.max(now.saturating_sub(last));
        }
        if let Some(stamps) = &mut self.stamps {
            stamps.count(reply, &mut self.generations[socket]);
        }
    }

    fn report(self, seconds: f64, buffer_drops: u64) -> Report {
        let rcodes = (0u8..)
            .zip(self.rcodes)
            .filter(|(_, count)| *count > 0)
            .collect();
        Report {
            seconds,
            sent: self.sent,
            received: self.received,
            lost: self.lost,
            unsent: self.unsent,
            stray: self.stray,
            truncated: self.truncated,
            rate: self.received as f64 / seconds.max(f64::MIN_POSITIVE),
            reply_octets_mean: self.octets as f64 / self.received.max(1) as f64,
            latency: Latency::from_histogram(&self.latency),
            gap_microseconds_max: microseconds(self.gap_max),
            lag_microseconds_max: microseconds(self.lag_max),
            buffer_drops,
            rcodes,
            stamps: self.stamps,
        }
    }
}

impl Stamped {
    fn count(&mut self, reply: &[u8], newest: &mut u16) {
        match Stamps::read(reply) {
            Ok(Stamps::One(generation)) => {
                *self.generations.entry(generation).or_default() += 1;
                self.backwards += u64::from(generation < *newest);
                *newest = generation.max(*newest);
            }
            Ok(Stamps::None) => self.unstamped += 1,
            Ok(Stamps::Mixed(..)) => self.mixed += 1,
            Err(_) => self.malformed += 1,
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
