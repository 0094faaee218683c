//! Who may have a connection: a limit for all, and one for each client network.
//!
//! Nobody is sent away for somebody new: what a session does is work under way. DNS has its
//! own table, since its idle connections make room (RFC 7766 section 6.2.3).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Leading bits of an address that make a client network.
const PREFIX_LENGTH_V4: u32 = 24;
const PREFIX_LENGTH_V6: u32 = 48;

/// Which limit has none left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// That of all connections.
    All,
    /// That of the client's network.
    Prefix,
}

/// The open connections.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    most_of_prefix: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    open: usize,
    by_prefix: HashMap<IpAddr, usize>,
}

/// The right to be connected; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    prefix: IpAddr,
}

impl Places {
    pub(crate) fn new(most: usize, most_of_prefix: usize) -> Self {
        Self {
            most,
            most_of_prefix,
            table: Mutex::default(),
        }
    }

    /// A place for a connection from `peer`, or which limit has none left.
    pub(crate) fn admit(this: &Arc<Self>, peer: IpAddr) -> Result<Place, Full> {
        let prefix = prefix_of(peer);
        let mut table = this.lock();
        let same = table.by_prefix.get(&prefix).copied().unwrap_or(0);
        if same >= this.most_of_prefix {
            return Err(Full::Prefix);
        }
        if table.open >= this.most {
            return Err(Full::All);
        }
        table.open += 1;
        table.by_prefix.insert(prefix, same + 1);
        let places = Arc::clone(this);
        Ok(Place { places, prefix })
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing in here panics between two changes that belong together.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.places.lock();
        table.open -= 1;
        if let Some(count) = table.by_prefix.get_mut(&self.prefix) {
            *count -= 1;
            if *count == 0 {
                table.by_prefix.remove(&self.prefix);
            }
        }
    }
}

fn prefix_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => {
            let mask = u32::MAX << (u32::BITS - PREFIX_LENGTH_V4);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX << (u128::BITS - PREFIX_LENGTH_V6);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests;
