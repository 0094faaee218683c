//! Who may have a connection: a limit for all, and one for each client network.
//!
//! At a limit the connection that is idle longest makes room (RFC 7766 section
//! 6.2.3), of the same network if that network is at its own limit; where none
//! is idle the new one is refused. So nobody can hold connections that others
//! need by doing nothing with them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::Limits;

/// Value of `idle_since` while a connection is busy.
const BUSY: u64 = u64::MAX;

/// The open connections.
#[derive(Debug)]
pub(super) struct Connections {
    limits: Limits,
    begin: Instant,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    /// By connection number. At most `connections_max` long.
    open: HashMap<u64, Arc<Entry>>,
    by_prefix: HashMap<IpAddr, usize>,
}

/// What the table knows of one connection.
#[derive(Debug)]
struct Entry {
    prefix: IpAddr,
    /// Microseconds from `begin` at which it went idle, or `BUSY`.
    idle_since: AtomicU64,
    leave: Notify,
}

/// What became of a new connection.
pub(super) enum Admission {
    /// It has a place.
    Place(Place),
    /// It has the place of another that was idle.
    Evicted(Place),
    /// There is none.
    Refused,
}

/// The right to be connected; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Connections>,
    number: u64,
    entry: Arc<Entry>,
}

impl Connections {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            begin: Instant::now(),
            table: Mutex::default(),
        }
    }

    /// Finds a place for a connection from `peer`.
    pub(super) fn admit(this: &Arc<Self>, peer: IpAddr) -> Admission {
        let prefix = this.prefix_of(peer);
        let mut table = this.lock();
        let same = table.by_prefix.get(&prefix).copied().unwrap_or(0);
        let mut evicted = false;
        if same >= this.limits.connections_per_prefix_max {
            evicted = table.evict(Some(prefix));
            if !evicted {
                return Admission::Refused;
            }
        } else if table.open.len() >= this.limits.connections_max {
            evicted = table.evict(None);
            if !evicted {
                return Admission::Refused;
            }
        }
        let entry = Arc::new(Entry {
            prefix,
            idle_since: AtomicU64::new(this.now()),
            leave: Notify::new(),
        });
        let number = table.next;
        table.next += 1;
        table.open.insert(number, Arc::clone(&entry));
        *table.by_prefix.entry(prefix).or_default() += 1;
        drop(table);
        let place = Place {
            connections: Arc::clone(this),
            number,
            entry,
        };
        if evicted {
            Admission::Evicted(place)
        } else {
            Admission::Place(place)
        }
    }

    /// The client network of an address.
    fn prefix_of(&self, peer: IpAddr) -> IpAddr {
        match peer.to_canonical() {
            IpAddr::V4(address) => {
                let keep = u32::from(self.limits.prefix_length_v4).min(32);
                let mask = u32::MAX.checked_shl(32 - keep).unwrap_or(0);
                IpAddr::V4((address.to_bits() & mask).into())
            }
            IpAddr::V6(address) => {
                let keep = u32::from(self.limits.prefix_length_v6).min(128);
                let mask = u128::MAX.checked_shl(128 - keep).unwrap_or(0);
                IpAddr::V6((address.to_bits() & mask).into())
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_micros()).unwrap_or(BUSY - 1)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing in here panics between two changes that belong together.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Sends the connection away that is idle longest, among all or those of
    /// one network. Looks at every connection, and only at a limit.
    fn evict(&mut self, prefix: Option<IpAddr>) -> bool {
        let idle = |entry: &Entry| entry.idle_since.load(Ordering::Relaxed);
        let oldest = self
            .open
            .iter()
            .filter(|(_, entry)| prefix.is_none_or(|prefix| entry.prefix == prefix))
            .map(|(number, entry)| (idle(entry), *number))
            .filter(|(since, _)| *since != BUSY)
            .min();
        let Some((_, number)) = oldest else {
            return false;
        };
        if let Some(entry) = self.remove(number) {
            entry.leave.notify_one();
        }
        true
    }

    fn remove(&mut self, number: u64) -> Option<Arc<Entry>> {
        let entry = self.open.remove(&number)?;
        if let Some(count) = self.by_prefix.get_mut(&entry.prefix) {
            *count -= 1;
            if *count == 0 {
                self.by_prefix.remove(&entry.prefix);
            }
        }
        Some(entry)
    }
}

impl Place {
    /// From here on the connection may be sent away.
    pub(super) fn idle(&self) {
        self.idle_still(self.connections.now());
    }

    /// The same, as if it had never been busy since `since`.
    pub(super) fn idle_still(&self, since: u64) {
        self.entry.idle_since.store(since, Ordering::Relaxed);
    }

    /// From here on it may not; gives since when it was idle.
    pub(super) fn busy(&self) -> u64 {
        self.entry.idle_since.swap(BUSY, Ordering::Relaxed)
    }

    /// Ends when the connection is to make room for another.
    pub(super) async fn sent_away(&self) {
        self.entry.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().remove(self.number);
    }
}

#[cfg(test)]
mod tests;
