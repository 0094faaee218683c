//! How many questions a client network may ask: one limit for all services.
//!
//! A table of fixed size in sets of four, found by a keyed hash, so that nobody can choose
//! whose entry goes for theirs. What has been quiet longest goes first: a network that was
//! forgotten has its whole burst again. Never refuses a network for what another does.

use std::hash::Hasher as _;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use siphasher::sip::SipHasher13;

use crate::registry::Timestamp;

/// Leading bits of an address that make a client network: those of one customer.
const PREFIX_LENGTH_V4: u32 = 32;
const PREFIX_LENGTH_V6: u32 = 64;
/// Sets of the table, and entries of each: 2 MiB.
const SETS: usize = 16_384;
const WAYS: usize = 4;
/// Sets behind one lock.
const SETS_PER_LOCK: usize = 256;
const SECOND_MICROSECONDS: i64 = 1_000_000;

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// The network; 0 is none.
    network: u128,
    /// When a bucket that was full would be as empty as it is: questions are let through
    /// while that is no more than the burst ahead.
    ahead_until: i64,
}

/// The limit.
#[derive(Debug)]
pub struct Limiter {
    /// Between two questions of a steady client; 0 is no limit.
    interval_microseconds: i64,
    burst_microseconds: i64,
    keys: (u64, u64),
    table: Box<[Mutex<Vec<[Entry; WAYS]>>]>,
}

impl Limiter {
    /// `queries_per_second` of each network, and `burst` at once.
    pub fn new(queries_per_second: u32, burst: u32) -> std::io::Result<Self> {
        let interval = match queries_per_second {
            0 => 0,
            rate => (SECOND_MICROSECONDS / i64::from(rate)).max(1),
        };
        let mut random = [0_u8; 16];
        let filled = aws_lc_rs::rand::fill(&mut random);
        filled.map_err(|_| std::io::Error::other("the system gave no random numbers"))?;
        let [first, second] = [0, 8].map(|at| {
            let octets = <[u8; 8]>::try_from(&random[at..at + 8]);
            u64::from_le_bytes(octets.expect("eight octets of sixteen"))
        });
        let part = || Mutex::new(vec![[Entry::default(); WAYS]; SETS_PER_LOCK]);
        let sets = if interval == 0 {
            0
        } else {
            SETS / SETS_PER_LOCK
        };
        Ok(Self {
            interval_microseconds: interval,
            burst_microseconds: interval * i64::from(burst.max(1)),
            keys: (first, second),
            table: std::iter::repeat_with(part).take(sets).collect(),
        })
    }

    /// One question of a client; an error is the time after which one is let through.
    pub fn admit(&self, client: IpAddr, now: Timestamp) -> Result<(), Duration> {
        if self.interval_microseconds == 0 {
            return Ok(());
        }
        let network = network(client);
        let mut hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        hasher.write_u128(network);
        let set = usize::try_from(hasher.finish() % SETS as u64).unwrap_or_default();
        let part = &self.table[set / SETS_PER_LOCK];
        let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
        let ways = &mut part[set % SETS_PER_LOCK];
        let at = ways.iter().position(|entry| entry.network == network);
        let at = at.unwrap_or_else(|| {
            let quiet = (0..WAYS).min_by_key(|way| ways[*way].ahead_until);
            let quiet = quiet.unwrap_or_default();
            ways[quiet] = Entry {
                network,
                ahead_until: now.0,
            };
            quiet
        });
        self.take(&mut ways[at], now)
    }

    fn take(&self, entry: &mut Entry, now: Timestamp) -> Result<(), Duration> {
        // A clock that went back starts anew: nobody waits for hours that are over.
        let is_sane = (now.0..=now.0 + self.burst_microseconds).contains(&entry.ahead_until);
        let from = if is_sane { entry.ahead_until } else { now.0 };
        let until = from + self.interval_microseconds;
        let wait = until - now.0 - self.burst_microseconds;
        if wait > 0 {
            return Err(Duration::from_micros(wait.unsigned_abs()));
        }
        entry.ahead_until = until;
        Ok(())
    }
}

/// A number of a client network, never 0.
fn network(client: IpAddr) -> u128 {
    match client.to_canonical() {
        IpAddr::V4(address) => {
            let mask = u32::MAX << (u32::BITS - PREFIX_LENGTH_V4);
            // Among addresses that IPv6 has for IPv4.
            u128::from(address.to_bits() & mask) | (0xffff_u128 << 32)
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX << (u128::BITS - PREFIX_LENGTH_V6);
            (address.to_bits() & mask) | 1
        }
    }
}

#[cfg(test)]
mod tests;
