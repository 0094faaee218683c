//! UDP workers: a plain thread each, with its own socket for every address.
//!
//! No allocation, lock or log line per packet. The generation and the time are
//! read once a batch. A worker never waits to send: what the kernel does not
//! take is dropped and counted, as any network drops it.

use std::io;
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Cache};
use zone_image::Generation;

use super::failure::{Offences, answer_guarded};
use super::sys::{self, BATCH, Batch, Poller, Wake};
use super::{Answer, Clock};
use crate::dns::counters::{Loss, WorkerCounters};
use crate::dns::engine::{Action, DropReason, Job, Names, Request, TURNS, Transport};

/// Full batches taken from one socket before the others get their turn.
const ROUNDS_MAX: usize = 16;
/// Token of the wake-up; sockets have their index.
const WAKE: u64 = u64::MAX;
/// Most listen addresses, so that one wait reports all of them.
pub const ADDRESSES_MAX: usize = 63;

/// What a worker needs; all of it shared or its own, nothing global.
#[derive(Debug)]
pub struct Worker<A> {
    /// The engine.
    pub engine: A,
    /// Largest reply in octets.
    pub reply_bytes_max: usize,
    /// The generation in service.
    pub generation: Arc<ArcSwap<Generation>>,
    /// Its sockets, at most [`ADDRESSES_MAX`].
    pub sockets: Vec<UdpSocket>,
    /// Its counters.
    pub counters: Arc<WorkerCounters>,
    /// Where messages that made the engine panic are kept.
    pub offences: Arc<Offences>,
    /// Wakes it when the generation or `stop` changed.
    pub wake: Arc<Wake>,
    /// Set, then woken: the worker drains and ends.
    pub stop: Arc<AtomicBool>,
    /// Longest time to answer what is queued after `stop`.
    pub drain: Duration,
    /// Whether another process reads the sockets after this one.
    pub has_successor: bool,
    /// The CPU to stay on.
    pub cpu: Option<usize>,
    /// The clock.
    pub clock: Clock,
}

impl<A: Answer> Worker<A> {
    /// Serves until `stop`. An error is one of the set-up or of the poller.
    pub fn run(self) -> io::Result<()> {
        if let Some(cpu) = self.cpu {
            // Being on another CPU costs speed only.
            if let Err(error) = sys::pin_current_thread(cpu) {
                tracing::warn!(cpu, %error, "worker not pinned");
            }
        }
        let mut poller = Poller::new()?;
        poller.add_wake(&self.wake, WAKE)?;
        let mut links = Vec::with_capacity(self.sockets.len());
        for (token, socket) in (0u64..).zip(self.sockets) {
            poller.add(socket.as_fd(), token)?;
            let with_address = socket.local_addr()?.ip().is_unspecified();
            links.push(Link {
                socket,
                with_address,
            });
        }
        let mut desk = Desk {
            engine: self.engine,
            generation: Cache::new(self.generation),
            batch: Batch::new(self.reply_bytes_max),
            names: Names::default(),
            fates: [Fate::Oversize; BATCH],
            replies: Vec::with_capacity(BATCH),
            counters: self.counters,
            offences: self.offences,
            clock: self.clock,
        };
        while !self.stop.load(Ordering::Acquire) {
            // Lets go of a generation that was replaced while nobody asked.
            desk.generation.load();
            for token in poller.wait()? {
                match usize::try_from(token)
                    .ok()
                    .and_then(|token| links.get(token))
                {
                    Some(link) => desk.serve(link),
                    None => self.wake.clear(),
                }
            }
        }
        if !self.has_successor {
            refuse_new(&links);
        }
        desk.drain(&links, self.drain);
        Ok(())
    }
}

/// One socket of a worker.
struct Link {
    socket: UdpSocket,
    /// Bound to a wildcard, so that each query says which address it asked.
    with_address: bool,
}

/// What answering needs, apart from the sockets.
struct Desk<A> {
    engine: A,
    generation: Cache<Arc<ArcSwap<Generation>>, Arc<Generation>>,
    batch: Batch,
    names: Names,
    /// What became of each slot.
    fates: [Fate; BATCH],
    /// Slot and length of each reply; never grows past a batch.
    replies: Vec<(usize, usize)>,
    counters: Arc<WorkerCounters>,
    offences: Arc<Offences>,
    clock: Clock,
}

impl<A: Answer> Desk<A> {
    /// Answers what is queued in one socket, as far as its turn goes.
    fn serve(&mut self, link: &Link) {
        for _ in 0..ROUNDS_MAX {
            if self.serve_batch(link) < BATCH {
                break;
            }
        }
    }

    /// Answers one batch; gives its size.
    fn serve_batch(&mut self, link: &Link) -> usize {
        let socket = link.socket.as_fd();
        let Ok(count) = self.batch.receive(socket, link.with_address) else {
            self.counters.lose(Loss::ReceiveFailed, 1);
            return 0;
        };
        if count == 0 {
            return 0;
        }
        let now = (self.clock)();
        if catch_unwind(AssertUnwindSafe(|| self.answer_all(count, now))).is_err() {
            self.answer_one_by_one(count, now);
        }
        self.tally(count);
        let sent = self.batch.send(socket, link.with_address, &self.replies);
        if sent.full > 0 {
            self.counters.lose(Loss::SendFull, sent.full);
        }
        if sent.failed > 0 {
            self.counters.lose(Loss::SendFailed, sent.failed);
        }
        count
    }

    fn answer_all(&mut self, count: usize, now: u64) {
        let generation = self.generation.load();
        let mut slots = self.batch.slots(count);
        for fates in self.fates[..count].chunks_mut(TURNS) {
            let mut jobs: [Option<Job<'_>>; TURNS] = std::array::from_fn(|at| {
                let fate = fates.get_mut(at)?;
                let (received, wire, out) = slots.next()?;
                match request(received, wire, now) {
                    Ok(request) => Some(Job {
                        request,
                        out,
                        action: Action::Drop(DropReason::Short),
                    }),
                    Err(own) => {
                        *fate = own;
                        None
                    }
                }
            });
            let jobs = &mut jobs[..fates.len()];
            self.engine.answer_batch(generation, &mut self.names, jobs);
            for (fate, job) in fates.iter_mut().zip(jobs) {
                if let Some(job) = job {
                    *fate = Fate::Done(job.action);
                }
            }
        }
    }

    /// The same after a panic: each message alone, so that only the one that
    /// panics goes without its answer.
    fn answer_one_by_one(&mut self, count: usize, now: u64) {
        let generation = self.generation.load();
        for slot in 0..count {
            let (received, wire, out) = self.batch.slot(slot);
            self.fates[slot] = match request(received, wire, now) {
                Ok(request) => {
                    match answer_guarded(&self.engine, generation, &request, out, &self.offences) {
                        (action, false) => Fate::Done(action),
                        (action, true) => Fate::Panicked(action),
                    }
                }
                Err(fate) => fate,
            };
        }
    }

    /// Counts what became of a batch and lists its replies.
    fn tally(&mut self, count: usize) {
        self.replies.clear();
        self.counters.queries(count as u64);
        for (slot, &fate) in self.fates[..count].iter().enumerate() {
            let action = match fate {
                Fate::Done(action) => action,
                Fate::Panicked(action) => {
                    self.counters.lose(Loss::Panic, 1);
                    action
                }
                Fate::Oversize => {
                    self.counters.lose(Loss::Oversize, 1);
                    continue;
                }
            };
            match action {
                Action::Reply { length, outcome } => {
                    self.counters.reply(outcome);
                    self.replies.push((slot, length));
                }
                Action::Drop(reason) => self.counters.ignore(reason),
            }
        }
    }

    /// Answers what the sockets hold.
    fn drain(&mut self, links: &[Link], limit: Duration) {
        let begin = Instant::now();
        for link in links {
            while begin.elapsed() < limit && self.serve_batch(link) > 0 {}
        }
    }
}

/// Lets nothing new into the sockets, so that a drain ends while queries keep coming.
/// Where others read them later they must not be so: a filter stays with a socket.
fn refuse_new(links: &[Link]) {
    for link in links {
        // Without the filter the time limit ends the drain.
        if let Err(error) = sys::refuse_new_datagrams(link.socket.as_fd()) {
            tracing::debug!(%error, "drain without a filter");
        }
    }
}

/// What became of one datagram.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Done(Action),
    Panicked(Action),
    /// Longer than any query; the engine was not asked.
    Oversize,
}

/// What the engine is asked for one datagram, or why it is not.
fn request(received: sys::Received, wire: &[u8], now: u64) -> Result<Request<'_>, Fate> {
    match received.peer {
        Some(peer) if peer.port() != 0 => {
            if received.truncated {
                return Err(Fate::Oversize);
            }
            Ok(Request {
                peer,
                transport: Transport::Udp,
                wire,
                now,
            })
        }
        // Nobody can be answered at port 0; a forged source most likely.
        _ => Err(Fate::Done(Action::Drop(DropReason::PortZero))),
    }
}

#[cfg(test)]
mod tests;
