//! Telling secondaries that a zone is newer (RFC 1996).
//!
//! One notice for each secondary and zone is on its way: a newer one takes its place. It is
//! sent again with growing pauses until somebody answers or it was sent often enough; the
//! secondary then finds out by its own refresh timer. A signed notice wants a signed answer.

mod message;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fmt, io};

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use zone_compiler::Record;
use zone_image::{Name, Zone};

use self::message::{Heard, Notice};
use super::counters::{NoticeEvent, TransferCounters};
use super::key::Key;
use super::message::soa_serial;
use super::records;
use crate::dns::net::Clock;

/// Most zones that wait to be told of.
const ORDERS_MAX: usize = 4096;
/// Most notices that wait for an answer or to be sent again.
const NOTICES_MAX: usize = 100_000;
/// Most notices that wait for an answer.
const FLIGHT_MAX: usize = 256;
/// Longest wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// Pause before a notice is sent a second time; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_secs(2);
/// Times that a notice is sent: five minutes, which is what RFC 1996 section 3.6 comes to.
const SENDS_MAX: u32 = 8;
/// Longest answer.
const ANSWER_BYTES_MAX: usize = 1024;

/// A secondary that is told.
#[derive(Debug, Clone)]
pub struct Secondary {
    /// Where it listens.
    pub address: SocketAddr,
    /// Of which zones, lower case; empty is all.
    pub zones: Vec<Name>,
    /// Signs what it is told.
    pub key: Option<Arc<Key>>,
}

/// Tells secondaries.
pub struct Notifier {
    orders: Option<mpsc::Sender<Record>>,
    thread: Option<JoinHandle<()>>,
    secondaries: Arc<[Secondary]>,
    waiting: Arc<Mutex<HashMap<About, Waiting>>>,
    counters: Arc<TransferCounters>,
}

/// A notice that nobody has answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// The secondary.
    pub address: SocketAddr,
    /// Of which serial it is told.
    pub serial: u32,
    /// How often it was sent.
    pub sends: u32,
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier").finish_non_exhaustive()
    }
}

impl Notifier {
    /// Starts the thread that sends notices.
    pub fn spawn(
        secondaries: Vec<Secondary>,
        counters: Arc<TransferCounters>,
        clock: Clock,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (orders, queue) = mpsc::channel(ORDERS_MAX);
        let secondaries: Arc<[Secondary]> = secondaries.into();
        let waiting = Arc::<Mutex<HashMap<About, Waiting>>>::default();
        let sender = Sender {
            secondaries: Arc::clone(&secondaries),
            counters: Arc::clone(&counters),
            clock,
            waiting: Arc::clone(&waiting),
            flying: JoinSet::new(),
        };
        let thread = std::thread::Builder::new()
            .name("notify".into())
            .spawn(move || runtime.block_on(sender.run(queue)))?;
        Ok(Self {
            orders: Some(orders),
            thread: Some(thread),
            secondaries,
            waiting,
            counters,
        })
    }

    /// Tells of a zone as it is whoever is to be told of it; waits while many are told of.
    pub fn tell_of(&self, zone: Zone<'_>) {
        self.tell(records::soa(zone));
    }

    /// The notices of a zone that are not answered.
    pub fn unanswered(&self, apex: &Name) -> Vec<Unanswered> {
        let waiting = lock(&self.waiting);
        let of_zone = waiting.iter().filter(|((_, zone), _)| zone == apex);
        let of_zone = of_zone.map(|((at, _), waiting)| Unanswered {
            address: self.secondaries[*at].address,
            serial: soa_serial(&waiting.soa.rdata).unwrap_or_default(),
            sends: waiting.sends,
        });
        of_zone.collect()
    }

    fn tell(&self, soa: Record) {
        if let Some(orders) = &self.orders {
            // A thread that has gone has said why.
            let _ = orders.blocking_send(soa);
        }
    }

    /// The same without waiting; says whether it is going to be told.
    pub fn tell_at_once(&self, zone: Zone<'_>) -> bool {
        let orders = self.orders.as_ref();
        let told = orders.is_some_and(|orders| orders.try_send(records::soa(zone)).is_ok());
        if !told {
            self.counters.note_notice(NoticeEvent::Dropped);
        }
        told
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A secondary by its place in the list, and a zone.
type About = (usize, Name);

/// A notice that is to be sent, or was.
#[derive(Debug)]
struct Waiting {
    soa: Record,
    sends: u32,
    /// When it is sent next; none while it waits for an answer.
    due: Option<Instant>,
}

/// The thread's state.
struct Sender {
    secondaries: Arc<[Secondary]>,
    counters: Arc<TransferCounters>,
    clock: Clock,
    waiting: Arc<Mutex<HashMap<About, Waiting>>>,
    flying: JoinSet<(About, u32, Heard)>,
}

impl Sender {
    async fn run(mut self, mut orders: mpsc::Receiver<Record>) {
        loop {
            self.launch();
            let due = self.next_due();
            let is_full = self.flying.len() >= FLIGHT_MAX;
            let wait = async {
                match due.filter(|_| !is_full) {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                order = orders.recv() => match order {
                    Some(soa) => self.order(&soa),
                    None => return,
                },
                Some(Ok((about, serial, heard))) = self.flying.join_next() => {
                    self.heard(about, serial, heard);
                }
                () = wait => {}
            }
        }
    }

    fn next_due(&self) -> Option<Instant> {
        let waiting = lock(&self.waiting);
        waiting.values().filter_map(|waiting| waiting.due).min()
    }

    fn order(&self, soa: &Record) {
        let apex = soa.owner.to_lowercase();
        let mut waiting = lock(&self.waiting);
        for (at, secondary) in self.secondaries.iter().enumerate() {
            if !secondary.zones.is_empty() && !secondary.zones.contains(&apex) {
                continue;
            }
            if waiting.len() >= NOTICES_MAX {
                self.counters.note_notice(NoticeEvent::Dropped);
                continue;
            }
            let notice = Waiting {
                soa: soa.clone(),
                sends: 0,
                due: Some(Instant::now()),
            };
            waiting.insert((at, apex.clone()), notice);
        }
    }

    /// Sends what is due, as many as may wait for an answer.
    fn launch(&mut self) {
        let now = Instant::now();
        let free = FLIGHT_MAX.saturating_sub(self.flying.len());
        let due = |waiting: &Waiting| waiting.due.is_some_and(|due| due <= now);
        let mut all = lock(&self.waiting);
        let ready = all.iter_mut().filter(|(_, waiting)| due(waiting));
        for (about, waiting) in ready.take(free) {
            waiting.due = None;
            waiting.sends += 1;
            let (about, soa) = (about.clone(), waiting.soa.clone());
            let (secondaries, now) = (Arc::clone(&self.secondaries), (self.clock)());
            self.counters.note_notice(NoticeEvent::Sent);
            self.flying.spawn(async move {
                let secondary = &secondaries[about.0];
                let heard = timeout(ANSWER_TIMEOUT, send(secondary, &soa, now));
                let heard = heard.await.unwrap_or(Ok(Heard::Nothing));
                let serial = soa_serial(&soa.rdata).unwrap_or_default();
                (about, serial, heard.unwrap_or(Heard::Nothing))
            });
        }
    }

    fn heard(&self, about: About, serial: u32, heard: Heard) {
        let mut all = lock(&self.waiting);
        let Some(waiting) = all.get_mut(&about) else {
            return;
        };
        let (secondary, zone) = (self.secondaries[about.0].address, &about.1);
        if soa_serial(&waiting.soa.rdata) != Some(serial) {
            // What was told since is on its way by itself.
            return;
        }
        let event = match heard {
            Heard::Accepted => NoticeEvent::Accepted,
            Heard::Refused(rcode) => {
                tracing::warn!(%secondary, %zone, rcode, "notice refused");
                NoticeEvent::Refused
            }
            Heard::Nothing if waiting.sends < SENDS_MAX => {
                let pause = PAUSE_MIN * 2u32.saturating_pow(waiting.sends - 1);
                waiting.due = Some(Instant::now() + pause);
                return;
            }
            Heard::Nothing => {
                tracing::warn!(%secondary, %zone, serial, "notice not answered");
                NoticeEvent::Unanswered
            }
        };
        self.counters.note_notice(event);
        all.remove(&about);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A notice is put in or taken out whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends one notice and waits for its answer; others' messages are passed over.
async fn send(secondary: &Secondary, soa: &Record, now: u64) -> io::Result<Heard> {
    let local = match secondary.address.is_ipv4() {
        true => "0.0.0.0:0",
        false => "[::]:0",
    };
    let socket = UdpSocket::bind(local).await?;
    socket.connect(secondary.address).await?;
    let notice = Notice::new(soa, secondary.key.clone(), now)?;
    socket.send(notice.wire()).await?;
    let mut buffer = [0; ANSWER_BYTES_MAX];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if let Some(heard) = notice.hear(&buffer[..length]) {
            return Ok(heard);
        }
    }
}

#[cfg(test)]
mod tests;
